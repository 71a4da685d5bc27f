"""One run of a task on a program, with all that the task's file puts around it; nothing is judged here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from loopwright.tools import Approval
from loopwright.tools.world import Environment
from loopwright.tools.world.environment import view_of

from ...ambient import context
from ...example import Prediction
from ...module import Module
from ...text import one_line
from ...trace import Trace
from ..checks.record import Run
from ..checks.world_record import WorldRecord
from ..file.format import Task
from ..tasks import TaskFile
from .conversation import NO_OUTPUT, Played, play


@dataclass(frozen=True, slots=True)
class TaskRun:
    """What came of it: what the program returned, or the error that ended it, and what the checks look at.

    `trace` is the agent's, `users` holds what was asked of models that played the user.
    """

    given: object
    error: Exception | None
    run: Run
    trace: Trace
    users: Trace
    seconds: float

    @property
    def returned_one(self) -> bool:
        """Whether the program returned a prediction."""
        return isinstance(self.given, Prediction)

    @property
    def prediction(self) -> Prediction:
        """What the program returned; an empty one where it returned none."""
        return self.given if isinstance(self.given, Prediction) else Prediction()


async def run_task(file: TaskFile, task: Task, agent: Module, options: Mapping[str, Any]) -> TaskRun:
    """Run a task on an agent that is this run's own, may be changed, and has the task's limits.

    The conversation, if the task is one, its world and the rules of approval are the file's; limits hold for all
    turns. `options` go to the simulated user's model. Awaited on an event loop, or driven without one.
    """
    trace = Trace()
    environment = file.environment(task)
    started = time.perf_counter()
    with context(trace=trace, approval=Approval(file.defaults.approve), world=environment):
        played = await play(
            agent,
            task,
            file.turn_fields,
            trace=trace,
            limits=file.limits(task),
            options=options,
            world=environment,
        )
    seconds = time.perf_counter() - started
    error = played.error
    given = played.given
    if error is None and isinstance(given, Prediction) and given.get("termination_reason") == "lm_error":
        error = given["error"]
    run = replace(_left(played), world=_recorded(file, task, environment))
    return TaskRun(given, error, run, trace, played.users, seconds)


def _recorded(file: TaskFile, task: Task, environment: Environment | None) -> WorldRecord | None:
    """What the run did to its world, and what the task's reference would have done."""
    if environment is None or environment.world is None:
        return None
    reached = file.wanted(task)
    wanted = None if reached is None or reached.failed else reached.changes
    try:
        after = view_of(environment.world)
    except Exception as error:  # noqa: BLE001  # a simulator is somebody's own code, and the run may have broken it
        return WorldRecord(
            environment.before, (), wanted, error=f"{type(error).__name__}: {one_line(str(error), 200)}"
        )
    return WorldRecord.of(environment.before, after, wanted)


def _left(played: Played) -> Run:
    given = played.given if isinstance(played.given, Prediction) else Prediction()
    outputs = {name: value for name, value in given.items() if name not in NO_OUTPUT}
    ended = str(given.get("termination_reason", ""))
    return Run(outputs, played.trajectory, ended, tuple(played.turns))
