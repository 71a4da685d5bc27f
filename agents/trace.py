"""A trace: the model calls that a program made, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .example import Prediction
from .models.base import NO_USAGE, LMRequest, LMResponse, Usage

if TYPE_CHECKING:
    from .module import Module


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a model with its answer, and how long it took in seconds."""

    model: str
    request: LMRequest
    response: LMResponse
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a predictor: what went in, what came out, and every exchange it took."""

    predictor: Module
    inputs: Mapping[str, Any]
    prediction: Prediction
    exchanges: tuple[Exchange, ...] = ()

    def __iter__(self) -> Iterator[Any]:
        """A trace's entry as metrics unpack it: predictor, inputs, prediction."""
        return iter((self.predictor, self.inputs, self.prediction))


@dataclass(slots=True)
class Trace:
    """Collects the calls made while it is the context's trace.

    >>> Trace().usage.total_tokens
    0
    """

    calls: list[Call] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        """Tokens and money of all exchanges together."""
        return sum((exchange.response.usage for exchange in self.exchanges), start=NO_USAGE)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, index: int) -> Call:
        return self.calls[index]
