"""The journal's file: runs and their entries, in SQLite."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from ...errors import ConfigurationError
from ..private_file import open_private

VERSION = 1
BUSY_SECONDS = 10.0

Kind = Literal["model", "tool", "program"]

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, started REAL NOT NULL, status TEXT NOT NULL,
    parent TEXT, steps INTEGER
);
CREATE TABLE IF NOT EXISTS entries (
    run TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    request TEXT NOT NULL, response TEXT, began REAL NOT NULL, seconds REAL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
"""

_RUNS = (
    "SELECT id, title, started, status, COALESCE(parent, ''), COALESCE(steps, 0),"
    " (SELECT COUNT(*) FROM entries WHERE run = id AND kind = 'model'),"
    " (SELECT COUNT(*) FROM entries WHERE run = id AND kind = 'tool')"
    " FROM runs"
)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run in a journal. `parent` and `steps` are those of a fork: where it comes from, and how much it shares."""

    id: str
    title: str
    started: float
    status: str
    parent: str = ""
    steps: int = 0
    model_calls: int = 0
    tool_calls: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect of a run: `request` and `response` are JSON; `response` is None where it never ended."""

    number: int
    kind: Kind
    key: str
    request: str
    response: str | None
    seconds: float | None

    def damaged(self, run: str) -> ConfigurationError:
        """The error that says that this entry does not hold what was written."""
        return ConfigurationError(
            f"entry {self.number} of run {run!r} can't be read: the journal is damaged there. Record the run anew, or fork "
            "it before that entry"
        )


class JournalFile:
    """Runs in one file, which several processes may write at once.

    What was written survives the death of the process (SQLite's write-ahead log); a power cut may take the last
    moments. Raises `ConfigurationError` where the path holds something else or can't be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = open_private(self.path, BUSY_SECONDS)
            self._check_version()
            self._connection.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(f"{self.path} can't be used as a journal: {error}") from error

    def _check_version(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise ConfigurationError(
                f"{self.path} was written by a later loopwright (journal version {version}, this one reads {VERSION})"
            )
        tables = {
            row[0] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if tables and not tables >= {"runs", "entries"}:
            raise ConfigurationError(f"{self.path} is a database, but no journal: give another path")
        if version == 0:
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # ---- runs

    def runs(self) -> list[RunInfo]:
        """Every run, the latest first."""
        return [RunInfo(*row) for row in self._ask(f"{_RUNS} ORDER BY started DESC, id")]

    def run(self, name: str) -> RunInfo | None:
        """The run of this id."""
        _check_name(name)
        return next((RunInfo(*row) for row in self._ask(f"{_RUNS} WHERE id = ?", (name,))), None)

    def forget(self, name: str) -> None:
        """Take a run out of the file, with all that it did."""
        self._do("DELETE FROM entries WHERE run = ?", (name,))
        self._do("DELETE FROM runs WHERE id = ?", (name,))

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the disk."""
        self._do("VACUUM", ())
        self._do("PRAGMA wal_checkpoint(TRUNCATE)", ())

    def begin(self, name: str | None, title: str, *, parent: str = "", steps: int = 0) -> str:
        """A new run; returns its id. Raises `ConfigurationError` for a name that can't be one."""
        if name and self.run(name) is not None:
            raise ConfigurationError(f"{self.path} has a run {name!r} already: take another name")
        made = name or f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        shown = title.encode("utf-8", "replace").decode()
        self._do(
            "INSERT INTO runs VALUES (?, ?, ?, 'running', ?, ?)",
            (made, shown, time.time(), parent or None, steps or None),
        )
        return made

    def taken(self, run: str) -> RunLock:
        """Hold a run, so that no other process writes it; raises `ConfigurationError` where one does."""
        return RunLock(self.path, run)

    def mark(self, run: str, status: str) -> None:
        """Say how a run stands: running, done, or what ended it."""
        self._do("UPDATE runs SET status = ? WHERE id = ?", (status, run))

    def fork(self, run: str, steps: int, name: str | None = None) -> str:
        """A new run that shares the first `steps` model calls of another, and what was done between them.

        Going on with it (`Journal(path, run=...)`) repeats those from the record, and then goes its own way.
        """
        found = self.run(run)
        if found is None:
            raise ConfigurationError(f"{self.path} has no run {run!r}")
        known = self.entries(run)
        models = [entry.number for entry in known if entry.kind == "model"]
        if not 0 <= steps <= len(models):
            raise ConfigurationError(
                f"run {run!r} has {len(models)} model calls; it can't be forked at {steps}"
            )
        end = models[steps] if steps < len(models) else known[-1].number + 1 if known else 0
        made = self.begin(name, found.title, parent=run, steps=steps)
        self._do(
            "INSERT INTO entries SELECT ?, number, kind, key, request, response, began, seconds"
            " FROM entries WHERE run = ? AND number < ?",
            (made, run, end),
        )
        self.mark(made, "forked")
        return made

    # ---- entries

    def entries(self, run: str) -> list[Entry]:
        """What a run did, in order."""
        rows = self._ask(
            "SELECT number, kind, key, request, response, seconds FROM entries WHERE run = ? ORDER BY number",
            (run,),
        )
        return [Entry(*row) for row in rows]

    def began(self, run: str, number: int, kind: Kind, key: str, request: str) -> None:
        """Write that something is about to be done."""
        self._do(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, NULL, ?, NULL)",
            (run, number, kind, key, request, time.time()),
        )

    def ended(self, run: str, number: int, response: str) -> None:
        """Write what came of it."""
        self._do(
            "UPDATE entries SET response = ?, seconds = ? - began WHERE run = ? AND number = ?",
            (response, time.time(), run, number),
        )

    def _do(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._connection.execute(statement, values)
            except sqlite3.Error as error:
                raise ConfigurationError(f"the journal {self.path} can't be written: {error}") from error

    def _ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise ConfigurationError(f"the journal {self.path} can't be read: {error}") from error


class RunLock:
    """A run that this process writes. It lies in a file beside the journal, which the system frees when the process ends."""

    def __init__(self, journal: Path, run: str) -> None:
        name = hashlib.sha256(run.encode()).hexdigest()[:12]
        self._path = journal.with_name(f"{journal.name}.{name}.lock")
        try:
            self._file = self._locked()
        except BlockingIOError as error:
            raise ConfigurationError(
                f"run {run!r} of {journal} is being written by another process, or another journal of this one"
            ) from error
        except OSError as error:
            raise ConfigurationError(f"run {run!r} of {journal} can't be locked: {error}") from error

    def _locked(self) -> TextIO:
        """The file, locked; raises `OSError` where another holds it."""
        while True:
            file = self._path.open("a")
            try:
                import fcntl
            except ImportError:  # Windows: two processes on one run are not noticed there
                return file
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_ino == self._path.stat().st_ino:
                    return file
            except FileNotFoundError:
                pass  # who held it has let go of it since it was opened, and another may have a new one
            except OSError:
                file.close()
                raise
            file.close()

    def close(self) -> None:
        """Let go of the run."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def _check_name(name: object) -> None:
    if not isinstance(name, str) or any("\ud800" <= sign <= "\udfff" for sign in name):
        raise ConfigurationError(f"a run's name is text, not {name!r:.80}")


def numbered(entries: list[Entry]) -> Iterator[tuple[int, Entry]]:
    """Entries with the number of the model call that each belongs to, from 1."""
    step = 0
    for entry in entries:
        step += entry.kind == "model"
        yield step, entry
