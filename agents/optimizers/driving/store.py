"""Where finished rollouts are kept, so that none is run twice."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Protocol

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


class RolloutStore:
    """Records in a file that is only added to, and that several threads and processes may write at once.

    What was put survives the death of the process (SQLite's write-ahead log); a power cut may take the last moments.
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
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS rollouts (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID"
            )
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
        with self._lock:
            row = self._connection.execute("SELECT record FROM rollouts WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, record: str) -> None:
        """Keep a record, unless there is one."""
        with self._lock:
            try:
                self._connection.execute("INSERT OR IGNORE INTO rollouts VALUES (?, ?)", (key, record))
            except sqlite3.Error as error:
                raise ConfigurationError(f"the store {self.path} can't be written: {error}") from error

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection.execute("SELECT COUNT(*) FROM rollouts").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
