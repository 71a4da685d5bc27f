"""Many pieces of work at the same time, each result as soon as it is there.

An `Executor` takes work with `submit` and gives a future: threads here, tasks on an event loop, or the
processes of a cluster elsewhere. `as_done` keeps one supplied, and no further ahead than it needs.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from loopwright.tools.threads import spawn

from ..ambient import inherited

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

AHEAD = 2  # pieces that are handed over for each worker, so that none waits for its next
CLEANING = 1.0  # seconds for what is cancelled
_LOOK = 0.25  # seconds between two looks at whether to stop


class Awaited(Protocol[R_co]):
    """A result to come, as `concurrent.futures` and dask know it."""

    def result(self) -> R_co:
        """The result; raises what the work raised."""

    def add_done_callback(self, told: Callable[[Any], object], /) -> object:
        """Call a function with this future when the result is there, in whatever thread."""


class Executor(Protocol[T_contra, R_co]):
    """What does pieces of work, several of them at the same time."""

    @property
    def room(self) -> int:
        """How many pieces it is handed at most: enough that no worker waits for its next."""

    def submit(self, item: T_contra, /) -> Awaited[R_co]:
        """Take a piece of work, which is begun when there is room."""

    def stop(self) -> None:
        """Begin nothing further; what is under way goes on."""

    def close(self) -> None:
        """Let go of everything; what is still under way is dropped, and not waited for."""


class AsDone(Generic[T, R]):
    """The place and the result of each item, in the order in which they are done; an exception is a result.

    Supplied as it is read, so that what is done and not read yet stays bounded: the executor's `room`. While something
    is under way, `may_begin` is asked, with the next item and how many are open, whether there is enough for that too.
    After `stop()` it gives out what was under way, and ends.
    """

    def __init__(
        self,
        executor: Executor[T, R],
        items: Sequence[T],
        may_begin: Callable[[T, int], bool] = lambda item, open_: True,
    ) -> None:
        self._executor = executor
        self._items = items
        self._may_begin = may_begin
        self._next = 0
        self._open: set[int] = set()
        self._done: SimpleQueue[tuple[int, Awaited[R]]] = SimpleQueue()
        self._stopped = False
        self._deadline: float | None = None

    def __iter__(self) -> Iterator[tuple[int, R | Exception]]:
        while self._supplied():
            try:
                place, future = self._done.get(timeout=_LOOK)
            except Empty:
                if self._deadline is not None and time.monotonic() >= self._deadline:
                    return
                continue
            self._open.discard(place)
            outcome = outcome_of(future.result)
            if not isinstance(outcome, CancelledError):  # taken back before it was begun
                yield place, outcome

    def stop(self, grace: float | None = None) -> None:
        """Hand over nothing further, and wait for what is under way, `grace` seconds at most.

        May be called by a signal's handler.
        """
        self._stopped = True
        if grace is not None:
            self._deadline = time.monotonic() + grace
        self._executor.stop()

    def _supplied(self) -> bool:
        """Hand over as much as there is room for; whether anything is open."""
        while self._has_room():
            place = self._next
            self._next += 1
            self._open.add(place)
            future = self._executor.submit(self._items[place])
            future.add_done_callback(partial(self._told, place))
        return bool(self._open)

    def _has_room(self) -> bool:
        if self._stopped or self._next >= len(self._items) or len(self._open) >= self._executor.room:
            return False
        return not self._open or self._may_begin(self._items[self._next], len(self._open))

    def _told(self, place: int, future: Awaited[R]) -> None:
        self._done.put((place, future))


def as_completed(
    work: Callable[[T], R], items: Sequence[T], workers: int
) -> Generator[tuple[int, R | Exception], None, None]:
    """The place and the result of each item, in the order in which they are done; an exception is a result.

    The threads inherit the context. Closing the generator (a `break`, Ctrl-C) starts nothing further; what
    runs is not waited for, and its result is dropped. One worker works in the caller's own thread.

    >>> sorted(as_completed(len, ["a", "bb"], workers=2))
    [(0, 1), (1, 2)]
    """
    at_once = min(workers, len(items))
    with closing(InTurn(work) if at_once <= 1 else Threads(work, at_once)) as executor:
        yield from AsDone(executor, items)


class InTurn(Generic[T, R]):
    """Work that is done where it is submitted, one piece after the other."""

    room = 1

    def __init__(self, work: Callable[[T], R]) -> None:
        self._work = work

    def submit(self, item: T, /) -> Future[R]:
        """Do a piece of work; what a person raises (Ctrl-C) is raised here."""
        future: Future[R] = Future()
        try:
            future.set_result(contextvars.copy_context().run(self._work, item))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whoever reads the future raises it again
            future.set_exception(error)
        return future

    def stop(self) -> None:
        """There is nothing under way between two pieces."""

    def close(self) -> None:
        """There is nothing to let go of."""


class Threads(Generic[T, R]):
    """Work in threads that inherit the context.

    They are daemons: one that hangs in a call must not keep the process alive.
    """

    def __init__(self, work: Callable[[T], R], workers: int) -> None:
        self.room = AHEAD * workers
        self._work = work
        self._workers = workers
        self._inherited = inherited()
        self._todo: SimpleQueue[tuple[T, Future[R]] | None] = SimpleQueue()
        self._stopped = False
        for number in range(workers):
            threading.Thread(target=self._run, name=f"loopwright-{number}", daemon=True).start()

    def submit(self, item: T, /) -> Future[R]:
        """Take a piece of work."""
        future: Future[R] = Future()
        self._todo.put((item, future))
        return future

    def stop(self) -> None:
        """Begin nothing further; what was taken and not begun is given back as cancelled."""
        self._stopped = True
        try:
            while (waiting := self._todo.get_nowait()) is not None:
                waiting[1].cancel()
        except Empty:
            pass

    def close(self) -> None:
        """Begin nothing further, and let the threads end as they come to it."""
        self.stop()
        for _ in range(self._workers):
            self._todo.put(None)

    def _run(self) -> None:
        while (taken := self._todo.get()) is not None:
            item, future = taken
            if self._stopped or not future.set_running_or_notify_cancel():
                future.cancel()
                continue
            _settle(future, partial(self._inherited.copy().run, self._work, item))


class Loop(Generic[T, R]):
    """Work that awaits, as tasks on one event loop in a thread of its own; each inherits the context.

    What blocks inside (a tool, a model without an async form) has as many threads as there are workers.
    """

    def __init__(self, work: Callable[[T], Awaitable[R]], workers: int) -> None:
        self.room = AHEAD * workers
        self._work = work
        self._inherited = inherited()
        self._free = asyncio.Semaphore(workers)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._loop = asyncio.new_event_loop()
        self._blocking = ThreadPoolExecutor(workers, thread_name_prefix="loopwright")
        self._loop.set_default_executor(self._blocking)
        self._ended = spawn(self._serve, name="loopwright-loop")

    def submit(self, item: T, /) -> Future[R]:
        """Take a piece of work."""
        future: Future[R] = Future()
        self._loop.call_soon_threadsafe(self._begin, item, future)
        return future

    def stop(self) -> None:
        """Begin nothing further; what was taken and not begun is given back as cancelled."""
        self._stopped = True

    def close(self) -> None:
        """Cancel what is under way, give it a moment to clean up, and end the loop."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._blocking.shutdown(wait=False, cancel_futures=True)
        try:
            self._ended.result(timeout=CLEANING)
        except TimeoutError:
            return  # something blocks the loop: the thread is a daemon

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                self._loop.run_until_complete(asyncio.wait(self._tasks, timeout=CLEANING / 2))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def _begin(self, item: T, future: Future[R]) -> None:
        task = self._loop.create_task(self._one(item, future), context=self._inherited.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, item: T, future: Future[R]) -> None:
        async with self._free:
            if self._stopped or not future.set_running_or_notify_cancel():
                future.cancel()
                return
            try:
                result = await self._work(item)
            except asyncio.CancelledError:
                future.set_exception(RuntimeError("it was cancelled"))
                raise
            except BaseException as error:  # noqa: BLE001  # whoever reads the future raises it again
                future.set_exception(error)
            else:
                future.set_result(result)


def _settle(future: Future[R], work: Callable[[], R]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # whoever reads the future raises it again
        future.set_exception(error)
    else:
        future.set_result(result)


def outcome_of(result: Callable[[], R]) -> R | Exception:
    """What comes of a piece of work; an exception that it raises is what came of it."""
    try:
        return result()
    except Exception as error:  # noqa: BLE001  # the caller decides what to do with it
        return error
    except SystemExit as error:  # a stranger's code may call exit(); that ends its piece of work, not ours
        return RuntimeError(f"the code called exit({error.code})")
