"""A task file's tasks as examples that are run: each in a fresh world, with its turns, faults, limits and approvals.

`file.examples()` are the examples and `file.metric` judges what came of one; what stands between them is here. A
program that is called with an example's inputs alone knows nothing of a world or of turns, so whoever runs examples
of a file (`Evaluate`, an optimizer) runs them by `rollout`, or, with a copy of the program that is its own, by
`run_example`. Without a file, both are the plain call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ambient import context, current, drive
from ..errors import BudgetError, ConfigurationError
from ..example import Example, Prediction
from ..module import Module
from ..text import one_line
from ..trace import Trace
from .file.programs import limit
from .metrics import Metric, Score, as_score, call_metric
from .tasks import RUN, TASK_ID, TaskFile
from .trials.attempt import Trial, is_infrastructure, prepared
from .trials.task_run import run_task

Program = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Rollout:
    """What came of running a program on an example: its prediction and the score; `prediction, score = rollout(…)`.

    A program that raised has an empty prediction, a score of 0 that says so, and `error`. `trace` has the model
    calls of the program, in order.
    """

    prediction: Any
    score: Score
    trace: Trace = field(default_factory=Trace)
    error: Exception | None = None

    def __iter__(self) -> Iterator[Any]:
        return iter((self.prediction, self.score))


def file_of(metric: object) -> TaskFile | None:
    """The task file whose `metric` this is; None for every other metric.

    >>> file_of(len) is None
    True
    """
    owner = getattr(metric, "__self__", None)
    return owner if isinstance(owner, TaskFile) and metric == owner.metric else None


def rollout(
    file: TaskFile | None,
    program: Program,
    example: Example,
    *,
    rollout_id: int = 0,
    metric: Metric | None = None,
) -> Rollout:
    r"""Run a program on an example once, and score it; the program itself is not changed.

    With a file, the example is one of `file.examples()`: a copy of the program runs the task in a fresh world, with
    its turns, faults, limits and approvals, and is judged by `metric`, or by the file's own. Without one the program
    is called with the example's inputs, and `metric` is needed. Rollouts that differ in `rollout_id` are drawn, and
    cached, apart; one with the same id is the same as the trial of that epoch.

    What says nothing of the program is raised: a model that can't be reached, a budget that is used up, a metric
    that gives no score (`MetricError`), as where a model that judges gave no verdict.

    >>> from loopwright import ChainOfThought
    >>> from loopwright.models import ScriptedLM
    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: int", module: chain_of_thought}
    ... tasks: [{id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}]
    ... ''')
    >>> lm = ScriptedLM(["[[ ## reasoning ## ]]\nEasy.\n[[ ## answer ## ]]\n5"])
    >>> with context(lm=lm):
    ...     prediction, score = rollout(file, file.agent(), file.examples()[0])
    >>> prediction.answer, score.value, score.feedback
    (5, 0.0, 'answer: 5 is not 4')
    """
    judge = metric or (None if file is None else file.metric)
    if judge is None:
        raise ConfigurationError("rollout without a task file needs metric=")
    trace = Trace()
    try:
        with context(trace=trace):
            given = predicted(file, program, example, rollout_id)
    except Exception as error:
        if is_infrastructure(error) or isinstance(error, BudgetError):
            raise
        line = f"the program raised {type(error).__name__}: {one_line(str(error), 300)}"
        return Rollout(Prediction(), Score(0.0, False, line), trace, error)
    return Rollout(given, as_score(call_metric(judge, example, given)), trace)


def predicted(file: TaskFile | None, program: Program, example: Example, rollout_id: int = 0) -> Any:
    """What a program makes of an example, unscored: as `rollout`, what goes wrong is raised.

    Without a file and a rollout id it is the plain call.
    """
    if not isinstance(program, Module):
        return program(**example.inputs().toDict())
    if file is not None and TASK_ID in example:
        trial = Trial(file, program, file.task(example[TASK_ID]), rollout_id)
        return _run(file, prepared(trial), example, trial.draws)
    if not rollout_id:
        return program(**example.inputs().toDict())
    own = program.deepcopy()
    for predictor in own.predictors():
        options = vars(predictor)["options"]
        vars(predictor)["options"] = {
            **options,
            "rollout_id": (options.get("rollout_id") or 0) + rollout_id,
        }
    return own(**example.inputs().toDict())


def run_example(file: TaskFile | None, program: Module, example: Example) -> Any:
    """Run a program that is this run's own, which may be changed, on an example; unscored, for `file.metric`.

    As `rollout`, but the program is not copied, so that the calls in the context's trace are those of its own
    predictors; what a simulated user's model was asked is among the trace's exchanges. What goes wrong is raised.
    """
    if file is None or TASK_ID not in example:
        return program(**example.inputs().toDict())
    limit(program, file.limits(file.task(example[TASK_ID])))
    return _run(file, program, example, {})


def _run(file: TaskFile, program: Module, example: Example, options: Mapping[str, Any]) -> Any:
    made = drive(run_task(file, file.task(example[TASK_ID]), program, options))
    outer = current().trace
    if outer is not None:
        outer.calls += made.trace.calls
        outer.exchanges += [*made.trace.exchanges, *made.users.exchanges]
    if made.error is not None:
        raise made.error
    return made.prediction.with_notes(**{RUN: made.run}) if made.returned_one else made.given
