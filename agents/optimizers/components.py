"""Components: the texts of a program that an optimizer may change. The fixed parts of a prompt are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from loopwright.tools import ToolRegistry

from ..example import Example
from ..module import Module
from ..modules.acting import AgentPredict

Kind = Literal["instructions", "guidance", "tool"]
Program = TypeVar("Program", bound=Module)


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """A text of one predictor: its instructions, an agent's guidance, or the description of one tool.

    >>> print(Component("react", "tool", "look"))
    react: description of look
    """

    path: str
    kind: Kind
    tool: str = ""

    def __str__(self) -> str:
        return f"{self.path}: " + (f"description of {self.tool}" if self.kind == "tool" else self.kind)


def components(program: Module) -> list[Component]:
    """Every text that may be changed: of a plain predictor its instructions; of an agent's, the guidance that follows
    them, and how each tool is described.

    >>> from loopwright import ChainOfThought, ReAct
    >>> print(*components(ChainOfThought("question -> answer")))
    predict: instructions
    >>> print(*components(ReAct("question -> answer", tools=["calculate"])), sep=", ")
    react: guidance, react: description of calculate
    """
    found: list[Component] = []
    for path, predictor in program.named_predictors():
        if isinstance(predictor, AgentPredict):
            found.append(Component(path, "guidance"))
            found += [Component(path, "tool", name) for name in predictor.tools]
        else:
            found.append(Component(path, "instructions"))
    return found


def text_of(program: Module, component: Component) -> str:
    """What a component says now."""
    predictor = dict(program.named_predictors())[component.path]
    if component.kind == "instructions":
        return str(predictor.signature.instructions)
    if component.kind == "guidance":
        return str(predictor.guidance)
    return str(predictor.described(predictor.tools)[component.tool].desc)


def with_texts(program: Program, texts: Mapping[Component, str]) -> Program:
    """A copy with these texts; a tool's own description, given as its text, is no change.

    >>> from loopwright import Predict
    >>> shorter = with_texts(Predict("question -> answer"), {Component("self", "instructions"): "Be brief."})
    >>> shorter.signature.instructions
    'Be brief.'
    """
    states = program.states()
    for component, text in texts.items():
        state = states[component.path]
        if component.kind == "instructions":
            state = replace(state, instructions=text)
        elif component.kind == "guidance":
            state = replace(state, guidance=text)
        else:
            state = replace(state, tools={**state.tools, component.tool: text})
            if text == _own_description(program, component):
                state = replace(state, tools={n: t for n, t in state.tools.items() if n != component.tool})
        states[component.path] = state
    return program.with_state(states)


def with_demos(
    program: Program, demos: Mapping[str, Sequence[Example]], nearest: int | None = None
) -> Program:
    """A copy with these demonstrations, by predictor path; predictors that are not named keep theirs.

    With `nearest` a prompt shows that many of them.
    """
    new = program.deepcopy()
    for path, predictor in new.named_predictors():
        if path in demos:
            predictor.demos, predictor.nearest = list(demos[path]), nearest
    return new


def agent_paths(program: Module) -> frozenset[str]:
    """The paths of the predictors that are agents'."""
    return frozenset(path for path, one in program.named_predictors() if one.takes_guidance)


def toolbox(program: Module) -> ToolRegistry:
    """The tools of all agents in a program, as they are described now; of equal names the first."""
    found: dict[str, object] = {}
    for _, predictor in program.named_predictors():
        if isinstance(predictor, AgentPredict):
            for name, tool in predictor.described(predictor.tools).items():
                found.setdefault(name, tool)
    return ToolRegistry(*found.values())


def outline(program: Module) -> str:
    """What a program is made of, in words: its modules, predictors, fields, instructions and tools.

    Its source code is not in it: what a program does is not to be sent anywhere.

    >>> from loopwright import Predict
    >>> print(outline(Predict("question -> answer")))
    The program is a Predict.
    - predictor `self`: question -> answer
      instructions: Given `question`, produce `answer`.
    """
    lines = [f"The program is a {type(program).__name__}."]
    for path, predictor in program.named_predictors():
        works = ", an agent that works in steps and calls tools" if predictor.takes_guidance else ""
        lines.append(f"- predictor `{path}`{works}: {predictor.signature}")
        lines += [f"  instructions: {line}" for line in str(predictor.signature.instructions).splitlines()]
        if isinstance(predictor, AgentPredict):
            if predictor.guidance:
                lines += [f"  guidance: {line}" for line in predictor.guidance.splitlines()]
            for tool in predictor.described(predictor.tools).values():
                lines += [f"  tool: {line}" for line in str(tool).splitlines()]
    return "\n".join(lines)


def _own_description(program: Module, component: Component) -> str:
    predictor = dict(program.named_predictors())[component.path]
    return str(predictor.tools[component.tool].desc)
