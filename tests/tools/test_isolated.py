from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from awaiting import awaited

from loopwright.tools import Tool, ToolCall, ToolContext, ToolDefinitionError, ToolFailed, resolve

HANG = 60.0  # seconds: a guard against a hang, on any machine


def nap(seconds: float, note: str) -> str:
    """Sleep, after noting who sleeps."""
    Path(note).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(seconds)
    return "awake"


def nap_with_child(note: str) -> str:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    Path(note).write_text(str(child.pid), encoding="utf-8")
    time.sleep(300)
    return "awake"


async def double(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n


def broken(how: str) -> object:
    if how == "exit":
        os._exit(3)
    if how == "signal":
        os.kill(os.getpid(), 9)
    if how == "words":
        raise ToolFailed("order 17 is gone")
    if how == "value":
        return lambda: None
    raise ValueError("no such order")


def gone(pid: int, within: float = HANG) -> bool:
    """Whether a process has ended, or does soon."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_function_runs_in_another_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    result = Tool(nap, isolate=True).run(ToolCall("nap", {"seconds": 0, "note": str(note)}))
    assert result.content == "awake"
    assert int(note.read_text(encoding="utf-8")) != os.getpid()


def test_a_coroutine_function_runs_in_another_process() -> None:
    assert Tool(double, isolate=True).run(ToolCall("double", {"n": 4})).value == 8


def timed_out(func: Callable[..., object], note: Path, **args: object) -> int:
    """Run a function until its time is up; returns the process that its note names. On a busy machine it gets more time."""
    timeout = 1.0
    while not written(note):
        assert timeout < HANG
        tool = Tool(func, isolate=True, timeout=timeout)
        result = tool.run(ToolCall(tool.name, {"note": str(note), **args}))
        assert (result.error, result.seconds < HANG) == ("timeout", True)
        timeout *= 3
    return int(note.read_text(encoding="utf-8"))


def written(note: Path) -> bool:
    return note.exists() and bool(note.read_text(encoding="utf-8"))


def test_a_tool_that_sleeps_a_minute_is_killed_when_its_time_is_up(tmp_path: Path) -> None:
    assert gone(timed_out(nap, tmp_path / "pid", seconds=300))


def test_what_it_started_is_killed_with_it(tmp_path: Path) -> None:
    assert gone(timed_out(nap_with_child, tmp_path / "pid"))


@awaited
async def test_a_cancelled_call_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    call = ToolCall("nap", {"seconds": 300, "note": str(note)})
    waiting = asyncio.ensure_future(Tool(nap, isolate=True).arun(call))
    deadline = time.monotonic() + HANG
    while not written(note) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gone(int(note.read_text(encoding="utf-8")))


def test_it_ends_with_its_host(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    (tmp_path / "naps.py").write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from loopwright.tools import Tool, ToolCall

            def nap() -> str:
                with open(sys.argv[1], "w") as file:
                    file.write(str(os.getpid()))
                time.sleep(300)
                return ""

            if __name__ == "__main__":
                Tool(nap, isolate=True).run(ToolCall("nap"))
            """
        ),
        encoding="utf-8",
    )
    host = subprocess.Popen([sys.executable, str(tmp_path / "naps.py"), str(note)])
    deadline = time.monotonic() + HANG
    while not written(note) and time.monotonic() < deadline:
        time.sleep(0.02)
    host.kill()
    host.wait()
    assert gone(int(note.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("raise", "raised", "Error: broken failed: ValueError: no such order"),
        ("words", "raised", "Error: order 17 is gone"),
        ("exit", "raised", "its process ended with exit code 3"),
        ("signal", "raised", "its process was killed by signal 9"),
        ("value", "raised", "pickle"),
    ],
)
def test_what_goes_wrong_in_there_is_an_observation(how: str, error: str, words: str) -> None:
    result = Tool(broken, isolate=True).run(ToolCall("broken", {"how": how}))
    assert result.error == error
    assert words in result.content


def test_a_tool_of_a_file_can_run_isolated(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from loopwright.tools import tool\n\n@tool(isolate=True)\ndef price(item: str) -> int:\n    return len(item)\n",
        encoding="utf-8",
    )
    assert resolve("shop.py:price", base=tmp_path).call(ToolCall("price", {"item": "desk"})).content == "4"


@pytest.mark.parametrize("guarded", [True, False])
def test_a_script_is_not_run_again_for_each_call(guarded: bool, tmp_path: Path) -> None:
    (tmp_path / "parsing.py").write_text(
        "def parse(text: str) -> int:\n    return len(text)\n", encoding="utf-8"
    )
    below = "if __name__ == '__main__':\n    " if guarded else ""
    (tmp_path / "mail.py").write_text(
        "import parsing\nfrom loopwright.tools import Tool, ToolCall\n"
        "def own(text: str) -> int:\n    return len(text)\n"
        "if True:\n    print('sent')\n"
        f"{below}print(Tool(parsing.parse, isolate=True).run(ToolCall('parse', {{'text': 'abc'}})).content)\n"
        f"{below}print(Tool(own, isolate=True).run(ToolCall('own', {{'text': 'ab'}})).content)\n",
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "mail.py"], cwd=tmp_path, capture_output=True, text=True, timeout=HANG, check=False
    )
    if guarded:  # the script's own function makes its child run the script as far as its guard
        assert ended.stdout.split() == ["sent", "3", "sent", "2"]
    else:
        assert ended.stdout.split() == ["sent", "3"]
        assert "would run all of mail.py again" in ended.stderr


def test_a_function_that_cannot_be_imported_is_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="at the top of a module"):
        Tool(lambda: None, "act", isolate=True)


def shared(context: ToolContext) -> str:
    return str(context.state)


def test_an_isolated_tool_shares_no_run() -> None:
    with pytest.raises(ToolDefinitionError, match="can't be shared"):
        Tool(shared, isolate=True)
