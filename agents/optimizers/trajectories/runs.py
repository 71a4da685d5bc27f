"""Runs that were collected, and the demonstrations that are made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from loopwright.tools import ToolRegistry
from loopwright.tools.calls import ToolCall, ToolResult

from ...adapters.base import SUBMIT
from ...adapters.values import to_plain
from ...errors import ConfigurationError
from ...example import Example
from ...module import Module
from ...modules.agent import Agent
from ...trajectory import Step, Trajectory
from ..driving.records import NO_OUTPUT
from ..driving.rollouts import Outcome, PredictorCall
from ..splits import of_example, task_of

CHARS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Collected:
    """One run on a train task, and where it comes from."""

    example: Example
    outcome: Outcome
    source: str

    @property
    def task(self) -> str:
        """The name of its task."""
        return task_of(self.example)


@dataclass(frozen=True, slots=True)
class Shown:
    """A demonstration of an agent: a whole trajectory, for the predictor at `path`.

    `changes` says how it was rewritten; `replayed` whether it was run again with real tools and passed. It `opens` a
    conversation where it is the first turn of one.
    """

    path: str
    demo: Example
    source: str
    changes: tuple[str, ...] = ()
    replayed: bool = False
    opens: bool = False

    @property
    def trajectory(self) -> Trajectory:
        """Its steps."""
        found = self.demo.get("trajectory")
        return found if isinstance(found, Trajectory) else Trajectory()

    @property
    def task(self) -> str:
        """The name of the task that it comes of."""
        return str(self.demo.get("task_id", ""))

    @property
    def tokens(self) -> int:
        """About how many tokens of a prompt it takes."""
        inputs = sum(len(str(self.demo[name])) for name in self.demo.input_keys)
        steps = sum(
            len(step.thought) + sum(len(str(r.call)) + len(r.content) + 20 for r in step.results)
            for step in self.trajectory.steps
        )
        return (inputs + steps) // CHARS_A_TOKEN + 1

    @property
    def signature(self) -> tuple[object, ...]:
        """What it does, without the values: tools, the names of their arguments, and how each call ended."""
        return tuple(
            (result.call.name, tuple(sorted(result.call.args)), result.error)
            for result in self.trajectory.results
            if result.call.name != SUBMIT
        )

    def with_steps(self, steps: Iterable[Step], *changes: str) -> Shown:
        """The same with other steps."""
        keys = self.demo.input_keys
        demo = self.demo.copy(trajectory=Trajectory(tuple(steps))).with_inputs(*keys)
        return replace(self, demo=demo, changes=(*self.changes, *changes))


def agents_in(program: Module) -> dict[str, Agent]:
    """The agents of a program by their predictors' paths; raises `ConfigurationError` where there are none."""
    paths = {id(predictor): path for path, predictor in program.named_predictors()}
    found = {
        paths[id(predictor)]: module
        for _, module in program.named_sub_modules()
        if isinstance(module, Agent)
        for predictor in module.predictors()
    }
    if not found:
        raise ConfigurationError(
            "BootstrapTrajectories learns from agents' runs, and this program has no agent: use BootstrapFewShot"
        )
    return found


def tools_of(agent: Agent) -> ToolRegistry:
    """An agent's tools."""
    tools = getattr(agent, "tools", None)
    return tools if isinstance(tools, ToolRegistry) else ToolRegistry()


def shown_in(run: Collected, paths: Iterable[str]) -> list[Shown]:
    """What a run shows of each agent: its one use or, of a conversation, the first turn.

    A later turn shows nothing without those before it, and of several uses of another kind nobody knows which counts.
    """
    shown: list[Shown] = []
    for path in paths:
        used = [call for call in run.outcome.calls if call.path == path]
        if used and not used[0].goes_on and all(call.goes_on for call in used[1:]):
            demo = of_example(_demo(used[0]), run.example)
            shown.append(Shown(path, demo, run.source, opens=len(used) > 1))
    return shown


def _demo(call: PredictorCall) -> Example:
    outputs = {name: value for name, value in call.outputs.items() if name not in NO_OUTPUT[1:]}
    return Example({**call.inputs.toDict(), **outputs}).with_inputs(*call.inputs.keys())


def with_demos(program: Module, shown: Sequence[Shown]) -> Module:
    """A copy of the program whose agents have these demonstrations after their own."""
    states = program.states()
    changed = {
        path: replace(
            states[path], demos=(*states[path].demos, *(one.demo for one in shown if one.path == path))
        )
        for path in {one.path for one in shown}
    }
    return program.with_state(changed)


@dataclass(frozen=True, slots=True)
class Act:
    """One call of a run with its result, and the step that it was made in."""

    step: int
    result: ToolResult

    @property
    def call(self) -> ToolCall:
        """The call."""
        return self.result.call

    @property
    def key(self) -> str:
        """The call as text: equal where it is the same call."""
        return json.dumps([self.call.name, to_plain(dict(self.call.args))], sort_keys=True, default=str)


def acts_of(trajectory: Trajectory) -> list[Act]:
    """Every call, in order; `submit` too."""
    return [Act(place, result) for place, step in enumerate(trajectory.steps) for result in step.results]


def steps_with(trajectory: Trajectory, acts: Sequence[Act]) -> list[Step]:
    """The steps of a trajectory with only these of its calls; a step that has none left is gone."""
    kept: dict[int, list[ToolResult]] = {}
    for act in acts:
        kept.setdefault(act.step, []).append(act.result)
    return [
        replace(step, calls=tuple(r.call for r in kept[place]), results=tuple(kept[place]))
        for place, step in enumerate(trajectory.steps)
        if place in kept
    ]
