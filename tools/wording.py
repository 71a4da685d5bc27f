"""JSON Schema in words: usage lines, and phrases for what is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

Schema = Mapping[str, object]

_PHRASES = {
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_FORMATS = {
    "date": ("date", "a date like 2026-01-31"),
    "date-time": ("datetime", "a date and time like 2026-01-31T14:30:00"),
    "time": ("time", "a time like 14:30:00"),
    "duration": ("duration", "a duration like PT90M"),
    "uuid": ("uuid", "a UUID"),
    "uri": ("url", "a URL"),
    "email": ("email", "an e-mail address"),
}


def type_name(schema: Schema) -> str:
    """A schema's type in a word or two, as a usage line shows it.

    >>> type_name({"type": "array", "items": {"type": "integer"}})
    'list of integer'
    >>> type_name({"enum": ["asc", "desc"]})
    '"asc" | "desc"'
    """
    if choices := _choices(schema):
        return " | ".join(_json(choice) for choice in choices)
    if branches := branches_of(schema):
        return " | ".join(dict.fromkeys(type_name(branch) for branch in branches))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(map(str, kind))
    if kind == "string":
        return _FORMATS.get(str(schema.get("format")), ("string", ""))[0]
    if kind == "array":
        item = _items(schema)
        name = type_name(item) if item else ""
        return f"list of {f'({name})' if ' | ' in name else name}" if name else "list"
    if "$ref" in schema:
        return "object"
    return str(kind) if kind else "any"


def wanted(schema: Schema) -> str:
    """A schema in a phrase that fits after "must be".

    >>> wanted({"type": "array", "items": {"type": "number"}})
    'a list of numbers'
    >>> wanted({"anyOf": [{"type": "integer"}, {"type": "null"}]})
    'an integer or null'
    """
    if choices := _choices(schema):
        shown = ", ".join(_json(choice) for choice in choices)
        return shown if len(choices) == 1 else f"one of {shown}"
    if branches := branches_of(schema):
        return " or ".join(dict.fromkeys(wanted(branch) for branch in branches))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_PHRASES.get(str(one), str(one)) for one in kind)
    if kind == "string":
        return _FORMATS.get(str(schema.get("format")), ("", "text"))[1]
    if kind == "array":
        item = _items(schema)
        name = type_name(item) if item else ""
        return f"a list of {name}s" if name.isalpha() and name != "any" else "a list"
    if kind == "object" and isinstance(fields := schema.get("properties"), Mapping) and fields:
        return f"an object with {', '.join(_json(name) for name in list(fields)[:12])}"
    return _PHRASES.get(str(kind), "an object" if "$ref" in schema else "any value")


def usage(name: str, properties: Mapping[str, Schema], required: Sequence[str]) -> str:
    """A tool in one line, as a model would write a call to it.

    >>> usage("find", {"text": {"type": "string"}, "k": {"type": "integer", "default": 3}}, ["text"])
    'find(text: string, k: integer = 3)'
    """
    shown = []
    for parameter, schema in properties.items():
        if parameter in required:
            shown.append(f"{parameter}: {type_name(schema)}")
        elif "default" in schema:
            shown.append(f"{parameter}: {type_name(schema)} = {_json(schema['default'])}")
        else:
            shown.append(f"{parameter}?: {type_name(schema).removesuffix(' | null')}")
    return f"{name}({', '.join(shown)})"


def given(value: object) -> str:
    """What a model gave, as JSON and short enough to read.

    >>> given("ten"), given([1, 2])
    ('"ten"', '[1, 2]')
    """
    if isinstance(value, str) and len(value) > 60:
        value = value[:60] + "…"  # before it is quoted: it may be megabytes long
    try:
        text = _json(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 63 else text[:60] + "…"


def _choices(schema: Schema) -> list[object]:
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return list(choices) if isinstance(choices, (list, tuple)) else []


def branches_of(schema: Schema) -> list[Schema]:
    """The schemas of which one must fit, where a schema leaves a choice."""
    branches = schema.get("anyOf") or schema.get("oneOf") or []
    return [one for one in branches if isinstance(one, Mapping)] if isinstance(branches, list) else []


def _items(schema: Schema) -> Schema | None:
    items = schema.get("items")
    return items if isinstance(items, Mapping) and items else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
