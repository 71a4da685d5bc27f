"""TLS over a `Wire`: the same bytes, encrypted. Certificates are always checked."""

from __future__ import annotations

import os
import ssl
from functools import cache
from socket import socket
from time import monotonic

from .wire import CHUNK, ConnectTimeoutError, Wire


class Plain:
    """A connection whose bytes go as they are."""

    def __init__(self, sock: socket) -> None:
        self.sock = sock

    async def send(self, wire: Wire, data: bytes, ends: float) -> None:
        """Send all of it."""
        await wire.send(self.sock, data, ends)

    async def receive(self, wire: Wire, ends: float) -> bytes:
        """The bytes that are there; none at the end."""
        return await wire.receive(self.sock, ends)


class Encrypted:
    """A connection whose bytes are encrypted; `shake_hands` comes first."""

    def __init__(self, sock: socket, host: str) -> None:
        self.sock = sock
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trusted().wrap_bio(self._arrived, self._leaving, server_hostname=host)

    async def shake_hands(self, wire: Wire, ends: float) -> None:
        """Agree on keys, and check the server's certificate."""
        try:
            while True:
                try:
                    self._tls.do_handshake()
                except ssl.SSLWantReadError:
                    await self._flush(wire, ends)
                    await self._take_in(wire, ends)
                else:
                    await self._flush(wire, ends)
                    return
        except ssl.SSLError:
            if self._leaving.pending:  # the alert that tells the server why
                await self._flush(wire, min(ends, monotonic() + 1))
            raise
        except TimeoutError:
            raise ConnectTimeoutError("no TLS handshake in time") from None

    async def send(self, wire: Wire, data: bytes, ends: float) -> None:
        """Send all of it."""
        self._tls.write(data)
        await self._flush(wire, ends)

    async def receive(self, wire: Wire, ends: float) -> bytes:
        """The bytes that are there; none at the end."""
        while True:
            try:
                return self._tls.read(CHUNK)
            except ssl.SSLWantReadError:
                await self._flush(wire, ends)
                await self._take_in(wire, ends)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def _flush(self, wire: Wire, ends: float) -> None:
        if self._leaving.pending:
            await wire.send(self.sock, self._leaving.read(), ends)

    async def _take_in(self, wire: Wire, ends: float) -> None:
        data = await wire.receive(self.sock, ends)
        if data:
            self._arrived.write(data)
        else:
            self._arrived.write_eof()


def trusted() -> ssl.SSLContext:
    """Whom to trust: SSL_CERT_FILE and SSL_CERT_DIR where they are set, else the authorities that certifi lists."""
    return _trusting(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache
def _trusting(file: str, folder: str) -> ssl.SSLContext:
    if file or folder:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    else:
        import certifi

        context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
