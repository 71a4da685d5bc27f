"""Collecting: runs on train tasks in waves, until each task has shown what it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...example import Example
from ...module import Module
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Rollout
from ..splits import task_of
from .runs import Collected, shown_in

ENOUGH = 2  # distinct successes of a task
ALIKE = 3  # successes of a task that are all alike: it may have one way only


@dataclass(frozen=True, slots=True)
class Source:
    """Who attempts the tasks in a wave."""

    name: str
    program: Module
    temperature: float | None


def sources(student: Module, teacher: Module, attempts: int) -> list[Source]:
    """Waves: the student at temperature 0, once at 1, and then the teacher.

    Where the teacher is the student itself, it goes on at 1.
    """
    first = [Source("student at 0", student, 0.0), Source("student at 1", student, 1.0)]
    name = "student at 1" if teacher is student else "teacher"
    return [*first, *(Source(name, teacher, 1.0) for _ in range(attempts - 2))][:attempts]


@dataclass(slots=True)
class Collection:
    """All attempts at train tasks, over all rounds."""

    asker: Asker
    paths: Sequence[str]
    runs: dict[str, list[Collected]] = field(default_factory=dict)

    def waves(self, tasks: Sequence[Example], by: Sequence[Source], first: int) -> Asks[None]:
        """Attempt tasks in waves, with rollout ids from `first` on; a task with enough successes is left alone."""
        most = len(tasks) * len(by) + sum(map(len, self.runs.values()))
        for number, source in enumerate(by, first):
            unsolved = [task for task in tasks if not self.is_done(task_of(task))]
            if not unsolved:
                return
            wanted = [
                Rollout(source.program, task, number, source.temperature, strict=True) for task in unsolved
            ]
            outcomes = yield from self.asker.ask("collect", wanted, most)
            for task, outcome in zip(unsolved, outcomes, strict=True):
                if not outcome.skipped and outcome.problem != "excluded":
                    made = Collected(task, outcome, source.name)
                    self.runs.setdefault(task_of(task), []).append(made)
            if any(outcome.skipped for outcome in outcomes):
                return

    def is_done(self, task: str) -> bool:
        """Whether a task was passed in so many ways, or so often, that more would show little."""
        passed = self.successes(task)
        return len(passed) >= ALIKE or len({_way(run, self.paths) for run in passed}) >= ENOUGH

    def successes(self, task: str) -> list[Collected]:
        """The attempts at a task that passed."""
        return [run for run in self.runs.get(task, ()) if run.outcome.passed]

    @property
    def solved(self) -> list[str]:
        """The tasks that were passed at least once."""
        return [task for task in self.runs if self.successes(task)]

    @property
    def passed(self) -> dict[str, float]:
        """The share of each task's attempts that passed."""
        return {task: len(self.successes(task)) / len(runs) for task, runs in self.runs.items()}


def _way(run: Collected, paths: Sequence[str]) -> tuple[object, ...]:
    return tuple(shown.signature for shown in shown_in(run, paths))
