"""What `loopwright eval` prints and writes, and what it returns."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..text import counted, plain

if TYPE_CHECKING:
    from ..evaluation.reports.report import Report
    from ..evaluation.runs.comparison import Comparison
    from ..evaluation.runs.folder import KeptRun
    from ..evaluation.runs.rescore import Rescored
    from ..evaluation.tasks import TaskFile
    from ..evaluation.trials.attempt import Trial

NAMED = 20  # tasks or checks that are named one by one


@dataclass(frozen=True, slots=True)
class Output:
    """Where a report goes: to the terminal, in which form, and into which folder."""

    folder: Path | None
    as_json: bool
    verbose: bool


@dataclass(frozen=True, slots=True)
class Gates:
    """What a run must come to."""

    min_pass: float | None
    baseline: KeptRun | None
    no_regression: bool

    def exit_code(self, report: Report, comparison: Comparison | None) -> int:
        """What the command returns for a report that is complete; a gate that fails says why."""
        if report.too_many_excluded:
            click.echo(f"{len(report.excluded)} of {len(report.results)} trials could not be made", err=True)
            return 3
        rate = report.pass_at_1.value
        failed = self.min_pass is not None and rate < self.min_pass
        if failed:
            click.echo(f"pass@1 is {rate:.3f}, below --min-pass {self.min_pass:g}", err=True)
        if self.no_regression and comparison is not None and comparison.broken:
            names = [plain(task.id) for task in comparison.broken]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            broken = counted(len(names), "task")
            click.echo(f"--no-regression: {broken} broken: {', '.join(names[:NAMED])}{more}", err=True)
            failed = True
        if self.no_regression and comparison is not None and not comparison.compared:
            click.echo(
                "--no-regression: no task was judged in both runs, so that none is shown to hold", err=True
            )
            failed = True
        return int(failed)


def show(
    report: Report, output: Output, baseline: KeptRun | None = None, *, planned: Sequence[Trial] = ()
) -> Comparison | None:
    """Print a report, and the comparison with a baseline; then write the files, so that a full disk takes nothing."""
    from ..evaluation.reports.stored import finite
    from ..evaluation.reports.text import print_report, print_trials

    comparison = None if baseline is None else compared(report, baseline)
    if output.as_json:
        body = report.as_json() | ({"comparison": comparison.as_json()} if comparison else {})
        sys.stdout.write(json.dumps(finite(body), indent=1) + "\n")
    else:
        if output.verbose:
            print_trials(report.results)
        print_report(report)
        if comparison is not None:
            _print_comparison(comparison)
    if output.folder is not None:
        _write(report, output, comparison, planned)
    elif report.judged and not output.verbose and not output.as_json:
        click.echo("\n-v shows every step; --out DIR keeps the report")
    return comparison


def _write(report: Report, output: Output, comparison: Comparison | None, planned: Sequence[Trial]) -> None:
    from ..errors import ConfigurationError
    from ..evaluation.reports.page import write_page
    from ..evaluation.runs.junit import write_junit

    assert output.folder is not None  # noqa: S101  # the caller looked
    kept = comparison.as_json() if comparison else None
    try:
        written = report.write(output.folder, kept)
        write_junit(report, output.folder, planned)
        held = json.loads(written.read_bytes())  # rather than to work out every figure again
        page = write_page(held, output.folder, kept)
    except OSError as error:
        raise ConfigurationError(
            f"the report can't be written to {output.folder}: {error.strerror}; the trials in it are safe, and "
            "--resume writes it once that is mended"
        ) from error
    click.echo(f"\n{written}\n{page}", err=output.as_json)


def compared(report: Report, baseline: KeptRun) -> Comparison:
    """A report against a run that was kept, with what else tells the two apart."""
    from ..evaluation.runs.comparison import compare

    notes = []
    if baseline.manifest.model != report.model:
        notes.append(f"the baseline asked {baseline.manifest.model}, this run {report.model}")
    if baseline.manifest.status != "complete":
        notes.append(f"the baseline is not complete: {baseline.manifest.status}")
    return compare(baseline.results, report, baseline=str(baseline.path), notes=notes)


def _print_comparison(comparison: Comparison) -> None:
    from ..evaluation.runs.comparison import headline, table
    from ..evaluation.show import print_table

    changed = table(comparison)
    if changed is not None:
        click.echo()
        print_table(changed)
    click.echo()
    for line in headline(comparison):  # last: it is what a person looks for at the end of a long page
        click.echo(plain(line))


def show_extent(trials: Sequence[Trial], model: str) -> int:
    """Print what would be run, and ask nobody."""
    from ..evaluation.runs.dry_run import extent

    size = extent(trials)
    each = f" × {counted(size.epochs, 'epoch')}" if size.epochs > 1 else ""
    calls = "with no bound on" if size.calls is None else f"at most {size.calls:,}"
    click.echo(f"{plain(model)}: {counted(size.tasks, 'task')}{each}: {counted(size.trials, 'trial')}")
    click.echo(f"{calls} calls of models, repeats after failures apart; nothing was run")
    return 0


# Judging again


def judge_again(files: Sequence[TaskFile], run: KeptRun, gates: Gates, output: Output) -> int:
    """Judge the trials of a run by the files as they are now; print what changed, and the report."""
    from ..evaluation.reports.report import Report
    from ..evaluation.runs.folder import write_judged
    from ..evaluation.runs.rescore import rescored
    from ..evaluation.trials.engine import plan

    if output.folder is not None and output.folder.resolve() == run.path.resolve():
        raise click.UsageError("--out is the run itself, which stays as it is: give another folder")
    again = list(rescored(run, files))
    epochs = 1 + max(one.result.epoch for one in again)
    tasks = {(one.result.file, one.result.task.id) for one in again}
    trials = [
        trial for file in files for trial in plan(file, epochs=epochs) if (file.name, trial.task.id) in tasks
    ]
    started = datetime.fromisoformat(run.manifest.started)
    results = [one.result for one in again]
    report = Report.of(trials, results, model=run.manifest.model, started=started)
    if output.folder is not None:
        write_judged(output.folder, run, trials, (one.result for one in again))
    if not output.as_json:
        _print_changes(again)
    compared = show(report, output, gates.baseline)
    return gates.exit_code(report, compared)


def _print_changes(again: Sequence[Rescored]) -> None:
    changed = [one for one in again if one.before.outcome != one.result.outcome or one.changed]
    click.echo(f"judged again: {counted(len(again), 'trial')}, {len(changed)} of them with another result")
    for one in changed[:NAMED]:
        epoch = f" [{one.result.epoch + 1}]" if one.result.epoch else ""
        click.echo(plain(f"  {one.result.task.id}{epoch}: {one.before.outcome} → {one.result.outcome}"))
        for check in one.changed:
            about = f"{check.check} {check.about}".strip()
            said = "passes" if check.passed else check.feedback
            named = said.startswith((f"{check.check} ", f"{check.about}: "))
            click.echo(plain(f"    {said if named else f'{about}: {said}'}"))
    if len(changed) > NAMED:
        click.echo(f"  and {len(changed) - NAMED} more")
    click.echo()
