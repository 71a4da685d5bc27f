"""What the chat's events are made of: calls, results, costs, as JSON's own types."""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from loopwright.tools.calls import ErrorKind, ToolCall, ToolResult

from ...adapters.values import to_plain
from ...models.base import Usage

_HALVES = re.compile(r"[\ud800-\udfff]")


class Form(BaseModel):
    """A value that is written as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _whole_characters(cls, given: Any) -> Any:
        """Half characters, which models write now and then, become U+FFFD: nothing can encode them."""
        return whole(given)


def whole(value: Any) -> Any:
    r"""A value of JSON's types without half characters.

    >>> whole({"said": ["caf\udce9"]})
    {'said': ['caf\ufffd']}
    """
    if isinstance(value, str):
        return value if value.isascii() else _HALVES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {whole(name): whole(one) for name, one in value.items()}
    return [whole(one) for one in value] if isinstance(value, list) else value


class CallForm(Form):
    """A tool call."""

    name: str
    args: dict[str, Any] = {}
    id: str = ""

    @classmethod
    def of(cls, call: ToolCall) -> Self:
        """The form of a call."""
        return cls(name=call.name, args=plain_args(call), id=call.id)

    def call(self) -> ToolCall:
        """The call again."""
        return ToolCall(self.name, self.args, self.id)


class ResultForm(Form):
    """What came of a call: the text that the model reads."""

    content: str
    error: ErrorKind | None = None
    seconds: float = 0.0


class InnerForm(Form):
    """A call that a program made, with its result."""

    call: CallForm
    result: ResultForm


class UsageForm(Form):
    """Tokens and money; `usd` is null where the price is not known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    usd: float | None = 0.0

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """The form of a usage."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            usd=usage.usd,
        )

    def usage(self) -> Usage:
        """The usage again."""
        return Usage(self.prompt_tokens, self.completion_tokens, self.cached_tokens, self.usd)


def plain_args(call: ToolCall) -> dict[str, Any]:
    """A call's arguments as JSON's own types."""
    args = to_plain(dict(call.args))
    return args if isinstance(args, dict) else {}


def result_form(result: ToolResult) -> ResultForm:
    """The form of a result."""
    return ResultForm(content=result.content, error=result.error, seconds=round(result.seconds, 4))


def read_result(call: ToolCall, found: ResultForm) -> ToolResult:
    """The result of a call again."""
    return ToolResult(call, found.content, found.error, seconds=found.seconds)
