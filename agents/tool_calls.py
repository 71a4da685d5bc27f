"""ToolCalls: calls of tools as a signature's output, for programs that run them themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from loopwright.tools import Tool
from loopwright.tools import ToolCall as PlainCall


def _undescribed(schema: dict[str, Any]) -> None:
    schema.pop("description", None)  # the docstring is for programmers


class ToolCalls(BaseModel):
    """The calls that a model wishes to make, in order.

    As the type of an output it lets a program decide what to do with them; an agent runs its calls by itself.

    >>> def double(n: int) -> int:
    ...     return 2 * n
    >>> calls = ToolCalls.from_dict_list([{"name": "double", "args": {"n": "21"}}])
    >>> calls.tool_calls[0].execute([double])
    42
    """

    model_config = ConfigDict(frozen=True, json_schema_extra=_undescribed)

    class ToolCall(BaseModel):
        """One call: a tool's name and its arguments."""

        model_config = ConfigDict(frozen=True, json_schema_extra=_undescribed)

        name: str
        args: dict[str, Any] = Field(default_factory=dict)

        @model_validator(mode="before")
        @classmethod
        def _in_any_form(cls, given: object) -> object:
            return _one_call(given)

        def execute(self, functions: Mapping[str, Callable[..., Any]] | Iterable[Any]) -> Any:
            """Run the call with one of these functions or `Tool`s, its arguments converted to the function's types.

            Raises ValueError where none has the call's name, RuntimeError with what went wrong.
            """
            tools = {tool.name: tool for tool in _as_tools(functions)}
            if self.name not in tools:
                raise ValueError(f"no tool {self.name!r} to run; there are: {', '.join(tools) or 'none'}")
            result = tools[self.name].run(PlainCall(self.name, self.args))
            if not result.ok:
                raise RuntimeError(result.content)
            return result.value

    tool_calls: list[ToolCall]

    @model_validator(mode="before")
    @classmethod
    def _in_any_form(cls, given: object) -> object:
        """A list of calls, or one call, stands for the object that holds them."""
        if isinstance(given, list):
            return {"tool_calls": given}
        if isinstance(given, Mapping) and "tool_calls" not in given and _is_call(given):
            return {"tool_calls": [given]}
        return given

    @classmethod
    def from_dict_list(cls, tool_calls_dicts: list[dict[str, Any]]) -> Self:
        """Of dicts with `name` and `args`, or in the form of OpenAI's chat API."""
        return cls.model_validate(tool_calls_dicts)


def _is_call(given: Mapping[str, Any]) -> bool:
    return "function" in given or ("name" in given and ("args" in given or "arguments" in given))


def _one_call(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    call = given["function"] if isinstance(given.get("function"), Mapping) else given
    args = call.get("args", call.get("arguments", {}))
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except (ValueError, RecursionError):
            raise ValueError("the arguments are text that is no JSON") from None
    return {"name": call.get("name"), "args": args}


def _as_tools(functions: Mapping[str, Callable[..., Any]] | Iterable[Any]) -> Iterable[Tool]:
    named: Iterable[tuple[str | None, Any]]
    named = functions.items() if isinstance(functions, Mapping) else ((None, one) for one in functions)
    for name, one in named:
        if isinstance(one, Tool):
            yield one if name is None else one.with_(name=name)
        else:
            yield Tool(one, name)
