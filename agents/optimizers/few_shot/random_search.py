"""Random search over sets of demonstrations.

After Khattab et al. (ICLR 2024), with one difference that saves most of the cost: the teacher runs once, and the
candidates are subsets of what it solved, where DSPy runs the teacher anew for each.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ...evaluation.metrics import Metric
from ...example import Example
from ..base import Program, Setting
from ..components import agent_paths, with_demos
from ..conclusion import concluded, parts_of
from ..driving.rollouts import Search, draws
from ..options import CompileOptions, with_defaults
from ..racing import Arm, Board, confirm, race
from ..splits import is_of
from .bootstrap import NOTHING_SHOWN, BootstrapFewShot
from .demonstrations import Solved, labelled_demos, shown

RESERVE = 0.25  # of the budget for the confirmation
GATHERED = 0.3  # of the budget at most for the pool
FINALISTS = (
    2  # that are run on all tasks; the better one is confirmed, so that the confirmation chooses nothing
)


class BootstrapFewShotWithRandomSearch(BootstrapFewShot):
    """Tries `num_candidate_programs` random sets of demonstrations, and more that are always tried, on held-out tasks.

    The pool are all training tasks that the teacher solves. Always tried are the student without demonstrations (-3),
    labelled ones alone (-2) and the first that passed (-1); from 0 on sets are random, of 1 to
    `max_bootstrapped_demos`. `compile(restrict=[...])` tries only the sets of these numbers. All are tried on a few
    tasks, the better half on more, and the two best are confirmed against the student on tasks that chose nothing.
    The search ends early where a set scores `stop_at_score` (as `metric` counts: 1 is all right) on all of them.
    """

    def __init__(
        self,
        metric: Metric,
        teacher_settings: Mapping[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        num_candidate_programs: int = 16,
        num_threads: int | None = None,
        max_errors: int | None = None,
        stop_at_score: float | None = None,
        metric_threshold: float | None = None,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(
            metric,
            metric_threshold,
            teacher_settings,
            max_bootstrapped_demos,
            max_labeled_demos,
            max_rounds,
            max_errors,
            seed=seed,
        )
        self.num_candidate_programs = num_candidate_programs
        self.num_threads = num_threads
        self.stop_at_score = stop_at_score
        self.restrict: Sequence[int] | None = None
        self.labeled_sample = True

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        restrict: Sequence[int] | None = None,
        labeled_sample: bool = True,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with the best set, or as it was where none is better."""
        search = copy.copy(self)
        search.restrict, search.labeled_sample = restrict, labeled_sample
        filled = with_defaults(options, num_threads=self.num_threads)
        return super(BootstrapFewShotWithRandomSearch, search).compile(student, trainset=trainset, **filled)

    def search(self, setting: Setting) -> Search:
        """Gather a pool, race its subsets, confirm the best."""
        parts = parts_of(setting.train, setting.val, self.seed)
        gathering = self.gathering(setting, parts.train, 1 - GATHERED)
        solved = yield from gathering.until(None, parts.train)
        asker = gathering.asker
        asker.reserve, asker.exhausted = RESERVE if parts.confirm else 0.0, False
        board, baseline = Board(asker), Arm("baseline", setting.student)
        arms = self._arms(setting, parts.train, solved)
        groups = (
            [arms] if self.stop_at_score is None else [arms[at : at + 4] for at in range(0, len(arms), 4)]
        )
        left: list[Arm] = []
        decisions = list(gathering.decisions)
        for some in groups:
            best, dropped = yield from race(board, baseline, [*left, *some], parts.val, self.seed, FINALISTS)
            left, decisions = best[:FINALISTS], decisions + dropped
            if self.stop_at_score is not None and left and board.mean(left[0]) >= self.stop_at_score:
                break
        verdict = yield from confirm(
            board, baseline, left[:1], parts.confirm, NOTHING_SHOWN if not solved else "no set was tried"
        )
        notes = {"pool": len(solved), "note": parts.note}
        return concluded(
            type(self).__name__, self.seed, board, baseline, arms, verdict, decisions, notes, parts=parts
        )

    def _arms(self, setting: Setting, train: Sequence[Example], solved: Sequence[Solved]) -> list[Arm]:
        """The candidates, without those that are another's equal."""
        student = setting.student
        labelled = labelled_demos(
            student, train, self.max_labeled_demos, self.seed, sample=self.labeled_sample
        )
        sets: dict[int, dict[str, list[Example]]] = {
            -3: {path: [] for path, _ in student.named_predictors()},
            -2: labelled,
            -1: self._set(setting, train, solved[: self.max_bootstrapped_demos], -1),
        }
        for number in range(self.num_candidate_programs if solved else 0):
            chance = draws(self.seed, "candidate", number)
            size = chance.randint(1, min(self.max_bootstrapped_demos, len(solved)))
            sets[number] = self._set(setting, train, chance.sample(list(solved), size), number)
        seen = [_contents(student.states())]
        arms: list[Arm] = []
        for number, demos in sets.items():
            if self.restrict is not None and number not in self.restrict:
                continue
            program = with_demos(student, demos)
            if _contents(program.states()) in seen:
                continue
            seen.append(_contents(program.states()))
            arms.append(Arm(f"set {number}", program, _note(number, demos, agent_paths(student))))
        return arms

    def _set(
        self, setting: Setting, train: Sequence[Example], solved: Sequence[Solved], number: int
    ) -> dict[str, list[Example]]:
        rest = [one for one in train if not any(is_of(one, other.example) for other in solved)]
        count = self.max_labeled_demos - len(solved)
        return shown(
            setting.student, solved, labelled_demos(setting.student, rest, count, self.seed + 1 + number)
        )


BootstrapRS = BootstrapFewShotWithRandomSearch


def _contents(states: Mapping[str, Any]) -> list[tuple[str, tuple[Example, ...]]]:
    return [(path, state.demos) for path, state in states.items()]


def _note(number: int, demos: Mapping[str, Sequence[Example]], agents: frozenset[str]) -> str:
    kinds = {-3: "no demonstrations", -2: "labelled examples alone", -1: "the first that passed"}
    count = max(map(len, demos.values()), default=0)
    unit = "trajectories" if agents else "demonstrations"
    return kinds.get(number, f"{count} {unit} drawn from the pool")
