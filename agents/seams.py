"""What a context may put around effects: a meter that says whether there is budget, a recorder that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from loopwright.tools.calls import ToolCall, ToolResult
from loopwright.tools.tool_context import Record

from .models.base import BaseLM, LMRequest, LMResponse, Usage

if TYPE_CHECKING:
    from loopwright.sandbox import Sandbox

HostFunctions = Mapping[str, Callable[..., object]]
Interpreter = Callable[[HostFunctions], "Sandbox"]
"""Makes a sandbox whose programs may call these functions by name."""


class Reservation(Protocol):
    """What was set aside for one model call."""

    def commit(self, usage: Usage, *, cached: bool = False) -> None:
        """The call is done, and cost this."""

    def release(self) -> None:
        """The call failed."""


class Meter(Protocol):
    """Says whether another model call may be made."""

    def reserve(self, lm: BaseLM, request: LMRequest) -> Reservation:
        """Set aside what the call may cost; raises `BudgetError` where that is not there."""

    def check(self) -> None:
        """Raise `BudgetError` where the time is up."""


class Recorder(Protocol):
    """Keeps what models and tools said, and may say it again."""

    def recall(self, lm: BaseLM, request: LMRequest) -> LMResponse | None:
        """The recorded answer; None where the model must be asked."""

    def keep(self, lm: BaseLM, request: LMRequest, response: LMResponse) -> None:
        """Record an answer."""

    @property
    def strict(self) -> bool:
        """Whether nothing may be done that is not on record."""

    def earlier(self, call: ToolCall) -> Record | None:
        """The recorded tool call that this one repeats, if there is one that was not repeated yet."""

    def began(self, call: ToolCall) -> int:
        """Record that a tool call is about to be made; the number is for `ended`."""

    def ended(self, number: int, result: ToolResult, state: Mapping[str, object]) -> None:
        """Record what came of it, and the run's state after it."""

    def sandboxes(self, made: Interpreter) -> Interpreter:
        """Sandboxes whose runs are recorded, or answered from the record."""
