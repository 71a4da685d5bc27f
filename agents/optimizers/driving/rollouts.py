"""What an optimizer asks for and is told: rollouts in batches, and what came of each.

An optimizer is a deterministic generator. It yields a `Batch` of rollouts, is sent one `Outcome` for each, in the
order of the rollouts, and returns what it made of them:

    def search(self, setting):
        outcomes = yield Batch("baseline", [Rollout(setting.student, example) for example in setting.train])
        ...
        return Compiled(program, report)

It runs nothing itself, reads no clock and draws only from `draws(seed, phase, index)`. So the driver around it can run
rollouts in any number of threads, and replay it after a crash: what was finished is told again from the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal

from ...evaluation.metrics import Score
from ...example import Example, Prediction
from ...models.base import BaseLM
from ...module import Module
from ...trajectory import Trajectory
from .amounts import NOTHING, Amounts

if TYPE_CHECKING:
    from ..report import Report

Problem = Literal[
    "program",   # the program raised: it failed, and its score is 0
    "metric",    # the metric raised, or gave something that is no score: there is no score
    "excluded",  # the model could not be reached or refused: there is no score, and it says nothing of the program
    "skipped",   # it was not run, or not run to its end, since the budget has no room for it
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """One run of a program on an example that an optimizer asks for.

    `number` is the rollout id: runs of one program on one example that differ in it are drawn apart, and two arms
    that are compared use the same ones. `temperature` and `lm` go before those of the program's predictors.
    `strict` gives the metric a trace, as DSPy does while demonstrations are gathered. With `script` no model is
    asked: the agent makes these turns, with real tools. A demonstration that is of the example's own task or group
    is left out of the program before it runs. One that is not `judged` is a question of the optimizer's own (a
    proposal, a reflection): it is called with its inputs, and gets no score.

    The program is never changed: it may be given to many rollouts.
    """

    program: Module
    example: Example
    number: int = 0
    temperature: float | None = None
    lm: BaseLM | None = None
    strict: bool = False
    script: Trajectory | None = None
    judged: bool = True


@dataclass(frozen=True, slots=True)
class PredictorCall:
    """One use of a predictor in a rollout: its path in the program, what went in and what came out, in JSON's types."""

    path: str
    inputs: Example
    outputs: Example

    @property
    def goes_on(self) -> bool:
        """Whether it is a later turn of a conversation: a history that is not empty is among its inputs."""
        return any(isinstance(value, Mapping) and value.get("messages") for value in self.inputs.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rollout.

    `score` is None where there is none, and `problem` says why; a metric's mistake is never a 0. `prediction` holds
    the outputs in JSON's types and, of an agent, `trajectory` and `termination_reason`. `calls` are the uses of the
    program's predictors, `spent` is what it took.
    """

    score: Score | None = None
    problem: Problem | None = None
    error: str = ""
    prediction: Prediction = field(default_factory=Prediction)
    calls: tuple[PredictorCall, ...] = ()
    spent: Amounts = NOTHING

    @property
    def value(self) -> float | None:
        """The score's number; None where there is no score."""
        return None if self.score is None else float(self.score)

    @property
    def passed(self) -> bool:
        """Whether the metric says that it is good enough."""
        return self.score is not None and self.score.passed

    @property
    def skipped(self) -> bool:
        """Whether the budget had no room for it."""
        return self.problem == "skipped"

    @property
    def feedback(self) -> str:
        """What the metric said, or what went wrong."""
        return self.score.feedback if self.score is not None and self.score.feedback else self.error

    @property
    def trajectory(self) -> Trajectory:
        """What an agent did; empty for other programs."""
        found = self.prediction.get("trajectory")
        return found if isinstance(found, Trajectory) else Trajectory()

    @property
    def termination(self) -> str:
        """How an agent's run ended; "" for other programs."""
        return str(self.prediction.get("termination_reason", ""))


SKIPPED = Outcome(problem="skipped", error="the budget is used up")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rollouts that may run at the same time.

    `phase` is the row of the ledger that they are charged to. `planned` is how many rollouts the optimizer expects of
    that phase in all, and `best` a few words on the best program so far: both are shown while it works.
    """

    phase: str
    rollouts: Sequence[Rollout]
    planned: int | None = None
    best: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an optimizer returns: the better program, or the student as it was, and why."""

    program: Module
    report: Report


Search = Generator[Batch, Sequence[Outcome], Compiled]
"""An optimizer at work."""


def draws(seed: int, *place: object) -> Random:
    """A source of chance for one place in a search: the same in every run, and another for every place.

    >>> draws(0, "candidates", 3).random() == draws(0, "candidates", 3).random()
    True
    >>> draws(0, "candidates", 3).random() == draws(1, "candidates", 3).random()
    False
    """
    text = "/".join(map(str, (seed, *place)))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"))
