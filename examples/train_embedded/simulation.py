"""Fast equivalents of the built-in tools `calculate`, `convert_units` and `date_math`, for making episodes.

They give the same texts as `loopwright.tools.builtin` on all that the generator asks (a test holds them
to it) at a thousandth of the time.
"""

from __future__ import annotations

import ast
import calendar
import re
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction


class ToolError(Exception):
    """What a tool answers when it can't do as asked; the model reads the text after `Error: `."""


_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d(.])")
_LONGEST_EXPRESSION = 200
_DECIMAL_FIGURES = 12
_LONGEST_EXACT = 40


def calculate(expression: str) -> str:
    """The value of an arithmetic expression, exact where it is short, else with ten figures.

    >>> calculate("12*3.5"), calculate("15% * 80"), calculate("10/3")
    ('42', '12', '10/3 ≈ 3.333333333')
    """
    if len(expression) > _LONGEST_EXPRESSION:
        raise ToolError("the expression is too long")
    text = _PERCENT.sub(r"(\1/100)", expression.replace("^", "**").replace("×", "*").replace("÷", "/"))
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        value = _evaluate(tree, text.strip())
    except ZeroDivisionError:
        raise ToolError("division by zero") from None
    except (SyntaxError, ValueError, KeyError, OverflowError, RecursionError, MemoryError):
        raise ToolError(f"cannot read {expression!r} as arithmetic") from None
    return show_exact(value) if isinstance(value, Fraction) else f"{expression} ≈ {_ten_figures(value)}"


def _evaluate(node: ast.expr, text: str) -> Fraction | Decimal:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(ast.get_source_segment(text, node) or str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _evaluate(node.operand, text)
        return -inner if isinstance(node.op, ast.USub) else inner
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "sqrt"
        and len(node.args) == 1
    ):
        return _root(_evaluate(node.args[0], text))
    if isinstance(node, ast.BinOp):
        return _operate(node.op, _evaluate(node.left, text), _evaluate(node.right, text))
    raise ValueError(ast.dump(node))


def _operate(
    operator: ast.operator, left: Fraction | Decimal, right: Fraction | Decimal
) -> Fraction | Decimal:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        left, right = _decimal(left), _decimal(right)
    if isinstance(operator, ast.Add):
        return left + right  # type: ignore[operator]  # both are of one type here
    if isinstance(operator, ast.Sub):
        return left - right  # type: ignore[operator]  # both are of one type here
    if isinstance(operator, ast.Mult):
        return left * right  # type: ignore[operator]  # both are of one type here
    if isinstance(operator, ast.Div):
        if right == 0:
            raise ZeroDivisionError
        return left / right  # type: ignore[operator]  # both are of one type here
    if (
        isinstance(operator, ast.Pow)
        and isinstance(right, Fraction)
        and right.denominator == 1
        and abs(right) <= 64
    ):
        return left ** int(right)
    raise ValueError(operator)


def _root(value: Fraction | Decimal) -> Fraction | Decimal:
    if value < 0:
        raise ValueError(value)
    root = _decimal(value).sqrt(Context(prec=40))
    exact = Fraction(root)
    return exact if isinstance(value, Fraction) and exact * exact == value else root


def _decimal(value: Fraction | Decimal) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return Context(prec=40).divide(Decimal(value.numerator), Decimal(value.denominator))


def _ten_figures(value: Fraction | Decimal) -> str:
    rounded = Context(prec=10, rounding=ROUND_HALF_EVEN).plus(_decimal(value))
    return plain(rounded)


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def show_exact(value: Fraction) -> str:
    """An integer or a terminating decimal of up to 12 figures as it is; else exactly and with ten figures."""
    if value.denominator == 1:
        return str(value.numerator)
    exact = f"{value.numerator}/{value.denominator}"
    bare = value.denominator
    for factor in (2, 5):
        while bare % factor == 0:
            bare //= factor
    if bare == 1:
        exact = plain(Context(prec=60).divide(Decimal(value.numerator), Decimal(value.denominator)))
        if len(exact.replace(".", "").lstrip("-0")) <= _DECIMAL_FIGURES:
            return exact
    approximate = f"≈ {_ten_figures(value)}"
    return f"{exact} {approximate}" if len(exact) <= _LONGEST_EXACT else approximate


_LENGTH = {
    "km": "1000",
    "m": "1",
    "cm": "0.01",
    "mm": "0.001",
    "mile": "1609.344",
    "yard": "0.9144",
    "foot": "0.3048",
    "inch": "0.0254",
}
_MASS = {
    "kg": "1",
    "g": "0.001",
    "lb": "0.45359237",
    "oz": "0.028349523125",
    "tonne": "1000",
    "mg": "0.000001",
}
_VOLUME = {"l": "1", "ml": "0.001", "gal": "3.785411784", "pint": "0.473176473", "cup": "0.2365882365"}
_TIME = {"h": "3600", "min": "60", "s": "1", "day": "86400", "week": "604800"}
_SPEED = {"km/h": Fraction(1000, 3600), "mph": Fraction("1609.344") / 3600, "m/s": Fraction(1)}
MEASURES: dict[str, dict[str, Fraction]] = {
    "length": {unit: Fraction(size) for unit, size in _LENGTH.items()},
    "mass": {unit: Fraction(size) for unit, size in _MASS.items()},
    "volume": {unit: Fraction(size) for unit, size in _VOLUME.items()},
    "time": {unit: Fraction(size) for unit, size in _TIME.items()},
    "speed": _SPEED,
    "temperature": {"degC": Fraction(1), "degF": Fraction(1)},
}
SPELLINGS: dict[str, tuple[str, ...]] = {
    "km": ("km", "km", "kilometers", "kilometres", "kilometer"),
    "m": ("m", "meters", "metres", "meter"),
    "cm": ("cm", "centimeters", "centimetres"),
    "mm": ("mm", "millimeters"),
    "mile": ("miles", "miles", "mile", "mi"),
    "yard": ("yards", "yd", "yard"),
    "foot": ("feet", "ft", "foot"),
    "inch": ("inches", "inch"),
    "kg": ("kg", "kg", "kilograms", "kilogram"),
    "g": ("g", "grams", "gram"),
    "lb": ("pounds", "lb", "lbs", "pound"),
    "oz": ("ounces", "oz", "ounce"),
    "tonne": ("tonnes", "tonne"),
    "mg": ("mg", "milligrams"),
    "l": ("liters", "litres", "l", "liter"),
    "ml": ("ml", "milliliters"),
    "gal": ("gallons", "gal", "gallon"),
    "pint": ("pints", "pint"),
    "cup": ("cups", "cup"),
    "h": ("hours", "h", "hour"),
    "min": ("minutes", "min", "minute"),
    "s": ("seconds", "s"),
    "day": ("days", "day"),
    "week": ("weeks", "week"),
    "km/h": ("km/h",),
    "mph": ("mph",),
    "m/s": ("m/s",),
    "degC": ("degC",),
    "degF": ("degF",),
}
_UNIT = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in (unit, *spellings)}


def unit_of(spelling: str) -> str:
    """The unit that is spelt so."""
    return _UNIT[spelling.strip()]


def other_units(spelling: str) -> list[str]:
    """The units that a unit can be converted to; none where it is not a unit at all.

    >>> other_units("km/h")
    ['mph', 'm/s']
    """
    unit = _UNIT.get(spelling)
    return [other for sizes in MEASURES.values() if unit in sizes for other in sizes if other != unit]


def convert(value: str, from_unit: str, to_unit: str) -> str:
    """The value in the other unit, with up to ten figures.

    >>> convert("5", "km", "miles")
    '3.106855961 miles'
    """
    source, target = _UNIT.get(from_unit.strip()), _UNIT.get(to_unit.strip())
    for given, unit in ((from_unit, source), (to_unit, target)):
        if unit is None:
            raise ToolError(f"no unit {given!r}")
    measure = next(sizes for sizes in MEASURES.values() if source in sizes)
    if target not in measure:
        raise ToolError(f"cannot convert {from_unit} to {to_unit}")
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ToolError(f"{value!r} is no number") from None
    if "degC" in measure and source != target:
        result = number * 9 / 5 + 32 if source == "degC" else (number - 32) * 5 / 9
    else:
        result = number * measure[source or ""] / measure[target or ""]
    return f"{_ten_figures(result)} {to_unit.strip()}"


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ToolError(f"{text!r} is no date; write YYYY-MM-DD") from None


def shift(start: date, years: int = 0, months: int = 0, weeks: int = 0, days: int = 0) -> str:
    """The day so much later, with its weekday; the 31st of a short month becomes its last day.

    >>> shift(date(2024, 1, 31), months=1)
    '2024-02-29 (Thursday)'
    """
    months += 12 * years + start.month - 1
    year, month = start.year + months // 12, months % 12 + 1
    if not 1 <= year <= 9998:
        raise ToolError("the date is out of range")
    day = date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
    try:
        day += timedelta(days=days, weeks=weeks)
    except OverflowError:
        raise ToolError("the date is out of range") from None
    return f"{day.isoformat()} ({day:%A})"


def days_between(start: date, end: date) -> str:
    """The number of days from one day to the other.

    >>> days_between(date(2024, 1, 1), date(2024, 3, 1))
    '60 days'
    """
    count = (end - start).days
    return f"{count} day" if abs(count) == 1 else f"{count} days"
