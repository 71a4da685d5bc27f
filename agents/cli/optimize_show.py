"""What `loopwright optimize` prints and writes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..text import one_line, plain
from ..whole_file import write_whole

if TYPE_CHECKING:
    from ..module import Module
    from ..optimizers.driving.amounts import Amounts
    from ..optimizers.estimates import Estimate
    from ..optimizers.report import Report

SHOWN_TEXT = 200  # characters of a learned text in the table


@dataclass(frozen=True, slots=True)
class Optimized:
    """What an optimizer made: of which tasks, with which model, from which program; `again` is a command that runs it."""

    name: str
    file: str
    model: str
    student: Module
    program: Module
    again: str

    @property
    def report(self) -> Report:
        """The report of the compile."""
        found: Report = vars(self.program)["compile_report"]
        return found


def check_writable(out: Path) -> None:
    """Make the folder and try it, before an optimization is paid for; only a saved agent is written over."""
    from ..errors import ConfigurationError

    if out.suffix == ".html":
        raise ConfigurationError(f"{out} is where the page goes: name the agent another, such as agent.json")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
        there = out.read_bytes() if out.exists() else b""
    except OSError as error:
        raise ConfigurationError(f"{out} can't be written: {error}; nothing was run") from error
    if there.strip() and not _is_agent(there):
        raise ConfigurationError(
            f"{out} holds something else than a saved agent, which would be lost: name another file by --out"
        )


def _is_agent(saved: bytes) -> bool:
    """Whether this looks like what an earlier optimization saved, of whatever version."""
    try:
        whole = json.loads(saved)
    except (ValueError, RecursionError):
        return False
    return isinstance(whole, dict) and "predictors" in whole


def show(done: Optimized, out: Path, *, as_json: bool) -> int:
    """Save the agent, its report and its page, and print what came of it."""
    from ..optimizers.page import write_page

    told = {
        "name": done.name,
        "file": done.file,
        "model": done.model,
        "out": str(out),
        **done.report.to_json(),
    }
    done.program.save(out)
    if as_json:
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        print_report(done.report)
    if done.report.spent_limit:
        click.echo(f"the budget ended it: no more {done.report.spent_limit}", err=True)
    for warning in done.report.warnings:
        click.echo(f"warning: {warning}", err=True)
    # last, so that a full disk takes nothing of what is printed
    report = out.with_name(f"{out.stem}.report.json")
    write_whole(report, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    page = write_page(told, out.with_name(f"{out.stem}.html"))
    for path, what in ((out, "the agent, for --program"), (report, "the report"), (page, "its page")):
        click.echo(f"{path}  {what}", err=as_json)
    click.echo(f"try it: {plain(done.again)}", err=as_json)
    return 0


def print_report(report: Report) -> None:
    """The figures, what was learned, and what it took."""
    from ..evaluation.show import Table, print_table

    click.echo(f"{report.optimizer}: the agent is {report.verdict}\n{plain(one_line(report.reason, 400))}\n")
    print_table(Table("Score", ["", "mean", "95 % interval", "tasks", "rollouts"], list(_figures(report))))
    learned = list(learned_lines(report))
    if learned:
        click.echo("")
        print_table(Table("Learned", ["what", "which"], learned))
    click.echo("")
    header = ["phase", "planned", "rollouts", "model calls", "tokens", "tool calls", "cost"]
    rows = [[use.phase, _whole(use.planned), *_amounts(use.used)] for use in report.phases]
    print_table(Table("Taken", header, [*rows, ["all", "", *_amounts(report.used)]]))
    if report.problems:
        click.echo("")
        rows = list(_problems(report))
        print_table(Table("Rollouts without a plain end", ["problem", "rollouts", "such as"], rows))
    click.echo("")


def learned_lines(report: Report) -> Iterator[list[str]]:
    """What the returned program has learned, in rows: demonstrations by task, and texts."""
    texts = report.notes.get("learned", {})
    if report.improved and report.demos:
        tasks = [str(demo.get("values", {}).get("task_id", "")) for demo in report.demos]
        yield [
            f"{len(tasks)} demonstration{'s' if len(tasks) > 1 else ''}",
            one_line(", ".join(filter(None, tasks)), SHOWN_TEXT),
        ]
    for name, text in texts.items():
        yield [name, one_line(text, SHOWN_TEXT)]


def _figures(report: Report) -> Iterator[list[str]]:
    rows: tuple[tuple[str, Estimate | None], ...] = (
        ("baseline", report.baseline),
        ("selected (looks better than it is)", report.selected),
        ("baseline, confirmed", report.confirmed_baseline),
        ("returned, confirmed", report.confirmed),
    )
    for name, found in rows:
        if found is None:
            yield [name, "not measured", "", "", ""]
        else:
            yield [name, found.mean_text, found.interval_text, str(found.n), str(found.rollouts)]


def _amounts(used: Amounts) -> list[str]:
    cost = "not known" if used.usd is None else f"${used.usd:.4f}" if used.usd else "$0"
    return [str(used.rollouts), str(used.calls), f"{used.tokens:,}", str(used.tool_calls), cost]


def _whole(planned: int | None) -> str:
    return "" if planned is None else str(planned)


def _problems(report: Report) -> Iterator[list[str]]:
    said = {
        "program": "the program raised",
        "metric": "the metric gave no score",
        "excluded": "the model could not be reached",
        "skipped": "the budget had no room for it",
    }
    for name, count in report.problems.items():
        yield [said.get(name, name), str(count), one_line(report.errors.get(name, ""), SHOWN_TEXT)]
