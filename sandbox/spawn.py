"""Worker processes as the host holds them: forked from one prepared process, ended for certain."""

from __future__ import annotations

import atexit
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from .base import Limits, SandboxError
from .wire import WireError, pack, read
from .zygote import ANSWER, REQUEST

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
_LOOK_SECONDS = 0.2
_STARTING = threading.Lock()
_ZYGOTES: dict[tuple[int, tuple[str, ...]], Zygote] = {}  # by host process: what is shared is worth sharing


class Zygote:
    """The prepared process of this host; threads may share it."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        if sys.platform == "win32":
            raise SandboxError(
                "the sandbox needs Linux or macOS: Windows has none of the layers that hold a program in; use WSL"
            )
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_START_SECONDS)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-I", "-S", "-B", "-c", _BOOT, str(theirs.fileno()), *_folders(), *packages],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env={},
                cwd="/",
                start_new_session=True,
            )
        try:
            self._answer()
        except (OSError, WireError):
            self._control.close()
            self._process.kill()
            _, complaints = self._process.communicate()
            raise SandboxError(f"the sandbox's process did not start: {_last_line(complaints)}") from None
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        self._process.stderr.close()

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def fork(self, frame_bytes: int) -> Worker:
        """A new worker, which has not been told anything yet. Raises OSError or WireError where that fails."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                socket.send_fds(self._control, [REQUEST.pack(b"F", 0)], [theirs.fileno()])
                pid, _ = self._answer()
            except BaseException:
                ours.close()
                raise
        return Worker(self, pid, ours, frame_bytes)

    def end(self, pid: int, *, wait: bool) -> tuple[int, bool]:
        """End a worker; its exit status, and whether it had to be killed for that."""
        with self._lock:
            try:
                self._control.sendall(REQUEST.pack(b"W" if wait else b"E", pid))
                status, killed = self._answer()
            except (OSError, WireError):  # the zygote is gone, and with it every worker
                return -signal.SIGKILL, False
        return status, bool(killed)

    def close(self) -> None:
        """End the process and every worker with it."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> tuple[int, int]:
        found = b""
        while len(found) < ANSWER.size:
            part = self._control.recv(ANSWER.size - len(found))
            if not part:
                raise WireError("the sandbox's process ended")
            found += part
        first, second = ANSWER.unpack(found)
        return first, second


class Worker:
    """One worker process and the socket to it."""

    def __init__(self, zygote: Zygote, pid: int, link: socket.socket, frame_bytes: int) -> None:
        self.pid = pid
        self._zygote = zygote
        self._link = link
        self._frame_bytes = frame_bytes

    def send(self, message: Mapping[str, object], seconds: float) -> None:
        """Send a message; raises TimeoutError or WireError."""
        self._link.settimeout(max(seconds, 0.001))
        try:
            self._link.sendall(pack(message))
        except TimeoutError:
            raise
        except OSError as error:
            raise WireError(f"the connection ended: {error.strerror}") from None

    def receive(self, seconds: float, cpu_seconds: float = float("inf")) -> dict[str, object]:
        """Wait for a message; raises TimeoutError when it is not there whole in time, else WireError.

        `cpu_seconds` is what the process may use meanwhile; it is looked at only when the wait is long.
        """
        deadline = time.monotonic() + seconds
        most = float("inf")

        def some(count: int) -> bytes:
            nonlocal most
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._link.settimeout(min(left, _LOOK_SECONDS))
                try:
                    return self._link.recv(count)
                except TimeoutError:
                    most = min(most, self.cpu_seconds + cpu_seconds)
                    if self.cpu_seconds > most:
                        raise
                except ConnectionError as error:
                    raise WireError(f"the connection ended: {error.strerror}") from None

        return read(some, self._frame_bytes)

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the process has used since it began; 0 where the system does not say (not Linux)."""
        try:
            fields = (
                Path(f"/proc/{self.pid}/stat")
                .read_text(encoding="ascii", errors="replace")
                .rpartition(")")[2]
            )
        except OSError:
            return 0.0
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def is_quiet(self) -> bool:
        """Whether the worker lives and has sent nothing that no one asked for."""
        self._link.settimeout(0)
        try:
            self._link.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def end(self, *, wait: bool = False) -> str:
        """End the process for certain; says how it ended where that was not by this.

        `wait` gives a process whose socket has just closed the moment that it needs to be gone.
        """
        if self._link.fileno() == -1:  # ended before
            return ""
        status, killed = self._zygote.end(self.pid, wait=wait)
        self._link.close()
        return "" if killed else how_it_ended(status)

    def kill(self) -> None:
        """End the process from another thread than the one that talks to it, which then finds it gone."""
        self._zygote.end(self.pid, wait=False)


def how_it_ended(status: int) -> str:
    """A process's exit status in words.

    >>> how_it_ended(-11)
    'it crashed (SIGSEGV)'
    """
    if status >= 0:
        return f"it exited with status {status}"
    name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
    if name == "SIGSYS":
        return "it asked the system for something that the lockdown forbids"
    return f"it was killed ({name})" if name in ("SIGKILL", "SIGTERM") else f"it crashed ({name})"


def start_message(limits: Limits, *, guarded: bool, os_layer: bool) -> dict[str, object]:
    """What a new worker is told: the sizes it must keep to, which layers to put on."""
    sizes = ("output_chars", "value_chars", "repr_chars", "call_chars", "memory_mb")
    bounds = {name: getattr(limits, name) for name in sizes}
    return {"op": "start", "bounds": bounds, "guarded": guarded, "os_layer": os_layer}


def fork_worker(
    start: Mapping[str, object], frame_bytes: int, packages: tuple[str, ...] = ()
) -> tuple[Worker, dict[str, str]]:
    """A worker that is ready to run, and which layers took effect on it ("" or the reason why not)."""
    for _ in range(2):  # a second time where the zygote went away in between
        zygote = shared_zygote(packages)
        try:
            worker = zygote.fork(frame_bytes)
        except (OSError, WireError):
            zygote.close()
            continue
        try:
            worker.send(start, _START_SECONDS)
            return worker, _layers(worker.receive(_START_SECONDS))
        except (TimeoutError, WireError) as error:
            raise SandboxError(
                f"a worker of the sandbox did not start: {worker.end(wait=True) or error}"
            ) from None
    raise SandboxError("the sandbox's process does not stay alive; is the system out of memory or processes?")


def shared_zygote(packages: tuple[str, ...]) -> Zygote:
    """The zygote of this process that has `packages`; one that was forked off from another makes its own."""
    host = os.getpid()
    with _STARTING:
        zygote = _ZYGOTES.get((host, packages))
        if zygote is None or not zygote.lives:
            zygote = _ZYGOTES[host, packages] = Zygote(packages)
            atexit.register(close_in, host, zygote)
        return zygote


def close_in(host: int, zygote: Zygote) -> None:
    """Close a zygote, but only in the process that started it."""
    if os.getpid() == host:
        zygote.close()


def _layers(message: Mapping[str, object]) -> dict[str, str]:
    layers = message.get("layers")
    if message.get("op") != "ready" or not isinstance(layers, dict):
        raise WireError("an answer that was not expected")
    return {str(name): str(reason) for name, reason in layers.items()}


def _folders() -> tuple[str, str]:
    found = importlib.util.find_spec("RestrictedPython")
    if found is None or found.origin is None:
        raise SandboxError("the sandbox needs RestrictedPython: pip install 'RestrictedPython>=9,<10'")
    return str(Path(__file__).parent), str(Path(found.origin).parent.parent)


def _last_line(complaints: bytes) -> str:
    lines = complaints.decode(errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
