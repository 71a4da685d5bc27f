"""Polynomials in whose roots the zeros of an expression with |…| and square roots lie.

Each |u| is u or -u; a square root goes when the expression is multiplied by the same with the root's other
sign. There may be more roots than zeros: whoever asks puts them back.
"""

from __future__ import annotations

import sympy

from .symbolic import Expr
from .unknowns import Undecided

_MAX_ABS, _MAX_ROOTS = 5, 3  # each doubles the work


def without_abs(expression: Expr) -> list[Expr]:
    """The expression with either sign for each |…|, the inner ones first."""
    found, left = [expression], _MAX_ABS
    while any(one.has(sympy.Abs) for one in found):
        if not left:
            raise Undecided("too many absolute values")
        left -= 1
        found = [signed for one in found for signed in _either_sign(one)]
    return found


def _either_sign(expression: Expr) -> list[Expr]:
    inner = [one for one in expression.atoms(sympy.Abs) if not one.args[0].has(sympy.Abs)]
    if not inner:
        return [expression]
    chosen = min(inner, key=str)
    return [expression.xreplace({chosen: chosen.args[0]}), expression.xreplace({chosen: -chosen.args[0]})]


def without_square_roots(expression: Expr) -> Expr:
    """The numerator of an expression times its conjugates; raises `Undecided` where that says nothing."""
    for _ in range(_MAX_ROOTS):
        roots = [one for one in expression.atoms(sympy.Pow) if one.exp.is_Rational and one.exp.q == 2]
        if not any(one.base.free_symbols for one in roots):
            return expression
        # the one that holds the others goes first
        base = max(
            (one.base for one in roots if one.base.free_symbols), key=lambda it: (it.count_ops(), str(it))
        )
        root = sympy.Dummy()
        same = {one: root ** (2 * one.exp) for one in roots if one.base == base}
        numerator = sympy.expand(sympy.numer(sympy.together(expression.xreplace(same))))
        product = sympy.expand(numerator * numerator.xreplace({root: -root}))
        expression = sympy.expand(product.subs(root, sympy.sqrt(base)))
        if expression == 0:
            raise Undecided("its conjugates cancel")
    raise Undecided("too many square roots")
