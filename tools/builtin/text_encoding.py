"""Whether a file is text, and in which encoding."""

from __future__ import annotations

import codecs


def text_encoding(beginning: bytes) -> str | None:
    r"""The encoding of a text file by its first bytes: UTF-16 with a byte order mark, else UTF-8; None for no text.

    >>> text_encoding(b"plain"), text_encoding(b"\x7fELF\x00")
    ('utf-8-sig', None)
    """
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None if b"\x00" in beginning else "utf-8-sig"
