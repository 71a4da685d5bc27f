"""Comparing answers: the same text but for its form, the same number, the same value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Set
from decimal import Decimal
from fractions import Fraction

from ...text import MAX_READ, words

CLOSE = 1e-9  # numbers nearer than this, relative to their size, are one number: floats are not exact
TINY = 1e-12  # the same where the number is 0

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-+−]?)[$€£¥]?\s?"
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(?P<part>\.\d+)?(?P<power>[eE][-+]?\d+)?(?!\.?\d)"
)


def numbers_in(text: str) -> list[float]:
    """The different numbers in a text, in order; digits inside of words and the parts of dates are none.

    >>> numbers_in("1,200 in room B12 on 2026-01-31 at -3.5 or 1200.0")
    [1200.0, -3.5]
    """
    found: dict[float, None] = {}
    for match in _NUMBER.finditer(_DATE.sub("", text[:MAX_READ])):
        number = float(f"{match['whole']}{match['part'] or ''}{match['power'] or ''}".replace(",", ""))
        if math.isfinite(number):
            found[-number if match["sign"] in ("-", "−") else number] = None
    return list(found)


def one_number(value: object) -> float | None:
    """The number that a value is, or that a text holds as its only one; None otherwise.

    >>> one_number("It comes to $12.50."), one_number("3 or 4"), one_number(True)
    (12.5, None, None)
    """
    if isinstance(value, str):
        found = numbers_in(value)
        return found[0] if len(found) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def same_value(wanted: object, given: object) -> bool:
    """Whether two answers say the same.

    Texts by their words, texts that are numbers by the number; numbers to within rounding; a bool only
    equals a bool; lists, mappings and sets by their members; everything else by `==`.

    >>> same_value("12", "12.0"), same_value([1, "One"], (1.0, "one")), same_value(True, 1)
    (True, True, False)
    """
    if isinstance(wanted, str) and isinstance(given, str):
        return _same_text(wanted, given)
    return _same(wanted, given, same_value)


def identical(wanted: object, given: object) -> bool:
    """As `same_value`, but texts must be the same to the letter: how arguments of calls are compared.

    >>> identical("a", "A"), identical(0.1 + 0.2, 0.3)
    (False, True)
    """
    if isinstance(wanted, str) and isinstance(given, str):
        return wanted == given
    return _same(wanted, given, identical)


def _same(wanted: object, given: object, inner: Callable[[object, object], bool]) -> bool:
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    if isinstance(wanted, _NUMBERS) and isinstance(given, _NUMBERS):
        return wanted == given or _close(wanted, given)
    if isinstance(wanted, list | tuple) and isinstance(given, list | tuple):
        return len(wanted) == len(given) and all(map(inner, wanted, given))
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        return wanted.keys() == given.keys() and all(inner(wanted[key], given[key]) for key in wanted)
    if isinstance(wanted, Set) and isinstance(given, list | tuple | Set):
        return len(wanted) == len(given) and all(any(inner(w, g) for g in given) for w in wanted)
    return bool(wanted == given)


_NUMBERS = (int, float, Decimal, Fraction)


def _close(wanted: float | Decimal | Fraction, given: float | Decimal | Fraction) -> bool:
    try:
        return near(float(wanted), float(given))
    except OverflowError:
        return False


def near(wanted: float, given: float, tol: float = 0.0) -> bool:
    """Whether two numbers differ by no more than `tol`, beyond what floats can hold.

    >>> near(0.3, 0.1 + 0.2), near(100, 101, 1), near(100, 101.1, 1)
    (True, True, False)
    """
    return abs(wanted - given) <= tol + CLOSE * abs(wanted) + TINY


def _same_text(wanted: str, given: str) -> bool:
    if wanted == given or words(wanted) == words(given):
        return True
    right, said = _as_number(wanted), _as_number(given)
    return right is not None and said is not None and _close(right, said)


def _as_number(text: str) -> float | None:
    """The number that a text is, with nothing beside it but a currency or a per cent sign."""
    bare = text.strip(" \t\n.").removesuffix("%").rstrip()
    match = _NUMBER.fullmatch(bare)
    return one_number(bare) if match else None


def contains_text(text: str, part: str) -> bool:
    """Whether a part occurs in a text as whole words, case, spacing and quotes aside.

    >>> contains_text("Order #17 is “refunded”.", "Refunded"), contains_text("order 170", "17")
    (True, False)
    """
    folded, wanted = _folded(text), _folded(part)
    if not wanted:
        return True
    before = r"(?<!\w)" if wanted[0].isalnum() else ""
    after = r"(?!\w)" if wanted[-1].isalnum() else ""
    if wanted[0].isdigit():
        before = r"(?<!\w)(?<!\d[.,])"
    if wanted[-1].isdigit():
        after = r"(?!\w)(?![.,]\d)"
    return re.search(f"{before}{re.escape(wanted)}{after}", folded) is not None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text[:MAX_READ]).casefold().split())
