"""`calculate`: arithmetic, exact where it can be."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction

from ..errors import ToolFailed
from ..tool import Tool
from .expression import compute
from .numbers import short
from .rational import Irrational, RationalAlgebra

_SECONDS = 30  # generous: the first irrational result imports sympy, seconds on a busy machine
_DECIMAL_DIGITS = 12  # a decimal of so many significant digits is shown as it is
_MAX_EXACT = 40  # characters of an exact form beside its approximation
_MAX_WHOLE_DIGITS = 1_000
_WIDE = Context(prec=200)  # digits: no rounding of what is shown at 10


def calculate(expression: str) -> str:
    """Compute an arithmetic expression exactly.

    Operators: + - * / ^ % (percent, or remainder between two numbers), parentheses, "15% of 80".
    Functions: sqrt abs round floor ceil min max sum mean log ln log10 exp sin cos tan factorial gcd lcm; pi, e.

    Args:
        expression: For example "3 * (4.5 + 2)" or "round(19.99 * 1.2, 2)"; log is natural, angles are
            radians or degrees as in sin(30°), round takes halves away from zero.

    >>> calculate("0.1 + 0.2"), calculate("15% of 80"), calculate("10 / 3"), calculate("sqrt(2)")
    ('0.3', '12', '10/3 ≈ 3.333333333', 'sqrt(2) ≈ 1.414213562')
    """
    try:
        return _shown(compute(expression, RationalAlgebra()))
    except Irrational:
        return _computed_symbolically(expression)


def calculate_tool() -> Tool:
    """`calculate` as a tool."""
    return Tool(calculate, effect="pure", timeout=_SECONDS)


def _computed_symbolically(expression: str) -> str:
    import sympy

    from .symbolic import SymbolicAlgebra

    try:
        value = compute(expression, SymbolicAlgebra())
        exact = sympy.expand_mul(value.exact) if value.exact.count_ops() <= 30 else value.exact
    except ToolFailed:
        raise
    except Exception as error:
        raise ToolFailed("sympy can't compute this; try it in smaller steps") from error
    if exact.is_Rational:
        return _shown(Fraction(int(exact.p), int(exact.q)))
    approx = short(Decimal(str(value.approx)))
    text = _exact_text(exact)
    return f"{text} ≈ {approx}" if text and len(text) <= _MAX_EXACT else f"≈ {approx}"


def _exact_text(exact: object) -> str:
    try:
        text = str(exact)
    except ValueError:  # whole numbers in it of thousands of digits
        return ""
    return re.sub(r"\bE\b", "e", text)


def _shown(value: Fraction) -> str:
    """A fraction as an integer or a short decimal where it is one, else exactly and approximately."""
    if value.denominator == 1:
        return _shown_whole(value.numerator)
    decimal = _terminating(value)
    if decimal is not None and len(decimal) <= _MAX_EXACT:
        if len(decimal.replace(".", "").lstrip("-0")) <= _DECIMAL_DIGITS:
            return decimal
        return f"{decimal} ≈ {_approximate(value)}"
    short = (
        max(value.numerator.bit_length(), value.denominator.bit_length()) < 140
    )  # before text is made of it
    exact = f"{value.numerator}/{value.denominator}" if short else ""
    return (
        f"{exact} ≈ {_approximate(value)}"
        if exact and len(exact) <= _MAX_EXACT
        else f"≈ {_approximate(value)}"
    )


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
