"""`loopwright report`: the page of a run that was kept."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click


@click.command("report")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page to this file; report.html in the run's folder by default.",
)
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
def command(run: Path, out: Path | None, open_it: bool) -> int:
    """Make the page of RUN, a run's folder or its report.json, again.

    The page is one file: it asks nothing of any network, and can be sent to somebody as it is.
    """
    from ..evaluation.reports.page import FILE, write_page
    from ..evaluation.reports.stored import read_report

    report = read_report(run)
    page = write_page(report, out or (run if run.is_dir() else run.parent) / FILE)
    click.echo(page)
    if open_it and not webbrowser.open(page.absolute().as_uri()):
        click.echo("no browser could be started: open the file yourself", err=True)
        return 1
    return 0
