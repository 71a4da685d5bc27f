"""What a tool can know of the run that calls it, and what belongs to that run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .approval import Approval
from .calls import ToolCall, ToolResult
from .memory import CallMemory, key_of
from .world.environment import Environment


@dataclass(frozen=True, slots=True)
class ToolContext:
    """A tool's view of the run it is called in: a parameter with this annotation is filled in, and never shown to a model.

    `state` is the run's own dictionary, shared by its tools and gone when the run ends. `cancelled` is set when nobody
    waits for the result any more; `seconds_left` is None without a time limit.

    >>> from loopwright.tools import Tool, ToolCall
    >>> def count(context: ToolContext) -> int:
    ...     "How often this was called."
    ...     context.state["n"] = context.state.get("n", 0) + 1
    ...     return context.state["n"]
    >>> run, tool = ToolRun(), Tool(count)
    >>> [tool.run(ToolCall("count"), run).content for _ in range(2)], tool.usage
    (['1', '2'], 'count()')
    """

    call: ToolCall
    state: dict[str, Any] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    deadline: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the call times out."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


@dataclass(slots=True)
class Record:
    """A call that was begun; `result` is None until it has ended. `state` is the run's state after it, where that is known."""

    call: ToolCall
    result: ToolResult | None = None
    state: dict[str, Any] | None = None


class ToolRun:
    """What belongs to one run of an agent: its tools' `state`, what it has read, its policy, its record.

    In a `dry_run` no tool runs that could change anything. `recorded` are the calls of an earlier run that this one
    repeats: each is answered from the record instead of being made, and one that was begun there and never ended is
    not made again if it could have changed anything. With `replay` that also holds for calls that are not in the record.
    `environment` holds the world that tools with a parameter of type `World` are given; calls of these are made again even
    where they are recorded, since the world is another.

    >>> from loopwright.tools import Tool, ToolCall
    >>> def refund(order_id: int) -> str: ...
    >>> Tool(refund).run(ToolCall("refund", {"order_id": 17}), ToolRun(dry_run=True)).content
    'Dry run: refund(order_id=17) was not made.'
    """

    def __init__(
        self,
        *,
        approval: Approval | None = None,
        dry_run: bool = False,
        recorded: Iterable[Record] = (),
        replay: bool = False,
        environment: Environment | None = None,
    ) -> None:
        self.state: dict[str, Any] = {}
        self.approval = approval or Approval()
        self.dry_run = dry_run
        self.replay = replay
        self.environment = environment
        self.records: list[Record] = []
        self._recorded = [Record(one.call, one.result) for one in recorded]
        self._reads: dict[int, CallMemory] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def began(self, call: ToolCall) -> Record:
        """Note that a call is about to be made."""
        record = Record(call)
        self.records.append(record)
        return record

    def repeated(self, call: ToolCall) -> Record:
        """Note that a call is about to be made again that an earlier run has on record."""
        record = Record(call)
        self.records.append(record)
        return record

    def ended(self, record: Record, result: ToolResult) -> None:
        """Note what came of it."""
        record.result = result

    def stopped(self, record: Record, error: BaseException) -> None:
        """Note that it was interrupted: nobody knows how far it came."""

    def earlier(self, call: ToolCall) -> Record | None:
        """The first record of an earlier run for this call that has not been used."""
        if not self._recorded:
            return None
        wanted = key_of(call.args)
        with self._lock:
            for place, record in enumerate(self._recorded):
                if record.call.name == call.name and key_of(record.call.args) == wanted:
                    del self._recorded[place]
                    return replace(record)
        return None

    def reads(self, tool: object) -> CallMemory:
        """The results of a reading tool that nothing in the run has made old."""
        with self._lock:
            return self._reads.setdefault(id(tool), CallMemory())

    def wrote(self) -> None:
        """Forget what was read: something may have changed it."""
        with self._lock:
            self._reads = {}


_Policy = Callable[[], ToolRun | None]


class _Around:
    """Who knows the policy of the running code; `loopwright` says so when it is imported."""

    policy: _Policy = staticmethod(lambda: None)


def policy_around() -> ToolRun | None:
    """A run under the policy of the running code; None where there is none."""
    return _Around.policy()


def policy_comes_from(policy: _Policy) -> None:
    """Have calls that belong to no run ask this for their policy."""
    _Around.policy = staticmethod(policy)
