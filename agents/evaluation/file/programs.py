"""The program that a task file names: what it is made of, as far as the file's tasks depend on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loopwright.tools import ToolRegistry
from loopwright.tools.errors import ToolDefinitionError
from loopwright.tools.resolve import resolve_object

from ...adapters.base import CODE, SUBMIT
from ...errors import ConfigurationError
from ...module import Module
from ...modules import ReAct
from ...modules.agent import Agent
from ...modules.tool_search import FIND
from ...signature import Signature
from ...text import one_line
from ...trajectory import Trajectory
from .format import CALLS_TOOLS, TAKES_STEPS, AgentSpec


def build_program(spec: str, base: Path) -> Module:
    """Call the function that "module:name" or "file.py:name" names, and give the module that it returns.

    Raises `ToolLookupError` where there is no such function, `ConfigurationError` where it gives no module.
    """
    found = resolve_object(spec, base=base)
    if isinstance(found, Module):
        return found.deepcopy()
    if not callable(found):
        raise ConfigurationError(
            f'"{spec}" is {type(found).__name__}: name a function without arguments that returns a module'
        )
    try:
        built = found()
    except (Exception, SystemExit) as error:  # a stranger's code
        text = one_line(str(error), 200)
        raise ConfigurationError(f'"{spec}" can\'t be built: {type(error).__name__}: {text}') from error
    if not isinstance(built, Module):
        raise ConfigurationError(f'"{spec}" returns {type(built).__name__}, not a module')
    return built


def agents_in(program: Module) -> Iterator[Agent]:
    """The agents that a program consists of, itself among them.

    >>> from loopwright import Predict, ReAct
    >>> [len(list(agents_in(program))) for program in (ReAct("q -> a"), Predict("q -> a"))]
    [1, 0]
    """
    return (part for _, part in program.named_sub_modules() if isinstance(part, Agent))


def limit(program: Module, limits: Mapping[str, Any]) -> None:
    """Bound every agent in a program that is the caller's own; `limits` are by their names in `Limits`."""
    for agent in agents_in(program):
        agent.limits = replace(agent.limits, **limits)


def tools_of(program: Module) -> ToolRegistry:
    """All tools of its agents; raises `ConfigurationError` where two different ones have the same name."""
    registry = ToolRegistry()
    for agent in agents_in(program):
        for tool in getattr(agent, "tools", ToolRegistry()).values():
            if registry.get(tool.name) is tool:
                continue
            try:
                registry.add(tool)
            except ToolDefinitionError as error:
                raise ConfigurationError(f"its agents' tools can't be told apart: {error}") from error
    return registry


def tools_not_there(program: Module) -> dict[str, Sequence[str]]:
    """By the path of each agent, the tools that its demonstrations call with success and that it does not have.

    A model that is shown such calls makes them.

    >>> from loopwright import Example, ReAct, Trajectory
    >>> from loopwright.tools import ToolCall, ToolResult
    >>> from loopwright.trajectory import Step
    >>> agent, call = ReAct("q -> a", tools=["calculate"]), ToolCall("send_mail", {"to": "Ann"})
    >>> shown = Trajectory((Step("", (call,), (ToolResult(call, "sent"),)),))
    >>> agent.react.demos = [Example(q="Write to Ann.", a="done", trajectory=shown)]
    >>> tools_not_there(agent)
    {'': ['send_mail']}
    """
    found: dict[str, Sequence[str]] = {}
    for path, part in program.named_sub_modules():
        if isinstance(part, Agent):
            own = () if isinstance(part, ReAct) else (CODE,)
            known = {*getattr(part, "tools", ()), SUBMIT, FIND, "", *own}
            missing = dict.fromkeys(name for name in _calls_shown(part) if name not in known)
            found |= {path: list(missing)} if missing else {}
    return found


def _calls_shown(agent: Agent) -> Iterator[str]:
    """The tools that the demonstrations of an agent call; a name that was none then either is an example of a mistake."""
    for predictor in agent.predictors():
        for demo in predictor.demos:
            shown = demo.get("trajectory")
            for step in shown.steps if isinstance(shown, Trajectory) else ():
                for call, result in zip(step.calls, step.results, strict=False):
                    if result.error != "unknown_tool":
                        yield call.name


def signature_of(program: Module) -> Signature | None:
    """What it says that it is given and answers, where it says so."""
    found = getattr(program, "signature", None)
    return found if isinstance(found, Signature) else None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file's program can do; `name` is how a message calls it."""

    name: str
    calls_tools: bool
    takes_steps: bool
    reasons: str = ""  # an output beside the signature's
    built: bool = False

    @classmethod
    def of(cls, agent: AgentSpec, program: Module | None) -> Kind:
        """The kind of a module by its name, of a program by the agents in it."""
        if program is not None:
            agents = list(agents_in(program))
            return cls(f"the program {agent.program}", any(map(_has_tools, agents)), bool(agents), built=True)
        reasons = {"chain_of_thought": "reasoning", "multi_chain": "rationale"}.get(agent.module, "")
        calls, steps = agent.module in CALLS_TOOLS, agent.module in TAKES_STEPS
        return cls(f"the module {agent.module}", calls, steps, reasons)


def _has_tools(agent: Agent) -> bool:
    return isinstance(getattr(agent, "tools", None), ToolRegistry)
