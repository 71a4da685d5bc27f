from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.tools import Tool, ToolCall, ToolResult, ToolRun
from loopwright.tools.builtin.folder import Folder
from loopwright.tools.builtin.write_file import write_file_tool


@pytest.fixture(params=[True, False], ids=["descriptors", "paths"])
def folder(root: Path, request: pytest.FixtureRequest) -> Folder:
    return replace(Folder.at(root), descriptors=request.param)


def write(
    to: Path | Folder | Tool, path: str, content: str, mode: str = "create", **more: object
) -> ToolResult:
    made = to if isinstance(to, Tool) else write_file_tool(to)
    return made.run(ToolCall("write_file", {"path": path, "content": content, "mode": mode, **more}))


def everything(top: Path) -> dict[str, bytes | Path]:
    """What is in the files of a tree, by path; of a link, where it leads."""
    return {
        str(one.relative_to(top)): one.readlink() if one.is_symlink() else one.read_bytes()
        for one in sorted(top.rglob("*"))
        if one.is_symlink() or one.is_file()
    }


@pytest.mark.parametrize(
    ("path", "mode", "content", "said", "text"),
    [
        ("new.txt", "create", "a\nb\n", 'Made "new.txt": 2 lines, 4 bytes.', "a\nb\n"),
        ("new.txt", "create", "", 'Made "new.txt": 0 lines, 0 bytes.', ""),
        ("new.txt", "replace", "é", 'Made "new.txt": 1 line, 2 bytes.', "é"),
        ("new.txt", "append", "x", 'Made "new.txt": 1 line, 1 byte.', "x"),
        (
            "docs/a.md",
            "replace",
            "c\r\n",
            'Replaced "docs/a.md": 1 line, 3 bytes, where there were 11 bytes.',
            "c\r\n",
        ),
        (
            "docs/a.md",
            "append",
            "c",
            'Added to "docs/a.md": 1 line, 1 byte; it has 12 bytes now.',
            "alpha\nbeta\nc",
        ),
        ("docs/../docs/./new.txt", "create", "x", "Made", "x"),
        ("whole/new.txt", "create", "x", "Made", "x"),
    ],
)
def test_a_file_is_written_and_what_was_done_is_said(
    folder: Folder, path: str, mode: str, content: str, said: str, text: str
) -> None:
    result = write(folder, path, content, mode)
    assert result.content.startswith(said)
    assert (folder.root / path).read_bytes() == text.encode()
    assert not list(folder.root.rglob("*.tmp"))


def test_an_absolute_path_inside_is_written(folder: Folder) -> None:
    assert write(folder, str(folder.root / "new.txt"), "x").ok
    assert (folder.root / "new.txt").read_text() == "x"


def test_folders_on_the_way_are_made_when_asked_for(folder: Folder) -> None:
    assert "with make_folders=true it is made" in write(folder, "x/y/new.txt", "x").content
    assert not (folder.root / "x").exists()
    assert write(folder, "x/y/new.txt", "x", make_folders=True).ok
    assert (folder.root / "x" / "y" / "new.txt").read_text() == "x"


def test_a_link_inside_is_followed_and_stays_a_link(folder: Folder) -> None:
    assert write(folder, "in", "changed", "replace").ok
    assert (folder.root / "in").is_symlink()
    assert (folder.root / "docs" / "a.md").read_text() == "changed"


def test_a_link_that_leads_nowhere_yet_is_followed(folder: Folder) -> None:
    assert write(folder, "gone", "x").ok
    assert (folder.root / "nothing").read_text() == "x"


@pytest.mark.parametrize("mode", ["create", "replace", "append"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../secret.txt", "lies outside the folder"),
        ("../new.txt", "lies outside the folder"),
        ("docs/../../new.txt", "lies outside the folder"),
        ("/tmp/new-loopwright-file.txt", "lies outside the folder"),  # noqa: S108 - a place to refuse
        ("out", "lies outside the folder"),
        ("climb", "lies outside the folder"),
        ("up/new.txt", "lies outside the folder"),
        ("up/x/y/new.txt", "lies outside the folder"),
        ("self/up/new.txt", "lies outside the folder"),
        ("device", "lies outside the folder"),
        ("/dev/full", "lies outside the folder"),
        ("pipe", '"pipe" is no regular file'),
        ("circle", "can't be opened: links that lead in a circle"),
        ("docs", '"docs" is a folder; a file wants a name in it'),
        ("docs/", "is a folder"),
        (".", "is a folder"),
        ("", "is a folder"),
        ("docs/..", "is a folder"),
        ("long.txt/x", "can't be opened: Not a directory"),
        ("x" * 256, "can't be"),
        ("a\x00b", "can't be opened: it is no path"),
        ("a\ud800b", "can't be opened: it is no path"),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_outside_or_no_file_is_never_written(folder: Folder, path: str, said: str, mode: str) -> None:
    before = everything(folder.root.parent)
    result = write(folder, path, "x", mode, make_folders=True)
    assert result.error == "raised"
    assert said in result.content
    assert everything(folder.root.parent) == before


def test_a_file_that_is_there_is_not_replaced_unless_told(folder: Folder) -> None:
    assert write(folder, "docs/a.md", "x").content == (
        'Error: "docs/a.md" is there already (11 bytes); write it with mode "replace" or "append", or under another name'
    )
    assert (folder.root / "docs" / "a.md").read_text() == "alpha\nbeta\n"


def test_another_name_of_the_same_file_keeps_its_text(folder: Folder) -> None:
    """A hard link may lead to a file that is also named outside."""
    (folder.root / "hard").hardlink_to(folder.root.parent / "secret.txt")
    assert write(folder, "hard", "x", "append").ok
    assert (folder.root / "hard").read_text() == "outsidex"
    assert (folder.root.parent / "secret.txt").read_text() == "outside"


def test_permissions_stay_as_they_were_but_for_the_dangerous_bits(folder: Folder) -> None:
    script = folder.root / "run.sh"
    script.write_text("x")
    script.chmod(0o4751)
    assert write(folder, "run.sh", "y", "replace").ok
    assert script.stat().st_mode & 0o7777 == 0o751


@pytest.mark.parametrize("name", ["binary.bin", "utf16.txt"])
def test_nothing_is_added_to_what_is_no_utf8(folder: Folder, name: str) -> None:
    before = (folder.root / name).read_bytes()
    assert "is no text file in UTF-8" in write(folder, name, "x", "append").content
    assert (folder.root / name).read_bytes() == before


def test_half_a_character_is_refused(folder: Folder) -> None:
    assert "the content holds half a character, at 2" in write(folder, "new.txt", "ab\ud800").content
    assert not (folder.root / "new.txt").exists()


def test_a_folder_that_is_gone_is_not_made_again(folder: Folder) -> None:
    shutil.rmtree(folder.root)
    assert (
        "the folder itself can't be opened any more" in write(folder, "a.txt", "x", make_folders=True).content
    )
    assert not folder.root.exists()


def test_what_may_not_be_written_is_left_alone(folder: Folder) -> None:
    (folder.root / "docs" / "a.md").chmod(0o444)
    if os.access(folder.root / "docs" / "a.md", os.W_OK):
        pytest.skip("this user may write everything")
    assert "can't be written: Permission denied" in write(folder, "docs/a.md", "x", "replace").content
    (folder.root / "docs").chmod(0o555)
    assert "can't be written: Permission denied" in write(folder, "docs/new.md", "x").content
    (folder.root / "docs").chmod(0o755)


# ---- how much


def test_a_file_has_a_size_that_it_may_reach(tmp_path: Path) -> None:
    tool = write_file_tool(tmp_path, file_bytes=10)
    assert write(tool, "a", "x" * 10).ok
    assert write(tool, "b", "x" * 11).content == (
        "Error: that would make a file of 11 bytes; at most 10 are written"
    )
    assert "at most 10 are written" in write(tool, "a", "x", "append").content
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_huge_file_is_not_read_to_be_added_to(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write(b"x" * 10_000)
        file.truncate(1 << 40)
    assert "at most 5,000,000 are written" in write(tmp_path, "huge.txt", "x", "append").content


def test_a_run_may_write_so_much_and_another_run_begins_anew(tmp_path: Path) -> None:
    tool, run = write_file_tool(tmp_path, total_bytes=10), ToolRun()
    (tmp_path / "a").touch()
    call = ToolCall("write_file", {"path": "a", "content": "x" * 6, "mode": "replace"})
    assert tool.run(call, run).ok
    assert tool.run(call, run).content == (
        "Error: that would be more than the 10 bytes that one run may write; 6 are written"
    )
    assert tool.run(call, ToolRun()).ok


def test_a_run_may_make_so_many_files_and_folders(tmp_path: Path) -> None:
    tool, run = write_file_tool(tmp_path, files=3), ToolRun()

    def make(path: str) -> ToolResult:
        args = {"path": path, "content": "x", "make_folders": True, "mode": "replace"}
        return tool.run(ToolCall("write_file", args), run)

    assert make("a").ok
    assert make("b/c").ok
    assert make("d").content == "Error: one run may make 3 files and folders, and they are made"
    assert make("e/f").content == "Error: one run may make 3 files and folders, and they are made"
    assert make("a").ok
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["a", "b", "c"]


# ---- a disk that takes no more

FILL = """
import sys
from loopwright.tools import ToolCall
from loopwright.tools.builtin.write_file import write_file_tool
tool = write_file_tool(sys.argv[1])
for mode, path in (("replace", "old.txt"), ("append", "old.txt"), ("create", "new.txt")):
    print(tool.run(ToolCall("write_file", {"path": path, "content": "x" * 500_000, "mode": mode})).content)
"""
SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"


def outcome(top: Path, *command: str) -> list[str]:
    done = subprocess.run([*command, str(top)], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


def test_a_write_that_fails_halfway_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    assert outcome(tmp_path, sys.executable, "-c", SMALL_FILES + FILL) == [
        'Error: "old.txt" can\'t be written: File too large; it is as it was',
        'Error: "old.txt" can\'t be written: File too large; it is as it was',
        'Error: "new.txt" can\'t be written: File too large; it is as it was',
    ]
    assert everything(tmp_path) == {"old.txt": b"old"}


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    script = tmp_path / "fill.py"
    script.write_text(FILL)
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = 'mount -t tmpfs -o size=64k none "$2" && printf old > "$2/old.txt" && "$0" "$1" "$2" && cat "$2"/* && ls -A "$2"'
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        inside,
        sys.executable,
        str(script),
    ]  # the mount ends with the command
    try:
        lines = outcome(disk, *command)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk can't be mounted here")
    assert [line.partition("can't be ")[2] for line in lines[:3]] == [
        "written: No space left on device; it is as it was"
    ] * 3
    assert lines[3:] == ["oldold.txt"]
