"""CodeAct: an agent that acts by writing programs, in which the tools are functions.

After Wang et al., "Executable Code Actions Elicit Better LLM Agents" (ICML 2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loopwright.tools import ToolRegistry

from ..seams import Interpreter
from ..signature import Signature, SignatureLike
from .acting import AgentPredict
from .agent import Agent, agent_signature, limits_of
from .code_run import CodeRun, process_sandbox
from .limits import Limits
from .react import ToolLike, as_registry

MAX_STEPS = 10  # programs, where neither max_iters nor limits says otherwise


class CodeAct(Agent):
    """An agent whose every turn is a Python program that runs in a sandbox.

    Programs call the tools by name; each call is validated, run and recorded (`Step.inner`) as any other.
    Variables live on from turn to turn; the inputs are variables. `submit(...)` in a program ends the run.
    `interpreter` makes the sandbox from the functions that programs may call; the other arguments are those
    of `ReAct`.

    >>> from loopwright import context
    >>> from loopwright.models import ScriptedLM, Capabilities
    >>> from loopwright.tools import ToolCall
    >>> def price(item: str) -> float:
    ...     "The price of an item."
    ...     return {"desk": 149.5}[item]
    >>> program = "submit(answer=price('desk') * count)"
    >>> lm = ScriptedLM([ToolCall("python", {"code": program})], capabilities=Capabilities(native_tools=True))
    >>> with context(lm=lm):
    ...     prediction = CodeAct("item, count: int -> answer: float", tools=[price])(item="desk", count=3)
    >>> prediction.answer, str(prediction.trajectory.steps[0].inner[0].call)
    (448.5, 'price(item="desk")')
    """

    def __init__(
        self,
        signature: SignatureLike,
        tools: Iterable[ToolLike] | ToolRegistry | ToolLike = (),
        max_iters: int | None = None,
        interpreter: Interpreter | None = None,
        *,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self.tools = as_registry(tools)
        self.interpreter = interpreter or process_sandbox
        self.limits = limits_of(limits, max_iters, MAX_STEPS)
        self.codeact = AgentPredict(agent_signature(signature), self.tools, CodeAct, **options)

    @property
    def signature(self) -> Signature:
        """What the agent is given, and what it must submit."""
        return self.codeact.signature

    def opened(self, inputs: Mapping[str, Any]) -> CodeRun:
        """A run on these inputs."""
        return CodeRun.of_programs(
            self.codeact,
            self.codeact.described(self.tools),
            self.limits,
            inputs,
            self.interpreter,
            value_answers=False,
        )
