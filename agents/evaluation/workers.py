"""Many pieces of work in threads, each result as soon as it is there."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def as_completed(
    work: Callable[[T], R], items: Sequence[T], workers: int
) -> Generator[tuple[int, R | Exception], None, None]:
    """The place and the result of each item, in the order in which they are done; an exception is a result.

    The threads inherit the context. Closing the generator (a `break`, Ctrl-C) starts nothing further; what
    runs is not waited for, and its result is dropped. One worker works in the caller's own thread.

    >>> sorted(as_completed(len, ["a", "bb"], workers=2))
    [(0, 1), (1, 2)]
    """
    if min(workers, len(items)) <= 1:
        for place, item in enumerate(items):
            yield place, _outcome(work, item, contextvars.copy_context())
        return
    pool = _Pool(work, items, contextvars.copy_context())
    for number in range(min(workers, len(items))):
        threading.Thread(target=pool.run, name=f"loopwright-{number}", daemon=True).start()
    try:
        for _ in items:
            yield pool.done.get()
    finally:
        pool.stopped = True


class _Pool(Generic[T, R]):
    """What the threads share. They are daemons: one that hangs in a call must not keep the process alive."""

    def __init__(self, work: Callable[[T], R], items: Sequence[T], inherited: contextvars.Context) -> None:
        self.work = work
        self.inherited = inherited
        self.done: SimpleQueue[tuple[int, R | Exception]] = SimpleQueue()
        self.stopped = False
        self._todo = enumerate(items)
        self._lock = threading.Lock()

    def run(self) -> None:
        while not self.stopped:
            with self._lock:
                place, item = next(self._todo, (None, None))
            if place is None:
                return
            self.done.put((place, _outcome(self.work, item, self.inherited.copy())))  # type: ignore[arg-type]  # an item, since there is a place


def _outcome(work: Callable[[T], R], item: T, inherited: contextvars.Context) -> R | Exception:
    try:
        return inherited.run(work, item)
    except Exception as error:  # noqa: BLE001  # the caller decides what to do with it
        return error
    except SystemExit as error:  # a stranger's code may call exit(); that ends its piece of work, not ours
        return RuntimeError(f"the code called exit({error.code})")
