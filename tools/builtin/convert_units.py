"""`convert_units`: between units of measurement, by pint."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import ToolFailed, nearest
from ..tool import Tool
from .numbers import short

if TYPE_CHECKING:
    from pint import Unit, UnitRegistry

_MAX_LENGTH = 60
_SIGNS = str.maketrans({"²": "^2", "³": "^3", "·": "*", "×": "*", "µ": "u", "μ": "u", "º": "°"})
_TOKEN = re.compile(r"\s*(?:(?P<name>[^\W\d]\w*)|(?P<power>\s*(?:\^|\*\*)\s*-?\d)(?!\d)|(?P<sign>[*/()]))\s*")
_NAMES = {  # what people write, and pint does not know or takes for something else
    "°c": "degC",
    "deg c": "degC",
    "degrees c": "degC",
    "degrees celsius": "degC",
    "degree celsius": "degC",
    "centigrade": "degC",
    "°f": "degF",
    "deg f": "degF",
    "degrees f": "degF",
    "degrees fahrenheit": "degF",
    "degree fahrenheit": "degF",
    "°k": "kelvin",
    "degrees kelvin": "kelvin",
    "°": "degree",
    "%": "percent",
    "fl oz": "fluid_ounce",
    "fluid ounce": "fluid_ounce",
    "fluid ounces": "fluid_ounce",
    "floz": "fluid_ounce",
    "nautical mile": "nautical_mile",
    "nautical miles": "nautical_mile",
    "nmi": "nautical_mile",
    "light year": "light_year",
    "light years": "light_year",
    "light-year": "light_year",
    "light-years": "light_year",
    "metric ton": "metric_ton",
    "metric tons": "metric_ton",
    "short ton": "short_ton",
    "short tons": "short_ton",
    "long ton": "long_ton",
    "long tons": "long_ton",
    "us gallon": "gallon",
    "us gallons": "gallon",
    "imperial gallon": "imperial_gallon",
    "imperial gallons": "imperial_gallon",
    "mpg": "mile/gallon",
    "kmph": "km/h",
    "sqft": "ft^2",
    "sqm": "m^2",
}
_TEMPERATURES = {"c": "degC", "f": "degF", "k": "kelvin"}  # only where both sides are temperatures
_BYTES = {
    "kb": "kB",
    "mb": "MB",
    "gb": "GB",
    "tb": "TB",
    "pb": "PB",
}  # only where both sides are amounts of data


def convert_units(value: float, from_unit: str, to_unit: str) -> str:
    """Convert a value from one unit of measurement to another.

    Args:
        value: The number to convert.
        from_unit: The unit it is in, such as "km", "miles", "kg", "degC", "km/h" or "m^2".
        to_unit: The unit wanted.

    >>> convert_units(5, "km", "mi"), convert_units(20, "celsius", "fahrenheit")
    ('3.106855961 mi', '68 fahrenheit')
    """
    source, target = _parsed(from_unit, to_unit), _parsed(to_unit, from_unit)
    result = _converted(value, source, target, from_unit, to_unit)
    if not math.isfinite(result):
        raise ToolFailed(f"{value:g} {from_unit.strip()} is too large to give in {to_unit.strip()}")
    number = Decimal(repr(result))
    if source.dimensionality == _registry().kelvin.dimensionality:
        number = round(number, 9)  # scales with an offset: what is left of a subtraction is noise
    return f"{short(number)} {to_unit.strip()}"


def convert_units_tool() -> Tool:
    """`convert_units` as a tool."""
    return Tool(convert_units, effect="pure")


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def _converted(value: float, source: Unit, target: Unit, from_unit: str, to_unit: str) -> float:
    import pint

    try:
        return float(_registry().Quantity(value, source).to(target).magnitude)
    except pint.DimensionalityError:
        raise ToolFailed(
            f'"{from_unit.strip()}" is {_dimension(source)} and "{to_unit.strip()}" is {_dimension(target)}: '
            f"one can't be converted into the other"
        ) from None
    except pint.PintError as error:
        raise ToolFailed(f"{from_unit.strip()} can't be converted into {to_unit.strip()}: {error}") from None
    except OverflowError:
        return math.inf


def _dimension(unit: Unit) -> str:
    """What a unit measures, in a word where there is one."""
    formula = str(unit.dimensionality)
    words = {
        "[length]": "a length",
        "[mass]": "a mass",
        "[time]": "a time",
        "[temperature]": "a temperature",
        "[length] ** 2": "an area",
        "[length] ** 3": "a volume",
        "[length] / [time]": "a speed",
        "[mass] * [length] ** 2 / [time] ** 2": "an energy",
        "[length] ** 2 * [mass] / [time] ** 2": "an energy",
        "[mass] / [length] / [time] ** 2": "a pressure",
        "[mass] * [length] ** 2 / [time] ** 3": "a power",
        "[length] ** 2 * [mass] / [time] ** 3": "a power",
        "[current]": "a current",
        "dimensionless": "a plain number, an angle or an amount of data",
    }
    return words.get(
        formula, f"of the dimension {formula.replace('[', '').replace(']', '').replace(' ** ', '^')}"
    )


def _parsed(text: str, other: str) -> Unit:
    """A unit from what a model wrote; `other` is the unit on the other side, which may settle its meaning."""
    import pint

    written = " ".join(text.split())
    if not written or len(written) > _MAX_LENGTH:
        raise ToolFailed(
            "a unit is a name like km, degC or m/s^2"
            + (f", not {len(written)} characters" if written else "")
        )
    name = _meant(written, other)
    _check_form(name, written)
    for candidate in dict.fromkeys((name, name.lower(), name.removesuffix("."))):
        try:
            return _registry().parse_units(candidate)
        except pint.UndefinedUnitError:
            continue
        except Exception:  # noqa: BLE001 - pint's parser stumbles in many ways; the answer is the same
            break
    near = nearest(name, _registry())
    hint = f'; did you mean "{near}"?' if near else "; write it like km, degC or m/s^2"
    raise ToolFailed(f'there is no unit "{written}"{hint}')


def _meant(written: str, other: str) -> str:
    lower, beside = written.lower(), " ".join(other.lower().split())
    if lower in _TEMPERATURES and (beside in _TEMPERATURES or _NAMES.get(beside, beside) in _SCALES):
        return _TEMPERATURES[lower]
    if written in _BYTES and (beside in _BYTES or "byte" in beside or beside in ("b", "bit", "bits")):
        return _BYTES[written]
    return _NAMES.get(lower, written.translate(_SIGNS))


_SCALES = frozenset(
    {"degC", "degF", "kelvin", "celsius", "fahrenheit", "degc", "degf", "degk", "degr", "rankine"}
)


def _check_form(name: str, written: str) -> None:
    """Let only names, products, quotients and one-digit powers through to pint's parser, which can compute."""
    at, after_power = 0, True
    while at < len(name):
        match = _TOKEN.match(name, at)
        if match is None or (match["power"] and after_power):
            number = "; a number goes into value" if written[0].isdigit() else ""
            raise ToolFailed(
                f'"{written}" is no unit: write names joined by * and /, powers like m^2{number}'
            )
        after_power = bool(match["power"])
        at = match.end()
