"""One typed value: to text for a prompt, and back from a model's answer."""

from __future__ import annotations

import ast
import datetime
import enum
import json
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..signature import Field, Signature
from ..signature_text import type_text

MAX_QUOTED = 200  # characters of a refused value that an error message repeats


def format_value(value: object) -> str:
    """A value as a prompt shows it: text as it is, everything else as JSON.

    >>> format_value("a b"), format_value([1, 2]), format_value(True)
    ('a b', '[1, 2]', 'true')
    """
    if isinstance(value, str):
        return value.value if isinstance(value, enum.Enum) else value
    return json.dumps(to_plain(value), ensure_ascii=False, default=str)


def to_plain(value: object) -> Any:
    """A value as JSON's own types.

    >>> to_plain({"on": datetime.date(2026, 1, 31), "tags": {"a"}})
    {'on': '2026-01-31', 'tags': ['a']}
    """
    if value is None or type(value) in (str, int, float, bool):
        return value
    if type(value) is list:
        return [to_plain(item) for item in value]
    if type(value) is dict:
        return {str(key): to_plain(item) for key, item in value.items()}
    return _any_adapter().dump_python(value, mode="json", fallback=str)


def parse_value(value: object, field: Field) -> Any:
    """Read what a model gave for a field; raises ValueError that says what was wanted and what came.

    Text is read as JSON where the type is not text; nothing is guessed.

    >>> parse_value("yes", Field("ok", "output", bool)), parse_value("[1, 2]", Field("n", "output", list[int]))
    (True, [1, 2])
    >>> parse_value("maybe", Field("ok", "output", bool))
    Traceback (most recent call last):
    ValueError: `ok` must be true or false, not "maybe"
    """
    adapter = _adapter(field)
    refusal: ValidationError | None = None
    for candidate in _readings(value, field.type):
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            refusal = refusal or error if candidate is value else error
    assert refusal is not None  # noqa: S101  # there is always one reading: the value as it came
    raise ValueError(f"`{field.name}` {_complaint(refusal, value, field)}") from refusal


def describe_type(field: Field) -> str:
    """What a field must hold, in a few words for the model.

    >>> describe_type(Field("n", "output", int)), describe_type(Field("d", "output", datetime.date))
    ('a whole number', 'a date as YYYY-MM-DD')
    """
    known = _describe(field.type)
    schema = _adapter(field).json_schema()
    limits = {word: schema[key] for key, word in _LIMITS.items() if key in schema}
    suffix = "".join(f", {word} {value}" for word, value in limits.items())
    return (known or f"JSON that fits the schema {json.dumps(schema, ensure_ascii=False)}") + suffix


@lru_cache(maxsize=512)
def outputs_schema(signature: Signature) -> Mapping[str, Any]:
    """The JSON Schema of an object that holds the signature's outputs."""
    return _object_schema(tuple(signature.output_fields.values()))


def _object_schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for field in fields:
        schema = dict(_adapter(field).json_schema(ref_template="#/$defs/{model}"))
        definitions |= schema.pop("$defs", {})
        if field.desc:
            schema["description"] = field.desc
        properties[field.name] = schema
    whole = {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }
    return whole | {"$defs": definitions} if definitions else whole


def _adapter(field: Field) -> TypeAdapter[Any]:
    return _cached_adapter(field.annotation, field.type)


@lru_cache(maxsize=1024)
def _cached_adapter(annotation: Any, type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


@lru_cache(maxsize=1)
def _any_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def _readings(value: object, type_: Any) -> list[object]:
    """The values that an answer may stand for, the likeliest first."""
    accepts = _accepted(type_)
    if not isinstance(value, str):
        # A provider that returns JSON gives 42 where a text was asked for: its JSON text is that text.
        as_text = str in accepts and isinstance(value, int | float)
        return [json.dumps(value)] if as_text else [value]
    if accepts <= {str}:
        return [value]
    text = value.strip()
    readings: list[object] = []
    if str in accepts:
        readings.append(value)
    if type(None) in accepts and text.lower() in ("null", "none", ""):
        readings.insert(0, None)
    readings += [member for member in _members(type_) if _names(text, member)]
    if not accepts <= {str, type(None)}:
        readings += _decoded(text)
    readings += [text, value]
    return readings


def _decoded(text: str) -> list[object]:
    """A text read as JSON or as a Python literal, in or out of a code fence."""
    bare = text
    if bare.startswith("```"):
        bare = bare.strip("`").removeprefix("json").strip()
    for read in (json.loads, ast.literal_eval):
        try:
            decoded = read(bare)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return [] if isinstance(decoded, str) and decoded == text else [decoded]
    return []


def _accepted(type_: Any) -> set[Any]:
    """The plain types of a union's members, or of the type itself."""
    origin = typing.get_origin(type_)
    if origin is typing.Annotated:
        return _accepted(typing.get_args(type_)[0])
    if origin in (typing.Union, types.UnionType):
        return {kind for arg in typing.get_args(type_) for kind in _accepted(arg)}
    return {type_}


def _members(type_: Any) -> list[object]:
    """What a Literal or an Enum may be."""
    if typing.get_origin(type_) is typing.Literal:
        return list(typing.get_args(type_))
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return list(type_)
    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        return [member for arg in typing.get_args(type_) for member in _members(arg)]
    return []


def _names(text: str, member: object) -> bool:
    """Whether a text names a member, in any case and with or without quotes."""
    bare = text.strip("\"'`").strip().casefold()
    if isinstance(member, enum.Enum):
        return bare in (str(member.value).casefold(), member.name.casefold())
    return bare == str(member).casefold()


_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "pattern": "matching",
}

_WORDS: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    datetime.date: "a date as YYYY-MM-DD",
    datetime.datetime: "a date and time as YYYY-MM-DDTHH:MM:SS",
    datetime.time: "a time as HH:MM:SS",
    type(None): "null",
    Any: "anything",
    list: "a JSON list",
    dict: "a JSON object",
}


def _describe(type_: Any) -> str:
    if isinstance(type_, type(Any)) or type_ is Any:
        return _WORDS[Any]
    members = _members(type_)
    if members and typing.get_origin(type_) not in (typing.Union, types.UnionType):
        return "one of: " + ", ".join(format_value(to_plain(member)) for member in members)
    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        parts = [_describe(arg) for arg in typing.get_args(type_)]
        return " or ".join(parts) if all(parts) else ""
    if typing.get_origin(type_) is list and (item := _describe(typing.get_args(type_)[0])):
        return f"a JSON list, each item {item}"
    if typing.get_origin(type_) is dict and typing.get_args(type_) == (str, Any):
        return _WORDS[dict]
    try:
        return _WORDS.get(type_, "")
    except TypeError:  # an unhashable annotation has no word of its own
        return ""


def _complaint(error: ValidationError, value: object, field: Field) -> str:
    given = format_value(value)
    given = given if len(given) <= MAX_QUOTED else given[:MAX_QUOTED] + "…"
    shown = json.dumps(given, ensure_ascii=False) if isinstance(value, str) else given
    first = error.errors(include_url=False, include_context=False)[0]
    wanted = _describe(field.type)
    nested = isinstance(field.type, type) and issubclass(field.type, BaseModel)
    if wanted and not first["loc"] and not field.constraints and not nested:
        return f"must be {wanted}, not {shown}"
    where = ".".join(map(str, first["loc"]))
    place = f" at {where}" if where else ""
    return f"must be {wanted or type_text(field.type)}: {first['msg']}{place}; got {shown}"
