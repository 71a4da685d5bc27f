"""The report as a person reads it: tables, and the trajectories with what was wrong under the step to blame.

Everything that a model or a tool wrote is made harmless before it is printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TextIO

from ...adapters.values import format_value
from ...text import call_text, counted, one_line, plain
from ...trajectory import Step
from ..checks.record import TurnMade
from ..show import Table, console, print_table
from ..trials.attempt import TrialResult
from .figures import Rate, percent
from .report import Report, by_task

FAILURES = 20  # tasks that failed, listed with what was wrong
ALIKE = 8  # kinds of failure that are listed
FLAKY = 6  # tasks that passed and failed, named in a line
TOOLS = 30  # names in the table of tools: a model may call any
MISFITS = 6  # parameters, or kinds of failure, that are named
POWERS = 4  # pass^k is told for every k up to this one, and for the last
GAUGE = 24  # characters of a rate on a line from 0 to 1
OBSERVATION = 600  # characters of an observation

_STYLES = {"passed": "green", "failed": "red", "excluded": "yellow"}
_MARKS = {"passed": "✓", "failed": "✗", "excluded": "–"}


def print_report(report: Report, stream: TextIO | None = None) -> None:
    """Print the figures of a report and the tasks that failed."""
    out = stream or sys.stdout
    for line in headline(report):
        _print(out, line, "bold")
    for table in tables(report, gauges=out.isatty()):
        out.write("\n")
        print_table(table, out)


def headline(report: Report) -> Iterator[str]:
    """What matters most, in a few lines."""
    tasks = len(by_task(report.results))
    failed = len(report.judged) - report.passed
    counts = f"{report.passed} passed, {failed} failed"
    excluded = f", {len(report.excluded)} excluded" if report.excluded else ""
    trials = f" × {report.epochs}" if report.epochs > 1 else ""
    yield f"{report.model}: {counted(tasks, 'task')}{trials}, {counts}{excluded} in {report.seconds:.1f} s"
    if report.interrupted:
        yield f"not complete: {len(report.results)} of {report.planned} trials were made"
    if report.judged:
        yield f"pass@1  {report.pass_at_1}"
    for k in sorted({*range(2, min(report.epochs, POWERS) + 1), report.epochs} - {1}):
        rate = report.pass_power(k)
        if rate.n:
            yield f"pass^{k}  {rate}"
    if report.judged and report.partial.value != report.pass_at_1.value:
        yield f"partial credit  {report.partial}"
    if report.flaky:
        named = [f"{name} {passed}/{trials}" for _, name, passed, trials in report.flaky[:FLAKY]]
        more = f" and {len(report.flaky) - FLAKY} more" if len(report.flaky) > FLAKY else ""
        yield f"flaky: {', '.join(named)}{more}"
    for role, usage in report.other_usage.items():
        yield f"models that were {role}: {usage.total_tokens:,} tokens, {_money(usage.usd)}, not counted below"


def tables(report: Report, *, gauges: bool = False) -> Iterator[Table]:
    """The tables of a report, those that would be empty left out; `gauges` draw the rates as well."""
    titles = {"file": "By file", "tag": "By tag", "split": "By split", "check": "By check"}
    for group, title in titles.items():
        rates = report.by(group)
        if len(rates) > (group == "file"):
            yield _rates(group, title, rates, gauges=gauges)
    if report.judged:
        yield _spreads(report)
        endings = [[reason, str(count)] for reason, count in report.endings.items()]
        yield Table("How runs ended", ["ending", "trials"], endings)
    if report.tools:
        yield _tools(report)
    yield from _alike(report)
    failures = list(_failures(report))
    if failures:
        more = len(failures) - FAILURES
        title = "Failed" + (f" (the first {FAILURES} of {len(failures)})" if more > 0 else "")
        yield Table(title, ["task", "passed", "step", "what was wrong"], failures[:FAILURES])
    if report.excluded:
        reasons = Counter(one_line(result.error, 300) for result in report.excluded)
        rows = [[str(count), reason] for reason, count in reasons.most_common(FAILURES)]
        yield Table("Excluded: not the agent's failures", ["trials", "reason"], rows)


def _rates(group: str, title: str, rates: Mapping[str, Rate], *, gauges: bool) -> Table:
    rows = [
        [name, *([gauge(rate)] if gauges else []), percent(rate.value), _ends(rate), str(rate.n)]
        for name, rate in rates.items()
    ]
    drawn = [f"0{'100%':>{GAUGE - 1}}"] if gauges else []
    return Table(title, [group, *drawn, "passed", "95% interval", "trials"], rows)


def gauge(rate: Rate) -> str:
    """A rate on a line from 0 to 1, its interval thicker.

    >>> gauge(Rate(0.5, 0.25, 0.75, 12))
    '──────━━━━━━●━━━━━──────'
    """
    low, value, high = (min(GAUGE - 1, int(share * GAUGE)) for share in (rate.low, rate.value, rate.high))
    marks = ["━" if low <= place < max(high, low + 1) else "─" for place in range(GAUGE)]
    marks[value] = "●"
    return "".join(marks)


def _ends(rate: Rate) -> str:
    return f"{percent(rate.low)} to {percent(rate.high)}"


def _spreads(report: Report) -> Table:
    rows = []
    for name, form in (("steps", ".1f"), ("tool_calls", ".1f"), ("tokens", ",.0f"), ("seconds", ".2f")):
        spread = report.spread(name)
        figures = [format(spread[key], form) for key in ("p50", "p95", "total")]
        rows.append([name.replace("_", " "), *(f.removesuffix(".0") for f in figures)])
    money = report.money
    parts = [_money(money["p50"]), _money(money["p95"])] if money and money["total"] else ["", ""]
    rows.append(["money", *parts, _money(report.usage.usd)])
    cached = sum(result.cached for result in report.results)
    title = "A trial took" + (f" ({cached} answers came from the cache and count as 0)" if cached else "")
    return Table(title, ["", "p50", "p95", "total"], rows)


def _money(usd: float | None) -> str:
    return "price not known" if usd is None else f"${usd:.4f}" if usd else "$0"


def _tools(report: Report) -> Table:
    """How the tools fared; what did not happen at all has no column."""
    figures = report.tools.items()
    repeats = any(tool.repeats for _, tool in figures)
    invalid = any(tool.invalid for _, tool in figures)
    rows = []
    for name, tool in islice(figures, TOOLS):
        share = percent(tool.failed / tool.calls) if tool.calls else ""
        again = [str(tool.repeats or "")] if repeats else []
        misfits = [_counts(tool.invalid)] if invalid else []
        calls = str(tool.calls) if tool.calls else "never used"
        rows.append([name, calls, share, *again, *misfits, _counts(tool.errors)])
    more = [*(["repeats"] if repeats else []), *(["did not fit"] if invalid else [])]
    title = "Tools" + (f" (the first {TOOLS} of {len(figures)} names)" if len(figures) > TOOLS else "")
    return Table(title, ["tool", "calls", "failed", *more, "errors"], rows)


def _counts(counts: Mapping[str, int]) -> str:
    named = [f"{name} {count}" for name, count in islice(counts.items(), MISFITS)]
    return ", ".join(named) + (" …" if len(counts) > MISFITS else "")


def _alike(report: Report) -> Iterator[Table]:
    """Failures that are alike, where some are."""
    found = report.clusters
    if found and len(found[0].trials) > 1 and found[0].tasks > 1:
        rows = [[str(len(one.trials)), str(one.tasks), one.check, one.pattern] for one in found[:ALIKE]]
        title = "Failures that are alike"
        title += f" (the first {ALIKE} of {len(found)} kinds)" if len(found) > ALIKE else ""
        yield Table(title, ["trials", "tasks", "first failed check", "what was wrong"], rows)


def _failures(report: Report) -> Iterator[list[str]]:
    several = len(report.files) > 1
    for (file, name), trials in by_task(report.judged).items():
        failed = [trial for trial in trials if not trial.passed]
        if failed:
            first = failed[0].failure
            step = str(first.step) if first and first.step else ""
            passed = f"{len(trials) - len(failed)}/{len(trials)}"
            yield [f"{file}/{name}" if several else name, passed, step, first.feedback if first else ""]


def print_trials(results: Sequence[TrialResult], stream: TextIO | None = None) -> None:
    """Print every trial: its inputs, its steps, and each failed check under the step that it blames."""
    out = stream or sys.stdout
    for result in results:
        for line, style in trial_lines(result):
            _print(out, line, style)
        out.write("\n")


def trial_lines(result: TrialResult) -> Iterator[tuple[str, str]]:
    """A trial as lines, each with its style."""
    style = _STYLES[result.outcome]
    again = f", epoch {result.epoch + 1}" if result.epoch else ""
    ending = f", ended with {result.termination}" if result.termination not in ("", "submit") else ""
    took = f"{counted(result.steps, 'step')}, {result.seconds:.2f} s"
    mark = _MARKS[result.outcome]
    yield f"{mark} {result.file}/{result.task.id}{again}: {result.outcome}{ending} ({took})", f"bold {style}"
    for name, value in result.task.input.items():
        yield f"  {name}: {_block(format_value(value), 4)}", ""
    failed = [check for check in result.checks if not check.passed]
    for number, step in enumerate(result.trajectory.steps, 1):
        yield from (_said(turn) for turn in result.turns if turn.first == number)
        yield from _step_lines(number, step)
        yield from (
            (f"     ⚠ {one_line(check.feedback, 400)}", style) for check in failed if check.step == number
        )
    if not result.trajectory.steps:
        for turn in result.turns[:-1]:
            yield _said(turn)
            yield from _outputs(turn.outputs)
        yield from map(_said, result.turns[-1:])
        yield from _outputs(result.outputs)
    yield from ((f"  ⚠ {one_line(check.feedback, 400)}", style) for check in failed if check.step is None)
    if result.outcome == "excluded":
        yield f"  {one_line(result.error, 400)}", style


def _said(turn: TurnMade) -> tuple[str, str]:
    """What the user said in a turn, and who played the user."""
    by = f" ({one_line(turn.user_model, 60)})" if turn.user_model else ""
    return f"  user{by}: {_block(turn.user, 4)}", "bold"


def _outputs(outputs: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in outputs.items():
        yield f"  {name} = {_block(format_value(value), 4)}", ""


def _step_lines(number: int, step: Step) -> Iterator[tuple[str, str]]:
    thought = _block(step.thought, 5) or ("(no thought)" if not step.results else "")
    if thought:
        yield f"  {number}. {thought}", "italic"
    for place, result in enumerate(step.made):
        start = f"  {number}. " if not thought and not place else "     "
        call = _indented(call_text(result.call), 5)
        yield f"{start}→ {call}", "cyan" if result.ok else "red"
        yield f"       {_block(result.content, 7)}", "dim"


def _block(text: str, indent: int) -> str:
    """A text of several lines, cut where it is long, its further lines indented."""
    cut = text if len(text) <= OBSERVATION else f"{text[:OBSERVATION]}… ({len(text):,} characters)"
    return _indented(cut.strip(), indent)


def _indented(text: str, indent: int) -> str:
    return text.replace("\n", "\n" + " " * indent)


def _print(out: TextIO, line: str, style: str) -> None:
    line = plain(line)
    if not out.isatty():
        out.write(line + "\n")
        return
    from rich.text import Text

    console(out).print(Text(line, style=style))
