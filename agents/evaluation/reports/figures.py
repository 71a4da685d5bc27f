"""Figures: rates with their intervals, pass^k, quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964  # of the normal distribution, for a two-sided 95 %


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate between 0 and 1 with its 95 % interval; `n` is what it was measured on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{percent(self.value)} ({percent(self.low)} to {percent(self.high)})"


def percent(rate: float) -> str:
    """A rate in per cent, with a decimal where it is needed.

    >>> percent(0.5), percent(2 / 3)
    ('50%', '66.7%')
    """
    return f"{100 * rate:.1f}".removesuffix(".0") + "%"


def wilson(rate: float, n: float) -> tuple[float, float]:
    """The 95 % score interval of a rate seen on n trials (Wilson, 1927); it never leaves 0 to 1.

    >>> tuple(round(end, 3) for end in wilson(0.8, 10))
    (0.49, 0.943)
    """
    if n <= 0:
        return 0.0, 1.0
    spread = Z * Z / n
    centre = (rate + spread / 2) / (1 + spread)
    half = Z * math.sqrt(rate * (1 - rate) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def mean_rate(rates: Sequence[float], trials: int) -> Rate:
    """The mean of the tasks' own rates, its interval clustered by task.

    Trials of one task are alike, so that they count for less than as many tasks: the interval is Wilson's
    on the number of independent trials that would show the spread seen between the tasks, which is at
    least the number of tasks and at most that of trials.

    >>> rate = mean_rate([1, 1, 0, 1], trials=4)
    >>> rate.value, round(rate.low, 2), round(rate.high, 2)
    (0.75, 0.3, 0.95)
    """
    tasks = len(rates)
    if not tasks:
        return Rate(0.0, 0.0, 1.0, 0)
    mean = math.fsum(rates) / tasks
    worth = float(tasks)
    if tasks > 1 and trials > tasks:
        variance = math.fsum((rate - mean) ** 2 for rate in rates) / (tasks - 1) / tasks
        worth = mean * (1 - mean) / variance if variance > 0 else worth
    return Rate(mean, *wilson(mean, min(max(worth, tasks), trials)), trials)


def pass_power(passed: int, trials: int, k: int) -> float:
    """The chance that k trials drawn from these, without putting back, all passed: pass^k of one task.

    Unbiased, as in τ-bench (Yao et al., 2024).

    >>> pass_power(3, 4, 1), pass_power(3, 4, 2), pass_power(1, 4, 2)
    (0.75, 0.5, 0.0)
    """
    return math.comb(passed, k) / math.comb(trials, k)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies, interpolated; 0 where there are none.

    >>> quantile([4, 1, 3, 2], 0.5), quantile([1, 2], 0.95), quantile([], 0.5)
    (2.5, 1.95, 0.0)
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
