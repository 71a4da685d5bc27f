"""`loopwright trace`: what is in a journal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..text import call_text, counted, one_line, plain
from .options import json_text

if TYPE_CHECKING:
    from ..runtime.journal import Entry, JournalFile

DEFAULT = "loopwright-runs.sqlite"

_WIDTH = 200  # characters of one message or result


@click.group("trace")
@click.option(
    "--journal",
    "-j",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=lambda: os.environ.get("LOOPWRIGHT_JOURNAL", DEFAULT),
    metavar="FILE",
    help=f"The journal; LOOPWRIGHT_JOURNAL by default, else {DEFAULT}.",
)
@click.pass_context
def command(ctx: click.Context, path: Path) -> None:
    """Look at recorded runs, compare two, or fork one.

    \b
    loopwright run "..." --journal runs.sqlite --run-name first
    loopwright trace -j runs.sqlite list
    loopwright trace -j runs.sqlite show first
    """  # noqa: D301  # click keeps lines apart after a real backspace, not after the two characters
    ctx.obj = path


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run on stdout.")
@click.pass_obj
def list_command(path: Path, as_json: bool) -> int:
    """List the runs, the latest first."""
    from dataclasses import asdict

    for run in _opened(path).runs():
        if as_json:
            click.echo(json_text(asdict(run)))
            continue
        when = datetime.fromtimestamp(run.started).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        origin = f", forked from {run.parent} at {run.steps}" if run.parent else ""
        counts = f"{counted(run.model_calls, 'model call')}, {counted(run.tool_calls, 'tool call')}"
        click.echo(
            plain(f"{run.id}  {when}  {run.status}  {counts}{origin}  {one_line(run.title, 80)}".rstrip())
        )
    return 0


@command.command("show")
@click.argument("run")
@click.option(
    "--step", type=click.IntRange(1), help="Only this model call and what followed; whole, not cut."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object an entry on stdout.")
@click.pass_obj
def show_command(path: Path, run: str, step: int | None, as_json: bool) -> int:
    """Show what a RUN asked and was told, in order."""
    from ..runtime.journal.file import numbered

    file = _opened(path)
    _known(file, run)
    entries = list(numbered(file.entries(run)))
    last = entries[-1][0] if entries else 0
    if step is not None and step > last:
        raise click.UsageError(f"run {run!r} has {counted(last, 'model call')}, and no step {step}")
    for number, entry in entries:
        if step is not None and number != step:
            continue
        with _sound(entry, run):
            if as_json:
                click.echo(json_text(_plain_entry(number, entry)))
            else:
                click.echo("\n".join(_lines(number, entry, whole=step is not None)))
    return 0


@command.command("diff")
@click.argument("first")
@click.argument("second")
@click.pass_obj
def diff_command(path: Path, first: str, second: str) -> int:
    """Say where two runs part; the exit code is 1 where they do."""
    from itertools import zip_longest

    from ..runtime.journal.difference import difference
    from ..runtime.journal.file import numbered

    file = _opened(path)
    for run in (first, second):
        _known(file, run)
    ids: tuple[dict[str, str], dict[str, str]] = ({}, {})
    pairs = zip_longest(numbered(file.entries(first)), numbered(file.entries(second)))
    for one, other in pairs:
        if one is None or other is None:
            longer, (number, entry) = (first, one) if one is not None else (second, other)
            click.echo(f"only {longer} goes on, from model call {number}:")
            with _sound(entry, longer):
                click.echo("\n".join(_lines(number, entry, whole=False)))
            return 1
        for what in ("request", "response"):
            with _sound(one[1], first):
                a = _comparable(getattr(one[1], what), ids[0])
            with _sound(other[1], second):
                b = _comparable(getattr(other[1], what), ids[1])
            if a != b:
                click.echo(plain(f"model call {one[0]}, {one[1].kind} {what}: {difference(a, b)}"))
                click.echo(f"(recorded: {first}, now: {second})")
                return 1
    click.echo("no difference")
    return 0


@command.command("fork")
@click.argument("run")
@click.option("--step", type=click.IntRange(0), required=True, help="Model calls that the new run shares.")
@click.option("--name", help="The new run's name; made up by default.")
@click.pass_obj
def fork_command(path: Path, run: str, step: int, name: str | None) -> int:
    """Make a new run that shares the first steps of a RUN; its name is printed.

    Going on with it (loopwright run, the same question, --journal FILE --run-name NEW) repeats those steps from the
    record, and asks and acts from there.
    """
    file = _opened(path)
    _known(file, run)
    if name is not None and file.run(name) is not None:
        raise click.UsageError(f"there is a run {name!r} already")
    click.echo(file.fork(run, step, name))
    return 0


def _opened(path: Path) -> JournalFile:
    from ..runtime.journal import JournalFile

    if not path.exists():
        raise click.UsageError(f"there is no journal {path}: name one with --journal, or record a run first")
    return JournalFile(path)


def _known(file: JournalFile, run: str) -> None:
    from ..text import did_you_mean

    names = [one.id for one in file.runs()]
    if run not in names:
        raise click.UsageError(f"there is no run {run!r}{did_you_mean(run, names)}")


@contextmanager
def _sound(entry: Entry, run: str) -> Iterator[None]:
    """Say which entry it is where what was read is not what was written."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise entry.damaged(run) from error


def _plain_entry(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "step": number,
        "entry": entry.number,
        "kind": entry.kind,
        "request": json.loads(entry.request),
        "response": json.loads(entry.response) if entry.response is not None else None,
        "seconds": entry.seconds,
    }


def _comparable(text: str | None, ids: dict[str, str]) -> str:
    """An effect's JSON without what no two runs share: how long it took, what a cache saved, the names of calls.

    `ids` are the names that the run's calls got so far, by those that the model gave them.
    """
    body = json.loads(text) if text is not None else None
    if not isinstance(body, dict):
        return json.dumps(body)
    body.pop("usage", None)
    for part in (body, body.get("execution")):
        if isinstance(part, dict):
            part.pop("seconds", None)
    if "messages" in body:
        body["messages"] = [
            [role, content, _renamed(calls, ids), ids.get(answered, ""), name]
            for role, content, calls, answered, name in body["messages"]
        ]
    if "tool_calls" in body:
        body["tool_calls"] = _renamed(body["tool_calls"], ids)
    return json.dumps(body, sort_keys=True)


def _renamed(calls: list[list[Any]], ids: dict[str, str]) -> list[list[Any]]:
    """Calls with a number in the place of each one's name."""
    return [
        [name, args, ids.setdefault(call_id, f"call {len(ids) + 1}"), malformed]
        for name, args, call_id, malformed in calls
    ]


def _lines(number: int, entry: Entry, *, whole: bool) -> list[str]:
    shown = _whole if whole else _cut
    told = json.loads(entry.response) if entry.response is not None else None
    asked = json.loads(entry.request)
    if entry.kind == "model":
        return _model_lines(number, asked, told, whole=whole)
    if entry.kind == "program":
        return [f"   program {shown(asked['code'])}", f"        => {shown(_program_result(told))}"]
    call = f"{asked['name']}({', '.join(f'{name}={json.dumps(value, ensure_ascii=False)}' for name, value in asked['args'].items())})"
    result = "(never ended)" if told is None else told["content"]
    return [f"   tool {shown(call)}", f"        -> {shown(result)}"]


def _model_lines(
    number: int, asked: dict[str, Any], told: dict[str, Any] | None, *, whole: bool
) -> list[str]:
    from loopwright.tools.calls import ToolCall

    messages = asked["messages"]
    lines = [f"{number}. model {asked['lm']}, {counted(len(messages), 'message')}"]
    if whole:
        lines += [f"   [{role}] {plain(content)}" for role, content, *_ in messages]
    elif number == 1 and messages:
        lines.append(f"   [{messages[-1][0]}] {_cut(messages[-1][1])}")
    if told is None:
        return [*lines, "   (never ended)"]
    if told["text"]:
        lines.append(f"   => {(_whole if whole else _cut)(told['text'])}")
    lines += [f"   => {call_text(ToolCall(*call))}" for call in told["tool_calls"]]
    return lines


def _program_result(told: dict[str, Any] | None) -> str:
    if told is None:
        return "(never ended)"
    execution = told["execution"]
    parts = (
        execution["stdout"].rstrip(),
        execution["value_repr"],
        (execution["error"] or {}).get("message", ""),
    )
    return f"{execution['end']}: " + "\n".join(part for part in parts if part)


def _cut(text: str) -> str:
    return one_line(text, _WIDTH)


def _whole(text: str) -> str:
    return plain(text)
