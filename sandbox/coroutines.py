"""`asyncio` for programs: the real tasks, locks and queues on a loop that knows only time.

The loop has no selector, so nothing on it can wait for a file or a socket; sleeping is all that it does
between callbacks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from .names import words

_NAMES = words("""
    ALL_COMPLETED Barrier BoundedSemaphore CancelledError Condition Event FIRST_COMPLETED FIRST_EXCEPTION
    InvalidStateError LifoQueue Lock PriorityQueue Queue QueueEmpty QueueFull Semaphore TaskGroup TimeoutError
    as_completed create_task current_task ensure_future gather iscoroutine iscoroutinefunction shield sleep
    timeout wait wait_for
""")


class _Waiting:
    """In a selector's place: waits, and never has anything to tell."""

    def select(self, seconds: float | None) -> list[Any]:
        if seconds is None:
            raise RuntimeError("every task waits for another: nothing can happen any more")
        if seconds > 0:
            time.sleep(seconds)
        return []


class TimeLoop(asyncio.BaseEventLoop):
    """An event loop of callbacks and timers only."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Waiting()

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """No other thread has to wake this loop."""


def run(main: Coroutine[Any, Any, Any], *, debug: bool | None = None) -> Any:
    """As `asyncio.run`.

    >>> async def twice(n: int) -> int:
    ...     await asyncio.sleep(0)
    ...     return 2 * n
    >>> run(twice(21))
    42
    """
    loop = TimeLoop()  # not asyncio.Runner, which installs a signal handler
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def members() -> dict[str, Any]:
    """What a program's `asyncio` holds."""
    return {"run": run, **{name: getattr(asyncio, name) for name in _NAMES}}
