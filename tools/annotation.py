"""One annotation, compiled: what coerces a value to the type, and its JSON Schema."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .readable import readable
from .subschemas import inlined, with_subschemas
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
        adapter = _adapter(readable(hint))
        whole = adapter.json_schema()
    except (
        PydanticInvalidForJsonSchema,
        PydanticSchemaGenerationError,
        PydanticUserError,
        TypeError,
    ) as error:
        if getattr(error, "code", "") == "typed-dict-version":
            raise NotATypeError(
                f"{hint} (before Python 3.12, take TypedDict from typing_extensions)"
            ) from error
        raise NotATypeError(getattr(hint, "__name__", None) or str(hint)) from error
    definitions = typing.cast(dict[str, Schema], whole.pop("$defs", {}))
    shape, kept = inlined(_tidied(whole), {name: _tidied(one) for name, one in definitions.items()})
    return CompiledType(adapter.validator.validate_python, shape, kept)


_compile_once = lru_cache(maxsize=256)(_compile)


def _adapter(hint: Any) -> TypeAdapter[object]:  # Any: what a user wrote; pydantic says whether it is a type
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter

    try:
        return TypeAdapter(hint, config=ConfigDict(coerce_numbers_to_str=True, allow_inf_nan=False))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(hint)  # a model or a dataclass has its own configuration


def _tidied(schema: Schema) -> dict[str, object]:
    """A schema of pydantic's without its own titles and without OpenAPI's `discriminator`.

    A tuple says what all its items may be, too: OpenAI takes no list without `items`.
    """
    made = with_subschemas(schema, _tidied)
    if isinstance(made.get("title"), str):
        del made["title"]
    made.pop("discriminator", None)
    first = made.get("prefixItems")
    if isinstance(first, list) and first and "items" not in made:
        kinds = [one for place, one in enumerate(first) if one not in first[:place]]
        made["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return made
