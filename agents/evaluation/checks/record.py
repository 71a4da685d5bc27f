"""What a run left behind, and what was found in it: the values that checks read and give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loopwright.tools import ToolCall, ToolRegistry, ToolResult
from loopwright.tools.world import Change

from ...adapters.base import CODE, SUBMIT
from ...text import one_line
from ...trajectory import Trajectory
from .arguments import coerced_call
from .world_record import WorldRecord

SHOWN_CALL = 160  # characters of a call in a line of feedback


@dataclass(frozen=True, slots=True)
class TurnMade:
    """One turn of a conversation: what the user said, and what the agent answered.

    `item` is the place (from 0) in the task's `turns` that it came of; its steps are those from `first` to
    `last` (from 1) of the whole run's trajectory, none where `last` is smaller. `user_model` is the model
    that played the user, "" for a scripted turn. `changes` are what the turn changed in the task's world; None
    where that is not known.
    """

    item: int
    user: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    first: int = 1
    last: int = 0
    termination: str = ""
    user_model: str = ""
    changes: Sequence[Change] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model said of an answer by a rubric; `score` (0 to 1) only where a threshold asks for one.

    `error` says why there is none: the model could not be asked, or wrote nothing that can be read.
    """

    model: str
    reason: str = ""
    passed: bool = False
    score: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind: its outputs, its trajectory and how it ended ("" where no loop ran).

    `turns` are those of a conversation, whose outputs are the last turn's; `verdicts` are a model's, by what
    was asked (`loopwright.evaluation.checks.rubric`). `world` is what the trial did to its world, if it had one.
    """

    outputs: Mapping[str, object]
    trajectory: Trajectory = field(default_factory=Trajectory)
    termination: str = ""
    turns: Sequence[TurnMade] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    world: WorldRecord | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check.

    `check` is its kind ("answer", "calls.required" …), `about` the field or the call; `feedback` and
    `step` say what was wrong and where, when it did not pass. `turn` (from 1) is the item of the task's
    `turns` that expects it. `grader` is the model that judged it. A check with `error` could not be made,
    which says nothing of the agent: it neither passed nor failed.
    """

    check: str
    about: str
    passed: bool
    feedback: str = ""
    step: int | None = None
    turn: int | None = None
    grader: str = ""
    error: bool = False

    @property
    def failed(self) -> bool:
        """Whether it was made and did not pass."""
        return not self.passed and not self.error


def result_of(check: str, about: str, failed: bool, feedback: str, step: int | None) -> CheckResult:
    """What came of a check: with its line and step only where it failed."""
    return CheckResult(check, about, False, feedback, step) if failed else CheckResult(check, about, True)


@dataclass(frozen=True, slots=True)
class Made:
    """A call that the run made: in which step, with which arguments after coercion."""

    step: int
    result: ToolResult
    args: Mapping[str, object]

    @property
    def call(self) -> ToolCall:
        """The call as the model wrote it."""
        return self.result.call

    def __str__(self) -> str:
        return one_line(str(self.call), SHOWN_CALL)


def calls_made(trajectory: Trajectory, tools: ToolRegistry) -> Iterator[Made]:
    """The calls of tools in a trajectory, in order; `submit` is none, nor is a turn that held no call."""
    for number, step in enumerate(trajectory.steps, 1):
        for result in step.made:
            call = result.call
            if call.name and call.name not in (SUBMIT, CODE):
                tool = tools.get(call.name)
                yield Made(number, result, coerced_call(tool, call) if tool else call.args)


def last_step(trajectory: Trajectory) -> int | None:
    """The step that gave the answer, or at which the run ended."""
    return len(trajectory.steps) or None
