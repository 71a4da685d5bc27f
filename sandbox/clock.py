"""Time limits inside the worker: two timers that raise, again and again, until the program has ended.

The host's own deadline stands behind them: a program that swallows the exception, or sits in C code that
looks at no signals, is killed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_SECONDS = 0.05


class Interruption(KeyboardInterrupt):
    """Raised in a program to end it; what lets a keyboard's interrupt pass, asyncio's loop too, lets it pass."""


class TimeIsUp(Interruption):
    """The program is at its limit."""


class Clock:
    """The wall and CPU timers of one worker; only its main thread may use it."""

    def __init__(self) -> None:
        self.expired = ""
        self._armed = False
        signal.signal(signal.SIGALRM, self._ring)
        signal.signal(signal.SIGPROF, self._ring)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            self.expired = "wall" if number == signal.SIGALRM else "cpu"
            raise TimeIsUp

    def start(self, wall_seconds: float, cpu_seconds: float) -> None:
        """Begin a run."""
        self.expired = ""
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, wall_seconds, _AGAIN_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds, _AGAIN_SECONDS)

    def stop(self) -> None:
        """End a run; nothing is raised from here on."""
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still while the host works for the program; nothing is raised in between."""
        self._armed = False
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), _AGAIN_SECONDS)
            self._armed = True
