"""A scene: some tools over some records, and the questions that are asked in it.

A family's question calls `scene.tool(...)` for each tool it needs, uses it, and submits; the scene keeps
what was called and what came back. The finished episode can be written out for training, or its tools
can be put before a model that must find its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from loopwright.tools.calls import ToolCall, ToolSpec

from .phrasing import Wording
from .simulation import ToolError
from .words import Split

if TYPE_CHECKING:
    from .toolbox import Lookup  # which needs this module


@dataclass(frozen=True, slots=True)
class Settings:
    """Which part of each axis the questions are drawn from."""

    names: Split = "train"
    wording: Wording = "train"
    tool_names: Split = "train"


@dataclass(frozen=True, slots=True)
class SceneTool:
    """A tool under the name that this scene gives it. `shown` maps its usual argument names to the scene's."""

    kind: str
    spec: ToolSpec
    shown: Mapping[str, str]
    run: Callable[[Mapping[str, object]], str]

    def answer(self, args: Mapping[str, object]) -> str:
        """What the tool gives for arguments under the scene's names; a fault is text too."""
        usual = {shown: name for name, shown in self.shown.items()}
        try:
            return self.run({usual[name]: value for name, value in args.items()})
        except (ToolError, KeyError) as fault:
            return f"Error: {fault.args[0]}"


@dataclass(frozen=True, slots=True)
class Step:
    """A call and what came back; one that is not `learnt` is a mistake, shown for the sake of its repair."""

    call: ToolCall
    observation: str
    learnt: bool = True


@dataclass(frozen=True, slots=True)
class Episode:
    """A question with its tools, the calls that solve it, and the right answer.

    Where `ends` is true the last result is the answer, and nothing is submitted.
    """

    family: str
    inputs: Mapping[str, str]
    tools: tuple[SceneTool, ...]
    submit: ToolSpec
    steps: tuple[Step, ...]
    answer: ToolCall
    ends: bool = False

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return (*(tool.spec for tool in self.tools), self.submit)

    @property
    def prompt(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.inputs.items())


@dataclass(slots=True)
class Scene:
    """Tools, records and fields being drawn. `steps` are those of the question in the making.

    In a scene of `programs` no tool is called: what is asked is answered by one expression. `faults` and
    `mistakes` are the chances that a call fails for a passing reason, and that a wrong one comes before it.
    """

    rng: Random
    settings: Settings
    question_field: str
    answer_field: str
    answer_type: str
    tools: dict[str, SceneTool] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    faults: float = 0.0
    mistakes: float = 0.0
    programs: bool = False
    plain: bool = False
    """Whether no question asks for rounding in words."""

    def tool(self, kind: str, make: Callable[[Scene], SceneTool]) -> SceneTool:
        """The scene's tool of this kind, made at first need; no two share a name."""
        while kind not in self.tools:
            made = make(self)
            if all(made.spec.name != tool.spec.name for tool in self.tools.values()):
                self.tools[kind] = made
        return self.tools[kind]

    def mistake(self, tool: SceneTool, args: Mapping[str, object]) -> None:
        """A call that does not help, which the model is not to learn but to recover from."""
        call = ToolCall(tool.spec.name, {tool.shown[name]: value for name, value in args.items()})
        self.steps.append(Step(call, tool.answer(call.args), learnt=False))

    def use(self, tool: SceneTool, args: Mapping[str, object]) -> str:
        """Call the tool, now and then after a failed attempt, and give its observation."""
        call = ToolCall(tool.spec.name, {tool.shown[name]: value for name, value in args.items()})
        if self.rng.random() < self.faults:
            self.steps.append(Step(call, transient_fault(self.rng)))
        observation = tool.answer(call.args)
        self.steps.append(Step(call, observation))
        return observation


_TRANSIENT = (
    "Error: timed out, try again",
    "Error: service unavailable, please retry",
    "Error: 503 upstream",
    "Error: the connection was reset; try again",
    "Error: temporary failure, retry",
    "Error: rate limit, try again",
    "TimeoutError: no answer within 10 s",
    "Error: ConnectionError: could not connect",
)


def transient_fault(rng: Random) -> str:
    return rng.choice(_TRANSIENT)


SCHEMAS: dict[str, Mapping[str, object]] = {
    "str": {"type": "string"},
    "num": {"type": "number"},
    "int": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "bool": {"type": "boolean"},
}


def make_spec(name: str, parameters: Sequence[tuple[str, str]]) -> ToolSpec:
    """A tool from `(argument, type)` pairs; an argument ending in `?` may be left out."""
    required = [argument for argument, _ in parameters if not argument.endswith("?")]
    properties = {argument.rstrip("?"): SCHEMAS[kind] for argument, kind in parameters}
    return ToolSpec(name, "", {"type": "object", "properties": properties, "required": required})
