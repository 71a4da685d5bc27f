"""Another value for an argument of a call, for a mutant that makes the call with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta

_UNITS: Mapping[str, str] = {  # another of the same kind
    "cups": "quarts",
    "degC": "kelvin",
    "degF": "kelvin",
    "feet": "miles",
    "g": "kg",
    "gallons": "litres",
    "kg": "g",
    "km": "miles",
    "km/h": "m/s",
    "knots": "km/h",
    "litres": "ml",
    "m^2": "km^2",
    "miles": "feet",
    "ml": "litres",
    "ounces": "pounds",
    "pounds": "ounces",
    "quarts": "gallons",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "address": ("Nowhere 1, 9999 Elsewhere",),
    "cause": ("large_amount", "warranty"),
    "email": ("nora@fieldmail.example", "ivo.brandl@post.example"),
    "item": ("whiteboard", "bookshelf", "webcam"),
    "name": ("Jonas Petri", "Ines Okafor"),
    "occasion": ("late", "goodwill"),
    "path": ("handbook/equipment.md", "handbook/training.md"),
    "postcode": ("0000",),
    "reason": ("damaged", "kept"),
    "sku": ("MUG-4", "KET-1"),
    "topic": ("returns", "damage"),
    "town": ("Old Mill", "Norhaven"),
}
_IDS: Mapping[str, tuple[int, ...]] = {"customer_id": (301, 302), "order_id": (1003, 1006)}
_SHIFTS = ("days", "weeks", "months", "years")
_LITERAL = re.compile(r"(?<![\w.$])\d+(?:\.\d+)?")  # the number of an expression, but not the 2 of $2
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def changed(name: str, value: object, taken: Collection[str] = ()) -> object:
    """A value for the parameter `name` that is not this one, nor taken; None where there is none to be had.

    >>> changed("expression", "$1 * 12"), changed("start", "2026-01-01"), changed("query", "leave")
    ('$1 * 106', '2026-02-10', None)
    """
    if name in _IDS:
        return next(one for one in _IDS[name] if one != value)
    if isinstance(value, int | float):
        return value + 40 if name in _SHIFTS else value * 2 + 1
    text = str(value)
    if _DATE.fullmatch(text):
        return (date.fromisoformat(text) + timedelta(days=40)).isoformat()
    if name in ("from_unit", "to_unit"):
        return _UNITS.get(text)
    if name in ("expression", "equations"):
        other = _LITERAL.sub(lambda found: f"{float(found.group()) * 3 + 70:g}", text, count=1)
        return None if other == text else other
    return next((one for one in _CHOICES.get(name, ()) if one not in text and one not in taken), None)
