"""Connections to one address, kept while they are idle, and the HTTP/1.1 on them (by h11).

A pool belongs to no thread, event loop or process: connections are taken out and put back one at a
time, and a process that was forked off leaves those of its parent alone.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from contextlib import suppress
from functools import lru_cache
from time import monotonic

import h11

from .route import Address, Proxy, bracketed
from .tls import Encrypted, Plain
from .wire import ConnectError, Wire, is_silent, open_socket

IDLE_SECONDS = 30.0  # many servers close after 60 and some after 5; what they closed is noticed
IDLE_MOST = 128
HEAD_BYTES = 65536  # a longer head of an answer is refused


class Connection:
    """One connection: the stream of its bytes, and where its HTTP stands."""

    def __init__(self, stream: Plain | Encrypted) -> None:
        self.stream = stream
        self.http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self.reused = False
        self._process = os.getpid()
        self._idle_since = 0.0

    async def ask(self, wire: Wire, request: h11.Request, body: bytes, ends: float) -> None:
        """Send a request; `NothingSentError` if the connection turns out to be broken before its first byte."""
        head = self.http.send(request)
        rest = self.http.send(h11.Data(body)) if body else b""
        end = self.http.send(h11.EndOfMessage())
        with suppress(BrokenPipeError):  # a server may refuse a long body early: its answer says why
            await self.stream.send(wire, b"".join((head or b"", rest or b"", end or b"")), ends)

    async def next_event(self, wire: Wire, ends: float) -> h11.Event | type[h11.PAUSED]:
        """The next part of the answer."""
        while True:
            event = self.http.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            data = await self.stream.receive(wire, ends)
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise ConnectionResetError("the server closed the connection without an answer")
            self.http.receive_data(data)

    def rest(self) -> bool:
        """Make ready for the next request; false if there can be none on this connection."""
        done = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        if not done or self.http.trailing_data[0]:  # more than was asked for is no answer to the next
            return False
        self.http.start_next_cycle()
        self.reused = True
        self._idle_since = monotonic()
        return True

    @property
    def is_usable(self) -> bool:
        """Whether an idle connection can take a request."""
        return self._process == os.getpid() and not self.is_old and is_silent(self.stream.sock)

    @property
    def is_old(self) -> bool:
        """Whether a connection was idle for too long to trust it."""
        return monotonic() - self._idle_since > IDLE_SECONDS

    def close(self) -> None:
        """Close it."""
        self.stream.sock.close()


class Pool:
    """The idle connections to an address; the one used last goes first, so that the others may grow old."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: deque[Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> Connection | None:
        """An idle connection, out of the pool; None if there is none that can be used."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.is_usable:
                return connection
            connection.close()

    def give(self, connection: Connection) -> None:
        """Put a connection back, whose answer was read to its end."""
        if not connection.rest() or len(self._idle) >= IDLE_MOST:
            connection.close()
            return
        self._idle.append(connection)
        with suppress(IndexError):  # another thread may have taken it
            if self._idle[0].is_old:
                self._idle.popleft().close()

    async def open(self, wire: Wire, ends: float) -> Connection:
        """A new connection."""
        address = self.address
        via = address.proxy or address
        sock = await open_socket(wire, via.host, via.port, ends)
        try:
            if not address.tls:
                return Connection(Plain(sock))
            if address.proxy:
                await _tunnel(wire, Connection(Plain(sock)), address, address.proxy, ends)
            encrypted = Encrypted(sock, address.host)
            await encrypted.shake_hands(wire, ends)
            return Connection(encrypted)
        except BaseException:
            sock.close()
            raise


@lru_cache(maxsize=16)
def pool_of(address: Address) -> Pool:
    """The pool of an address, one for all models of this process.

    Copies of a model for each rollout would open a connection each otherwise. The addresses used last
    are kept; the pool of another ends with the last model that holds it.
    """
    return Pool(address)


async def _tunnel(wire: Wire, connection: Connection, address: Address, proxy: Proxy, ends: float) -> None:
    """Have the proxy connect through to the server."""
    target = f"{bracketed(address.host)}:{address.port}"
    headers = [("Host", target)] + ([("Proxy-Authorization", proxy.login)] if proxy.login else [])
    await connection.ask(wire, h11.Request(method="CONNECT", target=target, headers=headers), b"", ends)
    answer = await connection.next_event(wire, ends)
    while isinstance(answer, h11.InformationalResponse):
        answer = await connection.next_event(wire, ends)
    if not isinstance(answer, h11.Response) or answer.status_code >= 300:
        status = getattr(answer, "status_code", "nothing")
        raise ConnectError(f"the proxy {proxy.host}:{proxy.port} answered {status}")


def _close_all(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()
