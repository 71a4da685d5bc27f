"""What a run would ask for at most, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...module import Module
from ...modules.agent import Agent
from ..trials.attempt import Trial, prepared

_OWN = "loopwright.modules."  # whose programs are known to ask nobody else


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a run would be; `calls` of models at most, None where nothing bounds them."""

    files: int
    tasks: int
    epochs: int
    trials: int
    calls: int | None


def extent(trials: Sequence[Trial]) -> Extent:
    """How large a run of these trials would be."""
    known: dict[tuple[str, str], int | None] = {}
    for trial in trials:
        key = (trial.file.name, trial.task.id)
        if key not in known:
            known[key] = calls_at_most(trial)
    each = [known[trial.file.name, trial.task.id] for trial in trials]
    return Extent(
        len({trial.file.name for trial in trials}),
        len(known),
        1 + max((trial.epoch for trial in trials), default=0),
        len(trials),
        None if None in each else sum(one or 0 for one in each),
    )


def calls_at_most(trial: Trial) -> int | None:
    """Calls of models that a trial makes at most, None where nothing bounds them; repeats after failures apart.

    An agent asks once for each step and once more for its last answer, a predictor as often as its answers
    need repairs; a simulated user speaks so many times, and a judged answer is asked about once.
    """
    task = trial.task
    played = [turn.simulate.max_turns for turn in task.turns or () if turn.simulate is not None]
    turns = len(task.turns or ()) - len(played) + sum(played) if task.turns else 1
    each = _program_calls(prepared(trial))
    return None if each is None else turns * each + sum(played) + _judged_answers(trial)


def _program_calls(program: Module) -> int | None:
    if isinstance(program, Agent):
        return None if program.limits.steps is None else program.limits.steps + 1
    predictors = program.predictors()
    if type(program).__module__.startswith(_OWN) and len(predictors) == 1:
        return int(predictors[0].max_repairs) + 1
    return None


def _judged_answers(trial: Trial) -> int:
    expected = [trial.task.expect, *(turn.expect for turn in trial.task.turns or ())]
    return sum(matcher.judge is not None for one in expected for matcher in one.answer.values())
