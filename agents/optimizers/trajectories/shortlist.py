"""The shortlist: few demonstrations that together show much, in the order in which each adds the most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ...adapters.base import SUBMIT
from .runs import Shown, acts_of

WEIGHTS: Mapping[str, float] = {"tool": 3.0, "error": 3.0, "pair": 1.0, "cluster": 1.0}
AGAIN = 0.25  # of a feature's weight, each further time that it is shown
FREE = 200  # tokens that every demonstration costs beside its own


def distinct(bank: Iterable[Shown]) -> list[Shown]:
    """One demonstration for each action signature: the shortest, the first of several."""
    best: dict[tuple[object, ...], Shown] = {}
    for shown in bank:
        key = (shown.path, shown.signature)
        if key not in best or shown.tokens < best[key].tokens:
            best[key] = shown
    return list(best.values())


def features(shown: Shown) -> Counter[tuple[str, object]]:
    """What a demonstration shows: its tools, which follows which, the errors that are met, the kind of its task."""
    acts = acts_of(shown.trajectory)
    names = [act.call.name for act in acts if act.call.name != SUBMIT]
    found: Counter[tuple[str, object]] = Counter(("tool", name) for name in set(names))
    found.update(("pair", pair) for pair in set(pairwise(["", *names, ""])))
    found.update(("error", (act.call.name, act.result.error)) for act in acts if act.result.error)
    tags = shown.demo.get("tags") or ()
    found.update(("cluster", tag) for tag in ([tags] if isinstance(tags, str) else tags))
    return found


def by_coverage(bank: Sequence[Shown], chosen: Sequence[Shown] = (), k: int | None = None) -> list[Shown]:
    """The demonstrations in the order in which each adds most to those before it, for its tokens.

    What was shown counts less when it is shown again, and rare features count more than common ones.
    """
    commonness = Counter(feature for shown in bank for feature in features(shown))
    seen: Counter[tuple[str, object]] = Counter()
    for shown in chosen:
        seen.update(features(shown).keys())
    left = list(bank)
    order: list[Shown] = []
    while left and (k is None or len(order) < k):
        best = max(left, key=lambda one: (_worth(one, seen, commonness, len(bank)), -one.tokens))
        left.remove(best)
        order.append(best)
        seen.update(features(best).keys())
    return order


def _worth(
    shown: Shown, seen: Mapping[tuple[str, object], int], commonness: Mapping[tuple[str, object], int], n: int
) -> float:
    worth = 0.0
    for feature in features(shown):
        rare = 1 + 1 / (1 + commonness.get(feature, 0)) if n else 1
        worth += WEIGHTS[feature[0]] * rare * AGAIN ** seen.get(feature, 0)
    return worth / (FREE + shown.tokens)
