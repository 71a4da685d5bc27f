"""`calculate`: arithmetic, exact where it can be."""

from __future__ import annotations

from ..errors import ToolFailed
from ..tool import Tool
from .exact import shown
from .expression import compute
from .rational import Irrational, RationalAlgebra
from .sympy_process import BUSY, START_SECONDS, Stopped, ask

_SECONDS = 5  # for what takes sympy milliseconds, but where an expression is made to hurt


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
        return shown(compute(expression, RationalAlgebra()))
    except Irrational:
        pass
    try:
        return ask("calculate", expression, seconds=_SECONDS)
    except Stopped as stopped:
        raise ToolFailed(f"sympy can't compute this ({stopped}); try it in smaller steps") from None


def calculate_tool() -> Tool:
    """`calculate` as a tool."""
    return Tool(calculate, effect="pure", timeout=START_SECONDS + BUSY * _SECONDS + 2)
