"""A program's exception as text for whoever has to repair it: its own lines only, nothing of the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from .policy import PolicyError

_FRAMES = 12
_CHARS = 2_000


def report(error: BaseException, sources: Mapping[str, Sequence[str]], current: str) -> dict[str, Any]:
    """Type, message, line and traceback of an exception; `sources` has the lines of each program run so far."""
    name, message = type(error).__name__, message_of(error)
    places = list(_places(error, sources))
    line = next((number for file, number, _ in reversed(places) if file == current), 0)
    text = [*_trace(places, sources, current), *_causes(error), f"{name}: {message}" if message else name]
    if places:
        text.insert(0, "Traceback (most recent call last):")
    return {"type": name, "message": message, "line": line, "traceback": "\n".join(text)}


def message_of(error: BaseException) -> str:
    """What an exception says of itself, cut; the program may have written the method that says it."""
    try:
        if isinstance(error, SyntaxError):
            return _cut(str.__str__(str(error.msg)))
        return _cut(str.__str__(str(error)))
    except BaseException as problem:  # noqa: BLE001 - the program's own __str__ can raise anything, SystemExit too
        return f"(its message can't be shown: {type(problem).__name__})"


def refusal(error: PolicyError, sources: Mapping[str, Sequence[str]], current: str) -> dict[str, Any]:
    """A program that was not run, with every line that stands against it."""
    lines = [
        f"  line {item.line}: {item.reason}\n{_source(sources, current, item.line)}"
        for item in error.refusals
    ]
    text = "\n".join(["The program was not run:", *lines[:_FRAMES]])
    return {"type": "PolicyError", "message": str(error), "line": error.refusals[0].line, "traceback": text}


def _places(error: BaseException, sources: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int, str]]:
    at: TracebackType | None = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_filename in sources:
            yield code.co_filename, at.tb_lineno, code.co_name
        at = at.tb_next
    if isinstance(error, SyntaxError) and error.filename is not None and error.filename in sources:
        yield error.filename, error.lineno or 0, "<module>"


def _trace(
    places: Sequence[tuple[str, int, str]], sources: Mapping[str, Sequence[str]], current: str
) -> Iterator[str]:
    left_out = len(places) - _FRAMES
    if left_out > 0:
        places = [*places[:3], *places[3 - _FRAMES :]]
    for index, (file, line, function) in enumerate(places):
        if left_out > 0 and index == 3:
            yield f"  ... {left_out} more calls ..."
        where = "" if function == "<module>" else f", in {function}"
        earlier = "" if file == current else " of an earlier program"
        yield f"  line {line}{earlier}{where}\n{_source(sources, file, line)}"


def _source(sources: Mapping[str, Sequence[str]], file: str, line: int) -> str:
    lines = sources.get(file, ())
    return f"    {lines[line - 1].strip()[:200]}" if 0 < line <= len(lines) else "    ?"


def _causes(error: BaseException) -> Iterator[str]:
    for _ in range(3):
        suppressed = error.__suppress_context__ or error.__cause__ is not None
        inner = error.__cause__ if suppressed else error.__context__
        if inner is None:
            return
        yield f"(while dealing with {type(inner).__name__}: {message_of(inner)})"
        error = inner


def _cut(text: str) -> str:
    return text if len(text) <= _CHARS else text[: _CHARS // 2] + " … " + text[-_CHARS // 2 :]
