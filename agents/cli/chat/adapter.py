"""How a conversation is told to a model that can chat: what it says without calling a tool is its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ...adapters.base import SUBMIT, Prompt, Turn, scaffold, with_history
from ...adapters.native import NativeAdapter
from ...adapters.values import format_value
from ...example import Example
from ...messages import Message
from ...models.base import LMResponse
from ...signature import Signature


class ConversationAdapter(NativeAdapter):
    """Native tool calls without a `submit`: a turn of text alone ends the run, and its text streams as it is written.

    For signatures of one text input (and a history) and one text output.
    """

    last_turn = "There are no turns left for tools. Answer now, as well as you can, in text."

    def format_agent(
        self,
        signature: Signature,
        demos: Sequence[Example],
        inputs: Mapping[str, Any],
        tools: Sequence[ToolSpec],
    ) -> Prompt:
        """System message, demonstrations and turns before as turns, the live message."""
        plain, turns = with_history(signature, inputs)
        system = plain.own_instructions or scaffold("conversation").template
        messages = [Message("system", system)]
        for number, demo in enumerate((*demos, *turns), 1):
            messages.append(Message("user", _said(plain, demo)))
            messages.extend(self._demo(demo, plain, f"turn_{number}"))
        messages.append(Message("user", _said(plain, inputs)))
        return Prompt(tuple(messages), tuple(tool for tool in tools if tool.name != SUBMIT))

    def read_turn(self, response: LMResponse, tools: Sequence[ToolSpec] = ()) -> Turn:
        """Calls, or the answer."""
        if response.tool_calls:
            return Turn(response.text, response.tool_calls)
        if not response.text.strip():
            return Turn(problem="it is empty. Answer in text, or call a tool.")
        return Turn("", (ToolCall(SUBMIT, {_output(tools): response.text}),))

    def reply(self, response: LMResponse) -> Message:
        """The answer as it came; one that is empty gets a word, since servers refuse a message of nothing."""
        return Message(
            "assistant", response.text or ("" if response.tool_calls else "(nothing)"), response.tool_calls
        )

    def write_turn(self, thought: str, calls: Sequence[ToolCall]) -> Message:
        """A message with its calls; the answer as plain text."""
        if len(calls) == 1 and calls[0].name == SUBMIT:
            answer = next(iter(calls[0].args.values()), "")
            return Message("assistant", format_value(answer) or "(no answer)")
        return super().write_turn(thought, calls)

    def write_results(self, results: Sequence[ToolResult]) -> tuple[Message, ...]:
        """One message for each result of a call that was really made."""
        return super().write_results([one for one in results if one.call.name != SUBMIT])


def _said(signature: Signature, values: Mapping[str, Any] | Example) -> str:
    name = next(iter(signature.input_fields))
    return format_value(values[name]) if name in values else ""


def _output(tools: Sequence[ToolSpec]) -> str:
    """The name of the one output, which `submit` would have taken."""
    spec = next(tool for tool in tools if tool.name == SUBMIT)
    properties = spec.parameters["properties"]
    return next(iter(properties)) if isinstance(properties, Mapping) else "answer"
