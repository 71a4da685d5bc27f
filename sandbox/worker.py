"""The worker: reads programs from its socket, runs them one after another, and answers.

It alone parses, compiles and runs a program and asks its values for their text. It is started by
`process`, in a process of its own with nothing of the host's environment.
"""

from __future__ import annotations

import builtins
import os
import random
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import failures
from .clock import Clock, Interruption, TimeIsUp
from .guards import Guards
from .lockdown import limit_memory, lock_down, tried
from .namespace import Prepared, make_builtins
from .policy import RESULT, PolicyError, compile_program, compile_unguarded
from .shown import NotPlainError, to_json, to_text
from .wire import WireError, pack, read

_COMPILE_DEPTH = 3_000
_SOURCES = 100


class OutputIsFull(Interruption):
    """The program printed more than it may."""


class ProgramEnd(Interruption):
    """A tool of the host said that the program is to end here, as an exit does."""


class ToolError(RuntimeError):
    """A tool of the host failed; the text is the host's. Programs may catch it."""


class Output:
    """What the program printed in this run."""

    def __init__(self, chars: int) -> None:
        self._chars = chars
        self.clear()

    def clear(self) -> None:
        """Begin a run."""
        self._parts: list[str] = []
        self._left = self._chars
        self.full = False

    def write(self, text: str) -> int:
        """Keep what fits; at the limit, end the program."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        text = str.__str__(text)
        self._parts.append(text[: self._left])
        self._left -= len(text)
        if self._left < 0:
            self._left, self.full = 0, True
            raise OutputIsFull
        if len(self._parts) > 10_000:
            self._parts = ["".join(self._parts)]
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def text(self) -> str:
        """All that was kept."""
        return "".join(self._parts)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The sizes of what a session may send."""

    output_chars: int
    value_chars: int
    repr_chars: int
    call_chars: int
    memory_mb: int


class Session:
    """The variables of a series of programs, and the running of each."""

    def __init__(self, bounds: Bounds, clock: Clock, prepared: Prepared, *, guarded: bool = True) -> None:
        self._bounds = bounds
        self._clock = clock
        self._guarded = guarded
        self._sources: dict[str, list[str]] = {}
        self._runs = 0
        self.output = Output(bounds.output_chars)
        main = types.ModuleType("__main__")
        self.variables: dict[str, Any] = main.__dict__
        self.variables.clear()
        self.variables["__name__"] = "__main__"
        sys.modules["__main__"] = main
        self.builtins: dict[str, Any] = dict(vars(builtins))
        if guarded:
            self.builtins = make_builtins(
                Guards(self.variables), self.output.write, self._described, prepared
            )
        self.variables["__builtins__"] = self.builtins
        sys.stdout = sys.stderr = self.output

    def _described(self, error: BaseException) -> str:
        return str(failures.report(error, self._sources, f"<program {self._runs}>")["traceback"])

    def run(
        self, code: str, inputs: Mapping[str, Any], wall_seconds: float, cpu_seconds: float
    ) -> dict[str, Any]:
        """Run one program; the answer has `end` and what belongs to it."""
        self._runs += 1
        file = f"<program {self._runs}>"
        self.output.clear()
        self.variables.pop(RESULT, None)
        self.variables.update(inputs)
        try:
            self._clock.start(wall_seconds, cpu_seconds)
            answer = self._outcome(code, file)
        except BaseException as error:  # noqa: BLE001 - the timer may strike while the outcome is put into words
            self._clock.stop()
            answer = self._failed(error, file)
        finally:
            self._clock.stop()
        if self._clock.expired:
            answer = {"end": "timeout", "error": self._stopped(answer, f"{self._clock.expired} time")}
        elif self.output.full:
            answer = {"end": "output", "error": self._stopped(answer, "output")}
        return {**answer, "stdout": self.output.text()}

    def _outcome(self, code: str, file: str) -> dict[str, Any]:
        try:
            self._execute(code, file)
        except ProgramEnd:
            return {"end": "ok"}
        except SystemExit as error:
            if error.code not in (None, 0):
                return self._failed(error, file)
        except BaseException as error:  # noqa: BLE001 - whatever the program raised is its outcome
            return self._failed(error, file)
        if RESULT not in self.variables:
            return {"end": "ok"}
        return {"end": "ok", **self._value(self.variables.pop(RESULT))}

    def _execute(self, code: str, file: str) -> None:
        self._sources[file] = code.splitlines()
        if len(self._sources) > _SOURCES:
            del self._sources[next(iter(self._sources))]
        depth = sys.getrecursionlimit()
        sys.setrecursionlimit(max(depth, _COMPILE_DEPTH))
        try:
            program = (compile_program if self._guarded else compile_unguarded)(code, file)
        finally:
            sys.setrecursionlimit(depth)
        exec(program, self.variables)  # noqa: S102 - what this process is for

    def _value(self, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        try:
            shown = to_text(value, self._bounds.repr_chars)
        except Exception as error:  # noqa: BLE001 - the program's own __repr__ can raise anything
            shown = f"<{type(value).__name__} object whose repr raised {type(error).__name__}>"
        try:
            return {"value": to_json(value, self._bounds.value_chars), "repr": shown}
        except NotPlainError:
            return {"repr": shown}

    def _failed(self, error: BaseException, file: str) -> dict[str, Any]:
        if isinstance(error, PolicyError):
            return {"end": "refused", "error": failures.refusal(error, self._sources, file)}
        found = failures.report(error, self._sources, file)
        if not isinstance(error, MemoryError):
            return {"end": "error", "error": found}
        message = f"the program needs more than the {self._bounds.memory_mb} MB that it may use"
        trace = "\n".join([*found["traceback"].split("\n")[:-1], f"MemoryError: {message}"])
        return {"end": "memory", "error": {**found, "message": message, "traceback": trace}}

    def _stopped(self, answer: Mapping[str, Any], limit: str) -> dict[str, Any]:
        """The report of a program that a limit ended: where it was, and which limit."""
        found = dict(answer.get("error") or {"line": 0, "traceback": ""})
        kind = "OutputLimit" if limit == "output" else "TimeLimit"
        message = f"the program was stopped: its {limit} is used up"
        lines = str(found["traceback"]).split("\n")
        trace = "\n".join([*(line for line in lines[:-1] if not line.startswith("(")), f"{kind}: {message}"])
        return {"type": kind, "message": message, "line": found["line"], "traceback": trace}


class Connection:
    """The worker's end of the socket."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message whole."""
        rest = memoryview(pack(message))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def receive(self) -> dict[str, Any]:
        """Wait for one message."""
        return read(lambda count: os.read(self._descriptor, count), self._limit)


def tool_caller(name: str, connection: Connection, clock: Clock, chars: int) -> Callable[..., Any]:
    """The function that a program calls to use the host's tool `name`."""

    def call(*args: Any, **options: Any) -> Any:
        try:
            message = {
                "op": "call",
                "name": name,
                "args": to_json(args, chars),
                "options": to_json(options, chars),
            }
        except NotPlainError:
            raise TypeError(
                f"{name}() takes numbers, strings, lists and dicts with string keys, {chars} characters in all"
            ) from None
        with clock.paused():
            connection.send(message)
            answer = connection.receive()
        if answer.get("stop"):
            raise ProgramEnd
        if answer.get("error") is not None:
            raise ToolError(str(answer["error"]))
        return answer.get("value")

    call.__name__ = call.__qualname__ = name
    return call


def serve(descriptor: int, parent: int, space: int, prepared: Prepared) -> None:
    """Answer the host's messages until it hangs up; the first says what this worker is to be.

    `space` is the address space in bytes of a worker that has run nothing; `prepared` has what packages
    offer, by module.
    """
    random.seed()  # what was forked is what every other worker has
    clock = Clock()
    connection = Connection(descriptor, 1 << 30)
    try:
        start = connection.receive()
        session = Session(Bounds(**start["bounds"]), clock, prepared, guarded=start["guarded"])
        session.builtins["ToolError"] = ToolError
        connection.send({"op": "ready", "layers": locked(start, descriptor, parent, space)})
        while True:
            request = connection.receive()
            for name in request["tools"]:
                caller = tool_caller(name, connection, clock, start["bounds"]["call_chars"])
                session.builtins.setdefault(name, caller)
            connection.send({"op": "done", **answer(session, clock, request)})
    except WireError:
        return


def locked(start: Mapping[str, Any], descriptor: int, parent: int, space: int) -> dict[str, str]:
    """The lockdown, or the memory limit alone where the language layer is to stand by itself."""
    memory_mb = start["bounds"]["memory_mb"]
    if start["os_layer"]:
        return lock_down(descriptor, memory_mb, parent, space)
    return {"memory": tried(lambda: limit_memory(memory_mb, space))}


def answer(session: Session, clock: Clock, request: Mapping[str, Any]) -> dict[str, Any]:
    """One run, named by the request's own id."""
    try:
        outcome = session.run(
            request["code"], request["inputs"], request["wall_seconds"], request["cpu_seconds"]
        )
    except TimeIsUp:  # the timer struck between a program's end and its being stopped
        clock.stop()
        outcome = {"end": "timeout"}
    return {"id": request["id"], **outcome}
