"""Values read by a JSON Schema that has no Python type: coerced as pydantic would, or refused with its errors.

What a schema says of types, choices, bounds, lengths, names and nesting is checked. Patterns are where they can be
matched in linear time, formats are not. What is left (`not`, `if`, `contains`) is for the tool itself to refuse.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil, floor

from .dialects import NotASchemaError
from .wording import Schema

if typing.TYPE_CHECKING:
    from pydantic_core import CoreSchema

_MAX_PARTS = 50_000  # schemas that the schemas of one document unfold to
_HUGE = 2**31  # a length that nothing has
_WORDS = frozenset({"default", "deprecated", "description", "examples", "readOnly", "writeOnly"})
_REF = "#/$defs/"


class SchemaCompiler:
    """Readers of values, by schemas in draft 2020-12 that share these definitions.

    >>> read = SchemaCompiler({}).reader({"type": "array", "items": {"type": "integer"}})
    >>> read(["1", 2])
    [1, 2]
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self._referred_to: list[str] = []  # definitions, by the schema at work
        self._parts = 0

    def reader(self, schema: Schema) -> Callable[[object], object]:
        """What coerces a value, or raises pydantic's error; raises `NotASchemaError`."""
        from pydantic_core import SchemaError, SchemaValidator, core_schema

        self._referred_to = []
        core = self._core(schema)
        definitions = [self._definition(name) for name in self._referred_to]  # which grows on the way
        if definitions:
            core = core_schema.definitions_schema(core, definitions)
        try:
            return SchemaValidator(core).validate_python
        except (SchemaError, OverflowError, UnicodeError) as error:
            raise NotASchemaError(f"its schema can't be compiled: {str(error)[:200]}") from error

    def _core(self, schema: Schema) -> CoreSchema:
        self._count()
        if isinstance(reference := schema.get("$ref"), str):
            return self._referred(reference.removeprefix(_REF))
        if "allOf" in schema:
            return self._core(self._merged(schema, ()))
        if "enum" in schema or "const" in schema:
            return _one_of(schema)
        for key in ("anyOf", "oneOf"):
            if isinstance(branches := schema.get(key), list):
                base = {name: value for name, value in schema.items() if name != key and name not in _WORDS}
                return self._choice([self._with(base, one) for one in branches if isinstance(one, Mapping)])
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return self._choice([{**schema, "type": kind} for kind in kinds])
        return self._by_kind(str(kinds or _kind_meant(schema)), schema)

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise NotASchemaError("its schema unfolds to too many parts")

    def _choice(self, branches: Sequence[Schema]) -> CoreSchema:
        from pydantic_core import core_schema

        present = [one for one in branches if one.get("type") != "null"]
        made = [self._core(one) for one in present] or [core_schema.none_schema()]
        either = made[0] if len(made) == 1 else core_schema.union_schema(typing.cast("typing.Any", made))
        return either if len(present) == len(branches) else core_schema.nullable_schema(either)

    def _by_kind(self, kind: str, schema: Schema) -> CoreSchema:
        from pydantic_core import core_schema

        match kind:
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                return _string(schema)
            case "integer":
                return core_schema.int_schema(**_whole_bounds(schema))
            case "number":
                return core_schema.no_info_wrap_validator_function(
                    _whole_numbers_kept, core_schema.float_schema(allow_inf_nan=False, **_bounds(schema))
                )
            case "boolean":
                return core_schema.bool_schema()
            case "null":
                return core_schema.none_schema()
        return core_schema.any_schema()

    def _definition(self, name: str) -> CoreSchema:
        return typing.cast("CoreSchema", {**self._core(self.definitions[name]), "ref": name})

    def _referred(self, name: str) -> CoreSchema:
        from pydantic_core import core_schema

        name = self._unaliased(name)
        if name not in self._referred_to:
            self._referred_to.append(name)
        return core_schema.definition_reference_schema(name)

    def _unaliased(self, name: str) -> str:
        seen: list[str] = []
        while isinstance(further := self.definitions[name].get("$ref"), str):
            seen.append(name)
            name = further.removeprefix(_REF)
            if name in seen:
                raise NotASchemaError(f"the definition {name!r} refers to nothing but itself")
        return name

    # ---- schemas that are made of others

    def _merged(self, schema: Schema, inside: Sequence[str]) -> Schema:
        """A schema with its `allOf` in one."""
        self._count()
        if isinstance(reference := schema.get("$ref"), str):
            name = self._unaliased(reference.removeprefix(_REF))
            if name in inside:
                raise NotASchemaError(f"the definition {name!r} is made of itself")
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            return self._with(self._merged(self.definitions[name], (*inside, name)), beside)
        made: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for branch in typing.cast("Sequence[object]", schema.get("allOf") or ()):
            if isinstance(branch, Mapping):
                made = self._with(made, self._merged(branch, inside))
        return made

    def _with(self, base: Schema, other: Schema) -> Schema:
        """A schema for what fits both, as far as one can say it."""
        if not base.keys() - _WORDS:
            return other
        if not other.keys() - _WORDS:
            return base
        if "$ref" in other or "allOf" in other:
            other = self._merged(other, ())
        made = {**base, **other}
        for key in base.keys() & other.keys():
            if key in _JOINED:
                made[key] = _JOINED[key](base[key], other[key])
        if base.get("additionalProperties", True) != other.get("additionalProperties", True):
            made.pop("additionalProperties")  # it meant the names of its own part
        return made

    def _object(self, schema: Schema) -> CoreSchema:
        from pydantic_core import core_schema

        fields = schema.get("properties")
        named = fields if isinstance(fields, Mapping) else {}
        required = typing.cast("Sequence[str]", schema.get("required") or ())
        extra = schema.get("additionalProperties")
        values = self._core(extra) if isinstance(extra, Mapping) and extra else core_schema.any_schema()
        if not named and not required and extra is not False:
            return core_schema.dict_schema(
                core_schema.str_schema(), values, **_counts(schema, "minProperties", "maxProperties")
            )
        any_more = core_schema.typed_dict_field(core_schema.any_schema(), required=True)
        made = {
            name: core_schema.typed_dict_field(self._core(one), required=name in required)
            for name, one in named.items()
        }
        return core_schema.typed_dict_schema(
            {**dict.fromkeys(required, any_more), **made},
            extra_behavior="forbid" if extra is False and "patternProperties" not in schema else "allow",
            extras_schema=values
            if isinstance(extra, Mapping) and "patternProperties" not in schema
            else None,
        )

    def _array(self, schema: Schema) -> CoreSchema:
        from pydantic_core import core_schema

        items, counts = schema.get("items"), _counts(schema, "minItems", "maxItems")
        rest = self._core(items) if isinstance(items, Mapping) else core_schema.any_schema()
        first = schema.get("prefixItems")
        if not isinstance(first, list) or not first:
            return core_schema.list_schema(rest, **counts)
        places = [self._core(one) if isinstance(one, Mapping) else core_schema.any_schema() for one in first]
        if counts.get("min_length", 0) < len(places):  # the last ones may be missing
            return core_schema.list_schema(core_schema.union_schema([*places, rest]), **counts)
        more = [] if items is False else [rest]
        row = core_schema.tuple_schema(
            places + more,
            variadic_item_index=len(places) if more else None,
            max_length=counts.get("max_length"),
        )
        return core_schema.no_info_after_validator_function(list, row)


# ---- single values


def _string(schema: Schema) -> CoreSchema:
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    lengths = _counts(schema, "minLength", "maxLength")
    plain = core_schema.str_schema(coerce_numbers_to_str=True, **lengths)
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return plain
    matching = core_schema.str_schema(coerce_numbers_to_str=True, pattern=pattern, **lengths)
    try:
        SchemaValidator(matching)
    except SchemaError:  # it looks around, which no engine does in linear time, or it is no pattern
        return plain
    return matching


def _one_of(schema: Schema) -> CoreSchema:
    """One of the choices, or the only one that reads the same: "2" for 2, but not "true" for both true and "true"."""
    from pydantic_core import PydanticCustomError, core_schema

    choices = schema["enum"] if isinstance(schema.get("enum"), list) else [schema.get("const")]
    exact = {_key(one): one for one in typing.cast("list[object]", choices)}
    alike: dict[str, list[object]] = {}
    for one in exact.values():
        alike.setdefault(_spelled(one), []).append(one)

    def read(value: object) -> object:
        with suppress(TypeError, ValueError, RecursionError):
            if (key := _key(value)) in exact:
                return exact[key]
            if len(near := alike.get(_spelled(value), [])) == 1:
                return near[0]
        raise PydanticCustomError("enum", "Input should be one of the choices")

    return core_schema.no_info_plain_validator_function(read)


def _key(value: object) -> str:
    """The same for values that JSON Schema holds equal: 1 and 1.0, but neither true nor "1"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else _key(value)


def _whole_numbers_kept(value: object, read: Callable[[object], object]) -> object:
    made = read(value)
    return value if type(value) is int else made


def _bounds(
    schema: Schema,
) -> dict[str, typing.Any]:  # Any: keywords of two functions with types of their own
    return {name: value for key, name in _BOUNDS.items() if (value := schema.get(key)) is not None}


def _whole_bounds(schema: Schema) -> dict[str, typing.Any]:  # Any: as above
    """The bounds of whole numbers, which may be written as fractions."""
    made: dict[str, typing.Any] = {}
    for name, value in _bounds(schema).items():
        if name != "multiple_of":
            made[name] = ceil(value) if name in ("ge", "lt") else floor(value)
        elif value == int(value):
            made[name] = int(value)
    return made


def _counts(schema: Schema, least: str, most: str) -> dict[str, typing.Any]:  # Any: as above
    names = {least: "min_length", most: "max_length"}
    return {names[key]: min(int(str(value)), _HUGE) for key, value in schema.items() if key in names}


def _kind_meant(schema: Schema) -> str:
    """The type of a schema that names none, by its keywords."""
    return next((kind for key, kind in _MEANT.items() if key in schema), "")


_BOUNDS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_MEANT = {"properties": "object", "additionalProperties": "object", "items": "array", "prefixItems": "array"}


# ---- what two schemas say of the same


def _both(ours: object, theirs: object) -> object:
    """What is in both lists; the second where that is nothing."""
    first = ours if isinstance(ours, list) else [ours]
    second = {repr(one) for one in theirs} if isinstance(theirs, list) else {repr(theirs)}
    return [one for one in first if repr(one) in second] or theirs


def _either(ours: object, theirs: object) -> object:
    return list(dict.fromkeys([*typing.cast("list[str]", ours), *typing.cast("list[str]", theirs)]))


def _all_named(ours: object, theirs: object) -> object:
    return {**typing.cast("Schema", ours), **typing.cast("Schema", theirs)}


def _larger(ours: object, theirs: object) -> object:
    return max(typing.cast("float", ours), typing.cast("float", theirs))


def _smaller(ours: object, theirs: object) -> object:
    return min(typing.cast("float", ours), typing.cast("float", theirs))


_JOINED: Mapping[str, Callable[[object, object], object]] = {
    "enum": _both,
    "type": _both,
    "required": _either,
    "properties": _all_named,
    **dict.fromkeys(("exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"), _larger),
    **dict.fromkeys(("exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"), _smaller),
}
