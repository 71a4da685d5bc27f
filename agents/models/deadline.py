"""A limit on the whole time that a blocking call takes.

An HTTP client's own timeout is for one read: a server that sends a byte now and then holds it for
ever. So the call runs in a thread of its own, and the caller waits for it no longer than it wants to.
A thread that is given up ends when its call does; it is a daemon, so the process need not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import copy_context
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


def result_within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises; `TimeoutError` if that takes longer.

    >>> result_within(10, lambda: 2 + 2)
    4
    """
    return started(call).result(seconds)


def started(call: Callable[[], T]) -> Future[T]:
    """What `call` will return or raise, in a thread that nothing waits for."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 (handed to the caller, whatever it is)
            if done.set_running_or_notify_cancel():
                done.set_exception(error)
        else:
            if done.set_running_or_notify_cancel():
                done.set_result(result)

    _start(run)
    return done


def pieces_within(seconds: float, call: Callable[[], Iterable[T]]) -> Iterator[T]:
    """What `call` yields, as it comes; `TimeoutError` if the last piece is later than this from now.

    >>> list(pieces_within(10, lambda: "abc"))
    ['a', 'b', 'c']
    """
    ends = monotonic() + seconds
    arrived: SimpleQueue[T | _End[T]] = SimpleQueue()
    unwanted = threading.Event()

    def run() -> None:
        try:
            for piece in call():
                arrived.put(piece)
                if unwanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (handed to the caller, whatever it is)
            arrived.put(_End(error))
        else:
            arrived.put(_End(None))

    _start(run)
    try:
        while True:
            try:
                piece = arrived.get(timeout=max(0.0, ends - monotonic()))
            except Empty:
                raise TimeoutError from None
            if not isinstance(piece, _End):
                yield piece
            elif piece.error is None:
                return
            else:
                raise piece.error
    finally:
        unwanted.set()


class _End(Generic[T]):
    """The mark after the last piece, with what was raised there."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _start(run: Callable[[], None]) -> None:
    context = copy_context()
    threading.Thread(target=context.run, args=(run,), name="loopwright-call", daemon=True).start()
