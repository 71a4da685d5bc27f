"""The page for those who come from DSPy: its programs run, and its tables agree with the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import pytest

import loopwright

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "agents" / "coming_from_dspy.md").read_text(encoding="utf-8")
NAMES = (ROOT / "tests" / "dspy_names.txt").read_text(encoding="utf-8").split()  # of DSPy 3.4.1: dir(dspy)
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class Row(NamedTuple):
    name: str
    here: str
    status: str
    remark: str


ROWS = [
    Row(*(cell.strip() for cell in line.strip("|").split("|")))
    for line in PAGE.splitlines()
    if re.match(r"\| `\w+` \|", line)
]
THERE = ("same", "differs")
METHODS = [
    (kind, name)
    for kind, listed in re.findall(r"^\| `(\w+)`: (.*?) \|", PAGE, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", listed)
]


def test_every_program_of_the_page_shows_what_it_prints() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 4


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=["move", "history", "attempts", "optimizer"])
def test_a_program_of_the_page_prints_what_it_shows(program: str, printed: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LOOPWRIGHT_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_every_name_of_dspys_stands_in_the_tables_once() -> None:
    told = Counter(row.name.strip("`") for row in ROWS)
    assert sorted(told) == sorted(NAMES)
    assert set(told.values()) == {1}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.strip("`"))
def test_what_a_row_says_is_so(row: Row) -> None:
    assert row.status in (*THERE, "not yet", "no")
    name = row.name.strip("`")
    if row.status in THERE:
        reduce(getattr, row.here.strip("`").split("."), _imported())
    else:
        assert row.here == ""
        assert row.remark, "it must say why, or what is in its place"
        assert not hasattr(loopwright, name), f"{name} is there: the page says {row.status!r}"
    if row.status == "differs" and row.here == row.name:
        assert row.remark, "it must say how it differs"
    if hasattr(loopwright, name):
        assert row.here == row.name


def _imported() -> object:
    """The package, with the parts loaded that a row may name."""
    import loopwright.errors
    import loopwright.runtime
    import loopwright.sandbox
    import loopwright.tools

    return loopwright


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=[f"{kind}.{name}" for kind, name in METHODS])
def test_a_method_that_is_said_to_be_missing_is(kind: str, name: str) -> None:
    assert not hasattr(getattr(loopwright, kind), name)


# What DSPy 3.4.1 has beside those on the page, of the classes that programs use most.
KEPT = {
    "Example": "copy get inputs items keys labels toDict values with_inputs without",
    "Prediction": "completions from_completions",
    "Completions": "items",
    "Module": "acall batch deepcopy dump_state get_lm load load_state map_named_predictors named_predictors "
    "named_sub_modules predictors reset_copy save set_lm",
    "LM": "acall copy dump_state inspect_history",
    "Tool": "acall",
    "ToolCalls": "from_dict_list ToolCall",
    "Code": "description language",
    "PythonInterpreter": "execute shutdown start tools",
    "Ensemble": "compile",
    "Signature": "append delete insert prepend with_instructions with_updated_fields",
}


@pytest.mark.parametrize(("kind", "names"), KEPT.items(), ids=KEPT)
def test_the_other_methods_are_there(kind: str, names: str) -> None:
    there = getattr(loopwright, kind)
    assert [name for name in names.split() if not hasattr(there, name)] == []
