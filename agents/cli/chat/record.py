"""Saving as it goes: every event is written when it happens, and a full disk ends no conversation."""

from __future__ import annotations

from collections.abc import Callable

from ...text import one_line
from .events import Event, NoticeEvent, RetryEvent, TokenEvent, TurnEvent
from .store import Sessions


class Record:
    """The events of one session on their way to the file.

    Where the file can't be written, they wait, `warn` is told once, and each later event tries again.
    """

    def __init__(
        self, store: Sessions | None, session: str, number: int, warn: Callable[[str], None]
    ) -> None:
        self.store = store
        self.session = session
        self._next = number
        self._warn = warn
        self._waiting: list[tuple[int, Event]] = []
        self._failing = False
        self._titled = number > 1

    def add(self, event: Event) -> None:
        """Write an event, and those before it that could not be written."""
        if self.store is None or isinstance(event, NoticeEvent | RetryEvent):
            return
        self._waiting.append((self._next, event))
        self._next += 1
        if self._failing and isinstance(event, TokenEvent):
            return  # a disk that is full is not asked again for every word
        try:
            while self._waiting:
                self.store.append(self.session, *self._waiting[0])
                del self._waiting[0]
            if isinstance(event, TurnEvent) and not self._titled:
                self.store.entitle(self.session, one_line(event.typed or event.message, 80))
                self._titled = True
        except OSError as error:
            if not self._failing:
                self._warn(f"this session is not being saved: {error}")
            self._failing = True
        else:
            if self._failing:
                self._warn("this session is being saved again")
            self._failing = False
