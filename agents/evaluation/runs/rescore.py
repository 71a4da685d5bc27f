"""Judging the trials of a run again, by the task files as they are now: no model is asked, and no tool runs but for what a
reference calls on a world of its own.

Checks are functions of what is kept of a trial: its outputs, its trajectory, its turns, its world. An answer
that a model judges keeps the verdict that it has; a rubric that nobody has judged by yet makes a check that
could not be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...adapters.values import parse_value
from ...errors import ConfigurationError
from ..checks.judge import judge
from ..checks.record import CheckResult, Run
from ..file.format import Task
from ..tasks import TaskFile
from ..trials.attempt import TrialResult, with_checks
from .folder import KeptRun


@dataclass(frozen=True, slots=True)
class Rescored:
    """A trial before and after; `result` is the one that counts now."""

    before: TrialResult
    result: TrialResult

    @property
    def changed(self) -> list[CheckResult]:
        """The checks whose result is another now, or that were not made before."""
        known = {(one.check, one.about, one.turn): one for one in self.before.checks}
        return [one for one in self.result.checks if known.get((one.check, one.about, one.turn)) != one]


def rescored(run: KeptRun, files: Sequence[TaskFile]) -> Iterator[Rescored]:
    """Each trial of a run, judged again where the files have its task; the others are left out.

    Raises `ConfigurationError` where no file has any of the run's tasks.
    """
    tasks = {(file.name, task.id): (file, task) for file in files for task in file.tasks}
    mine = [one for one in run.results if (one.file, one.task.id) in tasks]
    if not mine:
        names = ", ".join(sorted({one.file for one in run.results})) or "none"
        raise ConfigurationError(
            f"{run.path} has no trial of these files' tasks: it is of {names}, the files are "
            + ", ".join(file.name for file in files)
        )
    for one in mine:
        file, task = tasks[one.file, one.task.id]
        yield Rescored(one, rejudged(one, file, task))


def rejudged(result: TrialResult, file: TaskFile, task: Task) -> TrialResult:
    """A trial's result, judged by a task as it is now; one that came to nothing to judge stays what it is."""
    came_to_nothing = result.termination == "lm_error" or any(one.check == "run" for one in result.checks)
    if came_to_nothing or (result.outcome == "excluded" and not result.checks):
        return replace(result, task=task)
    run = Run(
        _outputs(file, result.outputs),
        result.trajectory,
        result.termination,
        [replace(turn, outputs=_outputs(file, turn.outputs)) for turn in result.turns],
        result.verdicts,
        file.record(task, result.world),
    )
    return with_checks(replace(result, task=task), judge(task, run, file.signature, file.tools))


def _outputs(file: TaskFile, kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _typed(file, name, value) for name, value in kept.items()}


def _typed(file: TaskFile, name: str, value: Any) -> Any:
    """A kept output as the program gave it: a date is a date again."""
    field = file.signature.output_fields.get(name)
    if field is None or value is None:
        return value
    try:
        return parse_value(value, field)
    except ValueError:
        return value
