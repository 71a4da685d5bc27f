"""Tools in a process of their own, which can be killed: what `isolate=True` means.

Each call starts a fresh interpreter (some tenths of a second), which imports the function by its module and name. A
function of the script that is being run makes it run that script again, as far as its `if __name__ == "__main__":`; one
without that line is refused. The process is killed, with every process that it started, when its time is up, when the call is cancelled, and when the
host goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from .callables import called
from .errors import ToolDefinitionError, ToolFailed
from .render import exception_text, traceback_text

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_POLL_SECONDS = 0.05  # how soon a cancelled call is noticed


class IsolatedError(Exception):
    """What a function in another process raised; `detail` is its traceback there."""

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail


class OutOfTimeError(Exception):
    """The process was killed since its time was up, or since nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where another process finds a function: a module, its file, and the name in it."""

    module: str
    file: str
    name: str

    @classmethod
    def of(cls, func: Callable[..., object]) -> Reference:
        """The reference to a function; raises `ToolDefinitionError` for one that can't be imported by name."""
        module, name = getattr(func, "__module__", ""), getattr(func, "__qualname__", "")
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        if module == "__main__" and Path(file).is_file() and not _is_guarded(Path(file)):
            raise ToolDefinitionError(
                f"{called(func)} can't run isolated: every call would run all of {Path(file).name} again. Put what that "
                f'script does below `if __name__ == "__main__":`, or the function into a module of its own'
            )
        no_file = module == "__main__" and not Path(file).is_file()
        if not name or "<" in name or hasattr(func, "__self__") or no_file:
            raise ToolDefinitionError(
                f"{called(func)} can't run isolated: another process has to import it, so it must be a function "
                f"at the top of a module or a file"
            )
        return cls(module, str(file), name)

    def load(self) -> Callable[..., object]:
        """The function, imported in this process."""
        try:
            module = import_module(self.module)
        except ModuleNotFoundError:
            from .resolve import load_file

            module = load_file(Path(self.file))
        found: Any = module
        for step in self.name.split("."):
            found = getattr(found, step)
        return cast("Callable[..., object]", getattr(found, "func", found))  # a Tool, or the function itself


def call_isolated(
    where: Reference,
    by_position: Sequence[object],
    by_name: Mapping[str, object],
    timeout: float | None = None,
    cancelled: threading.Event | None = None,
) -> object:
    """Call a function in a new process. Blocks at most `timeout` seconds, until `cancelled` is set if that is sooner.

    Raises `IsolatedError`, `ToolFailed` and `OutOfTimeError`.
    """
    import multiprocessing  # few programs have such tools

    deadline = None if timeout is None else time.monotonic() + timeout
    start = multiprocessing.get_context("spawn")
    ours, theirs = start.Pipe()
    try:
        child = start.Process(
            target=_serve, args=(theirs, where, tuple(by_position), dict(by_name)), daemon=True
        )
        with _without_script(where):
            child.start()
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        ours.close()
        theirs.close()
        raise IsolatedError(
            f"the arguments can't be sent to another process: {exception_text(error)}"
        ) from error
    theirs.close()
    try:
        while not ours.poll(_POLL_SECONDS):
            if (cancelled is not None and cancelled.is_set()) or (
                deadline is not None and time.monotonic() > deadline
            ):
                raise OutOfTimeError
        return _read(ours)
    except (EOFError, ConnectionError):
        child.join(1)
        code = child.exitcode
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        raise IsolatedError(f"its process was {how}" if "killed" in how else f"its process {how}") from None
    finally:
        ours.close()
        _kill(child.pid)
        child.join()
        child.close()


@contextlib.contextmanager
def _without_script(where: Reference) -> Iterator[None]:
    """Keep `multiprocessing` from running the host's script in the child, where the function is not of the script."""
    if where.module == "__main__":
        yield
        return
    with _starting:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


_starting = threading.Lock()


def _is_guarded(script: Path) -> bool:
    """Whether a script says which part of it is for running alone."""
    return (
        re.search(
            r"^if\s+(__name__|[\"']__main__[\"'])\s*==",
            script.read_text(encoding="utf-8", errors="replace"),
            re.M,
        )
        is not None
    )


def _read(ours: Connection) -> object:
    kind, *told = ours.recv()
    if kind == "failed":
        raise ToolFailed(told[0])
    if kind == "raised":
        raise IsolatedError(*told)
    return told[0]


def _kill(pid: int | None) -> None:
    """Kill a process and those it started; it leads a session of its own by then, or is too young to have any."""
    if pid is None:
        return
    for kill in (getattr(os, "killpg", None), os.kill):
        if kill is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


# ---- in the process


def _serve(
    pipe: Connection, where: Reference, by_position: Sequence[object], by_name: Mapping[str, object]
) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
    threading.Thread(target=_end_with_host, args=(pipe,), daemon=True).start()
    try:
        value = where.load()(*by_position, **by_name)
        if asyncio.iscoroutine(value):
            value = asyncio.run(value)
        outcome: tuple[object, ...] = ("value", value)
        pickle.dumps(outcome)
    except ToolFailed as error:
        outcome = ("failed", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's exception is an observation, whatever it is
        outcome = ("raised", exception_text(error), traceback_text(error))
    pipe.send(outcome)


def _end_with_host(pipe: Connection) -> None:
    """The host never sends: its end of the pipe becomes readable when it is closed, or when the host is gone."""
    with contextlib.suppress(OSError):
        pipe.poll(None)
        _kill(os.getpid())
