"""How a chat is shown. The plain form is for pipes and files, for NO_COLOR and for terminals that can do little."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from math import ceil
from typing import Any, Protocol, TextIO

from ...adapters.base import SUBMIT
from ...adapters.values import format_value
from ...text import one_line, plain
from ..options import json_text
from .columns import fitted, terminal_width, wide, wrapped
from .events import (
    CalledEvent,
    CompactEvent,
    EndEvent,
    Event,
    NoticeEvent,
    RetryEvent,
    ReturnedEvent,
    StepEvent,
    TokenEvent,
    TurnEvent,
)
from .forms import CallForm, ResultForm

CALL = 200  # characters of a call on its line
REASON = 200  # characters of what was wrong with it
ANSWER = 50_000  # characters of an answer that are shown
WORTH_A_LINE = 2.0  # seconds that a model is waited for, from which on a line that stays says so


class Show(Protocol):
    """Shows what happens."""

    def event(self, event: Event) -> None:
        """Something has happened."""

    def text(self, text: str) -> None:
        """What a command has to say; it may be of several lines."""

    def settle(self) -> None:
        """Bring everything to the screen: somebody else is about to write to it."""

    def held(self) -> AbstractContextManager[None]:
        """Leave the screen to somebody else inside, where that makes a difference."""


def call_line(call: CallForm, width: int = CALL) -> str:
    """A call as one harmless line.

    >>> call_line(CallForm(name="get_order", args={"order_id": 17}))
    'get_order(order_id=17)'
    """
    return fitted(str(call.call()), max(width, 12))


def result_line(result: ResultForm, width: int = REASON) -> str:
    """What came of a call: a tick and how long it took, or what was wrong.

    >>> result_line(ResultForm(content="shipped", seconds=0.42))
    '✓ 0.4 s'
    """
    if result.error is None:
        return f"✓ {result.seconds:.1f} s"
    return f"✗ {fitted(result.content.removeprefix('Error: '), max(width - 2, 10))}"


def made_line(call: CallForm, result: ResultForm, width: int = CALL + REASON) -> tuple[str, str]:
    """A call and what came of it, which fit on one line of this width together.

    >>> made_line(CallForm(name="get_order", args={"order_id": 17}), ResultForm(content="shipped", seconds=0.42))
    ('→ get_order(order_id=17)', '✓ 0.4 s')
    """
    made = wide(call_line(call)) + 2
    came = result_line(result, min(max(width // 2, width - made - 1), REASON))
    return f"→ {call_line(call, width - wide(came) - 3)}", came


def shown_outputs(outputs: dict[str, Any]) -> str:
    """An answer as text; the fields are named where there are several."""
    several = len(outputs) > 1
    parts = [
        f"{name}: {format_value(value)}" if several else format_value(value)
        for name, value in outputs.items()
        if value is not None
    ]
    return "\n".join(parts)


def cut(text: str, limit: int = ANSWER) -> str:
    """Text made harmless and held to a length.

    >>> cut("abcdef", 4)
    'abcd… (2 more characters)'
    """
    return plain(text[:limit]) + (f"… ({len(text) - limit:,} more characters)" if len(text) > limit else "")


def retry_line(event: RetryEvent, seconds: float) -> str:
    """That a model is asked again, and why.

    >>> retry_line(RetryEvent(turn=1, seconds=5, reason="the server is busy"), 4.2)
    'asked again in 5 s: the server is busy'
    """
    return f"asked again in {max(1, ceil(seconds))} s: {event.reason}"


def end_line(event: EndEvent) -> str:
    """What is to be said of a turn that gave no answer, or not a free one; "" for all others."""
    if event.reason == "cancelled":
        return "interrupted: what came until now is kept"
    if event.reason == "forced_submit":
        return "this answer was forced: a limit left no further step"
    if event.answered:
        return ""
    problem = f": {one_line(event.error, 400)}" if event.error else ""
    return (
        f"error{problem}"
        if event.reason in ("failed", "lm_error")
        else f"no answer: the run ended with {event.reason}{problem}"
    )


class PlainShow:
    """Text as it comes, without colour and without a word that is taken back; notices go to `err`."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None, *, echo: bool = False) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._echo = echo
        self._streamed = ""
        self._untold = Untold()
        self._open_line = False

    def event(self, event: Event) -> None:
        """Show an event."""
        match event:
            case TurnEvent():
                self._streamed = ""
                self._untold = Untold()
                if self._echo:
                    self._line(f"> {plain(event.typed or event.message)}")
            case TokenEvent(part="answer"):
                self._stream(event.text)
            case ReturnedEvent():
                self._call(event.call, event.result)
                self._untold.told(event.call)
            case StepEvent():
                self._refused(event)
                self._streamed = self._streamed if is_answer(event) else ""
            case EndEvent():
                self._end(event)
            case NoticeEvent():
                self._note(event.text)
            case CompactEvent():
                self._line("the conversation was summarised:")
                self._line(cut(event.summary))
            case RetryEvent() if event.seconds >= WORTH_A_LINE:
                self._note(retry_line(event, event.seconds))
            case CalledEvent():
                self.settle()

    def text(self, text: str) -> None:
        """Show what a command says."""
        self._line(plain(text))

    def settle(self) -> None:
        """End the line that is under way."""
        if self._open_line:
            self._write("\n")

    def held(self) -> AbstractContextManager[None]:
        """Lines from two sides do no harm."""
        self.settle()
        return nullcontext()

    def _stream(self, text: str) -> None:
        room = ANSWER - len(self._streamed)
        self._streamed += text
        if room > 0:
            self._write(plain(text[:room]))

    def _refused(self, event: StepEvent) -> None:
        for call, result in self._untold.rest(event):
            self._call(call, result)

    def _end(self, event: EndEvent) -> None:
        answer = shown_outputs(event.outputs)
        if answer.strip() and answer.strip() != self._streamed.strip() and event.reason != "cancelled":
            self._line(cut(answer))
        self.settle()
        said = end_line(event)
        if said:
            self._note(said)
        self._streamed = ""

    def _call(self, call: CallForm, result: ResultForm) -> None:
        width = terminal_width() if self._out.isatty() else CALL + REASON
        self._line(" ".join(made_line(call, result, width)))

    def _note(self, text: str) -> None:
        """Say something beside the conversation."""
        self.settle()
        told = plain(text)
        print(wrapped(told) if self._err.isatty() else told, file=self._err, flush=True)

    def _line(self, text: str) -> None:
        self.settle()
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
        self._open_line = not text.endswith("\n") if text else self._open_line


def is_answer(event: StepEvent) -> bool:
    """Whether a step is nothing but the answer."""
    return [call.name for call in event.calls] == [SUBMIT]


class Untold:
    """Finds the calls of a step that were answered without being made: they are told of only when the step is whole."""

    def __init__(self) -> None:
        self._told: list[CallForm] = []

    def told(self, call: CallForm) -> None:
        """A call was shown."""
        self._told.append(call)

    def rest(self, event: StepEvent) -> Iterator[tuple[CallForm, ResultForm]]:
        """The calls of a whole step that were not shown."""
        told, self._told = self._told, []
        for call, result in zip(event.calls, event.results, strict=False):
            known = next((one for one in told if one == call or (call.id and one.id == call.id)), None)
            if known is not None:
                told.remove(known)
            elif call.name != SUBMIT or result.error is not None:
                yield call, result


class JsonShow:
    """One event a line, as JSON."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def event(self, event: Event) -> None:
        """Write the event."""
        self._out.write(json_text(event.model_dump(mode="json")) + "\n")
        self._out.flush()

    def text(self, text: str) -> None:
        """What a command says is a notice."""
        self.event(NoticeEvent(text=text))

    def settle(self) -> None:
        """Every line is whole."""

    def held(self) -> AbstractContextManager[None]:
        """Nobody is asked anything."""
        return nullcontext()


class AnswerShow:
    """The answers alone, and on the other stream what a person has to know beside them."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def event(self, event: Event) -> None:
        """Show an answer, or what went wrong."""
        if isinstance(event, EndEvent):
            answer = shown_outputs(event.outputs)
            if event.answered and answer:
                self._out.write(plain(answer) + "\n")
                self._out.flush()
            said = end_line(event)
            if said:
                print(said, file=self._err, flush=True)
        elif isinstance(event, NoticeEvent):
            print(plain(event.text), file=self._err, flush=True)
        elif isinstance(event, RetryEvent) and event.seconds >= WORTH_A_LINE:
            print(plain(retry_line(event, event.seconds)), file=self._err, flush=True)

    def text(self, text: str) -> None:
        """Show what a command says."""
        self._out.write(plain(text) + "\n")
        self._out.flush()

    def settle(self) -> None:
        """Every line is whole."""

    def held(self) -> AbstractContextManager[None]:
        """Nobody is asked anything."""
        return nullcontext()
