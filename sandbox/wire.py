"""Frames between host and worker: four bytes of length, then one JSON object in ASCII.

Neither side trusts the other's frames beyond this: a frame that is too long, is no JSON object or nests
too deeply is a `WireError`, and the connection is of no more use.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping

HEADER = struct.Struct(">I")
REQUEST, ANSWER = struct.Struct(">cI"), struct.Struct(">ii")  # between host and zygote: see `zygote`


class WireError(Exception):
    """The other side sent something that is no frame, or went away."""


def pack(message: Mapping[str, object]) -> bytes:
    r"""A message as bytes to send.

    >>> pack({"op": "ok"})
    b'\x00\x00\x00\x0c{"op": "ok"}'
    """
    body = json.dumps(message).encode("ascii")
    return HEADER.pack(len(body)) + body


def read(receive: Callable[[int], bytes], limit: int) -> dict[str, object]:
    """Read one message of at most `limit` bytes; `receive(n)` gives 1 to n bytes, none at the end."""
    (length,) = HEADER.unpack(_exactly(receive, HEADER.size))
    if length > limit:
        raise WireError(f"a frame of {length} bytes; at most {limit} may come")
    try:
        message = json.loads(_exactly(receive, length))
    except (ValueError, RecursionError) as error:
        raise WireError(f"a frame that can't be read: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise WireError("a frame that is no object")
    return message


def _exactly(receive: Callable[[int], bytes], count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = receive(min(count - len(parts), 1 << 20))
        if not part:
            raise WireError("the connection ended")
        parts += part
    return bytes(parts)
