"""How `loopwright eval` makes trials: progress, Ctrl-C, the budget, the folder."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, Self

import click

from ..text import counted, plain

if TYPE_CHECKING:
    from ..evaluation.reports.report import Report
    from ..evaluation.runs.folder import RunFolder
    from ..evaluation.trials.attempt import Trial, TrialResult
    from ..evaluation.trials.engine import TrialExecutor, UnderWay
    from ..models.base import BaseLM
    from ..runtime.budget import Budget

WORKERS = 8  # for a model that answers from elsewhere; the embedded one gets a worker for each core
GRACE = 10.0  # seconds for the trials under way after Ctrl-C

Status = Literal["complete", "interrupted", "left", "out of budget", "gave up"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How trials are to be made: by whom, within what, and where they are kept.

    `paths` are the files' by name; `options` are the command's, for the record.
    """

    paths: Mapping[str, str]
    program: Path | None = None
    workers: int | None = None
    dask: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    out: Path | None = None
    resume: bool = False
    options: Mapping[str, object] = field(default_factory=dict)


def check_model(model: BaseLM) -> None:
    """Refuse a model that has no key, before any trial asks it."""
    from ..errors import AuthError, ConfigurationError

    try:
        model.check_key()
    except AuthError as error:
        raise ConfigurationError(f"{error}; nothing was run") from error


def make(trials: Sequence[Trial], model: BaseLM, wanted: Wanted) -> tuple[Report | None, Status]:
    """Make the trials; what was done until Ctrl-C or the end of the budget is a report too.

    There is none where a second Ctrl-C asked to leave at once.
    """
    from ..evaluation.runs.spending import run_budget

    with ExitStack() as stack:
        kept: _InMemory | _InFolder
        if wanted.out is None:
            kept = _InMemory(trials, model)
            budget = run_budget(wanted.limits)
        else:
            kept = _InFolder(stack.enter_context(_folder(trials, model, wanted, wanted.out)))
            budget = run_budget(wanted.limits, kept.folder.before)
            for doubt in kept.folder.doubts:
                click.echo(plain(f"warning: {doubt}"), err=True)
            kept.folder.start()
        status = _made(kept, budget, model, wanted)
        kept.finish(status, budget)
        if status == "left":
            click.echo(
                "left at once" + (f": {wanted.out} holds the trials made" if wanted.out else ""), err=True
            )
        return (None if status == "left" else kept.report()), status


def _made(kept: _InMemory | _InFolder, budget: Budget, model: BaseLM, wanted: Wanted) -> Status:
    """Make what is yet to be made, and say how it ended."""
    from ..ambient import context
    from ..calling import evaluation
    from ..evaluation.runs.spending import whole_usage
    from ..evaluation.show import Progress
    from ..evaluation.trials.engine import UnderWay

    todo = kept.remaining()
    total = len(kept.planned)
    tally = _Tally.of(kept.outcomes())
    if len(todo) < total:
        click.echo(f"going on: {total - len(todo)} of {total} trials are made", err=True)
    with (
        context(lm=model),
        budget,
        evaluation(None, len(todo)),
        Progress(total, done=total - len(todo)) as progress,
        UnderWay(todo, _executor(todo, model, wanted), made=total - len(todo)) as work,
        _CtrlC(work) as stop,
    ):
        try:
            for result in work:
                kept.add(result)
                progress.advance(tally.add(result, whole_usage(result).usd))
                if wanted.dask is not None:
                    work.book(budget, result)
        except KeyboardInterrupt:
            stop.presses = max(stop.presses, 1)
    if stop.presses > 1:
        return "left"
    if stop.presses:
        click.echo("interrupted: the report is of what was done", err=True)
        return "interrupted"
    if work.spent is not None:
        vain = f"; {counted(work.in_vain, 'call')} went into trials that it cut short" if work.in_vain else ""
        click.echo(f"stopped: {work.spent}{vain}", err=True)
        return "out of budget"
    return "gave up" if work.gave_up else "complete"


def _folder(trials: Sequence[Trial], model: BaseLM, wanted: Wanted, out: Path) -> RunFolder:
    from ..evaluation.runs.folder import RunFolder

    return RunFolder.begin(
        out, trials, model, resume=wanted.resume, paths=wanted.paths, options=wanted.options
    )


def _executor(trials: Sequence[Trial], model: BaseLM, wanted: Wanted) -> TrialExecutor:
    from ..evaluation.trials.engine import executor_for

    if wanted.dask is not None:
        from ..evaluation.runs.cluster import Cluster

        return Cluster(wanted.dask, wanted.paths, wanted.program, model)
    at_once = os.cpu_count() or 1 if model.model == "embedded" else WORKERS
    return executor_for(trials, wanted.workers or at_once)


class _InMemory:
    """The results of a run that nobody asked to keep."""

    def __init__(self, trials: Sequence[Trial], model: BaseLM) -> None:
        self.planned = trials
        self._model = model.model
        self._results: list[TrialResult] = []
        self._began, self._started = datetime.now(UTC), time.perf_counter()

    def remaining(self) -> Sequence[Trial]:
        return self.planned

    def outcomes(self) -> Iterable[str]:
        return ()

    def add(self, result: TrialResult) -> None:
        self._results.append(result)

    def finish(self, status: Status, budget: Budget) -> None:
        pass

    def report(self) -> Report:
        from ..evaluation.reports.report import Report

        seconds = time.perf_counter() - self._started
        return Report.of(self.planned, self._results, model=self._model, started=self._began, seconds=seconds)


class _InFolder:
    """The results of a run in a folder."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.planned = folder.planned

    def remaining(self) -> Sequence[Trial]:
        return self.folder.remaining()

    def outcomes(self) -> Iterable[str]:
        return self.folder.made().values()

    def add(self, result: TrialResult) -> None:
        self.folder.add(result)

    def finish(self, status: Status, budget: Budget) -> None:
        self.folder.finish("interrupted" if status == "left" else status, budget)

    def report(self) -> Report:
        return self.folder.report()


class _CtrlC:
    """What Ctrl-C does: the first begins no further trial and waits for those under way, the second leaves at once.

    At once, but with every trial that is done: only a third breaks off whatever is happening, the writing of a trial too.
    """

    def __init__(self, work: UnderWay) -> None:
        self.presses = 0
        self._work = work
        self._before: Any = None

    def __enter__(self) -> Self:
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._pressed)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _pressed(self, number: int, frame: FrameType | None) -> None:
        self.presses += 1
        if self.presses > 2:
            raise KeyboardInterrupt
        self._work.stop(GRACE if self.presses == 1 else 0)
        if self.presses > 1:
            return
        # not through a stream, which the interrupted code may be writing to
        os.write(2, b"\nstopping: the trials under way are waited for; Ctrl-C again leaves at once\n")


class _Tally:
    """The counts that are shown while trials are being made."""

    def __init__(self) -> None:
        self.passed = self.judged = self.excluded = 0
        self.usd: float | None = 0.0

    @classmethod
    def of(cls, outcomes: Iterable[str]) -> Self:
        """The counts of trials that were made before."""
        made = cls()
        for outcome in outcomes:
            made.passed += outcome == "passed"
            made.judged += outcome != "excluded"  # those that were excluded are made again
        return made

    def add(self, result: TrialResult, usd: float | None) -> str:
        """Count a trial that cost so much; how it goes so far."""
        self.passed += result.passed
        self.judged += result.outcome != "excluded"
        self.excluded += result.outcome == "excluded"
        self.usd = None if self.usd is None or usd is None else self.usd + usd
        cost = f", ${self.usd:.3f}" if self.usd else ""
        excluded = f", {self.excluded} excluded" if self.excluded else ""
        return f"{self.passed}/{self.judged} passed{excluded}{cost}"
