"""Questions that a short program answers: what ProgramOfThought, and CodeAct without functions, ask of the model.

In a scene of programs the families compose one Python expression instead of calling tools; the program is
that expression, after an import where it counts days. It is never more, for its value is the answer.
"""

from __future__ import annotations

import ast
import re
from datetime import date, timedelta
from random import Random

from .simulation import MEASURES, show_exact, unit_of

IMPORT = "from datetime import *\n"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_ROOT = re.compile(r"sqrt\(([\d.]+)\)")
_SPEEDS = {"km/h": "1", "mph": "1.609344", "m/s": "3.6"}


def in_python(expression: str) -> str:
    """A calculator's expression as Python writes it, in brackets where it is more than a number.

    >>> in_python("15% * 80"), in_python("2^10"), in_python("sqrt(7)"), in_python("42")
    ('(15/100*80)', '(2**10)', '(7**0.5)', '42')
    """
    text = _PERCENT.sub(r"\1/100", expression.replace(" ", "")).replace("^", "**")
    text = _ROOT.sub(r"\1**0.5", text)
    return text if re.fullmatch(r"[\d.]+", text) else f"({text})"


def conversion(value: str, source: str, target: str) -> str:
    """The expression for a value in another unit.

    >>> conversion("5", "km", "miles"), conversion("70", "degF", "degC"), conversion("3", "m", "mm")
    ('(5*1000/1609.344)', '((70-32)*5/9)', '(3/0.001)')
    """
    start, end = unit_of(source), unit_of(target)
    if "degC" in (start, end) and start != end:
        return f"({value}*9/5+32)" if start == "degC" else f"(({value}-32)*5/9)"
    sizes = next(sizes for sizes in _SIZES if start in sizes)
    times = "" if sizes[start] == "1" else f"*{sizes[start]}"
    parts = "" if sizes[end] == "1" else f"/{sizes[end]}"
    return f"({value}{times}{parts})" if start != end else value


_SIZES = [
    {unit: _SPEEDS[unit] if measure == "speed" else show_exact(size) for unit, size in sizes.items()}
    for measure, sizes in MEASURES.items()
]


def day_of(text: str) -> str:
    """A day as Python writes it; what is an expression already stays.

    >>> day_of("2024-03-05")
    'date(2024,3,5)'
    """
    if text.startswith("date("):
        return text
    day = date.fromisoformat(text)
    return f"date({day.year},{day.month},{day.day})"


def shifted(start: str, unit: str, count: int) -> str:
    """The expression for a day so much later.

    >>> shifted("2024-03-05", "weeks", -2)
    'date(2024,3,5)-timedelta(weeks=2)'
    """
    step = f"weeks={abs(count)}" if unit == "weeks" else str(abs(count))
    return f"{day_of(start)}{'-' if count < 0 else '+'}timedelta({step})"


def days_from(start: str, end: str) -> str:
    return f"({day_of(end)}-{day_of(start)}).days"


def weekday_of(day: str) -> str:
    text = day_of(day)
    return f'({text}).strftime("%A")' if "timedelta" in text else f'{text}.strftime("%A")'


def program_of(expression: str) -> str:
    """The program whose last line is the expression; a day is given as text.

    >>> program_of("(7*8)"), program_of("date(2024,3,5)+timedelta(30)")
    ('7*8', 'from datetime import *\\nstr(date(2024,3,5)+timedelta(30))')
    """
    text = bare(expression)
    if text.startswith("date(") and not text.endswith('")'):
        text = f"str({text})"
    return f"{IMPORT}{text}" if "date(" in text else text


def bare(text: str) -> str:
    """The expression without brackets around the whole of it.

    >>> bare("(1+2)"), bare("(1+2)*(3+4)")
    ('1+2', '(1+2)*(3+4)')
    """
    inner = text[1:-1]
    return inner if text[:1] == "(" and ast.dump(ast.parse(text)) == _dumped(inner) else text


def _dumped(text: str) -> str:
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return ""


_NAMES: dict[str, object] = {"date": date, "timedelta": timedelta, "round": round, "str": str}


def value_of(program: str) -> object:
    """What the program's last line gives."""
    return eval(program.removeprefix(IMPORT), dict(_NAMES))  # noqa: S307  # the generator's own expression


def shown_value(value: object) -> str:
    """A value as the text of an answer: no point where the number is whole.

    >>> shown_value(5.0), shown_value(2.5), shown_value("Monday")
    ('5', '2.5', 'Monday')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def spoilt(rng: Random, program: str) -> str:
    """The program with a mistake that people make."""
    *head, last = program.split("\n")
    ways = [f"print({last})", f"x = {last}", f"{last})", f"result = {last}"]
    if head:
        ways += [last, last, f"import datetime\n{last}"]
        return rng.choice(ways if rng.random() < 0.7 else [last])
    if "/100" in last:
        ways += [last.replace("/100", "% ", 1)] * 2
    if "**0.5" in last:
        ways += ["sqrt(" + last.replace("**0.5", ")")] * 3
    return rng.choice(ways)


def complaint(program: str, field: str) -> str | None:
    """What the model reads after the program where it gives no answer: None where it does.

    >>> print(complaint("sqrt(9)", "answer"))
    Error: the program ended with error.
    Traceback (most recent call last):
      line 1
        sqrt(9)
    NameError: name 'sqrt' is not defined
    """
    lines = program.split("\n")
    try:
        body = ast.parse(program).body
    except SyntaxError as error:
        return _traceback(error.lineno or 1, lines, f"SyntaxError: {error.msg}")
    ending = (
        f"This is no answer yet: the last line must be an expression whose value is the answer ({field})."
    )
    shape = body[-1]
    assigned = isinstance(shape, ast.Assign)
    printed = isinstance(shape, ast.Expr) and ast.unparse(shape).startswith("print(")
    expression = lines[-1].partition(" = ")[2] if assigned else lines[-1]
    names = (
        dict(_NAMES) if program.startswith(IMPORT) or "date(" not in program else {"round": round, "str": str}
    )
    try:
        value = eval(expression.removeprefix("print") if printed else expression, names)  # noqa: S307  # as above
    except (NameError, TypeError, ArithmeticError) as error:
        return _traceback(len(lines), lines, f"{type(error).__name__}: {error}")
    if printed:
        return f"Error: {value}\n{ending}"
    return f"Error: (it printed nothing, and its last line has no value)\n{ending}" if assigned else None


def _traceback(line: int, lines: list[str], problem: str) -> str:
    return (
        "Error: the program ended with error.\nTraceback (most recent call last):\n"
        f"  line {line}\n    {lines[line - 1].strip()}\n{problem}"
    )
