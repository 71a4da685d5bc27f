"""A session by itself, in this process: the language layer without a worker around it.

What runs here is the ordinary corpus and those of the hostile snippets that would do no more than make a file.
"""

from __future__ import annotations

import calendar
import copy
import decimal
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from more_time import in_seconds

from loopwright.sandbox.clock import Clock
from loopwright.sandbox.copying import guard_copying
from loopwright.sandbox.facades import preload
from loopwright.sandbox.failures import message_of
from loopwright.sandbox.worker import Bounds, Output, OutputIsFull, Session

BOUNDS = Bounds(output_chars=50_000, value_chars=10_000, repr_chars=1_000, call_chars=1_000, memory_mb=256)


def sections(folder: str) -> dict[str, tuple[str, str, str]]:
    """Name to (file, what follows the name, source) of a corpus."""
    found = {}
    for file in sorted(Path(__file__).with_name(folder).glob("*.txt")):
        for section in file.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, source = section.partition("\n")
            name, _, rest = (part.strip() for part in head.partition("|"))
            found[name] = (file.stem, rest, source)
    return found


ORDINARY = {
    name: source
    for name, (file, _, source) in sections("ordinary").items()
    if file != "newer" or sys.version_info >= (3, 12)
}
HARMLESS = {
    name: source
    for name, (file, ends, source) in sections("hostile").items()
    if file in ("attributes", "builtins", "formats", "frames", "imports")
    and not ends
    and set(re.findall(r"{[A-Z_]+}", source)) <= {"{MARKER}"}
}


@pytest.fixture
def session() -> Iterator[Session]:
    """A session of this process, whose own state is put back afterwards."""
    preload()
    reductions = copy.dispatch_table  # type: ignore[attr-defined]  # the module's own name for it
    guard_copying()
    streams, main, depth = (sys.stdout, sys.stderr), sys.modules["__main__"], sys.getrecursionlimit()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGPROF)}
    chance, context, first = random.getstate(), decimal.getcontext().copy(), calendar.firstweekday()
    try:
        yield Session(BOUNDS, Clock(), {})
    finally:
        sys.stdout, sys.stderr = streams
        sys.modules["__main__"] = main
        sys.setrecursionlimit(depth)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        random.setstate(chance)
        decimal.setcontext(context)
        calendar.setfirstweekday(first)
        copy.dispatch_table = reductions  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_program_runs(name: str, session: Session) -> None:
    outcome = session.run(ORDINARY[name], {}, 60, 60)
    assert outcome["end"] == "ok", outcome


@pytest.mark.parametrize("name", HARMLESS)
def test_a_hostile_program_is_refused_or_raises(name: str, session: Session, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    outcome = session.run(HARMLESS[name].replace("{MARKER}", str(marker)), {}, 60, 60)
    assert outcome["end"] in ("error", "refused"), outcome
    assert not marker.exists()


@pytest.mark.parametrize(
    ("code", "end", "told"),
    [
        ("while True: pass", "timeout", "its cpu time is used up"),
        ("print('x' * 100_000)", "output", "its output is used up"),
        ("raise MemoryError", "memory", "more than the 256 MB"),
        ("class R:\n    def __repr__(self): raise ValueError\nR()", "ok", None),
        ("raise SystemExit('sorry')", "error", "sorry"),
        ("quit()", "ok", None),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "error", "can't be shown: ValueError"),
        ("raise ValueError('x' * 10_000)", "error", " … "),
        ("def f(n): return f(n + 1)\nf(0)", "error", "more calls ..."),
        ("1 +", "error", "invalid syntax"),
        ("try:\n    1/0\nexcept Exception:\n    raise KeyError('k')", "error", "while dealing with ZeroDivisionError"),
    ],
)  # fmt: skip
def test_an_end_is_told_in_words(session: Session, code: str, end: str, told: str | None) -> None:
    outcome = session.run(code, {}, 60, 0.1)
    assert outcome["end"] == end
    if told is not None:
        assert told in f"{outcome['error']['message']} {outcome['error']['traceback']}"


@in_seconds(0.05)
def test_the_clock_stands_still_while_it_is_paused(session: Session, seconds: float) -> None:
    clock = Clock()
    clock.start(seconds, 60)
    with clock.paused():
        end = time.monotonic() + 2 * seconds
        while time.monotonic() < end:
            pass
    assert clock.expired == ""
    clock.stop()


def test_output_keeps_what_fits_and_joins_many_pieces() -> None:
    output = Output(20_000)
    for _ in range(15_000):
        output.write("x")
    output.flush()
    assert output.text() == "x" * 15_000
    with pytest.raises(TypeError):
        output.write(5)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(OutputIsFull):
        output.write("y" * 10_000)
    assert output.text() == "x" * 15_000 + "y" * 5_000


def test_the_message_of_a_syntax_error_is_its_own() -> None:
    assert message_of(SyntaxError("odd", ("f", 1, 2, "text"))) == "odd"


def test_unguarded_code_runs_as_plain_python(session: Session) -> None:
    plain = Session(BOUNDS, Clock(), {}, guarded=False)
    assert plain.run("import os\nos.getpid() > 0", {}, 60, 60)["value"] is True
