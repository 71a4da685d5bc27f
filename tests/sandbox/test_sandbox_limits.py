"""Each limit ends what goes over it, says so, and keeps the session where that can be done."""

from __future__ import annotations

import gc
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from more_time import in_seconds

from loopwright.sandbox import Level, Limits, ProcessSandbox, SandboxError, probe

LEVEL: Level = probe().level  # what this system reaches; the tests hold it to that


@in_seconds(0.3)
def test_a_loop_is_stopped_at_the_wall_limit_and_the_session_lives_on(seconds: float) -> None:
    with ProcessSandbox(Limits(wall_seconds=seconds), level=LEVEL) as engine:
        engine.run("kept = 7")
        execution = engine.run("print('on the way')\nwhile True:\n    pass")
        assert (execution.end, execution.stdout, execution.session_kept) == ("timeout", "on the way\n", True)
        assert execution.error is not None
        assert execution.error.type == "TimeLimit"
        assert execution.error.line in (2, 3)
        assert engine.run("kept").value == 7


def test_a_loop_is_stopped_at_the_cpu_limit_though_wall_time_is_left() -> None:
    with ProcessSandbox(Limits(wall_seconds=60, cpu_seconds=0.2), level=LEVEL) as engine:
        execution = engine.run("while True: pass")
        assert execution.end == "timeout"
        assert "cpu time" in str(execution.error)
        assert execution.seconds < 60


def test_sleeping_does_not_use_up_the_cpu_limit() -> None:
    with ProcessSandbox(Limits(cpu_seconds=0.2), level=LEVEL) as engine:
        assert engine.run("import time\ntime.sleep(0.4)").ok


@pytest.mark.parametrize("limited", ["the clock's", "the processor's"])
@in_seconds(0.2)
def test_c_code_that_heeds_no_signal_is_killed_and_the_next_run_is_fresh(
    limited: str, seconds: float
) -> None:
    limits = Limits(wall_seconds=60, cpu_seconds=60)
    if limited == "the clock's":
        limits = replace(limits, wall_seconds=seconds)
    else:
        limits = replace(limits, cpu_seconds=seconds)
    with ProcessSandbox(limits, level=LEVEL) as engine:
        engine.run("lost = 1")
        execution = engine.run("sum(range(10 ** 12))")
        assert (execution.end, execution.session_kept) == ("timeout", False)
        assert "variables are lost" in str(execution.error)
        assert engine.run("lost").end == "error"
        assert engine.run("1").value == 1


def test_memory_is_limited_and_the_session_lives_on() -> None:
    with ProcessSandbox(Limits(memory_mb=64), level=LEVEL) as engine:
        engine.run("kept = 7")
        execution = engine.run("data = bytearray(100_000_000)")
        assert execution.end == "memory"
        assert "64 MB" in str(execution.error)
        assert engine.run("data = bytearray(30_000_000)\nkept").value == 7


def test_output_is_limited_to_what_fits() -> None:
    with ProcessSandbox(Limits(output_chars=10), level=LEVEL) as engine:
        assert engine.run("print('123456789')").ok
        execution = engine.run("print('123456789x')\nprint('never')")
        assert (execution.end, execution.stdout, execution.session_kept) == ("output", "123456789x", True)


def test_a_process_that_dies_is_told_and_replaced() -> None:
    if probe().level == "language":
        pytest.skip("without a lockdown this would send a signal")
    with ProcessSandbox(layers=("os",)) as engine:
        execution = engine.run("import os\nos._exit(3)")
        assert (execution.end, execution.session_kept) == ("killed", False)
        assert "it exited with status 3" in str(execution.error)
        assert engine.run("1").value == 1


def test_a_forbidden_system_call_ends_the_process() -> None:
    if probe().layers["seccomp"]:
        pytest.skip("this system has no seccomp")
    with ProcessSandbox(layers=("os",)) as engine:
        execution = engine.run("import os\nos.execv('/bin/true', ['true'])")
    assert execution.end == "killed"
    assert "the lockdown forbids" in str(execution.error)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.open('/dev/null', os.O_RDONLY)",
        "import os\nos.stat('/')",
        "import os\nos.pipe()",
        "import os\nos.write(1, b'x')",
        "import os\nos.read(0, 1)",
        "import os\nos.kill(1, 0)",
        "import os\nos.setuid(0)",
        "import os\nos.getcwd()",
        "import posix\nposix.mkdir('/tmp/never')",
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nif libc.socket(2, 1, 0) < 0: raise PermissionError",
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nif libc.mprotect(0, 4096, 4) < 0: raise PermissionError",
    ],
)
def test_the_kernel_denies_what_is_not_needed(code: str) -> None:
    if probe().layers["seccomp"]:
        pytest.skip("this system has no seccomp")
    with ProcessSandbox(layers=("os",)) as engine:
        execution = engine.run(code)
    assert execution.error is not None, execution
    assert execution.error.type in ("PermissionError", "OSError")


def test_the_host_refuses_a_level_that_the_layers_do_not_reach() -> None:
    with pytest.raises(ValueError, match="needs the layer 'os'"):
        ProcessSandbox(level="strict", layers=("language",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "low"}, "level is 'low'; it must be one of strict, standard, language"),
        ({"layers": ()}, "layers is"),
        ({"layers": ("os", "hope")}, "layers is"),
        ({"tools": {"no name": len}}, "can't name a tool"),
    ],
)
def test_a_wrong_option_says_what_is_wanted(options: dict[str, object], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ProcessSandbox(**options)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wall_seconds": 0}, "wall_seconds is 0"),
        ({"memory_mb": -1}, "memory_mb is -1"),
        ({"output_chars": "many"}, "output_chars is 'many'"),
        ({"tool_calls": True}, "tool_calls is True"),
    ],
)
def test_a_wrong_limit_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        Limits(**change)  # type: ignore[arg-type]  # what is tested


def test_the_report_names_every_layer_and_the_level_it_makes() -> None:
    report = probe()
    text = str(report)
    assert f"level {report.level!r}" in text
    assert all(name in text for name in ("seccomp", "landlock", "memory", "Not promised"))
    assert (report.level == "strict") == (not any(report.layers.values()))


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")


def descriptors_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _children() -> set[int]:
    """Every process below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended while the folder was read
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return below


@needs_proc
def test_nothing_is_left_after_many_runs_kills_and_closes() -> None:
    probe()
    gc.collect()
    descriptors, processes = descriptors_open(), _children()
    for turn in range(60):
        engine = ProcessSandbox(Limits(wall_seconds=0.05, cpu_seconds=60), level=LEVEL)
        engine.run("x = 1")
        if turn % 10 == 0:
            assert engine.run("sum(range(10 ** 12))").end == "timeout"
        if turn % 3:
            engine.close()
        del engine
    gc.collect()
    assert _children() == processes
    assert descriptors_open() == descriptors


@needs_proc
def test_a_zygote_that_was_killed_is_replaced() -> None:
    with ProcessSandbox(level=LEVEL) as engine:
        engine.run("1")
        for pid in _children() - {os.getpid()}:
            if b"loopwright.sandbox.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        assert engine.run("2").end == "killed"
        assert engine.run("3").value == 3


def test_a_wrong_python_is_a_clear_error() -> None:
    assert issubclass(SandboxError, RuntimeError)


@in_seconds(0.3)
def test_a_loop_of_coroutines_is_stopped_and_the_session_lives_on(seconds: float) -> None:
    program = "import asyncio\nasync def spin():\n    while True: await asyncio.sleep(0)\nasyncio.run(spin())"
    with ProcessSandbox(Limits(wall_seconds=seconds), level=LEVEL) as engine:
        engine.run("kept = 7")
        assert engine.run(program).end == "timeout"
        assert engine.run("kept").value == 7
