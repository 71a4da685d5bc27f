"""What a command is, and what it may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from ..attach import with_files
from ..chat import Chat
from ..columns import wrapped
from ..conversation import Turn


class UsageMistake(Exception):  # noqa: N818  # a person's slip, told in one line
    """A command that is not there, or that wants something else after it."""


class Reads(Protocol):
    """A person at a terminal."""

    async def read(self, default: str = "") -> str:
        """What the person types next."""

    async def ask(self, question: str, default: str = "") -> str:
        """A short answer to a question."""


@dataclass
class Desk:
    """The chat, the person who types, where there is one, and whether they want to leave."""

    chat: Chat
    person: Reads | None = None
    leaving: bool = False

    def tell(self, text: str) -> None:
        """Show text, its lines broken between words; what could steer a terminal is made visible."""
        self.print(text if self.person is None else wrapped(text))

    def print(self, text: str) -> None:
        """Show text with the lines that it has, so that it can be copied as it is."""
        self.chat.show.text(text)

    async def say(self, text: str) -> Turn:
        """Send a message, with the files that it mentions and what was attached before."""
        whole = with_files(text, self.chat.attached)
        for problem in whole.problems:
            self.chat.say_notice(problem)
        self.chat.attached = []
        return await self.chat.say(whole.message, text)

    def last_turn(self) -> Turn:
        """The last turn; raises `UsageMistake` where nothing was said yet."""
        if not self.chat.conversation.turns:
            raise UsageMistake("nothing was said yet")
        return self.chat.conversation.turns[-1]


Run = Callable[[Desk, str], Awaitable[Turn | None]]
"""Runs a command with the text after its name; returns the turn that it made, if it made one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is written, what it does, and the function that does it."""

    usage: str
    help: str
    run: Run

    @property
    def name(self) -> str:
        """The word it begins with.

        >>> Command("/fork [K]", "", None).name
        '/fork'
        """
        return self.usage.split()[0]


def counted_turn(text: str, turns: int) -> int:
    """The place of a turn, from 1, that a person wrote; raises `UsageMistake`.

    >>> counted_turn("2", 3)
    2
    """
    return counted(text, turns, "turn", "nothing was said yet")


def counted(text: str, many: int, what: str, why_none: str) -> int:
    """The place of a thing, from 1, that a person wrote; raises `UsageMistake`.

    >>> counted("3", 1, "demonstration", "/good makes one")
    Traceback (most recent call last):
    loopwright.cli.chat.commands.base.UsageMistake: '3' is no demonstration; there are 1 to 1
    """
    if not text.isdecimal() or not 1 <= int(text) <= many:
        there = f"1 to {many}" if many else f"none: {why_none}"
        raise UsageMistake(f"{text[:40]!r} is no {what}; there are {there}")
    return int(text)
