"""Sets of demonstrations to choose from: some drawn at random, some so that together they show much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

from ...adapters.base import SUBMIT
from ...example import Example
from ...trajectory import Trajectory
from .demonstrations import Solved


def drawn(solved: Sequence[Solved], most: int, chance: Random) -> list[Solved]:
    """A random set of 1 to `most`."""
    return chance.sample(list(solved), chance.randint(1, min(most, len(solved))))


def covering(solved: Sequence[Solved], most: int, chance: Random) -> list[Solved]:
    """A set of up to `most` that begins anywhere; each further run shows the most that those before it do not show.

    Runs that used a tool go before those that answered out of nothing, and runs without a call that was wrong before
    those with one; of runs that add as much the shorter goes first. It ends where nothing is added any more.
    """
    able = [one for one in solved if features(one.demos)] or list(solved)
    pool = [one for one in able if not mistakes(one.demos)] or able
    chance.shuffle(pool)
    chosen, seen = [pool[0]], features(pool[0].demos)
    while len(chosen) < min(most, len(pool)):
        rest = [one for one in pool if one not in chosen]
        best = max(rest, key=lambda one: (*_weight(features(one.demos) - seen), -_length(one.demos)))
        if seen and not features(best.demos) - seen:
            break
        chosen.append(best)
        seen |= features(best.demos)
    return chosen


def features(demos: Mapping[str, Example]) -> set[str]:
    """What a run shows: tools that were used, which after which, and errors that the same call got over."""
    found: set[str] = set()
    for demo in demos.values():
        trajectory = demo.get("trajectory")
        results = trajectory.results if isinstance(trajectory, Trajectory) else ()
        made = [result for result in results if result.call.name not in ("", SUBMIT)]
        found |= {one.call.name for one in made if one.ok}
        found |= {
            f"{one.call.name} {after.call.name}" for one, after in pairwise(made) if one.ok and after.ok
        }
        found |= {
            f"again {one.call.name}"
            for one, after in pairwise(made)
            if not one.ok and after.ok and dict(one.call.args) == dict(after.call.args)
        }
    return found


def _weight(features: set[str]) -> tuple[int, int]:
    """How much is new: tools and errors that were got over first, then which tool came after which."""
    orders = sum(" " in feature and not feature.startswith("again ") for feature in features)
    return len(features) - orders, orders


def mistakes(demos: Mapping[str, Example]) -> int:
    """How many calls of a run were wrong in themselves: no such tool, or arguments that do not fit it."""
    trajectories = [demo.get("trajectory") for demo in demos.values()]
    results = [r for one in trajectories if isinstance(one, Trajectory) for r in one.results]
    return sum(result.error in ("unknown_tool", "invalid_args", "unparsed") for result in results)


def _length(demos: Mapping[str, Example]) -> int:
    return sum(len(str(demo.get("trajectory", ""))) for demo in demos.values())
