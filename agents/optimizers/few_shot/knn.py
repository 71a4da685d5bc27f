"""KNNFewShot: a bank of demonstrations, of which each prompt shows those that are nearest to its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from ...example import Example
from ...modules.knn import Vectorizer, checked_k
from ..base import Program, Setting
from ..components import with_demos
from ..conclusion import parts_to_confirm
from ..driving.rollouts import Search
from ..options import CompileOptions
from ..racing import Arm
from ..report import Decision
from ..splits import is_of, task_of
from .bootstrap import RESERVE, BootstrapFewShot
from .demonstrations import Solved, labelled_demos, shown


class KNNFewShot(BootstrapFewShot):
    """Compiles a trainset once into a bank; at call time a prompt shows the `k` demonstrations nearest to its inputs.

    The bank holds a successful run of every training task that the teacher solves, and, for plain predictors, labelled
    examples of the others; an agent's bank holds whole trajectories. A task is never shown itself, nor what is of its
    group. `vectorizer` is any function from texts to vectors; without one words are hashed (`KNN`). Bank and `k` are
    saved with the program, a vectorizer of your own by its name alone. The other arguments are those of
    `BootstrapFewShot`; with a metric the result is confirmed as there. Without one nothing is run for plain
    predictors: the examples are the bank.
    """

    def __init__(
        self,
        k: int,
        trainset: Sequence[Example],
        vectorizer: Vectorizer | None = None,
        **few_shot_bootstrap_args: Any,
    ) -> None:
        super().__init__(**few_shot_bootstrap_args)
        self.k = checked_k(k)
        self.trainset = list(trainset)
        self.vectorizer = vectorizer

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example] | None = None,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with the bank, or as it was where that does not help."""
        given = self.trainset if trainset is None else trainset
        return super().compile(student, trainset=given, **options)

    def search(self, setting: Setting) -> Search:
        """Fill the bank, confirm that it helps."""
        parts = parts_to_confirm(setting.train, setting.val, self.seed)
        train = parts.train if self.metric else list(setting.train)
        gathering = self.gathering(setting, train, RESERVE if parts.confirm and self.metric else 0)
        asks = self.metric is not None or any(p.takes_guidance for p in setting.student.predictors())
        solved = (yield from gathering.until(None, train)) if asks else []
        arm = self._bank(setting, train, solved)
        decisions = [
            *gathering.decisions,
            *(Decision("bank", task_of(one.example), "in the bank") for one in solved),
        ]
        return (yield from self._concluded(setting, parts, arm, gathering, decisions))

    def _bank(self, setting: Setting, train: Sequence[Example], solved: Sequence[Solved]) -> Arm:
        rest = [one for one in train if not any(is_of(one, other.example) for other in solved)]
        more = labelled_demos(
            setting.student,
            rest,
            len(rest) if self.max_labeled_demos else 0,
            self.seed,
            sample=False,
        )
        demos = shown(setting.student, solved, more)
        program = with_demos(setting.student, demos, nearest=self.k)
        for predictor in program.predictors():
            predictor.vectorizer = self.vectorizer
        size = max(map(len, demos.values()), default=0)
        program = program.with_state(program.states())  # with its index, so that no copy makes it again
        return Arm("nearest", program, f"a bank of {size}, the nearest {self.k} shown")
