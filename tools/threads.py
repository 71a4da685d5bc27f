"""Work in threads that nobody has to wait for.

The standard library's pools join their threads when the interpreter ends, so one tool that hangs would hang
the program. These are daemon threads: a result that comes too late is dropped. Each inherits the caller's
context variables.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from itertools import count
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


def spawn(work: Callable[[], T], name: str = "tool") -> Future[T]:
    """Start work in a daemon thread of its own.

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

    threading.Thread(target=run, name=name, daemon=True).start()
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
