"""The chat on a terminal: tokens as they come, whole paragraphs as Markdown, a line for each call."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from ...text import one_line, plain
from .columns import fitted
from .events import (
    AskedEvent,
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
from .markdown import rendered
from .region import Region
from .show import ANSWER, Untold, call_line, cut, end_line, is_answer, made_line, retry_line, shown_outputs

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_BLOCK = 8_000  # characters of a paragraph that is shown before it ends
_TAIL = 2_000  # characters of what is being written that are looked at for the last lines
_REFRESH = 0.04  # seconds between two looks at what is being written


class ScreenShow:
    """Shows a chat to a person. What is being written is a region at the bottom that is written over.

    rich is imported with the first turn: the first prompt does not wait for it.
    """

    def __init__(self) -> None:
        self._region: Region | None = None
        self._waiting: list[Event] | None = None
        self._written = ""  # of the answer, not yet shown for good
        self._streamed = ""
        self._shown = False  # whether a paragraph of this answer stands above
        self._thought = ""
        self._calls: dict[int, CallForm] = {}
        self._untold = Untold()
        self._asked = False
        self._retry: tuple[RetryEvent, float] | None = None  # and when it is over
        self._refreshed = 0.0
        self._later: asyncio.TimerHandle | None = None

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(highlight=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Show nothing inside, and everything after it: somebody else has the screen."""
        self.settle()
        self._waiting = []
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            for event in waiting or ():
                self.event(event)

    def event(self, event: Event) -> None:
        """Show an event."""
        if self._waiting is not None:
            self._waiting.append(event)
            return
        match event:
            case TurnEvent():
                self._streamed, self._written, self._thought, self._shown = "", "", "", False
                self._calls, self._untold = {}, Untold()
            case AskedEvent():
                self._asked, self._retry = True, None
                self._refresh()
            case RetryEvent():
                self._retry = (event, time.monotonic() + event.seconds)
                self._refresh()
                self._refresh_after(1.0)
            case TokenEvent():
                self._token(event)
            case CalledEvent():
                self._paragraphs(whole=True)
                self._asked, self._thought = False, ""
                self._calls[event.number] = event.call
                self._refresh()
            case ReturnedEvent():
                self._calls.pop(event.number, None)
                self._untold.told(event.call)
                self._call(event.call, event.result)
                self._refresh()
            case StepEvent():
                self._step(event)
            case EndEvent():
                self._end(event)
            case NoticeEvent():
                self.settle()
                self._say(plain(event.text), "red" if event.error else "dim")
            case CompactEvent():
                self.settle()
                self._say("the conversation was summarised:", "dim")
                self._markdown(cut(event.summary))

    def text(self, text: str) -> None:
        """Show what a command says."""
        self.settle()
        sys.stdout.write(plain(text) + "\n")
        sys.stdout.flush()

    def settle(self) -> None:
        """Bring everything to the screen, and leave the region at the bottom."""
        self._paragraphs(whole=True)
        if self._region is not None:
            self._region.close()
            self._region = None

    # ---- for good

    def _say(self, text: str, style: str) -> None:
        from rich.text import Text

        self._print(Text(text, style=style))

    def _print(self, text: Text, *, soft_wrap: bool = False) -> None:
        """Print for good, above the region."""
        if self._region is not None:
            self._region.fit()
        self._console.print(text, soft_wrap=soft_wrap)

    def _call(self, call: CallForm, result: ResultForm) -> None:
        from rich.text import Text

        line, came = made_line(call, result, self._console.width - 1)
        style = "green" if result.error is None else "red"
        self._print(Text(line, style="cyan").append(" ").append(came, style=style), soft_wrap=True)

    def _step(self, event: StepEvent) -> None:
        self._paragraphs(whole=True)
        for call, result in self._untold.rest(event):
            self._call(call, result)
        self._thought, self._calls = "", {}
        if not is_answer(event):
            self._streamed, self._shown = "", False

    def _end(self, event: EndEvent) -> None:
        streamed = self._streamed
        self._asked, self._thought, self._calls = False, "", {}
        self.settle()
        answer = shown_outputs(event.outputs)
        if answer.strip() and answer.strip() != streamed.strip() and event.reason != "cancelled":
            self._shown = False
            self._markdown(cut(answer))
        said = end_line(event)
        if said:
            self._say(plain(said), "yellow" if event.reason == "cancelled" or event.answered else "red")
        self._streamed, self._shown = "", False

    def _markdown(self, text: str) -> None:
        """Show Markdown, with one empty line after what is before it in the same answer."""
        from rich.text import Text

        lines = rendered(text, self._console)
        if lines.plain.strip():
            if self._shown:
                lines = Text("\n").append_text(lines)
            self._print(lines, soft_wrap=True)
            self._shown = True

    # ---- while it is written

    def _token(self, event: TokenEvent) -> None:
        if event.part == "thought":
            self._thought = (self._thought + event.text)[-_TAIL:]
        else:
            room = ANSWER - len(self._streamed)
            self._streamed += event.text
            self._written += plain(event.text[: max(room, 0)])
        self._paragraphs(whole=False)
        if time.monotonic() - self._refreshed > _REFRESH:
            self._refresh()
        else:
            self._refresh_after(_REFRESH)
            if self._later is None:
                self._refresh()

    def _refresh_after(self, seconds: float) -> None:
        if self._later is None:
            self._later = _after(seconds, self._catch_up)

    def _catch_up(self) -> None:
        """Show what came too soon after what was shown before it, and how long a model is still waited for."""
        self._later = None
        if self._region is not None and self._waiting is None:
            self._refresh()
            if self._still_waits() > 0:
                self._refresh_after(1.0)

    def _still_waits(self) -> float:
        """Seconds until the model is asked again; 0 where it is not waited for."""
        return 0.0 if self._retry is None else max(0.0, self._retry[1] - time.monotonic())

    def _paragraphs(self, *, whole: bool) -> None:
        """Show for good what is complete of what was written."""
        end = len(self._written) if whole else complete_until(self._written)
        if end:
            done, self._written = self._written[:end], self._written[end:]
            self._markdown(done)

    def _refresh(self) -> None:
        """Write the region at the bottom anew: the tail of what is being written, the calls under way."""
        if self._region is None:
            self._region = Region(self._console, self._pending)
        self._region.draw()
        self._refreshed = time.monotonic()

    def _pending(self) -> Text:
        from rich.text import Text

        width, height = self._console.width, max(3, self._console.height - 4)
        if self._calls:
            lines = [f"→ {call_line(call, width - 4)} …" for call in self._calls.values()]
            return Text("\n".join(lines[-height:]), style="cyan")
        if self._written:
            wrapped = Text(self._written[-_TAIL:]).wrap(self._console, width)
            return Text("\n").join(wrapped[-height:])
        if self._retry is not None and (left := self._still_waits()) > 0:
            return Text(fitted(f"… {retry_line(self._retry[0], left)}", width - 1), style="yellow")
        if self._thought:
            return Text(one_line(self._thought[-width:], width - 2), style="dim italic")
        return Text("…" if self._asked else "", style="dim")


def _after(seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Do something a little later; None where no event loop runs that could."""
    try:
        return asyncio.get_running_loop().call_later(seconds, work)
    except RuntimeError:
        return None


def complete_until(text: str) -> int:
    r"""How much of a text is whole paragraphs; none of it within a block of code.

    >>> complete_until("One.\n\nTwo"), complete_until("```\na\n\nb")
    (6, 0)
    """
    end = text.rfind("\n\n")
    while end >= 0:
        fences = sum(line.lstrip().startswith("```") for line in text[:end].splitlines())
        if fences % 2 == 0:
            return end + 2
        end = text.rfind("\n\n", 0, end)
    return len(text) if len(text) > _BLOCK else 0
