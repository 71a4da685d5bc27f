"""What a program's last value becomes: JSON where it is made of exact built-in types, and a bounded text always.

Only exact types are walked, so no code of the program runs for them; anything else is asked for its `repr`,
which may do what it likes within the run's own limits.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

_DEPTH = 50
_INT_BITS = 13_000  # about the 4,300 digits that Python itself turns into text
_AS_TEXT: dict[Any, Any] = {
    datetime.date: datetime.date.isoformat,
    datetime.datetime: datetime.datetime.isoformat,
    datetime.time: datetime.time.isoformat,
    Decimal: Decimal.__str__,
}
_BRACKETS: dict[Any, str] = {list: "[]", tuple: "()", set: "{}", dict: "{}"}


class NotPlainError(Exception):
    """A value that is not made of JSON's types, or is over a budget."""


def to_json(value: Any, chars: int) -> Any:
    """A copy of `value` in JSON's types; a tuple becomes a list, a date its ISO text, a Decimal its text.

    Raises NotPlainError where there is none.

    >>> to_json({"a": (1, 2.5), "on": datetime.date(2026, 1, 31)}, 100)
    {'a': [1, 2.5], 'on': '2026-01-31'}
    """
    return _Copier(chars).copy(value, 0)


class _Copier:
    def __init__(self, chars: int) -> None:
        self.left = chars

    def copy(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return self.spend(4, value)
        if kind is int and value.bit_length() <= _INT_BITS:
            return self.spend(1 + int(value.bit_length() * 0.302), value)
        if kind is float and math.isfinite(value):
            return self.spend(8, value)
        if kind is str:
            return self.spend(len(value) + 2, value)
        if kind in _AS_TEXT:
            return self.copy(_AS_TEXT[kind](value), depth)
        if depth >= _DEPTH:
            raise NotPlainError
        if kind is list or kind is tuple:
            return [self.copy(item, depth + 1) for item in self.spend(2, value)]
        if kind is dict and all(type(key) is str for key in value):
            return {self.spend(len(key) + 3, key): self.copy(item, depth + 1) for key, item in value.items()}
        raise NotPlainError

    def spend(self, cost: int, value: Any) -> Any:
        self.left -= cost
        if self.left < 0:
            raise NotPlainError
        return value


def to_text(value: Any, chars: int) -> str:
    """`repr(value)`, of which at most `chars` characters are made and shown.

    >>> to_text([1, "a", (2,)], 100), to_text(list(range(1000)), 12)
    ("[1, 'a', (2,)]", '[0, 1, 2, 3…')
    """
    parts: list[str] = []
    left = chars
    for part in _pieces(value, chars, ()):
        parts.append(part[:left])
        left -= len(part)
        if left < 0:
            return "".join(parts)[: chars - 1] + "…"
    return "".join(parts)


def _pieces(value: Any, chars: int, around: tuple[int, ...]) -> Iterator[str]:
    kind = type(value)
    if kind in _BRACKETS and value and len(around) < _DEPTH:
        if id(value) in around:
            yield "...".join(_BRACKETS[kind])
            return
        inside = (*around, id(value))
        yield _BRACKETS[kind][0]
        yield from _members(value, chars, inside)
        yield ",)" if kind is tuple and len(value) == 1 else _BRACKETS[kind][1]
    elif kind is str and len(value) > chars:
        yield repr(value[: chars + 1])
    elif kind is int and value.bit_length() > _INT_BITS:
        yield f"<an int of {value.bit_length()} bits>"
    else:
        yield str.__str__(repr(value))  # an exact str, whatever the program's __repr__ returned


def _members(value: Any, chars: int, inside: tuple[int, ...]) -> Iterator[str]:
    items: Iterable[Any] = value.items() if type(value) is dict else value
    for index, item in enumerate(items):
        if index:
            yield ", "
        if type(value) is dict:
            yield from _pieces(item[0], chars, inside)
            yield ": "
            item = item[1]
        yield from _pieces(item, chars, inside)
