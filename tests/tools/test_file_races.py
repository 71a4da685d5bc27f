"""Somebody swaps a folder for a link that leads out, again and again, while the tools are at work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loopwright.tools import ToolCall, builtin_tool
from loopwright.tools.builtin.directory import DESCRIPTORS

pytestmark = pytest.mark.skipif(not DESCRIPTORS, reason="the system can't open relative to a folder")

SECRET = "SECRET"
AT_LEAST, AT_MOST = 1.0, 30.0  # seconds; a machine that is busy needs longer until each side has won some


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A root with a folder `door` and a file `leaf`, which are going to be swapped for links to what lies outside."""
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
import sys
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
