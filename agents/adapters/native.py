"""The native adapter: tools, and the outputs, through the model's own tool calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ..errors import OutputError
from ..example import Example
from ..messages import Message
from ..models.base import LMResponse
from ..signature import Signature
from .base import (
    SUBMIT,
    Adapter,
    Prompt,
    Turn,
    demo_steps,
    list_fields,
    parse_outputs,
    scaffold,
    submit_spec,
    with_history,
    writes_code,
)
from .values import format_value

NO_CALL = f"it calls no tool. Call one, or call `{SUBMIT}` with the answer."


class NativeAdapter(Adapter):
    """Several calls a turn, results as messages of their own, the answer as a call of `submit`.

    >>> NativeAdapter().format(Signature("question -> answer"), (), {"question": "2 + 2?"}).messages[-1].content
    'question: 2 + 2?'
    """

    def format(self, signature: Signature, demos: Sequence[Example], inputs: Mapping[str, Any]) -> Prompt:
        """A prompt whose only tool is `submit`."""
        return replace(
            self._prompt("native", signature, demos, inputs, [submit_spec(signature)]), tool_choice=SUBMIT
        )

    def parse(self, signature: Signature, response: LMResponse) -> dict[str, Any]:
        """The arguments of the call of `submit`."""
        call = next((call for call in response.tool_calls if call.name == SUBMIT), None)
        if call is None:
            raise OutputError(NO_CALL, raw=response.text)
        if call.malformed:
            raise OutputError(f"the arguments of `{SUBMIT}` are no JSON object", raw=call.malformed)
        try:
            return parse_outputs(signature, call.args)
        except OutputError as error:
            error.raw = format_value(call.args)
            raise

    def format_agent(
        self,
        signature: Signature,
        demos: Sequence[Example],
        inputs: Mapping[str, Any],
        tools: Sequence[ToolSpec],
    ) -> Prompt:
        """A prompt with all tools; the model chooses."""
        name = "native_code" if writes_code(tools) else "native_agent"
        return self._prompt(name, signature, demos, inputs, tools)

    def read_turn(self, response: LMResponse, tools: Sequence[ToolSpec] = ()) -> Turn:
        """Every call of the turn, in order; the text beside them is the thought."""
        if not response.tool_calls:
            return Turn(response.text, problem=NO_CALL)
        return Turn(response.text or response.reasoning, response.tool_calls)

    def write_turn(self, thought: str, calls: Sequence[ToolCall]) -> Message:
        """An assistant's message with its calls."""
        return Message("assistant", thought, tuple(calls))

    def write_results(self, results: Sequence[ToolResult]) -> tuple[Message, ...]:
        """One message for each result."""
        return tuple(Message("tool", r.content, tool_call_id=r.call.id, name=r.call.name) for r in results)

    def complain(self, response: LMResponse, problem: str) -> tuple[Message, ...]:
        """As the result of the calls that were made, since each must be answered, else as the user."""
        if not response.tool_calls:
            return super().complain(response, problem)
        return self.write_results(
            [ToolResult.failed(call, "unparsed", f"Error: {problem}") for call in response.tool_calls]
        )

    def _prompt(
        self,
        name: str,
        signature: Signature,
        demos: Sequence[Example],
        inputs: Mapping[str, Any],
        tools: Sequence[ToolSpec],
    ) -> Prompt:
        signature, turns = with_history(signature, inputs)
        messages = [_system(name, signature)]
        for number, demo in enumerate((*demos, *turns), 1):
            messages.append(Message("user", _inputs(signature, demo)))
            messages.extend(self._demo(demo, signature, f"demo_{number}"))
        messages.append(Message("user", _inputs(signature, inputs)))
        return Prompt(tuple(messages), tuple(tools))

    def _demo(self, demo: Example, signature: Signature, prefix: str) -> list[Message]:
        messages: list[Message] = []
        count = 0
        for step in demo_steps(demo, signature):
            calls = [replace(call, id=f"{prefix}_{count + i}") for i, call in enumerate(step.calls, 1)]
            count += len(calls)
            results = [replace(r, call=c) for r, c in zip(step.results, calls, strict=False)]
            submitted = [ToolResult(c, "Submitted.") for c in calls[len(results) :]]
            messages += [self.write_turn(step.thought, calls), *self.write_results(results + submitted)]
        return messages


@lru_cache(maxsize=512)
def _system(name: str, signature: Signature) -> Message:
    text = scaffold(name).substitute(
        outputs=list_fields(signature, "output"), instructions=signature.instructions
    )
    return Message("system", text)


def _inputs(signature: Signature, values: Mapping[str, Any] | Example) -> str:
    return "\n".join(f"{n}: {format_value(values[n])}" for n in signature.input_fields if n in values)
