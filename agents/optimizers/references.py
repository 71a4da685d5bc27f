"""Known good runs: those that examples hold, and those that a task file's references stand for."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.tools.calls import ToolCall

from ..adapters.base import SUBMIT
from ..errors import ConfigurationError
from ..evaluation.tasks import TASK_ID, TaskFile
from ..example import Example
from ..module import Module
from ..signature import Signature
from ..trajectory import Step, Trajectory
from .driving.asking import Asker, Asks
from .driving.rollouts import Rollout
from .few_shot.demonstrations import demos_in, gold_trajectories


def known_runs(
    asker: Asker, file: TaskFile | None, program: Module, path: str, examples: Sequence[Example], seed: int
) -> Asks[list[Example]]:
    """Demonstrations of the agent at a path: examples that hold a trajectory, else references that pass when replayed.

    No model is asked. Raises `ConfigurationError` where there is none.
    """
    signature = dict(program.named_predictors())[path].signature
    scripts = [
        (one, script) for one in examples if (script := reference_run(file, one, signature)) is not None
    ]
    rollouts = [Rollout(program, one, script=script) for one, script in scripts]
    told = yield from asker.ask("replay", rollouts)
    replayed = [
        demo
        for (one, _), outcome in zip(scripts, told, strict=True)
        if outcome.passed and (demo := demos_in(outcome, one, program, seed).get(path)) is not None
    ]
    try:
        return [*gold_trajectories(examples, path, signature), *replayed]
    except ConfigurationError:
        if not replayed:
            raise
    return replayed


def reference_run(file: TaskFile | None, example: Example, signature: Signature) -> Trajectory | None:
    """The turns that a task's reference stands for: its calls, one each, and its answer; None where it has not both.

    A value that the task wants exactly counts as its answer.
    """
    if file is None or TASK_ID not in example:
        return None
    task = file.task(example[TASK_ID])
    reference = task.expect.reference
    if reference is None or not reference.calls or task.turns:
        return None
    answer = {
        name: reference.answer.get(name, example.get(name))
        for name in signature.output_fields
        if name in reference.answer or name in example
    }
    if len(answer) < len(signature.output_fields):
        return None
    calls = [ToolCall(call.tool, call.args) for call in reference.calls]
    return Trajectory(tuple(Step("", (call,), ()) for call in [*calls, ToolCall(SUBMIT, answer)]))
