"""What fractions can't do: roots, logarithms, angles, pi and e, by sympy.

sympy gets objects that our own parser made, never text. Every value carries a numeric approximation, and what
could take long (huge powers, huge exponents) is refused by its size before sympy sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from ..errors import ToolFailed
from .expression import TooLong
from .rational import Irrational, RationalAlgebra

_MAX_LOG10 = 1_000.0  # values go from 10^-1000 to 10^1000
_MAX_BITS = 3_400  # of a fraction that sympy takes a root or a logarithm of: about 1,000 digits
_DIGITS = 30  # of the approximations
_WORKING_DIGITS = 2_500  # to which sympy may go where large parts cancel
_LN10 = 2.302585092994046

# sympy publishes no types: its expressions are Any here
Expr = Any


@dataclass(frozen=True, slots=True)
class Value:
    """An exact expression, and the same as a number of 30 digits."""

    exact: Expr
    approx: Expr

    @property
    def fraction(self) -> Fraction | None:
        """The value as a fraction, None where it is none."""
        return Fraction(int(self.exact.p), int(self.exact.q)) if self.exact.is_Rational else None


class SymbolicAlgebra:
    """Computes with sympy expressions, and with fractions as long as all operands are such."""

    def __init__(self) -> None:
        self._rational = RationalAlgebra()

    def number(self, value: Fraction) -> Value:
        """A literal."""
        exact = sympy.Rational(value.numerator, value.denominator)
        return Value(exact, exact.evalf(_DIGITS))

    def constant(self, name: str) -> Value:
        """Pi or e."""
        return value_of(sympy.pi if name == "pi" else sympy.E)

    def apply(self, name: str, args: Sequence[Value]) -> Value:
        """An operator or a function."""
        fractions = [one.fraction for one in args]
        known = [one for one in fractions if one is not None]
        if len(known) == len(args):
            try:
                return self.number(self._rational.apply(name, known))
            except Irrational:
                if name not in ("log", "ln", "log10", "log2"):  # these take numbers of any length
                    _check_bits(known)
        return _RULES[name](*args)


def _check_bits(values: Sequence[Fraction]) -> None:
    if any(max(one.numerator.bit_length(), one.denominator.bit_length()) > _MAX_BITS for one in values):
        raise TooLong("a number of more than 1,000 digits is too long for roots and angles")


def value_of(exact: Expr) -> Value:
    """The value of an expression; refuses what is no real number, and what is beyond the bounds."""
    if exact in (sympy.zoo, sympy.nan) or exact.is_infinite:
        raise ToolFailed("division by zero, or a value that is infinite")
    approx = exact.evalf(_DIGITS, maxn=_WORKING_DIGITS)
    if not approx.is_Float and not approx.is_Rational:
        raise ToolFailed("the result is no real number")
    value = Value(exact, approx)
    if not is_zero(value) and abs(_log10(value)) > _MAX_LOG10:
        raise TooLong("a value beyond 10^1000, or closer to 0 than 10^-1000, can't be computed")
    return value


def is_zero(value: Value) -> bool:
    """Whether a value is 0, or so near to it that 30 digits of what cancels can't tell."""
    return bool(value.approx == 0) or (value.approx.is_Float and value.approx._prec == 1)


def _log10(value: Value) -> float:
    """The order of magnitude, from the parts of the number: it may lie far outside a float's range."""
    number = sympy.Float(value.approx, _DIGITS)
    _, mantissa, exponent, bits = number._mpf_
    return float((exponent + bits) * 0.30102999566398120) if mantissa else 0.0


def _power(base: Value, exponent: Value) -> Value:
    if is_zero(base):
        if exponent.approx <= 0:
            raise ToolFailed("division by zero: 0 to a power that is not positive")
        return value_of(sympy.Integer(0))
    size = abs(float(exponent.approx)) if _log10(exponent) < 300 else float("inf")
    if size * max(abs(_log10(base)), 0.0) > _MAX_LOG10 * 2 or size > 1e15:
        raise TooLong("the power is beyond 10^1000, or closer to 0 than 10^-1000")
    if base.approx < 0 and exponent.fraction is None:
        raise ToolFailed("a negative number to an irrational power is no real number")
    if base.approx < 0 and exponent.fraction is not None and exponent.fraction.denominator != 1:
        return _real_root(base, exponent.fraction)
    return value_of(sympy.Pow(base.exact, exponent.exact))


def _real_root(base: Value, exponent: Fraction) -> Value:
    """A negative base to a fraction: the real root, where there is one."""
    if exponent.denominator % 2 == 0:
        raise ToolFailed("an even root of a negative number is no real number")
    size = sympy.Pow(-base.exact, sympy.Rational(exponent.numerator, exponent.denominator))
    return value_of(-size if exponent.numerator % 2 else size)


def _exp(x: Value) -> Value:
    if _log10(x) > 5 or abs(float(x.approx)) > _MAX_LOG10 * _LN10 + 1:
        raise TooLong("exp of that is beyond 10^1000, or closer to 0 than 10^-1000")
    return value_of(sympy.exp(x.exact))


def _log(x: Value, base: Value | None = None) -> Value:
    if is_zero(x) or x.approx < 0:
        raise ToolFailed("the logarithm is defined for positive numbers only")
    if base is None:
        return value_of(sympy.log(x.exact))
    if is_zero(base) or base.approx < 0 or base.exact == 1:
        raise ToolFailed("the base of a logarithm is a positive number other than 1")
    if (known := _whole_log(x.fraction, base.fraction)) is not None:
        return value_of(sympy.Integer(known))
    return value_of(sympy.log(x.exact) / sympy.log(base.exact))


def _whole_log(x: Fraction | None, base: Fraction | None) -> int | None:
    """The logarithm where it is an integer: log2(8) is 3, which sympy would leave as log(8)/log(2)."""
    if x is None or base is None:
        return None
    guess = round(float(sympy.log(sympy.Rational(x.numerator, x.denominator), 2).evalf(15))
                  / float(sympy.log(sympy.Rational(base.numerator, base.denominator), 2).evalf(15)))  # fmt: skip
    return guess if abs(guess) <= 40_000 and base**guess == x else None


def _arc(name: str, function: Expr) -> Callable[[Value], Value]:
    def rule(x: Value) -> Value:
        if abs(x.approx) > 1:
            raise ToolFailed(f"{name} is defined from -1 to 1")
        return value_of(function(x.exact))

    return rule


def _tan(x: Value) -> Value:
    if is_zero(value_of(sympy.cos(x.exact))):
        raise ToolFailed("the tangent is infinite there")
    return value_of(sympy.tan(x.exact))


def _divide(a: Value, b: Value) -> Value:
    if is_zero(b):
        raise ToolFailed("division by zero")
    return value_of(a.exact / b.exact)


def _floor(x: Value) -> Value:
    """The integer below: from enough digits, and exactly where the value is within 10^-20 of an integer."""
    digits = max(int(_log10(x)), 0) + _DIGITS
    precise = x.exact.evalf(digits, maxn=_WORKING_DIGITS)
    near = sympy.Integer(sympy.floor(precise + sympy.Rational(1, 2)))
    difference = value_of(x.exact - near)
    return value_of(near if is_zero(difference) or difference.approx > 0 else near - 1)


def _modulo(a: Value, b: Value) -> Value:
    return value_of(a.exact - b.exact * _floor(_divide(a, b)).exact)


def _round(x: Value, places: Value | None = None) -> Value:
    digits = Fraction(0) if places is None else places.fraction
    if digits is None or digits.denominator != 1 or abs(digits) > 100:
        raise ToolFailed("round's number of places is a whole number up to 100")
    scale = sympy.Integer(10) ** int(digits)
    size = _floor(value_of(abs(x.exact) * scale + sympy.Rational(1, 2))).exact / scale
    return value_of(-size if x.approx < 0 else size)


def _extreme(*values: Value, largest: bool) -> Value:
    chosen = values[0]
    for value in values[1:]:
        difference = value_of(value.exact - chosen.exact)
        if not is_zero(difference) and bool(difference.approx > 0) is largest:
            chosen = value
    return chosen


def _whole_only(name: str) -> Callable[..., Value]:
    def rule(*values: Value) -> Value:
        raise ToolFailed(f"{name} takes whole numbers only")

    return rule


_RULES: dict[str, Callable[..., Value]] = {
    "+": lambda a, b: value_of(a.exact + b.exact),
    "-": lambda a, b: value_of(a.exact - b.exact),
    "*": lambda a, b: value_of(a.exact * b.exact),
    "/": _divide,
    "//": lambda a, b: _floor(_divide(a, b)),
    "mod": _modulo,
    "^": _power,
    "pow": _power,
    "neg": lambda a: value_of(-a.exact),
    "abs": lambda a: value_of(-a.exact if a.approx < 0 else a.exact),
    "floor": _floor,
    "ceil": lambda a: value_of(-_floor(value_of(-a.exact)).exact),
    "round": _round,
    "sqrt": lambda a: _power(a, value_of(sympy.Rational(1, 2))),
    "cbrt": lambda a: _power(a, value_of(sympy.Rational(1, 3))),
    "min": lambda *values: _extreme(*values, largest=False),
    "max": lambda *values: _extreme(*values, largest=True),
    "sum": lambda *values: value_of(sympy.Add(*(one.exact for one in values))),
    "mean": lambda *values: value_of(sympy.Add(*(one.exact for one in values)) / len(values)),
    "exp": _exp,
    "ln": _log,
    "log": _log,
    "log10": lambda x: _log(x, value_of(sympy.Integer(10))),
    "log2": lambda x: _log(x, value_of(sympy.Integer(2))),
    "sin": lambda x: value_of(sympy.sin(x.exact)),
    "cos": lambda x: value_of(sympy.cos(x.exact)),
    "tan": _tan,
    "asin": _arc("asin", sympy.asin),
    "acos": _arc("acos", sympy.acos),
    "atan": lambda x: value_of(sympy.atan(x.exact)),
    "gcd": _whole_only("gcd"),
    "lcm": _whole_only("lcm"),
    "factorial": _whole_only("factorial"),
}
