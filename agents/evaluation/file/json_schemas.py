"""A value held against a JSON Schema: the `json_schema` matcher. Nothing is fetched for a `$ref`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...adapters.values import to_plain
from ...text import MAX_READ, one_line

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

MAX_ERRORS = 100  # that are looked through for the one that says most
ENDLESS = "nested too deeply to be checked"

_DATA = frozenset({"const", "enum", "default", "examples"})


def schema_problem(schema: Mapping[str, Any] | bool) -> str | None:
    """Why this is no JSON Schema (2020-12) that can be checked here; None where it is one.

    >>> schema_problem({"type": "objekt"})
    "type: 'objekt' is not valid under any of the given schemas"
    >>> schema_problem({"$ref": "#/$defs/order"})
    '$ref: there is no #/$defs/order in it'
    """
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    error = _most_telling(Draft202012Validator(Draft202012Validator.META_SCHEMA), schema)
    if error is not None:
        return _said(error)
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry().with_resource("", resource).resolver()
    for part in _parts(schema):
        if problem := _own_problem(part, resolver.lookup):
            return problem
    if value_problem(schema, None) == ENDLESS:
        return "$ref: it refers to itself without end"
    return None


def _own_problem(part: Mapping[str, Any], lookup: Callable[[str], object]) -> str | None:
    """What the meta-schema does not see: references to nothing, patterns that are none."""
    from referencing.exceptions import Unresolvable

    if isinstance(reference := part.get("$ref"), str):
        try:
            lookup(reference)
        except Unresolvable:
            return f"$ref: there is no {one_line(reference, 100)} in it"
    names = part.get("patternProperties")
    for pattern in (part.get("pattern"), *(names if isinstance(names, Mapping) else ())):
        try:
            re.compile(pattern if isinstance(pattern, str) else "")
        except (re.error, RecursionError, OverflowError) as error:
            return f"pattern: {one_line(str(pattern), 100)} is no regular expression: {error}"
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
    try:
        error = _most_telling(validator, to_plain(value))
        if error is not None and isinstance(value, str):
            read = _read(value)
            error = error if read is None else _most_telling(validator, read)
    except RecursionError:
        return ENDLESS
    return None if error is None else _said(error)


def _read(text: str) -> Any:
    """What a text holds as JSON; None where it is none."""
    try:
        return json.loads(text[:MAX_READ])
    except (ValueError, RecursionError):
        return None


def _most_telling(validator: Draft202012Validator, value: object) -> ValidationError | None:
    from itertools import islice

    from jsonschema.exceptions import best_match

    error: ValidationError | None = best_match(islice(validator.iter_errors(value), MAX_ERRORS))
    return error


def _said(error: ValidationError) -> str:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return one_line(f"{where.removeprefix('.')}: {error.message}".removeprefix(": "), 200)


def _parts(schema: object) -> Iterator[Mapping[str, Any]]:
    """A schema with all schemas inside of it; what is data (`const`, `enum` …) is left out."""
    if isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            if key not in _DATA:
                yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)
