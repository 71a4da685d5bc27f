"""What all agents share: a run is watched step by step, or drained to its end."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ..ambient import awaited_in_this_context, drive, in_this_context
from ..calling import tell_step
from ..errors import SignatureError
from ..example import Prediction
from ..module import Module, both_ways
from ..signature import Signature, SignatureLike
from ..trajectory import Step
from .agent_run import Run
from .limits import Limits
from .predict import checked_inputs

RESERVED = ("trajectory", "termination_reason", "error")  # what a prediction has beside the outputs


class Agent(Module):
    """A module whose every call is a run, within `limits`. A subclass says how a run is opened."""

    limits: Limits

    @property
    def max_iters(self) -> int | None:
        """How many turns a run may take: the steps of `limits`."""
        return self.limits.steps

    @max_iters.setter
    def max_iters(self, steps: int | None) -> None:
        self.limits = replace(self.limits, steps=steps)

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """What the agent is given, and what it must submit."""

    @abstractmethod
    def opened(self, inputs: Mapping[str, Any]) -> Run:
        """A run on these inputs that has yet to ask for its first turn."""

    async def aforward(self, *args: Any, **inputs: Any) -> Prediction:
        """Run to the end."""
        items = [item async for item in self._steps(args, inputs)]
        prediction = items[-1]
        assert isinstance(prediction, Prediction)  # noqa: S101  # a run ends with its prediction
        return prediction

    forward = both_ways(aforward)

    def run(self, *args: Any, **inputs: Any) -> Generator[Step | Prediction, None, None]:
        """Run step by step: each `Step` when it is done, then the `Prediction`.

        Who stops reading stops the run; what was done until then is in the context's trace. The context is the one in
        which this was called, also where the steps are read in another.
        """
        return in_this_context(_driven(self._steps(args, inputs)))

    def arun(self, *args: Any, **inputs: Any) -> AsyncGenerator[Step | Prediction, None]:
        """As `run`, without blocking the event loop; a run that is cancelled leaves its steps in the trace."""
        return awaited_in_this_context(self._steps(args, inputs))

    async def _steps(
        self, args: Sequence[Any], inputs: Mapping[str, Any]
    ) -> AsyncGenerator[Step | Prediction, None]:
        given = checked_inputs(self.signature, args, inputs)
        run = self.opened(given)
        try:
            async with aclosing(run.to_end()) as steps:
                async for step in steps:
                    tell_step(step)
                    yield step
        except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
            run.ending = "cancelled"
            run.predictor.record(given, run.prediction(), run.exchanges)
            raise
        finally:
            run.close()
        yield run.predictor.record(given, run.prediction(), run.exchanges)


def _driven(items: AsyncGenerator[Step | Prediction, None]) -> Generator[Step | Prediction, None, None]:
    """The same items, each waited for without an event loop."""
    try:
        while True:
            try:
                yield drive(_next_of(items))
            except StopAsyncIteration:
                return
    finally:
        drive(_close(items))


async def _next_of(items: AsyncGenerator[Step | Prediction, None]) -> Step | Prediction:
    return await anext(items)


async def _close(items: AsyncGenerator[Step | Prediction, None]) -> None:
    await items.aclose()


def agent_signature(signature: SignatureLike) -> Signature:
    """The signature, if an agent can have it."""
    found = Signature.of(signature)
    for name in RESERVED:
        if name in found.output_fields:
            raise SignatureError(
                f"an agent's output can't be called {name!r}: its prediction has that beside the outputs"
            )
    return found


def limits_of(limits: Limits | None, max_iters: int | None, default: int) -> Limits:
    """The bounds of a run: `max_iters` goes before the steps of `limits`, and these before the default."""
    if limits is None or max_iters is not None:
        return replace(limits or Limits(), steps=default if max_iters is None else max_iters)
    return limits
