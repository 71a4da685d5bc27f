"""ProgramOfThought: let a program compute the answer.

After Chen et al., "Program of Thoughts Prompting" (TMLR 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loopwright.tools import ToolRegistry

from ..seams import Interpreter
from ..signature import Signature, SignatureLike
from .acting import AgentPredict
from .agent import Agent, agent_signature, limits_of
from .code_run import CodeRun, process_sandbox
from .limits import Limits

MAX_STEPS = 3  # the first program and its repairs


class ProgramOfThought(Agent):
    r"""The model writes a program for the inputs; the value of its last line is the answer.

    The inputs are variables, never pasted into the program's text. A program that fails, or whose value
    does not fit the outputs, comes back to the model with what was wrong, and is repaired, at most
    `max_iters` programs in all; then one turn is left to answer in. The programs and their runs are the
    prediction's `trajectory`. `interpreter` makes the sandbox.

    >>> from loopwright import context
    >>> from loopwright.models import ScriptedLM
    >>> program = "[[ ## code ## ]]\nsum(numbers) / len(numbers)"
    >>> with context(lm=ScriptedLM([program])):
    ...     ProgramOfThought("numbers: list[float] -> mean: float")(numbers=[1, 2, 6]).mean
    3.0
    """

    def __init__(
        self,
        signature: SignatureLike,
        max_iters: int | None = None,
        interpreter: Interpreter | None = None,
        *,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self.interpreter = interpreter or process_sandbox
        self.limits = limits_of(limits, max_iters, MAX_STEPS)
        self.program = AgentPredict(agent_signature(signature), ToolRegistry(), ProgramOfThought, **options)

    @property
    def signature(self) -> Signature:
        """What the program is given, and what its value must be."""
        return self.program.signature

    def opened(self, inputs: Mapping[str, Any]) -> CodeRun:
        """A run on these inputs."""
        return CodeRun.of_programs(
            self.program, ToolRegistry(), self.limits, inputs, self.interpreter, value_answers=True
        )
