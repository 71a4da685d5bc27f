"""Ten thousand programs with random kills leave nothing behind, and neither does a host that is killed."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

from loopwright.sandbox import Execution, Level, Limits, ProcessSandbox, probe
from loopwright.sandbox.zygotes import ZYGOTES

LEVEL: Level = probe().level
SOAK = Path(__file__).parents[1] / "benchmarks" / "soak_sandbox.py"
LONG = Limits(wall_seconds=60, cpu_seconds=60)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc and adopts orphans")
def test_ten_thousand_programs_and_killed_hosts_leave_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, str(SOAK), "--runs", "10000", "--hosts", "3", "--json", str(report)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert report.exists(), ran.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert not found["complaints"], found["complaints"]
    assert ran.returncode == 0, ran.stderr
    assert found["runs"] == 10_000
    assert {"ok", "error", "refused", "timeout", "memory", "output", "killed", "cancelled"} == set(
        found["ends"]
    )
    assert found["killed"]["worker"] > 20
    assert found["killed"]["zygote"] > 1


def test_cancelling_a_run_that_waits_for_its_turn_leaves_the_other_alone() -> None:
    async def two() -> Execution:
        begun, go_on = threading.Event(), threading.Event()
        tools = {"begun": begun.set, "go_on": lambda: go_on.wait(60)}
        with ProcessSandbox(LONG, tools=tools, level=LEVEL) as engine:
            engine.run("kept = 1")
            first = asyncio.create_task(engine.arun("begun()\ngo_on()\nkept + 1"))
            assert await asyncio.to_thread(begun.wait, 60)
            waiting = asyncio.create_task(engine.arun("kept = 5"))
            await asyncio.sleep(0.1)
            waiting.cancel()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await first).value == 2
            return await engine.arun("kept")

    assert asyncio.run(two()).value == 1


def test_cancelling_a_run_whose_worker_is_not_there_yet_does_not_wait_for_the_program() -> None:
    async def cancelled() -> float:
        ZYGOTES.close()  # the next start takes its time
        engine = ProcessSandbox(LONG, level=LEVEL)
        began = time.monotonic()
        task = asyncio.create_task(engine.arun("while True: pass"))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        engine.close()
        return time.monotonic() - began

    assert asyncio.run(cancelled()) < 60


def test_an_interrupted_program_says_so() -> None:
    begun = threading.Event()
    with ProcessSandbox(LONG, tools={"begun": begun.set}, level=LEVEL) as engine:

        def interrupt() -> None:
            begun.wait(60)
            engine.interrupt()

        threading.Thread(target=interrupt).start()
        execution = engine.run("begun()\nwhile True: pass")
        assert (execution.end, execution.session_kept) == ("killed", False)
        assert "was interrupted" in str(execution.error)


def test_a_process_that_is_forked_off_has_sessions_of_its_own() -> None:
    def in_the_child() -> int:
        fresh = engine.run("kept").end == "error"
        own = ProcessSandbox(level=LEVEL).run("6 * 7").value == 42
        gc.collect()
        return 0 if fresh and own else 1

    with ProcessSandbox(level=LEVEL) as engine:
        engine.run("kept = 7")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # other tests' threads; none holds a lock here
            pid = os.fork()
        if pid == 0:
            status = 2
            try:
                status = in_the_child()
                ZYGOTES.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert engine.run("kept").value == 7


def test_a_worker_may_be_abandoned_while_its_zygote_is_busy_with_another() -> None:
    """The collector, and with it a finalizer, may run in the very thread that is talking to the zygote."""
    zygote = ZYGOTES.get()
    pid, link = zygote.fork()
    with link, zygote.turn():
        zygote.abandon(pid)
    assert zygote.end(pid, wait=False) == (0, False)  # there was no one left to end
