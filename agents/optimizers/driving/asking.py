"""Asking for rollouts so that some of the budget is left for the confirmation at the end."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from .amounts import NOTHING, Amounts, Unit
from .rollouts import SKIPPED, Batch, Outcome, Rollout

T = TypeVar("T")
Asks = Generator[Batch, Sequence[Outcome], T]
"""A part of a search: what it asks for, is told, and returns."""

CHUNK = 16  # rollouts asked for at a time, where what they cost bounds how many there may be
FIRST = 4  # the same, before it is known what one costs
_KNOWN: tuple[Unit, ...] = ("calls", "tokens", "usd", "tool_calls")  # costs that are the same in every replay


@dataclass(slots=True)
class Asker:
    """Asks for rollouts as long as there is room for them, and skips the others, with `reserve` of the budget kept back.

    The driver holds the budget itself; this only leaves some of it. `reserve` is a share from 0 to 1.
    """

    limits: Mapping[Unit, float]
    reserve: float = 0.0
    asked: int = 0
    spent: Amounts = field(default=NOTHING)
    exhausted: bool = False
    spent_limit: str = ""
    best: str = ""
    plans: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)

    def ask(self, phase: str, rollouts: Sequence[Rollout], planned: int | None = None) -> Asks[list[Outcome]]:
        """What comes of each; those that there is no room for are skipped.

        `planned` is how many the phase will come to; unless told, as many as were `expected` of it beforehand, or, where
        that is more, as it has asked for until now.
        """
        self.plans[phase] = self.plans.get(phase, 0) + len(rollouts)
        planned = max(planned or 0, self.plans[phase], self.expected.get(phase, 0))
        outcomes: list[Outcome] = []
        bounded = bool(set(self.limits) & set(_KNOWN))
        while len(outcomes) < len(rollouts):
            size = (CHUNK if self.asked else FIRST) if bounded else len(rollouts)
            wanted = rollouts[len(outcomes) : len(outcomes) + size]
            room = self.room()
            if room <= 0:
                break
            chunk = wanted[: int(min(room, len(wanted)))]
            told = yield Batch(phase, chunk, planned, self.best)
            self.asked += len(chunk)
            self.spent += sum((outcome.spent for outcome in told), start=NOTHING)
            outcomes += told
            if any(outcome.skipped for outcome in told):
                break
        if len(outcomes) < len(rollouts) or any(outcome.skipped for outcome in outcomes):
            self.exhausted = True
            self.spent_limit = min(self._rooms(), key=lambda room: room[0], default=(0.0, ""))[1]
        return outcomes + [SKIPPED] * (len(rollouts) - len(outcomes))

    def room(self) -> float:
        """How many more rollouts there is room for, by what they took so far; infinite without a bound."""
        return min((room for room, _ in self._rooms()), default=math.inf)

    def _rooms(self) -> list[tuple[float, Unit]]:
        """The same by each bound."""
        rooms: list[tuple[float, Unit]] = []
        for unit, limit in self.limits.items():
            allowed = limit * (1 - self.reserve)
            if unit == "rollouts":
                rooms.append((math.floor(allowed) - self.asked, unit))
            elif unit in _KNOWN and self.asked:
                took = float(getattr(self.spent, unit) or 0)
                each = took / self.asked
                rooms.append((math.floor((allowed - took) / each) if each else math.inf, unit))
        return rooms

    @contextmanager
    def keeping(self, share: float) -> Iterator[None]:
        """Keep another share of the budget back inside a `with`, for a phase that comes after this one."""
        self.reserve += share
        try:
            yield
        finally:
            self.reserve -= share
            if self.exhausted and self.room() > 0:
                self.exhausted, self.spent_limit = False, ""

    def release(self) -> None:
        """From now on all of the budget may be used."""
        self.reserve, self.exhausted = 0.0, False
