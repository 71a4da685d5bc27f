"""Where finished rollouts are kept, so that none is run twice."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any, Protocol

from ...errors import ConfigurationError
from ...runtime.private_file import open_private

VERSION = 1
BUSY_SECONDS = 10.0


class Store(Protocol):
    """Records by key; the first that is put under a key stays."""

    def get(self, key: str) -> str | None:
        """The record under a key; None where there is none."""

    def put(self, key: str, record: str) -> None:
        """Keep a record; it is on disk when this returns."""


class MemoryStore:
    """Records that are gone with the process.

    >>> store = MemoryStore()
    >>> store.put("k", "first")
    >>> store.put("k", "second")
    >>> store.get("k")
    'first'
    """

    def __init__(self) -> None:
        self._records: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """The record under a key."""
        return self._records.get(key)

    def put(self, key: str, record: str) -> None:
        """Keep a record."""
        self._records.setdefault(key, record)


_TABLES = """
CREATE TABLE IF NOT EXISTS rollouts (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    rollout TEXT NOT NULL, asked TEXT NOT NULL, answer TEXT NOT NULL, cached INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_rollout ON answers (rollout);
"""


class RolloutStore:
    """Records in a file, and the answers of rollouts that are under way; several threads and processes may write it.

    Records are only added. What was put survives the death of the process (SQLite's write-ahead log); a power cut may take the last moments.
    Raises `ConfigurationError` where the path holds something else or can't be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RolloutStore(Path(folder) / "runs.db")
    ...     store.put("k", "a record")
    ...     store.get("k"), len(store)
    ...     store.close()
    ('a record', 1)
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
            raise ConfigurationError(f"{self.path} can't be used as a store of rollouts: {error}") from error

    def _check_version(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise ConfigurationError(
                f"{self.path} has store version {version}, this loopwright reads {VERSION}: give another path"
            )
        found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        if found and ("rollouts",) not in found:
            raise ConfigurationError(
                f"{self.path} is a database, but no store of rollouts: give another path"
            )
        if version == 0:
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def get(self, key: str) -> str | None:
        """The record under a key."""
        row = self._do("SELECT record FROM rollouts WHERE key = ?", key)
        return str(row[0][0]) if row else None

    def put(self, key: str, record: str) -> None:
        """Keep a record, unless there is one; the answers of its rollout go."""
        self._do("INSERT OR IGNORE INTO rollouts VALUES (?, ?)", key, record)
        self._do("DELETE FROM answers WHERE rollout = ?", key)

    def answers(self, rollout: str) -> list[tuple[str, str, bool]]:
        """What models said in a rollout that has no record yet: the request's key, the answer, whether it was cached."""
        rows = self._do("SELECT asked, answer, cached FROM answers WHERE rollout = ? ORDER BY rowid", rollout)
        return [(asked, answer, bool(cached)) for asked, answer, cached in rows]

    def put_answer(self, rollout: str, asked: str, answer: str, *, cached: bool) -> None:
        """Keep an answer until the rollout's record comes."""
        self._do("INSERT INTO answers VALUES (?, ?, ?, ?)", rollout, asked, answer, cached)

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise ConfigurationError(f"the store {self.path} can't be used: {error}") from error

    def __len__(self) -> int:
        return int(self._do("SELECT COUNT(*) FROM rollouts")[0][0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
