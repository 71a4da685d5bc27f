"""Ordinary programs of the kind that models write run as they do under plain Python, character for character."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.sandbox import Level, Limits, ProcessSandbox, probe

LEVEL: Level = probe().level
_REFERENCE = """
import contextlib, io, json, logging, sys
printed = {}
for name, source in json.load(sys.stdin).items():
    logging.root.handlers.clear()  # what a program before this one has set up
    out, space = io.StringIO(), {"__name__": "__main__"}
    module = sys.modules["__main__"] = type(sys)("__main__")
    module.__dict__.update(space)
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
        except SystemExit:
            pass
    printed[name] = out.getvalue()
json.dump(printed, sys.stdout)
"""


def corpus() -> dict[str, str]:
    """Name and source of every program, from the `=== name` sections of the text files."""
    programs: dict[str, str] = {}
    for file in sorted(Path(__file__).with_name("ordinary").glob("*.txt")):
        if file.stem == "newer" and sys.version_info < (3, 12):
            continue  # syntax that came with Python 3.12
        for section in file.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, source = section.partition("\n")
            assert name not in programs, f"two programs are called {name}"
            programs[name] = source
    return programs


PROGRAMS = corpus()


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    ran = subprocess.run(
        [sys.executable, "-I", "-c", _REFERENCE],
        input=json.dumps(PROGRAMS),
        capture_output=True,
        text=True,
        check=True,
    )
    printed: dict[str, str] = json.loads(ran.stdout)
    return printed


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(PROGRAMS) >= 150


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_ordinary_program_prints_what_plain_python_prints(name: str, expected: dict[str, str]) -> None:
    with ProcessSandbox(Limits(wall_seconds=120, cpu_seconds=30), level=LEVEL) as engine:
        execution = engine.run(PROGRAMS[name])
    assert execution.ok, execution.error
    assert execution.stdout == expected[name]
