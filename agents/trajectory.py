"""A trajectory: what an agent did, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from loopwright.tools.calls import ToolCall, ToolResult

from .text import counted, one_line, plain

TerminationReason = Literal[
    "submit",         # the agent gave its answer
    "forced_submit",  # it gave its answer when a limit left it one last turn
    "max_steps", "max_calls", "max_tokens", "max_cost", "max_seconds",
    "parse_errors",   # turn after turn held no call that could be read
    "loop",           # it repeated one failing call
    "context",        # the conversation outgrew what the model can read
    "cancelled",
    "lm_error",       # the model failed in the middle of the run
]  # fmt: skip

# What a person is told of the endings without an answer.
IN_WORDS: Mapping[TerminationReason, str] = {
    "max_steps": "its turns are used up",
    "max_calls": "its tool calls are used up",
    "max_tokens": "its tokens are used up",
    "max_cost": "its money is used up",
    "max_seconds": "its time is used up",
    "parse_errors": "turn after turn the model neither called a tool nor submitted an answer in a form that can be read",
    "loop": "the model made one failing call again and again",
    "context": "the conversation grew longer than what the model can read",
    "cancelled": "it was stopped",
    "lm_error": "the model could not be asked any more",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: what the agent thought, the calls it made, and what came of each, in call order.

    `inner` are the tool calls that a program made, where the turn's call was a program: in the order in
    which they were made, each with its result. `tokens` are those of the turn's prompt and answer together;
    0 where they are not known.
    """

    thought: str
    calls: tuple[ToolCall, ...]
    results: tuple[ToolResult, ...]
    seconds: float = field(default=0.0, compare=False)
    inner: tuple[ToolResult, ...] = ()
    tokens: int = field(default=0, compare=False)

    @property
    def made(self) -> tuple[ToolResult, ...]:
        """Every call of the turn with its result, those of a program before the program's own."""
        return (*self.inner, *self.results)

    @property
    def failed(self) -> bool:
        """Whether any of its calls failed."""
        return any(not result.ok for result in self.results)

    @property
    def told(self) -> tuple[str, ...]:
        """What happened, for people: the thought, then each call with what came of it, harmless for a terminal."""
        calls = (plain(f"{result.call} -> {result.content}") for result in self.made)
        return (*([plain(self.thought)] if self.thought else ()), *calls)

    def __str__(self) -> str:
        return "\n".join(self.told)


@dataclass(frozen=True)
class Trajectory(Mapping[str, object]):
    """The steps of a run, in order; the last is the `submit` where there was one.

    It is a mapping as well, the flat view that DSPy programs read: `thought_0`, `tool_name_0`,
    `tool_args_0`, `observation_0`, with one number for each call.

    >>> call = ToolCall("calculate", {"expression": "2+2"})
    >>> run = Trajectory((Step("add", (call,), (ToolResult(call, "4"),)),))
    >>> run["tool_name_0"], run["observation_0"], len(run.steps)
    ('calculate', '4', 1)
    >>> run
    Trajectory(1 step: calculate)
    """

    steps: tuple[Step, ...] = ()

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """Every call, in order."""
        return tuple(call for step in self.steps for call in (*(r.call for r in step.inner), *step.calls))

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """Every result, in the order of the calls."""
        return tuple(result for step in self.steps for result in step.made)

    @cached_property
    def _flat(self) -> dict[str, object]:
        flat: dict[str, object] = {}
        number = 0
        for step in self.steps:
            for place, result in enumerate(step.results):
                flat[f"thought_{number}"] = step.thought if place == 0 else ""
                flat[f"tool_name_{number}"] = result.call.name
                flat[f"tool_args_{number}"] = dict(result.call.args)
                flat[f"observation_{number}"] = result.content
                number += 1
        return flat

    def __getitem__(self, key: str) -> object:
        return self._flat[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._flat)

    def __len__(self) -> int:
        return len(self._flat)

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __repr__(self) -> str:
        names = ", ".join(call.name for call in self.calls)
        return f"Trajectory({counted(len(self.steps), 'step')}{': ' if names else ''}{one_line(names, 80)})"

    def __str__(self) -> str:
        return "\n".join(
            f"{number}. {line}" for number, step in enumerate(self.steps, 1) for line in step.told
        )
