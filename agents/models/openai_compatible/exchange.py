"""One POST and its answer, over a pooled connection: whole or as events, decoded, and bounded."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic

import h11

from ..failure_chain import without_login
from ..remote import CONNECT_TIMEOUT
from .connection import Connection, Pool
from .wire import NothingSentError, Wire

MOST_BYTES = (
    32 * 2**20
)  # of an answer, unpacked: a model writes less, and reading JSON takes 20 times as much
MOST_STREAMED_BYTES = 256 * 2**20  # of a stream, where a word takes 300 and only the words are kept
MOST_ERROR_BYTES = 65536  # of an error's body; the rest is not read
LAST_SECONDS = 0.05  # to wait for the end of a stream after its last event


class UnreadableError(Exception):
    """An answer that is none: too long, packed wrongly, nested too deeply."""


class TransportError(Exception):
    """What the server sent is no HTTP, or ended in the middle."""


class HTTPStatusError(Exception):
    """An answer with a status that is no success; `response` and `body` as clients' exceptions have them."""

    def __init__(self, response: Response, message: str = "") -> None:
        super().__init__(f"status {response.status_code}: {response.text}")
        self.response = response
        if message:
            self.body = {"message": message}


class APIError(Exception):
    """An error that a server reports in the middle of an answer; `body` is what it says."""

    def __init__(self, body: Mapping[str, object]) -> None:
        super().__init__(str(body.get("message") or "the server reports an error"))
        self.body = body


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that is an error; header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Post:
    """A request: its head is the same for all calls of a model but for the length."""

    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self) -> h11.Request:
        """The head, for h11."""
        length = ("Content-Length", str(len(self.body)))
        return h11.Request(method="POST", target=self.target, headers=[*self.headers, length])


async def send(pool: Pool, wire: Wire, post: Post, ends: float) -> Answer:
    """Send a request, and wait for the head of its answer.

    A kept connection may be found closed just when it is used: if nothing went out on it, a new one is
    tried. Whatever else fails here was perhaps seen by the server, and is left to the caller.
    """
    head = post.head()
    connection = pool.take() if wire.keeps else None
    if connection is not None:
        try:
            await _ask(connection, wire, head, post.body, ends)
        except NothingSentError:
            connection = None
    if connection is None:
        connection = await pool.open(wire, min(ends, monotonic() + CONNECT_TIMEOUT))
        await _ask(connection, wire, head, post.body, ends)
    return Answer(await _head_of_answer(connection, wire, ends), connection, pool, wire, ends)


async def _ask(connection: Connection, wire: Wire, head: h11.Request, body: bytes, ends: float) -> None:
    try:
        await connection.ask(wire, head, body, ends)
    except BaseException:
        connection.close()
        raise


async def _head_of_answer(connection: Connection, wire: Wire, ends: float) -> h11.Response:
    try:
        while True:
            event = await connection.next_event(wire, ends)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise TransportError("the server did not answer in HTTP")
    except h11.RemoteProtocolError as error:
        connection.close()
        raise TransportError(str(error)) from None
    except BaseException:
        connection.close()
        raise


class Answer:
    """An answer whose head came, and whose body is to be read; `close` it in any case."""

    def __init__(
        self, head: h11.Response, connection: Connection, pool: Pool, wire: Wire, ends: float
    ) -> None:
        self.status = head.status_code
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        self._connection: Connection | None = connection
        self._pool = pool
        self._wire = wire
        self._ends = ends
        self.most = MOST_BYTES
        self._read = 0
        self._unpack: zlib._Decompress | None = None
        try:
            self._unpack = _unpacking(self.headers.get("content-encoding", "").strip().lower())
        except UnreadableError:
            self.close()
            raise

    async def part(self) -> bytes:
        """The next bytes of the body, unpacked; none at its end, where the connection goes back to the pool."""
        while self._connection is not None:
            try:
                event = await self._connection.next_event(self._wire, self._ends)
            except h11.RemoteProtocolError as error:
                raise TransportError(str(error)) from None
            if isinstance(event, h11.EndOfMessage):
                if self._wire.keeps:
                    self._pool.give(self._connection)
                    self._connection = None
                self.close()
            elif isinstance(event, h11.Data):
                data = self._unpacked(bytes(event.data))
                if data:
                    return data
            else:
                raise TransportError("the server sent something else than its answer")
        return b""

    async def read(self) -> bytes:
        """The whole body, or what is left of it."""
        body = bytearray()  # not a list: a server may send each byte by itself
        while data := await self.part():
            body += data
        return bytes(body)

    async def finish(self) -> None:
        """After the last event: read the end of the body if it is about to come, so that the connection can be kept."""
        self._ends = min(self._ends, monotonic() + LAST_SECONDS)
        await self.read()

    def close(self) -> None:
        """Close the connection, unless the answer was read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpack is not None:
            try:
                data = self._unpack.decompress(data, self.most - self._read + 1)
            except zlib.error as error:
                raise UnreadableError(f"it is packed wrongly: {error}") from None
        self._read += len(data)
        if self._read > self.most:
            raise UnreadableError(f"it is longer than {self.most // 2**20} MiB")
        return data


async def status_error(answer: Answer) -> HTTPStatusError:
    """The exception for an answer that is an error, its body read."""
    body = b""
    while len(body) < MOST_ERROR_BYTES and (part := await answer.part()):
        body += part
    text = body[:MOST_ERROR_BYTES].decode("utf-8", "replace")
    response = Response(answer.status, answer.headers, text)
    if 300 <= answer.status < 400:
        elsewhere = without_login(answer.headers.get("location", ""))
        return HTTPStatusError(response, f"the server points to {elsewhere}: that belongs into api_base")
    return HTTPStatusError(response)


def error_in_stream(error: object) -> Exception:
    """The exception for an error that came as an event; some servers name the status that it would have had."""
    told = error if isinstance(error, Mapping) else {"message": str(error)}
    code = told.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return HTTPStatusError(Response(code, {}, json.dumps({"error": dict(told)}, default=str)))
    return APIError(told)


def read_json(body: bytes | str) -> object:
    """A JSON value that a server sent."""
    try:
        return json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except (ValueError, RecursionError) as error:  # a number of too many figures; nested too deeply
        raise UnreadableError(str(error)) from None


class Events:
    r"""Reads server-sent events out of a body as it comes; only their data matters here.

    >>> events = Events()
    >>> list(events.read(b'data: {"a": 1}\r\n\r\n: ping\n\nda')), list(events.read(b'ta:2\n\n'))
    (['{"a": 1}'], ['2'])
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[str] = []
        self._size = 0

    def read(self, part: bytes) -> Iterator[str]:
        """The events that this part of the body ends."""
        *lines, rest = part.split(b"\n")
        for line in lines:
            self._line += line
            yield from self._take(bytes(self._line).removesuffix(b"\r"))
            self._line.clear()
        self._line += rest
        if self._size + len(self._line) > MOST_BYTES:
            raise UnreadableError(f"an event of it is longer than {MOST_BYTES // 2**20} MiB")

    def end(self) -> Iterator[str]:
        """The event that the end of the body ends."""
        last = bytes(self._line).removesuffix(b"\r")
        self._line.clear()
        yield from self._take(last)
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[str]:
        if not line:
            if self._data:
                yield "\n".join(self._data)
                self._data.clear()
            self._size = 0
        elif line.startswith(b"data:"):
            self._size += len(line)
            self._data.append(line[5:].removeprefix(b" ").decode())


def _unpacking(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47)  # tells gzip from zlib by itself
    raise UnreadableError(f"it is packed as {encoding[:20]!r}, which was not asked for")
