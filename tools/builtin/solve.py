"""`solve`: equations, systems of them, and inequalities; exactly where that can be."""

from __future__ import annotations

from ..errors import ToolFailed
from ..tool import Tool
from .relations import read_problem
from .sympy_process import BUSY, START_SECONDS, Stopped, ask

_EXACT_SECONDS = 5  # for a formula
_SEARCH_SECONDS = 5  # for a search where there is none


def solve(equations: str, unknowns: str = "") -> str:
    """Solve equations or inequalities for real numbers.

    The result is exact, with a decimal beside it; what only a numeric search found says so.
    Functions: sqrt abs exp ln log sin cos tan (radians) and more; pi and e are numbers.

    Args:
        equations: For example "2*x + 3 = 7", "x^2 - 5*x + 6 = 0" or "3*x - 1 > 5"; separate several
            by ";", as in "x + y = 10; x - y = 2".
        unknowns: What to solve for, such as "r" or "x, y", where the equations hold other names too;
            all of them unless told.

    >>> solve("2x + 3 = 7"), solve("x + y = 10; x - y = 2"), solve("x^2 = 2*x + 3")
    ('x = 2', 'x = 6, y = 4', 'x = -1 or x = 3')
    >>> solve("F = 9/5*C + 32", unknowns="C"), solve("x^2 < 4")
    ('C = 5*F/9 - 160/9', '-2 < x < 2')
    """
    read_problem(equations, unknowns)  # what is misspelt is told without the process
    try:
        return ask("solve", equations, unknowns, seconds=_EXACT_SECONDS)
    except Stopped:
        pass
    try:
        return ask("search", equations, unknowns, seconds=_SEARCH_SECONDS)
    except Stopped as stopped:
        raise ToolFailed(f"this can't be solved ({stopped}); try it in smaller steps") from None


def solve_tool() -> Tool:
    """`solve` as a tool."""
    seconds = 2 * START_SECONDS + BUSY * (_EXACT_SECONDS + _SEARCH_SECONDS) + 2
    return Tool(solve, effect="pure", timeout=seconds)
