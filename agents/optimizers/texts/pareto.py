"""The Pareto front over tasks: candidates that are the best on some task, and no other is as good everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random


def front(scores: Mapping[str, Mapping[str, float]]) -> dict[str, int]:
    """The candidates on the front, each with the number of tasks on which nobody is better.

    One that another equals or beats on all of these tasks is not on it; of several that are equal, the first stays.

    >>> front({"a": {"x": 1, "y": 0}, "b": {"x": 0, "y": 1}, "c": {"x": 0, "y": 0.5}})
    {'a': 1, 'b': 1}
    """
    tasks = dict.fromkeys(task for values in scores.values() for task in values)
    best = {task: max(values[task] for values in scores.values() if task in values) for task in tasks}
    wins = {
        name: {task for task in tasks if values.get(task) == best[task]} for name, values in scores.items()
    }
    left = [name for name in scores if wins[name]]
    for name in sorted(left, key=lambda one: len(wins[one])):  # the weakest first
        others = [one for one in left if one != name]
        if any(
            wins[name] < wins[one] or (wins[name] == wins[one] and _first(scores, one, name))
            for one in others
        ):
            left.remove(name)
    return {name: len(wins[name]) for name in left}


def drawn_from(chances: Mapping[str, int], chance: Random) -> str:
    """One of them, each as likely as its number says."""
    return chance.choices(list(chances), weights=list(chances.values()))[0]


def _first(scores: Mapping[str, object], one: str, other: str) -> bool:
    order = list(scores)
    return order.index(one) < order.index(other)
