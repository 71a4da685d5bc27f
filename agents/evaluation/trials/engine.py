"""Running tasks: every task so many times, several at once, each trial judged as soon as it is done."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ...ambient import current, current_lm, drive
from ...models.base import BaseLM
from ...models.lm import EMBEDDED
from ...module import Module
from ...runtime.budget import Budget
from ..runs.journals import journaled
from ..runs.spending import Allowance, OutOfBudgetError, book, gauged
from ..tasks import TaskFile
from ..workers import AsDone, Executor, InTurn, Loop, Threads
from .attempt import Trial, TrialResult, arun_trial

TrialExecutor = Executor[Trial, TrialResult]

IN_THREADS = 256  # trials at once; up to here threads are faster (tests/benchmarks/bench_eval.py), a model that waits or not
GIVE_UP_AFTER = 10  # trials, when every one so far was excluded: no model is there

amake_trial = gauged(journaled(arun_trial))  # in the file's journal, and under the run's budget


def make_trial(trial: Trial) -> TrialResult:
    """Run one trial in its file's journal and under the run's budget; blocks."""
    return drive(amake_trial(trial))


def plan(file: TaskFile, program: Module | None = None, epochs: int | None = None) -> list[Trial]:
    """The trials of a file: each task once, then each again, for as many epochs as are asked for."""
    agent = program or file.agent()
    times = epochs or file.defaults.epochs
    return [Trial(file, agent, task, epoch) for epoch in range(times) for task in file.tasks]


def programmed(file: TaskFile, state: Path | None) -> Module:
    """The agent of a file, with the state of a saved program where one is given, instead of the file's own."""
    if state is None:
        return file.agent()
    named = file.spec.program
    own_state = named is not None and named.endswith(".json")
    spec = file.spec.model_copy(update={"program": None}) if own_state else file.spec
    agent = replace(file, spec=spec).agent()
    agent.load(state)
    return agent


def run_trials(
    trials: Sequence[Trial], workers: int = 8, executor: TrialExecutor | None = None
) -> Generator[TrialResult, None, None]:
    """Run trials; each result as soon as it is there.

    They run in threads, more than `IN_THREADS` of them as tasks on an event loop where program and model can be
    awaited; all inherit the context. One worker works in the caller's own thread. An
    `executor` may run them elsewhere, and is closed in the end.

    A trial whose model could not be reached is tried once more and then excluded; when the first
    `GIVE_UP_AFTER` were all excluded, the rest is not begun. Nor is it when a budget around it is used up; what
    that cut short is no result. Closing the generator begins no further trial.

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
    if executor is None and min(workers, len(trials)) <= 1:
        executor = InTurn(make_trial)
    with UnderWay(trials, executor or executor_for(trials, workers)) as work:
        yield from work


class UnderWay:
    """Trials that are being made by an executor: their results as they are done, and a way to stop.

    A budget around it (`with Budget(...)`) begins no more trials at once than it has room for (`Allowance`; `made` are
    those that it has paid for before). Used up, it begins none; `spent` says so, what it cut short is no result, and
    `in_vain` counts the calls that went into that. `gave_up` says that no model is there. Leaving the `with` drops what is
    still under way.
    """

    def __init__(self, trials: Sequence[Trial], executor: TrialExecutor, made: int = 0) -> None:
        self.spent: OutOfBudgetError | None = None
        self.in_vain = 0
        self.gave_up = False
        self._trials = trials
        self._executor = executor
        budget = current().budget
        self._allowance = Allowance(budget if isinstance(budget, Budget) else Budget(), made)
        self._work = AsDone(executor, trials, self._allowance.may_begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.close()

    def __iter__(self) -> Iterator[TrialResult]:
        made = excluded = 0
        for place, outcome in self._work:
            if isinstance(outcome, OutOfBudgetError):
                self.spent = self.spent or outcome
                self.in_vain += outcome.calls
                self.stop()
                continue
            self._allowance.made += 1
            result = _unjudged(self._trials[place], outcome) if isinstance(outcome, Exception) else outcome
            yield result
            made += 1
            excluded += result.outcome == "excluded"
            if excluded == made >= GIVE_UP_AFTER and made < len(self._trials):
                self.gave_up = True
                return

    def book(self, budget: Budget, result: TrialResult) -> None:
        """Book a trial that was made in another process; begins no further one where the budget is used up."""
        try:
            book(budget, result)
        except OutOfBudgetError as error:
            self.spent = self.spent or error
            self.stop()

    def stop(self, grace: float | None = None) -> None:
        """Begin no further trial, and wait for those under way, `grace` seconds at most."""
        self._work.stop(grace)


def _unjudged(trial: Trial, error: Exception) -> TrialResult:
    """A trial that ended in a mistake of a check: not the agent's, and not to be lost."""
    text = f"{type(error).__name__}: {error}"
    return TrialResult(trial.file.name, trial.task, trial.epoch, "excluded", error=text)


def executor_for(trials: Sequence[Trial], workers: int) -> TrialExecutor:
    """Threads; for more trials at once than `IN_THREADS`, an event loop where the program can be awaited."""
    at_once = max(1, min(workers, len(trials)))
    programs = {id(trial.program): trial.program for trial in trials}.values()
    if at_once > IN_THREADS and all(map(can_be_awaited, programs)):
        return Loop(amake_trial, at_once)
    return Threads(make_trial, at_once)


def can_be_awaited(program: Module) -> bool:
    """Whether a program's every part waits without blocking: no `forward` of its own alone, no model in a thread.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import LM, ScriptedLM
    >>> with context(lm=ScriptedLM([])):
    ...     can_be_awaited(Predict("a -> b"))
    False
    >>> with context(lm=LM("openai/gpt-5-mini")):
    ...     can_be_awaited(Predict("a -> b"))
    True
    """
    parts = [part for _, part in program.named_sub_modules()]
    models = {id(lm): lm for lm in (current_lm(p.lm) for p in program.predictors())}
    return not any(part.needs_thread for part in parts) and all(map(_waits, models.values()))


def _waits(lm: BaseLM) -> bool:
    """Whether a model has an awaited form that is no thread around the blocking one."""
    return type(lm).acomplete is not BaseLM.acomplete and lm.model != EMBEDDED
