"""The ledger: what a compile may take, what is set aside, and what was taken, by phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigurationError
from ..report import PhaseUse
from .amounts import NOTHING, Amounts, Unit
from .execution import Caps
from .rollouts import Rollout

SPARE = 2.0  # times the costliest rollout so far is set aside for one whose cost is not known
_CAPPED: tuple[Unit, ...] = ("calls", "tokens", "usd")  # what a rollout can be stopped at while it runs


@dataclass(slots=True)
class Ledger:
    """One account for all that a compile takes.

    Rollouts are admitted in their order and before any of them runs, by what was taken until then: so the same ones
    are admitted with one worker and with eight. What is set aside for a rollout bounds it, so that all together never
    go beyond the budget in rollouts, model calls, tokens and money. `seconds` are wall time of this process.
    """

    limits: Mapping[Unit, float]
    clock: Callable[[], float] = time.monotonic
    used: Amounts = NOTHING
    spent_limit: str = ""
    _largest: dict[Unit, float] = field(default_factory=dict)
    _by_phase: dict[str, Amounts] = field(default_factory=dict)
    _planned: dict[str, int | None] = field(default_factory=dict)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()

    def plan(self, phase: str, rollouts: int | None) -> None:
        """Note how many rollouts a phase is expected to take."""
        if rollouts is not None or phase not in self._planned:
            self._planned[phase] = rollouts

    def admit(self, wanted: Sequence[Rollout]) -> list[Caps]:
        """The caps of as many rollouts as there is room for, from the first on; none where the budget is used up."""
        admitted: list[Caps] = []
        held: dict[Unit, float] = {
            unit: _amount(self.used, unit) for unit in self.limits if unit != "seconds"
        }
        for rollout in wanted:
            if self.out_of_time:
                self.spent_limit = "seconds"
                break
            aside = {unit: self._aside(rollout, unit, held[unit]) for unit in held}
            full = [unit for unit in held if held[unit] + aside[unit] > self.limits[unit] or aside[unit] < 0]
            if full and not admitted and all(self._fits_alone(rollout, unit) for unit in full):
                aside |= {unit: self.limits[unit] - held[unit] for unit in full}
            elif full:
                self.spent_limit = self.spent_limit if admitted else full[0]
                break
            for unit, amount in aside.items():
                held[unit] += amount
            bounded = rollout.script is None
            admitted.append({unit: aside[unit] for unit in _CAPPED if unit in aside and bounded})
        return admitted

    @property
    def out_of_time(self) -> bool:
        """Whether the budget's seconds are over."""
        return self.clock() - self._started >= self.limits.get("seconds", float("inf"))

    def _aside(self, rollout: Rollout, unit: Unit, held: float) -> float:
        if rollout.script is not None and unit != "tool_calls":
            return 0
        if unit == "rollouts":
            return 1
        if unit not in self._largest:  # the first: all there is, and so alone
            return self.limits[unit] - held if held < self.limits[unit] else -1
        return SPARE * self._largest[unit]

    def _fits_alone(self, rollout: Rollout, unit: Unit) -> bool:
        """Whether what is left may do for one more, though it is less than one would rather set aside."""
        left = self.limits[unit] - _amount(self.used, unit)
        return unit != "rollouts" and left > 0 and left >= self._largest.get(unit, 0)

    def commit(self, phase: str, spent: Amounts) -> None:
        """Book what a rollout took."""
        if "usd" in self.limits and spent.usd is None:
            raise ConfigurationError(
                "a budget in dollars needs prices, and the model's is not known: bound rollouts, calls or tokens instead"
            )
        self.used += spent
        self._by_phase[phase] = self._by_phase.get(phase, NOTHING) + spent
        if spent.rollouts:
            for unit in self.limits:
                if unit not in ("rollouts", "seconds"):
                    self._largest[unit] = max(self._largest.get(unit, 0), _amount(spent, unit))

    def phases(self) -> tuple[PhaseUse, ...]:
        """What each phase took, in the order in which they began."""
        names = dict.fromkeys([*self._planned, *self._by_phase])
        return tuple(
            PhaseUse(name, self._planned.get(name), self._by_phase.get(name, NOTHING)) for name in names
        )


def _amount(amounts: Amounts, unit: Unit) -> float:
    found: float | None = getattr(amounts, unit)
    return found or 0
