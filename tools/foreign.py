"""Parameters given as JSON Schema by hand, or by another program, instead of by a Python signature."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

from .annotation import compile_type
from .parameters import Parameter
from .wording import Schema

_TYPES: Mapping[str, object] = {
    "integer": int,
    "int": int,
    "number": float,
    "float": float,
    "string": str,
    "str": str,
    "boolean": bool,
    "bool": bool,
    "null": None,
    "object": dict[str, object],
    "dict": dict[str, object],
    "array": list[object],
    "list": list[object],
    "tuple": list[object],
}
_JSON_NAMES = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "tuple": "array",
}


def foreign_parameter(
    name: str, schema: Schema, declared: inspect.Parameter | None, hint: object | None
) -> Parameter:
    """A parameter with this schema: shown as it is, apart from dialect names of types.

    Values are read by the function's own annotation where it has one, else by the schema. It is required
    where the function gives no default and the schema neither.
    """
    shown = standard(schema)
    read = compile_type(annotation_of(shown) if hint is None else hint).read
    has_default = "default" in schema or (declared is not None and declared.default is not declared.empty)
    default = declared.default if declared is not None and declared.default is not declared.empty else None
    positional = declared is not None and declared.kind == declared.POSITIONAL_ONLY
    return Parameter(name, shown, read, not has_default, schema.get("default", default), positional)


def standard(schema: Schema) -> Schema:
    """The schema with dialect names of types ("dict", "float", "tuple", "any") as JSON Schema has them.

    >>> standard({"type": "float"}), standard({"type": "any"})
    ({'type': 'number'}, {})
    """
    clean = dict(schema)
    kind = clean.get("type")
    if kind == "any":
        del clean["type"]
    elif isinstance(kind, str):
        clean["type"] = _JSON_NAMES.get(kind, kind)
    if isinstance(items := clean.get("items"), Mapping):
        clean["items"] = standard(items)
    return clean


def annotation_of(schema: Schema) -> object:
    """The Python type that reads what a JSON Schema describes; what it can't say is left to the tool.

    >>> annotation_of({"type": "array", "items": {"type": "integer"}})
    list[int]
    """
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if (
        isinstance(choices, (list, tuple))
        and choices
        and all(isinstance(one, (str, int, bool)) for one in choices)
    ):
        return Literal[tuple(choices)]
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(branches, list) and branches:
        return _union(annotation_of(one) for one in branches)
    kind = schema.get("type")
    if isinstance(kind, list) and kind:
        return _union(annotation_of({**schema, "type": one}) for one in kind)
    if kind == "array" and isinstance(items := schema.get("items"), Mapping):
        return types.GenericAlias(list, (annotation_of(items),))
    return _TYPES.get(str(kind), object)


def _union(kinds: Iterable[object]) -> object:
    members: Any = tuple(kinds)  # types computed at run time, which no annotation can spell
    return Union[members]  # noqa: UP007 - `|` wants them one by one, and None can't start it
