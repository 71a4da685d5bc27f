"""Selecting: which demonstrations, by what they do for the agent on held-out tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...example import Example
from ...module import Module
from ..driving.asking import Asks
from ..racing import Arm, Board
from ..report import Decision
from .runs import Shown, with_demos

PATIENCE = 2  # additions in a row that gain nothing beyond the error
RUNGS = (0.25, 0.5, 1.0)  # of the tasks; after each the better half goes on
HALF = 0.5  # of the tasks, after which a race without a gain is given up
TIED = 0.5  # of the error of a difference: less is a tie, which goes to fewer tokens

Chosen = frozenset[int]
Ranked = Callable[[Sequence[Shown], Sequence[Shown]], Sequence[Shown]]
"""Demonstrations in the order in which they are worth a try, beside those that are shown already."""


@dataclass(slots=True)
class Selection:
    """A search for the set of demonstrations, from a bank that may grow.

    Sets are compared pairwise: the same tasks under the same rollout ids. `tasks` are in the order in which rungs
    take them; `width` demonstrations are tried at a time, the first that `ranked` has of those that fit.
    """

    board: Board
    baseline: Arm
    tasks: Sequence[Example]
    max_demos: int
    max_tokens: int
    width: int
    ranked: Ranked
    bank: list[Shown] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    _arms: dict[Chosen, Arm] = field(default_factory=dict)
    _refused: dict[Chosen, set[int]] = field(default_factory=dict)

    def arm(self, chosen: Chosen) -> Arm:
        """The agent with these demonstrations; they always stand in the bank's order."""
        if not chosen:
            return self.baseline
        if chosen not in self._arms:
            shown = [self.bank[place] for place in sorted(chosen)]
            name = "demos " + " ".join(f"#{place + 1}" for place in sorted(chosen))
            tasks = ", ".join(one.task for one in shown)
            self._arms[chosen] = Arm(
                name, self._program(shown), f"shows {tasks} ({self.tokens(chosen)} tokens)"
            )
        return self._arms[chosen]

    def _program(self, shown: Sequence[Shown]) -> Module:
        return with_demos(self.baseline.program, shown)

    def tokens(self, chosen: Chosen) -> int:
        """What these demonstrations take of every prompt."""
        return sum(self.bank[place].tokens for place in chosen)

    @property
    def measured(self) -> list[Arm]:
        """Every set that was measured on all tasks."""
        return [arm for arm in self._arms.values() if self.board.has_all(arm, self.tasks)]

    @property
    def tried(self) -> bool:
        """Whether any set was run on any task."""
        return any(self.board.score(arm) is not None for arm in self._arms.values())

    def expected(self, rounds: int) -> int:
        """How many rollouts a search of so many rounds takes, give or take: every addition is a race."""

        def race(arms: int) -> float:
            shares = zip((0.0, *RUNGS), RUNGS, strict=False)
            return sum(max(1, arms >> rung) * (share - before) for rung, (before, share) in enumerate(shares))

        races = (self.max_demos + PATIENCE * rounds) * race(self.width) + race(self.max_demos)
        return round(races * len(self.tasks))

    def forward(self, start: Chosen) -> Asks[Chosen]:
        """Add the best one by one, until that gains nothing beyond the error of the difference; ties to fewer tokens."""
        yield from self.board.measure("select", [self.arm(start)], self.tasks)
        path, misses = [start], 0
        while len(path[-1]) < self.max_demos and misses < PATIENCE and not self.board.asker.exhausted:
            now = path[-1]
            refused = self._refused.setdefault(now, set())  # a later round does not try them again
            options = [now | {place} for place in self._next(now, refused)[: self.width]]
            best, promising = yield from self._halved(options, now)
            if best is None:
                break
            gain = self.board.over(self.arm(best), self.arm(now))
            added = min(best - now)
            clear = promising and gain.mean > gain.error
            misses = 0 if clear else misses + 1
            verdict = "added" if promising and gain.mean > 0 else "not added"
            note = "" if clear else ", within the error"
            self._decide(f"#{added + 1} (task {self.bank[added].task})", verdict, f"{gain}{note}")
            if verdict == "added":
                path.append(best)
            else:
                refused |= {min(option - now) for option in options}
        return self._shortest(path)

    def swapped(self, chosen: Chosen) -> Asks[Chosen]:
        """One pass of putting another demonstration in the place of each."""
        options: list[Chosen] = []
        for place in sorted(chosen):
            rest = chosen - {place}
            options += [rest | {other} for other in self._next(rest, {place})[:1]]
        others = [one for one in dict.fromkeys(options) if one != chosen]
        best, promising = yield from self._halved(others, chosen)
        if best is None:
            return chosen
        gain = self.board.over(self.arm(best), self.arm(chosen))
        better = promising and gain.mean > gain.error
        went, came = sorted(chosen - best), sorted(best - chosen)
        subject = f"#{went[0] + 1} for #{came[0] + 1}"
        self._decide(subject, "swapped" if better else "not swapped", str(gain))
        return best if better else chosen

    def _next(self, now: Chosen, refused: set[int]) -> list[int]:
        """The demonstrations that may be added, in the order in which they are tried."""
        room = self.max_tokens - self.tokens(now)
        free = {
            id(one): place for place, one in enumerate(self.bank) if place not in now and one.tokens <= room
        }
        order = self.ranked(
            [self.bank[place] for place in free.values()], [self.bank[place] for place in sorted(now)]
        )
        return [free[id(one)] for one in order if free[id(one)] not in refused]

    def _halved(self, options: Sequence[Chosen], over: Chosen) -> Asks[tuple[Chosen | None, bool]]:
        """The best of several sets by successive halving, by what each gains over a set that was measured on all tasks.

        The race ends early, and False comes with the best, where half of the tasks show no gain.
        """
        left = list(options)
        for share in RUNGS:
            rung = self.tasks[: max(1, round(share * len(self.tasks)))]
            yield from self.board.measure("select", [self.arm(one) for one in left], rung)
            left = [one for one in left if self.board.score(self.arm(one)) is not None]
            left.sort(key=lambda one: (-self._gain(one, over), self.tokens(one)))
            left = left[: max(1, len(left) // 2)]
            if left and share >= HALF and self._gain(left[0], over) <= 0:
                return left[0], False
        return (left[0] if left else None), True

    def _gain(self, one: Chosen, over: Chosen) -> float:
        return self.board.over(self.arm(one), self.arm(over)).mean

    def _shortest(self, path: Sequence[Chosen]) -> Chosen:
        """The best of a path; an earlier one where the two are as good as tied."""
        best = max(path, key=lambda one: self.board.mean(self.arm(one)))
        for one in path[: path.index(best)]:
            gain = self.board.over(self.arm(best), self.arm(one))
            if gain.mean <= TIED * gain.error:
                return one
        return best

    def _decide(self, subject: str, verdict: str, reason: str) -> None:
        self.decisions.append(Decision("select", subject, verdict, reason))
