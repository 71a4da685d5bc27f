"""sympy in a process of its own, which is killed when it takes too long and has a bound on its memory.

sympy can think for hours about a short text, and nothing in a thread can stop it. So each question goes to
a child process that has sympy imported; one that answers in time waits for the next question, one that does
not is killed. The time is that of the processor: what can be answered does not depend on what else the machine does. The first question of a program pays for the import; the others go over a pipe, in a fraction
of a millisecond.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

from ..errors import ToolFailed

START_SECONDS = 60  # for a child to import sympy, on a busy machine
BUSY = (
    1 if sys.platform == "win32" else 8
)  # seconds to wait for a second of work; Windows has no bound on the work
_LEAVE_SECONDS = 2  # for a child to end by itself
_MAX_IDLE = 2  # children that wait for more; each holds about 60 MB
# Run by `python -c` in the child: makes the packages without running their __init__, so that nothing but the
# child's own modules and sympy is imported.
_BOOT = """
import json, sys, types
sys.path[:], folder = json.loads(sys.argv[1])
for name, path in (("", []), (".tools", [folder + "/.."]), (".tools.builtin", [folder])):
    package = sys.modules["loopwright" + name] = types.ModuleType("loopwright" + name)
    package.__path__ = path
from loopwright.tools.builtin.sympy_child import serve
serve()
"""


class Stopped(Exception):  # noqa: N818 - no failure of ours: it says why there is no answer
    """There is no answer, and why: too little time, too little memory, or sympy gave up."""


def ask(job: str, *args: str, seconds: float) -> str:
    """Have one of the child's jobs done in so many seconds of work; raises `ToolFailed` in the job's words, and `Stopped`."""
    return _children(os.getpid()).ask(job, args, seconds)


class _Child:
    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-I", "-c", _BOOT, json.dumps([sys.path, str(Path(__file__).parent)])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                start_new_session=True,  # ctrl-c is for the host, which ends the child itself
            )
        except OSError as error:
            raise Stopped(f"its process can't be started: {error.strerror}") from None
        if not self._line(START_SECONDS):
            self.end()
            raise Stopped(f"its process did not start within {START_SECONDS} s")

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def answer(self, job: str, args: tuple[str, ...], seconds: float) -> dict[str, str] | None:
        """What the child says, None when it had to be killed or died."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self._process.stdin.write(json.dumps({"job": job, "args": args, "seconds": seconds}) + "\n")
            self._process.stdin.flush()
        except OSError:  # it died while it waited
            return None
        line = self._line(seconds * BUSY)
        return {str(key): str(value) for key, value in json.loads(line).items()} if line else None

    def leave(self) -> None:
        """Tell a process that waits that there is no more, and see it end."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.stdin.close()
            self._process.wait(_LEAVE_SECONDS)
        self.end()

    def end(self) -> None:
        """Kill the process and take its streams down."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not sent before it died
                    stream.close()

    def _line(self, seconds: float) -> str:
        """The next line, "" when the child is killed for taking longer, or dies."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        alarm = threading.Timer(seconds, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            return self._process.stdout.readline()
        finally:
            alarm.cancel()


class _Children:
    """The children of this process; threads may share it."""

    def __init__(self) -> None:
        self._host = os.getpid()
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        atexit.register(self._close)

    def ask(self, job: str, args: tuple[str, ...], seconds: float) -> str:
        child = self._waiting() or _Child()
        keep = False
        try:
            answer = child.answer(job, args, seconds)
            keep = answer is not None and "end" not in answer
        finally:  # whatever happens here, ctrl-c included, no child is left at work
            if not (keep and self._kept(child)):
                child.end()
        if answer is None:
            raise Stopped(f"it took more than {seconds:g} s, or crashed")
        if "failed" in answer:
            raise ToolFailed(answer["failed"])
        if "stopped" in answer:
            raise Stopped(answer["stopped"])
        return answer["text"]

    def _waiting(self) -> _Child | None:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.lives:
                    return child
                child.end()  # it was killed while it waited
        return None

    def _kept(self, child: _Child) -> bool:
        with self._lock:
            if len(self._idle) >= _MAX_IDLE:
                return False
            self._idle.append(child)
            return True

    def _close(self) -> None:
        if os.getpid() == self._host:  # and not in a process that was forked off from it
            for child in self._idle:
                child.leave()


@lru_cache(maxsize=1)
def _children(host: int) -> _Children:  # by host process: a fork must not share its parent's pipes
    return _Children()
