"""One annotation, compiled: what coerces a value to the type, and its JSON Schema."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .wording import Schema

if typing.TYPE_CHECKING:
    from pydantic import TypeAdapter


class NotATypeError(TypeError):
    """pydantic can't read values of this kind, or JSON Schema can't describe it; the message names it."""


@dataclass(frozen=True, slots=True)
class CompiledType:
    """A type: `read` coerces a value or raises pydantic's error; `definitions` are what `schema` refers to."""

    read: Callable[[object], object]
    schema: Schema
    definitions: Mapping[str, Schema]


def compile_type(hint: object) -> CompiledType:
    """Compile an annotation; raises `NotATypeError`.

    >>> compile_type(int | None).schema
    {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}
    >>> compile_type(list[int]).read(["1", 2])
    [1, 2]
    """
    try:
        hash(hint)
    except TypeError:
        return _compile(hint)
    return _compile_once(hint)


def _compile(hint: object) -> CompiledType:
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

    try:
        adapter = _adapter(hint)
        whole = adapter.json_schema()
    except (
        PydanticInvalidForJsonSchema,
        PydanticSchemaGenerationError,
        PydanticUserError,
        TypeError,
    ) as error:
        raise NotATypeError(getattr(hint, "__name__", None) or str(hint)) from error
    definitions = typing.cast(dict[str, Schema], whole.pop("$defs", {}))
    kept: dict[str, Schema] = {}
    shape = _inlined(whole, definitions, kept, ())
    return CompiledType(adapter.validator.validate_python, typing.cast(Schema, shape), kept)


_compile_once = lru_cache(maxsize=256)(_compile)


def _adapter(hint: Any) -> TypeAdapter[object]:  # Any: what a user wrote; pydantic says whether it is a type
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter

    try:
        return TypeAdapter(hint, config=ConfigDict(coerce_numbers_to_str=True))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(hint)  # a model or a dataclass has its own configuration


def _inlined(
    node: object, definitions: Mapping[str, Schema], kept: dict[str, Schema], inside: Sequence[str]
) -> object:
    """A schema with its references replaced by what they name, and without pydantic's own titles.

    A type that refers to itself can't be: its reference stays, and its definition goes to `kept`.
    """
    if isinstance(node, list):
        return [_inlined(one, definitions, kept, inside) for one in node]
    if not isinstance(node, dict):
        return node
    target = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if target in definitions:
        if target in inside:
            kept.setdefault(target, {})  # filled in below, when its own definition is done
            return {"$ref": f"#/$defs/{target}"}
        made = typing.cast(
            dict[str, object], _inlined(definitions[target], definitions, kept, (*inside, target))
        )
        if target in kept:
            kept[target] = made
            made = {"$ref": f"#/$defs/{target}"}
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**made, **typing.cast(dict[str, object], _inlined(beside, definitions, kept, inside))}
    clean: dict[str, object] = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in ("properties", "patternProperties") and isinstance(value, dict):
            clean[key] = {name: _inlined(one, definitions, kept, inside) for name, one in value.items()}
        elif key in ("enum", "const", "default", "examples"):
            clean[key] = value
        else:
            clean[key] = _inlined(value, definitions, kept, inside)
    return clean
