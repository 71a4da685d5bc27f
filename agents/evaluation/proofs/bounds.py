"""Whether a task can be done although things go wrong, and within its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...modules.limits import Limits
from ...text import counted
from ..file.format import Task
from ..tasks import TaskFile
from .gold import Effort


@dataclass(frozen=True, slots=True)
class TooMuch:
    """A limit that a run goes beyond; not `certain` where another way of doing the same may not."""

    limit: str
    words: str
    certain: bool


def too_much(file: TaskFile, task: Task, efforts: Sequence[Effort]) -> Iterator[TooMuch]:
    """What a run that does what a task asks for needs more of than its limits allow.

    A model may make several calls in one step, but none again before it knows that it has failed.
    """
    limits = _limits(file, task)
    calls = sum(sum(turn.attempts) for turn in efforts)
    again = calls - sum(len(turn.attempts) for turn in efforts)
    after = f", {again} of them again after a fault" if again else ""
    most = limits.get("tool_calls")
    if most is not None and calls > most:
        yield TooMuch(
            "tool_calls", f"makes {counted(calls, 'call')}{after}, and limits.tool_calls is {most}", True
        )
    most = limits.get("steps")
    least = sum(max(turn.attempts, default=1) for turn in efforts)
    answers = len(efforts) - (
        task.expect.ends != ["submit"]
    )  # the last answer may be given after the last step
    one_by_one = calls + answers
    if most is not None and least > most:
        yield TooMuch("steps", f"takes {counted(least, 'step')}{after}, and limits.steps is {most}", True)
    elif most is not None and one_by_one > most:
        yield TooMuch(
            "steps", f"that {counted(most, 'step')} are enough: one call at a time takes {one_by_one}", False
        )
    most = limits.get("seconds")
    delay = sum(max(turn.delays, default=0.0) for turn in efforts)
    if most is not None and delay >= most:
        yield TooMuch(
            "seconds", f"that {most:g} s are enough: the faults alone hold it up for {delay:g} s", False
        )


def _limits(file: TaskFile, task: Task) -> Mapping[str, Any]:
    """The limits of a trial; in a program calls are no steps, and what one of one's own does is not known."""
    limits = file.limits(task)
    if file.spec.module == "react" and not file.spec.built:
        return {"steps": Limits().steps, **limits}
    return {name: most for name, most in limits.items() if name != "steps"}
