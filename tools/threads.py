"""Work in threads that nobody has to wait for.

The standard library's pools join their threads when the interpreter ends, so one tool that hangs would hang
the program. These are daemon threads: a result that comes too late is dropped. Each piece of work inherits the
caller's context variables. A thread that has done its work waits a moment for more: to start one takes longer
than most tools, and who starts it is made to wait until it runs.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from itertools import count
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


class _Thread:
    """A daemon thread that does one piece of work after another, and ends when for a while there was none."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], None], str]] = SimpleQueue()

    def take(self, work: Callable[[], None], name: str) -> None:
        self._work.put((work, name))

    def run(self) -> None:
        while (taken := self._next()) is not None:
            work, threading.current_thread().name = taken
            work()
            del work, taken  # what it holds must not live as long as the thread waits
            with _lock:
                _idle.append(self)

    def _next(self) -> tuple[Callable[[], None], str] | None:
        try:
            return self._work.get(timeout=_IDLE)
        except Empty:
            with _lock:
                if self in _idle:
                    _idle.remove(self)
                    return None
            return self._work.get()  # somebody took this thread at the last moment


_IDLE = 2.0  # seconds that a thread waits for more work
_idle: deque[_Thread] = deque()
_lock = threading.Lock()


def _begin(work: Callable[[], None], name: str) -> None:
    """Let a thread that is idle do the work, the last that became so, or else a new one."""
    with _lock:
        thread = _idle.pop() if _idle else None
    if thread is None:
        thread = _Thread()
        threading.Thread(target=thread.run, name=name, daemon=True).start()
    thread.take(work, name)


def _forget_threads() -> None:
    """A forked child has none of its parent's threads."""
    global _lock  # noqa: PLW0603  # the parent may have held it
    _idle.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def spawn(work: Callable[[], T], name: str = "tool") -> Future[T]:
    """Start work in a daemon thread that does nothing else until it is done.

    >>> spawn(lambda: 2 + 2).result(timeout=10)
    4
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # from here on nobody can cancel it under the thread's feet
    context = copy_context()

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the future raises it again
            future.set_exception(error)
        else:
            future.set_result(result)

    _begin(run, name)
    return future


def in_threads(work: Callable[[S], T], items: Sequence[S], limit: int = 8) -> list[T]:
    """Apply work to every item, `limit` at a time, and give the results in the items' order.

    >>> in_threads(lambda n: n * n, [1, 2, 3])
    [1, 4, 9]
    """
    if len(items) <= 1:
        return [work(item) for item in items]
    turns = count()  # next() on it is atomic
    results: dict[int, T] = {}

    def worker() -> None:
        while (turn := next(turns)) < len(items):
            results[turn] = work(items[turn])

    for future in [spawn(worker) for _ in range(min(limit, len(items)))]:
        future.result()
    return [results[turn] for turn in range(len(items))]


def loop_is_running() -> bool:
    """Whether an event loop runs in this thread, so that another can't."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def drive(awaitable: Coroutine[object, object, object]) -> object:
    """Wait for an awaitable on an event loop of its own, in a thread of its own where this one has a loop."""

    async def wait() -> object:
        return await awaitable

    if loop_is_running():
        return spawn(lambda: asyncio.run(wait())).result()
    return asyncio.run(wait())
