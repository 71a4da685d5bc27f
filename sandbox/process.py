"""The default engine: each session is a Python process of its own, in which RestrictedPython compiles."""

from __future__ import annotations

import importlib.util
import keyword
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, get_args

from .base import Execution, Failure, Layer, Level, Limits, SandboxError
from .exchange import Exchange
from .levels import missing
from .names import is_dunder
from .packages import PACKAGES
from .shown import NotPlainError, to_json
from .spawn import Worker, fork_worker, start_message

_INTERRUPTED = Failure("Interrupted", "the program was interrupted from outside, so its variables are lost")


class Turn:
    """One run, which another thread may stop: before its worker is there, or while it works."""

    def __init__(self) -> None:
        self._stopped = False
        self._worker: Worker | None = None
        self._lock = threading.Lock()

    def was_stopped(self) -> bool:
        """Whether another thread wanted its end."""
        return self._stopped

    def begin(self, worker: Worker) -> None:
        """The run is on this worker now."""
        with self._lock:
            self._worker = worker
            if self._stopped:
                worker.kill()

    def finish(self) -> None:
        """The run has ended: its worker is not to be killed for it any more."""
        with self._lock:
            self._worker = None

    def stop(self) -> None:
        """End the run, from any thread."""
        with self._lock:
            self._stopped = True
            if self._worker is not None:
                self._worker.kill()


class ProcessSandbox:
    """Runs programs in a locked-down Python process. Variables live until `close`, or until a kill.

    `tools` are host functions that programs may call by name (the attribute may be added to between runs);
    arguments and results are JSON's types. A tool that raises is a `ToolError` inside; one that raises
    `StopProgram` ends the program.
    `level` is what the system must at least provide ("strict", "standard", "language"; see `levels`); more is
    taken where it is there. `packages` may name "numpy" and "sympy", which programs can then import; the first
    start with them takes longer. `layers` exists to test each of the two with the other switched off.

    >>> with ProcessSandbox() as sandbox:
    ...     sandbox.run("x = 20").end
    ...     sandbox.run("x + y", {"y": 22}).value
    'ok'
    42
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        tools: Mapping[str, Callable[..., object]] | None = None,
        level: Level = "standard",
        layers: Sequence[Layer] = ("language", "os"),
        packages: Sequence[str] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.level = level
        self.tools = dict(tools or {})
        for name in self.tools:
            _check_variable(name, "a tool")
        _check_layers(level, layers)
        self._packages = _checked_packages(packages, level)
        self._start = start_message(self.limits, guarded="language" in layers, os_layer="os" in layers)
        self._worker: Worker | None = None
        self._turn: Turn | None = None
        self._abandon: weakref.finalize[..., ProcessSandbox] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process where none runs. Raises SandboxError where none can be had."""
        with self._lock:
            self._started()

    def run(self, code: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """Run a program; `inputs` become its variables.

        Raises TypeError for inputs that are no JSON values, SandboxError where no process can be had.
        """
        return self._run(code, inputs or {}, Turn())

    async def arun(self, code: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """As `run`, without blocking the event loop; cancelling it ends the program and its session."""
        import asyncio

        turn = Turn()
        running = asyncio.create_task(asyncio.to_thread(self._run, code, inputs or {}, turn))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            turn.stop()
            await asyncio.wait([running])
            raise

    def interrupt(self) -> None:
        """End the program that runs now, from another thread: its `run` returns with the end "killed"."""
        turn = self._turn
        if turn is not None:
            turn.stop()

    def _run(self, code: str, inputs: Mapping[str, object], turn: Turn) -> Execution:
        values = self._checked(inputs)
        if len(code) > self.limits.code_chars:
            text = f"the program has {len(code)} characters; at most {self.limits.code_chars} are taken"
            return Execution("refused", error=Failure("ProgramTooLong", text))
        with self._lock:
            if turn.was_stopped():
                return Execution("killed", error=_INTERRUPTED)
            worker = self._started()
            self._turn = turn
            began = time.monotonic()
            try:
                turn.begin(worker)
                outcome = Exchange(worker, self.limits, self.tools).execute(code, values)
            except BaseException:  # a tool was interrupted: what the worker makes of that, no one waits for
                self._stop()
                raise
            finally:
                self._turn = None
                turn.finish()
            if turn.was_stopped():
                outcome = replace(outcome, end="killed", error=_INTERRUPTED, session_kept=False)
            if not outcome.session_kept:
                self._stop()
            return replace(outcome, seconds=time.monotonic() - began)

    def close(self) -> None:
        """End the process and everything in it; `run` would start another."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> Worker:
        if self._worker is not None and self._worker.is_foreign:
            self._stop()
        if self._worker is None:
            worker, layers = fork_worker(self._start, self._frame_bytes(), self._packages)
            lacking = missing(self.level, layers)
            if lacking:
                worker.end()
                raise SandboxError(_too_low(self.level, lacking))
            self._worker = worker
            self._abandon = weakref.finalize(self, worker.abandon)
        return self._worker

    def _stop(self) -> None:
        worker, abandon = self._worker, self._abandon
        self._worker = self._abandon = None
        if worker is not None and abandon is not None:
            worker.end()
            abandon.detach()

    def _frame_bytes(self) -> int:
        limits = self.limits
        return 100_000 + 6 * (
            limits.output_chars + limits.value_chars + limits.repr_chars + 2 * limits.call_chars
        )

    def _checked(self, inputs: Mapping[str, object]) -> dict[str, Any]:
        left = self.limits.input_chars
        checked: dict[str, Any] = {}
        for name, value in inputs.items():
            _check_variable(name, "an input")
            try:
                checked[name] = to_json(value, left)
            except NotPlainError:
                raise TypeError(
                    f"the input {name!r} ({type(value).__name__}) can't be handed in: inputs are made of None, bool, int, "
                    f"float, str, list and dict with string keys, {self.limits.input_chars} characters in all"
                ) from None
        return checked


def _check_layers(level: Level, layers: Sequence[Layer]) -> None:
    if level not in get_args(Level):
        raise ValueError(f"level is {level!r}; it must be one of {', '.join(get_args(Level))}")
    unknown = set(layers) - set(get_args(Layer))
    if unknown or not layers:
        raise ValueError(f"layers is {layers!r}; it must name one or both of {', '.join(get_args(Layer))}")
    if "os" not in layers and level != "language":
        raise ValueError(f"level={level!r} needs the layer 'os'; without it, say level='language'")


def _checked_packages(packages: Sequence[str], level: Level) -> tuple[str, ...]:
    for package in packages:
        if package not in PACKAGES:
            raise ValueError(f"packages has {package!r}; there are {', '.join(PACKAGES)}")
        if importlib.util.find_spec(package) is None:
            raise SandboxError(f"packages has {package!r}, which is not installed: pip install {package}")
    if packages and level == "language":
        raise ValueError("packages need the layer 'os': the language layer can't vouch for what they do")
    return tuple(sorted(set(packages)))


def _too_low(level: Level, lacking: Mapping[str, str]) -> str:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in lacking.items())
    return (
        f"this system does not reach the sandbox's level {level!r} ({reasons}). Programs were not run. "
        "level='language' runs them behind the language policy alone, which is no boundary against hostile code"
    )


def _check_variable(name: object, what: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or is_dunder(name):
        raise TypeError(
            f"{name!r} can't name {what}: it must be an identifier that Python does not keep for itself"
        )
