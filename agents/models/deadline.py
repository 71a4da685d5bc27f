"""A limit on the whole time that a blocking call takes.

An HTTP client's own timeout is for one read: a server that sends a byte now and then holds it for
ever. So the call runs in another thread, and the caller waits for it no longer than it wants to. A thread
that is given up goes on until its call ends; it is a daemon, so the process need not wait for it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


def result_within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises; `TimeoutError` if that takes longer.

    >>> result_within(10, lambda: 2 + 2)
    4
    """
    arrived: SimpleQueue[T | _End[T]] = SimpleQueue()

    def run() -> None:
        try:
            arrived.put(call())
        except BaseException as error:  # noqa: BLE001 (handed to the caller, whatever it is)
            arrived.put(_End(error))

    _start(run, _CALLS)
    try:
        result = arrived.get(timeout=min(seconds, threading.TIMEOUT_MAX))
    except Empty:
        raise TimeoutError from None
    if not isinstance(result, _End):
        return result
    try:
        raise result.error or RuntimeError("it ended without a result")
    finally:
        del result  # else the error holds what holds it


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

    _start(run, _LOOKUPS)
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

    _start(run, _CALLS)
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


def _start(run: Callable[[], None], workers: _Workers) -> None:
    """Run this in a daemon thread: one that waits for work, or a new one."""
    context = copy_context()
    workers.start(lambda: context.run(run))


class _Workers:
    """Threads that wait for the next call, since to start one costs more than a call's own bookkeeping.

    A thread is only waiting while it is in `_idle`; one whose call nobody waits for any more is not, so it holds nobody up.
    The first `loops` of them have an event loop, as the main thread has one: litellm runs a coroutine after each call, and
    where its thread has no loop it makes one for each, a twentieth of the call. A loop holds three open files, hence the limit.
    """

    def __init__(self, loops: int = 0) -> None:
        self._idle: list[SimpleQueue[Callable[[], None]]] = []
        self._loops = loops
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(self._forget, loops))

    def _forget(self, loops: int) -> None:
        """A fork has none of the threads, and perhaps a lock that one of them held."""
        self._idle, self._loops, self._lock = [], loops, threading.Lock()

    def start(self, work: Callable[[], None]) -> None:
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="loopwright-call", daemon=True).start()
        inbox.put(work)

    def _work(self, inbox: SimpleQueue[Callable[[], None]]) -> None:
        loop = self._own_loop()
        if loop is None:
            self._work_until_idle(inbox)
            return
        asyncio.set_event_loop(loop)
        try:
            self._work_until_idle(inbox)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            with self._lock:
                self._loops += 1

    def _own_loop(self) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if not self._loops:
                return None
            self._loops -= 1
        try:
            return asyncio.new_event_loop()
        except OSError:  # too many open files: the call goes without, and says itself what it lacks
            with self._lock:
                self._loops += 1
            return None

    def _work_until_idle(self, inbox: SimpleQueue[Callable[[], None]]) -> None:
        while True:
            try:
                work = inbox.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if inbox not in self._idle:
                        continue  # it was taken a moment ago: the work is on its way
                    self._idle.remove(inbox)
                return
            work()
            del work  # what it holds is the caller's
            with self._lock:
                self._idle.append(inbox)


_IDLE_SECONDS = 10.0
_CALLS = _Workers(loops=32)
_LOOKUPS = _Workers()
