"""`streamify`, under DSPy's name: a program that gives its events instead of waiting to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from typing import Any, Literal, overload

from ..module import Module
from ..streaming import EndEvent, Event

AsyncStream = Callable[..., AsyncIterator[Event | Any]]
PlainStream = Callable[..., Iterator[Event | Any]]


@overload
def streamify(program: Module, *, async_streaming: Literal[True] = True) -> AsyncStream: ...


@overload
def streamify(program: Module, *, async_streaming: Literal[False]) -> PlainStream: ...


def streamify(program: Module, *, async_streaming: bool = True) -> AsyncStream | PlainStream:
    r"""A callable that takes the program's inputs and gives its events, and last the prediction itself.

    The events are those of `loopwright.streaming`; `program.stream(...)` gives the same with an `EndEvent` last.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import ScriptedLM
    >>> capital = streamify(Predict("country -> capital"), async_streaming=False)
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"])):
    ...     items = list(capital(country="France"))
    >>> items[-1].capital, items[-2].field
    ('Paris', 'capital')
    """

    def astream(*args: Any, **inputs: Any) -> AsyncIterator[Event | Any]:
        return _awaited_with_prediction(program.astream(*args, **inputs))

    def stream(*args: Any, **inputs: Any) -> Iterator[Event | Any]:
        return _with_prediction(program.stream(*args, **inputs))

    return astream if async_streaming else stream


def _with_prediction(events: Generator[Event, None, None]) -> Iterator[Event | Any]:
    with closing(events):
        for event in events:
            yield event.prediction if isinstance(event, EndEvent) else event


async def _awaited_with_prediction(events: AsyncGenerator[Event, None]) -> AsyncIterator[Event | Any]:
    async with aclosing(events):
        async for event in events:
            yield event.prediction if isinstance(event, EndEvent) else event
