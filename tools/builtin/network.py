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
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from ..errors import ToolFailed
from ..threads import spawn

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]  # the addresses of a host, as text; raises OSError for none

_PATIENCE = 5.0  # seconds at most for one of several addresses to answer

# What the IANA registries of special-purpose addresses (RFC 6890) keep from the public internet, and no less: Python's own
# `is_global` has changed from one patch release to the next.
_NOT_PUBLIC_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # a provider's own; Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's wire server, a public address that leads into every machine's host
            "169.254.0.0/16",  # link-local; everybody else's metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PUBLIC_V6 = ipaddress.IPv6Network(
    "2000::/3"
)  # all that has been given out; no mapped, private or multicast address
_NOT_PUBLIC_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo, which carries an IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries an IPv4 address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet.

    An IPv6 address that carries an IPv4 one does not, but for NAT64 with a public one: a network
    without IPv4 reaches the rest of the internet by these.

    >>> is_public(ipaddress.ip_address("93.184.216.34")), is_public(ipaddress.ip_address("169.254.169.254"))
    (True, False)
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address in _NAT64:
        return is_public(_last_four(address))
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses that the system knows for a host, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def _last_four(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(address.packed[-4:])


class PublicNetwork(httpcore.NetworkBackend):
    """The network below httpcore: dials public addresses only, and stops at the deadline (of the monotonic clock).

    `allow` names addresses that are let through although they are not public (for tests, or for an intranet that
    the user trusts the model with).
    """

    def __init__(
        self, deadline: float, allow: Iterable[str] = (), resolver: Resolver = system_resolver
    ) -> None:
        self._deadline = deadline
        self._allow = frozenset(ipaddress.ip_address(one) for one in allow)
        self._resolver = resolver

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
        addresses = self._public_addresses(host, port, timeout)
        for address in addresses:
            patience = left(self._deadline, timeout)
            if address != addresses[-1]:
                patience = min(patience / 2, _PATIENCE)
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, patience, local_address, socket_options
                )
                return _Timed(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _public_addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        # in a thread of its own, as a resolver knows no time limit
        resolving = spawn(lambda: list(self._resolver(host, port)), "resolver")
        try:
            found = resolving.result(left(self._deadline, timeout))
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise ToolFailed(f"there is no host {host[:200]}") from error
        addresses = dict.fromkeys(one.partition("%")[0] for one in found)
        public = [one for one in addresses if self._may_dial(ipaddress.ip_address(one))]
        if not public:
            raise ToolFailed(f"{host[:200]} is not on the public internet; only public pages can be fetched")
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
