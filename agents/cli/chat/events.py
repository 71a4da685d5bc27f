"""What happens in a chat, as events: saved one by one, shown as they come, and printed by `--json`, one a line."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from loopwright.tools.calls import ErrorKind, ToolCall, ToolResult

from ...adapters.values import to_plain
from ...models.base import Usage
from ...trajectory import Step

_HALVES = re.compile(r"[\ud800-\udfff]")


class _Form(BaseModel):
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


class CallForm(_Form):
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


class ResultForm(_Form):
    """What came of a call: the text that the model reads."""

    content: str
    error: ErrorKind | None = None
    seconds: float = 0.0


class InnerForm(_Form):
    """A call that a program made, with its result."""

    call: CallForm
    result: ResultForm


class UsageForm(_Form):
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


class SetupEvent(_Form):
    """What answers: a model, a module, its tools. Said first, and whenever it changes."""

    event: Literal["setup"] = "setup"
    model: str
    api_base: str | None = None
    options: dict[str, Any] = Field(default={}, description="the model's: temperature and so on")
    module: Literal["react", "code_act", "program_of_thought", "chain_of_thought", "predict"] = "react"
    signature: str = "question -> answer"
    system: str = ""
    tools: str = ""
    program: str | None = None
    max_steps: int = 20


class TurnEvent(_Form):
    """A person's message: a turn begins. `message` is what the model gets, `typed` what was typed."""

    event: Literal["turn"] = "turn"
    turn: int
    message: str
    typed: str = ""
    journal: str = Field(default="", description="the run's name in the journal")


class AskedEvent(_Form):
    """The model is asked."""

    event: Literal["model"] = "model"
    turn: int
    model: str


class TokenEvent(_Form):
    """A piece of what the model writes: of its answer, or of a thought before it."""

    event: Literal["token"] = "token"
    turn: int
    text: str
    part: Literal["answer", "thought"] = "answer"


class CalledEvent(_Form):
    """A tool is called; `number` counts the calls of a turn from 1."""

    event: Literal["call"] = "call"
    turn: int
    number: int
    call: CallForm


class ReturnedEvent(_Form):
    """A tool call is done."""

    event: Literal["result"] = "result"
    turn: int
    number: int
    call: CallForm
    result: ResultForm


class StepEvent(_Form):
    """A step is whole: every call of it has a result, those that were refused before they ran as well."""

    event: Literal["step"] = "step"
    turn: int
    thought: str = ""
    calls: list[CallForm] = []
    results: list[ResultForm] = []
    inner: list[InnerForm] = []
    seconds: float = 0.0

    @classmethod
    def of(cls, turn: int, step: Step) -> Self:
        """The event of a step."""
        return cls(
            turn=turn,
            thought=step.thought,
            calls=[CallForm.of(call) for call in step.calls],
            results=[_result(result) for result in step.results],
            inner=[InnerForm(call=CallForm.of(one.call), result=_result(one)) for one in step.inner],
            seconds=step.seconds,
        )

    def step(self) -> Step:
        """The step again."""
        calls = tuple(call.call() for call in self.calls)
        results = tuple(_read(call, found) for call, found in zip(calls, self.results, strict=False))
        inner = tuple(_read(one.call.call(), one.result) for one in self.inner)
        return Step(self.thought, calls, results, self.seconds, inner)


class EndEvent(_Form):
    """A turn has ended. `reason` is an agent's termination reason; "answered" of a module without steps;
    "failed" where an error ended it.
    """

    event: Literal["end"] = "end"
    turn: int
    outputs: dict[str, Any] = {}
    reason: str
    error: str = ""
    usage: UsageForm = UsageForm()
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        """Whether there is an answer, and nothing cut it short."""
        return self.reason in ("submit", "forced_submit", "answered")


class UndoEvent(_Form):
    """A turn is taken back: the model is not told of it any more."""

    event: Literal["undo"] = "undo"
    turn: int


class MarkEvent(_Form):
    """What a person says of a turn."""

    event: Literal["mark"] = "mark"
    turn: int
    mark: Literal["good", "bad", "fixed"]
    why: str = ""


class FixEvent(_Form):
    """A person had a call made anew with other arguments; `step` and `place` count from 0."""

    event: Literal["fix"] = "fix"
    turn: int
    step: int
    place: int
    call: CallForm
    result: ResultForm


class DemosEvent(_Form):
    """The demonstrations from here on, in the form of a saved program."""

    event: Literal["demos"] = "demos"
    demos: list[dict[str, Any]]
    usage: UsageForm = Field(default=UsageForm(), description="what finding them cost")


class CompactEvent(_Form):
    """All turns until now are told to the model as this summary alone."""

    event: Literal["compact"] = "compact"
    turn: int
    summary: str
    usage: UsageForm = UsageForm()


class NoticeEvent(_Form):
    """Something for the person, which is not saved."""

    event: Literal["notice"] = "notice"
    text: str
    error: bool = False


Event: TypeAlias = Annotated[
    SetupEvent
    | TurnEvent
    | AskedEvent
    | TokenEvent
    | CalledEvent
    | ReturnedEvent
    | StepEvent
    | EndEvent
    | UndoEvent
    | MarkEvent
    | FixEvent
    | DemosEvent
    | CompactEvent
    | NoticeEvent,
    Field(discriminator="event"),
]


def read_event(text: str) -> Event:
    """An event from its JSON; raises pydantic's ValidationError.

    >>> read_event('{"event": "undo", "turn": 2}')
    UndoEvent(event='undo', turn=2)
    """
    event: Event = _reader().validate_json(text)
    return event


@cache
def _reader() -> TypeAdapter[Any]:
    return TypeAdapter(Event)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of `loopwright chat --json`."""
    schema = _reader().json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "loopwright chat --json",
        **schema,
    }


def plain_args(call: ToolCall) -> dict[str, Any]:
    """A call's arguments as JSON's own types."""
    args = to_plain(dict(call.args))
    return args if isinstance(args, dict) else {}


def _result(result: ToolResult) -> ResultForm:
    return ResultForm(content=result.content, error=result.error, seconds=round(result.seconds, 4))


def _read(call: ToolCall, found: ResultForm) -> ToolResult:
    return ToolResult(call, found.content, found.error, seconds=found.seconds)
