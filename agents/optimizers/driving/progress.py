"""How far a compile is: a bar on a terminal, elsewhere a line for every tenth of a phase."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from ...evaluation.show import console
from .amounts import Amounts

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Progress:
    """Shows phase, rollouts done of those planned, the best so far, and what was taken. Without a stream it is silent.

    >>> import sys
    >>> with Progress("BootstrapTrajectories", sys.stdout) as progress:
    ...     progress.begin("baseline", 2, "")
    ...     progress.advance(Amounts(rollouts=1, calls=3))
    ...     progress.advance(Amounts(rollouts=2, calls=6))
    baseline 1/2, 3 model calls
    baseline 2/2, 6 model calls
    """

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self.name = name
        self._stream = stream
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._phase = ""
        self._total = 0
        self._done = 0
        self._best = ""
        self._drawn = 0.0

    def __enter__(self) -> Self:
        if self._stream is not None and self._stream.isatty():
            self._bar, self._task = _bar(self._stream)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, phase: str, total: int, best: str) -> None:
        """A phase that will come to `total` rollouts begins, or goes on."""
        if phase != self._phase:
            self._phase, self._done, self._total = phase, 0, 0
        self._total = max(total, self._total)
        self._best = best or self._best

    def advance(self, used: Amounts) -> None:
        """One more rollout is done; `used` is what all of them took so far."""
        self._done += 1
        self._total = max(self._total, self._done)
        if self._stream is None:
            return
        status = ", ".join(filter(None, (self._best, _cost(used))))
        if self._bar is not None and self._task is not None:
            if self._done == self._total or time.monotonic() - self._drawn > 0.1:
                self._drawn = time.monotonic()
                self._bar.update(
                    self._task,
                    description=self._phase,
                    completed=self._done,
                    total=self._total,
                    status=status,
                )
        elif (
            self._done == self._total or self._done * 10 // self._total > (self._done - 1) * 10 // self._total
        ):
            self._stream.write(f"{self._phase} {self._done}/{self._total}, {status}\n")
            self._stream.flush()


def _cost(used: Amounts) -> str:
    price = "" if not used.usd else f", ${used.usd:.4f}"
    return f"{used.calls} model calls{price}"


def _bar(stream: TextIO) -> tuple[RichProgress, TaskID]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"),
        TimeElapsedColumn(),
        console=console(stream),
        transient=True,
    )
    return bar, bar.add_task("", total=1, status="")
