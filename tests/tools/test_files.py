from __future__ import annotations

import os
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, ToolResult, builtin_tool

LONG = "\n".join(f"line {n}" for n in range(1, 501)) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    top = tmp_path / "root"
    (top / "docs" / "deep").mkdir(parents=True)
    (top / "docs" / "a.md").write_text("alpha\nbeta\n")
    (top / "docs" / "deep" / "b.md").write_text("b")
    (top / "docs" / "deep" / "c.txt").write_text("c")
    (top / "long.txt").write_text(LONG)
    (top / "windows.txt").write_bytes(b"one\r\ntwo\r\n")
    (top / "bom.txt").write_text("Ωμέγα", encoding="utf-8-sig")
    (top / "utf16.txt").write_text("Ωμέγα\nx", encoding="utf-16")
    (top / "latin.txt").write_bytes(b"caf\xe9")
    (top / "empty.txt").write_text("")
    (top / "wide.txt").write_text("x" * 1_000_000 + "\nnext\n" + "y" * 4_000 + "\nend")
    (top / "binary.bin").write_bytes(bytes(range(256)) * 100)
    (top / "out").symlink_to(tmp_path / "secret.txt")
    (top / "up").symlink_to(tmp_path)
    (top / "circle").symlink_to("circle")
    (top / "in").symlink_to("docs/a.md")
    os.mkfifo(top / "pipe")
    return top


def read(root: Path, path: str, **more: object) -> ToolResult:
    return builtin_tool("read_file", root).run(ToolCall("read_file", {"path": path, **more}))


def listed(root: Path, **args: object) -> ToolResult:
    return builtin_tool("list_files", root).run(ToolCall("list_files", args))


# ---- reading


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/a.md", "alpha\nbeta"),
        ("./docs/../docs/a.md", "alpha\nbeta"),
        ("in", "alpha\nbeta"),
        ("windows.txt", "one\ntwo"),
        ("bom.txt", "Ωμέγα"),
        ("utf16.txt", "Ωμέγα\nx"),
        ("latin.txt", "caf\ufffd"),
        ("empty.txt", "[the file is empty]"),
    ],
)
def test_a_text_file_is_read(root: Path, path: str, text: str) -> None:
    assert read(root, path).content == text


def test_a_path_may_be_absolute_where_it_stays_inside(root: Path) -> None:
    assert read(root, str(root / "docs" / "a.md")).content == "alpha\nbeta"


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
        ("../nothing-there", "lies outside the folder"),
        ("circle", "can't be opened"),
        ("pipe", '"pipe" is no regular file'),
        ("docs", '"docs" is a folder; list_files shows what is in it'),
        ("binary.bin", '"binary.bin" is no text file'),
        ("docs/a.mb", 'there is no "docs/a.mb"; did you mean "a.md"?'),
        ("long.txt/x", "can't be opened"),
        ("a\x00b", "can't be opened"),
        ("x" * 10_000, "can't be opened"),
        ("", '"" is a folder'),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_outside_missing_or_no_text_is_refused(root: Path, path: str, said: str) -> None:
    result = read(root, path)
    assert result.error == "raised"
    assert said in result.content
    assert str(root.parent) not in result.content
    assert "outside" not in result.content.replace("lies outside", "")


def test_a_line_beyond_the_end_is_refused(root: Path) -> None:
    assert read(root, "docs/a.md", start_line=9).content == 'Error: "docs/a.md" has only 2 lines'
    assert "start_line" in read(root, "docs/a.md", start_line=0).content


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(root: Path) -> None:
    (root / "docs" / "a.md").chmod(0)
    assert "can't be opened: Permission denied" in read(root, "docs/a.md").content


# ---- listing


def test_a_folder_is_listed(root: Path) -> None:
    assert listed(root, path="docs").content == "a.md\ndeep/"
    assert "up\n" in listed(root).content.replace("up/", "up")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", "Nothing"),
        ("*.bin", "binary.bin"),
        ("b*.???", "binary.bin\nbom.txt"),
        ("**/*.md", "docs/a.md\ndocs/deep/b.md"),
        ("docs/*", "docs/a.md\ndocs/deep/"),
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
        ({"path": "docs/a.md"}, '"docs/a.md" is a file; read_file shows what is in it'),
        ({"path": "dosc"}, 'there is no "dosc"; did you mean "docs"?'),
        ({"pattern": "../*"}, "is no pattern for names under the folder"),
        ({"pattern": "/etc/*"}, "is no pattern for names under the folder"),
        ({"pattern": ""}, "is no pattern for names under the folder"),
        ({"pattern": "**/" * 9 + "x"}, "is no pattern for names under the folder"),
        ({"pattern": "*" * 1_000}, "is no pattern for names under the folder"),
    ],
)
def test_what_leads_outside_is_not_listed(root: Path, args: dict[str, object], said: str) -> None:
    result = listed(root, **args)
    assert result.error == "raised"
    assert said in result.content


def test_a_folder_of_thousands_is_cut(tmp_path: Path) -> None:
    for n in range(350):
        (tmp_path / f"{n:03}").touch()
    lines = listed(tmp_path).content.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (301, "000", "[and 50 more; use a narrower pattern]")


def test_a_root_that_is_no_folder_is_a_persons_mistake(root: Path) -> None:
    for name in ("read_file", "list_files"):
        with pytest.raises(NotADirectoryError):
            builtin_tool(name, root / "long.txt")
