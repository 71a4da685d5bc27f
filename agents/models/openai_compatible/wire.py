"""How bytes move: blocking, or on an event loop, under one set of names.

What is above is written once, as coroutines over a `Wire`. The leaves of `Blocking` block and never
suspend, so `finished` can run such a coroutine without an event loop; those of `OnLoop` wait on the
running one. Either way the sockets are plain ones that belong to no loop: a connection that one event
loop opened serves the next, and a blocking call.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Coroutine
from concurrent.futures import Future
from time import monotonic
from typing import Any, Protocol, TypeVar

from ..deadline import started

T = TypeVar("T")

CHUNK = 65536

Found = tuple[
    socket.AddressFamily, socket.SocketKind, int, Any
]  # what a socket is made of, and where it goes


class ConnectError(OSError):
    """There is no connection to a server."""


class ConnectTimeoutError(ConnectError):
    """There was no connection to a server in time."""


class NothingSentError(ConnectionError):
    """A connection was found broken before a byte of a request went out."""


class Wire(Protocol):
    """The leaves. `ends` is the moment, by `monotonic`, after which a leaf raises `TimeoutError`.

    `keeps` says whether a connection may be kept for another call.
    """

    @property
    def keeps(self) -> bool:
        """Whether a connection may be kept."""

    async def resolve(self, host: str, port: int, ends: float) -> list[Found]:
        """The addresses of a host."""

    async def connect(self, sock: socket.socket, address: object, ends: float) -> None:
        """Connect a socket."""

    async def send(self, sock: socket.socket, data: bytes, ends: float) -> None:
        """Send all of it; `NothingSentError` if the connection broke before the first byte."""

    async def receive(self, sock: socket.socket, ends: float) -> bytes:
        """The bytes that are there, at least one; none at the stream's end."""


class Blocking:
    """Leaves that block."""

    keeps = True

    async def resolve(self, host: str, port: int, ends: float) -> list[Found]:
        """The addresses of a host."""
        return _written_out(host, port) or _looked_up(host, port).result(_left(ends))

    async def connect(self, sock: socket.socket, address: Any, ends: float) -> None:
        """Connect a socket."""
        sock.settimeout(_left(ends))
        sock.connect(address)

    async def send(self, sock: socket.socket, data: bytes, ends: float) -> None:
        """Send all of it."""
        sock.settimeout(_left(ends))
        sent = _begin(sock, data)
        while sent < len(data):
            sock.settimeout(_left(ends))
            sent += sock.send(memoryview(data)[sent:])

    async def receive(self, sock: socket.socket, ends: float) -> bytes:
        """The bytes that are there."""
        sock.settimeout(_left(ends))
        return sock.recv(CHUNK)


class OnLoop:
    """Leaves that wait on the running event loop."""

    keeps = sys.platform != "win32"  # there a socket stays with the event loop that first waited for it

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def resolve(self, host: str, port: int, ends: float) -> list[Found]:
        """The addresses of a host, asked for in a thread that nothing waits for."""
        async with asyncio.timeout(_left(ends)):
            return _written_out(host, port) or await asyncio.wrap_future(_looked_up(host, port))

    async def connect(self, sock: socket.socket, address: Any, ends: float) -> None:
        """Connect a socket."""
        sock.setblocking(False)
        async with asyncio.timeout(_left(ends)):
            await self._loop.sock_connect(sock, address)

    async def send(self, sock: socket.socket, data: bytes, ends: float) -> None:
        """Send all of it; the caller's own timeout ends it."""
        sock.setblocking(False)
        try:
            sent = _begin(sock, data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            await self._loop.sock_sendall(sock, memoryview(data)[sent:])

    async def receive(self, sock: socket.socket, ends: float) -> bytes:
        """The bytes that are there; the caller's own timeout ends the wait."""
        return await self._loop.sock_recv(sock, CHUNK)


async def open_socket(wire: Wire, host: str, port: int, ends: float) -> socket.socket:
    """A connected socket. Of several addresses each gets its share of the time; `ConnectError` if none answers."""
    try:
        found = await wire.resolve(host, port, ends)
        for place, (family, kind, protocol, address) in enumerate(found):
            share = (ends - monotonic()) / (len(found) - place)
            try:
                return await _connected(wire, socket.socket(family, kind, protocol), address, share)
            except OSError:
                if place == len(found) - 1:
                    raise
        raise ConnectError(f"{host} has no address")
    except TimeoutError:
        raise ConnectTimeoutError("no connection in time") from None
    except OSError as error:
        raise ConnectError(str(error)) from error


async def _connected(wire: Wire, sock: socket.socket, address: object, seconds: float) -> socket.socket:
    try:
        await wire.connect(sock, address, monotonic() + seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def is_silent(sock: socket.socket) -> bool:
    """Whether an idle connection is as it should be: open, and with nothing to read."""
    try:
        sock.setblocking(False)
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False  # the server closed it, or said something that nobody asked for


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine over `Blocking` leaves returns: it runs to its end at once."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking call waited for an event loop")


def _left(ends: float) -> float:
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError("no time left")
    return left


def _begin(sock: socket.socket, data: bytes) -> int:
    try:
        return sock.send(data)
    except ConnectionError as error:
        raise NothingSentError(str(error)) from error


def _written_out(host: str, port: int) -> list[Found]:
    """The address that a host is written as, in figures; none for a name."""
    try:
        return _ask_resolver(host, port, socket.AI_NUMERICHOST)
    except OSError:
        return []


def _looked_up(host: str, port: int) -> Future[list[Found]]:
    return started(lambda: _ask_resolver(host, port))


def _ask_resolver(host: str, port: int, flags: int = 0) -> list[Found]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]
