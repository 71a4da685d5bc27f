"""The host's hold on its zygotes: the prepared processes that workers are forked from."""

from __future__ import annotations

import atexit
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import SandboxError
from .wire import ANSWER, REQUEST, WireError

# Run by `python -c` in the child: makes the two packages without running their __init__, so that nothing
# but the worker's own modules is imported, and forgets the folder of packages again.
_BOOT = """
import sys, types
descriptor, folder, packages = int(sys.argv[1]), sys.argv[2], sys.argv[3]
for name, path in (("loopwright", []), ("loopwright.sandbox", [folder])):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = path
sys.path.append(packages)
from loopwright.sandbox.zygote import serve
serve(descriptor, sys.argv[4:], lambda: sys.path.remove(packages))
"""
_START_SECONDS = 60.0
_CLOSE_SECONDS = 5.0


class Zygote:
    """The prepared process of this host; threads may share it."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        if sys.platform == "win32":
            raise SandboxError(
                "the sandbox needs Linux or macOS: Windows has none of the layers that hold a program in; use WSL"
            )
        self._lock = threading.Lock()
        self._abandoned: deque[int] = deque()
        self.host = os.getpid()
        self._control, theirs = socket.socketpair()
        try:
            self._control.settimeout(_START_SECONDS)
            with theirs:
                self._process = _started(theirs, packages)
            self._wait_until_ready()
        except BaseException:
            self._control.close()
            raise

    def _wait_until_ready(self) -> None:
        try:
            self._answer()
        except (OSError, WireError):
            self._process.kill()
            _, complaints = self._process.communicate()
            if self._process.returncode < 0 and not complaints:
                raise WireError("the sandbox's process was killed") from None
            raise SandboxError(f"the sandbox's process did not start: {_last_line(complaints)}") from None
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        self._process.stderr.close()

    @property
    def lives(self) -> bool:
        """Whether the process is still there, and in step with this side."""
        return self._control.fileno() != -1 and self._process.poll() is None

    def fork(self) -> tuple[int, socket.socket]:
        """A new worker's process id and the socket to it. Raises OSError or WireError where that fails."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self.turn():
                pid, _ = self._ask(b"F", 0, theirs)
            if pid == 0:
                raise SandboxError("the system has no room for another process: the sandbox can't start one")
        except BaseException:
            ours.close()
            raise
        return pid, ours

    def end(self, pid: int, *, wait: bool) -> tuple[int, bool]:
        """End a worker; its exit status, and whether it had to be killed for that."""
        with self.turn():
            try:
                status, killed = self._ask(b"W" if wait else b"E", pid)
            except (OSError, WireError):  # the zygote is gone, and with it every worker
                return -signal.SIGKILL, False
        return status, bool(killed)

    def abandon(self, pid: int) -> None:
        """End a worker from a finalizer, which may run in the middle of any other call here."""
        self._abandoned.append(pid)
        self._end_abandoned()

    def close(self) -> None:
        """End the process and every worker with it."""
        in_turn = self._lock.acquire(timeout=_CLOSE_SECONDS)
        self._control.close()
        if in_turn:
            self._lock.release()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def let_go(self) -> None:
        """Leave the process to the one that this one was forked off from."""
        self._lock = threading.Lock()  # a thread that is not here may hold the old one
        self._control.close()
        self._process.returncode = 0  # nothing for this process to wait for, or to warn of

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One request at a time; whoever was abandoned meanwhile is ended next."""
        try:
            with self._lock:
                yield
        finally:
            self._end_abandoned()

    def _end_abandoned(self) -> None:
        while self._abandoned and self._lock.acquire(blocking=False):
            try:
                self._ask(b"E", self._abandoned.popleft())
            except (OSError, WireError):
                self._abandoned.clear()
            finally:
                self._lock.release()

    def _ask(self, operation: bytes, number: int, *sockets: socket.socket) -> tuple[int, int]:
        """A request and its answer. Broken off in between, the two are out of step: that ends the zygote."""
        try:
            socket.send_fds(
                self._control, [REQUEST.pack(operation, number)], [each.fileno() for each in sockets]
            )
            return self._answer()
        except BaseException:
            self._control.close()
            raise

    def _answer(self) -> tuple[int, int]:
        found = b""
        while len(found) < ANSWER.size:
            part = self._control.recv(ANSWER.size - len(found))
            if not part:
                raise WireError("the sandbox's process ended")
            found += part
        first, second = ANSWER.unpack(found)
        return first, second


class Zygotes:
    """The zygotes of this process by their packages, one for all of its sandboxes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, ...], Zygote] = {}

    def get(self, packages: tuple[str, ...] = ()) -> Zygote:
        """The zygote that has `packages`; another where there is none or it went away."""
        with self._lock:
            zygote = self._made.get(packages)
            if zygote is not None and not zygote.lives:
                zygote.close()
                zygote = None
            if zygote is None:
                zygote = self._made[packages] = Zygote(packages)
            return zygote

    def close(self) -> None:
        """End them all."""
        while self._made:
            self._made.popitem()[1].close()

    def forget(self) -> None:
        """Begin anew in a process that was just forked off: what runs belongs to the one it came from."""
        self._lock = threading.Lock()  # a thread that is not here may hold the old one
        while self._made:
            self._made.popitem()[1].let_go()


ZYGOTES = Zygotes()
atexit.register(ZYGOTES.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ZYGOTES.forget)


def _started(control: socket.socket, packages: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", "-B", "-c", _BOOT, str(control.fileno()), *_folders(), *packages],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[control.fileno()],
        env={},
        cwd="/",
        start_new_session=True,
    )


def _folders() -> tuple[str, str]:
    found = importlib.util.find_spec("RestrictedPython")
    if found is None or found.origin is None:
        raise SandboxError("the sandbox needs RestrictedPython: pip install 'RestrictedPython>=9,<10'")
    return str(Path(__file__).parent), str(Path(found.origin).parent.parent)


def _last_line(complaints: bytes) -> str:
    lines = complaints.decode(errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
