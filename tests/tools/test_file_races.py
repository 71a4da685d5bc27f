"""Somebody swaps folders and files for links that lead out, and for pipes, while the tools are at work."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, builtin_tool
from loopwright.tools.builtin.directory import DESCRIPTORS

pytestmark = pytest.mark.skipif(not DESCRIPTORS, reason="the system can't open relative to a folder")

SECRET = "SECRET"
AT_LEAST, AT_MOST = 1.0, 120.0  # seconds; a machine that is busy needs longer until each side has won some


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A root with a folder `door` and a file `leaf`, which are going to be swapped for links to what lies outside, and for a pipe."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text(SECRET)
    (outside / "SECRET.txt").write_text(SECRET)
    root = tmp_path / "root"
    (root / "door").mkdir(parents=True)
    (root / "door" / "file.txt").write_text("harmless")
    (root / "leaf").write_text("harmless")
    return root


SWAP = """
import os, sys
from pathlib import Path
root = Path(sys.argv[1])
outside, door, leaf, spare = root.parent / "outside", root / "door", root / "leaf", root / ".spare"
print("ready", flush=True)
while True:
    door.rename(spare)
    door.symlink_to(outside)
    door.unlink()
    spare.rename(door)
    spare.symlink_to(outside / "file.txt")
    spare.replace(leaf)
    os.mkfifo(spare)
    spare.replace(leaf)
    spare.write_text("harmless")
    spare.replace(leaf)
"""


@contextmanager
def swapping(root: Path) -> Iterator[None]:
    """A process of its own that swaps as fast as it can: a thread would wait for ours."""
    command = [sys.executable, "-I", "-S", "-c", SWAP, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as swapper:
        assert swapper.stdout is not None
        assert swapper.stdout.readline() == "ready\n"
        try:
            yield
            assert swapper.poll() is None, "the swapping ended too early"
        finally:
            swapper.kill()


def outcomes(act: Callable[[int], tuple[bool, str]]) -> set[bool]:
    """Act until both sides of the race have been seen to win, and a second at least; nothing said may hold the secret."""
    seen: set[bool] = set()
    begun = time.monotonic()
    turn = 0
    while (passed := time.monotonic() - begun) < AT_LEAST or (len(seen) < 2 and passed < AT_MOST):
        turn += 1
        won, said = act(turn)
        assert SECRET not in said
        seen.add(won)
    return seen


@pytest.mark.parametrize("path", ["door/file.txt", "door/../door/file.txt", "leaf"])
def test_no_secret_is_read(trap: Path, path: str) -> None:
    tool = builtin_tool("read_file", trap)

    def act(_: int) -> tuple[bool, str]:
        result = tool.run(ToolCall("read_file", {"path": path}))
        return result.ok, result.content

    with swapping(trap):
        assert outcomes(act) == {True, False}


def test_no_secret_is_found(trap: Path) -> None:
    tool = builtin_tool("search_files", trap)

    def act(_: int) -> tuple[bool, str]:
        result = tool.run(
            ToolCall("search_files", {"query": "e"})
        )  # in "harmless"; the secret is in capitals
        return "door/file.txt" in result.content, result.content

    (trap.parent / "outside" / "file.txt").write_text(f"{SECRET} e")
    with swapping(trap):
        assert outcomes(act) == {True, False}


def test_no_secret_name_is_listed(trap: Path) -> None:
    tool = builtin_tool("list_files", trap)

    def act(_: int) -> tuple[bool, str]:
        result = tool.run(ToolCall("list_files", {"path": "door"}))
        return result.ok, result.content

    with swapping(trap):
        assert outcomes(act) == {True, False}


@pytest.mark.parametrize("mode", ["create", "replace", "append"])
def test_nothing_outside_is_written(trap: Path, mode: str) -> None:
    tool = builtin_tool("write_file", trap)
    outside = trap.parent / "outside"
    before = {one.name: one.read_text() for one in outside.iterdir()}

    def act(turn: int) -> tuple[bool, str]:
        path = f"door/{turn % 500}.txt" if mode == "create" else ["door/file.txt", "leaf"][turn % 2]
        result = tool.run(ToolCall("write_file", {"path": path, "content": "x", "mode": mode}))
        return result.ok, result.content

    with swapping(trap):
        assert outcomes(act) == {True, False}
    assert {one.name: one.read_text() for one in outside.iterdir()} == before


def test_a_reader_sees_the_old_text_or_the_new(tmp_path: Path) -> None:
    texts = ["a" * 100_000, "b" * 200_000]
    (tmp_path / "file.txt").write_text(texts[0])
    tool = builtin_tool("write_file", tmp_path)
    over = threading.Event()

    def write() -> None:
        for text in itertools.cycle(texts):
            if over.is_set():
                return
            tool.run(ToolCall("write_file", {"path": "file.txt", "content": text, "mode": "replace"}))

    writer = threading.Thread(target=write)
    writer.start()
    begun = time.monotonic()
    seen: set[str] = set()
    try:
        while (passed := time.monotonic() - begun) < AT_LEAST or (len(seen) < 2 and passed < AT_MOST):
            seen.add((tmp_path / "file.txt").read_text())
    finally:
        over.set()
        writer.join()
    assert seen == set(texts)


def test_what_several_add_at_the_same_time_is_all_there(tmp_path: Path) -> None:
    tool = builtin_tool("write_file", tmp_path)

    def add(name: str) -> None:
        for turn in range(20):
            call = ToolCall("write_file", {"path": "log.txt", "content": f"{name}{turn}\n", "mode": "append"})
            assert tool.run(call).ok

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, "abcdefgh"))
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert sorted(lines) == sorted(f"{name}{turn}" for name in "abcdefgh" for turn in range(20))
