"""Reflection: a model reads what runs did and what was said of them, and writes a text of the program anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...adapters.base import scaffold
from ...adapters.values import format_value
from ...example import Example
from ...models.base import BaseLM
from ...module import Module
from ...modules.predict import Predict
from ...signature import Signature
from ...text import one_line
from ..components import Component, outline, text_of
from ..driving.rollouts import Outcome, Rollout

STEP = 240  # characters of a step that are shown
VALUE = 400  # characters of an input or an output
MOST_STEPS = 16  # of a run; of a longer one the middle is left out

_REFLECT = {
    kind: Signature(
        "program, text_of, current_text, runs -> proposal",
        f"{scaffold('reflection').template}\n\n{scaffold(f'proposal_{kind}').template}",
    )
    for kind in ("instructions", "guidance", "tool")
}
_RULE = Signature("program, task, better_run, worse_run -> rule", scaffold("rule").template)


@dataclass(frozen=True, slots=True)
class Seen:
    """A task with what came of it."""

    task: Example
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.given()}\n{self.did()}"

    def given(self) -> str:
        """What the program was given."""
        return "\n".join(
            f"{name}: {one_line(format_value(v), VALUE)}" for name, v in self.task.inputs().items()
        )

    def did(self) -> str:
        """What it did step by step, what it gave, and what was said of it."""
        steps = [one_line(line, STEP) for line in str(self.outcome.trajectory).splitlines()]
        if len(steps) > MOST_STEPS:
            half = MOST_STEPS // 2
            steps = [*steps[:half], f"… {len(steps) - MOST_STEPS} steps …", *steps[-half:]]
        given = {n: v for n, v in self.outcome.prediction.items() if n not in ("trajectory", "error")}
        lines = [f"    {step}" for step in steps]
        lines += [f"{name} = {one_line(format_value(value), VALUE)}" for name, value in given.items()]
        if not steps:
            lines += [
                f"    {call.path}: {one_line(format_value(call.outputs.toDict()), VALUE)}"
                for call in self.outcome.calls
            ]
        value = "no score" if self.outcome.value is None else f"score {self.outcome.value:g}"
        step = self.outcome.score.step if self.outcome.score is not None else None
        blamed = f" (step {step})" if step is not None else ""
        said = self.outcome.feedback or ("right" if self.outcome.passed else "not right")
        return "\n".join([*lines, f"-> {value}: {one_line(said, VALUE)}{blamed}"])


def asked_reflection(
    program: Module, component: Component, runs: Sequence[Seen], *, number: int, lm: BaseLM | None
) -> Rollout:
    """A rollout that writes a component anew from runs; `proposal_in` reads it."""
    asked = Example(
        program=outline(program),
        text_of=str(component),
        current_text=text_of(program, component) or "(empty)",
        runs="\n\n".join(f"Task {place}\n{run}" for place, run in enumerate(runs, 1)),
    )
    return Rollout(
        Predict(_REFLECT[component.kind]),
        asked.with_inputs(*asked.keys()),
        number,
        temperature=1.0,
        lm=lm,
        judged=False,
    )


def asked_rule(program: Module, better: Seen, worse: Seen, *, number: int, lm: BaseLM | None) -> Rollout:
    """A rollout that says in a rule what made the difference between two runs of one task."""
    asked = Example(
        program=outline(program), task=better.given(), better_run=better.did(), worse_run=worse.did()
    )
    return Rollout(
        Predict(_RULE), asked.with_inputs(*asked.keys()), number, temperature=1.0, lm=lm, judged=False
    )
