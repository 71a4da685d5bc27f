"""Worker processes as the host holds them: forked from one prepared process, ended for certain."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from .base import Limits, SandboxError
from .wire import WireError, pack, read
from .zygotes import ZYGOTES, Zygote

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_TRIES = 3


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

    def abandon(self) -> None:
        """As `end`, from a finalizer: waits for nothing."""
        self._link.close()
        self._zygote.abandon(self.pid)

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to the process that this one was forked off from."""
        return self._zygote.host != os.getpid()

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
    how = ""
    for _ in range(_TRIES):  # again where something killed the zygote, or the worker, in between
        try:
            zygote = ZYGOTES.get(packages)
            worker = Worker(zygote, *zygote.fork(), frame_bytes)
        except (OSError, WireError) as error:
            how = str(error)
            continue
        try:
            worker.send(start, _START_SECONDS)
            return worker, _layers(worker.receive(_START_SECONDS))
        except WireError as error:
            how = worker.end(wait=True) or str(error)
        except BaseException:
            worker.end()
            raise
    raise SandboxError(
        f"a worker of the sandbox did not start: {how}; is the system short of memory or processes?"
    )


def _layers(message: Mapping[str, object]) -> dict[str, str]:
    layers = message.get("layers")
    if message.get("op") != "ready" or not isinstance(layers, dict):
        raise WireError("an answer that was not expected")
    return {str(name): str(reason) for name, reason in layers.items()}
