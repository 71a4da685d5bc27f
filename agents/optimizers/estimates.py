"""Estimates: a mean over tasks with its interval, and a paired difference with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..text import counted

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean score over tasks, with a 95 % interval; `n` are tasks, `rollouts` the runs that it was made of.

    >>> print(Estimate(0.75, 0.6, 0.9, 40, 80))
    75.0% (60.0% to 90.0%, 40 tasks)
    """

    mean: float
    low: float
    high: float
    n: int
    rollouts: int

    def __str__(self) -> str:
        return f"{self.mean:.1%} ({self.low:.1%} to {self.high:.1%}, {counted(self.n, 'task')})"


def estimate(values: Mapping[object, Sequence[float]]) -> Estimate | None:
    """The mean over tasks of each task's mean; None without a single value.

    The tasks are what is drawn, so the interval counts tasks and no rollouts. It is Wilson's where all scores lie
    between 0 and 1, which keeps it honest near the ends, and normal elsewhere.

    >>> estimate({"a": [1, 0], "b": [1, 1]}).mean
    0.75
    """
    tasks = [list(found) for found in values.values() if found]
    if not tasks:
        return None
    means = [math.fsum(found) / len(found) for found in tasks]
    n, mean = len(means), math.fsum(means) / len(means)
    rollouts = sum(map(len, tasks))
    if all(0 <= value <= 1 for found in tasks for value in found):
        low, high = _wilson(mean, n * _sharper(means, mean))
    else:
        error = standard_error(means)
        low, high = mean - Z * error, mean + Z * error
    return Estimate(mean, low, high, n, rollouts)


def paired(arm: Mapping[object, Sequence[float]], other: Mapping[object, Sequence[float]]) -> Difference:
    """How much better an arm is than another, on the tasks that both have values for.

    >>> paired({"a": [1], "b": [1]}, {"a": [0], "b": [1]})
    Difference(mean=0.5, error=0.5, n=2)
    """
    common = [task for task in arm if arm[task] and other.get(task)]
    deltas = [
        math.fsum(arm[task]) / len(arm[task]) - math.fsum(other[task]) / len(other[task]) for task in common
    ]
    if not deltas:
        return Difference(0.0, math.inf, 0)
    return Difference(math.fsum(deltas) / len(deltas), standard_error(deltas), len(deltas))


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference over `n` tasks with its standard error."""

    mean: float
    error: float
    n: int

    @property
    def low(self) -> float:
        """The lower end of its 95 % interval."""
        return self.mean - Z * self.error

    def __str__(self) -> str:
        return f"{self.mean:+.1%} ± {self.error:.1%} on {counted(self.n, 'task')}"


def standard_error(values: Iterable[float]) -> float:
    """Of the mean of these; infinite for fewer than two, since those say nothing of their spread."""
    found = list(values)
    if len(found) < 2:
        return math.inf
    mean = math.fsum(found) / len(found)
    variance = math.fsum((value - mean) ** 2 for value in found) / (len(found) - 1)
    return math.sqrt(variance / len(found))


def _sharper(means: Sequence[float], mean: float) -> float:
    """How many single trials a task is worth: more than one where each was tried several times."""
    spread = math.fsum((one - mean) ** 2 for one in means) / max(len(means) - 1, 1)
    single = mean * (1 - mean)
    return 1.0 if spread <= 0 or single <= spread else single / spread


def _wilson(rate: float, n: float) -> tuple[float, float]:
    """E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (JASA, 1927)."""
    centre = (rate + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
