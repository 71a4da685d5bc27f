"""The parts beneath: the system-call filter read as the kernel reads it, processes and their ends, a worker's talk."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from loopwright.sandbox import SandboxError, probe, worker, zygote
from loopwright.sandbox.facades import preload
from loopwright.sandbox.levels import LAYERS, missing, reached
from loopwright.sandbox.packages import prepare
from loopwright.sandbox.seccomp import ARCHITECTURES, Architecture, instructions
from loopwright.sandbox.spawn import how_it_ended
from loopwright.sandbox.wire import pack, read
from loopwright.sandbox.zygotes import ZYGOTES, Zygote

# -- the filter ----------------------------------------------------------------------------------

_SOCKET = 7
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


def verdict(calls: Architecture, number: int, *args: int, audit: int | None = None) -> int:
    """What the filter says to a system call: classic BPF, run as the kernel would."""
    words = {0: number, 4: calls.audit if audit is None else audit}
    words |= {16 + 8 * index: value & 0xFFFFFFFF for index, value in enumerate(args)}
    program, at, held = instructions(calls, _SOCKET), 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case 0x20:
                held = words[operand]
            case 0x15:
                at += if_true if held == operand else if_false
            case 0x35:
                at += if_true if held >= operand else if_false
            case 0x45:
                at += if_true if held & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"an instruction that the filter does not use: {code:#x}")


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_allows_only_what_is_listed(machine: str) -> None:
    calls = ARCHITECTURES[machine]
    listed = {**calls.on_socket, **calls.without_exec, **calls.free}
    assert len({*listed.values(), *calls.deadly.values()}) == len(listed) + len(calls.deadly)
    for number in range(600):
        said = verdict(calls, number, _SOCKET, 0, 0)
        if number in listed.values():
            assert said == _ALLOW, number
        else:
            assert said == (_KILL if number in calls.deadly.values() else _EPERM), number


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_looks_at_descriptors_and_protections(machine: str) -> None:
    calls = ARCHITECTURES[machine]
    for number in calls.on_socket.values():
        assert [verdict(calls, number, fd) for fd in (0, 1, 6, _SOCKET, 8)] == [_EPERM] * 3 + [_ALLOW, _EPERM]
    for number in calls.without_exec.values():
        assert verdict(calls, number, 0, 4096, 3) == _ALLOW
        assert verdict(calls, number, 0, 4096, 4) == _EPERM
        assert verdict(calls, number, 0, 4096, 7) == _EPERM


def test_the_filter_kills_calls_of_another_machine() -> None:
    x86 = ARCHITECTURES["x86_64"]
    assert verdict(x86, x86.free["getpid"], audit=0x40000003) == _KILL  # 32-bit calls have other numbers
    assert verdict(x86, 0x40000000 | x86.free["getpid"]) == _KILL  # so has x32


# -- processes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "it exited with status 0"),
        (3, "it exited with status 3"),
        (-signal.SIGKILL, "it was killed (SIGKILL)"),
        (-signal.SIGSYS, "it asked the system for something that the lockdown forbids"),
        (-200, "it crashed (signal 200)"),
    ],
)
def test_how_a_process_ended_is_told_in_words(status: int, words: str) -> None:
    assert how_it_ended(status) == words


def forked(until_killed: bool) -> int:
    pid = os.fork()
    if pid == 0:
        while until_killed:
            signal.pause()
        os._exit(5)
    return pid


def test_a_process_that_ends_by_itself_is_waited_for() -> None:
    assert zygote.end(forked(until_killed=False), 30) == (5, 0)


def test_a_process_that_does_not_end_is_killed() -> None:
    assert zygote.end(forked(until_killed=True), 0.05) == (-signal.SIGKILL, 1)


def test_a_zygote_that_does_not_start_says_why() -> None:
    with pytest.raises(SandboxError, match="did not start: KeyError: 'no such package'"):
        Zygote(("no such package",))


def test_a_zygote_is_shared_until_it_is_gone() -> None:
    first = ZYGOTES.get()
    assert ZYGOTES.get() is first
    first.close()
    assert not first.lives
    assert ZYGOTES.get() is not first
    assert probe().layers


# -- levels --------------------------------------------------------------------------------------


def test_a_level_needs_its_layers() -> None:
    everything = dict.fromkeys(LAYERS, "")
    assert reached(everything) == "strict"
    assert reached({**everything, "landlock": "too old"}) == "standard"
    assert reached({**everything, "seccomp": "not there"}) == "language"
    assert missing("standard", {**everything, "memory": "no limit"}) == {"memory": "no limit"}
    assert set(missing("strict", {})) == set(LAYERS)
    assert missing("language", {}) == {}


def test_a_package_offers_what_is_listed_and_installed() -> None:
    found = prepare("numpy")
    assert {"array", "linspace", "__version__"} <= set(found["numpy"])
    assert not {"load", "save", "fromfile", "memmap", "ctypeslib", "f2py"} & set(found["numpy"])
    assert "norm" in found["numpy.linalg"]


# -- a worker's talk -------------------------------------------------------------------------------


class Host(threading.Thread):
    """Says its lines to a worker and keeps what that answers."""

    def __init__(self, link: socket.socket, lines: list[dict[str, Any]]) -> None:
        super().__init__(daemon=True)
        self.heard: list[dict[str, object]] = []
        self._link, self._lines = link, lines

    def run(self) -> None:
        for line in self._lines:
            self._link.sendall(pack(line))
            self.heard.append(read(self._link.recv, 1_000_000))
        self._link.close()


@pytest.fixture
def _own_state() -> Iterator[None]:
    streams, main = (sys.stdout, sys.stderr), sys.modules["__main__"]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGPROF)}
    yield
    sys.stdout, sys.stderr = streams
    sys.modules["__main__"] = main
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_own_state")
def test_a_worker_answers_each_message_in_turn() -> None:
    preload()
    bounds = {
        "output_chars": 100,
        "value_chars": 100,
        "repr_chars": 100,
        "call_chars": 100,
        "memory_mb": 1 << 22,
    }
    times = {"wall_seconds": 60, "cpu_seconds": 60, "inputs": {}, "tools": ["ask"]}
    ours, theirs = socket.socketpair()
    host = Host(
        ours,
        [
            {"op": "start", "bounds": bounds, "guarded": True, "os_layer": False},
            {"op": "run", "id": "1", "code": "n = ask('a', k=[1])\nn + 1", **times},
            {"value": 41},
            {"op": "run", "id": "2", "code": "ask()", **times},
            {"error": "no"},
            {"op": "run", "id": "3", "code": "ask()\nprint('never')", **times},
            {"stop": True},
            {"op": "run", "id": "4", "code": "ask({1})", **times},
        ],
    )
    host.start()
    with theirs:
        worker.serve(theirs.fileno(), os.getppid(), 1 << 44, {})
    host.join()
    ready, first_call, first, *_, stopped_call, stopped, unfit = host.heard
    assert ready == {"op": "ready", "layers": {"memory": ""}}
    assert first_call == {"op": "call", "name": "ask", "args": ["a"], "options": {"k": [1]}}
    assert (first["id"], first["end"], first["value"]) == ("1", "ok", 42)
    failed = host.heard[4]["error"]
    assert isinstance(failed, dict)
    assert (failed["type"], failed["message"]) == ("ToolError", "no")
    assert stopped_call["name"] == "ask"
    assert (stopped["end"], stopped["stdout"]) == ("ok", "")
    assert unfit["end"] == "error"
