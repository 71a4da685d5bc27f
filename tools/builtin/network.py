"""Connections to public addresses only, within a time that covers everything.

The address is checked where it is dialled: the name is resolved here, each address it has is checked, and the
checked address itself is connected to. So neither a name that resolves to another address the second time, nor a
redirect, nor an unusual spelling of an address gets past it.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from ..errors import ToolFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) must carry a public one.

    >>> is_public(ipaddress.ip_address("93.184.216.34")), is_public(ipaddress.ip_address("169.254.169.254"))
    (True, False)
    """
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return (
            isinstance(address, ipaddress.IPv6Address)
            and address in _NAT64
            and is_public(_last_four(address))
        )
    if isinstance(address, ipaddress.IPv4Address):
        return True
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        carried.append(_last_four(address))
    return address not in _SITE_LOCAL and all(is_public(one) for one in carried if one is not None)


def _last_four(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(address.packed[-4:])


class PublicNetwork(httpcore.NetworkBackend):
    """The network below httpcore: dials public addresses only, and stops at the deadline.

    `allow` names addresses that are let through although they are not public (for tests, or for an intranet that
    the user trusts the model with).
    """

    def __init__(self, seconds: float, allow: Iterable[str] = ()) -> None:
        self._deadline = time.monotonic() + seconds
        self._allow = frozenset(ipaddress.ip_address(one) for one in allow)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: httpcore's own alias for what setsockopt takes
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's public addresses that answers."""
        failure: Exception | None = None
        for address in self._public_addresses(host, port):
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, left(self._deadline, timeout), local_address, socket_options
                )
                return _Timed(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _public_addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise ToolFailed(f"there is no host {host}") from error
        addresses = dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found)
        public = [one for one in addresses if self._may_dial(ipaddress.ip_address(one))]
        if not public:
            raise ToolFailed(f"{host} is not on the public internet; only public pages can be fetched")
        return public

    def _may_dial(self, address: Address) -> bool:
        return address in self._allow or is_public(address)


class _Timed(httpcore.NetworkStream):
    """A connection on which every wait ends at the deadline, however slowly the bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, left(self._deadline, timeout))
        return _Timed(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # Any: what httpcore declares
        return self._stream.get_extra_info(info)


def left(deadline: float, timeout: float | None) -> float:
    """The seconds until the deadline, or the timeout where that is shorter."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise httpcore.ReadTimeout("the time for this page is over")
    return remaining if timeout is None else min(remaining, timeout)
