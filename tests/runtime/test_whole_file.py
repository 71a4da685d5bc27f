"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright.whole_file import write_whole

FULL = """
import resource, sys
from loopwright.whole_file import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
write_whole(sys.argv[1], "new" * 1_000)
"""


def breaking_off() -> Iterator[bytes]:
    yield b"new"
    raise RuntimeError("no more")


def test_what_was_there_stays_when_the_new_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="no more"):
        write_whole(path, breaking_off())
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size on Windows")
def test_what_was_there_stays_when_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert "File too large" in ended.stderr
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_rights_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_half_a_character_is_its_escape(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "a.txt", "a\udc80").read_bytes() == rb"a\udc80"


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in the file system on Windows")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert pipe.is_fifo()
