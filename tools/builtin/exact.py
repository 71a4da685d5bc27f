"""Exact numbers as short text, with a decimal beside them where they have no short one."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction

from .numbers import short

_DECIMAL_DIGITS = 12  # a decimal of so many significant digits is shown as it is
_MAX_EXACT = 40  # characters of an exact form beside its approximation
_MAX_WHOLE_DIGITS = 1_000
_WIDE = Context(prec=200)  # digits: no rounding of what is shown at 10


def shown(value: Fraction) -> str:
    """A fraction as an integer or a short decimal where it is one, else exactly and approximately.

    >>> shown(Fraction(3, 4)), shown(Fraction(10, 3))
    ('0.75', '10/3 ≈ 3.333333333')
    """
    if value.denominator == 1:
        return _shown_whole(value.numerator)
    decimal = _terminating(value)
    if decimal is not None and len(decimal) <= _MAX_EXACT:
        if len(decimal.replace(".", "").lstrip("-0")) <= _DECIMAL_DIGITS:
            return decimal
        return f"{decimal} ≈ {_approximate(value)}"
    # a look at the size before text is made of it
    brief = max(value.numerator.bit_length(), value.denominator.bit_length()) < 140
    return _beside(f"{value.numerator}/{value.denominator}" if brief else "", _approximate(value))


def shown_expression(exact: object, approx: Decimal) -> str:
    """A sympy number that is no fraction, exactly where that is short, and approximately."""
    return _beside(expression_text(exact), short(approx))


def expression_text(exact: object) -> str:
    """A sympy expression in the words of our own grammar, "" where its whole numbers are too long for text."""
    try:
        text = str(exact)
    except ValueError:  # whole numbers in it of thousands of digits
        return ""
    return re.sub(r"\bE\b", "e", text)


def _beside(exact: str, approx: str) -> str:
    return f"{exact} ≈ {approx}" if exact and len(exact) <= _MAX_EXACT else f"≈ {approx}"


def _shown_whole(value: int) -> str:
    digits = Decimal(value).adjusted() + 1
    if digits <= _MAX_WHOLE_DIGITS:
        return str(value)
    return f"≈ {_approximate(Fraction(value))} ({digits:,} digits)"


def _terminating(value: Fraction) -> str | None:
    """The whole of a decimal that ends, None where it does not or is long."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0 and count <= _MAX_EXACT:
            rest //= prime
            count += 1
        places = max(places, count)
    if rest != 1 or value.numerator.bit_length() > 200:
        return None
    return f"{Decimal(value.numerator * 10**places // value.denominator).scaleb(-places, _WIDE):f}"


def _approximate(value: Fraction) -> str:
    return short(_WIDE.divide(Decimal(value.numerator), Decimal(value.denominator)))
