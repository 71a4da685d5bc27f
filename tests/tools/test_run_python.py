"""`run_python`, with real programs."""

from __future__ import annotations

import pytest

from loopwright.sandbox import Limits
from loopwright.tools import ToolCall
from loopwright.tools.builtin import builtin_tool
from loopwright.tools.builtin.run_python import run_python_tool


def run(code: str) -> ToolCall:
    return ToolCall("run_python", {"code": code})


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("2 ** 10", "1024"),
        ("print('a')\n[1, 2]", "a\n[1, 2]"),
        ("x = 1", "(it printed nothing, and its last line has no value)"),
    ],
    ids=["a value", "both", "neither"],
)
def test_what_it_printed_and_its_value_come_back(code: str, content: str) -> None:
    assert builtin_tool("run_python").run(run(code)).content == content


def test_an_error_names_the_line_and_nothing_of_the_host() -> None:
    result = builtin_tool("run_python").run(run("a = []\na[3]"))
    assert result.error == "raised"
    assert "IndexError" in result.content
    assert "a[3]" in result.content
    assert "site-packages" not in result.content


def test_nothing_is_kept_from_one_program_to_the_next() -> None:
    tool = builtin_tool("run_python")
    assert tool.run(run("kept = 1")).ok
    assert "kept" in tool.run(run("kept")).content


def test_a_program_without_end_is_stopped() -> None:
    result = run_python_tool(Limits(wall_seconds=60, cpu_seconds=0.5)).run(run("while True: pass"))
    assert result.content.startswith("Error: the program ended with timeout.")
