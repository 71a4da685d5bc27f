"""Many calls at once, in threads that inherit the context."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_threads(function: Callable[[Any], T], items: Sequence[Any], num_threads: int) -> list[T | Exception]:
    """The function's result on every item, in order; an exception is a result too.

    Ctrl-C starts no further item and does not wait for those that run.

    >>> in_threads(len, ["a", "bb"], num_threads=2)
    [1, 2]
    """

    def one(item: Any, inherited: contextvars.Context) -> T | Exception:
        try:
            return inherited.run(function, item)
        except Exception as error:  # noqa: BLE001  # the caller decides what to do with it
            return error

    pool = ThreadPoolExecutor(max(1, min(num_threads, len(items))), thread_name_prefix="loopwright")
    try:
        return list(pool.map(one, items, [contextvars.copy_context() for _ in items]))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
