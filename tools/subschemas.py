"""Where a JSON Schema holds other schemas, and definitions put in the place of what refers to them."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping

from .wording import Schema

_MAX_PARTS = 2_000  # of a schema with nothing but its loops left in definitions; a larger one keeps them all
_MAX_DEFINITIONS = 40  # likewise: a long chain of them is deep when it is unfolded

_ONE = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_SEVERAL = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})

_REF = "#/$defs/"


def subschemas(schema: Schema) -> Iterator[Schema]:
    """The schemas directly inside one, wherever its keywords put them.

    >>> list(subschemas({"anyOf": [{"type": "null"}], "default": {"type": "no schema"}}))
    [{'type': 'null'}]
    """
    for key, value in schema.items():
        inner: object = ()
        if key in _NAMED and isinstance(value, Mapping):
            inner = value.values()
        elif key in _ONE and isinstance(value, Mapping):
            inner = (value,)
        elif key in _SEVERAL and isinstance(value, (list, tuple)):
            inner = value
        yield from (one for one in typing.cast("tuple[object, ...]", inner) if isinstance(one, Mapping))


def with_subschemas(schema: Schema, change: Callable[[Schema], object]) -> dict[str, object]:
    """The same schema, every schema directly inside it changed."""

    def changed(one: object) -> object:
        return change(one) if isinstance(one, Mapping) else one

    made: dict[str, object] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            made[key] = {name: changed(one) for name, one in value.items()}
        elif key in _ONE and isinstance(value, Mapping):
            made[key] = change(value)
        elif key in _SEVERAL and isinstance(value, (list, tuple)):
            made[key] = [changed(one) for one in value]
        else:
            made[key] = value
    return made


def inlined(schema: Schema, definitions: Mapping[str, Schema]) -> tuple[dict[str, object], dict[str, Schema]]:
    """The schema with its definitions put where they are referred to, and the definitions still needed.

    One that refers to itself stays a definition. Where many refer to many, what they unfold to grows beyond
    all bounds (a class with two fields of a class with two fields…): then all of them stay.

    >>> inlined({"$ref": "#/$defs/N", "description": "How many."}, {"N": {"type": "integer"}})
    ({'type': 'integer', 'description': 'How many.'}, {})
    """
    staying = set(definitions)
    if len(definitions) <= _MAX_DEFINITIONS:
        looping = _in_loops(definitions)
        if _unfolded_size(schema, definitions, looping, {}) <= _MAX_PARTS:
            staying = looping

    def put_in(one: Schema) -> dict[str, object]:
        target = _target(one)
        if target not in definitions or target in staying:
            return with_subschemas(one, put_in)
        beside = {key: value for key, value in one.items() if key != "$ref"}
        return {**put_in(definitions[target]), **with_subschemas(beside, put_in)}

    made = put_in(schema)
    kept: dict[str, Schema] = {}
    waiting = list(_targets(made, definitions))
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = put_in(definitions[name])
            waiting += _targets(kept[name], definitions)
    return made, {name: kept[name] for name in definitions if name in kept}


def _target(schema: Schema) -> str:
    reference = schema.get("$ref")
    return reference.removeprefix(_REF) if isinstance(reference, str) and reference.startswith(_REF) else ""


def _targets(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    """The definitions that a schema refers to by itself, as often as it does."""
    if (target := _target(schema)) in definitions:
        yield target
    for one in subschemas(schema):
        yield from _targets(one, definitions)


def _in_loops(definitions: Mapping[str, Schema]) -> set[str]:
    """The definitions from which a way leads back to themselves."""
    uses = {name: frozenset(_targets(one, definitions)) for name, one in definitions.items()}

    def comes_back(start: str) -> bool:
        seen: set[str] = set()
        waiting = [*uses[start]]
        while waiting:
            name = waiting.pop()
            if name == start:
                return True
            if name not in seen:
                seen.add(name)
                waiting += uses[name]
        return False

    return {name for name in uses if comes_back(name)}


def _unfolded_size(
    schema: Schema, definitions: Mapping[str, Schema], staying: set[str], known: dict[str, int]
) -> int:
    size = 1 + sum(_unfolded_size(one, definitions, staying, known) for one in subschemas(schema))
    target = _target(schema)
    if target not in definitions or target in staying:
        return size
    if target not in known:
        known[target] = _unfolded_size(definitions[target], definitions, staying, known)
    return size + known[target]
