"""Models behind OpenAI's own API, called directly: OpenAI, and every server that speaks its form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from ...__about__ import __version__
from ...errors import ConfigurationError, LMError
from ...messages import Message
from ..base import Delta, LMRequest, LMResponse
from ..chat_api import read_response, write_message
from ..failures import as_lm_error
from ..remote import RemoteLM
from .dialect import write_body
from .route import Route, checked_headers, find_key, find_route, own_headers, why_not_direct

if TYPE_CHECKING:  # sockets, TLS and HTTP are imported with the first call
    from .connection import Pool
    from .exchange import Answer, Post
    from .streaming import Streaming
    from .wire import Wire


class DirectLM(RemoteLM):
    """A model that is called without litellm: "openai/NAME", at OpenAI or at a server of one's own.

    The same answers and the same errors as `HostedLM`'s, at a tenth of its cost. Connections are kept
    and shared by all threads, tasks and event loops; `timeout` is for the whole answer. `options` are
    those of the chat completions API, `extra_body` and `extra_headers`.

    >>> DirectLM("openai/gpt-4o-mini").capabilities.native_tools
    True
    """

    def __init__(self, model: str, **settings: object) -> None:
        super().__init__(model, **settings)  # type: ignore[arg-type]  # the parent's own keywords, checked there
        hindrance = why_not_direct(model, self.api_base, self._options)
        if hindrance:
            raise ConfigurationError(f"{model}: {hindrance}; without via= it goes through litellm")
        self._extra_headers = checked_headers(self._options.get("extra_headers") or {})

    @cached_property
    def _route(self) -> Route:
        return find_route(self.model, self.api_base)

    @cached_property
    def _pool(self) -> Pool:
        from .connection import pool_of

        return pool_of(self._route.address)

    def complete(self, request: LMRequest) -> LMResponse:
        """Ask once, and wait for the whole answer."""
        from .wire import Blocking, finished

        try:
            return finished(self._ask(Blocking(), request, monotonic() + self.timeout))
        except Exception as error:  # noqa: BLE001 (a server's answer may be anything)
            raise self._failed(error) from None

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """Ask once, without blocking the event loop."""
        from .wire import OnLoop

        try:
            async with asyncio.timeout(self.timeout):
                return await self._ask(OnLoop(), request, monotonic() + self.timeout)
        except Exception as error:  # noqa: BLE001 (a server's answer may be anything)
            raise self._failed(error) from None

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Ask once, and yield the answer as it comes."""
        from .wire import Blocking, finished

        streaming: Streaming | None = None
        try:
            streaming = finished(self._begin(Blocking(), request, monotonic() + self.timeout))
            while (delta := finished(streaming.next())) is not None:
                yield delta
            response = self._priced(streaming.response())
        except Exception as error:  # noqa: BLE001 (a server's answer may be anything)
            raise self._failed(error) from None
        finally:
            if streaming is not None:
                streaming.close()
        yield response

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        from .wire import OnLoop

        streaming: Streaming | None = None
        ends = asyncio.get_running_loop().time() + self.timeout
        try:
            async with asyncio.timeout_at(ends):
                streaming = await self._begin(OnLoop(), request, monotonic() + self.timeout)
            while True:
                delta = (
                    streaming.at_hand()
                )  # many pieces come at once, and a timer for each costs more than they do
                if delta is None:
                    async with asyncio.timeout_at(ends):
                        delta = await streaming.next()
                if delta is None:
                    break
                yield delta
            response = self._priced(streaming.response())
        except Exception as error:  # noqa: BLE001 (a server's answer may be anything)
            raise self._failed(error) from None
        finally:
            if streaming is not None:
                streaming.close()
        yield response

    async def _ask(self, wire: Wire, request: LMRequest, ends: float) -> LMResponse:
        from .exchange import read_json

        answer = await self._send(wire, request, ends, stream=False)
        try:
            body = await answer.read()
        finally:
            answer.close()
        return self._priced(read_response(read_json(body), self.model))

    async def _begin(self, wire: Wire, request: LMRequest, ends: float) -> Streaming:
        from .streaming import Streaming

        return Streaming(await self._send(wire, request, ends, stream=True), self.model)

    async def _send(self, wire: Wire, request: LMRequest, ends: float, *, stream: bool) -> Answer:
        """The answer, its head read; `HTTPStatusError` if its status is no success."""
        from .exchange import send, status_error

        answer = await send(self._pool, wire, self._post(request, stream=stream), ends)
        if 200 <= answer.status < 300:
            return answer
        try:
            raise await status_error(answer)
        finally:
            answer.close()

    def _post(self, request: LMRequest, *, stream: bool) -> Post:
        from .exchange import Post

        rest = request.with_messages(())
        body = write_body(rest, self.model, self._facts, self._options, stream=stream)
        return Post(self._route.target, self._headers(stream=stream), _encoded(body, request.messages))

    def _headers(self, *, stream: bool) -> tuple[tuple[str, str], ...]:
        route = self._route
        headers = {"host": ("Host", route.host)}
        if "authorization" not in self._extra_headers:
            key = find_key(self.model, self._api_key, route)
            if key:
                headers["authorization"] = ("Authorization", f"Bearer {key}")
        headers["content-type"] = ("Content-Type", "application/json")
        headers["accept"] = ("Accept", "text/event-stream" if stream else "application/json")
        headers["accept-encoding"] = ("Accept-Encoding", "identity" if stream else "gzip")
        headers["user-agent"] = ("User-Agent", f"loopwright/{__version__}")
        headers |= {name.lower(): (name, value) for name, value in own_headers(self.model, route)}
        proxy = route.address.proxy
        if proxy and proxy.login and not route.address.tls:
            headers["proxy-authorization"] = ("Proxy-Authorization", proxy.login)
        return tuple((headers | self._extra_headers).values())

    def check_key(self) -> None:
        """Raise `AuthError` where there is no key, or one that can't be one."""
        if "authorization" not in self._extra_headers:
            find_key(self.model, self._api_key, self._route)

    def _priced(self, response: LMResponse) -> LMResponse:
        if self._facts is None:
            return response
        used = response.usage
        return response.priced(
            self._facts.usd(used.prompt_tokens, used.cached_tokens, used.completion_tokens)
        )

    def _failed(self, error: Exception) -> LMError:
        """The error to raise. A route that was not found can't be told more of."""
        if isinstance(error, LMError):
            return error
        endpoint = self._endpoint
        if "_route" in self.__dict__:
            route = self._route
            secrets = (*endpoint.secrets, *route.secrets, *self._key_in_use())
            endpoint = replace(endpoint, api_base=route.base, secrets=secrets)
        return as_lm_error(error, endpoint)

    def _key_in_use(self) -> tuple[str, ...]:
        try:
            key = find_key(self.model, self._api_key, self._route)
        except LMError:
            return ()
        return (key,) if len(key) >= 4 else ()


def _encoded(body: Mapping[str, object], messages: Sequence[Message]) -> bytes:
    """The body as JSON in UTF-8, with these messages in it, unless an option has put others there."""
    fields = []
    for name, value in body.items():
        ours = name == "messages" and not value
        written = f"[{','.join([one.written(_message) for one in messages])}]" if ours else _json(value)
        fields.append(f"{_json(name)}:{written}")
    return f"{{{','.join(fields)}}}".encode()


def _message(message: Message) -> str:
    return _json(write_message(message))


def _json(value: object) -> str:
    """A value as JSON; half of a surrogate pair, which UTF-8 has no form for, is escaped."""
    text = _write(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain)
    return text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} can't be sent as JSON")


_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode
