"""A value held against a JSON Schema: the `json_schema` matcher. Nothing is fetched for a `$ref`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..adapters.values import to_plain
from ..text import MAX_READ, one_line

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

MAX_ERRORS = 100  # that are looked through for the one that says most


def schema_problem(schema: Mapping[str, Any] | bool) -> str | None:
    """Why this is no JSON Schema (2020-12) that can be checked here; None where it is one.

    >>> schema_problem({"type": "objekt"})
    "type: 'objekt' is not valid under any of the given schemas"
    >>> schema_problem({"$ref": "#/$defs/order"})
    '$ref: there is no #/$defs/order in it'
    """
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    error = _most_telling(Draft202012Validator(Draft202012Validator.META_SCHEMA), schema)
    if error is not None:
        return _said(error)
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry().with_resource("", resource).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            return f"$ref: there is no {one_line(reference, 100)} in it"
    return None


def value_problem(schema: Mapping[str, Any] | bool, value: object) -> str | None:
    """Why a value does not fit a schema; a text that does not is read as JSON, and its value held against it.

    >>> schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    >>> value_problem(schema, {"total": "9"}), value_problem(schema, '{"total": 9}')
    ("total: '9' is not of type 'number'", None)
    """
    from jsonschema import Draft202012Validator
    from referencing import Registry

    validator = Draft202012Validator(schema, registry=Registry())
    error = _most_telling(validator, to_plain(value))
    if error is not None and isinstance(value, str):
        try:
            read = json.loads(value[:MAX_READ])
        except (ValueError, RecursionError):
            return _said(error)
        error = _most_telling(validator, read)
    return None if error is None else _said(error)


def _most_telling(validator: Draft202012Validator, value: object) -> ValidationError | None:
    from itertools import islice

    from jsonschema.exceptions import best_match

    error: ValidationError | None = best_match(islice(validator.iter_errors(value), MAX_ERRORS))
    return error


def _said(error: ValidationError) -> str:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return one_line(f"{where.removeprefix('.')}: {error.message}".removeprefix(": "), 200)


def _references(schema: object) -> Iterator[str]:
    """Every `$ref` in a schema."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
