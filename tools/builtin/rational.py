"""Exact arithmetic on fractions, bounded: the common case of `calculate`, without sympy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from ..errors import ToolFailed
from .expression import TooLong

_MAX_BITS = 66_000  # of a numerator or a denominator: about 20,000 digits
_MAX_FACTORIAL = 5_000
_MAX_PLACES = 100  # of round(x, places)


class Irrational(Exception):  # noqa: N818 - no failure: it says that this value wants the other algebra
    """The value is no fraction."""


class RationalAlgebra:
    """Computes with fractions; raises `Irrational` for what is none."""

    def number(self, value: Fraction) -> Fraction:
        """A literal."""
        return value

    def constant(self, name: str) -> Fraction:
        """Neither pi nor e is a fraction."""
        raise Irrational(name)

    def apply(self, name: str, args: Sequence[Fraction]) -> Fraction:
        """An operator or a function, exactly."""
        rule = _RULES.get(name)
        if rule is None:
            raise Irrational(name)
        return bounded(rule(*args))


def bounded(value: Fraction) -> Fraction:
    """The value, unless it is too long to go on with."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise TooLong("the result is too long to compute exactly: more than 20,000 digits")
    return value


def whole(value: Fraction, name: str) -> int:
    """The value as an integer, for functions that take no other."""
    if value.denominator != 1:
        raise ToolFailed(f"{name} takes whole numbers only")
    return value.numerator


def _divide(a: Fraction, b: Fraction) -> Fraction:
    if not b:
        raise ToolFailed("division by zero")
    return a / b


def _floor_divide(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(math.floor(_divide(a, b)))


def _modulo(a: Fraction, b: Fraction) -> Fraction:
    if not b:
        raise ToolFailed("division by zero")
    return a % b


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        return _root_power(base, exponent)
    if not base:
        if exponent < 0:
            raise ToolFailed("division by zero: 0 to a negative power")
        return Fraction(0 if exponent else 1)
    if abs(base) == 1:
        return base if exponent.numerator % 2 else Fraction(1)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (bits - 1) * abs(exponent.numerator) > _MAX_BITS:
        raise TooLong("the power is too long to compute exactly: more than 20,000 digits")
    return base**exponent.numerator


def _root_power(base: Fraction, exponent: Fraction) -> Fraction:
    """A power with a fraction for its exponent, where it is exact; of a negative base the real root."""
    if not base:
        if exponent < 0:
            raise ToolFailed("division by zero: 0 to a negative power")
        return Fraction(0)
    if base < 0:
        if exponent.denominator % 2 == 0:
            raise ToolFailed("an even root of a negative number is no real number")
        size = _root_power(-base, exponent)
        return -size if exponent.numerator % 2 else size
    numerator = _exact_root(base.numerator, exponent.denominator)
    denominator = _exact_root(base.denominator, exponent.denominator)
    return _power(Fraction(numerator, denominator), Fraction(exponent.numerator))


def _exact_root(value: int, degree: int) -> int:
    bits = value.bit_length()
    if degree == 2:
        root = math.isqrt(value)
    elif bits > 1_000 or degree > bits > 1:  # past a float's range, or between 1 and 2
        raise Irrational
    else:
        root = round(value ** (1 / degree))
    if root**degree != value:
        raise Irrational
    return root


def _square_root(value: Fraction) -> Fraction:
    if value < 0:
        raise ToolFailed("the square root of a negative number is no real number")
    return _root_power(value, Fraction(1, 2))


def _round(value: Fraction, places: Fraction = Fraction(0)) -> Fraction:
    """Round halves away from zero, as at school; Python's own rounds 2.5 to 2."""
    digits = whole(places, "round's number of places")
    if abs(digits) > _MAX_PLACES:
        raise ToolFailed(f"round goes to at most {_MAX_PLACES} places")
    scale = Fraction(10) ** digits
    size = Fraction(math.floor(abs(value) * scale + Fraction(1, 2))) / scale
    return -size if value < 0 else size


def _factorial(value: Fraction) -> Fraction:
    n = whole(value, "factorial")
    if n < 0:
        raise ToolFailed("factorial takes no negative number")
    if n > _MAX_FACTORIAL:
        raise TooLong(f"factorial goes up to {_MAX_FACTORIAL:,}")
    return Fraction(math.factorial(n))


def _lcm(*values: Fraction) -> Fraction:
    result = 1
    for value in values:  # one by one: each is bounded before the next
        result = bounded(Fraction(math.lcm(result, whole(value, "lcm")))).numerator
    return Fraction(result)


def _total(*values: Fraction) -> Fraction:
    result = Fraction(0)
    for value in values:
        result = bounded(result + value)
    return result


_RULES: dict[str, Callable[..., Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "//": _floor_divide,
    "mod": _modulo,
    "^": _power,
    "pow": _power,
    "neg": lambda a: -a,
    "abs": abs,
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "round": _round,
    "sqrt": _square_root,
    "cbrt": lambda a: _root_power(a, Fraction(1, 3)),
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "sum": _total,
    "mean": lambda *values: _total(*values) / len(values),
    "gcd": lambda *values: Fraction(math.gcd(*(whole(one, "gcd") for one in values))),
    "lcm": _lcm,
    "factorial": _factorial,
}
