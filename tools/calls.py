"""What passes between a model and a tool: the call, its result, and the tool as a model sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .world.changes import Change

ErrorKind = Literal[
    "unknown_tool",    # no tool of that name
    "invalid_args",    # the arguments do not fit the tool's parameters
    "denied",          # policy or a person said no
    "timeout",         # the tool did not end in time
    "raised",          # the tool raised, or said that it failed
    "cancelled",       # the run was stopped while the tool ran
    "unserialisable",  # the tool returned something that has no text form
    "too_large",       # the result can't be shown, not even cut
    "unparsed",        # the model's turn held no call that could be read
]  # fmt: skip

Effect = Literal["pure", "read", "write", "irreversible"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to run a tool.

    `malformed` is the text of the arguments where that was no JSON object; `args` is empty then,
    and the registry answers with `invalid_args`.

    >>> str(ToolCall("get_order", {"order_id": 17}))
    'get_order(order_id=17)'
    """

    name: str
    args: Mapping[str, object] = field(default_factory=dict)
    id: str = ""
    malformed: str = ""

    def __str__(self) -> str:
        if self.malformed:
            return f"{self.name}({self.malformed})"
        shown = (f"{name}={_shown(value)}" for name, value in self.args.items())
        return f"{self.name}({', '.join(shown)})"


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):  # nested without end, or holding itself
        return "…"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call.

    `content` is the text that the model reads: the result, or what was wrong and how to do it right.
    `value` is the Python value of a call that succeeded; `seconds` the wall time of the tool itself;
    `detail` what only a person should see (a traceback, the whole of a result that was cut); `attempts` how often the
    tool was called, where it failed for a passing reason; `changes` what the call changed in the run's world.

    >>> ToolResult.failed(ToolCall("gues"), "unknown_tool", "no tool 'gues'").ok
    False
    """

    call: ToolCall
    content: str
    error: ErrorKind | None = None
    value: object = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)
    detail: str = field(default="", compare=False)
    attempts: int = field(default=1, compare=False)
    changes: tuple[Change, ...] = field(default=(), compare=False)

    @property
    def ok(self) -> bool:
        """Whether the tool ran and returned."""
        return self.error is None

    @classmethod
    def failed(
        cls, call: ToolCall, error: ErrorKind, content: str, *, seconds: float = 0.0, detail: str = ""
    ) -> ToolResult:
        """A result that says what was wrong, for the model to repair."""
        return cls(call, content, error, None, seconds, detail)


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it: `parameters` is a JSON Schema of type object (draft 2020-12)."""

    name: str
    description: str
    parameters: Mapping[str, object]
