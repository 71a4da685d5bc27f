"""`loopwright eval`: an agent on the tasks of one or more files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..text import plain
from .options import chosen_model, model_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..evaluation.tasks import TaskFile
    from ..module import Module

OUT_OF_BUDGET = (
    4  # an exit code of its own: a script may raise the budget and go on, and 130 is a person's Ctrl-C
)
_FOLDER = click.Path(path_type=Path, file_okay=False)


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
@click.option("--workers", type=click.IntRange(1, 1024), help="Trials at the same time.")
@click.option("--dask", metavar="ADDRESS", help="Make the trials on the dask cluster of this scheduler.")
@click.option(
    "--budget",
    metavar="LIMITS",
    help="What the run may cost in all, as in usd=2,tokens=1e6; also calls=, seconds=.",
)
@click.option(
    "--min-pass", type=click.FloatRange(0, 1), help="Exit with 1 where pass@1 is below this (0 to 1)."
)
@click.option(
    "--out",
    type=_FOLDER,
    help="Keep the run in this folder: its trials, report.json, report.html, junit.xml.",
)
@click.option("--resume", is_flag=True, help="Go on with the run that --out holds, if it is of the same.")
@click.option("--baseline", type=_FOLDER, metavar="RUN", help="Compare with the run in this folder.")
@click.option(
    "--no-regression", is_flag=True, help="Exit with 1 where a task is broken that the --baseline solved."
)
@click.option(
    "--rescore",
    type=_FOLDER,
    metavar="RUN",
    help="Judge the trials of this run again by the FILEs as they are now; no model is asked.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be run and asked for at most, and run nothing.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else, on stdout."
)
@click.option("--verbose", "-v", is_flag=True, help="Print every trial step by step, with what was wrong.")
@click.option("--check", is_flag=True, help="Only check the files and prove their tasks; no model is asked.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a task file, for editors.")
@model_options
def command(
    files: tuple[Path, ...],
    program: Path | None,
    epochs: int | None,
    workers: int | None,
    dask: str | None,
    budget: str | None,
    min_pass: float | None,
    out: Path | None,
    resume: bool,
    baseline: Path | None,
    no_regression: bool,
    rescore: Path | None,
    dry_run: bool,
    as_json: bool,
    verbose: bool,
    check: bool,
    schema: bool,
    **options: Any,
) -> int:
    """Evaluate an agent on the tasks of one or more FILEs, YAML or JSON.

    --check finds what is wrong with a file before a token is spent: unknown tools, arguments that do not fit,
    expectations that no run can meet; and tasks that fail when what they ask for is done, or pass when nothing is.

    A trial whose model can't be reached is tried twice, then excluded and shown; it counts as no failure.

    With --out, each trial is kept as soon as it is done. Ctrl-C stops after the trials under way, a second one
    at once; a run that was stopped or killed, or whose budget was used up, goes on with --resume.

    Exit codes: 0 fine, 1 a gate failed (--min-pass, --no-regression), 2 a bad file or option, 3 more than a
    tenth of the trials excluded, 4 the --budget was used up before the end, 130 stopped by Ctrl-C; the report of
    what was done is still printed.
    """
    from ..evaluation.runs.folder import KeptRun
    from ..evaluation.runs.journals import open_journals, replayed
    from ..evaluation.runs.spending import read_limits
    from ..evaluation.tasks import TaskFile
    from ..evaluation.trials.engine import plan, programmed
    from .eval_check import check as prove_tasks
    from .eval_run import Wanted, check_model, make
    from .eval_show import Gates, Output, judge_again, show, show_extent

    if schema:
        click.echo(json.dumps(TaskFile.json_schema(), indent=2))
        return 0
    if not files:
        raise click.UsageError("name a task file, such as examples/tasks/arithmetic.yaml")
    read = _read(files)
    if read is None:
        return 2
    programs = {file.name: programmed(file, program) for file in read}
    _warn_of_tools(programs.values())
    if check:
        return prove_tasks(files, read)
    selection = {name: options.pop(name) for name in ("split", "tags", "ids", "limit")}
    chosen = _selected(read, selection)
    if no_regression and baseline is None:
        raise click.UsageError("--no-regression needs the run to hold against: --baseline RUN")
    if resume and out is None:
        raise click.UsageError("--resume needs the folder of the run: --out DIR")
    kept = None if baseline is None else KeptRun(baseline)
    gates = Gates(min_pass, kept, no_regression)
    output = Output(out, as_json, verbose)
    if rescore is not None:
        return judge_again(chosen, KeptRun(rescore), gates, output)
    trials = [trial for file in chosen for trial in plan(file, programs[file.name], epochs)]
    model = chosen_model(**options)
    if dry_run:
        return show_extent(trials, model.model)
    open_journals(chosen)
    if not replayed(chosen):
        check_model(model)
    paths = {file.name: str(path) for file, path in zip(read, files, strict=True)}
    limits = read_limits(budget) if budget else {}
    told = {**selection, "epochs": epochs, "workers": workers, "budget": limits, "dask": dask}
    noted = {name: value for name, value in told.items() if value}
    wanted = Wanted(paths, program, workers, dask, limits, out, resume, noted)
    report, status = make(trials, model, wanted)
    if report is None:
        return 130
    compared = show(report, output, gates.baseline, planned=trials)
    if status == "out of budget":
        return OUT_OF_BUDGET
    return gates.exit_code(report, compared) if status in ("complete", "gave up") else 130


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


def _warn_of_tools(programs: Iterable[Module]) -> None:
    """Say which tools demonstrations call that are not there: a model that is shown them will try."""
    from ..evaluation.file.programs import tools_not_there

    for program in programs:
        for path, names in tools_not_there(program).items():
            agent = f"the agent {path}" if path else "the agent"
            click.echo(
                plain(
                    f"warning: the demonstrations of {agent} call {', '.join(names)}, which it does not have"
                ),
                err=True,
            )


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
