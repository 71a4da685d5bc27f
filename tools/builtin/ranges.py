"""Inequalities in one unknown: the pieces between the points where anything can change, each tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy

from .expression import compute_with_unknowns
from .relations import Relation
from .roots import known, number, number_text, real_roots
from .symbolic import Expr, Value, value_of
from .unknowns import Undecided, Unknowns, holds, symbol

NOTHING = "no solution (in real numbers)"
_MAX_RUNS = 12


@dataclass(frozen=True, slots=True)
class _Piece:
    """A point, or an open interval; an end that is None is infinite."""

    low: Expr | None
    high: Expr | None

    @property
    def is_point(self) -> bool:
        return self.low is not None and self.low == self.high


def solved_range(relations: Sequence[Relation], name: str) -> str:
    """Where all relations hold, as text: `1 < x <= 5`, `x < -1 or x > 3`. Raises `Undecided`."""
    runs: list[list[_Piece]] = []
    before = False
    for piece in _pieces(_turns(relations, name)):
        good = holds(relations, {name: _sample(piece)})
        if good and before:
            runs[-1].append(piece)
        elif good:
            runs.append([piece])
        before = good
    if not runs:
        return NOTHING
    if len(runs) > _MAX_RUNS:
        return f"{' or '.join(_told(run, name) for run in runs[:_MAX_RUNS])} or {len(runs) - _MAX_RUNS} more ranges"
    return " or ".join(_told(run, name) for run in runs)


def _turns(relations: Sequence[Relation], name: str) -> list[Expr]:
    """The points where a relation can begin or cease to hold, in order."""
    built, x = Unknowns(), symbol(name)
    zeros = [
        compute_with_unknowns(one.left, built) - compute_with_unknowns(one.right, built) for one in relations
    ]
    if built.odd_root:
        raise Undecided("a root of an unknown that sympy takes for a complex one")
    found: dict[Expr, None] = {}
    for expression in (*zeros, *built.edges):
        roots = real_roots(expression, x)
        if roots.periodic:
            raise Undecided("it changes infinitely often")
        found |= dict.fromkeys(roots.numbers)
    return sorted(found, key=number)


def _pieces(turns: Sequence[Expr]) -> Iterator[_Piece]:
    low = None
    for turn in turns:
        yield _Piece(low, turn)
        yield _Piece(turn, turn)
        low = turn
    yield _Piece(low, None)


def _sample(piece: _Piece) -> Value:
    """A value in a piece: a simple fraction, or the point itself."""
    if piece.is_point:
        return known(piece.low)
    low = None if piece.low is None else _fraction(piece.low)
    high = None if piece.high is None else _fraction(piece.high)
    if low is None or high is None:
        chosen = (
            Fraction(0)
            if low is high is None
            else Fraction((low or high or 0) // 1 + (-1 if low is None else 2))
        )
    else:
        middle, most = (low + high) / 2, 1
        chosen = Fraction(round(middle))
        while not low < chosen < high:
            most *= 10
            chosen = middle.limit_denominator(most)
    return value_of(sympy.Rational(chosen.numerator, chosen.denominator))


def _fraction(value: Expr) -> Fraction:
    exact = sympy.Rational(number(value))
    return Fraction(int(exact.p), int(exact.q))


def _told(run: Sequence[_Piece], name: str) -> str:
    """A run of pieces that touch, as one condition."""
    low, high = run[0].low, run[-1].high
    if low is None and high is None:
        return f"any {name}"
    if len(run) == 1 and run[0].is_point:
        text = number_text(low)
        return f"{name} {text}" if text.startswith("≈") else f"{name} = {text}"
    over, under = (">=" if run[0].is_point else ">"), ("<=" if run[-1].is_point else "<")
    if high is None:
        return f"{name} {over} {_bound(low)}"
    if low is None:
        return f"{name} {under} {_bound(high)}"
    texts = _bound(low), _bound(high)
    if any("≈" in text or "rounded" in text for text in texts):
        return f"{name} {over} {texts[0]} and {name} {under} {texts[1]}"
    return f"{texts[0]} {over.replace('>', '<')} {name} {under} {texts[1]}"


def _bound(value: Expr) -> str:
    text = number_text(value)
    return f"{text.removeprefix('≈ ')} (rounded)" if text.startswith("≈") else text
