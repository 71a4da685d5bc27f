"""Where sessions are kept: one SQLite file, an event a row, written as they happen."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...errors import ConfigurationError
from ...runtime.private_file import open_private
from .events import Event, read_event

if TYPE_CHECKING:
    from ...runtime.journal.file import RunLock

VERSION = 1
BUSY_SECONDS = 5.0
FOLDER_VARIABLE = "LOOPWRIGHT_CHAT"

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, started REAL NOT NULL, updated REAL NOT NULL, parent TEXT
);
CREATE TABLE IF NOT EXISTS events (
    session TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, turn INTEGER, body TEXT NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as a list shows it."""

    id: str
    title: str
    started: float
    updated: float
    parent: str
    turns: int


def default_folder() -> Path:
    """The folder that LOOPWRIGHT_CHAT names, else one among the user's data."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("loopwright", appauthor=False) / "chat"


class Sessions:
    """The sessions in a folder; everything in it is its owner's alone.

    Raises `ConfigurationError` where the folder can't be used, `OSError` where a disk is full or gone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sessions.sqlite"
        self.journal = folder / "journal.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.path.exists():
                self.path.chmod(0o600)  # before it is opened: SQLite's log beside it gets the same rights
            self._file = open_private(self.path, BUSY_SECONDS)
            version = self._file.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise ConfigurationError(f"{self.path} was written by a later loopwright")
            self._file.executescript(_TABLES)
            self._file.execute(f"PRAGMA user_version = {VERSION}")
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(f"sessions can't be kept in {folder}: {error}") from error
        self._held: RunLock | None = None

    def close(self) -> None:
        """Close the file, and let go of the session that is held."""
        self.release()
        self._file.close()

    # ---- sessions

    def begin(self, *, parent: str = "") -> str:
        """A name for a new session; it is held from its first turn on."""
        self.release()
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self._ask(
            "INSERT INTO sessions VALUES (?, '', ?, ?, ?)", (name, time.time(), time.time(), parent or None)
        )
        return name

    def hold(self, name: str) -> None:
        """Keep other chats from writing this session; raises `ConfigurationError` where one has it."""
        from ...runtime.journal.file import RunLock

        try:
            lock = RunLock(self.path, name)
        except ConfigurationError:
            raise ConfigurationError(f"session {name} is open in another chat") from None
        self.release()
        self._held = lock

    def release(self) -> None:
        """Let go of the session that is held."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def found(self, name: str) -> str:
        """The id of the one session whose id begins so; raises `ConfigurationError` that names those there are."""
        ids = [one.id for one in self.known()]
        fitting = [one for one in ids if one == name] or [one for one in ids if one.startswith(name)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise ConfigurationError(f"{name!r} may be any of {', '.join(fitting[:5])}")
        there = ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "") or "none"
        raise ConfigurationError(f"no session {name!r}; there are: {there}")

    def known(self) -> list[SessionInfo]:
        """The sessions in which something was said, the latest first."""
        rows = self._ask(
            "SELECT id, title, started, updated, COALESCE(parent, ''),"
            " (SELECT COUNT(*) FROM events WHERE session = id AND kind = 'turn')"
            " - (SELECT COUNT(*) FROM events WHERE session = id AND kind = 'undo') AS turns"
            " FROM sessions WHERE EXISTS (SELECT 1 FROM events WHERE session = id AND kind = 'turn')"
            " ORDER BY updated DESC, id DESC"
        )
        return [SessionInfo(*row) for row in rows]

    def forget(self, name: str) -> None:
        """Take a session out of the file; raises `ConfigurationError` where another chat has it open."""
        held = self._held
        self._held = None
        try:
            self.hold(name)
            self._ask("DELETE FROM events WHERE session = ?", (name,))
            self._ask("DELETE FROM sessions WHERE id = ?", (name,))
        finally:
            self.release()
            self._held = held

    def forget_empty(self, before: float) -> None:
        """Take out the sessions of before this time in which nothing was said."""
        empty = (
            "SELECT id FROM sessions WHERE updated < ?"
            " AND NOT EXISTS (SELECT 1 FROM events WHERE session = id AND kind = 'turn')"
        )
        for (name,) in self._ask(empty, (before,)):
            self._ask("DELETE FROM events WHERE session = ?", (name,))
            self._ask("DELETE FROM sessions WHERE id = ?", (name,))

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the disk."""
        self._ask("VACUUM")
        self._ask("PRAGMA wal_checkpoint(TRUNCATE)")

    # ---- events

    def append(self, session: str, number: int, event: Event) -> None:
        """Write one event. Tokens are dropped when the step that they belong to is whole: it holds them."""
        turn = getattr(event, "turn", None)
        if event.event == "turn" and self._held is None:
            self.hold(session)
        values = (session, number, event.event, turn, event.model_dump_json())
        self._ask("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)", values)
        if event.event in ("step", "end"):
            self._ask("DELETE FROM events WHERE session = ? AND turn = ? AND kind = 'token'", (session, turn))
        if event.event in ("turn", "end", "setup"):
            self._ask("UPDATE sessions SET updated = ? WHERE id = ?", (time.time(), session))

    def entitle(self, session: str, title: str) -> None:
        """Give a session its title."""
        self._ask("UPDATE sessions SET title = ? WHERE id = ?", (title, session))

    def events(self, session: str) -> Iterator[tuple[int, Event]]:
        """The events of a session with their numbers; raises `ConfigurationError` for one that can't be read."""
        for number, body in self._ask(
            "SELECT number, body FROM events WHERE session = ? ORDER BY number", (session,)
        ):
            try:
                yield number, read_event(body)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]["msg"]
                raise ConfigurationError(
                    f"event {number} of session {session} can't be read: {first}"
                ) from None

    def _ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._file.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise OSError(f"{self.path}: {error}") from error
