"""ReAct: think, call tools, read their results, and in the end submit the answer.

After Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models" (ICLR 2023). The answer is
a typed call of `submit`, so a run of N turns costs N model calls; there is no extraction call after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.resolve import resolve

from ..signature import Signature, SignatureLike
from .acting import AgentPredict
from .agent import Agent, agent_signature, limits_of
from .agent_run import Run
from .limits import Limits
from .tool_search import SHOWN, ToolSearch

MAX_STEPS = 20  # turns, where neither max_iters nor limits says otherwise

ToolLike = Tool | Callable[..., Any] | str


class ReAct(Agent):
    """An agent: a loop of thoughts and tool calls that ends with the signature's outputs.

    `tools` are functions, `Tool`s, names that `loopwright.tools.resolve` knows ("calculate",
    "shop.py:registry"), or a `ToolRegistry`. The prediction has the outputs, `trajectory` and
    `termination_reason`. A failed call, an unknown tool or a turn that can't be read becomes an
    observation, and the loop goes on. A limit ends the run: one last turn may still submit, unless tokens,
    money or time are used up; there a model that calls nothing may just say an answer that is one text, which is noted.
    If that fails too, the outputs are None. A model error ends it with "lm_error"
    and `error`; on the first turn, where nothing would be lost, it is raised.

    With `tool_search` a run shows the few tools that fit its inputs (8, or the number given), and `find_tools` to look
    for others. `max_iters` are the turns of a run, 20 by default; `limits` bounds it in other ways too. `options` are
    those of `Predict` (temperature and so on).

    >>> from loopwright import context
    >>> from loopwright.models import ScriptedLM, Capabilities
    >>> from loopwright.tools import ToolCall
    >>> def double(n: int) -> int:
    ...     "Twice a number."
    ...     return 2 * n
    >>> lm = ScriptedLM([ToolCall("double", {"n": 21}), ToolCall("submit", {"answer": 42})],
    ...                 capabilities=Capabilities(native_tools=True))
    >>> with context(lm=lm):
    ...     prediction = ReAct("question -> answer: int", tools=[double])(question="twice 21?")
    >>> prediction.answer, prediction.termination_reason, prediction.trajectory["observation_0"]
    (42, 'submit', '42')
    """

    def __init__(
        self,
        signature: SignatureLike,
        tools: Iterable[ToolLike] | ToolRegistry | ToolLike = (),
        max_iters: int | None = None,
        *,
        limits: Limits | None = None,
        tool_search: bool | int = False,
        **options: Any,
    ) -> None:
        self.tools = as_registry(tools)
        self.tool_search = SHOWN if tool_search is True else int(tool_search)
        self.limits = limits_of(limits, max_iters, MAX_STEPS)
        self.react = AgentPredict(agent_signature(signature), self.tools, ReAct, **options)

    @property
    def signature(self) -> Signature:
        """What the agent is given, and what it must submit."""
        return self.react.signature

    def opened(self, inputs: Mapping[str, Any]) -> Run:
        """A run on these inputs."""
        tools = self.react.described(self.tools)
        many = 0 < self.tool_search < len(tools)
        search = ToolSearch(tools, inputs, self.tool_search) if many else None
        return Run.opened(self.react, tools, self.limits, inputs, search=search)


def as_registry(tools: Iterable[ToolLike] | ToolRegistry | ToolLike) -> ToolRegistry:
    """Tools in any of the forms that agents take, as one registry."""
    return tools if isinstance(tools, ToolRegistry) else ToolRegistry(_found(tools))


def _found(tools: object) -> object:
    """What a registry takes: names are looked up, in a list or alone."""
    if isinstance(tools, str):
        return resolve(tools)
    if isinstance(tools, Iterable) and not isinstance(tools, Mapping) and not callable(tools):
        return [_found(tool) for tool in tools]
    return tools
