"""Amounts: what rollouts take, and how much of it may be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from ...errors import ConfigurationError
from ...runtime.budget import Budget

Unit = Literal["rollouts", "calls", "tokens", "usd", "tool_calls", "seconds"]
UNITS: tuple[Unit, ...] = get_args(Unit)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What was taken. `calls` are model calls, `usd` is None where a price is not known, `seconds` are of work.

    `replays` are runs of a recorded trajectory, which ask no model.

    >>> Amounts(rollouts=1, calls=3) + Amounts(rollouts=1, calls=2)
    Amounts(rollouts=2, replays=0, calls=5, tokens=0, usd=0.0, tool_calls=0, seconds=0.0)
    """

    rollouts: int = 0
    replays: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    tool_calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.rollouts + other.rollouts,
            self.replays + other.replays,
            self.calls + other.calls,
            self.tokens + other.tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
            self.tool_calls + other.tool_calls,
            self.seconds + other.seconds,
        )

    def to_json(self) -> dict[str, float | None]:
        """By name, without the seconds: those are another every time."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "seconds"}


NOTHING = Amounts()


def limits_of(budget: Budget | Mapping[str, float | None] | None) -> dict[Unit, float]:
    """The bounds of a compile's budget, by unit; raises `ConfigurationError` for one that is no unit.

    >>> limits_of(Budget(rollouts=200, usd=5))
    {'rollouts': 200, 'usd': 5}
    """
    given = budget.limits if isinstance(budget, Budget) else {} if budget is None else budget
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"a budget is a mapping, as in {{'rollouts': 200}}, or a Budget, not {given!r}"
        )
    unknown = [name for name in given if name not in UNITS]
    if unknown:
        raise ConfigurationError(f"a budget has no {unknown[0]!r}; there are: {', '.join(UNITS)}")
    for name, limit in given.items():
        if not _is_bound(limit):
            raise ConfigurationError(f"a budget's {name} is a number of at least 0, not {limit!r}")
    return {unit: limit for unit in UNITS if (limit := given.get(unit)) is not None}


def _is_bound(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and value >= 0)
