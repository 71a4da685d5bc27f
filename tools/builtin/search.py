"""Solutions found by search, where there is no formula: in floats, each put back into the text.

One unknown is scanned for changes of sign and for places where zero is touched; several are sought by Newton's
method from many starts. Nothing says that all were found, and the answer tells so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

import sympy

from ..errors import ToolFailed
from .expression import TooLong, compute_with_unknowns
from .floats import Function, difference
from .relations import Problem, Relation, read_problem
from .roots import number_text
from .symbolic import Expr, value_of
from .unknowns import EXACT, Unknowns, holds

Line = Callable[[float], float]

_FINE, _FAR = 8_000, 1e6  # points from -100 to 100, and how far the coarser ones go
_STARTS, _NEWTON_STEPS = 200, 60
_MAX_SHOWN = 12
_CLOSE = sympy.Float("1e-9", 30)  # relative difference of two sides that are equal, for a float
_SAME = 1e-7  # relative difference of two findings that are one
_SIMPLE = 1_000  # a denominator up to which a finding is tried as a fraction


def search(text: str, wanted: str) -> str:
    """The solutions that a search finds, as text; raises `ToolFailed` where it finds none."""
    problem = read_problem(text, wanted)
    equations, names = problem.equations, problem.unknowns
    if problem.given:
        raise ToolFailed(
            f"no formula for {', '.join(names)} was found; put numbers in for {', '.join(problem.given)}"
        )
    if not equations:
        raise ToolFailed("this inequality can't be solved; solve it as an equation to see where it changes")
    if len(names) > len(equations):
        raise ToolFailed(
            f"no formula was found for {len(names)} unknowns in {len(equations)} equation{'s'[: len(equations) - 1]}; "
            f"a search wants as many equations as unknowns"
        )
    _check_continuous(equations)
    if len(names) == 1:
        found = scanned(problem)
        where = f"between -{_FAR:,.0f} and {_FAR:,.0f}"
    else:
        functions = [difference(one) for one in equations]
        found = _found(problem, list(_newton(functions[: len(names)], names)))
        where = f"from {_STARTS} starts"
    if not found:
        raise ToolFailed(
            f"no solution was found: no formula, and {where} no number either; there may still be one"
        )
    return f"{_told(found, names)} (found numerically {where}; there may be others)"


def scanned(problem: Problem) -> list[tuple[Expr, ...]]:
    """The solutions of equations in one unknown that a scan finds, in order."""
    name = problem.unknowns[0]
    return _found(problem, [(x,) for x in _zeros(difference(problem.equations[0]), name)])


def _told(found: Sequence[Sequence[Expr]], names: Sequence[str]) -> str:
    lines = []
    nearest = sorted(found, key=lambda point: max(abs(value) for value in point))[:_MAX_SHOWN]
    for point in sorted(nearest, key=list):
        texts = [number_text(value) for value in point]
        lines.append(
            ", ".join(
                f"{name} {text}" if text.startswith("≈") else f"{name} = {text}"
                for name, text in zip(names, texts, strict=True)
            )
        )
    more = f" or {len(found) - _MAX_SHOWN} more" if len(found) > _MAX_SHOWN else ""
    return " or ".join(lines) + more


def _check_continuous(equations: Sequence[Relation]) -> None:
    """Refuse what jumps, such as the floor of an unknown: a change of sign is no root there."""
    for one in equations:
        compute_with_unknowns(one.left, Unknowns())
        compute_with_unknowns(one.right, Unknowns())


def _found(problem: Problem, points: Sequence[tuple[float, ...]]) -> list[tuple[Expr, ...]]:
    """The points that fit the text, each once and in order, as fractions where these fit exactly."""
    found: list[tuple[Expr, ...]] = []
    before: list[tuple[float, ...]] = []
    for point in sorted(points):
        if any(all(_alike(a, b) for a, b in zip(point, other, strict=True)) for other in before):
            continue
        fitting = _fitting(problem, point)
        if fitting:
            before.append(point)
            found.append(fitting)
    return found


def _fitting(problem: Problem, point: tuple[float, ...]) -> tuple[Expr, ...]:
    simple = [Fraction(x).limit_denominator(_SIMPLE) for x in point]
    if all(_alike(float(one), x) for one, x in zip(simple, point, strict=True)):
        exact = tuple(sympy.Rational(one.numerator, one.denominator) for one in simple)
        if _holds(problem, exact, EXACT):
            return exact
    near = tuple(sympy.Float(x, 30) for x in point)
    return near if _holds(problem, near, _CLOSE) else ()


def _holds(problem: Problem, point: tuple[Expr, ...], close: Expr) -> bool:
    values = {name: value_of(x) for name, x in zip(problem.unknowns, point, strict=True)}
    try:
        return holds(problem.relations, values, close)
    except TooLong:
        return False


def _alike(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME * max(1.0, abs(a), abs(b))


# ---- one unknown


def _grid() -> list[float]:
    fine = [200 * (at + 1 / 3) / _FINE - 100 for at in range(_FINE)]
    sizes = [10 ** (at / 100) for at in range(-600, 601) if not -100 < at < 200]
    return sorted({0.0, *fine, *sizes, *(-size for size in sizes)})


def _zeros(function: Function, name: str) -> Iterator[float]:
    """Where a function may be 0: between two signs, at an end of where it is defined, where it is least."""

    def f(x: float) -> float:
        return function({name: x})

    known = [(x, f(x)) for x in _grid()]
    for (a, fa), (b, fb) in pairwise(known):
        if fa == 0 and f(a - _SAME * max(1, abs(a))) and f(a + _SAME * max(1, abs(a))):
            yield a  # and no stretch of zeros, where it is too small for a float
        elif fa * fb < 0:
            x = _between(f, a, b, fa)
            if abs(f(x)) <= 1e-6 * max(abs(fa), abs(fb)):  # and neither a pole nor a jump
                yield x
        elif math.isnan(fa) != math.isnan(fb):
            inside, value = (b, fb) if math.isnan(fa) else (a, fa)
            x = _end(f, a if inside == b else b, inside)
            if f(x) * value < 0:
                yield _between(f, *((x, inside, f(x)) if x < inside else (inside, x, value)))
            elif abs(f(x)) <= 1e-5 * abs(value):
                yield x
    for (a, fa), (_, fm), (b, fb) in zip(known, known[1:], known[2:], strict=False):
        if abs(fa) > abs(fm) < abs(fb) and fa * fm > 0 and fm * fb > 0:
            x = _least(f, a, b)
            if abs(f(x)) <= 1e-12 * (abs(fa) + abs(fb)):
                yield x


def _between(f: Line, a: float, b: float, fa: float) -> float:
    """Where the sign changes, by halving."""
    middle = (a + b) / 2
    while a < middle < b:
        if (f(middle) < 0) == (fa < 0):
            a = middle
        else:
            b = middle
        middle = (a + b) / 2
    return min(a, b, key=lambda x: abs(f(x)))


def _end(f: Line, outside: float, inside: float) -> float:
    """The last point where a function is defined, by halving."""
    for _ in range(100):
        middle = (outside + inside) / 2
        if math.isnan(f(middle)):
            outside = middle
        else:
            inside = middle
    return inside


def _least(f: Line, a: float, b: float) -> float:
    """Where a function is nearest to 0, by thirds."""
    for _ in range(150):
        third = (b - a) / 3
        if abs(f(a + third)) < abs(f(b - third)):
            b -= third
        else:
            a += third
    return (a + b) / 2


# ---- several unknowns


def _newton(functions: Sequence[Function], names: Sequence[str]) -> Iterator[tuple[float, ...]]:
    """Where Newton's method comes to rest, from starts of every size."""
    random = Random(0)
    for start in range(_STARTS):
        size = 10.0 ** (start % 4)
        point: list[float] | None = [random.uniform(-size, size) for _ in names]
        for _ in range(_NEWTON_STEPS):
            step = None if point is None else _newton_step(functions, names, point)
            if step is None or point is None:
                break
            point = [x - dx for x, dx in zip(point, step, strict=True)]
            if all(abs(dx) <= 1e-12 * max(1.0, abs(x)) for x, dx in zip(point, step, strict=True)):
                yield tuple(point)
                break


def _newton_step(
    functions: Sequence[Function], names: Sequence[str], point: Sequence[float]
) -> list[float] | None:
    """What to take from a point; None where the functions are undefined or their derivatives say nothing."""

    def at(where: Sequence[float]) -> list[float]:
        known = dict(zip(names, where, strict=True))
        return [function(known) for function in functions]

    columns = []
    for place, x in enumerate(point):
        h = 1e-6 * max(1.0, abs(x))
        ahead = at([*point[:place], x + h, *point[place + 1 :]])
        behind = at([*point[:place], x - h, *point[place + 1 :]])
        columns.append([(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)])
    rows = [[*row, value] for row, value in zip(zip(*columns, strict=True), at(point), strict=True)]
    return _solved(rows)


def _solved(rows: list[list[float]]) -> list[float] | None:
    """The solution of linear equations, by elimination; the last column is the right side."""
    size = len(rows)
    for place in range(size):
        pivot = max(range(place, size), key=lambda at: abs(rows[at][place]))
        rows[place], rows[pivot] = rows[pivot], rows[place]
        if not math.isfinite(sum(rows[place])) or abs(rows[place][place]) < 1e-300:
            return None
        for other in range(size):
            if other != place:
                factor = rows[other][place] / rows[place][place]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[place], strict=True)]
    return [row[-1] / row[place] for place, row in enumerate(rows)]
