from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, ToolResult
from loopwright.tools.builtin.folder import Folder
from loopwright.tools.builtin.search_files import search_files_tool


@pytest.fixture(params=[True, False], ids=["descriptors", "paths"])
def folder(root: Path, request: pytest.FixtureRequest) -> Folder:
    (root / "docs" / ".hidden").mkdir()
    (root / "docs" / ".hidden" / "beta.txt").write_text("beta in hiding")
    return replace(Folder.at(root), descriptors=request.param)


def search(root: Path | Folder, query: str, *, seconds: float = 60, **more: object) -> ToolResult:
    return search_files_tool(root, seconds=seconds).run(ToolCall("search_files", {"query": query, **more}))


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ({"query": "beta"}, ["docs/a.md:2: beta"]),
        ({"query": "BETA", "ignore_case": True}, ["docs/a.md:2: beta"]),
        ({"query": "beta", "path": "docs"}, ["docs/a.md:2: beta"]),
        ({"query": "beta", "path": "docs", "pattern": "*.md"}, ["docs/a.md:2: beta"]),
        ({"query": "beta", "path": "docs/a.md"}, ["docs/a.md:2: beta"]),
        ({"query": "beta", "path": "in"}, ["in:2: beta"]),
        ({"query": "beta", "path": "./whole"}, ["whole/a.md:2: beta"]),
        ({"query": "beta", "path": "docs/.hidden"}, ["docs/.hidden/beta.txt:1: beta in hiding"]),
        ({"query": "Ωμέγα"}, ["bom.txt:1: Ωμέγα", "utf16.txt:1: Ωμέγα"]),
        ({"query": "two"}, ["windows.txt:2: two"]),
        ({"query": "^line 4?7$", "regex": True}, ["long.txt:7: line 7", "long.txt:47: line 47"]),
        ({"query": "LINE 47$", "regex": True, "ignore_case": True}, ["long.txt:47: line 47"]),
        ({"query": "Ω.*α", "regex": True}, ["bom.txt:1: Ωμέγα", "utf16.txt:1: Ωμέγα"]),
    ],
    ids=lambda one: repr(one)[:50],
)
def test_lines_that_hold_the_query_are_found(
    folder: Folder, args: dict[str, object], found: list[str]
) -> None:
    assert search(folder, **args).content.splitlines() == found  # type: ignore[arg-type]  # a table of mixed values


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"query": "alpha beta"}, 'Nothing in "." matches "alpha beta" ('),
        ({"query": "a.pha"}, "Nothing in"),
        ({"query": "beta", "pattern": "*.md"}, "(0 files searched)."),
        ({"query": "beta", "path": "binary.bin"}, "(0 files searched)."),
        ({"query": "alpha", "path": "docs/a.md", "pattern": "*.txt"}, "docs/a.md:1: alpha"),
    ],
    ids=lambda one: repr(one)[:50],
)
def test_what_is_not_found_is_said(folder: Folder, args: dict[str, object], said: str) -> None:
    result = search(folder, **args)  # type: ignore[arg-type]  # a table of mixed values
    assert result.ok
    assert said in result.content


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"query": ""}, "query"),
        ({"query": "x" * 501}, "query"),
        ({"query": "a\nb"}, "a text within one line"),
        ({"query": "(", "regex": True}, '"(" is no regular expression: missing )'),
        ({"query": "(?P<a", "regex": True}, "is no regular expression"),
        ({"query": "x{99999999999999999999}", "regex": True}, "is no regular expression"),
        ({"query": "x", "path": ".."}, "lies outside the folder"),
        ({"query": "x", "path": "up"}, "lies outside the folder"),
        ({"query": "x", "path": "out"}, "lies outside the folder"),
        ({"query": "x", "path": "device"}, "lies outside the folder"),
        ({"query": "x", "path": "pipe"}, '"pipe" is no regular file'),
        ({"query": "x", "path": "nowhere"}, 'there is no "nowhere"'),
        ({"query": "x", "pattern": "../*"}, "is no pattern for names under the folder"),
    ],
    ids=lambda one: repr(one)[:50],
)
def test_what_can_not_be_searched_is_refused(folder: Folder, args: dict[str, object], said: str) -> None:
    result = search(folder, **args)  # type: ignore[arg-type]  # a table of mixed values
    assert result.error in ("raised", "invalid_args")
    assert said in result.content


def test_links_pipes_and_binary_files_are_passed_over_without_a_word(folder: Folder) -> None:
    assert search(folder, "outside").content.startswith('Nothing in "." matches "outside"')
    assert "[" not in search(folder, "outside").content


@pytest.mark.parametrize("query", ["(a+)+b", "(a|aa)+$", "(.*a){25}b", "(?=(a+)+b)"])
def test_a_regular_expression_that_would_take_years_is_stopped(tmp_path: Path, query: str) -> None:
    (tmp_path / "a.txt").write_text("found aab\n")
    (tmp_path / "b.txt").write_text("a" * 60 + "!")
    assert stopped(tmp_path, query).endswith(
        "[the regular expression took too much time or memory in b.txt; make it simpler, or search fewer files]"
    )


def test_what_was_found_before_a_regular_expression_was_stopped_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("found aab\n")
    (tmp_path / "b.txt").write_text("a" * 60)
    assert stopped(tmp_path, "(a+)+b").startswith("a.txt:1: found aab\n[the regular")


def stopped(root: Path, query: str) -> str:
    """What is told of a regular expression that takes years in b.txt; a busy machine gets more time for what comes before."""
    seconds, content = 0.5, ""
    while "in b.txt" not in content and seconds < 60:
        started = time.monotonic()
        content = search(root, query, regex=True, seconds=seconds).content
        assert time.monotonic() - started < seconds + 60  # a guard against a hang
        seconds *= 4
    return content


TIGHT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
from loopwright.tools import ToolCall, builtin_tool
call = ToolCall("search_files", {"query": "o.e", "regex": True})
print(builtin_tool("search_files", sys.argv[1]).run(call).content)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the address space has no bound")
def test_a_bound_that_is_tighter_already_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    command = [sys.executable, "-c", TIGHT, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "a.txt:1: one\n"


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 60 + "!")
    before = children()
    for query in ("a", "(", "(a+)+b"):
        search(tmp_path, query, regex=True, seconds=0.3)
    assert children() <= before


def children() -> set[str]:
    """The processes that this one has started and that are there still; none where the system does not tell."""
    found: set[str] = set()
    for task in Path("/proc/self/task").glob("*"):
        with suppress(OSError):  # a thread that has just ended
            found.update((task / "children").read_text().split())
    return found


def test_many_hits_are_cut(root: Path) -> None:
    lines = search(root, "line").content.splitlines()
    assert (len(lines), lines[0], lines[99]) == (101, "long.txt:1: line 1", "long.txt:100: line 100")
    assert lines[100] == "[there are more; make the query or the pattern narrower]"


def test_long_hits_are_cut_by_their_size(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_text(("x" * 239 + "\n") * 200)
    content = search(tmp_path, "x").content
    assert 14_000 < len(content) < 16_100
    assert content.endswith("narrower]")


def test_of_a_long_line_the_part_around_the_hit_is_shown(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_text("a" * 100_000 + "needle" + "b" * 100_000)
    text = search(tmp_path, "needle").content.removeprefix("wide.txt:1: ")
    assert text == "…" + "a" * 80 + "needle" + "b" * 154 + "…"


def test_of_a_huge_file_the_beginning_is_searched(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write(b"needle\n" + b"x" * 10_000)
        file.truncate(1 << 40)
    assert search(tmp_path, "needle").content == (
        "huge.txt:1: needle\n[of files over 5 MB only the beginning was searched]"
    )


def test_hundreds_of_megabytes_are_too_much(tmp_path: Path) -> None:
    for n in range(70):
        with (tmp_path / f"{n:02}.txt").open("wb") as file:
            file.write(b"x" * 10_000)
            file.truncate(1 << 30)
    content = search(tmp_path, "needle").content
    assert "[the search ended after 300 MB]" in content or "[the time ended before" in content


def test_a_search_ends_in_time(tmp_path: Path) -> None:
    for n in range(100):
        (tmp_path / f"{n}.txt").write_text("x\n" * 100_000)
    assert (
        "[the time ended before everything was looked at]" in search(tmp_path, "needle", seconds=0.05).content
    )


def test_a_name_with_escape_codes_can_not_reach_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\nfake.txt:1: \x1b[2J").write_text("needle")
    assert search(tmp_path, "needle").content == r'"a\nfake.txt:1: \u001b[2J":1: needle'
