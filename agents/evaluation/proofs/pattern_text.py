"""A short text that a regular expression finds, for patterns without look-arounds and references."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from typing import Any

_LONGEST = 400  # characters of a part that is repeated
_WORDS = "a 0_-.,:/()#@" + string.printable + "é√\u4e00"  # tried in turn where a class leaves the choice


def matching_text(pattern: str) -> str | None:
    r"""A text in which the pattern is found; None where none was found out.

    >>> matching_text(r"(?i)^(oz|ounces?)$"), matching_text(r"2026-03-30|\b30(th)? (of )?Mar"), matching_text(r"a(?=b)")
    ('oz', '2026-03-30', None)
    """
    try:
        text = "".join(_texts(_parsed(pattern)))
    except (re.error, _UnknownError, RecursionError, OverflowError):
        return None
    return text if len(text) < 1_000 and re.search(pattern, text) else None


class _UnknownError(Exception):
    """A part of a pattern that is not made into text."""


def _parsed(pattern: str) -> Any:
    # The parser of `re` has no public name; it has had this one since Python 3.11.
    from re import _parser  # type: ignore[attr-defined]  # not in typeshed, for the same reason

    return _parser.parse(pattern)


def _texts(parts: Iterable[Any]) -> Iterable[str]:
    for kind, value in parts:
        yield _MADE.get(str(kind), _unknown)(value)


def _unknown(value: Any) -> str:
    raise _UnknownError


def _repeated(value: Any) -> str:
    least, _, inner = value
    text = "".join(_texts(inner))
    if len(text) * int(least) > _LONGEST:
        raise _UnknownError
    return text * int(least)


def _of_class(value: Any) -> str:
    if str(value[0][0]) == "NEGATE":
        bad = [_members(one) for one in value[1:]]
        return _one(lambda one: not any(has(one) for has in bad))
    kind, first = value[0]
    if str(kind) == "LITERAL":
        return chr(first)
    if str(kind) == "RANGE":
        return chr(first[0])
    has = _members(value[0])
    return _one(has)


def _one(fits: Callable[[str], bool]) -> str:
    """A character that fits."""
    found = next(filter(fits, _WORDS), None)
    if found is None:
        raise _UnknownError
    return found


def _members(part: Any) -> Callable[[str], bool]:
    """Whether a character is in a part of a class."""
    kind, value = part
    match str(kind):
        case "LITERAL":
            return lambda one: ord(one) == value
        case "RANGE":
            return lambda one: bool(value[0] <= ord(one) <= value[1])
        case "CATEGORY":
            sign = _CATEGORIES.get(str(value))
            if sign is not None:
                return lambda one: re.fullmatch(sign, one) is not None
    raise _UnknownError


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}

_MADE: dict[str, Callable[[Any], str]] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda value: _one(lambda one: ord(one) != value),
    "ANY": lambda value: "a",
    "AT": lambda value: "",
    "IN": _of_class,
    "BRANCH": lambda value: "".join(_texts(value[1][0])),
    "SUBPATTERN": lambda value: "".join(_texts(value[3])),
    "ATOMIC_GROUP": lambda value: "".join(_texts(value)),
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
}
