"""Types as people write them in schemas by hand: `int`, `STRING`, `list[str]`, `string[]`, `Optional[float]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_MAX_CHARS = 200

_SAME: dict[str, dict[str, object]] = {
    "any": {},
    "array": {"type": "array"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer"},
    "null": {"type": "null"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "string": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
}
_ALSO = {
    "any": "any unknown mixed json value jsonvalue type_unspecified",
    "array": "array list tuple set frozenset sequence iterable vector",
    "boolean": "boolean bool",
    "date": "date",
    "date-time": "date-time datetime timestamp",
    "integer": "integer int int32 int64 uint32 uint64 long short bigint",
    "null": "null none nil nonetype undefined void",
    "number": "number float double decimal real numeric float32 float64",
    "object": "object dict dictionary map mapping record struct hash jsonobject",
    "string": "string str text char varchar file path url uri email binary bytes base64",
    "uuid": "uuid guid",
}
_NAMES = {word: _SAME[kind] for kind, words in _ALSO.items() for word in words.split()}
_GENERIC = re.compile(r"([\w.]+)\s*(?:\[(.*)\]|<(.*)>|\((.*)\))", re.DOTALL)


def schema_of_type(
    text: str, otherwise: Callable[[str], dict[str, object]] = lambda text: {}
) -> dict[str, object]:
    """The schema of a type's name; what `otherwise` gives (or raises) where there is no such type.

    >>> schema_of_type("FLOAT"), schema_of_type("list[int]")
    ({'type': 'number'}, {'type': 'array', 'items': {'type': 'integer'}})
    >>> schema_of_type("Optional[str]")
    {'anyOf': [{'type': 'string'}, {'type': 'null'}]}
    """
    found = _read(text.strip()) if len(text) <= _MAX_CHARS else None
    return otherwise(text) if found is None else found


def _read(text: str) -> dict[str, object] | None:
    word = text.lower().removeprefix("typing.")
    if word in _NAMES:
        return dict(_NAMES[word])
    if len(parts := list(_split(text, "|"))) > 1:
        return _union(parts)
    if text.endswith("[]"):
        item = _read(text[:-2].strip())
        return None if item is None else {"type": "array", "items": item}
    generic = _GENERIC.fullmatch(text.removeprefix("typing."))
    if generic is None:
        return None
    inner = list(_split(generic[2] or generic[3] or generic[4] or "", ","))
    return _generic(generic[1].lower(), inner)


def _generic(outer: str, inner: list[str]) -> dict[str, object] | None:
    if outer == "optional":
        return _union([*inner, "null"])
    if outer == "union":
        return _union(inner)
    kind = _NAMES.get(outer, {}).get("type")
    if kind == "array":
        if len(inner) == 1 or inner[1:] == ["..."]:
            item = _read(inner[0])
            return None if item is None else {"type": "array", "items": item}
        return {"type": "array"}
    if kind == "object":
        values = _read(inner[-1])
        return None if values is None else {"type": "object", "additionalProperties": values or True}
    return dict(_NAMES[outer]) if kind is not None else None  # varchar(20)


def _union(parts: list[str]) -> dict[str, object] | None:
    branches = [_read(part) for part in parts]
    known = [one for one in branches if one is not None]
    if len(known) < len(branches):
        return None
    return {} if {} in known else {"anyOf": known}


def _split(text: str, mark: str) -> Iterator[str]:
    """The parts of a text between marks that stand in no brackets."""
    depth, start = 0, 0
    for place, one in enumerate(text):
        depth += (one in "[<(") - (one in "]>)")
        if one == mark and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()
