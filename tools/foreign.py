"""Parameters given as JSON Schema by hand, or by another program, instead of by a Python signature."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from .annotation import compile_type
from .dialects import Document, NotASchemaError, read_properties, spelled_out
from .errors import ToolDefinitionError
from .names import legal_names
from .parameters import Parameter
from .schema_reader import SchemaCompiler
from .subschemas import inlined
from .type_names import schema_of_type
from .wording import Schema

_MAX_PARAMETERS = 1_000
_EXTRA = "(any other name)"
_NOTHING: Schema = {"not": {}}  # the schema of a name that must not be given


@dataclass(slots=True)
class Foreign:
    """Parameters that a schema describes; `extra` reads values of names that it leaves open, if it does."""

    parameters: list[Parameter] = field(default_factory=list)
    definitions: dict[str, Schema] = field(default_factory=dict)
    extra: Parameter | None = None


def foreign_parameters(
    schemas: Mapping[str, object],
    named: Mapping[str, inspect.Parameter],
    hints: Mapping[str, object],
    of: str,
) -> Foreign:
    """Parameters from a schema of each by name, or from the schema of the object that holds them all.

    Each is shown as draft 2020-12 has its schema. Its values are read by the function's own annotation where
    it has one, else by the schema. A schema of one parameter makes it required, unless there is a default or
    it says `"required": false`; the schema of an object says itself which are. `of` names the tool in an error,
    `ToolDefinitionError`.

    >>> whole = {"type": "object", "properties": {"n": {"type": "int"}, "to go": {}}, "required": ["n"]}
    >>> [(one.name, one.required) for one in foreign_parameters(whole, {}, {}, "walk").parameters]
    [('n', True), ('to_go', False)]
    """
    try:
        document = Document(schemas)
        top = _Reading(document).top(schemas) if is_whole(schemas) else _listed(schemas, named)
    except NotASchemaError as error:
        raise ToolDefinitionError(f"{of}: {_culprit(schemas)}{error}") from error
    properties = {**dict.fromkeys(top.required, None), **top.properties}
    if len(properties) > _MAX_PARAMETERS:
        raise ToolDefinitionError(f"{of}: {len(properties):,} parameters are too many")
    if top.extra is not False:
        properties[_EXTRA] = top.extra
    read: dict[str, Schema] = {}
    for name, schema in properties.items():
        if schema is not False and schema != _NOTHING:
            with _naming(of, name):
                read[name] = document.read(spelled_out(schema))
    together, definitions = inlined({"properties": read}, document.definitions)
    shown = typing.cast("dict[str, dict[str, object]]", together["properties"])
    compiler = SchemaCompiler(document.definitions)
    found = Foreign(definitions=definitions)
    legal = legal_names(read)
    for name, schema in read.items():
        with _naming(of, name):
            hint = hints.get(name)
            reader = compiler.reader(schema) if hint is None else compile_type(hint).read
        if "default" in shown[name] and not _accepts(reader, shown[name]["default"]):
            del shown[name]["default"]
        if name == _EXTRA:
            found.extra = Parameter(name, shown[name], reader)
        else:
            required = name in top.required
            found.parameters.append(
                _parameter(
                    Parameter(legal[name], shown[name], reader, required, own_name=name), named.get(name)
                )
            )
    return found


def _parameter(made: Parameter, declared: inspect.Parameter | None) -> Parameter:
    """The parameter with what the function itself says of it."""
    if declared is None:
        return replace(made, default=made.schema.get("default"))
    has_default = declared.default is not declared.empty
    return replace(
        made,
        required=made.required and not has_default,
        default=made.schema.get("default", declared.default if has_default else None),
        positional_only=declared.kind == declared.POSITIONAL_ONLY,
    )


@contextmanager
def _naming(of: str, name: str) -> Iterator[None]:
    """Refuse a schema that can't be read with the names of the tool and of the parameter."""
    try:
        yield
    except NotASchemaError as error:
        raise ToolDefinitionError(f"{of}: parameter {name[:80]!r}: {error}") from error


def _culprit(schemas: Mapping[str, object]) -> str:
    """The parameter whose schema is beyond the limits by itself, as the start of a sentence."""
    inner = schemas.get("properties") if is_whole(schemas) else schemas
    for name, one in inner.items() if isinstance(inner, Mapping) else ():
        try:
            Document(one)
        except NotASchemaError:
            return f"parameter {str(name)[:80]!r}: "
    return ""


def is_whole(schemas: Mapping[str, object]) -> bool:
    """Whether this is the schema of an object, rather than a schema of each parameter by its name.

    >>> is_whole({"type": "object", "properties": {}}), is_whole({"type": {"type": "string"}})
    (True, False)
    """
    kind = schemas.get("type")
    if isinstance(schemas.get("required"), list):
        return True
    if isinstance(kind, (str, list)):
        return (
            isinstance(kind, list) or schema_of_type(kind).get("type") == "object" or "properties" in schemas
        )
    if any(isinstance(schemas.get(key), list) for key in ("properties", "allOf", "anyOf", "oneOf")):
        return True
    properties = schemas.get("properties")
    inner = properties.values() if isinstance(properties, Mapping) else ()
    return isinstance(schemas.get("$ref"), str) or (
        bool(inner) and all(isinstance(one, (Mapping, bool)) for one in inner)
    )


@dataclass(frozen=True, slots=True)
class _Top:
    properties: dict[str, object]
    required: list[str]
    extra: object = False


def _listed(schemas: Mapping[str, object], named: Mapping[str, inspect.Parameter]) -> _Top:
    """A schema of each parameter."""
    top = _Top({}, [])
    for name, schema in schemas.items():
        top.properties[str(name)] = spelled = spelled_out(schema)
        declared = named.get(name)
        has_default = "default" in spelled or (
            declared is not None and declared.default is not declared.empty
        )
        if not has_default and spelled.get("required") is not False:
            top.required.append(str(name))
    return top


class _Reading:
    """The properties of an object's schema: all that its parts have, required where every choice requires it.

    No provider takes a choice between objects as a tool's parameters.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._steps = 0

    def top(self, schema: Schema, inside: Sequence[str] = ()) -> _Top:
        self._steps += 1
        if self._steps > _MAX_PARAMETERS:
            raise NotASchemaError("its schema has too many parts")
        if isinstance(reference := schema.get("$ref"), str):
            return self._referred(reference, schema, inside)
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if not any(one is None or schema_of_type(str(one)).get("type") == "object" for one in kinds):
            raise NotASchemaError(
                f"a tool's parameters are the properties of an object, not of {json.dumps(kind)[:60]}"
            )
        parts = [_own(schema), *(self.top(one, inside) for one in _branches(schema, "allOf"))]
        for key in ("anyOf", "oneOf"):
            if choices := [self.top(one, inside) for one in _branches(schema, key)]:
                either = _joined(choices)
                common = [name for name in either.required if all(name in one.required for one in choices)]
                parts.append(replace(either, required=common))
        return _joined(parts)

    def _referred(self, reference: str, schema: Schema, inside: Sequence[str]) -> _Top:
        there = self._document.at(reference)
        if reference in inside or not isinstance(there, Mapping):
            raise NotASchemaError(f"$ref {reference[:100]!r} leads to no object's schema")
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _joined([self.top(one, (*inside, reference)) for one in (there, beside) if one])


def _own(schema: Schema) -> _Top:
    own = {key: schema[key] for key in ("properties", "required") if key in schema}
    read_properties(own)
    extra = schema.get("additionalProperties", False)
    return _Top(
        typing.cast("dict[str, object]", own.get("properties") or {}),
        typing.cast("list[str]", own.get("required") or []),
        extra if isinstance(extra, Mapping) else extra is True,
    )


def _branches(schema: Schema, key: str) -> list[Schema]:
    several = schema.get(key)
    found = [one for one in several if isinstance(one, Mapping)] if isinstance(several, list) else []
    return [one for one in found if one.get("type") != "null"]


def _joined(parts: Sequence[_Top]) -> _Top:
    choices: dict[str, list[object]] = {}
    for part in parts:
        for name, schema in part.properties.items():
            known = choices.setdefault(name, [])
            known += [one for one in _choices(schema) if one not in known]
    return _Top(
        {name: _one_of(several) for name, several in choices.items()},
        list(dict.fromkeys(name for part in parts for name in part.required)),
        next((one.extra for one in parts if one.extra is not False), False),
    )


def _one_of(choices: list[object]) -> object:
    """A choice between schemas, told as one between values where each allows a single one."""
    if len(choices) == 1:
        return choices[0]
    constants = [one for one in choices if isinstance(one, Mapping) and "const" in one]
    beside = [{key: value for key, value in one.items() if key != "const"} for one in constants]
    if len(constants) == len(choices) and all(one == beside[0] for one in beside):
        return {**beside[0], "enum": [one["const"] for one in constants]}
    return {"anyOf": choices}


def _choices(schema: object) -> list[object]:
    """What is chosen between by a schema that is nothing but a choice."""
    if isinstance(schema, Mapping) and set(schema) == {"anyOf"} and isinstance(schema["anyOf"], list):
        return schema["anyOf"]
    return [schema]


def _accepts(reader: typing.Callable[[object], object], value: object) -> bool:
    with suppress(Exception):  # whatever a reader raises, it does not take the value
        reader(value)
        return True
    return False
