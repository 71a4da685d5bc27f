from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tools import ToolCall, ToolResult, builtin_tool
from loopwright.tools.builtin.directory import legal_on_windows
from loopwright.tools.builtin.folder import Folder, Walk
from loopwright.tools.builtin.list_files import list_files_tool
from loopwright.tools.builtin.read_file import read_file_tool


@pytest.fixture(params=[True, False], ids=["descriptors", "paths"])
def folder(root: Path, request: pytest.FixtureRequest) -> Folder:
    """The folder, once as every system but Windows reaches into it, and once as Windows does."""
    return replace(Folder.at(root), descriptors=request.param)


def read(root: Path | Folder, path: str, **more: object) -> ToolResult:
    return read_file_tool(root).run(ToolCall("read_file", {"path": path, **more}))


def listed(root: Path | Folder, **args: object) -> ToolResult:
    return list_files_tool(root).run(ToolCall("list_files", args))


# ---- reading


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/a.md", "alpha\nbeta"),
        ("./docs/../docs/a.md", "alpha\nbeta"),
        ("in", "alpha\nbeta"),
        ("whole/a.md", "alpha\nbeta"),
        ("self/self/whole/../docs/deep/../a.md", "alpha\nbeta"),
        ("windows.txt", "one\ntwo"),
        ("bom.txt", "Ωμέγα"),
        ("utf16.txt", "Ωμέγα\nx"),
        ("latin.txt", "caf\ufffd"),
        ("empty.txt", "[the file is empty]"),
    ],
)
def test_a_text_file_is_read(folder: Folder, path: str, text: str) -> None:
    assert read(folder, path).content == text


def test_a_path_may_be_absolute_where_it_stays_inside(folder: Folder) -> None:
    assert read(folder, str(folder.root / "docs" / "a.md")).content == "alpha\nbeta"


def test_an_absolute_path_may_go_through_the_link_by_which_the_folder_was_named(root: Path) -> None:
    other = root.parent / "other-name"
    other.symlink_to(root)
    assert read(other, str(other / "docs" / "a.md")).content == "alpha\nbeta"
    assert read(other, str(root / "docs" / "a.md")).content == "alpha\nbeta"


def test_a_long_file_is_read_in_pieces(root: Path) -> None:
    first = read(root, "long.txt").content.splitlines()
    assert (first[0], first[199]) == ("line 1", "line 200")
    assert first[200] == "[lines 1 to 200; there is more: read on with start_line=201]"
    last = read(root, "long.txt", start_line="401").content.splitlines()
    assert (last[0], last[99]) == ("line 401", "line 500")
    assert last[100] == "[lines 401 to 500, the end of the file]"
    assert read(root, "long.txt", start_line=7, max_lines=1).content.startswith(
        "line 7\n[lines 7 to 7; there is more"
    )


def test_endless_lines_are_cut(root: Path) -> None:
    lines = read(root, "wide.txt").content.splitlines()
    assert lines[0] == "x" * 4_000 + " [the line goes on]"
    assert lines[1:] == ["next", "y" * 4_000, "end"]


def test_one_answer_is_never_cut_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text(("x" * 99 + "\n") * 10_000)
    content = read(tmp_path, "big.txt", max_lines=10_000).content
    assert "left out" not in content
    assert content.endswith("[lines 1 to 160; there is more: read on with start_line=161]")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../secret.txt", "lies outside the folder"),
        ("docs/../../secret.txt", "lies outside the folder"),
        ("/etc/passwd", "lies outside the folder"),
        ("out", "lies outside the folder"),
        ("up/secret.txt", "lies outside the folder"),
        ("self/up/root/docs/a.md", "lies outside the folder"),
        ("climb", "lies outside the folder"),
        ("device", "lies outside the folder"),
        ("/dev/zero", "lies outside the folder"),
        ("/proc/self/environ", "lies outside the folder"),
        ("../nothing-there", "lies outside the folder"),
        ("circle", "can't be opened: links that lead in a circle"),
        ("gone", 'there is no "gone"'),
        ("nowhere/a.md", 'there is no "nowhere/a.md"'),
        ("dosc/a.md", 'did you mean "docs"?'),
        ("pipe", '"pipe" is no regular file'),
        ("docs", '"docs" is a folder; list_files shows what is in it'),
        ("binary.bin", '"binary.bin" is no text file'),
        ("docs/a.mb", 'there is no "docs/a.mb"; did you mean "a.md"?'),
        ("long.txt/x", "can't be opened"),
        ("a\x00b", "can't be opened"),
        ("x" * 10_000, "can't be opened"),
        ("self/" * 100 + "docs", "can't be opened"),
        ("docs/../" * 60 + "in", "can't be opened: the path is too long"),
        ("a\ud800b", "can't be opened: it is no path"),
        ("a\nb\x1b[2J", r'there is no "a\nb\u001b[2J"'),
        ("", '"" is a folder'),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_outside_missing_or_no_text_is_refused(folder: Folder, path: str, said: str) -> None:
    result = read(folder, path)
    assert result.error == "raised"
    assert said in result.content
    assert str(folder.root.parent) not in result.content
    assert "outside" not in result.content.replace("lies outside", "")


def test_a_line_beyond_the_end_is_refused(root: Path) -> None:
    assert read(root, "docs/a.md", start_line=9).content == 'Error: "docs/a.md" has only 2 lines'
    assert "start_line" in read(root, "docs/a.md", start_line=0).content


def test_a_file_without_permission_is_refused(root: Path) -> None:
    (root / "docs" / "a.md").chmod(0)
    if os.access(root / "docs" / "a.md", os.R_OK):
        pytest.skip("this user may read everything")
    assert "can't be opened: Permission denied" in read(root, "docs/a.md").content


def test_a_folder_that_is_gone_is_said_to_be_gone(folder: Folder) -> None:
    shutil.rmtree(folder.root)
    for result in (read(folder, "docs/a.md"), listed(folder)):
        assert "the folder itself can't be opened any more: No such file" in result.content


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder: Folder) -> None:
    folder.root.rename(folder.root.parent / "moved")
    folder.root.symlink_to("/etc")
    assert "the folder itself can't be opened any more" in read(folder, "passwd").content


def test_a_file_too_large_to_hold_is_read_in_pieces_all_the_same(root: Path) -> None:
    with (root / "huge.txt").open("wb") as file:
        file.write(b"first\n" * 10_000)
        file.truncate(1 << 40)  # a terabyte, of which nothing is on the disk
    assert read(root, "huge.txt", max_lines=2).content.startswith(
        "first\nfirst\n[lines 1 to 2; there is more"
    )


def test_a_line_without_end_gives_up_in_bounded_time(root: Path) -> None:
    with (root / "huge.txt").open("wb") as file:
        file.write(b"x" * 10_000)
        file.truncate(1 << 40)
    result = read_file_tool(root, seconds=0.3).run(
        ToolCall("read_file", {"path": "huge.txt", "start_line": 2})
    )
    assert result.content == 'Error: "huge.txt" is too large to get that far in 0.3 s'


def test_a_socket_is_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # as the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
    assert '"socket" is no regular file' in read(root, "socket").content


@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes elsewhere only")
def test_a_name_that_is_no_unicode_is_listed_so_that_it_can_be_read(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("found")
    (tmp_path / "two\nlines \x1b[31m").write_text("found too")
    assert listed(tmp_path).content == '"caf\\udce9"\n"two\\nlines \\u001b[31m"'
    assert read(tmp_path, "caf\udce9").content == "found"
    assert read(tmp_path, "two\nlines \x1b[31m").content == "found too"


PARTS = [
    "..",
    ".",
    "docs",
    "deep",
    "in",
    "up",
    "out",
    "whole",
    "self",
    "circle",
    "a.md",
    "b.md",
    "secret.txt",
]


@given(parts=st.lists(st.sampled_from(PARTS), max_size=6))
def test_whatever_the_path_what_is_read_lies_inside(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    top = _tree(tmp_path_factory)
    path = "/".join(parts) or "."
    real = Path(os.path.realpath(top / path))
    steps = [Path(os.path.realpath(top / Path(*parts[:n]))) for n in range(1, len(parts))]
    result = read(top, path)
    if result.ok:
        assert real.is_relative_to(top)
        assert result.content == real.read_text()
    elif real.is_file() and all(step.is_relative_to(top) for step in (*steps, real)):
        # `a.md/..` is refused here and by the system, and taken by realpath, which asks for no folder
        assert any(not step.is_dir() for step in steps)


def _tree(factory: pytest.TempPathFactory) -> Path:
    base = factory.getbasetemp().resolve() / "tree"
    top = base / "root"
    if not top.exists():
        (top / "docs" / "deep").mkdir(parents=True)
        for name in ("docs/a.md", "docs/deep/b.md"):
            (top / name).write_text(f"this is {name}")
        (base / "secret.txt").write_text("outside")
        for name, target in {
            "in": "docs/a.md",
            "up": "..",
            "out": "../secret.txt",
            "whole": str(top / "docs"),
        }.items():
            (top / name).symlink_to(target)
        (top / "self").symlink_to(".")
        (top / "docs" / "up").symlink_to("..")
        (top / "circle").symlink_to("circle")
    return top


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("notes.txt", True),
        ("console.txt", True),
        ("CON", False),
        ("nul.tar.gz", False),
        ("com1", False),
        ("a.txt:stream", False),
        ("trailing.", False),
        ("trailing ", False),
        ("a|b", False),
    ],
)
def test_names_that_windows_keeps_for_itself_are_known(name: str, legal: bool) -> None:
    assert legal_on_windows(name) is legal


# ---- listing


def test_a_folder_is_listed(folder: Folder) -> None:
    assert listed(folder, path="docs").content == "a.md\ndeep/"
    assert listed(folder, path="whole/deep").content == "b.md\nc.txt"


def test_a_link_is_listed_and_not_followed(folder: Folder) -> None:
    names = listed(folder, pattern="**/*").content.splitlines()
    assert {"up", "whole", "self", "docs/"} <= set(names)
    assert not [name for name in names if name.startswith(("up/", "whole/", "self/"))]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", "Nothing"),
        ("*.bin", "binary.bin"),
        ("b*.???", "binary.bin\nbom.txt"),
        ("**/*.md", "docs/a.md\ndocs/deep/b.md"),
        ("docs/*", "docs/a.md\ndocs/deep/"),
        ("whole/*", "Nothing"),
        ("docs/**/c.txt", "docs/deep/c.txt"),
        ("**/secret.txt", "Nothing"),
        ("[", "Nothing"),
    ],
)
def test_a_pattern_picks_names(root: Path, pattern: str, found: str) -> None:
    content = listed(root, pattern=pattern).content
    assert content == (f'Nothing in "." matches "{pattern}".' if found == "Nothing" else found)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"path": ".."}, "lies outside the folder"),
        ({"path": "up"}, "lies outside the folder"),
        ({"path": "pipe"}, '"pipe" is a file'),
        ({"path": "circle"}, "can't be opened"),
        ({"path": "docs/a.md"}, '"docs/a.md" is a file; read_file shows what is in it'),
        ({"path": "dosc"}, 'there is no "dosc"; did you mean "docs"?'),
        ({"pattern": "../*"}, "is no pattern for names under the folder"),
        ({"pattern": "/etc/*"}, "is no pattern for names under the folder"),
        ({"pattern": ""}, "is no pattern for names under the folder"),
        ({"pattern": "**/" * 9 + "x"}, "is no pattern for names under the folder"),
        ({"pattern": "*" * 1_000}, "is no pattern for names under the folder"),
    ],
)
def test_what_leads_outside_is_not_listed(folder: Folder, args: dict[str, object], said: str) -> None:
    result = listed(folder, **args)
    assert result.error == "raised"
    assert said in result.content


def test_a_folder_of_thousands_is_cut(tmp_path: Path) -> None:
    for n in range(350):
        (tmp_path / f"{n:03}").touch()
    lines = listed(tmp_path).content.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (301, "000", "[and 50 more; use a narrower pattern]")


def test_a_walk_ends_after_so_many_entries_or_so_much_time(folder: Folder) -> None:
    with folder.directory(".") as top:
        few = Walk(top, time.monotonic() + 60, entries=5)
        assert len(list(few)) == 5
        assert list(few.missed) == ["there are too many entries to look at them all"]
        late = Walk(top, time.monotonic() - 1)
        assert not list(late)
        assert list(late.missed) == ["the time ended before everything was looked at"]


def test_long_names_are_cut_too(tmp_path: Path) -> None:
    for n in range(200):
        (tmp_path / f"{n:03}{'x' * 200}").touch()
    lines = listed(tmp_path).content.splitlines()
    assert lines[-1] == "[and 122 more; use a narrower pattern]"


def test_a_tree_of_endless_depth_is_cut(tmp_path: Path) -> None:
    here = tmp_path
    for _ in range(80):
        here /= "d"
        here.mkdir()
    assert listed(tmp_path, pattern="**/*").content.endswith("[folders more than 64 deep were left out]")
    assert listed(tmp_path, path="d/" * 60, pattern="**/*").content.count("\n") == 19


def test_a_folder_without_permission_is_left_out_and_said(root: Path) -> None:
    (root / "docs").chmod(0)
    if os.access(root / "docs", os.R_OK):
        pytest.skip("this user may read everything")
    assert "[some folders could not be opened]" in listed(root, pattern="**/*.md").content
    (root / "docs").chmod(0o700)


def test_a_root_that_is_no_folder_is_a_persons_mistake(root: Path) -> None:
    for name in ("read_file", "list_files", "search_files", "write_file"):
        with pytest.raises(NotADirectoryError):
            builtin_tool(name, root / "long.txt")
