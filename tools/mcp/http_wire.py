"""A server at a URL: streamable HTTP by the SDK, its answers bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from .cleaning import one_line
from .process_wire import MAX_MESSAGE

if TYPE_CHECKING:
    import httpx2
    from mcp.client._transport import TransportStreams

_GOODBYE = 1.0  # seconds for a server to answer that a session is closed


class HttpWire:
    """Streamable HTTP by the SDK, its answers bounded."""

    def __init__(self, url: str, headers: Mapping[str, str] | None) -> None:
        self.ended, self.status = asyncio.Event(), ""
        self._why = ""  # it was hung up on, where that was our doing
        self._url, self._headers = url, dict(headers or {})

    @asynccontextmanager
    async def streams(self) -> AsyncGenerator[TransportStreams]:
        """Connect; on exit the session is closed on the server too."""
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        async with (
            httpx2.AsyncClient(
                headers={**self._headers, "Accept-Encoding": "identity"},
                timeout=httpx2.Timeout(30, read=None),  # a call has its own timeout
                event_hooks={"request": [_hurry_goodbyes], "response": [self._check]},
            ) as client,
            streamable_http_client(self._url, http_client=client, max_sse_event_size=MAX_MESSAGE) as streams,
        ):
            try:
                yield streams
            finally:
                self.ended.set()

    async def _check(self, response: httpx2.Response) -> None:
        failed = response.status_code >= 400
        self.status = one_line(f"HTTP {response.status_code} {response.reason_phrase}", 80) if failed else ""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self._refused("it compresses its answers, though it was asked not to")
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            stream = cast("httpx2.AsyncByteStream", response.stream)  # it is an async client's answer
            response.stream = _bounded_stream(stream, self._refused)

    def _refused(self, why: str) -> OSError:
        self._why = why  # the error itself may be lost where the session takes long to end
        return OSError(why)

    def last_words(self) -> str:
        """Why it was hung up on, or the status of the last answer that was an error."""
        return self._why or self.status


async def _hurry_goodbyes(request: httpx2.Request) -> None:
    """Closing a session is a courtesy: a server that does not answer it keeps nobody."""
    if request.method == "DELETE":
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _GOODBYE)


def _bounded_stream(
    inner: httpx2.AsyncByteStream, refused: Callable[[str], OSError]
) -> httpx2.AsyncByteStream:
    from httpx2 import AsyncByteStream

    class Bounded(AsyncByteStream):
        """Ends with an error where the server sends without end."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            total = 0
            async for chunk in inner:
                total += len(chunk)
                if total > MAX_MESSAGE:
                    raise refused(f"it sent a message of more than {MAX_MESSAGE:,} bytes")
                yield chunk

        async def aclose(self) -> None:
            await inner.aclose()

    return Bounded()
