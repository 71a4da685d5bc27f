"""Answers that are given again: the same request to the same model is asked once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future

from loopwright.tools.calls import ToolCall

from .base import BaseLM, Capabilities, Delta, LMRequest, LMResponse
from .stores import Store

KEY_VERSION = 1


def request_key(request: LMRequest, identity: str) -> str:
    """The SHA-256 of all that an answer depends on: the whole request, and which model where.

    >>> ask = LMRequest(())
    >>> request_key(ask, "a") == request_key(LMRequest(()), "a"), request_key(ask, "a") == request_key(ask, "b")
    (True, False)
    """
    return hashlib.sha256(request_text(request, identity).encode()).hexdigest()


def request_text(request: LMRequest, identity: str) -> str:
    """All that an answer depends on, as JSON; the same text for the same request."""
    body = {
        "version": KEY_VERSION,
        "lm": identity,
        "messages": [
            [message.role, message.content, _calls(message.tool_calls), message.tool_call_id, message.name]
            for message in request.messages
        ],
        "tools": [[tool.name, tool.description, tool.parameters] for tool in request.tools],
        "tool_choice": request.tool_choice,
        "response_format": request.response_format,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "stop": request.stop,
        "seed": request.seed,
        "rollout_id": request.rollout_id,
    }
    return json.dumps(body, sort_keys=True, default=_plain)


class Cached(BaseLM):
    """A model whose answers are kept in a store.

    What is asked for at the same time by several threads and tasks is asked of the model once; when
    that fails, each of those that waited asks for itself. Errors are not kept. Answers that were drawn
    with a temperature are kept as well: another `rollout_id` draws another one. A stream is answered
    from the store, and what it brought is kept; but it makes nobody wait.

    >>> from loopwright.models.scripted import ScriptedLM
    >>> from loopwright.models.stores import MemoryStore
    >>> lm = Cached(ScriptedLM(["once"]), MemoryStore())
    >>> lm.complete(LMRequest(())).cached, lm.complete(LMRequest(())).cached
    (False, True)
    """

    def __init__(self, lm: BaseLM, store: Store) -> None:
        self.model = lm.model
        self._lm = lm
        self._store = store
        self._flights: dict[str, _Flight] = {}
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Those of the model inside."""
        return self._lm.capabilities

    @property
    def identity(self) -> str:
        """That of the model inside."""
        return self._lm.identity

    def check_key(self) -> None:
        """Of the model inside."""
        self._lm.check_key()

    def complete(self, request: LMRequest) -> LMResponse:
        """The kept answer, or the model's."""
        key = request_key(request, self._lm.identity)
        kept = self._store.get(key)
        if kept is not None:
            return kept.as_cached()
        flight, leading = self._board(key)
        if leading:
            return self._lead(key, flight, request)
        # An async leader on this very thread can't go on while this call blocks it: then don't wait.
        shared = None if flight.thread == threading.get_ident() else flight.landed.result()
        return shared.as_cached() if shared else self._keep(key, self._lm.complete(request))

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """As `complete`, without blocking the event loop."""
        key = request_key(request, self._lm.identity)
        kept = self._store.get(key)
        if kept is not None:
            return kept.as_cached()
        flight, leading = self._board(key)
        if leading:
            return await self._alead(key, flight, request)
        # The shield keeps the others' wait alive when this one is cancelled.
        shared = await asyncio.shield(asyncio.wrap_future(flight.landed))
        return shared.as_cached() if shared else self._keep(key, await self._lm.acomplete(request))

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """The kept answer in one piece, or the model's as it comes."""
        key = request_key(request, self._lm.identity)
        kept = self._store.get(key)
        if kept is not None:
            yield from _replay(kept.as_cached())
            return
        for piece in self._lm.stream(request):
            yield self._keep(key, piece) if isinstance(piece, LMResponse) else piece

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        key = request_key(request, self._lm.identity)
        kept = self._store.get(key)
        if kept is not None:
            for piece in _replay(kept.as_cached()):
                yield piece
            return
        async for piece in self._lm.astream(request):
            yield self._keep(key, piece) if isinstance(piece, LMResponse) else piece

    def _lead(self, key: str, flight: _Flight, request: LMRequest) -> LMResponse:
        response: LMResponse | None = None
        try:
            kept = self._store.get(key)  # it may have come while this call found nothing and boarded
            response = kept.as_cached() if kept else self._keep(key, self._lm.complete(request))
        finally:
            self._land(key, flight, response)
        return response

    async def _alead(self, key: str, flight: _Flight, request: LMRequest) -> LMResponse:
        response: LMResponse | None = None
        try:
            kept = self._store.get(key)
            response = kept.as_cached() if kept else self._keep(key, await self._lm.acomplete(request))
        finally:
            self._land(key, flight, response)
        return response

    def _board(self, key: str) -> tuple[_Flight, bool]:
        """The call under way for this key, and whether it is the caller who makes it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = _Flight()
            return flight, True

    def _land(self, key: str, flight: _Flight, response: LMResponse | None) -> None:
        with self._lock:
            del self._flights[key]
        flight.landed.set_result(response)

    def _keep(self, key: str, response: LMResponse) -> LMResponse:
        self._store.put(key, response)
        return response


class _Flight:
    """A call that others wait for; lands with None when it failed."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.landed: Future[LMResponse | None] = Future()


def _replay(response: LMResponse) -> Iterator[Delta | LMResponse]:
    if response.text or response.reasoning:
        yield Delta(response.text, response.reasoning)
    yield response


def _calls(calls: tuple[ToolCall, ...]) -> list[object]:
    return [[call.name, call.args, call.id, call.malformed] for call in calls]


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
