"""Faults: what goes wrong with the calls of a tool, at the call that a task says, in every run alike."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Literal

from .changes import ABSENT


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call of a tool: the `call`-th (from 1) that reaches it.

    With `error` the tool is not called and has failed in these words; with `kind` "timeout" it has failed as one
    does that takes too long. With `done` it is called first, and its answer is lost. With `result` it is not called
    and this is its answer. `delay_s` seconds go by before; they count as the tool's own.
    """

    tool: str
    call: int = 1
    error: str | None = None
    kind: Literal["raised", "timeout"] = "raised"
    done: bool = False
    result: object = ABSENT
    delay_s: float = 0.0

    def __str__(self) -> str:
        return f"call {self.call} of {self.tool}"


class FaultMet(Exception):  # noqa: N818 - no error of the program: a call meets what a task has in store for it
    """A call fails since its run's environment says so."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.error)
        self.fault = fault


class Meeting:
    """One call that may meet a fault: `before` and `after` stand around the calling of the function.

    >>> Meeting(None).before(None), Meeting(Fault("pay", result=3)).before(None)
    (ABSENT, 3)
    """

    def __init__(self, fault: Fault | None) -> None:
        self._next = fault
        self._lost: Fault | None = None

    def before(self, cancelled: threading.Event | None) -> object:
        """Wait as long as is said, and give the answer in place of the function's, `ABSENT` to call it.

        Raises `FaultMet`, also when nobody waits any more: a call that was late has not reached the function.
        """
        if self._next is not None and (cancelled or threading.Event()).wait(self._next.delay_s):
            raise FaultMet(self._next)
        return self._instead()

    async def abefore(self) -> object:
        """As `before`, without blocking the event loop."""
        if self._next is not None and self._next.delay_s:
            await asyncio.sleep(self._next.delay_s)
        return self._instead()

    def _instead(self) -> object:
        fault, self._next = self._next, None  # a call that is made again for a passing reason meets it once
        if fault is None:
            return ABSENT
        if fault.done:
            self._lost = fault
        elif fault.error is not None:
            raise FaultMet(fault)
        return fault.result

    def after(self) -> None:
        """Lose the function's answer, where that is said; raises `FaultMet`."""
        if self._lost is not None:
            raise FaultMet(self._lost)
