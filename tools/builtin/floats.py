"""Expressions with unknowns as functions of floats, for the search of solutions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from .expression import compute_with_unknowns
from .relations import Relation

Point = Mapping[str, float]
Function = Callable[[Point], float]


def difference(relation: Relation) -> Function:
    """The left side less the right; nan where it is undefined, or beyond what a float holds."""
    left = compute_with_unknowns(relation.left, _Floats())
    right = compute_with_unknowns(relation.right, _Floats())

    def at(point: Point) -> float:
        try:
            return left(point) - right(point)
        except (ArithmeticError, ValueError):  # division by zero, overflow, a logarithm of what is negative
            return math.nan

    return at


class _Floats:
    """Makes a function of each part of an expression."""

    def number(self, value: Fraction) -> Function:
        known = float(value) if abs(value) < Fraction(10) ** 300 else math.nan
        return lambda _: known

    def constant(self, name: str) -> Function:
        known = math.pi if name == "pi" else math.e
        return lambda _: known

    def unknown(self, name: str) -> Function:
        return lambda point: point[name]

    def apply(self, name: str, args: Sequence[Function]) -> Function:
        rule = _RULES[name]
        if len(args) == 1:
            (one,) = args
            return lambda point: rule(one(point))
        if len(args) == 2:
            first, second = args
            return lambda point: rule(first(point), second(point))
        return lambda point: rule(*(one(point) for one in args))


def _power(base: float, exponent: float) -> float:
    if base < 0 and exponent != int(exponent):
        odd = Fraction(exponent).limit_denominator(1_000)
        if odd.denominator % 2 == 0 or abs(float(odd) - exponent) > 1e-15:
            raise ValueError("no real power")
        size: float = (-base) ** exponent
        return -size if odd.numerator % 2 else size
    return float(base**exponent)


def _whole(function: Callable[..., int]) -> Callable[..., float]:
    def rule(*values: float) -> float:
        if any(value != int(value) for value in values):
            raise ValueError("whole numbers only")
        return float(function(*(int(value) for value in values)))

    return rule


def _round(value: float, places: float = 0.0) -> float:
    scale = 10.0**places
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value)


_RULES: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: float(a // b),
    "mod": lambda a, b: a % b,
    "^": _power,
    "pow": _power,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
    "min": min,
    "max": max,
    "sum": lambda *values: math.fsum(values),
    "mean": lambda *values: math.fsum(values) / len(values),
    "floor": lambda a: float(math.floor(a)),
    "ceil": lambda a: float(math.ceil(a)),
    "round": _round,
    "factorial": _whole(lambda n: math.factorial(n) if n <= 170 else 10**400),
    "gcd": _whole(math.gcd),
    "lcm": _whole(math.lcm),
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
}
