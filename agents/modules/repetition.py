"""Calls that a model makes again though they failed: it is told, and in the end the run is ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loopwright.tools.calls import ToolCall, ToolResult

MAX_REPEATS = 3  # times that one failing call is made in a row
REPEATED = "This is the same call as before, and it failed as before: do something else."
AGAIN = "This is the same call as before, and it failed again: if that goes on, do something else."

# How a server or a network says that it may be better in a moment. Only the words of a notice hang on this.
_PASSING = re.compile(
    r"\b(408|425|429|500|502|503|504)\b|timed? ?-?out|temporar|unavailable|overloaded|too many requests|rate.?limit"
    r"|try again|connection (was )?(reset|refused|aborted|closed|lost)",
    re.IGNORECASE,
)
_READ = 2_000  # characters of a failure that are looked at


@dataclass(slots=True)
class Repetition:
    """How often the last turn's calls were made in a row, if all of them failed.

    >>> call, repetition = ToolCall("find", {"id": 7}), Repetition()
    >>> failed = ToolResult.failed(call, "raised", "Error: there is no 7")
    >>> told = [repetition.noted((call,), (failed,))[0].content for _ in range(3)]
    >>> told[0], told[1].splitlines()[1] == REPEATED, repetition.is_loop
    ('Error: there is no 7', True, True)
    """

    times: int = 0
    calls: tuple[ToolCall, ...] = ()
    failures: tuple[ToolResult, ...] = ()

    @property
    def is_loop(self) -> bool:
        """Whether it is more than a run is worth."""
        return self.times >= MAX_REPEATS

    def noted(self, calls: Sequence[ToolCall], results: tuple[ToolResult, ...]) -> tuple[ToolResult, ...]:
        """Count a failing turn that repeats the one before it; its results, which tell the model so.

        What may pass, or has failed in another way than before, is not held against the model in the same words.
        """
        if not results or any(result.ok for result in results):
            self.times, self.calls, self.failures = 0, (), ()
            return results
        bare = tuple(replace(call, id="") for call in calls)
        before, self.failures = self.failures, results
        self.times = self.times + 1 if bare == self.calls else 1
        self.calls = bare
        if self.times < 2:
            return results
        notice = REPEATED if _as_before(before, results) else AGAIN
        return tuple(replace(result, content=f"{result.content}\n{notice}") for result in results)


def _as_before(before: Sequence[ToolResult], results: Sequence[ToolResult]) -> bool:
    """Whether calls have failed in the same way again, and not for a reason that may pass."""
    return [(one.error, one.content) for one in before] == [
        (one.error, one.content) for one in results
    ] and not any(map(_may_pass, results))


def _may_pass(result: ToolResult) -> bool:
    """Whether the same call may succeed later: it took too long, a lost connection was tried again, or its words say so."""
    if result.error in ("timeout", "cancelled"):
        return True
    return result.error == "raised" and (result.attempts > 1 or bool(_PASSING.search(result.content[:_READ])))
