"""A conversation: what its events come to. The live one and one read from a file are folded by the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult

from ...history import History
from ...models.base import NO_USAGE, Usage
from ...trajectory import Step, Trajectory
from .events import (
    AskedEvent,
    CalledEvent,
    CompactEvent,
    DemosEvent,
    EndEvent,
    Event,
    FixEvent,
    MarkEvent,
    ReturnedEvent,
    SetupEvent,
    StepEvent,
    TokenEvent,
    TurnEvent,
    UndoEvent,
)
from .forms import UsageForm

INTERRUPTED = "[interrupted]"
STOPPED = "interrupted: the person stopped this call; nobody knows how far it came"
NOT_BEGUN = "interrupted: the person stopped the turn before this call was made"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and what came of it. `text`, `called` and `returned` are of the step under way.

    `said` is how the agent itself ended it, where a person put the answer right.
    """

    number: int
    message: str
    typed: str = ""
    journal: str = ""
    text: str = ""
    called: tuple[CalledEvent, ...] = ()
    returned: tuple[ReturnedEvent, ...] = ()
    steps: tuple[Step, ...] = ()
    end: EndEvent | None = None
    said: EndEvent | None = None
    mark: str = ""
    why: str = ""

    @property
    def outputs(self) -> dict[str, Any]:
        """What was answered, by field."""
        return {} if self.end is None else self.end.outputs

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """Every tool call with what came of it."""
        return Trajectory(self.steps).results

    @property
    def told(self) -> bool:
        """Whether the model is told of it later: a turn of which nothing came but an error is not."""
        return self.end is not None and (bool(self.steps) or self.end.reason != "failed")

    def after(self, event: Event) -> Turn:
        """The turn after one more event of it."""
        match event:
            case AskedEvent():
                return replace(self, text="")
            case TokenEvent(part="answer"):
                return replace(self, text=self.text + event.text)
            case CalledEvent():
                return replace(self, called=(*self.called, event))
            case ReturnedEvent():
                return replace(self, returned=(*self.returned, event))
            case StepEvent():
                return replace(self, steps=(*self.steps, event.step()), text="", called=(), returned=())
            case EndEvent() if self.end is not None:
                took = {"usage": self.end.usage, "seconds": self.end.seconds}
                return replace(self, end=event.model_copy(update=took), said=self.said or self.end)
            case EndEvent():
                return replace(self, end=event)
            case FixEvent():
                return replace(self, steps=_with_call(self.steps, event))
            case MarkEvent():
                return replace(self, mark=event.mark, why=event.why)
        return self

    def cut_off(self, calls: Sequence[ToolCall] = ()) -> StepEvent | None:
        """The step that was under way when the turn was stopped, each of its calls answered; None where there was none.

        `calls` are all that the model asked for, where that is known: some may not have been made yet.
        """
        made = [one.call.call() for one in self.called]
        wanted = list(calls) or made
        if not wanted:
            return None
        results = {one.number: one.result for one in self.returned}
        left = {one.number: one for one in self.called}
        answered = []
        for call in wanted:
            number = next((n for n, one in left.items() if _same(one.call.call(), call)), None)
            if number is None:
                answered.append(ToolResult.failed(call, "cancelled", NOT_BEGUN))
                continue
            del left[number]
            known = results.get(number)
            answered.append(
                ToolResult.failed(call, "cancelled", STOPPED)
                if known is None
                else ToolResult(call, known.content, known.error, seconds=known.seconds)
            )
        return StepEvent.of(self.number, Step(self.text, tuple(wanted), tuple(answered)))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns that count, what answers them, and what all of them cost."""

    setup: SetupEvent | None = None
    turns: tuple[Turn, ...] = ()
    demos: tuple[dict[str, Any], ...] = ()
    summary: CompactEvent | None = None
    spent: Usage = NO_USAGE
    last: int = 0

    @classmethod
    def of(cls, events: Iterable[Event]) -> Conversation:
        """What these events come to."""
        made = cls()
        for event in events:
            made = made.after(event)
        return made

    def after(self, event: Event) -> Conversation:
        """The conversation after one more event."""
        match event:
            case SetupEvent():
                return replace(self, setup=event)
            case TurnEvent():
                new = Turn(event.turn, event.message, event.typed or event.message, event.journal)
                return replace(self, turns=(*self.turns, new), last=max(self.last, event.turn))
            case UndoEvent():
                left = tuple(one for one in self.turns if one.number != event.turn)
                told = self.summary is not None and event.turn <= self.summary.turn
                return replace(self, turns=left, summary=None if told else self.summary)
            case DemosEvent():
                return replace(self, demos=tuple(event.demos), spent=self.spent + event.usage.usage())
            case CompactEvent():
                return replace(self, summary=event, spent=self.spent + event.usage.usage())
        number = getattr(event, "turn", None)
        made = replace(
            self, turns=tuple(one.after(event) if one.number == number else one for one in self.turns)
        )
        return replace(made, spent=made.spent + event.usage.usage()) if isinstance(event, EndEvent) else made

    @property
    def title(self) -> str:
        """What it is about: its first message."""
        return self.turns[0].typed if self.turns else ""

    def turn(self, number: int) -> Turn | None:
        """The turn of this number."""
        return next((one for one in self.turns if one.number == number), None)

    def beginning(self, turns: int) -> list[Event]:
        """The events that make a conversation of the first turns alone; what they cost stays with this one."""
        kept = self.turns[:turns]
        events: list[Event] = [self.setup] if self.setup else []
        events += [DemosEvent(demos=list(self.demos))] if self.demos else []
        for turn in kept:
            events.append(
                TurnEvent(turn=turn.number, message=turn.message, typed=turn.typed, journal=turn.journal)
            )
            events += [StepEvent.of(turn.number, step) for step in turn.steps]
            if turn.end is not None:
                events.append(turn.end.model_copy(update={"usage": UsageForm()}))
        if self.summary is not None and kept and self.summary.turn <= kept[-1].number:
            events.append(self.summary.model_copy(update={"usage": UsageForm()}))
        return events

    def history(self, question: str, outputs: Sequence[str]) -> History:
        """What the model is told of the turns before: those that count, or a summary and those after it."""
        told = [turn for turn in self.turns if turn.told]
        turns: list[dict[str, Any]] = []
        if self.summary is not None:
            told = [turn for turn in told if turn.number > self.summary.turn]
            asked = "Summarise what we have said until now."
            turns.append({question: asked, outputs[0]: self.summary.summary})
        return History([*turns, *(_told(turn, question, outputs) for turn in told)])


def _with_call(steps: tuple[Step, ...], event: FixEvent) -> tuple[Step, ...]:
    """The steps with one call, and its result, in the place of another."""
    step = steps[event.step]
    call = event.call.call()
    calls, results = list(step.calls), list(step.results)
    calls[event.place] = call
    results[event.place] = ToolResult(
        call, event.result.content, event.result.error, seconds=event.result.seconds
    )
    changed = replace(step, calls=tuple(calls), results=tuple(results))
    return (*steps[: event.step], changed, *steps[event.step + 1 :])


def _same(one: ToolCall, other: ToolCall) -> bool:
    """Whether two are one call; a person may have changed the arguments of a call that has an id."""
    return one.id == other.id if one.id and other.id else one == other


def _told(turn: Turn, question: str, outputs: Sequence[str]) -> dict[str, Any]:
    answered = {name: turn.outputs[name] for name in outputs if turn.outputs.get(name) is not None}
    if not answered:
        reason = turn.end.reason if turn.end else "cancelled"
        answered = {outputs[0]: f"(no answer: {reason})"}
    return {question: turn.message, **answered, "trajectory": Trajectory(turn.steps)}
