"""One trial of a task: the program runs on what the task gives it, and what it did is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...adapters.base import SUBMIT
from ...adapters.values import to_plain
from ...ambient import drive
from ...errors import (
    BadRequestError,
    BudgetError,
    ConfigurationError,
    ContextWindowError,
    LMError,
    OutputError,
    ReplayError,
)
from ...example import Prediction
from ...models.base import NO_USAGE, Usage
from ...module import Module
from ...text import one_line
from ...trace import Trace
from ...trajectory import Trajectory
from ..checks.judge import judge
from ..checks.record import CheckResult, Run, TurnMade, Verdict
from ..checks.rubric import verdicts
from ..checks.scoring import scored
from ..checks.world_record import WorldRecord
from ..file.format import Task
from ..file.programs import limit
from ..tasks import TaskFile
from .task_run import run_task

Outcome = Literal["passed", "failed", "excluded"]

ATTEMPTS = 2  # of a trial whose model failed for a reason that is not the agent's


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a task that is to be made; `epoch` counts from 0."""

    file: TaskFile
    program: Module
    task: Task
    epoch: int = 0

    @property
    def seed(self) -> int | None:
        """A seed of this trial's own, the same in every run of the file; None where the file has none."""
        if self.file.defaults.seed is None:
            return None
        key = f"{self.file.defaults.seed}/{self.task.id}/{self.epoch}"
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") >> 1

    @property
    def draws(self) -> dict[str, Any]:
        """Options that make the epochs different draws for a cache and, where the file has a seed, for the model."""
        options: dict[str, Any] = {"rollout_id": self.epoch} if self.epoch else {}
        return options if self.seed is None else {**options, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of a trial.

    "excluded" is a trial that could not be made, since the model could not be reached or refused to
    answer: `error` says why. `termination` is how the run ended; `cached` counts model answers that came
    from a cache; `seconds` is wall time. `world` is what the trial did to its world, if it had one.

    `score` is the partial credit, from 0 to 1. `turns` are those of a conversation, `verdicts` what models said
    of answers; what models took that played the "users" or were "judges" is in `other_usage`, not in `usage`.
    """

    file: str
    task: Task
    epoch: int
    outcome: Outcome
    checks: Sequence[CheckResult] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    trajectory: Trajectory = field(default_factory=Trajectory)
    termination: str = ""
    error: str = ""
    usage: Usage = NO_USAGE
    cached: int = 0
    seconds: float = 0.0
    attempts: int = 1
    world: WorldRecord | None = None
    score: float = 0.0
    turns: Sequence[TurnMade] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    other_usage: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every check passed, or what the task's `score` asks for (`loopwright.evaluation.checks.scoring`)."""
        return self.outcome == "passed"

    @property
    def steps(self) -> int:
        """Turns of the model."""
        return len(self.trajectory.steps)

    @property
    def tool_calls(self) -> int:
        """Calls of tools that were not denied; `submit` is none."""
        made = (one for one in self.trajectory.results if one.call.name not in ("", SUBMIT))
        return sum(one.error != "denied" for one in made)

    @property
    def failure(self) -> CheckResult | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.failed), None)


async def arun_trial(trial: Trial) -> TrialResult:
    """Run one trial, `ATTEMPTS` times at most where the model could not be reached.

    Awaited on an event loop, or driven without one: whatever it awaits must do for both, as `Module.acall` does.
    """
    result, again = await _attempt(trial)
    while again and result.attempts < ATTEMPTS:
        made = result.attempts + 1
        result, again = await _attempt(trial)
        result = replace(result, attempts=made)
    return result


def run_trial(trial: Trial) -> TrialResult:
    """As `arun_trial`, for plain code: blocks, and works without an event loop."""
    return drive(arun_trial(trial))


async def _attempt(trial: Trial) -> tuple[TrialResult, bool]:
    """One attempt, and whether another may go better."""
    made = await run_task(trial.file, trial.task, prepared(trial), trial.draws)
    error, run = made.error, made.run
    result = TrialResult(
        trial.file.name,
        trial.task,
        trial.epoch,
        "failed",
        outputs={name: to_plain(value) for name, value in run.outputs.items()},
        trajectory=run.trajectory,
        termination=run.termination,
        usage=made.trace.usage,
        cached=sum(exchange.response.cached for exchange in made.trace.exchanges),
        seconds=made.seconds,
        world=run.world,
        turns=tuple(replace(turn, outputs=to_plain(turn.outputs)) for turn in run.turns),
        other_usage={"users": made.users.usage} if made.users.exchanges else {},
    )
    if error is not None and is_infrastructure(error):
        text = f"{type(error).__name__}: {error}"
        again = not isinstance(error, BadRequestError | ConfigurationError | ReplayError)
        return replace(result, outcome="excluded", error=text, termination="lm_error"), again
    if error is not None or not isinstance(made.given, Prediction):
        return _broken(result, error, made.given), False
    return await _judged(trial, result, run), False


async def _judged(trial: Trial, result: TrialResult, run: Run) -> TrialResult:
    """The result with its checks made; models are asked only where the task has an answer judged by one."""
    judges = Trace()
    try:
        run = replace(run, verdicts=await verdicts(trial.task, run, judges))
    except BudgetError as error:  # the run's own: what it cuts short is no result
        return replace(result, outcome="excluded", error=f"{type(error).__name__}: {error}")
    checks = judge(trial.task, run, trial.file.signature, trial.file.tools)
    result = with_checks(replace(result, verdicts=run.verdicts), checks)
    if judges.exchanges:
        result = replace(result, other_usage={**result.other_usage, "judges": judges.usage})
    return result


def with_checks(result: TrialResult, checks: Sequence[CheckResult]) -> TrialResult:
    """The result with these checks, and with the outcome and the score that they make.

    Where the outcome hangs on a check that could not be made, the trial is excluded, and says why.
    """
    found = scored(checks, result.task.score)
    outcome: Outcome = "excluded" if found.passed is None else "passed" if found.passed else "failed"
    error = next((check.feedback for check in checks if check.error), "") if found.passed is None else ""
    return replace(result, outcome=outcome, checks=tuple(checks), score=found.value, error=error)


def _broken(result: TrialResult, error: Exception | None, given: object) -> TrialResult:
    """A trial without a prediction to check: the program raised, or returned something else."""
    if isinstance(error, ContextWindowError | OutputError):
        termination = "context" if isinstance(error, ContextWindowError) else "parse_errors"
        line = f"no answer: {one_line(str(error), 300)}"
    elif error is not None:
        termination = "raised"
        line = f"the program raised {type(error).__name__}: {one_line(str(error), 300)}"
    else:
        termination = "raised"
        line = f"the program returned {type(given).__name__}, not a Prediction"
    failed = CheckResult("run", "", False, line)
    error_text = f"{type(error).__name__}: {error}" if error is not None else line
    return replace(result, checks=(failed,), termination=termination, error=error_text)


def is_infrastructure(error: Exception) -> bool:
    """Whether a run failed for a reason outside the agent: key, quota, network, a refused request, a gap in a record.

    >>> is_infrastructure(ContextWindowError("too long")), is_infrastructure(BadRequestError("no such option"))
    (False, True)
    """
    return isinstance(error, LMError | ConfigurationError | ReplayError) and not isinstance(
        error, ContextWindowError
    )


def prepared(trial: Trial) -> Module:
    """The program as a copy for this trial alone: with its limits, its seed, its place among the rollouts."""
    agent = trial.program.deepcopy()
    limit(agent, trial.file.limits(trial.task))
    for predictor in agent.predictors():
        own, draws = vars(predictor)["options"], trial.draws
        if "rollout_id" in draws:
            draws["rollout_id"] += own.get("rollout_id") or 0
        vars(predictor)["options"] = own | draws
    return agent
