"""`loopwright report`: the page of a run that was kept."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..text import plain

if TYPE_CHECKING:
    from ..evaluation.reports.report import Report


@click.command("report")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page to this file; report.html in the run's folder by default.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="RUN",
    help="Compare with this run's folder: what is fixed, what is broken. No model is asked.",
)
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
def command(run: Path, out: Path | None, baseline: Path | None, open_it: bool) -> int:
    """Make the page of RUN, a run's folder or its report.json, again.

    The page is one file: it asks nothing of any network, and can be sent to somebody as it is. A run that is
    under way, or was killed, has a page of the trials that were made.
    """
    from ..errors import ConfigurationError
    from ..evaluation.reports.page import FILE, write_page

    comparison = None if baseline is None else _against(run, baseline)
    target = out or (run if run.is_dir() else run.parent) / FILE
    try:
        page = write_page(_report_of(run), target, comparison)
    except OSError as error:
        why = error.strerror or error
        raise ConfigurationError(f"{target} can't be written: {why}; --out names another file") from error
    click.echo(page)
    if open_it and not webbrowser.open(page.absolute().as_uri()):
        click.echo("no browser could be started: open the file yourself", err=True)
        return 1
    return 0


def _report_of(run: Path) -> Report | Mapping[str, Any]:
    """What was written of a run in its end; of one that did not come to it, what its trials make."""
    from ..evaluation.reports.stored import FILE, read_report
    from ..evaluation.runs import manifest

    if (run / FILE).exists() or not (run / manifest.FILE).exists():
        return read_report(run)
    return _of_trials(run)


def _of_trials(run: Path) -> Report:
    from ..evaluation.reports.report import Report
    from ..evaluation.runs.folder import KeptRun

    kept = KeptRun(run)
    about = kept.manifest
    seconds = sum(session.seconds for session in about.sessions)
    return Report(list(kept.results), (), about.planned, about.epochs, about.model, about.started, seconds)


def _against(run: Path, baseline: Path) -> Mapping[str, Any]:
    from ..evaluation.runs.folder import KeptRun
    from .eval_show import compared

    folder = run if run.is_dir() else run.parent
    comparison = compared(_of_trials(folder), KeptRun(baseline))
    click.echo(plain(comparison.sentence))
    return comparison.as_json()
