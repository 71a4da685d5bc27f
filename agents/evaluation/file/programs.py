"""The program that a task file names: what it is made of, as far as the file's tasks depend on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loopwright.tools import ToolRegistry
from loopwright.tools.errors import ToolDefinitionError
from loopwright.tools.resolve import resolve_object

from ...errors import ConfigurationError
from ...module import Module
from ...modules.agent import Agent
from ...signature import Signature
from ...text import one_line
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
