"""BootstrapFewShot: a teacher's successes as demonstrations.

After Khattab et al., "DSPy: Compiling Declarative Language Model Calls into Self-Improving Pipelines" (ICLR 2024). For
agents it is the plain form of `BootstrapTrajectories`: whole trajectories, one try a task, the first that pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ...evaluation.metrics import Metric
from ...example import Example
from ..base import Optimizer, Program, Setting
from ..components import with_demos
from ..conclusion import Parts, concluded, parts_to_confirm, unmeasured
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Compiled, Search
from ..options import CompileOptions, every_run_passes, with_defaults
from ..racing import Arm, Board, confirm, unchanged
from ..report import Decision
from ..splits import is_of
from .demonstrations import Gathering, Solved, labelled_demos, shown

NOTHING_SHOWN = "no run passed, so there is nothing to show"
RESERVE = 0.35  # of the budget for the confirmation, the larger part of what this optimizer does


class BootstrapFewShot(Optimizer):
    """Runs a teacher on training tasks and shows the student up to `max_bootstrapped_demos` of its successes.

    A plain predictor is shown labelled examples beside them, `max_labeled_demos` demonstrations in all, and so is the
    teacher, but never a task's own. An agent is shown whole trajectories that ended with its own answer, in the order
    of the tasks, with nothing rewritten. `max_rounds` above 1 tries unsolved tasks again at temperature 1. Without a
    metric every run passes. `teacher_settings={"lm": ...}` names the teacher's model; `max_errors` is taken because
    DSPy's programs give it, and changes nothing: no error ends a compile.

    Where there are ten groups of examples or more, or a valset, what was made is measured on examples that were not
    learned from, and the student comes back unless it is better.
    """

    def __init__(
        self,
        metric: Metric | None = None,
        metric_threshold: float | None = None,
        teacher_settings: Mapping[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        max_errors: int | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.teacher_settings = teacher_settings
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.max_errors = max_errors
        self.seed = seed

    def compile(
        self, student: Program, *, trainset: Sequence[Example], **options: Unpack[CompileOptions]
    ) -> Program:
        """A copy of the student with demonstrations, or as it was where they do not help."""
        filled = with_defaults(options, teacher_settings=self.teacher_settings)
        return super().compile(student, trainset=trainset, **filled)

    def _metric(self) -> Metric:
        return self.metric or every_run_passes

    def search(self, setting: Setting) -> Search:
        """Gather, assemble, confirm."""
        parts = parts_to_confirm(setting.train, setting.val, self.seed)
        gathering = self.gathering(setting, parts.train, RESERVE if parts.confirm and self.metric else 0)
        solved = yield from gathering.until(self.max_bootstrapped_demos, parts.train)
        arm = self._arm(setting, parts.train, solved)
        decisions = [
            *gathering.decisions,
            *(Decision("bootstrap", str(one.example.get("task_id", "")), "shown") for one in solved),
        ]
        return (yield from self._concluded(setting, parts, arm, gathering, decisions))

    def _concluded(
        self, setting: Setting, parts: Parts, arm: Arm, gathering: Gathering, decisions: list[Decision]
    ) -> Asks[Compiled]:
        name, board = type(self).__name__, Board(gathering.asker)
        baseline = Arm("baseline", setting.student)
        if not any(state.demos for state in arm.program.states().values()):
            verdict = unchanged(baseline, NOTHING_SHOWN)
            return concluded(name, self.seed, board, baseline, [], verdict, decisions, parts=parts)
        if self.metric is None or not parts.confirm:
            why = "" if self.metric else "nothing was measured: there is no metric"
            return unmeasured(name, self.seed, arm, parts, why, decisions=tuple(decisions))
        verdict = yield from confirm(board, baseline, [arm], parts.confirm)
        return concluded(name, self.seed, board, baseline, [arm], verdict, decisions, parts=parts)

    def gathering(self, setting: Setting, train: Sequence[Example], reserve: float) -> Gathering:
        """What runs the teacher: shown labelled examples, where it has no demonstrations of its own."""
        teacher = setting.teacher
        if not any(predictor.demos for predictor in teacher.predictors()):
            teacher = with_demos(teacher, labelled_demos(teacher, train, self.max_labeled_demos, self.seed))
        return Gathering(Asker(setting.budget, reserve), teacher, self.seed, self.max_rounds)

    def _arm(self, setting: Setting, train: Sequence[Example], solved: Sequence[Solved]) -> Arm:
        rest = [one for one in train if not any(is_of(one, other.example) for other in solved)]
        more = labelled_demos(setting.student, rest, self.max_labeled_demos - len(solved), self.seed)
        demos = shown(setting.student, solved, more)
        note = f"{len(solved)} runs of the teacher, {sum(map(len, more.values()))} labelled examples"
        return Arm("bootstrapped", with_demos(setting.student, demos), note)
