"""The four ways to ask a model and the two routes to one, as tables: all must give the same answers and errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Protocol, TypeVar

import pytest
from openai_server import OpenAIServer

from loopwright.messages import Message
from loopwright.models import BaseLM, Delta, DirectLM, HostedLM, LMRequest, LMResponse
from loopwright.models.hosted import load_litellm
from loopwright.models.remote import RemoteLM

T = TypeVar("T")


def asking(text: str = "What is 2 + 2?") -> LMRequest:
    return LMRequest((Message("user", text),))


def run(main: Coroutine[object, object, T]) -> T:
    """Run in a new event loop, and let litellm close the connections that it opened there."""

    async def main_then_close() -> T:
        try:
            return await main
        finally:
            if load_litellm.cache_info().currsize:
                await load_litellm().close_litellm_async_clients()

    return asyncio.run(main_then_close())


def complete(lm: BaseLM, request: LMRequest) -> LMResponse:
    return lm.complete(request)


def acomplete(lm: BaseLM, request: LMRequest) -> LMResponse:
    return run(_acomplete(lm, request))


def stream(lm: BaseLM, request: LMRequest) -> LMResponse:
    return _whole(list(lm.stream(request)))


def astream(lm: BaseLM, request: LMRequest) -> LMResponse:
    return _whole(run(collect(lm, request)))


async def collect(lm: BaseLM, request: LMRequest) -> list[Delta | LMResponse]:
    return [piece async for piece in lm.astream(request)]


async def _acomplete(lm: BaseLM, request: LMRequest) -> LMResponse:
    return await lm.acomplete(request)


def _whole(pieces: list[Delta | LMResponse]) -> LMResponse:
    """The response at the end, which the pieces before it must add up to."""
    *deltas, response = pieces
    assert isinstance(response, LMResponse)
    assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)) == response.text
    assert "".join(delta.reasoning for delta in deltas if isinstance(delta, Delta)) == response.reasoning
    assert not any(isinstance(delta, LMResponse) for delta in deltas)
    return response


Way = Callable[[BaseLM, LMRequest], LMResponse]
WAYS: tuple[Way, ...] = (complete, acomplete, stream, astream)

each_way = pytest.mark.parametrize("ask", WAYS, ids=lambda way: way.__name__)

ROUTES: tuple[type[RemoteLM], ...] = (DirectLM, HostedLM)
ROUTE_NAMES = ["direct", "litellm"]

each_route = pytest.mark.parametrize("route", ROUTES, ids=ROUTE_NAMES)


class Hosted(Protocol):
    """Makes a model at a server."""

    def __call__(self, server: OpenAIServer, name: str = "openai/any", **options: object) -> RemoteLM: ...
