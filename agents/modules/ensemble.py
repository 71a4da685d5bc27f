"""Ensemble: several programs for one task, asked side by side."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..adapters.values import format_value
from ..ambient import current
from ..errors import ConfigurationError
from ..module import Module, both_ways
from ..text import one_line
from .attempts import (
    all_of,
    called,
    checked_count,
    checked_function,
    checked_module,
    keep_calls,
    observed,
    raise_failure,
)

log = logging.getLogger("loopwright")


class Ensemble:
    r"""Makes one program of several.

    A call asks all of them, or `size` drawn at random, side by side, and returns `reduce_fn` of the list of their
    predictions (`majority` is the usual one), or the list. With `deterministic` the same inputs draw the same programs.

    >>> from loopwright import Predict, context, majority
    >>> from loopwright.models import ScriptedLM
    >>> lm = ScriptedLM([f"[[ ## city ## ]]\n{city}" for city in ("Paris", "Lyon", "Paris")])
    >>> many = Ensemble(reduce_fn=majority).compile([Predict("question -> city") for _ in range(3)])
    >>> with context(lm=lm):
    ...     many(question="The capital of France?").city
    'Paris'
    """

    def __init__(
        self,
        *,
        reduce_fn: Callable[[list[Any]], Any] | None = None,
        size: int | None = None,
        deterministic: bool = False,
    ) -> None:
        self.reduce_fn = None if reduce_fn is None else checked_function(reduce_fn, "reduce_fn")
        self.size = None if size is None else checked_count(size, "size")
        self.deterministic = deterministic

    def compile(self, programs: Sequence[Module]) -> EnsembledProgram:
        """The programs as one."""
        return EnsembledProgram(programs, self.reduce_fn, self.size, deterministic=self.deterministic)


class EnsembledProgram(Module):
    """What `Ensemble.compile` makes. A program that fails is logged and left out; where all fail, the last error is raised."""

    def __init__(
        self,
        programs: Sequence[Module],
        reduce_fn: Callable[[list[Any]], Any] | None = None,
        size: int | None = None,
        *,
        deterministic: bool = False,
    ) -> None:
        self.programs = [checked_module(program, "Ensemble") for program in programs]
        if not self.programs or (size or 1) > len(self.programs):
            raise ConfigurationError(
                f"an ensemble of {len(self.programs)} programs can't ask {size or 'any'} of them"
            )
        self.reduce_fn = reduce_fn
        self.size = size
        self.deterministic = deterministic

    async def aforward(self, *args: Any, **inputs: Any) -> Any:
        """Ask the programs, each with all of the arguments."""
        asked = self._drawn(args, inputs)
        answers = await all_of(
            [partial(observed, program, args, inputs) for program in asked], current().num_threads
        )
        for answer in answers:
            keep_calls(answer.calls)
            if answer.error is not None:
                log.warning("a program of the ensemble failed: %s", one_line(repr(answer.error), 300))
        if all(answer.error is not None for answer in answers):
            raise_failure(answers)
        predictions = [answer.prediction for answer in answers if answer.error is None]
        return predictions if self.reduce_fn is None else await called(self.reduce_fn, predictions)

    forward = both_ways(aforward)

    def _drawn(self, args: Sequence[object], inputs: Mapping[str, object]) -> Sequence[Module]:
        if self.size is None:
            return self.programs
        seed = None
        if self.deterministic:
            given = format_value([list(args), dict(inputs)])
            seed = int.from_bytes(hashlib.sha256(given.encode()).digest()[:8], "big")
        return random.Random(seed).sample(self.programs, self.size)
