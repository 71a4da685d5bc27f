"""What every engine that runs untrusted Python shares: limits, an execution's outcome, and the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

End = Literal[
    "ok",       # the program ran to its end
    "error",    # it raised
    "timeout",  # it was stopped at its wall or CPU limit
    "memory",   # it asked for more memory than it may have
    "output",   # it printed more than it may
    "killed",   # its process ended: a crash, or something the lockdown does not allow
    "refused",  # it was not run: the policy does not allow what it says
]  # fmt: skip

Level = Literal["strict", "standard", "language"]
Layer = Literal["language", "os"]


class SandboxError(RuntimeError):
    """The sandbox can't be used as asked; the text says what to do. Never raised by the program inside."""


class StopProgram(Exception):  # noqa: N818 - no error: the program's end
    """Raised by a host tool to end the program that called it: the run's end is "ok", its variables are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. A program that goes over a limit ends with the `End` that names it.

    `memory_mb` is address space on top of what the bare worker has; `value_chars` bounds the value as
    JSON text, `repr_chars` its representation; `call_chars` bounds each host tool call's arguments and
    result. Processes, files and sockets have no number: a program may have none.

    >>> Limits(wall_seconds=2).cpu_seconds
    10.0
    >>> Limits(memory_mb=0)
    Traceback (most recent call last):
    ...
    ValueError: Limits.memory_mb is 0; it must be more than 0
    """

    wall_seconds: float = 10.0
    cpu_seconds: float = 10.0
    memory_mb: int = 256
    output_chars: int = 50_000
    value_chars: int = 200_000
    repr_chars: int = 10_000
    code_chars: int = 200_000
    input_chars: int = 2_000_000
    tool_calls: int = 200
    call_chars: int = 500_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise TypeError(f"Limits.{limit.name} is {value!r}; it must be a number")
            if not value > 0 and limit.name != "tool_calls":
                raise ValueError(f"Limits.{limit.name} is {value!r}; it must be more than 0")


@dataclass(frozen=True, slots=True)
class Failure:
    """What a program raised, or why it was stopped.

    `line` is the line of the user's code (0 where there is none); `traceback` names only the user's own
    lines, each with its text.
    """

    type: str
    message: str
    line: int = 0
    traceback: str = ""

    def __str__(self) -> str:
        return self.traceback or f"{self.type}: {self.message}"


@dataclass(frozen=True, slots=True)
class Execution:
    """The outcome of one run.

    `value` is the value of the program's last line when that is an expression whose value is made of
    JSON's types (a tuple comes as a list); `value_repr` is its bounded representation whatever its type,
    "" when there is none. `session_kept` says whether the variables are still there for the next run.

    >>> Execution("ok", value=4, value_repr="4").ok
    True
    """

    end: End
    value: JSON = None
    value_repr: str = ""
    stdout: str = ""
    error: Failure | None = None
    session_kept: bool = True
    seconds: float = field(default=0.0, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the program ran to its end."""
        return self.end == "ok"

    def __str__(self) -> str:
        parts = (self.stdout.rstrip("\n"), self.value_repr, str(self.error) if self.error else "")
        return "\n".join(part for part in parts if part)


class Sandbox(Protocol):
    """Runs untrusted Python. Variables live from one `run` to the next until `close`.

    `run` starts the engine where that has not been done, never raises for what the program does, and
    raises `SandboxError` or `TypeError` for what the caller does wrong.
    """

    def start(self) -> None:
        """Make the engine ready; a second call does nothing."""
        ...

    def run(self, code: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """Run a program with `inputs` (JSON's types) as its variables."""
        ...

    def close(self) -> None:
        """End the engine and everything that runs in it; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
