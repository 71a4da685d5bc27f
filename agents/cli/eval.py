"""`loopwright eval`: an agent on the tasks of one or more files."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..text import plain
from .options import chosen_model, counted, model_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..evaluation.attempt import Trial, TrialResult
    from ..evaluation.reports.report import Report
    from ..evaluation.tasks import TaskFile
    from ..models.base import BaseLM

WORKERS = 8  # for a model that answers from elsewhere; the embedded one gets a worker for each core


@click.command("eval")
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--program", type=click.Path(path_type=Path), help="A saved program's state for the agent.")
@click.option(
    "--epochs", type=click.IntRange(1), help="Times that each task is tried; the file's by default."
)
@click.option("--split", type=click.Choice(["train", "dev", "test"]), help="Only the tasks of this split.")
@click.option("--tag", "tags", multiple=True, help="Only tasks with this tag, or one of several.")
@click.option("--task", "ids", multiple=True, metavar="ID", help="Only this task, or one of several.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many tasks of each file.")
@click.option("--workers", type=click.IntRange(1, 256), help="Trials at the same time.")
@click.option(
    "--min-pass", type=click.FloatRange(0, 1), help="Exit with 1 where pass@1 is below this (0 to 1)."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Keep report.json in this folder."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else, on stdout."
)
@click.option("--verbose", "-v", is_flag=True, help="Print every trial step by step, with what was wrong.")
@click.option("--check", is_flag=True, help="Only read the files and check them; no model is asked.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a task file, for editors.")
@model_options
def command(
    files: tuple[Path, ...],
    program: Path | None,
    epochs: int | None,
    workers: int | None,
    min_pass: float | None,
    out: Path | None,
    as_json: bool,
    verbose: bool,
    check: bool,
    schema: bool,
    **options: Any,
) -> int:
    """Evaluate an agent on the tasks of one or more FILEs, YAML or JSON.

    --check finds what is wrong with a file before a token is spent: unknown tools, arguments that do not fit,
    expectations that no run can meet. That a task can be solved it does not prove.

    A trial whose model can't be reached is tried twice, then excluded and shown; it counts as no failure.

    Exit codes: 0 fine, 1 pass@1 below --min-pass, 2 a bad file or option, 3 more than a tenth of the trials
    excluded, 130 interrupted (the report of what was done is still printed).
    """
    from ..evaluation.tasks import TaskFile

    if schema:
        click.echo(json.dumps(TaskFile.json_schema(), indent=2))
        return 0
    if not files:
        raise click.UsageError("name a task file, such as examples/tasks/arithmetic.yaml")
    read = _read(files)
    if read is None:
        return 2
    if check:
        for path, file in zip(files, read, strict=True):
            click.echo(f"{path}: {counted(len(file.tasks), 'task')}, nothing wrong")
        return 0
    chosen = _selected(read, {name: options.pop(name) for name in ("split", "tags", "ids", "limit")})
    trials = _planned(chosen, program, epochs)
    model = chosen_model(**options)
    if out is not None:
        _check_writable(out)
    report, stopped = _run(trials, model, workers)
    _show(report, as_json=as_json, verbose=verbose, out=out)
    return 130 if stopped else exit_code(report, min_pass)


def _check_writable(folder: Path) -> None:
    """Make the folder of the report and try it, before an evaluation is paid for."""
    from ..errors import ConfigurationError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"--out {folder} can't be written: {error.strerror}; nothing was run"
        ) from error


def exit_code(report: Report, min_pass: float | None) -> int:
    """What the command returns for a report that nobody interrupted."""
    if report.too_many_excluded:
        click.echo(f"{len(report.excluded)} of {len(report.results)} trials could not be made", err=True)
        return 3
    rate = report.pass_at_1.value
    if min_pass is not None and rate < min_pass:
        click.echo(f"pass@1 is {rate:.3f}, below --min-pass {min_pass:g}", err=True)
        return 1
    return 0


def _read(files: Sequence[Path]) -> list[TaskFile] | None:
    """The files; where some are not sound, every problem of all of them is printed."""
    from ..errors import TaskFileError
    from ..evaluation.tasks import TaskFile

    read: list[TaskFile] = []
    problems: list[str] = []
    for path in files:
        try:
            read.append(TaskFile.load(path))
        except TaskFileError as error:
            problems += error.problems
    for problem in problems:
        click.echo(plain(problem), err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: nothing was run", err=True)
        return None
    names = [file.name for file in read]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"two of the files are named {twice!r}: give one of them another name")
    return read


def _selected(files: Sequence[TaskFile], wanted: dict[str, Any]) -> list[TaskFile]:
    from ..text import did_you_mean

    known = {task.id for file in files for task in file.tasks}
    for name in wanted["ids"]:
        if name not in known:
            raise click.UsageError(f"there is no task {name!r}{did_you_mean(name, known)}")
    marks = {tag for file in files for task in file.tasks for tag in task.tags}
    for tag in wanted["tags"]:
        if tag not in marks:
            raise click.UsageError(f"no task has the tag {tag!r}{did_you_mean(tag, marks)}")
    chosen = [file.select(**wanted) for file in files]
    if not any(file.tasks for file in chosen):
        raise click.UsageError("no task is of that split, tag and id: there is nothing to run")
    return chosen


def _planned(files: Sequence[TaskFile], program: Path | None, epochs: int | None) -> list[Trial]:
    from ..evaluation.engine import plan

    trials: list[Trial] = []
    for file in files:
        if program is None:
            agent = file.agent()
        else:
            agent = replace(file, spec=file.spec.model_copy(update={"program": None})).agent()
            agent.load(program)
        trials += plan(file, agent, epochs)
    return trials


def _run(trials: Sequence[Trial], model: BaseLM, workers: int | None) -> tuple[Report, bool]:
    """Make the trials, and say whether Ctrl-C came; what was done by then is a report too."""
    from datetime import UTC, datetime

    from ..ambient import context
    from ..calling import evaluation
    from ..evaluation.engine import run_trials
    from ..evaluation.reports.report import Report
    from ..evaluation.show import Progress

    at_once = workers or (os.cpu_count() or 1 if model.model == "embedded" else WORKERS)
    results: list[TrialResult] = []
    tally, stopped = _Tally(), False
    started, begun = time.perf_counter(), datetime.now(UTC)
    try:
        with (
            context(lm=model),
            evaluation(None, len(trials)),
            closing(run_trials(trials, at_once)) as work,
            Progress(len(trials)) as progress,
        ):
            for result in work:
                results.append(result)
                progress.advance(tally.add(result))
    except KeyboardInterrupt:
        stopped = True
        click.echo("interrupted: the report is of what was done", err=True)
    seconds = time.perf_counter() - started
    return Report.of(trials, results, model=model.model, started=begun, seconds=seconds), stopped


class _Tally:
    """The counts that are shown while trials are being made."""

    def __init__(self) -> None:
        self.passed = self.judged = self.excluded = 0
        self.usd: float | None = 0.0

    def add(self, result: TrialResult) -> str:
        self.passed += result.passed
        self.judged += result.outcome != "excluded"
        self.excluded += result.outcome == "excluded"
        usd = result.usage.usd
        self.usd = None if self.usd is None or usd is None else self.usd + usd
        cost = f", ${self.usd:.3f}" if self.usd else ""
        excluded = f", {self.excluded} excluded" if self.excluded else ""
        return f"{self.passed}/{self.judged} passed{excluded}{cost}"


def _show(report: Report, *, as_json: bool, verbose: bool, out: Path | None) -> None:
    from ..evaluation.reports.stored import finite
    from ..evaluation.reports.text import print_report, print_trials

    if as_json:
        sys.stdout.write(json.dumps(finite(report.as_json()), indent=1) + "\n")
    else:
        if verbose:
            print_trials(report.results)
        print_report(report)
    if out is not None:  # last, so that a full disk takes nothing of what is printed
        written = report.write(out)
        click.echo(f"\n{written}", err=as_json)
    elif report.judged and not verbose and not as_json:
        click.echo("\n-v shows every step; --out DIR keeps the report")
