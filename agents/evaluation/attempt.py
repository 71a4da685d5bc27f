"""One trial of a task: the program runs on what the task gives it, and what it did is judged."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from loopwright.tools import Approval

from ..adapters.base import SUBMIT
from ..adapters.values import to_plain
from ..ambient import context, drive
from ..errors import (
    BadRequestError,
    ConfigurationError,
    ContextWindowError,
    LMError,
    OutputError,
)
from ..example import Prediction
from ..models.base import NO_USAGE, Usage
from ..module import Module
from ..modules.agent import Agent
from ..text import one_line
from ..trace import Trace
from ..trajectory import Trajectory
from .checks import judge
from .format import Task
from .record import CheckResult, Run
from .tasks import TaskFile
from .world_record import WorldRecord

Outcome = Literal["passed", "failed", "excluded"]

ATTEMPTS = 2  # of a trial whose model failed for a reason that is not the agent's

_RECORD = ("trajectory", "termination_reason", "error")  # of a prediction: what is no output


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


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of a trial.

    "excluded" is a trial that could not be made, since the model could not be reached or refused to
    answer: `error` says why. `termination` is how the run ended; `cached` counts model answers that came
    from a cache; `seconds` is wall time. `world` is what the trial did to its world, if it had one.
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

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
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
        return next((check for check in self.checks if not check.passed), None)


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
    agent = prepared(trial)
    trace = Trace()
    error: Exception | None = None
    given: object = None
    started = time.perf_counter()
    try:
        with context(trace=trace, approval=Approval(trial.file.defaults.approve)):
            given = await agent.acall(**trial.task.input)
    except Exception as raised:  # noqa: BLE001  # a trial that raises loses no other
        error = raised
    seconds = time.perf_counter() - started
    prediction = given if isinstance(given, Prediction) else Prediction()
    if error is None and prediction.get("termination_reason") == "lm_error":
        error = prediction["error"]
    trajectory = prediction.get("trajectory")
    result = TrialResult(
        trial.file.name,
        trial.task,
        trial.epoch,
        "failed",
        outputs={name: to_plain(value) for name, value in prediction.items() if name not in _RECORD},
        trajectory=trajectory if isinstance(trajectory, Trajectory) else Trajectory(),
        termination=str(prediction.get("termination_reason", "")),
        usage=trace.usage,
        cached=sum(exchange.response.cached for exchange in trace.exchanges),
        seconds=seconds,
    )
    if error is not None and is_infrastructure(error):
        text = f"{type(error).__name__}: {error}"
        again = not isinstance(error, BadRequestError | ConfigurationError)
        return replace(result, outcome="excluded", error=text, termination="lm_error"), again
    if error is not None or not isinstance(given, Prediction):
        return _broken(result, error, given), False
    run = Run({name: prediction[name] for name in result.outputs}, result.trajectory, result.termination)
    checks = judge(trial.task, run, trial.file.signature, trial.file.tools)
    return replace(result, outcome=_outcome(checks), checks=tuple(checks)), False


def _outcome(checks: Sequence[CheckResult]) -> Outcome:
    return "passed" if all(check.passed for check in checks) else "failed"


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
    """Whether a run failed for a reason outside the agent: key, quota, network, server, a refused request.

    >>> is_infrastructure(ContextWindowError("too long")), is_infrastructure(BadRequestError("no such option"))
    (False, True)
    """
    return isinstance(error, LMError | ConfigurationError) and not isinstance(error, ContextWindowError)


def prepared(trial: Trial) -> Module:
    """The program as a copy for this trial alone: with its limits, its seed, its place among the rollouts."""
    agent = trial.program.deepcopy()
    limits = trial.file.limits(trial.task)
    for _, module in agent.named_sub_modules():
        if isinstance(module, Agent):
            module.limits = replace(module.limits, **limits)
        elif module.is_predictor:
            vars(module)["options"] = vars(module)["options"] | _drawn_apart(trial, vars(module)["options"])
    return agent


def _drawn_apart(trial: Trial, own: Mapping[str, Any]) -> dict[str, Any]:
    """Options that make the epochs different draws for a cache and, where the file has a seed, for the model."""
    options: dict[str, Any] = {}
    if trial.epoch:
        options["rollout_id"] = (own.get("rollout_id") or 0) + trial.epoch
    if trial.seed is not None:
        options["seed"] = trial.seed
    return options
