"""What an adapter does: a signature with its inputs to messages, and a model's answer to values.

An adapter is pure: it calls nothing and remembers nothing. There are two ways to tell a model about
tools, its own native calls and markers in text; both serve the same agent loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import count
from pathlib import Path
from string import Template
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ..errors import InputError, OutputError, SignatureError
from ..example import Example
from ..history import History
from ..messages import Message
from ..models.base import LMResponse
from ..signature import Field, FieldKind, Signature
from ..trajectory import Step, Trajectory
from .annotations import describe_type, outputs_schema
from .values import MAX_DEPTH, is_deeper_than, parse_value, to_plain

SUBMIT = "submit"
CODE = "python"  # the one tool of an agent whose action is code: `python(code)`
PROMPTS = Path(__file__).parent.parent / "prompts"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is shown: messages, tools it may call, and the form its text must have."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    response_format: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an agent, as read from a model's answer.

    `problem` says what could not be read, for the model to mend; `calls` is empty then.
    """

    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    problem: str = ""


class Adapter(ABC):
    """Between signatures and models. Subclasses: `ChatAdapter`, `JSONAdapter`, `NativeAdapter`.

    `last_turn` asks an agent that may take no further step for its answer. Where `format_agent` leaves `submit` out of
    the tools, `read_turn` says when the run ends: with a turn that calls it all the same.
    """

    last_turn: str = f"There are no turns left. Call `{SUBMIT}` now, with the best answer you can give."

    @abstractmethod
    def format(self, signature: Signature, demos: Sequence[Example], inputs: Mapping[str, Any]) -> Prompt:
        """The prompt of one plain call: instructions, demonstrations, inputs."""

    @abstractmethod
    def parse(self, signature: Signature, response: LMResponse) -> dict[str, Any]:
        """The outputs in an answer; raises `OutputError` that says what did not fit."""

    @abstractmethod
    def format_agent(
        self,
        signature: Signature,
        demos: Sequence[Example],
        inputs: Mapping[str, Any],
        tools: Sequence[ToolSpec],
    ) -> Prompt:
        """The prompt that opens an agent's run; `tools` includes `submit`."""

    @abstractmethod
    def read_turn(self, response: LMResponse, tools: Sequence[ToolSpec] = ()) -> Turn:
        """The thought and the calls in an agent's turn; `tools` are those of `format_agent`."""

    @abstractmethod
    def write_results(self, results: Sequence[ToolResult]) -> tuple[Message, ...]:
        """The observations, as messages that follow the turn they answer."""

    @abstractmethod
    def write_turn(self, thought: str, calls: Sequence[ToolCall]) -> Message:
        """A turn as the model would have written it: how demonstrations are shown."""

    def reply(self, response: LMResponse) -> Message:
        """The model's answer as the message that stays in the conversation, unchanged.

        An answer of nothing is said to be one: several providers refuse a conversation with an empty message in it.
        """
        return Message("assistant", said(response.text, response.tool_calls), response.tool_calls)

    def complain(self, response: LMResponse, problem: str) -> tuple[Message, ...]:
        """Tell the model that its answer can't be used, and why."""
        return (Message("user", f"This answer can't be used: {problem}"),)


def said(text: str, calls: Sequence[ToolCall] = ()) -> str:
    """The text of an answer, or that there was none.

    >>> said("  "), said("4")
    ('(an empty answer)', '4')
    """
    return text if calls or text.strip() else "(an empty answer)"


def with_history(signature: Signature, inputs: Mapping[str, Any]) -> tuple[Signature, tuple[Example, ...]]:
    """The signature without its histories, and the turns that are in them, each an example of what is left.

    >>> from loopwright.history import History
    >>> told = History([{"question": "2 + 2?", "answer": "4"}])
    >>> with_history(Signature("question, before: History -> answer"), {"question": "And 3?", "before": told})
    (Signature('question -> answer', 'Given `question`, produce `answer`.'), (Example(question='2 + 2?', answer='4'),))
    """
    names = _history_names(signature)
    if not names:
        return signature, ()
    left = _without_fields(signature, names)
    turns: list[Example] = []
    for name in names:
        given = inputs.get(name)
        if given is None:
            continue
        if not isinstance(given, History):
            raise InputError(f"`{name}` must be a History, as in History(messages=[...]), not {given!r:.60}")
        turns += given.examples(left.input_fields, left.output_fields)
    return left, tuple(turns)


@lru_cache(maxsize=512)
def _history_names(signature: Signature) -> tuple[str, ...]:
    kinds = (History, History | None)
    return tuple(name for name, field in signature.input_fields.items() if field.type in kinds)


@lru_cache(maxsize=512)
def _without_fields(signature: Signature, names: tuple[str, ...]) -> Signature:
    for name in names:
        signature = signature.delete(name)
    return signature


def with_sound_calls(response: LMResponse, taken: set[str]) -> LMResponse:
    """The answer with calls that can be answered and sent again.

    Each has an id of its own, which its result will name (`taken` grows by them), and no arguments that were cut
    off, or are nested beyond all sense, which nothing could write as JSON.

    >>> calls = (ToolCall("now"), ToolCall("now", id="a"))
    >>> [call.id for call in with_sound_calls(LMResponse("", calls), {"a"}).tool_calls]
    ['call_1', 'call_2']
    """
    if not response.tool_calls:
        return response
    calls: list[ToolCall] = []
    for call in response.tool_calls:
        if not call.id or call.id in taken:
            fresh = next(f"call_{n}" for n in count(len(taken)) if f"call_{n}" not in taken)
            call = ToolCall(call.name, call.args, fresh, call.malformed)
        if is_deeper_than(MAX_DEPTH, dict(call.args)):
            call = replace(call, args={}, malformed=f"(nested more than {MAX_DEPTH} levels deep)")
        if call.malformed and response.finish_reason == "length":
            call = replace(call, malformed="(cut off at max_tokens)")  # mended, the half would look whole
        taken.add(call.id)
        calls.append(call)
    unchanged = all(new is old for new, old in zip(calls, response.tool_calls, strict=True))
    return response if unchanged else replace(response, tool_calls=tuple(calls))


def writes_code(tools: Sequence[ToolSpec]) -> bool:
    """Whether an agent with these tools acts by writing programs."""
    others = [tool for tool in tools if tool.name != SUBMIT]
    return [tool.name for tool in others] == [CODE] and others[0].parameters.get("required") == ["code"]


def submit_spec(signature: Signature) -> ToolSpec:
    """The tool that ends a run: its parameters are the signature's outputs.

    >>> submit_spec(Signature("question -> answer: float")).parameters["properties"]
    {'answer': {'type': 'number'}}
    """
    return ToolSpec(SUBMIT, "Give the final answer and end.", outputs_schema(signature))


def parse_outputs(
    signature: Signature,
    given: Mapping[str, Any],
    parse: Callable[[Any, Field], Any] = parse_value,
) -> dict[str, Any]:
    """Check a mapping of raw outputs against the signature; raises `OutputError`."""
    values: dict[str, Any] = {}
    for name, output in signature.output_fields.items():
        if name not in given:
            found = ", ".join(f"`{str(key)[:40]}`" for key in list(given)[:20]) or "none"
            raise OutputError(f"the output `{name}` is missing (found: {found})", field=name)
        try:
            values[name] = parse(given[name], output)
        except SignatureError:
            raise
        except ValueError as error:
            raise OutputError(str(error), field=name) from error
    return values


def demo_steps(demo: Example, signature: Signature) -> tuple[Step, ...]:
    """A demonstration as an agent's steps: its trajectory, then the turn that submits its outputs."""
    trajectory = demo.get("trajectory")
    steps = trajectory.steps if isinstance(trajectory, Trajectory) else ()
    before = [step for step in steps if step.calls and all(call.name != SUBMIT for call in step.calls)]
    if before and before[-1] is steps[-1] and before[-1].calls[-1].name == CODE and not before[-1].failed:
        return tuple(before)  # its last program gave the answer
    outputs = {name: to_plain(demo[name]) for name in signature.output_fields if name in demo}
    thought = "" if "reasoning" in outputs else str(demo.get("reasoning", ""))
    return (*before, Step(thought, (ToolCall(SUBMIT, outputs),), ()))


@lru_cache(maxsize=512)
def list_fields(signature: Signature, kind: FieldKind) -> str:
    """A signature's inputs or outputs as a list for a prompt: name, what it holds, description.

    >>> print(list_fields(Signature("question -> n: int"), "output"))
    - `n`: a whole number
    """
    return "\n".join(
        f"- `{name}`: {describe_type(field)}" + (f". {field.desc}" if field.desc else "")
        for name, field in signature.fields.items()
        if field.kind == kind
    )


@cache
def scaffold(name: str) -> Template:
    """A prompt's fixed text, from `prompts/NAME.md`."""
    return Template((PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip())
