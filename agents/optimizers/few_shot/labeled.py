"""LabeledFewShot: labelled examples as demonstrations, as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Unpack

from ...evaluation.metrics import Metric
from ...evaluation.rollout import file_of
from ...example import Example
from ...module import Module
from ..base import Optimizer, Program, Setting
from ..components import agent_paths, with_demos
from ..conclusion import concluded, parts_to_confirm, unmeasured
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Search, draws
from ..options import CompileOptions, every_run_passes
from ..racing import Arm, Board, confirm
from ..references import known_runs
from .demonstrations import labelled_demos


class LabeledFewShot(Optimizer):
    """Shows up to `k` labelled examples. No model is asked, unless there is a `metric` to confirm by.

    A plain predictor gets examples that have its fields. An agent gets those that hold a known good `trajectory`, and,
    where the metric is a task file's, the references of its tasks that pass when they are replayed; where there are
    none, `ConfigurationError` is raised, since an answer alone would teach it to guess. With a metric, what
    was made is measured against the student on examples that are not shown, and the student comes back unless it is
    better; without one nothing is measured, and the report says so. `compile(sample=False)` takes the first `k`.

    >>> from loopwright import Predict
    >>> trainset = [Example(country=c, capital=t).with_inputs("country") for c, t in [("France", "Paris"), ("Italy", "Rome")]]
    >>> program = LabeledFewShot(k=1).compile(Predict("country -> capital"), trainset=trainset, sample=False)
    >>> program.demos[0].capital, program.compile_report.reason
    ('Paris', '1 labelled demonstrations; nothing was measured: LabeledFewShot was given no metric')
    """

    def __init__(self, k: int = 16, *, metric: Metric | None = None, seed: int = 0) -> None:
        self.k = k
        self.metric = metric
        self.seed = seed
        self.sample = True

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        sample: bool = True,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with demonstrations; `sample` draws them."""
        search = copy.copy(self)
        search.sample = sample
        return super(LabeledFewShot, search).compile(student, trainset=trainset, **options)

    def _metric(self) -> Metric:
        return self.metric or every_run_passes

    def search(self, setting: Setting) -> Search:
        """Set the demonstrations, and measure them where that is possible."""
        name, asker = type(self).__name__, Asker(setting.budget)
        train = list(setting.train)
        parts = parts_to_confirm(train, setting.val, self.seed)
        demos = yield from self._demos(asker, setting.student, parts.train if self.metric else train)
        count = sum(map(len, demos.values()))
        arm = Arm("labelled", with_demos(setting.student, demos), f"{count} labelled demonstrations")
        if self.metric is None:
            return unmeasured(
                name, self.seed, arm, parts, "nothing was measured: LabeledFewShot was given no metric"
            )
        if not parts.confirm:
            return unmeasured(name, self.seed, arm, parts)
        board, baseline = Board(asker), Arm("baseline", setting.student)
        verdict = yield from confirm(board, baseline, [arm], parts.confirm)
        return concluded(name, self.seed, board, baseline, [arm], verdict, parts=parts)

    def _demos(
        self, asker: Asker, student: Module, examples: Sequence[Example]
    ) -> Asks[dict[str, list[Example]]]:
        demos = labelled_demos(student, examples, self.k, self.seed, sample=self.sample)
        for path in sorted(agent_paths(student)):
            gold = yield from known_runs(asker, file_of(self.metric), student, path, examples, self.seed)
            count = min(self.k, len(gold))
            demos[path] = draws(self.seed, "gold", path).sample(gold, count) if self.sample else gold[:count]
        return demos
