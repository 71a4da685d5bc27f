"""Expressions with unknowns as sympy's own objects, and their value where the unknowns are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import sympy

from ..errors import ToolFailed
from .expression import TooLong, compute_with_unknowns
from .relations import Relation
from .symbolic import Expr, SymbolicAlgebra, Value, value_of

_MAX_POWER = 1_000  # of an unknown
EXACT = sympy.Float("1e-20", 30)  # of two numbers of 30 digits that are equal: their relative difference


class Undecided(Exception):  # noqa: N818 - no failure: it says that this wants another way
    """There is no exact solution to be had; the text says why."""


class Unknowns:
    """Builds sympy expressions in unknowns that stand for real numbers; what has none in it is computed.

    `edges` are expressions at whose zeros what was read may be undefined or jump.
    """

    def __init__(self) -> None:
        self._numbers = SymbolicAlgebra()
        self.edges: list[Expr] = []
        self.odd_root = False  # of an unknown: sympy takes the complex one, we the real

    def number(self, value: Fraction) -> Expr:
        """A literal."""
        return sympy.Rational(value.numerator, value.denominator)

    def constant(self, name: str) -> Expr:
        """Pi or e."""
        return sympy.pi if name == "pi" else sympy.E

    def unknown(self, name: str) -> Expr:
        """A name, as a symbol: never looked up anywhere."""
        return symbol(name)

    def apply(self, name: str, args: Sequence[Expr]) -> Expr:
        """An operator or a function."""
        if not any(one.free_symbols for one in args):
            return self._numbers.apply(name, [value_of(one) for one in args]).exact
        if name in ("/", "//") and args[1] == 0:
            raise ToolFailed("division by zero")
        rule = _RULES.get(name)
        if rule is None:
            raise ToolFailed(f"{_SPOKEN.get(name, name)} of an unknown can't be solved for")
        self.edges += [one for one in _edges(name, args) if one.free_symbols]
        self.odd_root = self.odd_root or _is_odd_root(name, args)
        return rule(*args)


class _Known(SymbolicAlgebra):
    """Computes with the unknowns' values."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__()
        self._values = values

    def unknown(self, name: str) -> Value:
        return self._values[name]


def symbol(name: str) -> Expr:
    """The sympy symbol of an unknown."""
    return sympy.Symbol(name, real=True)


def holds(relations: Iterable[Relation], values: Mapping[str, Value], close: Expr = EXACT) -> bool:
    """Whether relations hold for these values, computed from the text: nothing that was simplified counts.

    What is undefined there does not hold. Raises `TooLong` where that can't be told.
    """
    for relation in relations:
        try:
            left = compute_with_unknowns(relation.left, _Known(values))
            right = compute_with_unknowns(relation.right, _Known(values))
        except TooLong:
            raise
        except ToolFailed:
            return False
        if not _SIGNS[relation.sign](_compared(left, right, close)):
            return False
    return True


def _compared(left: Value, right: Value, close: Expr) -> int:
    """-1, 0 or 1, as the left is less, equal or more."""
    a, b = left.fraction, right.fraction
    if a is not None and b is not None and close == EXACT:
        return (a > b) - (a < b)
    difference = left.approx - right.approx
    if abs(difference) <= close * max(abs(left.approx), abs(right.approx), 1):
        return 0
    return 1 if difference > 0 else -1


_SIGNS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _power(base: Expr, exponent: Expr) -> Expr:
    if exponent.is_Rational and abs(exponent) > _MAX_POWER:
        raise TooLong(f"powers of an unknown go up to {_MAX_POWER:,}")
    if base == 0:
        raise ToolFailed("0 to the power of an unknown can't be solved for")
    return sympy.Pow(base, exponent)


def _is_odd_root(name: str, args: Sequence[Expr]) -> bool:
    if name not in ("^", "pow"):
        return name == "cbrt"
    return bool(args[1].is_Rational and args[1].q % 2 and args[1].q > 1)


def _edges(name: str, args: Sequence[Expr]) -> list[Expr]:
    x = args[0]
    if name == "/":
        return [args[1]]
    if name in ("^", "pow") and not (args[1].is_Integer and args[1] > 0):
        return [x]
    if name in ("sqrt", "abs", "ln", "log", "log10", "log2"):
        return list(args)
    if name in ("asin", "acos"):
        return [x - 1, x + 1]
    return [sympy.cos(x)] if name == "tan" else []


_SPOKEN = {"//": "whole division", "mod": "the remainder"}
_RULES: dict[str, Callable[..., Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": _power,
    "pow": _power,
    "neg": lambda a: -a,
    "abs": sympy.Abs,
    "sqrt": sympy.sqrt,
    "cbrt": lambda a: sympy.Pow(a, sympy.Rational(1, 3)),
    "min": sympy.Min,
    "max": sympy.Max,
    "sum": sympy.Add,
    "mean": lambda *values: sympy.Add(*values) / len(values),
    "exp": sympy.exp,
    "ln": sympy.log,
    "log": lambda x, base=sympy.E: sympy.log(x) / sympy.log(base),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
}
