"""Properties of signatures built at random: what a schema accepts is read, and what is refused is named."""

from __future__ import annotations

import enum
import inspect
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, cast

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model
from tool_dialect import misfits
from typing_extensions import TypedDict

from loopwright.tools import ArgumentsError, Tool, ToolCall
from loopwright.tools.definitions import foreign_tools
from loopwright.tools.exports import openai_tool
from loopwright.tools.names import legal_names
from loopwright.tools.render import plain

pytestmark = (
    pytest.mark.no_cover
)  # what is run here is covered elsewhere, and takes twice as long with an eye on it
NAMES = ["a", "b", "c", "title", "type", "properties", "größe"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


# ---- types


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5


class Tree(BaseModel):
    label: str
    below: list[Tree] = []


class Pair(NamedTuple):
    left: int
    right: str = "x"


def literals() -> st.SearchStrategy[Any]:
    choices = st.lists(st.sampled_from(["x", "y", 1, 2, True, None]), min_size=1, max_size=4, unique_by=repr)
    return choices.map(lambda values: Literal[tuple(values)])


def bounded() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.integers(-5, 5).map(lambda n: Annotated[int, Field(ge=n, le=n + 7)]),
        st.integers(0, 3).map(lambda n: Annotated[str, Field(min_length=n, max_length=n + 3)]),
        st.integers(0, 2).map(lambda n: Annotated[list[int], Field(min_length=n, max_length=n + 2)]),
        st.just(Annotated[float, Field(gt=0, lt=1)]),
        st.just(Annotated[int, Field(multiple_of=3)]),
        st.text(max_size=9).map(lambda words: Annotated[int, Field(description=words)]),
    )


SCALARS = st.sampled_from(
    [
        int,
        float,
        str,
        bool,
        date,
        datetime,
        time,
        timedelta,
        Decimal,
        uuid.UUID,
        Path,
        bytes,
        Colour,
        Level,
        Tree,
        Pair,
    ]
)


def fields(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["a", "b", "title", "kind"]), inner, min_size=1, max_size=3)


def model_of(made: dict[str, Any]) -> Any:
    spec: dict[str, Any] = {name: (kind, ...) for name, kind in made.items()}
    return create_model("Model", **spec)


def union_of(first: Any, second: Any) -> Any:
    return first | second


def half_optional_model_of(made: dict[str, Any]) -> Any:
    spec: dict[str, Any] = {name: (Optional[kind], None) for name, kind in made.items()}  # noqa: UP045 - computed
    return create_model("Loose", first=(int, ...), **spec)


def dataclass_of(made: dict[str, Any]) -> Any:
    return make_dataclass("Record", list(made.items()))


def typed_dict_of(made: dict[str, Any]) -> Any:
    functional: Any = TypedDict
    return functional(
        "Shape", {name: NotRequired[kind] if name == "b" else kind for name, kind in made.items()}
    )


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda kind: list[kind]),  # type: ignore[valid-type]  # computed, as in every line of these
        inner.map(lambda kind: dict[str, kind]),  # type: ignore[valid-type]
        inner.map(lambda kind: Optional[kind]),  # noqa: UP045 - computed
        st.tuples(inner, inner).map(lambda kinds: tuple[kinds[0], kinds[1]]),  # type: ignore[valid-type]
        st.builds(union_of, st.sampled_from([int, str, bool]), fields(inner).map(model_of)),
        st.builds(union_of, inner.map(lambda kind: list[kind]), st.sampled_from([int, str, Tree])),  # type: ignore[valid-type]
        inner.map(lambda kind: tuple[kind, ...]),  # type: ignore[valid-type]
        fields(inner).map(model_of),
        fields(inner).map(half_optional_model_of),
        fields(inner).map(dataclass_of),
        fields(inner).map(typed_dict_of),
    )


KINDS = st.recursive(SCALARS | literals() | bounded(), containers, max_leaves=5)


@st.composite
def signatures(draw: st.DrawFn) -> Tool:
    """A tool of a function whose parameters are of random types, some by name only, some with a default."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    kinds = {name: draw(KINDS) for name in names}
    optional = set(draw(st.lists(st.sampled_from(names), unique=True))) if names else set()
    in_order = [name for name in names if name not in optional] + [name for name in names if name in optional]
    by_name_from = draw(st.integers(0, len(names)))

    def work(**arguments: object) -> object:
        return arguments

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY
            if place >= by_name_from
            else inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=None if name in optional else inspect.Parameter.empty,
            annotation=kinds[name],
        )
        for place, name in enumerate(in_order)
    ]
    cast("Any", work).__signature__ = inspect.Signature(parameters)
    work.__annotations__ = kinds
    return Tool(work)


# ---- values that a schema accepts

TEXTS: Mapping[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(date.isoformat),
    "date-time": st.datetimes().map(datetime.isoformat),
    "time": st.times().map(time.isoformat),
    "duration": st.timedeltas(timedelta(-9_999), timedelta(9_999)).map(lambda span: str(plain(span))),
    "uuid": st.uuids().map(str),
    "path": st.text("abc/.", min_size=1, max_size=9),
    "binary": st.text(max_size=9),
}


def values(schema: Any, definitions: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that a schema accepts, as a model would write them."""
    if "$ref" in schema:
        return st.deferred(
            lambda: values(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions, depth + 1)
        )
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if branches := schema.get("anyOf"):
        if (
            branches == [{"type": "number"}, *branches[1:]] and branches[1].get("type") == "string"
        ):  # a Decimal
            return st.decimals(-(10**6), 10**6, allow_nan=False).map(str)
        return st.one_of(*(values(one, definitions, depth) for one in branches))
    kind = schema.get("type")
    if kind == "object":
        return objects(schema, definitions, depth)
    if kind == "array":
        return lists(schema, definitions, depth)
    return scalars(schema)


def scalars(schema: Any) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "string":
        least, most = schema.get("minLength", 0), schema.get("maxLength", 9)
        return TEXTS.get(schema.get("format"), st.text(min_size=least, max_size=most))
    if kind == "integer":
        step = schema.get("multipleOf", 1)
        return st.integers(schema.get("minimum", -(10**20)), schema.get("maximum", 10**20)).map(
            lambda n: n - n % step
        )
    if kind == "number":
        least, most = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        return st.floats(
            least,
            most,
            exclude_min=least is not None,
            exclude_max=most is not None,
            allow_nan=False,
            allow_infinity=False,
        )
    if kind == "boolean":
        return st.booleans()
    return st.none() if kind == "null" else JSON


def objects(schema: Any, definitions: Any, depth: int) -> st.SearchStrategy[Any]:
    properties = schema.get("properties", {})
    if not properties and isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(
            st.text(max_size=3), values(schema["additionalProperties"], definitions, depth + 1), max_size=2
        )
    required = schema.get("required", [])
    return st.fixed_dictionaries(
        {name: values(one, definitions, depth + 1) for name, one in properties.items() if name in required},
        optional={
            name: values(one, definitions, depth + 1)
            for name, one in properties.items()
            if name not in required and depth < 6
        },
    )


def lists(schema: Any, definitions: Any, depth: int) -> st.SearchStrategy[Any]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
    if first := schema.get("prefixItems"):
        whole = st.tuples(*(values(one, definitions, depth + 1) for one in first)).map(list)
        return st.integers(least, min(most, len(first))).flatmap(lambda n: whole.map(lambda items: items[:n]))
    if depth >= 6:
        return st.just([])
    return st.lists(values(schema["items"], definitions, depth + 1), min_size=least, max_size=most)


def same(one: object, other: object) -> bool:
    """Whether two values are equal, up to the last digits of a float that JSON text may lose."""
    return repr(one) == repr(other) or one == other


def takes_text(schema: Any) -> bool:
    """Whether text is right as it is, whatever it could be JSON for."""
    return schema.get("type") == "string" or any(takes_text(one) for one in schema.get("anyOf", []))


LIGHT = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@LIGHT
@given(signatures())
def test_a_schema_of_any_signature_fits_the_standard_and_every_provider(tool: Tool) -> None:
    assert misfits(openai_tool(tool.spec)) == []


@LIGHT
@given(signatures(), st.data())
def test_what_a_schema_accepts_is_read_and_survives_being_shown_and_read_again(
    tool: Tool, data: st.DataObject
) -> None:
    schema: Any = tool.spec.parameters
    arguments = data.draw(values(schema, schema.get("$defs", {})))
    assert jsonschema.Draft202012Validator(schema).is_valid(arguments)
    read = tool.coerced(ToolCall(tool.name, arguments))
    shown = json.loads(json.dumps({name: plain(value) for name, value in read.items()}))
    again = tool.coerced(ToolCall(tool.name, shown))
    assert same(again, read)


@LIGHT
@given(signatures(), st.data())
def test_json_text_of_the_arguments_is_read_as_they_are(tool: Tool, data: st.DataObject) -> None:
    schema: Any = tool.spec.parameters
    arguments = data.draw(values(schema, schema.get("$defs", {})))
    wrapped = {
        name: json.dumps(value)
        if isinstance(value, (dict, list)) and not takes_text(tool.args[name])
        else value
        for name, value in arguments.items()
    }
    read = tool.coerced(ToolCall(tool.name, arguments))
    try:
        assert same(tool.coerced(ToolCall(tool.name, wrapped)), read)
    except ArgumentsError:
        raise AssertionError(f"{wrapped} was refused") from None


@LIGHT
@given(signatures(), st.data())
def test_what_is_refused_is_named(tool: Tool, data: st.DataObject) -> None:
    names = [*tool.args, "other"]
    arguments = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
    result = tool.run(ToolCall(tool.name, arguments))
    if result.error == "invalid_args":
        assert any(f'"{name}' in result.content for name in names)
        assert result.content.startswith(f"Error: {tool.name}: ")
        assert result.content.endswith(f"Usage: {tool.usage}")
        result.content.encode()


@LIGHT
@given(signatures(), st.data())
def test_our_own_schema_read_as_a_foreign_one_accepts_the_same(tool: Tool, data: st.DataObject) -> None:
    schema: Any = tool.spec.parameters
    arguments = data.draw(values(schema, schema.get("$defs", {})))
    [foreign] = foreign_tools(openai_tool(tool.spec), lambda name, given: given)
    assert foreign.usage == tool.usage
    read = foreign.run(ToolCall(tool.name, arguments))
    assert read.ok, read.content
    assert jsonschema.Draft202012Validator(schema).is_valid(read.value)


@LIGHT
@given(signatures(), st.data())
def test_one_wrong_argument_among_right_ones_is_the_one_that_is_named(
    tool: Tool, data: st.DataObject
) -> None:
    schema: Any = tool.spec.parameters
    arguments = data.draw(values(schema, schema.get("$defs", {})))
    arguments["no such name"] = 1
    result = tool.run(ToolCall(tool.name, arguments))
    assert result.error == "invalid_args"
    assert 'there is no parameter "no such name"' in result.content


# ---- foreign schemas

TYPES = st.sampled_from(
    [
        "string",
        "integer",
        "number",
        "boolean",
        "object",
        "array",
        "null",
        "dict",
        "FLOAT",
        "any",
        "list[int]",
        "widget",
        5,
    ]
)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, max_size=3),
            "enum": st.lists(JSON, max_size=3),
            "const": JSON,
            "minimum": JSON,
            "maxLength": JSON,
            "pattern": st.text(max_size=9),
            "nullable": JSON,
            "default": JSON,
            "description": JSON,
            "required": JSON,
            "$ref": st.sampled_from(["#", "#/properties/a", "#/$defs/b", "x", ""]),
        },
    )
    | JSON,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=3) | inner,
            "items": inner | st.lists(inner, max_size=2),
            "anyOf": st.lists(inner, max_size=3),
            "allOf": st.lists(inner, max_size=3),
            "oneOf": st.lists(inner, max_size=3),
            "additionalProperties": inner,
            "required": st.lists(st.sampled_from(NAMES), max_size=2),
            "$defs": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        },
    ),
    max_leaves=12,
)


def remote(**arguments: object) -> object:
    return arguments


@LIGHT
@given(SCHEMAS, st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3))
def test_whatever_stands_for_a_schema_makes_a_tool_or_is_refused_by_name(
    schema: Any, arguments: dict[str, object]
) -> None:
    made: list[Tool] = []
    said = ""
    try:
        made = foreign_tools({"name": "remote", "parameters": schema}, lambda name, given: given)
    except ValueError as error:
        said = str(error)
    assert (said == "") == bool(made)
    assert said.startswith("remote" if said else "")
    for tool in made:
        assert misfits(openai_tool(tool.spec)) == []
        result = tool.run(ToolCall("remote", arguments))
        assert result.error in (None, "invalid_args", "unserialisable"), result.content
        assert all(f'"{name}' in result.content for name in arguments) or result.ok or '"' in result.content


@LIGHT
@given(st.lists(st.text() | st.sampled_from(["a.b", "a_b", "a b", "a", "x" * 70, "x" * 71]), max_size=8))
def test_mangled_names_are_legal_stable_and_lead_back(names: list[str]) -> None:
    legal = legal_names(names)
    assert list(legal) == list(dict.fromkeys(names))
    assert len(set(legal.values())) == len(legal)
    assert all(
        1 <= len(one) <= 64 and one.isascii() and set(one) <= set(map(chr, range(45, 123)))
        for one in legal.values()
    )
    assert legal_names(reversed(names)) == legal
    assert legal_names(legal.values()) == {one: one for one in legal.values()}


def test_nan_is_no_number_that_json_has() -> None:
    [tool] = foreign_tools(
        {"name": "remote", "parameters": {"properties": {"n": {"type": "number"}}}}, lambda name, given: given
    )
    for value in (math.nan, math.inf, "nan"):
        assert tool.run(ToolCall("remote", {"n": value})).error == "invalid_args"
