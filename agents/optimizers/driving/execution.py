"""One rollout run: a copy of the program, in a context of its own, its answer scored."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from ...adapters.base import SUBMIT
from ...adapters.native import NativeAdapter
from ...adapters.values import to_plain
from ...ambient import context, current, entered
from ...errors import BudgetError
from ...evaluation.metrics import Metric, Score, as_score, call_metric
from ...evaluation.trials.attempt import is_infrastructure
from ...example import Example, Prediction
from ...models.base import NO_USAGE, LMResponse
from ...models.scripted import ScriptedLM
from ...module import Module
from ...runtime.budget import Budget
from ...text import one_line
from ...trace import Call, Exchange, Trace
from ...trajectory import Trajectory
from ..splits import is_of
from .amounts import Amounts
from .answers import Answers
from .records import NO_OUTPUT
from .rollouts import Outcome, PredictorCall, Rollout

NOT_RUN = ("denied", "unknown_tool", "invalid_args", "unparsed")  # calls that no tool was run for

Run = Callable[[Module, Example], Any]
"""Runs a program on an example and gives its prediction."""

Caps = Mapping[str, float]
"""What one rollout may take: by `calls`, `tokens` and `usd`."""


def call_program(program: Module, example: Example) -> Any:
    """Run a program by calling it with the example's inputs."""
    return program(**example.inputs().toDict())


@dataclass(frozen=True, slots=True)
class Execution:
    """How rollouts are run and scored.

    `threshold` is the score from which an answer is good enough; None leaves that to the metric.
    """

    metric: Metric
    threshold: float | None = None
    run: Run = call_program

    def execute(self, rollout: Rollout, caps: Caps, answers: Answers | None = None) -> Outcome:
        """Run it. What goes wrong is in the outcome; a run that comes to its caps is "skipped", with what it took.

        With `answers` no model is asked again what it said before, unless a journal of the caller's is kept.
        """
        program = prepared(rollout)
        paths = {id(predictor): path for path, predictor in program.named_predictors()}
        trace, judging = Trace(), Trace()
        started = time.perf_counter()
        with _bounded(caps), _remembered(answers):
            with context(trace=trace), _scripted(rollout, program):
                given, error = self._made(program, rollout)
            with context(trace=judging):
                judged = self._judged(rollout, given, trace, error)
        outcome = replace(
            judged,
            prediction=_plain(given),
            calls=tuple(_predictor_call(call, paths) for call in trace.calls if id(call.predictor) in paths),
        )
        spent = _spent(rollout, outcome, [*trace.exchanges, *judging.exchanges], len(trace.exchanges))
        return replace(outcome, spent=replace(spent, seconds=time.perf_counter() - started))

    def _made(self, program: Module, rollout: Rollout) -> tuple[Any, Exception | None]:
        """What the program gave, and the error that ended it."""
        try:
            given = (
                self.run(program, rollout.example)
                if rollout.judged
                else call_program(program, rollout.example)
            )
        except Exception as raised:  # noqa: BLE001  # it is in the outcome, and loses no other rollout
            return None, raised
        error = given.get("error") if isinstance(given, Prediction) else None
        return given, error if isinstance(error, Exception) else None

    def _judged(self, rollout: Rollout, given: Any, trace: Trace, error: Exception | None) -> Outcome:
        text = "" if error is None else f"{type(error).__name__}: {one_line(str(error), 300)}"
        if isinstance(error, BudgetError):
            return Outcome(problem="skipped", error=text)
        if error is not None and is_infrastructure(error) and rollout.script is None:
            return Outcome(problem="excluded", error=text)
        if error is not None:  # also a script that has run out, which is the rewriting's own failure
            return Outcome(Score(0.0, False, f"the program raised {text}"), "program", text)
        if not rollout.judged:
            return Outcome()
        try:
            score = as_score(
                call_metric(self.metric, rollout.example, given, trace if rollout.strict else None)
            )
        except BudgetError as raised:
            return Outcome(problem="skipped", error=one_line(str(raised), 300))
        except Exception as raised:  # noqa: BLE001  # a mistake of the metric is counted, and is no 0
            return Outcome(problem="metric", error=f"{type(raised).__name__}: {one_line(str(raised), 300)}")
        if self.threshold is not None:
            score = Score(score.value, score.value >= self.threshold, score.feedback, score.step)
        return Outcome(score)


def prepared(rollout: Rollout) -> Module:
    """A copy of the program for this rollout alone, without demonstrations of the example's own task or group."""
    shared = [demo for predictor in rollout.program.predictors() for demo in predictor.demos]
    program: Module = copy.deepcopy(rollout.program, {id(demo): demo for demo in shared})
    for predictor in program.predictors():
        predictor.demos = [demo for demo in predictor.demos if not is_of(demo, rollout.example)]
        options = dict(predictor.options)
        if rollout.temperature is not None:
            options["temperature"] = rollout.temperature
        if rollout.number:
            options["rollout_id"] = (options.get("rollout_id") or 0) + rollout.number
        predictor.options = options
        if rollout.lm is not None:
            predictor.lm = rollout.lm
    return program


def _scripted(rollout: Rollout, program: Module) -> AbstractContextManager[object]:
    """A context in which the turns of the script are what the model says."""
    if rollout.script is None:
        return nullcontext()
    turns = [LMResponse(step.thought, step.calls) for step in rollout.script.steps if step.calls]
    lm = ScriptedLM(turns)
    program.set_lm(lm)
    return context(lm=lm, adapter=NativeAdapter())


def _bounded(caps: Caps) -> AbstractContextManager[object]:
    return (
        Budget(calls=_whole(caps, "calls"), tokens=_whole(caps, "tokens"), usd=caps.get("usd"))
        if caps
        else nullcontext()
    )


def _remembered(answers: Answers | None) -> AbstractContextManager[object]:
    here = current()
    return nullcontext() if answers is None or here.recorder else entered(replace(here, recorder=answers))


def _whole(caps: Caps, name: str) -> int | None:
    return int(caps[name]) if name in caps else None


def _spent(rollout: Rollout, outcome: Outcome, exchanges: Sequence[Exchange], own: int) -> Amounts:
    """What it took; of a script's run, whose first `own` exchanges asked nobody, what its metric took."""
    scripted = rollout.script is not None
    paid = [exchange.response for exchange in (exchanges[own:] if scripted else exchanges)]
    usage = sum((response.usage for response in paid), start=NO_USAGE)
    made = [one for one in outcome.trajectory.results if one.call.name not in ("", SUBMIT)]
    return Amounts(
        rollouts=int(not scripted),
        replays=int(scripted),
        calls=sum(not response.cached for response in paid),
        tokens=usage.total_tokens,
        usd=usage.usd,
        tool_calls=sum(one.error not in NOT_RUN for one in made),
    )


def _plain(given: object) -> Prediction:
    if not isinstance(given, Prediction):
        return Prediction() if given is None else Prediction(answer=to_plain(given))
    fields = {name: to_plain(value) for name, value in given.items() if name not in NO_OUTPUT}
    trajectory = given.get("trajectory")
    if isinstance(trajectory, Trajectory):
        fields["trajectory"] = trajectory
    if given.get("termination_reason"):
        fields["termination_reason"] = str(given["termination_reason"])
    return Prediction(fields)


def _predictor_call(call: Call, paths: Mapping[int, str]) -> PredictorCall:
    inputs = Example({name: to_plain(value) for name, value in call.inputs.items()})
    return PredictorCall(paths[id(call.predictor)], inputs, Example(_plain(call.prediction)))
