"""Running tasks: every task so many times, several at once, each trial judged as soon as it is done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from ..module import Module
from .attempt import Trial, TrialResult, run_trial
from .tasks import TaskFile
from .workers import as_completed

GIVE_UP_AFTER = 10  # trials, when every one so far was excluded: no model is there


def plan(file: TaskFile, program: Module | None = None, epochs: int | None = None) -> list[Trial]:
    """The trials of a file: each task once, then each again, for as many epochs as are asked for."""
    agent = program or file.agent()
    times = epochs or file.defaults.epochs
    return [Trial(file, agent, task, epoch) for epoch in range(times) for task in file.tasks]


def run_trials(trials: Sequence[Trial], workers: int = 8) -> Generator[TrialResult, None, None]:
    """Run trials in threads that inherit the context; each result as soon as it is there.

    A trial whose model could not be reached is tried once more and then excluded; when the first
    `GIVE_UP_AFTER` were all excluded, the rest is not begun. Closing the generator begins no further trial.

    >>> from loopwright import context
    >>> from loopwright.models import Capabilities, ScriptedLM
    >>> from loopwright.tools import ToolCall
    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: int"}
    ... tasks: [{id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}]
    ... ''')
    >>> lm = ScriptedLM([ToolCall("submit", {"answer": 4})], capabilities=Capabilities(native_tools=True))
    >>> with context(lm=lm):
    ...     [result.outcome for result in run_trials(plan(file))]
    ['passed']
    """
    excluded = 0
    with closing(as_completed(run_trial, trials, workers)) as work:
        for done, (place, outcome) in enumerate(work, 1):
            result = _unjudged(trials[place], outcome) if isinstance(outcome, Exception) else outcome
            yield result
            excluded += result.outcome == "excluded"
            if excluded == done >= GIVE_UP_AFTER:
                return


def _unjudged(trial: Trial, error: Exception) -> TrialResult:
    """A trial that ended in a mistake of a check: not the agent's, and not to be lost."""
    text = f"{type(error).__name__}: {error}"
    return TrialResult(trial.file.name, trial.task, trial.epoch, "excluded", error=text)
