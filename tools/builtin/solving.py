"""What `solve` does in the child process: sympy's exact solutions, each put back into the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import sympy
from sympy.solvers.solveset import NonlinearError

from ..errors import ToolFailed
from .exact import expression_text
from .expression import compute_with_unknowns
from .ranges import NOTHING, solved_range
from .relations import Problem, Relation, read_problem
from .roots import N, Roots, known, number, number_text, real_roots
from .search import scanned
from .symbolic import Expr, value_of
from .unknowns import Undecided, Unknowns, holds, symbol

Solution = Mapping[str, Expr]

_MAX_SHOWN = 12  # solutions
_MAX_TEXT = 200  # characters of one in which others stand
_SAMPLES = (Fraction(3, 7), Fraction(11, 5), Fraction(-13, 3), Fraction(29))  # for unknowns that stay free


def solve_exactly(text: str, wanted: str) -> str:
    """The exact solutions, as text; raises `ToolFailed` for the model and `Undecided` where there is no such way."""
    problem = read_problem(text, wanted)
    built = Unknowns()
    sides = [_difference(one, built) for one in problem.equations]
    if built.odd_root:
        raise Undecided("a root of an unknown that sympy takes for a complex one")
    if not problem.given and len(problem.unknowns) == 1:
        name = problem.unknowns[0]
        return _one_unknown(problem, sides, name) if sides else solved_range(problem.relations, name)
    if not sides or (problem.given and len(problem.relations) > len(sides)):
        raise ToolFailed("an inequality is solved in one unknown; these have more")
    return _several_unknowns(problem, sides)


def _difference(relation: Relation, built: Unknowns) -> Expr:
    left = compute_with_unknowns(relation.left, built)
    return left - compute_with_unknowns(relation.right, built)


# ---- one unknown


def _one_unknown(problem: Problem, sides: Sequence[Expr], name: str) -> str:
    x = symbol(name)
    found = [real_roots(side, x) for side in sides]
    least = min(found, key=lambda one: (one.everywhere, bool(one.periodic), len(one.numbers)))
    if least.everywhere:
        return solved_range(problem.relations, name)
    if least.periodic:
        return _periodic(problem, least, name)
    good = [one for one in least.numbers if holds(problem.relations, {name: known(one)})]
    if not least.polynomial and len(scanned(problem)) > len(good):
        raise Undecided("a search finds more than sympy")
    return told([{name: one} for one in good], [name])


def _periodic(problem: Problem, roots: Roots, name: str) -> str:
    if len(problem.relations) > 1:
        raise Undecided("infinitely many solutions, of which some are wanted")
    samples = [one.subs(N, n) for one in roots.periodic for n in (0, 1, -2)] + list(roots.numbers)
    if not all(holds(problem.relations, {name: known(one)}) for one in samples):
        raise Undecided("sympy's solutions do not check")
    texts = [f"{name} = {expression_text(one)}" for one in (*roots.numbers, *roots.periodic)]
    return f"{' or '.join(texts)}, for every whole number n"


# ---- several unknowns


def _several_unknowns(problem: Problem, sides: Sequence[Expr]) -> str:
    names = problem.unknowns
    wanted = [symbol(name) for name in names]
    sides = [side for side in sides if side != 0]
    polynomial = all(sympy.numer(sympy.together(side)).is_polynomial(*wanted) for side in sides)
    if any(side.is_number for side in sides):
        return NOTHING
    found = _linear(sides, wanted)
    complete = found is not None or (polynomial and not problem.given)
    if found is None:
        try:
            found = sympy.solve(sides, wanted, dict=True) if sides else [{}]
        except NotImplementedError as error:
            raise Undecided(str(error)) from None
    solutions = [{name: _plain(one.get(symbol(name), symbol(name))) for name in names} for one in found]
    good = [one for one in solutions if _checks(problem, one)]
    if not good and (found or not complete):
        raise Undecided("sympy finds nothing that checks")
    periodic = any(side.has(sympy.sin, sympy.cos, sympy.tan) for side in sides)
    some = good and not complete and (periodic or len(names) > 1)  # sympy names a few of infinitely many
    return told(good, names) + (" (there may be others)" if some else "")


def _plain(value: Expr) -> Expr:
    """A value without what is no formula for a reader: a root known by its polynomial, or by way of i."""
    if not value.has(sympy.I, sympy.CRootOf):
        return value
    if value.free_symbols:
        raise Undecided("a formula that may be no real number")
    return value if not value.is_real and sympy.im(value.evalf(20)) > 1e-9 else number(value)


def _linear(sides: Sequence[Expr], wanted: Sequence[Expr]) -> list[dict[Expr, Expr]] | None:
    """The solutions of a linear system, none or one with what stays free; None where it is not linear."""
    try:
        matrix, right = sympy.linear_eq_to_matrix(list(sides), list(wanted))
    except NonlinearError:
        return None
    found = sympy.linsolve((matrix, right), *wanted)
    return [dict(zip(wanted, one, strict=True)) for one in found]


def _checks(problem: Problem, solution: Solution) -> bool:
    """Whether a solution fits the text; one with free unknowns is tried at some values of them."""
    free = sorted({one for value in solution.values() for one in value.free_symbols}, key=str)
    free += [symbol(name) for name in problem.given if symbol(name) not in free]
    if not free:
        return holds(problem.relations, {name: known(value) for name, value in solution.items()})
    if len(problem.relations) > len(problem.equations):
        raise ToolFailed("an inequality is solved in one unknown; these leave more than one free")
    tried = []
    for shift in range(len(_SAMPLES)):
        chosen = {one: _SAMPLES[(at + shift) % len(_SAMPLES)] * (at + 1) for at, one in enumerate(free)}
        exact = {one: sympy.Rational(it.numerator, it.denominator) for one, it in chosen.items()}
        try:
            values = {name: known(value.subs(exact)) for name, value in solution.items()}
            values |= {str(one): value_of(at) for one, at in exact.items() if str(one) not in values}
        except (Undecided, ToolFailed):  # no real number there
            continue
        tried.append(holds(problem.relations, values))
    return any(tried) or not tried


# ---- as text


def told(solutions: Sequence[Solution], names: Iterable[str]) -> str:
    """Solutions as one line: each unknown's value, exact and as a decimal."""
    if not solutions:
        return NOTHING
    order = list(names)
    if all(not one.free_symbols for solution in solutions for one in solution.values()):
        solutions = sorted(solutions, key=lambda one: [number(one[name]) for name in order])
    texts = [", ".join(_one_told(name, solution) for name in order) for solution in solutions]
    more = f" or {len(texts) - _MAX_SHOWN} more" if len(texts) > _MAX_SHOWN else ""
    return " or ".join(dict.fromkeys(texts[:_MAX_SHOWN])) + more


def _one_told(name: str, solution: Solution) -> str:
    value = solution[name]
    free = sorted({one for other in solution.values() for one in other.free_symbols}, key=str)
    where = "" if all(one.is_polynomial(*free) for one in solution.values()) else " where that is defined"
    if value == symbol(name):
        return f"any {name}{where}"
    if value.free_symbols:
        text = expression_text(value)
        if len(text) > _MAX_TEXT:
            raise ToolFailed(
                f"the solution for {name} is {len(text):,} characters long; solve it in smaller steps"
            )
        return f"{name} = {text}"
    text = number_text(value)
    return f"{name} {text}" if text.startswith("≈") else f"{name} = {text}"
