"""The predictor of an agent: what it learns is also what to heed, and how the tools are best described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loopwright.tools import ToolRegistry

from ..errors import StateError
from ..signature import Signature, SignatureLike
from ..state import State
from ..text import did_you_mean
from .predict import OPTIONS, Predict, check_options

_TAKEN = ("lm", *OPTIONS)


class AgentPredict(Predict):
    """Asks for an agent's turns.

    `guidance` is text that follows the signature's instructions; `descriptions`, by a tool's name, go before the
    tools' own. Both are learned, as demonstrations are, and leave the fixed parts of a prompt alone. `agent` is the
    class that is made of it, and is named where an option is unknown.
    """

    def __init__(self, signature: SignatureLike, tools: ToolRegistry, agent: type, /, **options: Any) -> None:
        check_options(agent, options, _TAKEN)
        super().__init__(signature, **options)
        self.guidance = ""
        self.descriptions: Mapping[str, str] = {}
        self.tools = tools

    @property
    def takes_guidance(self) -> bool:
        """It does."""
        return True

    @property
    def guided(self) -> Signature:
        """The signature as prompts show it: the guidance after the instructions."""
        if not self.guidance:
            return self.signature
        return self.signature.with_instructions(f"{self.signature.instructions}\n\n{self.guidance}")

    def described(self, tools: ToolRegistry) -> ToolRegistry:
        """Tools as prompts show them."""
        return tools.described(self.descriptions) if self.descriptions else tools

    def own_state(self) -> State:
        """What this predictor has learned."""
        return replace(super().own_state(), guidance=self.guidance, tools=dict(self.descriptions))

    def with_own_state(self, state: State, path: str = "self") -> AgentPredict:
        """A copy with this state; raises `StateError` also where a tool that it describes is not there."""
        new = super().with_own_state(state, path)
        for name in state.tools:
            if name not in self.tools:
                hint = did_you_mean(name, self.tools) or f"; it has: {', '.join(self.tools) or 'none'}"
                raise StateError(
                    f"predictor {path!r}: the state describes a tool {name!r} that this agent lacks{hint}"
                )
        new.guidance, new.descriptions = state.guidance, dict(state.tools)
        return new
