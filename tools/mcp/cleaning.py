"""What a server says of itself, made fit for a prompt and a terminal."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def clean(text: str, limit: int) -> str:
    r"""Text without terminal sequences and invisible characters, of at most `limit` characters.

    Invisible are controls, marks of direction, joiners, tags and the like: a person who reads the text must
    see all that a model does.

    >>> clean("\x1b[31mRed\x1b[0m\u202e\U000e0041 and\nblue", 80)
    'Red and\nblue'
    >>> clean("a" * 100, 40)
    'aaaaaaaaa… (91 more characters left out)'
    """
    shown = _visible(text[: 4 * limit]).strip()
    more = len(shown) + max(len(text) - 4 * limit, 0) - limit
    if more <= 0:
        return shown
    note = f"… ({more + 31:,} more characters left out)"
    return shown[: max(limit - len(note), 0)].rstrip() + note


def one_line(text: str, limit: int) -> str:
    r"""The same, on one line.

    >>> one_line("two\nlines \x1b[0m here", 80)
    'two lines here'
    """
    return " ".join(_visible(text[: 4 * limit]).split())[:limit]


def _visible(text: str) -> str:
    bare = _ESCAPES.sub("", text)
    if bare.isascii() and bare.isprintable():
        return bare
    return "".join(
        one for one in bare.replace("\r\n", "\n") if one in "\n\t" or unicodedata.category(one)[0] != "C"
    )
