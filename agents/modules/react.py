"""ReAct: think, call tools, read their results, and in the end submit the answer.

After Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models" (ICLR 2023). The answer is
a typed call of `submit`, so a run of N turns costs N model calls; there is no extraction call after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.resolve import resolve

from ..ambient import drive
from ..errors import SignatureError
from ..example import Prediction
from ..module import Module, both_ways
from ..signature import Signature, SignatureLike
from ..trajectory import Step
from .agent_run import Run
from .limits import Limits
from .predict import Predict, checked_inputs

MAX_STEPS = 20  # turns, where neither max_iters nor limits says otherwise
RESERVED = ("trajectory", "termination_reason", "error")  # what a prediction has beside the outputs

ToolLike = Tool | Callable[..., Any] | str


class ReAct(Module):
    """An agent: a loop of thoughts and tool calls that ends with the signature's outputs.

    `tools` are functions, `Tool`s, names that `loopwright.tools.resolve` knows ("calculate",
    "shop.py:registry"), or a `ToolRegistry`. The prediction has the outputs, `trajectory` and
    `termination_reason`. A failed call, an unknown tool or a turn that can't be read becomes an
    observation, and the loop goes on. A limit ends the run: one last turn may still submit, unless tokens,
    money or time are used up; if that fails too, the outputs are None. A model error ends it with "lm_error"
    and `error`; on the first turn, where nothing would be lost, it is raised.

    `max_iters` are the turns of a run, 20 by default; `limits` bounds it in other ways too. `options` are
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
        **options: Any,
    ) -> None:
        self.tools = tools if isinstance(tools, ToolRegistry) else ToolRegistry(_found(tools))
        if limits is None or max_iters is not None:
            limits = replace(limits or Limits(), steps=MAX_STEPS if max_iters is None else max_iters)
        self.limits = limits
        self.react = Predict(_checked(Signature.of(signature)), **options)

    @property
    def signature(self) -> Signature:
        """What the agent is given, and what it must submit."""
        return self.react.signature

    async def aforward(self, *args: Any, **inputs: Any) -> Prediction:
        """Run to the end."""
        items = [item async for item in self.arun(*args, **inputs)]
        prediction = items[-1]
        assert isinstance(prediction, Prediction)  # noqa: S101  # a run ends with its prediction
        return prediction

    forward = both_ways(aforward)

    def run(self, *args: Any, **inputs: Any) -> Iterator[Step | Prediction]:
        """Run step by step: each `Step` when it is done, then the `Prediction`.

        Who stops reading stops the run; what was done until then is in the context's trace.
        """
        items = self.arun(*args, **inputs)
        try:
            while True:
                try:
                    yield drive(_next_of(items))
                except StopAsyncIteration:
                    return
        finally:
            drive(_close(items))

    async def arun(self, *args: Any, **inputs: Any) -> AsyncGenerator[Step | Prediction, None]:
        """As `run`, without blocking the event loop; a run that is cancelled leaves its steps in the trace."""
        given = checked_inputs(self.signature, args, inputs)
        run = Run.opened(self.react, self.tools, self.limits, given)
        try:
            async with aclosing(run.to_end()) as steps:
                async for step in steps:
                    yield step
        except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
            run.ending = "cancelled"
            self.react.record(given, run.prediction(), run.exchanges)
            raise
        yield self.react.record(given, run.prediction(), run.exchanges)


async def _next_of(items: AsyncGenerator[Step | Prediction, None]) -> Step | Prediction:
    return await anext(items)


async def _close(items: AsyncGenerator[Step | Prediction, None]) -> None:
    await items.aclose()


def _found(tools: object) -> object:
    """What a registry takes: names are looked up, in a list or alone."""
    if isinstance(tools, str):
        return resolve(tools)
    if isinstance(tools, Iterable) and not isinstance(tools, Mapping) and not callable(tools):
        return [_found(tool) for tool in tools]
    return tools


def _checked(signature: Signature) -> Signature:
    for name in RESERVED:
        if name in signature.output_fields:
            raise SignatureError(
                f"an agent's output can't be called {name!r}: its prediction has that beside the outputs"
            )
    return signature
