"""A field's type: what reads a value of it, and how a model is told of it. Compiled once for each type."""

from __future__ import annotations

import collections.abc
import datetime
import enum
import json
import re
import types
import typing
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AllowInfNan, BeforeValidator, FailFast, TypeAdapter
from pydantic import Field as Constraint
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticKnownError

from ..code import Code
from ..errors import SignatureError
from ..signature import Field, Signature
from ..signature_text import type_text

Kinds = frozenset[Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """What it takes to read values of one type.

    `accepts` are the types of a union's members, or the type alone; `members` what a Literal or an Enum
    may be; `words` says what is wanted ("" where only the JSON Schema can).
    """

    adapter: TypeAdapter[Any]
    accepts: Kinds
    members: tuple[object, ...]
    words: str
    limits: str

    @property
    def takes_text(self) -> bool:
        """Whether any text is a value of the type."""
        return bool(self.accepts & {str, Any, object})

    @property
    def only_text(self) -> bool:
        """Whether the type is text and nothing else."""
        return self.accepts == {str}


def reader(field: Field) -> Reader:
    """The field's reader; raises `SignatureError` for a type that no model can be asked for."""
    try:
        try:
            return _compile_cached(field.type, field.constraints)
        except TypeError:  # an annotation that can't be hashed
            return _compile(field.type, field.constraints)
    except (PydanticUserError, TypeError, RuntimeError) as error:
        raise SignatureError(
            f"a model can't be asked for `{field.name}`, of type {type_text(field.type)}: use plain types, lists, "
            f"dicts, Literal, Enum, dataclasses or pydantic models, and constraints that fit them ({_first_line(error)})"
        ) from error


def describe_type(field: Field) -> str:
    """What a field must hold, in a few words for the model, or as a JSON Schema where words do not do.

    An input may be of any type: it is only shown, so the type's name is enough.

    >>> describe_type(Field("n", "output", int)), describe_type(Field("d", "output", datetime.date))
    ('a whole number', 'a date as YYYY-MM-DD')
    >>> describe_type(Field("n", "output", int, constraints=(("ge", 1), ("le", 5))))
    'a whole number, at least 1, at most 5'
    """
    try:
        made = reader(field)
        return (made.words or f"JSON that fits the schema {_as_json(json_schema(field))}") + made.limits
    except SignatureError:
        if field.kind == "output":
            raise
        return type_text(field.type)


def hint_type(field: Field) -> str:
    """As `describe_type`, for the place of the value in a form: no schema, but the description."""
    made = reader(field)
    wanted = f"{made.words}{made.limits}" if made.words else "JSON that fits its schema"
    return f"{wanted}: {field.desc}" if field.desc else wanted


def json_schema(field: Field) -> dict[str, Any]:
    """The JSON Schema of one field's value."""
    whole = _untitled(reader(field).adapter.json_schema())
    return typing.cast("dict[str, Any]", whole)


@lru_cache(maxsize=512)
def outputs_schema(signature: Signature) -> Mapping[str, Any]:
    """The JSON Schema of an object that holds the signature's outputs.

    >>> outputs_schema(Signature("question -> answer: int"))["properties"]
    {'answer': {'type': 'integer'}}
    """
    outputs = signature.output_fields
    made, shared = TypeAdapter.json_schemas(
        [(name, "validation", reader(field).adapter) for name, field in outputs.items()]
    )
    properties: dict[str, Any] = {}
    for name, field in outputs.items():
        described = {"description": field.desc} if field.desc else {}
        properties[name] = _untitled(made[name, "validation"]) | described
    whole: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": list(outputs),
        "additionalProperties": False,
    }
    return {**whole, **_untitled(shared)}


# Compiling


def _compile(type_: Any, constraints: tuple[tuple[str, Any], ...]) -> Reader:
    metadata = (Constraint(**dict(constraints)),) if constraints else ()
    adapter = TypeAdapter(_guarded(type_, metadata))
    schema = adapter.json_schema()
    misplaced = next((name for name, _ in constraints if name in _COMPARISONS and name in schema), None)
    if misplaced is not None:
        raise TypeError(f"{misplaced}= means nothing for it")
    bare = typing.get_args(type_)[0] if typing.get_origin(type_) is Annotated else type_
    words = describe_annotation(bare)
    return Reader(adapter, _accepted(type_), tuple(_members(type_)), words, _limits(schema))


_compile_cached = lru_cache(maxsize=1024)(_compile)


def _limits(schema: Mapping[str, Any]) -> str:
    """A schema's bounds in words; an optional value's are its own."""
    branches = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    bounded = branches[0] if len(branches) == 1 else schema
    if "prefixItems" in bounded:
        return ""  # a tuple's words count its items
    return "".join(", " + words.format(bounded[key]) for key, words in _LIMITS.items() if key in bounded)


def _guarded(type_: Any, metadata: tuple[Any, ...] = ()) -> Any:
    """The type without pydantic's guesses: true is no number, a number is no date, NaN is no answer."""
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated:
        return _guarded(args[0], (*type_.__metadata__, *metadata))
    if origin in (typing.Union, types.UnionType):
        others = [arg for arg in args if arg is not type(None)]
        if len(others) == 1:  # the constraints of an optional value are the value's
            return typing.Union[_guarded(others[0], metadata), None]  # noqa: UP007  # built at run time
        return _annotated(typing.Union[tuple(map(_guarded, args))], metadata)  # noqa: UP007  # as above
    if origin in _CONTAINERS and args:
        inner = origin[tuple(arg if arg is ... else _guarded(arg) for arg in args)]
        return _annotated(inner, (_FIRST_PROBLEM, *metadata) if origin in _FAIL_FAST else metadata)
    if type_ is float:
        metadata = (AllowInfNan(False), *metadata)
    guard = (BeforeValidator(_GUARDS[type_]),) if _hashable(type_) and type_ in _GUARDS else ()
    return _annotated(type_, (*metadata, *guard))


def _annotated(type_: Any, metadata: tuple[Any, ...]) -> Any:
    return Annotated[(type_, *metadata)] if metadata else type_


def _hashable(type_: Any) -> bool:
    try:
        hash(type_)
    except TypeError:
        return False
    return True


def _refuse_truth(kind: typing.Literal["int_type", "float_type", "decimal_type"]) -> Any:
    def guard(value: object) -> object:
        if isinstance(value, bool):
            raise PydanticKnownError(kind)
        return value

    return guard


def _refuse_numbers(
    kind: typing.Literal["date_type", "datetime_type", "time_type", "time_delta_type"],
) -> Any:
    def guard(value: object) -> object:
        if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            raise PydanticKnownError(kind)
        return value

    return guard


class _FirstProblem(FailFast):
    """One complaint about a list is enough for the model, and a million of them take seconds."""

    __hash__ = object.__hash__  # a union hashes its members


_FIRST_PROBLEM = _FirstProblem()
_NUMBER = re.compile(r"\s*[+-]?[\d.]+\s*")
_GUARDS: Mapping[Any, Any] = {
    int: _refuse_truth("int_type"),
    float: _refuse_truth("float_type"),
    Decimal: _refuse_truth("decimal_type"),
    datetime.date: _refuse_numbers("date_type"),
    datetime.datetime: _refuse_numbers("datetime_type"),
    datetime.time: _refuse_numbers("time_type"),
    datetime.timedelta: _refuse_numbers("time_delta_type"),
}
_FAIL_FAST = (list, set, frozenset, tuple)
_CONTAINERS = (*_FAIL_FAST, dict, collections.abc.Sequence, collections.abc.Mapping, collections.abc.Iterable)
_COMPARISONS = ("ge", "gt", "le", "lt")


def _accepted(type_: Any) -> Kinds:
    origin = typing.get_origin(type_)
    if origin is Annotated:
        return _accepted(typing.get_args(type_)[0])
    if origin in (typing.Union, types.UnionType):
        return frozenset(kind for arg in typing.get_args(type_) for kind in _accepted(arg))
    return frozenset({type_}) if _hashable(type_) else frozenset()


def _members(type_: Any) -> list[object]:
    origin = typing.get_origin(type_)
    if origin is typing.Literal:
        return list(typing.get_args(type_))
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return list(type_)
    if origin is Annotated:
        return _members(typing.get_args(type_)[0])
    if origin in (typing.Union, types.UnionType):
        return [member for arg in typing.get_args(type_) for member in _members(arg)]
    return []


# Words


def describe_annotation(type_: Any) -> str:
    """What a type wants, in words; "" where there are none that say it all.

    >>> describe_annotation(list[int]), describe_annotation(int | None)
    ('a JSON list, each item a whole number', 'a whole number or null')
    """
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated:
        return describe_annotation(args[0]) if all(isinstance(m, str) for m in args[1:]) else ""
    if origin in (typing.Union, types.UnionType):
        parts = [describe_annotation(arg) for arg in args]
        return " or ".join(parts) if all(parts) else ""
    if members := _members(type_):
        return "one of: " + ", ".join(_member_text(member) for member in members)
    inner = [describe_annotation(arg) for arg in args if arg is not ...]
    if args and not all(inner):
        return ""
    if origin in (list, set, frozenset) or (origin is tuple and args[-1] is ...):
        return f"a JSON list, each item {inner[0]}"
    if origin is tuple:
        return f"a JSON list of {len(inner)}: {'; '.join(inner)}"
    if origin is dict:
        return "a JSON object" + ("" if args[1] in (Any, object) else f", each value {inner[1]}")
    if isinstance(type_, type) and issubclass(type_, Code):
        return type_.description()
    return _WORDS.get(type_, "") if _hashable(type_) else ""


def _member_text(member: object) -> str:
    value = member.value if isinstance(member, enum.Enum) else member
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _untitled(node: Any) -> Any:
    """A schema without pydantic's titles, which only repeat the names."""
    if isinstance(node, list):
        return [_untitled(one) for one in node]
    if not isinstance(node, dict):
        return node
    clean: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            clean[key] = {name: _untitled(one) for name, one in value.items()}
        elif key != "title":
            clean[key] = value if key in ("enum", "const", "default", "examples") else _untitled(value)
    return clean


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matching {}",
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
    datetime.timedelta: "a duration as PT1H30M",
    uuid.UUID: "a UUID",
    type(None): "null",
    Any: "anything",
    object: "anything",
    list: "a JSON list",
    set: "a JSON list",
    frozenset: "a JSON list",
    tuple: "a JSON list",
    dict: "a JSON object",
}
