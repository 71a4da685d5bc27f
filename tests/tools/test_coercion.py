from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from loopwright.tools import ArgumentsError, Tool, ToolCall, ToolDefinitionError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    qty: int = 1


class Order(BaseModel):
    items: list[Item]
    note: str | None = None


class Node(BaseModel):
    label: str
    children: list[Node] = []


class Even(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def is_even(cls, n: int) -> int:
        if n == 13:
            raise ZeroDivisionError("thirteen")
        if n % 2:
            raise ValueError("an even number is wanted")
        return n


@dataclass
class Point:
    x: float
    y: float = 0.0


def order(
    number: int,
    colour: Colour,
    items: list[Item],
    *,
    sort: Literal["asc", "desc"] = "asc",
    limit: Annotated[int, Field(ge=1, le=9)] = 3,
    due: date | None = None,
    where: Point | None = None,
    extra: dict[str, object] | None = None,
) -> None:
    """Order things."""


def coerced(func: Callable[..., object], **args: object) -> dict[str, object]:
    made = Tool(func)
    return made.coerced(ToolCall(made.name, args))


def complaint(func: Callable[..., object], **args: object) -> str:
    made = Tool(func)
    result = made.run(ToolCall(made.name, args))
    assert result.error == "invalid_args"
    start, end = f"Error: {made.name}: ", f" Usage: {made.usage}"
    assert result.content.startswith(start)
    assert result.content.endswith(end)
    return result.content.removeprefix(start).removesuffix(end)


FIT: dict[str, Any] = {"number": 1, "colour": "red", "items": []}


# ---- what is read as what


def takes(kind: object) -> Callable[..., object]:
    def take(value: object) -> object:
        return value

    take.__annotations__ = {"value": kind}
    return take


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "5", 5),
        (int, 5.0, 5),
        (float, "2.5", 2.5),
        (float, 2, 2.0),
        (bool, "true", True),
        (bool, "no", False),
        (str, 17, "17"),
        (date, "2026-01-31", date(2026, 1, 31)),
        (Colour, "blue", Colour.BLUE),
        (Point, {"x": "1"}, Point(1.0)),
        (Point, '{"x": 1, "y": 2}', Point(1.0, 2.0)),
        (list[int], "[1, 2]", [1, 2]),
        (list[int], ["1", 2], [1, 2]),
        (dict[str, int], '{"a": "1"}', {"a": 1}),
        (set[str], '["a"]', {"a"}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (int | None, None, None),
        (int | list[int], " [1]", [1]),
        (str | list[int], "[1]", "[1]"),
        (Item, '{"name": "pen"}', Item(name="pen")),
        (Node, '{"label": "a", "children": [{"label": "b"}]}', Node(label="a", children=[Node(label="b")])),
        (object, "[1]", "[1]"),
        (Any, {"a": 1}, {"a": 1}),
    ],
    ids=str,
)
def test_values_are_read_as_the_annotated_type(kind: object, text: object, value: object) -> None:
    assert coerced(takes(kind), value=text) == {"value": value}


def test_null_for_a_parameter_with_a_default_is_the_default() -> None:
    assert coerced(order, **FIT, limit=None, sort=None) == {"number": 1, "colour": Colour.RED, "items": []}


def test_null_is_kept_where_the_type_has_it() -> None:
    assert coerced(order, **FIT, due=None)["due"] is None


def test_an_unannotated_parameter_takes_anything() -> None:
    def act(thing, times=2):  # type: ignore[no-untyped-def]
        return [thing] * times

    assert Tool(act).usage == "act(thing: any, times: any = 2)"
    assert Tool(act).run(ToolCall("act", {"thing": {"a": 1}})).content == '[{"a": 1}, {"a": 1}]'


def test_parameters_by_position_only_are_filled_by_name() -> None:
    def act(a: int, b: int = 2, /, c: int = 3) -> list[int]:
        return [a, b, c]

    made = Tool(act)
    assert made.run(ToolCall("act", {"c": "9", "a": "1"})).content == "[1, 2, 9]"


# ---- broken JSON


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 1, "colour": "red", "items": []',
        "{'number': 1, 'colour': 'red', 'items': []}",
        '```json\n{"number": 1, "colour": "red", "items": [],}\n```',
        '{number: 1, colour: "red", items: []}',
    ],
    ids=["unclosed", "single quotes", "fenced", "bare names"],
)
def test_arguments_in_broken_json_are_mended(text: str) -> None:
    made = Tool(order)
    assert made.coerced(ToolCall("order", malformed=text)) == {"number": 1, "colour": Colour.RED, "items": []}


@pytest.mark.parametrize("text", ["certainly!", "[1, 2]", "5", "{" * 100_000, "x" * 2_000_000])
def test_arguments_beyond_mending_are_refused(text: str) -> None:
    result = Tool(order).run(ToolCall("order", malformed=text))
    assert result.error == "invalid_args"
    assert "Usage: order(number: integer" in result.content
    assert len(result.content) < 1_000


def test_arguments_that_are_no_object_are_refused() -> None:
    result = Tool(order).run(ToolCall("order", ["a"]))  # type: ignore[arg-type]  # as a careless adapter might
    assert "the arguments must be a JSON object" in result.content


# ---- what is said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({**FIT, "number": "ten"}, '"number" must be an integer, not "ten".'),
        ({**FIT, "number": 1.5}, '"number" must be an integer, not 1.5.'),
        ({**FIT, "number": None}, '"number" must be an integer, not null.'),
        ({**FIT, "colour": "green"}, '"colour" must be one of "red", "blue", not "green".'),
        ({**FIT, "sort": "up"}, '"sort" must be one of "asc", "desc", not "up".'),
        ({**FIT, "limit": 10}, '"limit" must be less than or equal to 9, not 10.'),
        ({**FIT, "items": "pen"}, '"items" must be a list of objects, not "pen".'),
        ({**FIT, "items": {"name": "pen"}}, '"items" must be a list of objects, not {"name": "pen"}.'),
        ({**FIT, "items": "[1"}, '"items" must be a list of objects, not "[1".'),
        ({**FIT, "items": [{}]}, '"items[0].name" is missing.'),
        ({**FIT, "items": '[{"name": 1, "qty": "x"}]'}, '"items[0].qty" must be an integer, not "x"'),
        ({**FIT, "due": "soon"}, '"due" must be a date like 2026-01-31 or null, not "soon".'),
        ({**FIT, "where": 5}, '"where" must be an object with "x", "y" or null, not 5.'),
        ({**FIT, "where": {"y": 1}}, '"where.x" is missing.'),
        ({**FIT, "numbr": 1}, 'there is no parameter "numbr"; did you mean "number"?'),
        ({**FIT, "zzz": 1}, 'there is no parameter "zzz".'),
        ({"colour": "red", "items": []}, '"number" is missing.'),
        ({}, '"number" is missing; "colour" is missing; "items" is missing.'),
        ({"number": "x", "sort": "up", "limit": 0}, "; and 2 more."),
    ],
    ids=lambda case: json.dumps(case)[:60] if isinstance(case, dict) else "",
)
def test_a_complaint_names_the_parameter_what_was_given_and_what_is_wanted(
    args: dict[str, object], said: str
) -> None:
    assert said in complaint(order, **args)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (int | str, [], '"value" must be an integer or text, not [].'),
        (list[str] | None, 5, '"value" must be a list of strings or null, not 5.'),
        (list[date], ["x"], '"value[0]" must be a date like 2026-01-31, not "x".'),
        (dict[str, int], {"a": "x"}, '"value.a" must be an integer, not "x".'),
        (tuple[int, int], [1], '"value[1]" is missing.'),
        (Literal["only"], "other", '"value" must be "only", not "other".'),
        (Order, {"items": [{"name": []}]}, '"value.items[0].name" must be text, not [].'),
        (Even, {"n": 3}, '"value.n": an even number is wanted (given: 3).'),
        (Even, {"n": 13}, '"value" could not be read: ZeroDivisionError: thirteen.'),
        (Node, {"label": "a", "children": [{}]}, '"value.children[0].label" is missing.'),
        (Node, 5, '"value" must be an object with "label", "children", not 5.'),
        (Literal[1, 2] | None, 3, '"value" must be one of 1, 2 or null, not 3.'),
        (
            Annotated[str, Field(min_length=3)],
            "ab",
            '"value": String should have at least 3 characters (given: "ab").',
        ),
        (bool, "maybe", '"value" must be true or false, not "maybe".'),
        (str, {"a": "y" * 500}, '"value" must be text, not {"a": "yyy'),
    ],
    ids=str,
)
def test_every_type_is_asked_for_in_words(kind: object, value: object, said: str) -> None:
    assert said in complaint(takes(kind), value=value)


def test_an_extra_name_inside_a_strict_object_is_named() -> None:
    class Strict(BaseModel, extra="forbid"):
        a: int

    assert '"value.b" is not a known name' in complaint(takes(Strict), value={"a": 1, "b": 2})


def test_a_huge_wrong_value_makes_a_short_complaint() -> None:
    assert len(complaint(takes(int), value="9" * 1_000_000 + "x")) < 200
    assert len(complaint(takes(int), **{"k" * 1_000_000: 1})) < 200


def test_a_value_without_a_text_form_is_named_by_its_type() -> None:
    assert complaint(takes(int), value=object()) == '"value" must be an integer, not object.'


# ---- the schema


def test_the_schema_tells_types_defaults_and_constraints() -> None:
    assert Tool(order).spec.parameters == {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            "colour": {"type": "string", "enum": ["red", "blue"]},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "qty": {"type": "integer", "default": 1}},
                    "required": ["name"],
                },
            },
            "sort": {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
            "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "where": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {"x": {"type": "number"}, "y": {"type": "number", "default": 0.0}},
                        "required": ["x"],
                    },
                    {"type": "null"},
                ]
            },
            "extra": {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]},
        },
        "required": ["number", "colour", "items"],
        "additionalProperties": False,
    }


def test_a_type_that_refers_to_itself_is_defined_once() -> None:
    def plant(tree: Node, other: list[Node]) -> None: ...

    schema = Tool(plant).spec.parameters
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid({"tree": {"label": "a", "children": [{"label": "b"}]}, "other": []})
    assert not check.is_valid({"tree": {"label": "a", "children": [{"lable": "b"}]}, "other": []})
    assert Tool(plant).usage == "plant(tree: object, other: list of object)"


def test_a_parameter_may_have_the_name_of_a_schema_word() -> None:
    def act(title: str, type: int, properties: str = "p", self_: str = "s") -> None: ...  # noqa: A002 - as users do

    assert list(Tool(act).args) == ["title", "type", "properties", "self_"]


def test_two_different_recursive_types_of_one_name_are_refused() -> None:
    def make() -> type:
        class Tree(BaseModel):
            below: list[Tree] = []

        Tree.model_rebuild(_types_namespace={"Tree": Tree})
        return Tree

    class Leaf(BaseModel):
        n: int

    def other() -> type:
        class Tree(BaseModel):
            above: list[Tree] = []

        Tree.model_rebuild(_types_namespace={"Tree": Tree})
        return Tree

    def act(a: object, b: object) -> None: ...

    act.__annotations__ = {"a": make(), "b": other()}
    with pytest.raises(ToolDefinitionError, match="two different types called Tree"):
        Tool(act)


@pytest.mark.parametrize(
    "doc",
    [
        "Find it.\n\n    More words.\n\n    Args:\n        text (str): What to\n            find.\n        k: How many.\n\n    Returns:\n        Texts.\n",
        "Find it.\n\n    More words.\n\n    Parameters\n    ----------\n    text : str\n        What to find.\n    k : int\n        How many.\n",
        "Find it.\n\n    More words.\n\n    :param text: What to find.\n    :param k: How many.\n    :returns: Texts.\n",
        "Find it.\n\n    More words.\n\n    >>> find('a')\n    []\n\n    Args:\n        text: What to find.\n        k: How many.\n",
    ],
    ids=["google", "numpy", "rest", "doctest"],
)
def test_descriptions_are_read_from_every_common_kind_of_docstring(doc: str) -> None:
    def find(text: str, k: int = 3) -> list[str]:
        return [text] * k

    find.__doc__ = doc
    made = Tool(find)
    assert made.desc == "Find it.\n\nMore words."
    assert [one["description"] for one in made.args.values()] == ["What to find.", "How many."]


def test_a_docstring_that_can_not_be_read_costs_only_the_descriptions() -> None:
    def find(text: str) -> str:
        """Find it.

        Args:
            text
        """
        return text

    assert (Tool(find).desc, Tool(find).args) == ("Find it.", {"text": {"type": "string"}})


def test_descriptions_may_stand_in_the_annotation() -> None:
    def find(
        text: Annotated[str, "What to find."], k: Annotated[int, Field(description="How many.")] = 3
    ) -> None: ...

    assert [one["description"] for one in Tool(find).args.values()] == ["What to find.", "How many."]


def test_a_default_that_json_does_not_know_is_left_out_of_the_schema() -> None:
    marker = object()

    def act(a: int = 1, b: Any = marker, c: Colour = Colour.RED) -> bool:
        return b is marker

    assert Tool(act).usage == 'act(a: integer = 1, b?: any, c: "red" | "blue" = "red")'
    assert Tool(act).run(ToolCall("act")).content == "true"


class Opaque:
    pass


def star(*values: int) -> None: ...
def double_star(**values: int) -> None: ...
def opaque(value: Opaque) -> None: ...
def callback(value: Callable[[], int]) -> None: ...
def unknown(value: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - that is the case


@pytest.mark.parametrize(
    ("func", "said"),
    [
        (star, "star takes *values, which a model can't be told how to fill"),
        (double_star, "double_star takes **values"),
        (opaque, "a model can't be asked for 'value' of type Opaque"),
        (callback, "a model can't be asked for 'value' of type Callable"),
        (
            unknown,
            "the annotation 'Nowhere' of 'value' can't be evaluated (NameError: name 'Nowhere' is not defined)",
        ),
        (takes(5), "a model can't be asked for 'value' of type 5"),
        (iter, "has no signature that can be read"),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_parameter_that_no_model_can_fill_is_refused(func: Callable[..., object], said: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        Tool(func)
    assert said in str(refused.value)


# ---- schemas by hand


def test_a_schema_by_hand_makes_a_tool_of_a_function_that_takes_anything() -> None:
    def remote(**arguments: object) -> object:
        return arguments

    made = Tool(
        remote,
        "find_user",
        "Find a user.",
        args={
            "name": {"type": "str", "description": "Who."},
            "age": {"type": ["integer", "null"], "default": None},
            "tags": {"type": "list", "items": {"type": "str"}, "default": []},
            "sort": {"enum": ["asc", "desc"], "default": "asc"},
            "limit": {"anyOf": [{"type": "int"}, {"type": "string"}], "default": 1},
            "extra": {"type": "any", "default": None},
        },
    )
    assert made.args["name"] == {"type": "string", "description": "Who."}
    assert made.usage.startswith(
        "find_user(name: string, age: integer | null = null, tags: list of string = []"
    )
    assert (
        made.run(ToolCall("find_user", {"name": 5, "tags": '["a"]'})).content
        == '{"name": "5", "tags": ["a"]}'
    )
    assert (
        '"sort" must be one of "asc", "desc"' in made.run(ToolCall("x", {"name": "a", "sort": "up"})).content
    )
    assert made.run(ToolCall("x", {})).error == "invalid_args"


def test_a_schema_by_hand_leaves_the_functions_own_types_in_force() -> None:
    def due(day: date, n: int = 2, /) -> str:
        return f"{day:%d.%m.} {n}"

    made = Tool(due, args={"day": {"type": "string"}, "n": {"type": "integer"}})
    assert made.run(ToolCall("due", {"day": "2026-01-31"})).content == "31.01. 2"


def test_types_by_hand_override_annotations() -> None:
    made = Tool(takes(str), arg_types={"value": int}, arg_desc={"value": "A number."})
    assert made.args == {"value": {"type": "integer", "description": "A number."}}


# ---- properties

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ORDER = Tool(order)


@given(st.dictionaries(st.sampled_from([*ORDER.args, "other"]) | st.text(), JSON, max_size=9))
def test_whatever_the_arguments_are_they_are_coerced_or_refused_in_words(args: Mapping[str, object]) -> None:
    try:
        ready = ORDER.coerced(ToolCall("order", args))
    except ArgumentsError as error:
        ready, words = {}, str(error)
    else:
        words = "fine"
    assert set(ready) <= set(ORDER.args)
    assert 0 < len(words) < 2_000


@given(st.text())
def test_whatever_stands_for_the_arguments_the_answer_is_a_result(text: str) -> None:
    result = ORDER.run(ToolCall("order", malformed=text))
    assert result.ok or result.content.startswith("Error: ")
    result.content.encode()


@given(st.integers(min_value=-(10**30), max_value=10**30), st.sampled_from([str, int, json.dumps]))
def test_an_integer_survives_in_every_spelling(n: int, spelling: Callable[[int], object]) -> None:
    assert coerced(takes(int), value=spelling(n)) == {"value": n}


@given(st.lists(st.integers() | st.text()))
def test_a_list_may_be_given_as_json_text(values: list[int | str]) -> None:
    assert coerced(takes(list[int | str]), value=json.dumps(values)) == {"value": values}


@given(st.dates())
def test_a_date_survives_as_text(day: date) -> None:
    assert coerced(takes(date), value=day.isoformat()) == {"value": day}


@given(JSON)
def test_what_a_parameter_without_a_type_gets_is_what_was_given(value: object) -> None:
    got = coerced(takes(object), value=value)["value"]
    assert got is value
