"""Estimates: a mean over tasks with its interval, and a paired difference with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..text import counted

Z = 1.96  # of a 95 % interval
FEW = 10  # tasks below which an interval itself is a guess
WISHED = 20  # tasks that a confirmation should have at least


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean score over tasks, with a 95 % interval; `n` are tasks, `rollouts` the runs that it was made of.

    >>> print(Estimate(0.75, 0.6, 0.9, 40, 80), Estimate(12.5, 11, 14, 40, 80), sep="; ")
    75.0% (60.0% to 90.0%, 40 tasks); 12.5 (11 to 14, 40 tasks)
    """

    mean: float
    low: float
    high: float
    n: int
    rollouts: int

    @property
    def is_rate(self) -> bool:
        """Whether it is on the scale from 0 to 1, and so reads as per cent."""
        return self.low >= 0 and self.high <= 1

    @property
    def mean_text(self) -> str:
        """The mean for a person."""
        return _text(self.mean, rate=self.is_rate)

    @property
    def interval_text(self) -> str:
        """The interval for a person."""
        return f"{_text(self.low, rate=self.is_rate)} to {_text(self.high, rate=self.is_rate)}"

    def __str__(self) -> str:
        return f"{self.mean_text} ({self.interval_text}, {counted(self.n, 'task')})"


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
    rate = all(0 <= value <= 1 for task in common for value in (*arm[task], *other[task]))
    if not deltas:
        return Difference(0.0, math.inf, 0)
    return Difference(math.fsum(deltas) / len(deltas), standard_error(deltas), len(deltas), rate)


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference over `n` tasks with its standard error; `rate` says that the scores are from 0 to 1.

    >>> print(Difference(0.25, 0.1, 40), Difference(0.25, math.inf, 1), Difference(3, 1, 40, rate=False), sep="; ")
    +25.0% ± 10.0% on 40 tasks; +25.0% on 1 task; +3 ± 1 on 40 tasks
    """

    mean: float
    error: float
    n: int
    rate: bool = field(default=True, repr=False)

    @property
    def reach(self) -> float:
        """How far its 95 % interval goes to either side: Student's, which is wide where there are few tasks."""
        return _student(self.n - 1) * self.error if self.n > 1 else math.inf

    @property
    def low(self) -> float:
        """The lower end of its 95 % interval; rates differ by -1 at least."""
        return max(self.mean - self.reach, -1.0 if self.rate else -math.inf)

    @property
    def high(self) -> float:
        """The upper end of the same; rates differ by 1 at most."""
        return min(self.mean + self.reach, 1.0 if self.rate else math.inf)

    @property
    def needed(self) -> int:
        """About how many tasks it takes for a difference of this size to lie clear of 0; WISHED at least."""
        if self.n < 2 or not self.mean:
            return WISHED
        return max(WISHED, math.ceil(self.n * (self.reach / self.mean) ** 2))

    def __str__(self) -> str:
        error = f" ± {_text(self.error, rate=self.rate)}" if math.isfinite(self.error) else ""
        return f"{signed(self.mean, rate=self.rate)}{error} on {counted(self.n, 'task')}"


def signed(difference: float, *, rate: bool) -> str:
    """A difference for a person: in per cent where the scores are from 0 to 1.

    >>> signed(0.5, rate=True), signed(-2, rate=False)
    ('+50.0%', '-2')
    """
    return ("-" if difference < 0 else "+") + _text(abs(difference), rate=rate)


def standard_error(values: Iterable[float]) -> float:
    """Of the mean of these; infinite for fewer than two, since those say nothing of their spread."""
    found = list(values)
    if len(found) < 2:
        return math.inf
    mean = math.fsum(found) / len(found)
    variance = math.fsum((value - mean) ** 2 for value in found) / (len(found) - 1)
    return math.sqrt(variance / len(found))


def _student(freedom: int) -> float:
    """Student's t for a 95 % interval, by its expansion in the degrees of freedom (Abramowitz and Stegun, 26.7.5)."""
    return Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)


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


def _text(value: float, *, rate: bool) -> str:
    return f"{value:.1%}" if rate else f"{value:.4g}"
