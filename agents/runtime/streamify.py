"""`streamify`, under DSPy's name: a program that gives its events instead of waiting to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any, Literal, overload

from ..ambient import awaited_in_this_context, in_this_context
from ..errors import ConfigurationError
from ..module import Module
from ..streaming import EndEvent, Event, StatusMessageProvider, StreamListener, aevents, events
from .listeners import Listening, ears_of

AsyncStream = Callable[..., AsyncIterator[Event | Any]]
PlainStream = Callable[..., Iterator[Event | Any]]


@overload
def streamify(
    program: Module,
    status_message_provider: StatusMessageProvider | None = None,
    stream_listeners: Sequence[StreamListener] | None = None,
    include_final_prediction_in_output_stream: bool = True,
    is_async_program: bool = False,
    async_streaming: Literal[True] = True,
) -> AsyncStream: ...


@overload
def streamify(
    program: Module,
    status_message_provider: StatusMessageProvider | None = None,
    stream_listeners: Sequence[StreamListener] | None = None,
    include_final_prediction_in_output_stream: bool = True,
    is_async_program: bool = False,
    *,
    async_streaming: Literal[False],
) -> PlainStream: ...


def streamify(
    program: Module,
    status_message_provider: StatusMessageProvider | None = None,
    stream_listeners: Sequence[StreamListener] | None = None,
    include_final_prediction_in_output_stream: bool = True,
    is_async_program: bool = False,
    async_streaming: bool = True,
) -> AsyncStream | PlainStream:
    r"""A callable that takes the program's inputs and gives its events, and last the prediction itself.

    The events are those of `loopwright.streaming`; `program.stream(...)` gives the same with an `EndEvent` last. With
    `stream_listeners` or a `status_message_provider` they are, as in DSPy, a `StreamResponse` for each piece of a field
    that is listened to, and a `StatusMessage` for what the provider has words for. Raises `ConfigurationError` for a
    listener to a field that no predictor has, or that several have. `is_async_program` makes no difference here.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import ScriptedLM
    >>> capital = streamify(Predict("country -> capital"), async_streaming=False)
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"])):
    ...     items = list(capital(country="France"))
    >>> items[-1].capital, items[-2].field
    ('Paris', 'capital')
    >>> listener = StreamListener("capital")
    >>> capital = streamify(Predict("country -> capital"), stream_listeners=[listener], async_streaming=False)
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"])):
    ...     [item.chunk for item in list(capital(country="France"))[:-1]]
    ['Paris', '']
    """
    if status_message_provider is None and stream_listeners is None:
        astream, stream = program.astream, program.stream
    else:
        provider = _checked_provider(status_message_provider)
        ears = ears_of(program, stream_listeners or ())

        def teller(put: Callable[[Any], None]) -> Listening:
            return Listening(put, program, ears, provider)

        def astream(*args: Any, **inputs: Any) -> AsyncGenerator[Any, None]:
            return awaited_in_this_context(aevents(lambda: program.acall(*args, **inputs), teller))

        def stream(*args: Any, **inputs: Any) -> Generator[Any, None, None]:
            return in_this_context(events(lambda: program.acall(*args, **inputs), teller))

    with_end = include_final_prediction_in_output_stream

    def awaited(*args: Any, **inputs: Any) -> AsyncIterator[Event | Any]:
        return _awaited_with_prediction(astream(*args, **inputs), with_end)

    def plain(*args: Any, **inputs: Any) -> Iterator[Event | Any]:
        return _with_prediction(stream(*args, **inputs), with_end)

    return awaited if async_streaming else plain


def _checked_provider(provider: object) -> StatusMessageProvider:
    if provider is None:
        return StatusMessageProvider()
    if isinstance(provider, StatusMessageProvider):
        return provider
    raise ConfigurationError(
        f"status_message_provider is an object of a class derived from StatusMessageProvider, not {provider!r:.60}"
    )


def _with_prediction(events: Generator[Any, None, None], with_end: bool) -> Iterator[Event | Any]:
    with closing(events):
        for event in events:
            if not isinstance(event, EndEvent):
                yield event
            elif with_end:
                yield event.prediction


async def _awaited_with_prediction(
    events: AsyncGenerator[Any, None], with_end: bool
) -> AsyncIterator[Event | Any]:
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, EndEvent):
                yield event
            elif with_end:
                yield event.prediction
