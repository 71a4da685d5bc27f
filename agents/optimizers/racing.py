"""Arms that race on held-out tasks: paired, halved from rung to rung, and confirmed on tasks that chose nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..example import Example
from ..module import Module
from .driving.asking import Asker, Asks
from .driving.rollouts import Outcome, Rollout, draws
from .estimates import Difference, Estimate, estimate, paired
from .report import Decision
from .splits import task_of

CONFIRMING = 10_000  # the first rollout id of a confirmation: nothing else uses ids so high
PRECISE = 80  # rollouts of one arm that a confirmation should come to
MOST_REPEATS = 4  # of one task in a confirmation
FIRST_RUNG = 8  # tasks that every arm is tried on
FULL = 1 - 1e-9  # a full score
PERFECT = "the student passes every held-out task: nothing is left to gain"
UNSCORED = "the student got no score on any held-out task, so nothing can be compared"

Values = dict[object, list[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """A candidate: its name, the program, and a word on how it came about."""

    name: str
    program: Module
    note: str = ""


@dataclass(slots=True)
class Board:
    """What was measured of which arm: by the arm's name and the task, the scores, with the outcomes they come from.

    All arms are run on the same tasks under the same rollout ids, so that their differences are paired.
    """

    asker: Asker
    values: dict[str, Values] = field(default_factory=dict)
    outcomes: dict[tuple[str, str, int], Outcome] = field(default_factory=dict)

    def measure(
        self,
        phase: str,
        arms: Sequence[Arm],
        tasks: Sequence[Example],
        repeats: int = 1,
        first: int = 0,
        planned: int | None = None,
    ) -> Asks[None]:
        """Run every arm on every task, `repeats` times; what was measured before is not asked for again.

        All tasks come once before any comes twice: a budget that ends in between has seen as many as it could.
        """
        wanted = [
            (arm, task, number)
            for number in range(first, first + repeats)
            for task in tasks
            for arm in arms
            if (arm.name, task_of(task), number) not in self.outcomes
        ]
        rollouts = [Rollout(arm.program, task, number) for arm, task, number in wanted]
        told = yield from self.asker.ask(phase, rollouts, planned)
        for (arm, task, number), outcome in zip(wanted, told, strict=True):
            if outcome.skipped:
                continue
            name = task_of(task)
            self.outcomes[arm.name, name, number] = outcome
            if outcome.value is not None:
                self.values.setdefault(arm.name, {}).setdefault(name, []).append(outcome.value)

    def score(self, arm: Arm) -> Estimate | None:
        """An arm's mean, over the tasks that it was run on."""
        return estimate(self.values.get(arm.name, {}))

    def mean(self, arm: Arm) -> float:
        """The same as a number to sort by; an arm that was never run is last."""
        found = self.score(arm)
        return -math.inf if found is None else found.mean

    def on(self, arm: Arm, tasks: Sequence[Example]) -> float | None:
        """An arm's mean on these tasks alone; None where it was run on none of them."""
        values = self.values.get(arm.name, {})
        found = estimate({name: values[name] for name in map(task_of, tasks) if name in values})
        return None if found is None else found.mean

    def is_perfect(self, arm: Arm) -> bool:
        """Whether every run of an arm passed with a full score, as far as they were scored; not where none was."""
        scores = [
            one.score
            for (name, _, _), one in self.outcomes.items()
            if name == arm.name and one.score is not None
        ]
        return bool(scores) and all(score.passed and float(score) >= FULL for score in scores)

    def has_all(self, arm: Arm, tasks: Sequence[Example]) -> bool:
        """Whether an arm was run on all of these."""
        return all((arm.name, task_of(task), 0) in self.outcomes for task in tasks)

    def over(self, arm: Arm, other: Arm) -> Difference:
        """How much better an arm is than another, on the tasks of both."""
        return paired(self.values.get(arm.name, {}), self.values.get(other.name, {}))


def rung_order(tasks: Sequence[Example], seed: int) -> list[Example]:
    """The tasks in the order in which rungs take them: the first few are the first rung."""
    order = list(tasks)
    draws(seed, "rungs").shuffle(order)
    return order


def race(
    board: Board, baseline: Arm, arms: Sequence[Arm], tasks: Sequence[Example], seed: int, keep: int = 2
) -> Asks[tuple[list[Arm], list[Decision]]]:
    """Successive halving: all arms on a few tasks, the better half on twice as many, until `keep` are run on all.

    The baseline stays in, so that every difference from it is paired. Gives the arms that are left, best first.
    After Jamieson and Talwalkar, "Non-stochastic Best Arm Identification" (AISTATS 2016).
    """
    order = rung_order(tasks, seed)
    rung = min(FIRST_RUNG, len(order))
    many = _affordable(board.asker, len(arms), rung)
    left = list(arms[:many])
    decisions = [Decision("select", arm.name, "not tried", "the budget is too small") for arm in arms[many:]]
    while True:
        yield from board.measure("select", [baseline, *left], order[:rung])
        left.sort(key=lambda arm: -board.mean(arm))
        if rung >= len(order) or board.asker.exhausted:
            break
        survivors = max(keep, math.ceil(len(left) / 2))
        decisions += [
            Decision(
                "select", arm.name, "dropped", f"{board.score(arm)} after {rung} tasks, in the lower half"
            )
            for arm in left[survivors:]
        ]
        left = left[:survivors]
        rung = len(order) if len(left) <= keep else min(2 * rung, len(order))
    return left, decisions


def _affordable(asker: Asker, arms: int, rung: int) -> int:
    """How many arms can be tried so that the first rung takes half of what is left; one at least."""
    room = asker.room()
    return arms if room == math.inf or not rung else max(1, min(arms, int(room / 2 / rung) - 1))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a confirmation found: the arm to return, and the estimates to report; None where it was not measured.

    `gain` is the best finalist's over the baseline, by what decided.
    """

    chosen: Arm
    reason: str
    confirmed: Estimate | None = None
    baseline: Estimate | None = None
    decisions: tuple[Decision, ...] = ()
    gain: Difference | None = None


def unchanged(baseline: Arm, why: str) -> Verdict:
    """The verdict where nothing was tried against the baseline."""
    return Verdict(baseline, f"the baseline is returned: {why}")


def confirm(
    board: Board,
    baseline: Arm,
    finalists: Sequence[Arm],
    tasks: Sequence[Example],
    none: str = "no candidate came about",
) -> Asks[Verdict]:
    """Run the finalists and the baseline on tasks, and under rollout ids, that nothing was chosen by.

    The baseline comes back unless the best finalist is better than it by more than the standard error of the paired
    difference. Where there are no tasks left to confirm on, or no budget, what was measured before decides, by the
    same rule, and the verdict says so. `none` is why there are no finalists, where there are none.
    """
    if not finalists:
        return unchanged(baseline, none)
    board.asker.release()
    fresh = Board(board.asker)
    if tasks:
        times = repeats_of(len(tasks))
        yield from fresh.measure("confirm", [baseline, *finalists], tasks, times, CONFIRMING)
    judge, where = (
        (fresh, "confirmed on unused tasks") if _is_measured(fresh, baseline, finalists) else (board, "")
    )
    if not where:
        why = "the budget was used up" if tasks else "there were no tasks left for it"
        where = f"not confirmed, since {why}; on the tasks it was selected by"
    best = max(finalists, key=judge.mean)
    gain = judge.over(best, baseline)
    better = gain.mean > gain.error  # which one task alone, or none, leaves infinite
    chosen = best if better else baseline
    said = f"{best.name} is {gain} against the baseline ({where})"
    why = "which is not more than the error" if gain.n > 1 else "and one task shows nothing"
    reason = said if better else f"the baseline is returned: {said}, {why}"
    decision = Decision("confirm", best.name, "returned" if better else "dropped", f"{gain} ({where})")
    return Verdict(
        chosen,
        reason if gain.n else f"the baseline is returned: nothing could be measured ({where})",
        fresh.score(chosen),
        fresh.score(baseline),
        (decision,),
        gain if gain.n else None,
    )


def repeats_of(tasks: int) -> int:
    """How often each of so many tasks is run in a confirmation.

    >>> repeats_of(30), repeats_of(200)
    (3, 1)
    """
    return min(MOST_REPEATS, math.ceil(PRECISE / max(tasks, 1)))


def _is_measured(board: Board, baseline: Arm, finalists: Sequence[Arm]) -> bool:
    return all(board.score(arm) is not None for arm in (baseline, *finalists))
