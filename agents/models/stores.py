"""Where answers are kept: in memory, on disk, or in memory before the disk.

A store that fails is no reason for a program to fail: a broken, full or read-only disk is warned of
once, and the answers are asked for again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from loopwright.tools.calls import ToolCall

from ..errors import ConfigurationError
from .base import LMResponse, Usage

GIBIBYTE = 2**30
UNBOUNDED = 2**62
BUSY_SECONDS = 2.0
PUTS_BETWEEN_PRUNES = 256


class Store(Protocol):
    """Answers by key. Safe to use from several threads at once; a put that fails is no error."""

    def get(self, key: str) -> LMResponse | None:
        """The answer kept under the key."""

    def put(self, key: str, response: LMResponse) -> None:
        """Keep an answer under the key."""


class MemoryStore:
    """Keeps the answers used last, as long as the process lives.

    >>> store = MemoryStore(max_entries=1)
    >>> store.put("a", LMResponse("one"))
    >>> store.put("b", LMResponse("two"))
    >>> store.get("a"), store.get("b").text
    (None, 'two')
    """

    def __init__(self, max_entries: int = 10_000) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[str, LMResponse] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> LMResponse | None:
        """The answer, which now counts as used last."""
        with self._lock:
            response = self._entries.get(key)
            if response is not None:
                self._entries.move_to_end(key)
            return response

    def put(self, key: str, response: LMResponse) -> None:
        """Keep the answer; the one longest unused goes when there are too many."""
        with self._lock:
            self._entries[key] = response
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)


class DiskStore:
    """Keeps answers in one SQLite file, which several processes may use at once.

    The file grows to about `max_bytes`; then the oldest answers go, a tenth at a time. What fails is
    warned of once and then left alone: writing, where the disk is full or may not be written, else all.
    """

    def __init__(self, path: Path | str, max_bytes: int = GIBIBYTE) -> None:
        self.path = Path(path)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._inherited: list[sqlite3.Connection] = []
        self._puts = 0
        self._readable = self._writable = True

    def get(self, key: str) -> LMResponse | None:
        """The answer; None also where the file can't be read."""
        with self._lock:
            if not self._readable:
                return None
            try:
                row = self._open().execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
            except (sqlite3.Error, OSError) as error:
                self._failed(error, reading=True)
                return None
        return read_answer(row[0]) if row else None

    def put(self, key: str, response: LMResponse) -> None:
        """Keep the answer, if the file can be written."""
        answer = write_answer(response)
        with self._lock:
            if answer is None or not (self._readable and self._writable):
                return
            try:
                connection = self._open()
                connection.execute(
                    "INSERT OR REPLACE INTO answers (key, answer) VALUES (?, ?)", (key, answer)
                )
                self._puts += 1
                if self._puts % PUTS_BETWEEN_PRUNES == 0:
                    self._prune(connection)
            except (sqlite3.Error, OSError) as error:
                self._failed(error, reading=False)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        if self._connection is not None:  # a fork: closing the parent's connection here could harm its file
            self._inherited.append(self._connection)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._pid = os.getpid()
        weakref.finalize(self, _close, connection, self._pid)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
        self._connection = connection
        return connection

    def _prune(self, connection: sqlite3.Connection) -> None:
        while _bytes_used(connection) > self._max_bytes:
            connection.execute(
                "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers ORDER BY rowid"
                " LIMIT 1 + (SELECT COUNT(*) FROM answers) / 10)"
            )

    def _failed(self, error: Exception, *, reading: bool) -> None:
        if "locked" in str(error):
            return  # others were writing for too long; the next try may find it free
        only_writing = not reading and any(word in str(error) for word in ("full", "readonly"))
        self._writable = False
        self._readable = only_writing
        warnings.warn(
            f"the cache of answers at {self.path} can't be {'written' if only_writing else 'used'} ({error}); "
            "going on without it. Remove the file if it is broken, or set LOOPWRIGHT_CACHE_DIR to another folder, "
            "or LOOPWRIGHT_CACHE=off",
            RuntimeWarning,
            stacklevel=3,
        )


class LayeredStore:
    """Several stores as one: asks the first first, and keeps what a later one had in those before it."""

    def __init__(self, *stores: Store) -> None:
        self._stores = stores

    def get(self, key: str) -> LMResponse | None:
        """The answer of the first store that has one."""
        for place, store in enumerate(self._stores):
            response = store.get(key)
            if response is not None:
                for before in self._stores[:place]:
                    before.put(key, response)
                return response
        return None

    def put(self, key: str, response: LMResponse) -> None:
        """Keep the answer in each."""
        for store in self._stores:
            store.put(key, response)


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What a cache is made of. `folder` None is the user's cache folder.

    >>> CacheSettings.from_environment({"LOOPWRIGHT_CACHE": "off"}).open() is None
    True
    """

    memory: bool = True
    disk: bool = True
    folder: Path | None = None
    max_entries: int = 10_000
    max_bytes: int = GIBIBYTE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> CacheSettings:
        """As LOOPWRIGHT_CACHE ("on", "off" or "memory") and LOOPWRIGHT_CACHE_DIR say."""
        environment = os.environ if environment is None else environment
        mode = environment.get("LOOPWRIGHT_CACHE", "on").strip().lower()
        if mode not in ("on", "off", "memory"):
            raise ConfigurationError(f'LOOPWRIGHT_CACHE is {mode!r}; it must be "on", "off" or "memory"')
        folder = environment.get("LOOPWRIGHT_CACHE_DIR")
        return cls(
            memory=mode != "off", disk=mode == "on", folder=Path(folder).expanduser() if folder else None
        )

    def open(self) -> Store | None:
        """A store made so; None if there is to be none."""
        stores: list[Store] = []
        if self.memory:
            stores.append(MemoryStore(self.max_entries))
        if self.disk:
            stores.append(DiskStore((self.folder or _user_folder()) / "answers-1.sqlite", self.max_bytes))
        return LayeredStore(*stores) if stores else None


class _Process:
    """What `configure_cache` sets; None is what the environment says."""

    settings: CacheSettings | None = None


def configure_cache(
    enable_disk_cache: bool | None = True,
    enable_memory_cache: bool | None = True,
    disk_cache_dir: str | Path | None = None,
    disk_size_limit_bytes: float | None = GIBIBYTE,
    memory_max_entries: float | None = 10_000,
) -> None:
    """Say how models that are made from now on keep their answers, whatever the environment says.

    `disk_cache_dir` None is the user's cache folder. A model that exists keeps the cache that it has.

    >>> before = _Process.settings
    >>> configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    >>> default_store() is None
    True
    >>> _Process.settings = before
    """
    for name, size in (
        ("disk_size_limit_bytes", disk_size_limit_bytes),
        ("memory_max_entries", memory_max_entries),
    ):
        if size is not None and not size >= 1:  # a NaN is no size either
            raise ConfigurationError(f"{name} must be a number of at least 1, not {size!r}")
    _Process.settings = CacheSettings(
        memory=bool(enable_memory_cache),
        disk=bool(enable_disk_cache),
        folder=None if disk_cache_dir is None else Path(disk_cache_dir).expanduser(),
        max_entries=_bounded(memory_max_entries),
        max_bytes=_bounded(disk_size_limit_bytes),
    )


def _bounded(size: float | None) -> int:
    """A size as a whole number; None and `math.inf`, DSPy's words for no bound, are one that none comes to."""
    return UNBOUNDED if size is None or size > UNBOUNDED else int(size)


def default_store() -> Store | None:
    """The store that `configure_cache`, else the environment asks for; the same one for the same settings.

    All models of a process share it, because what one has asked the other need not ask again. Nothing
    is opened before the first call.
    """
    return _opened(_Process.settings or CacheSettings.from_environment())


@cache
def _opened(settings: CacheSettings) -> Store | None:
    return settings.open()


def write_answer(response: LMResponse) -> str | None:
    """An answer as JSON; None if it has no such form."""
    body = {
        "text": response.text,
        "tool_calls": [[call.name, call.args, call.id, call.malformed] for call in response.tool_calls],
        "reasoning": response.reasoning,
        "finish_reason": response.finish_reason,
        "usage": [
            response.usage.prompt_tokens,
            response.usage.completion_tokens,
            response.usage.cached_tokens,
            response.usage.usd,
        ],
        "model": response.model,
    }
    try:
        return json.dumps(body)
    except (TypeError, ValueError):
        return None


def read_answer(text: str) -> LMResponse | None:
    """An answer from its JSON; None if it is none, which counts as not kept.

    >>> read_answer(write_answer(LMResponse("four"))).text
    'four'
    """
    try:
        body = json.loads(text)
        return LMResponse(
            text=body["text"],
            tool_calls=tuple(ToolCall(*call) for call in body["tool_calls"]),
            reasoning=body["reasoning"],
            finish_reason=body["finish_reason"],
            usage=Usage(*body["usage"]),
            model=body["model"],
        )
    except (TypeError, ValueError, KeyError, RecursionError):
        return None


def _user_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("loopwright", appauthor=False)


def _bytes_used(connection: sqlite3.Connection) -> int:
    """The size of the file without its free pages."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _close(connection: sqlite3.Connection, pid: int) -> None:
    if os.getpid() == pid:
        connection.close()
