"""What was wrong with an argument, in sentences: pydantic's errors, told by the schema that the model was shown."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .render import cut
from .wording import Schema, branches_of, given, wanted

_MAX_ERRORS = 30  # that are told; a choice between many types makes one for each
_MAX_WANTED = 2_000  # characters of what is wanted: there may be thousands of choices
_MAX_STEPS = 12  # of a path; a deeper one is cut
_MAX_MESSAGE = 300  # characters of what a validator says: it may quote what it was given
_REF = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Shown:
    """A schema as a model was shown it, and the definitions that it refers to."""

    schema: Schema
    definitions: Mapping[str, Schema]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a value something is wrong: the steps there, its schema if known, whether that is a choice."""

    steps: tuple[object, ...]
    schema: Schema | None
    is_choice: bool = False
    is_required: bool = True
    is_name: bool = False


def complaints(name: str, shown: Shown, value: object, errors: Sequence[Mapping[str, object]]) -> list[str]:
    """Pydantic's errors in sentences: each names the parameter, what is wanted there, and what was given.

    >>> error = {"type": "int_parsing", "loc": ("n",), "msg": "…", "input": "ten"}
    >>> box = Shown({"type": "object", "properties": {"n": {"type": "integer"}}}, {})
    >>> complaints("box", box, {"n": "ten"}, [error])
    ['"box.n" must be an integer, not "ten"']
    """
    said: dict[str, None] = {}
    for error in errors[:_MAX_ERRORS]:
        place = _place(shown, error)
        if place.is_choice:  # pydantic tells of every branch by itself
            said[
                f"{_path(name, place)} must be {_wanted(place, shown)}, not {given(_at(value, place.steps))}"
            ] = None
        else:
            said[_sentence(_path(name, place), place, shown, error)] = None
    return list(said)


def without_idle_nulls(shown: Shown, value: object, errors: Sequence[Mapping[str, object]]) -> object | None:
    """The value without the nulls that stand for "not given", where that is all that was wrong; else None.

    >>> error = {"type": "int_type", "loc": ("n",), "msg": "…", "input": None}
    >>> box = Shown({"type": "object", "properties": {"n": {"type": "integer"}}}, {})
    >>> without_idle_nulls(box, {"n": None}, [error])
    {}
    """
    made = value
    if len(errors) > _MAX_ERRORS:
        return None
    for error in errors:
        place = _place(shown, error)
        if error["input"] is not None or place.is_required or place.is_name or not place.steps:
            return None
        made = _without(made, place.steps)
    return made


def _sentence(path: str, place: _Place, shown: Shown, error: Mapping[str, object]) -> str:
    kind, message = str(error["type"]), str(error["msg"])[:_MAX_MESSAGE]
    if kind == "missing":
        return f"{path} is missing"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{path} is not a known name"
    if kind == "recursion_loop":
        return f"{path} is nested too deeply"
    if _is_about_type(kind) and place.schema is not None and not _is_met(place.schema, error["input"]):
        return f"{path} must be {_wanted(place, shown)}, not {given(error['input'])}"
    start = "Input should be "
    if message.startswith(start):
        return f"{path} must be {message.removeprefix(start)}, not {given(error['input'])}"
    return f"{path}: {message.removeprefix('Value error, ')} (given: {given(error['input'])})"


def _is_about_type(kind: str) -> bool:
    return kind.endswith(("_type", "_parsing")) or kind in (
        "literal_error",
        "enum",
        "int_from_float",
        "date_from_datetime_inexact",
        "none_required",
        "sequence_str",
    )


def _is_met(schema: Schema, value: object) -> bool:
    """Whether text is wanted and text was given, so that the type says nothing of what is wrong with it."""
    if not isinstance(value, str) or "enum" in schema or "const" in schema:
        return False
    kinds = schema.get("type")
    plain = "format" not in schema and "string" in (kinds if isinstance(kinds, list) else [kinds])
    return plain or any(_is_met(one, value) for one in branches_of(schema))


def _path(name: str, place: _Place) -> str:
    shown = place.steps[:_MAX_STEPS]
    steps = "".join(f"[{one}]" if isinstance(one, int) else f".{str(one)[:60]}" for one in shown)
    path = f'"{name}{steps}{"…" if len(place.steps) > len(shown) else ""}"'
    return f"{path} as a name" if place.is_name else path


def _wanted(place: _Place, shown: Shown) -> str:
    return cut(wanted(_resolved(place.schema or {}, shown.definitions)), _MAX_WANTED)


# ---- the schema of a part of a value


def _place(shown: Shown, error: Mapping[str, object]) -> _Place:
    """Follow an error's location through the schema, up to the first choice between types on its way."""
    location = error["loc"] if isinstance(error["loc"], tuple) else ()
    place = _Place((), _resolved(shown.schema, shown.definitions))
    for at, step in enumerate(location):
        here = place.schema
        if location[at + 1 : at + 2] == ("[key]",):
            name = here.get("propertyNames") if here else None
            known = _resolved(name, shown.definitions) if isinstance(name, Mapping) else None
            return _Place((*place.steps, step), known, is_name=True)
        if here is None:
            return _Place((*place.steps, *location[at:]), None, is_required=place.is_required)
        present = [one for one in _choices(here) if one.get("type") != "null"]
        if len(present) > 1:
            tagged = _tagged(present, step, shown.definitions)
            if tagged is None:
                return _Place(place.steps, here, is_choice=True)
            place = _Place(place.steps, tagged, is_required=place.is_required)
            continue
        outer = _resolved(present[0], shown.definitions) if present else here
        inner = _part(outer, step, shown.definitions)
        place = _Place((*place.steps, step), inner, is_required=_requires(outer, step))
    return place


def _choices(schema: Schema) -> Sequence[Schema]:
    kinds = schema.get("type")
    return [{**schema, "type": one} for one in kinds] if isinstance(kinds, list) else branches_of(schema)


def _tagged(branches: Sequence[Schema], tag: object, definitions: Mapping[str, Schema]) -> Schema | None:
    """The branch that pydantic means by a tag: the only one of which a property is just that."""
    found = [
        branch
        for branch in (_resolved(one, definitions) for one in branches)
        if any(tag in (one.get("const"), *_listed(one.get("enum"))) for one in _fields(branch).values())
    ]
    return found[0] if len(found) == 1 else None


def _part(schema: Schema, step: object, definitions: Mapping[str, Schema]) -> Schema | None:
    inner: object
    if isinstance(step, int):
        first = schema.get("prefixItems")
        inner = first[step] if isinstance(first, list) and step < len(first) else schema.get("items")
    else:
        inner = _fields(schema).get(str(step), schema.get("additionalProperties"))
    return _resolved(inner, definitions) if isinstance(inner, Mapping) else None


def _requires(schema: Schema, step: object) -> bool:
    return step not in _fields(schema) or step in _listed(schema.get("required"))


def _fields(schema: Schema) -> Mapping[str, Schema]:
    fields = schema.get("properties")
    return typing.cast("Mapping[str, Schema]", fields) if isinstance(fields, Mapping) else {}


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    for _ in range(len(definitions) + 1):
        target = definitions.get(str(schema.get("$ref", "")).removeprefix(_REF))
        if target is None:
            break
        schema = target
    return schema


# ---- a part of a value


def _at(value: object, steps: Sequence[object]) -> object:
    for step in steps:
        try:
            value = typing.cast("typing.Any", value)[step]
        except (LookupError, TypeError):
            return value
    return value


def _without(value: object, steps: Sequence[object]) -> object:
    first, rest = steps[0], steps[1:]
    if isinstance(value, Mapping) and first in value:
        if not rest:
            return {key: one for key, one in value.items() if key != first}
        return {**value, first: _without(value[first], rest)}
    if isinstance(value, list) and isinstance(first, int) and rest and first < len(value):
        return [*value[:first], _without(value[first], rest), *value[first + 1 :]]
    return value
