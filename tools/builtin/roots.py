"""The real roots of one expression in one unknown, exactly where sympy can, by sympy."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from .conjugates import without_abs, without_square_roots
from .exact import shown, shown_expression
from .numbers import short
from .symbolic import Expr, Value
from .unknowns import Undecided

_DIGITS = 60  # of roots that have no short exact form
_MAX_EXACT_DEGREE = 4  # of a factor that formulas are tried on
_MAX_FORMULA = 60  # operations of a root in radicals that is worth having


@dataclass(frozen=True, slots=True)
class Roots:
    """Where an expression is 0: everywhere, at some numbers in order, or periodically.

    Of an expression that is no polynomial there may be numbers too many; and with `everywhere`, it may be on
    stretches of the line.

    `periodic` are expressions in the symbol `n`, which stands for any whole number.
    """

    numbers: tuple[Expr, ...] = ()
    periodic: tuple[Expr, ...] = ()
    everywhere: bool = False
    polynomial: bool = True


N = sympy.Symbol("n", integer=True)


def real_roots(expression: Expr, x: Expr) -> Roots:
    """The real roots; raises `Undecided` where sympy finds no complete answer.

    What divides is left out of sight: a root at which the expression is undefined is still named.
    """
    numerator = sympy.expand(sympy.numer(sympy.together(expression)))
    if numerator == 0:
        return Roots(everywhere=True)
    if not numerator.has(x):
        return Roots()
    if numerator.is_polynomial(x):
        return Roots(_sorted(_polynomial_roots(sympy.Poly(numerator, x))))
    return _algebraic_roots(expression, x) or _other_roots(expression, x)


def number(value: Expr) -> Expr:
    """A root as a real number of many digits; raises `Undecided` for what is none."""
    approx = value.evalf(_DIGITS)
    if approx.is_Float or approx.is_Rational:
        return approx
    real, imaginary = approx.as_real_imag()
    if imaginary.is_number and real.is_Float and abs(imaginary) <= abs(real) * sympy.Float("1e-40"):
        return real
    raise Undecided("a root that is no real number")


def known(root: Expr) -> Value:
    """A root as a value to compute with."""
    if root.is_Rational:
        return Value(root, root.evalf(30))
    return Value(root, number(root).evalf(30))


def number_text(root: Expr) -> str:
    """A root as text, exact and as a decimal; it begins with ≈ where it is no more than near."""
    if root.is_Rational:
        return shown(Fraction(int(root.p), int(root.q)))
    approx = Decimal(str(number(root).evalf(30)))
    return f"≈ {short(approx)}" if root.is_Float else shown_expression(root, approx)


def _sorted(values: list[Expr]) -> tuple[Expr, ...]:
    return tuple(sorted(dict.fromkeys(values), key=number))


def _polynomial_roots(polynomial: Expr) -> list[Expr]:
    if len(polynomial.terms()) == 2 and polynomial.terms()[1][0] == (0,):
        return _roots_of_power(polynomial.degree(), -polynomial.nth(0) / polynomial.LC())
    if not polynomial.domain.is_QQ and not polynomial.domain.is_ZZ:
        return _roots_by_formula(polynomial)
    found: list[Expr] = []
    for factor, _ in polynomial.factor_list()[1]:
        if factor.degree() == 1:
            found += sympy.roots(factor)
        elif factor.count_roots():
            found += _with_formulas(factor)
    return found


def _roots_of_power(degree: int, value: Expr) -> list[Expr]:
    """Where x^degree is a value that is not 0."""
    size, positive = sympy.Pow(abs(value), sympy.Rational(1, degree)), number(value) > 0
    if degree % 2:
        return [size if positive else -size]
    return [-size, size] if positive else []


def _with_formulas(factor: Expr) -> list[Expr]:
    """The real roots of an irreducible polynomial: all of them, and in radicals where these are short."""
    formulas: list[Expr] = []
    if factor.degree() <= _MAX_EXACT_DEGREE:
        formulas = [one for one in sympy.roots(factor, quartics=False) if not one.has(sympy.I)]
    short = [(number(one), one) for one in formulas if one.count_ops() <= _MAX_FORMULA and one.is_real]
    if factor.degree() == 2:
        return [one for _, one in short]
    found = []
    for root in factor.real_roots():
        approx = number(root)
        same = (exact for at, exact in short if abs(at - approx) <= abs(approx) * sympy.Float("1e-40"))
        found.append(next(same, approx))
    return found


def _roots_by_formula(polynomial: Expr) -> list[Expr]:
    """The roots of a polynomial with roots, logarithms, pi in its coefficients."""
    formulas = sympy.roots(polynomial)
    if sum(formulas.values()) != polynomial.degree():
        raise Undecided("a polynomial of this degree has no formula")
    found = []
    for one in formulas:
        approx = one.evalf(_DIGITS)
        if approx.is_Float or approx.is_Rational:
            found.append(one)
        elif abs(sympy.im(approx)) <= abs(approx) * sympy.Float("1e-20"):
            raise Undecided("a root of which it is not certain that it is real")
    return found


def _algebraic_roots(expression: Expr, x: Expr) -> Roots | None:
    """Candidates for an expression of absolute values and square roots, None for any other."""
    found: list[Expr] = []
    everywhere = False
    try:
        for signed in without_abs(expression):
            numerator = sympy.numer(sympy.together(without_square_roots(signed)))
            if not numerator.is_polynomial(x):
                return None
            polynomial = sympy.Poly(numerator, x)
            everywhere = everywhere or polynomial.is_zero
            found += [] if polynomial.is_zero or polynomial.is_ground else _polynomial_roots(polynomial)
    except Undecided:
        return None
    return Roots(_sorted(found), everywhere=everywhere, polynomial=False)


def _other_roots(expression: Expr, x: Expr) -> Roots:
    try:
        found = sympy.solveset(expression, x, sympy.S.Reals)
    except (
        NotImplementedError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:  # sympy's own ways to give up
        raise Undecided(type(error).__name__) from None
    if found is sympy.S.Reals:
        return Roots(everywhere=True, polynomial=False)
    numbers: list[Expr] = []
    periodic: list[Expr] = []
    for part in found.args if isinstance(found, sympy.Union) else (found,):
        if isinstance(part, sympy.FiniteSet):
            numbers += part.args
        elif isinstance(part, sympy.ImageSet) and part.base_sets == (sympy.S.Integers,):
            periodic.append(sympy.expand(part.lamda.expr.subs(part.lamda.variables[0], N)))
        elif part is not sympy.S.EmptySet:
            raise Undecided(f"sympy leaves it as a {type(part).__name__}")
    if any(one.free_symbols for one in numbers) or any(one.has(sympy.I) for one in periodic):
        raise Undecided("sympy finds no real number")
    return Roots(_sorted(numbers), tuple(periodic), polynomial=False)
