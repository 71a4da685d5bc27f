"""Many calls at once, in threads that inherit the context or in tasks of the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .ambient import current, drive, inherited

T = TypeVar("T")


def in_threads(function: Callable[[Any], T], items: Sequence[Any], num_threads: int) -> list[T | Exception]:
    """The function's result on every item, in order; an exception is a result too.

    Ctrl-C starts no further item and does not wait for those that run.

    >>> in_threads(len, ["a", "bb"], num_threads=2)
    [1, 2]
    """

    def one(item: Any, mine: contextvars.Context) -> T | Exception:
        try:
            return mine.run(function, item)
        except Exception as error:  # noqa: BLE001  # the caller decides what to do with it
            return error

    pool = ThreadPoolExecutor(max(1, min(num_threads, len(items))), thread_name_prefix="loopwright")
    try:
        return list(pool.map(one, items, [inherited() for _ in items]))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def side_by_side(calls: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T | Exception]:
    """What each call gives, in order; an exception is a result too. At most `at_once` run at a time.

    Code that blocks makes them in threads; in an event loop they are tasks, and who cancels this cancels them all and
    waits until they have ended.

    >>> async def double(n):
    ...     return 2 * n
    >>> asyncio.run(side_by_side([lambda: double(1), lambda: double(2)], at_once=2))
    [2, 4]
    """
    if len(calls) == 1 or at_once == 1:
        return [await _outcome(call) for call in calls]
    if current().blocking:
        return in_threads(lambda call: drive(_awaited(call)), calls, at_once)
    gate = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[T]]) -> T | Exception:
        async with gate:
            return await _outcome(call)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(call)) for call in calls]
    return [task.result() for task in tasks]


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


async def _outcome(call: Callable[[], Awaitable[T]]) -> T | Exception:
    try:
        return await call()
    except Exception as error:  # noqa: BLE001  # the caller decides what to do with it
        return error
