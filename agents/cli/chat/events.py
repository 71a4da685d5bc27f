"""What happens in a chat, as events: saved one by one, shown as they come, and printed by `--json`, one a line."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, TypeAdapter

from ...trajectory import Step
from .forms import CallForm, Form, InnerForm, ResultForm, UsageForm, read_result, result_form


class SetupEvent(Form):
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


class TurnEvent(Form):
    """A person's message: a turn begins. `message` is what the model gets, `typed` what was typed."""

    event: Literal["turn"] = "turn"
    turn: int
    message: str
    typed: str = ""
    journal: str = Field(default="", description="the run's name in the journal")


class AskedEvent(Form):
    """The model is asked."""

    event: Literal["model"] = "model"
    turn: int
    model: str


class TokenEvent(Form):
    """A piece of what the model writes: of its answer, or of a thought before it."""

    event: Literal["token"] = "token"
    turn: int
    text: str
    part: Literal["answer", "thought"] = "answer"


class RetryEvent(Form):
    """The model failed in a way that may pass, as where a server is busy, and is asked again; this is not saved."""

    event: Literal["retry"] = "retry"
    turn: int
    seconds: float
    reason: str


class CalledEvent(Form):
    """A tool is called; `number` counts the calls of a turn from 1."""

    event: Literal["call"] = "call"
    turn: int
    number: int
    call: CallForm


class ReturnedEvent(Form):
    """A tool call is done."""

    event: Literal["result"] = "result"
    turn: int
    number: int
    call: CallForm
    result: ResultForm


class StepEvent(Form):
    """A step is whole: every call of it has a result, those that were refused before they ran as well."""

    event: Literal["step"] = "step"
    turn: int
    thought: str = ""
    calls: list[CallForm] = Field(default=[])
    results: list[ResultForm] = Field(default=[])
    inner: list[InnerForm] = Field(default=[])
    seconds: float = 0.0

    @classmethod
    def of(cls, turn: int, step: Step) -> Self:
        """The event of a step."""
        return cls(
            turn=turn,
            thought=step.thought,
            calls=[CallForm.of(call) for call in step.calls],
            results=[result_form(result) for result in step.results],
            inner=[InnerForm(call=CallForm.of(one.call), result=result_form(one)) for one in step.inner],
            seconds=step.seconds,
        )

    def step(self) -> Step:
        """The step again."""
        calls = tuple(call.call() for call in self.calls)
        results = tuple(read_result(call, found) for call, found in zip(calls, self.results, strict=False))
        inner = tuple(read_result(one.call.call(), one.result) for one in self.inner)
        return Step(self.thought, calls, results, self.seconds, inner)


class EndEvent(Form):
    """A turn has ended. `reason` is an agent's termination reason; "answered" of a module without steps;
    "failed" where an error ended it.
    """

    event: Literal["end"] = "end"
    turn: int
    outputs: dict[str, Any] = Field(default={})
    reason: str
    error: str = ""
    usage: UsageForm = UsageForm()
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        """Whether there is an answer, and nothing cut it short."""
        return self.reason in ("submit", "forced_submit", "answered")


class UndoEvent(Form):
    """A turn is taken back: the model is not told of it any more."""

    event: Literal["undo"] = "undo"
    turn: int


class MarkEvent(Form):
    """What a person says of a turn."""

    event: Literal["mark"] = "mark"
    turn: int
    mark: Literal["good", "bad", "fixed"]
    why: str = ""


class FixEvent(Form):
    """A person had a call made anew with other arguments; `step` and `place` count from 0."""

    event: Literal["fix"] = "fix"
    turn: int
    step: int
    place: int
    call: CallForm
    result: ResultForm


class DemosEvent(Form):
    """The demonstrations from here on, in the form of a saved program."""

    event: Literal["demos"] = "demos"
    demos: list[dict[str, Any]]
    usage: UsageForm = Field(default=UsageForm(), description="what finding them cost")


class CompactEvent(Form):
    """All turns until now are told to the model as this summary alone."""

    event: Literal["compact"] = "compact"
    turn: int
    summary: str
    usage: UsageForm = UsageForm()


class NoticeEvent(Form):
    """Something for the person, which is not saved."""

    event: Literal["notice"] = "notice"
    text: str
    error: bool = False


Event: TypeAlias = Annotated[
    SetupEvent
    | TurnEvent
    | AskedEvent
    | TokenEvent
    | RetryEvent
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
