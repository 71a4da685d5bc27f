"""SQLite files that hold what was said to models: their owner's alone, and whole after any crash."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


def open_private(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """A file in write-ahead mode that several threads may use in turn; what is new is made with the rights 0600.

    The file is there before SQLite writes, since SQLite's log beside it gets the same rights. What was written survives
    the death of the process; a power cut may take the last moments. Raises `sqlite3.Error` or `OSError`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = open_private(Path(folder) / "a.db", 1.0)
    ...     oct((Path(folder) / "a.db").stat().st_mode & 0o777), file.execute("PRAGMA journal_mode").fetchone()
    ...     file.close()
    ('0o600', ('wal',))
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
