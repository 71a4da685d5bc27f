"""What the adapters that speak in text share: one form, written for demonstrations and read from answers."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ..errors import OutputError
from ..example import Example
from ..messages import Message
from ..models.base import LMResponse
from ..signature import Field, Signature
from .annotations import hint_type
from .base import (
    CODE,
    Adapter,
    Prompt,
    Turn,
    demo_steps,
    list_fields,
    parse_outputs,
    said,
    scaffold,
    with_history,
    writes_code,
)
from .values import parse_value

NOT_GIVEN = "(not given in this example)"
FENCE = re.compile(r"^```(?:python|py)?[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

TURN = Signature(
    {
        "thought": Field("thought", "output", str, "what you know and what to do next"),
        "tool_name": Field("tool_name", "output", str, "the name of one tool"),
        "tool_args": Field("tool_args", "output", dict[str, Any], "its arguments"),
    },
    "Take the next step.",
)

CODE_TURN = Signature(
    {
        "thought": Field("thought", "output", str, "what you know and what to do next"),
        "code": Field("code", "output", str, "a Python program"),
    },
    "Write the next program.",
)


class TextAdapter(Adapter):
    """An adapter whose answers are text. Subclasses say how fields are written, and read them back."""

    @abstractmethod
    def write(self, values: Mapping[str, object]) -> str:
        """Outputs in the adapter's form."""

    @abstractmethod
    def read(self, text: str) -> dict[str, Any]:
        """The outputs found in a text, still raw; raises `OutputError` where there are none."""

    def read_field(self, given: Any, field: Field) -> Any:
        """One output that `read` found, as a value of its type; raises ValueError."""
        return parse_value(given, field)

    @abstractmethod
    def write_inputs(self, values: Mapping[str, object]) -> str:
        """Inputs, as the body of a user's message."""

    def form(self, signature: Signature) -> str:
        """The form with a hint in the place of each value."""
        return self.write({n: f"<{hint_type(f)}>" for n, f in signature.output_fields.items()})

    def format(self, signature: Signature, demos: Sequence[Example], inputs: Mapping[str, Any]) -> Prompt:
        """System message, a pair of messages for each demonstration and each turn before, and the live inputs."""
        signature, turns = with_history(signature, inputs)
        messages = [_system(self, signature)]
        for demo in (*demos, *turns):
            outputs = {name: demo.get(name, NOT_GIVEN) for name in signature.output_fields}
            messages.append(Message("user", self._user(signature, demo)))
            messages.append(Message("assistant", self.write(outputs)))
        messages.append(Message("user", self._user(signature, inputs)))
        return Prompt(tuple(messages))

    def parse(self, signature: Signature, response: LMResponse) -> dict[str, Any]:
        """The outputs in the answer's text."""
        return self._parse(signature, response.text, {})

    def _parse(self, signature: Signature, text: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
        try:
            given = self.read(text)
        except OutputError as error:
            raise OutputError(f"{error}. The form is:\n\n{self.form(signature)}", raw=text) from error
        try:
            return parse_outputs(signature, {**defaults, **given}, self.read_field)
        except OutputError as error:
            error.raw = text
            raise

    def format_agent(
        self,
        signature: Signature,
        demos: Sequence[Example],
        inputs: Mapping[str, Any],
        tools: Sequence[ToolSpec],
    ) -> Prompt:
        """As `format`, with the tools described in the system message."""
        signature, turns = with_history(signature, inputs)
        code = writes_code(tools)
        system = scaffold("text_code" if code else "text_agent").substitute(
            inputs=list_fields(signature, "input"),
            outputs=list_fields(signature, "output"),
            tools=tools[0].description if code else "\n".join(map(_describe_tool, tools)),
            form=self.form(CODE_TURN if code else TURN),
            instructions=signature.instructions,
        )
        messages = [Message("system", system)]
        for demo in (*demos, *turns):
            messages.append(Message("user", self._user(signature, demo)))
            for step in demo_steps(demo, signature):
                for place, call in enumerate(step.calls):  # one call a turn is the form
                    shown = _as_program(call) if code else call
                    messages.append(self.write_turn("" if place else step.thought, (shown,)))
                    messages.extend(self.write_results(step.results[place : place + 1]))
        messages.append(Message("user", self._user(signature, inputs)))
        return Prompt(tuple(messages))

    def read_turn(self, response: LMResponse, tools: Sequence[ToolSpec] = ()) -> Turn:
        """One call or one program, and the thought before it where there is one."""
        code = writes_code(tools)
        try:
            values = self._parse(CODE_TURN if code else TURN, response.text, {"thought": ""})
        except OutputError as error:
            return Turn(problem=str(error))
        if code and response.finish_reason == "length":
            return Turn(values["thought"], problem="a part of a program is not run: write a shorter one")
        if code:
            call = ToolCall(CODE, {"code": unfenced(values["code"])})
        else:
            call = ToolCall(values["tool_name"].strip(" `\"'"), values["tool_args"])
        return Turn(values["thought"], (call,))

    def write_turn(self, thought: str, calls: Sequence[ToolCall]) -> Message:
        """The form has one call; further calls of a demonstration's turn follow in forms of their own."""
        forms = [self.write(_turn_fields("" if place else thought, call)) for place, call in enumerate(calls)]
        return Message("assistant", "\n\n".join(forms))

    def write_results(self, results: Sequence[ToolResult]) -> tuple[Message, ...]:
        """All observations of a turn in one user message."""
        if not results:
            return ()
        return (Message("user", "\n\n".join(self.write_inputs({"observation": r.content}) for r in results)),)

    def reply(self, response: LMResponse) -> Message:
        """The answer's text alone: calls that a model makes of its own accord are not part of this form."""
        return Message("assistant", said(response.text))

    def _user(self, signature: Signature, values: Mapping[str, Any] | Example) -> str:
        return self.write_inputs({n: values[n] for n in signature.input_fields if n in values})


@lru_cache(maxsize=512)
def _system(adapter: TextAdapter, signature: Signature) -> Message:
    text = scaffold("text").substitute(
        inputs=list_fields(signature, "input"),
        outputs=list_fields(signature, "output"),
        form=adapter.form(signature),
        instructions=signature.instructions,
    )
    return Message("system", text)


def unfenced(code: str) -> str:
    r"""A program without the Markdown fence around it.

    >>> unfenced("```python\nprint(1)\n```")
    'print(1)'
    """
    fenced = FENCE.search(code)
    return fenced[1].rstrip() if fenced else code


def _as_program(call: ToolCall) -> ToolCall:
    """A call of `submit` as an agent makes it whose every turn is a program."""
    if call.name == CODE:
        return call
    given = ", ".join(f"{name}={value!r}" for name, value in call.args.items())
    return ToolCall(CODE, {"code": f"{call.name}({given})"})


def _turn_fields(thought: str, call: ToolCall) -> dict[str, object]:
    if call.name == CODE and set(call.args) == {"code"}:
        return {"thought": thought, "code": call.args["code"]}
    return {"thought": thought, "tool_name": call.name, "tool_args": dict(call.args)}


def _describe_tool(tool: ToolSpec) -> str:
    properties = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    lines = [f"- {tool.name}: {tool.description}"]
    if isinstance(properties, Mapping) and isinstance(required, Sequence):
        lines += [
            f"    `{name}`{'' if name in required else ' (may be left out)'}: {json.dumps(schema, ensure_ascii=False)}"
            for name, schema in properties.items()
        ]
    if "$defs" in tool.parameters:
        lines.append(f"    where $defs is {json.dumps(tool.parameters['$defs'], ensure_ascii=False)}")
    return "\n".join(lines)
