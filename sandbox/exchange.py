"""The talk between host and worker about one program, from its source to its `Execution`.

What the worker says is checked before it is believed: the run it names, the form of each field, the sizes,
the number of tool calls. The clock stands still while a tool of the host runs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from .base import End, Execution, Failure, Limits, StopProgram
from .shown import NotPlainError, to_json
from .spawn import Worker
from .wire import WireError

GRACE_SECONDS = 0.5
_ENDS = ("ok", "error", "timeout", "memory", "output", "refused")
_TEXT_CHARS = 20_000

Tools = Mapping[str, Callable[..., object]]


class Exchange:
    """One run on one worker."""

    def __init__(self, worker: Worker, limits: Limits, tools: Tools) -> None:
        self._worker = worker
        self._limits = limits
        self._tools = tools
        self._id = secrets.token_hex(8)
        self._calls = 0
        self._deadline = 0.0

    def execute(self, code: str, inputs: Mapping[str, Any]) -> Execution:
        """Run the program. Where the result has `session_kept` false, the worker has been ended."""
        limits = self._limits
        request = {"op": "run", "id": self._id, "code": code, "inputs": inputs, "tools": list(self._tools)}
        clocks = {"wall_seconds": limits.wall_seconds, "cpu_seconds": limits.cpu_seconds}
        self._deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
        try:
            if not self._worker.is_quiet:
                raise WireError("it ended, or spoke unasked, between two programs")
            self._worker.send({**request, **clocks}, self._left())
            while True:
                message = self._worker.receive(self._left(), limits.cpu_seconds + GRACE_SECONDS)
                if message.get("op") == "done":
                    return self._outcome(message)
                self._answer(message)
        except TimeoutError:
            self._worker.end()
            text = "the program was stopped: its time is used up, and it did not react, so its variables are lost"
            return Execution("timeout", error=Failure("TimeLimit", text), session_kept=False)
        except WireError as error:
            how = self._worker.end(wait=True) or str(error)
            return Execution(
                "killed",
                error=Failure("ProcessEnded", f"the program's process ended: {how}"),
                session_kept=False,
            )

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)

    def _answer(self, message: Mapping[str, object]) -> None:
        """Make the tool call that a message asks for."""
        name, args, options = message.get("name"), message.get("args"), message.get("options")
        if message.get("op") != "call" or not isinstance(args, list) or not isinstance(options, dict):
            raise WireError("it sent a message that makes no sense")
        if not isinstance(name, str) or name not in self._tools:
            raise WireError("it called a tool that it was not given")
        self._calls += 1
        began = time.monotonic()
        reply = self._call(name, args, options)
        self._deadline += time.monotonic() - began
        self._worker.send(reply, self._left())

    def _call(self, name: str, args: list[Any], options: dict[str, Any]) -> dict[str, object]:
        if self._calls > self._limits.tool_calls:
            return {"error": f"no more calls: a program may make {self._limits.tool_calls}"}
        try:
            value = self._tools[name](*args, **options)
        except StopProgram:
            return {"stop": True}
        except Exception as error:  # noqa: BLE001 - whatever a tool raises, the program is told and may repair it
            return {"error": f"{name}() failed: {type(error).__name__}: {error}"[:_TEXT_CHARS]}
        try:
            return {"value": to_json(value, self._limits.call_chars)}
        except NotPlainError:
            what = f"a {type(value).__name__} that is not made of JSON's types or is too large"
            return {"error": f"{name}() gave {what} ({self._limits.call_chars} characters are taken)"}

    def _outcome(self, message: Mapping[str, object]) -> Execution:
        """A final message as an Execution; whatever is not of the right form ends the worker."""
        end = message.get("end")
        if message.get("id") != self._id or end not in _ENDS:
            raise WireError("it sent a result of another run, or of no known kind")
        try:
            value = to_json(message.get("value"), self._limits.value_chars)
        except NotPlainError:
            raise WireError("it sent a value over the limits") from None
        return Execution(
            cast("End", end),
            value=value,
            value_repr=_text(message, "repr", self._limits.repr_chars),
            stdout=_text(message, "stdout", self._limits.output_chars),
            error=_failure(message.get("error")),
        )


def _text(message: Mapping[str, object], key: str, chars: int) -> str:
    value = message.get(key, "")
    if not isinstance(value, str):
        raise WireError(f"it sent a {key} that is no text")
    return value[:chars]


def _failure(error: object) -> Failure | None:
    if error is None:
        return None
    if not isinstance(error, dict) or not isinstance(error.get("line"), int):
        raise WireError("it sent an error that makes no sense")
    texts = (_text(error, key, _TEXT_CHARS) for key in ("type", "message", "traceback"))
    kind, text, trace = texts
    return Failure(kind, text, error["line"], trace)
