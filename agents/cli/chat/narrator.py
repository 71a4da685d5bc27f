"""A program's events as the chat's: which turn they belong to, which call a result answers, what is worth showing."""

from __future__ import annotations

from ... import streaming
from ...text import one_line
from .events import AskedEvent, CalledEvent, Event, RetryEvent, ReturnedEvent, StepEvent, TokenEvent
from .forms import CallForm, ResultForm

_THOUGHTS = ("thought", "reasoning")
_FORM = ("tool_name", "tool_args", "code")  # fields of a text adapter's turn that are told of as calls


class Narrator:
    """Tells of one turn. `converses` says that text outside of any field is the answer, and no thought."""

    def __init__(self, turn: int, *, converses: bool) -> None:
        self._turn = turn
        self._converses = converses
        self._calls = 0
        self._open: list[tuple[int, CallForm]] = []

    def told(self, event: streaming.Event) -> Event | None:
        """The chat's event, where there is one."""
        match event:
            case streaming.TurnEvent():
                return AskedEvent(turn=self._turn, model=event.model)
            case streaming.TokenEvent():
                return self._token(event)
            case streaming.RetryEvent():
                seconds = round(event.seconds, 3)
                return RetryEvent(turn=self._turn, seconds=seconds, reason=one_line(event.reason, 300))
            case streaming.ToolCallEvent():
                self._calls += 1
                self._open.append((self._calls, CallForm.of(event.call)))
                return CalledEvent(turn=self._turn, number=self._calls, call=self._open[-1][1])
            case streaming.ToolResultEvent():
                return self._returned(event)
            case streaming.StepEvent():
                return StepEvent.of(self._turn, event.step)
        return None

    def _returned(self, event: streaming.ToolResultEvent) -> ReturnedEvent:
        call, result = CallForm.of(event.result.call), event.result
        found = next((one for one in self._open if one[1] == call), self._open[0] if self._open else None)
        if found is not None:
            self._open.remove(found)
        seconds = round(result.seconds, 4)
        form = ResultForm(content=result.content, error=result.error, seconds=seconds)
        return ReturnedEvent(turn=self._turn, number=found[0] if found else 0, call=call, result=form)

    def _token(self, event: streaming.TokenEvent) -> TokenEvent | None:
        if event.field in _FORM:
            return None
        thought = event.field in _THOUGHTS or (event.field == "" and not self._converses)
        return TokenEvent(turn=self._turn, text=event.text, part="thought" if thought else "answer")
