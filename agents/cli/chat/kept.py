"""A conversation that is shown and kept: what happens is folded into it, written, and put before the person."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...text import one_line
from .conversation import Conversation, Turn
from .events import Event, NoticeEvent, UndoEvent
from .record import Record
from .show import Show
from .store import Sessions


@dataclass
class Kept:
    """The conversation of the session that is open. Without a store nothing is written."""

    show: Show
    store: Sessions | None
    conversation: Conversation = field(default_factory=Conversation, kw_only=True)
    record: Record = field(init=False)

    def open_session(self, session: str, conversation: Conversation, number: int = 1) -> None:
        """Go on with this session; its next event has this number."""
        self.conversation = conversation
        self.record = Record(self.store, session, number, lambda text: self.say_notice(text, error=True))

    def tell(self, event: Event) -> None:
        """Something has happened: it is kept, then shown."""
        self.keep(event)
        self.show.event(event)

    def keep(self, event: Event) -> None:
        """Something has happened that the person need not be shown."""
        self.conversation = self.conversation.after(event)
        self.record.add(event)

    def say_notice(self, text: str, *, error: bool = False) -> None:
        """Tell the person something that is not part of the conversation."""
        self.show.event(NoticeEvent(text=one_line(text, 1_000), error=error))

    def is_open(self, number: int) -> bool:
        """Whether a turn has not ended yet."""
        turn = self.conversation.turn(number)
        return turn is not None and turn.end is None

    def fork(self, turns: int) -> str:
        """Go on in a new session that shares the first turns of this one; returns its id."""
        copied = self.conversation.beginning(turns)
        name = "" if self.store is None else self.store.begin(parent=self.record.session)
        self.open_session(name, Conversation())
        for event in copied:
            self.keep(event)
        return name

    def undo(self) -> Turn | None:
        """Take the last turn back; returns it."""
        if not self.conversation.turns:
            return None
        last = self.conversation.turns[-1]
        self.tell(UndoEvent(turn=last.number))
        return last
