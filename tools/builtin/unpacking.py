"""A page's body unpacked (gzip, deflate) piece by piece, and only as far as it is wanted."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from ..errors import ToolFailed

_PIECE = 65_536  # bytes unpacked at a time, whatever they were packed into
_EITHER, _RAW = (
    47,
    -15,
)  # zlib's window bits: gzip or zlib as the first bytes say; deflate with nothing around it


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body's bytes; a small body that unpacks into a huge one is unpacked piece by piece, and no further.

    What follows the end of the packed data is left alone. Raises `ToolFailed`.

    >>> b"".join(unpacked([zlib.compress(b"pack"), b"?"], "deflate"))
    b'pack'
    """
    if encoding in ("", "identity"):
        return iter(chunks)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ToolFailed(f"the page is packed in a way that was not asked for: {encoding[:40]}")
    return _inflated(iter(chunks), raw=encoding == "deflate")


def _inflated(chunks: Iterator[bytes], *, raw: bool) -> Iterator[bytes]:
    first = next((chunk for chunk in chunks if chunk), b"")
    unpacker = zlib.decompressobj(_RAW if raw and not _has_zlib_header(first) else _EITHER)
    for chunk in chain((first,), chunks):
        if unpacker.eof:  # more would only pile up in it
            return
        yield from _pieces(unpacker, chunk)
    yield unpacker.flush()
    if first and not unpacker.eof:
        raise ToolFailed("the page is packed, and damaged: its end is missing")


def _pieces(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while packed and not unpacker.eof:
        try:
            yield unpacker.decompress(packed, _PIECE)
        except zlib.error:
            raise ToolFailed("the page is packed, and damaged") from None
        packed = unpacker.unconsumed_tail


def _has_zlib_header(beginning: bytes) -> bool:
    """Whether packed data begins as RFC 1950 says; many servers leave that away and send RFC 1951 alone."""
    return len(beginning) >= 2 and beginning[0] & 0x0F == 8 and int.from_bytes(beginning[:2]) % 31 == 0
