"""The rules of coercion, one by one: what is read as what, what is never guessed, and what is said instead."""

from __future__ import annotations

import enum
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

import pytest
from pydantic import AnyUrl, BaseModel, Field
from typing_extensions import TypedDict

from loopwright.tools import Tool, ToolCall


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5


class Item(BaseModel):
    name: str
    qty: int = 1
    note: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Node(BaseModel):
    label: str
    below: list[Node] = []


class Pair(NamedTuple):
    left: int
    right: str = "x"


class Film(TypedDict):
    title: str
    year: NotRequired[int]


@dataclass
class Point:
    x: float
    y: float = 0.0


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


def takes(kind: object) -> Tool:
    def take(value: object) -> object:
        return value

    take.__annotations__ = {"value": kind}
    return Tool(take)


READ: dict[str, tuple[Any, Any, Any]] = {
    "text for a whole number": (int, "5", 5),
    "text with a zero fraction for a whole number": (int, "5.0", 5),
    "a number with a zero fraction": (int, 5.0, 5),
    "a large whole number": (int, str(10**30), 10**30),
    "text for a number": (float, "-2.5e3", -2500.0),
    "a word for true": (bool, "yes", True),
    "0 for false": (bool, 0, False),
    "a number for text": (str, 2.5, "2.5"),
    "text for a decimal": (Decimal, "1.50", Decimal("1.50")),
    "a number for a decimal": (Decimal, 1.5, Decimal("1.5")),
    "a date": (date, "2026-01-31", date(2026, 1, 31)),
    "a date with no time of day": (date, "2026-01-31T00:00:00", date(2026, 1, 31)),
    "a time of day": (time, "14:30", time(14, 30)),
    "a date and time": (datetime, "2026-01-31 14:30", datetime(2026, 1, 31, 14, 30)),  # noqa: DTZ001 - no zone was given
    "a duration": (timedelta, "PT90M", timedelta(minutes=90)),
    "a UUID": (uuid.UUID, "0" * 31 + "1", uuid.UUID(int=1)),
    "a path": (Path, "a/b", Path("a/b")),
    "bytes": (bytes, "é", "é".encode()),
    "a URL": (AnyUrl, "https://example.com/a", AnyUrl("https://example.com/a")),
    "an address": (IPv4Address, "127.0.0.1", IPv4Address("127.0.0.1")),
    "text for a number of an enum": (Level, "5", Level.HIGH),
    "JSON text for a list": (list[int], "[1, 2]", [1, 2]),
    "JSON text for a set": (set[int], " [1, 1]", {1}),
    "JSON text for a tuple": (tuple[int, str], '[1, "a"]', (1, "a")),
    "JSON text for a dict": (dict[str, int], '{"a": "1"}', {"a": 1}),
    "JSON text for a model": (Item, '{"name": "pen"}', Item(name="pen")),
    "JSON text for a dataclass": (Point, '{"x": 1}', Point(1.0)),
    "JSON text for a typed dict": (Film, '{"title": "M"}', {"title": "M"}),
    "JSON text for a named tuple": (Pair, "[1]", Pair(1)),
    "JSON text for one of several models": (Pet, '{"kind": "dog"}', Dog(kind="dog")),
    "JSON text for an optional model": (Item | None, '{"name": "pen"}', Item(name="pen")),
    "JSON text for a list or a number": (int | list[int], "[1]", [1]),
    "JSON text where text is wanted stays text": (str, '{"a": 1}', '{"a": 1}'),
    "JSON text where text or a list is wanted stays text": (str | list[int], "[1]", "[1]"),
    "a list for a sequence": (Sequence[int], ["1"], [1]),
    "a list for a deque": (deque[int], ["1"], deque([1])),
    "a named tuple by its names": (Pair, {"left": "1"}, Pair(1)),
    "the tag picks the model": (Pet, {"kind": "cat", "lives": "7"}, Cat(kind="cat", lives=7)),
    "null where null is wanted": (int | None, None, None),
    "null inside for what has a default": (Item, {"name": "pen", "qty": None}, Item(name="pen")),
    "null deep inside for what has a default": (list[Item], [{"name": "a", "qty": None, "note": None}], [Item(name="a")]),
    "null inside for what need not be given": (Film, {"title": "M", "year": None}, {"title": "M"}),
    "null in a branch with a tag": (Pet, {"kind": "cat", "lives": None}, Cat(kind="cat")),
    "a recursive model": (Node, {"label": "1", "below": [{"label": "b"}]}, Node(label="1", below=[Node(label="b")])),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "read"), READ.values(), ids=READ.keys())
def test_what_was_meant_is_read(kind: Any, given: object, read: object) -> None:
    assert takes(kind).coerced(ToolCall("take", {"value": given})) == {"value": read}


SAID: dict[str, tuple[Any, Any, str]] = {
    "a single value is no list": (list[int], 5, '"value" must be a list of integers, not 5.'),
    "a single text is no list": (list[str], "a", '"value" must be a list of strings, not "a".'),
    "a single text is no sequence": (Sequence[str], "a", '"value" must be a list of strings, not "a".'),
    "a single value is no set": (set[int], 5, '"value" must be a list of integers, not 5.'),
    "a single value is no tuple": (tuple[int, ...], 5, '"value" must be a list of integers, not 5.'),
    "a single object is no list of them": (list[Item], {"name": "a"}, '"value" must be a list of objects, not {"name": "a"}.'),
    "a list of one is no single value": (int, [5], '"value" must be an integer, not [5].'),
    "words for a number": (int, "five", '"value" must be an integer, not "five".'),
    "a fraction": (int, "5.5", '"value" must be an integer, not "5.5".'),
    "null": (int, None, '"value" must be an integer, not null.'),
    "true is no text": (str, True, '"value" must be text, not true.'),
    "an object is no text": (str, {"a": 1}, '"value" must be text, not {"a": 1}.'),
    "a number is no truth": (bool, 2, '"value" must be true or false, not 2.'),
    "no such day": (date, "2026-02-30", '"value" must be a date like 2026-01-31, not "2026-02-30".'),
    "no time": (time, "25:00", '"value" must be a time like 14:30:00, not "25:00".'),
    "no date and time": (datetime, "now", '"value" must be a date and time like 2026-01-31T14:30:00, not "now".'),
    "no duration": (timedelta, "an hour", '"value" must be a duration like PT90M, not "an hour".'),
    "no UUID": (uuid.UUID, "1", '"value" must be a UUID, not "1".'),
    "no URL": (AnyUrl, "there", '"value" must be a URL, not "there".'),
    "no address": (IPv4Address, "300.1.1.1", '"value": Input is not a valid IPv4 address (given: "300.1.1.1").'),
    "no decimal": (Decimal, "much", '"value" must be a valid decimal, not "much".'),
    "no choice": (Literal["a", "b"], "c", '"value" must be one of "a", "b", not "c".'),
    "no member": (Level, 3, '"value" must be one of 1, 5, not 3.'),
    "broken JSON": (list[int], "[1", '"value" must be a list of integers, not "[1".'),
    "JSON text of another kind": (list[int], '{"a": 1}', '"value" must be a list of integers, not {"a": 1}.'),
    "inside JSON text": (Item, '{"name": "a", "qty": "x"}', '"value.qty" must be an integer, not "x".'),
    "inside a list": (list[int], [1, "x"], '"value[1]" must be an integer, not "x".'),
    "inside a tuple": (tuple[int, str], ["x", "a"], '"value[0]" must be an integer, not "x".'),
    "a place too many": (tuple[int, str], [1, "a", 2], '"value"'),
    "inside a dict": (dict[str, list[int]], {"a": [1, "x"]}, '"value.a[1]" must be an integer, not "x".'),
    "deep inside": (list[Item], [{"name": "a"}, {"qty": 2}], '"value[1].name" is missing.'),
    "inside an optional": (Item | None, {"qty": 2}, '"value.name" is missing.'),
    "inside a typed dict": (Film, {"title": "M", "year": "soon"}, '"value.year" must be an integer, not "soon".'),
    "inside a recursive model": (Node, {"label": "a", "below": [{"label": "b", "below": [{}]}]}, '"value.below[0].below[0].label" is missing.'),
    "a choice of types": (int | list[int], "x", '"value" must be an integer or a list of integers, not "x".'),
    "a choice of types inside a list": (list[int | list[str] | None], [[1], {}], '"value[1]" must be an integer or a list of strings or null, not {}.'),
    "a choice of models": (Item | Point, {"z": 1}, '"value" must be an object with "name", "qty", "note" or an object with "x", "y", not {"z": 1}.'),
    "a branch with a tag": (Pet, {"kind": "cat", "lives": "many"}, '"value.lives" must be an integer, not "many".'),
    "a branch in a list": (list[Pet], [{"kind": "dog", "tricks": [[]]}], '"value[0].tricks[0]" must be text, not [].'),
    "no branch of that tag": (Pet, {"kind": "cow"}, '"value"'),
    "names that must be others": (dict[Literal["a", "b"], int], {"c": 1}, '"value.c" as a name must be one of "a", "b", not "c".'),
    "too small": (Annotated[int, Field(ge=1)], 0, '"value" must be greater than or equal to 1, not 0.'),
    "too long": (Annotated[list[int], Field(max_length=1)], [1, 2], '"value": List should have at most 1 item after validation, not 2 (given: [1, 2]).'),
    "a pattern": (Annotated[str, Field(pattern="^a$")], "b", "\"value\": String should match pattern '^a$' (given: \"b\")."),
    "three mistakes of five": (list[int], ["a", "b", "c", "d", "e"], '"value[2]" must be an integer, not "c"; and 2 more.'),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "said"), SAID.values(), ids=SAID.keys())
def test_what_is_not_guessed_is_told_in_one_line(kind: Any, given: object, said: str) -> None:
    tool = takes(kind)
    result = tool.run(ToolCall("take", {"value": given}))
    assert result.error == "invalid_args"
    assert said in result.content
    assert result.content.startswith('Error: take: "value')
    assert result.content.endswith(f" Usage: {tool.usage}")
    assert "\n" not in result.content


def test_null_for_a_parameter_with_a_default_is_the_default_unless_null_is_a_value_of_its_own() -> None:
    pen, seven = Item(name="pen"), [7]

    def act(a: int = 1, b: str = "x", c: int | None = 3, d: Item = pen, e: list[int] = seven) -> list[object]:
        return [a, b, c, d, e]

    nulls = dict.fromkeys("abcde")
    assert Tool(act).run(ToolCall("act", nulls)).value == [1, "x", None, Item(name="pen"), [7]]


def test_null_inside_for_what_must_be_given_is_refused() -> None:
    assert (
        '"value.name" must be text, not null'
        in takes(Item).run(ToolCall("take", {"value": {"name": None}})).content
    )


def test_a_complaint_stays_short_whatever_was_given() -> None:
    many = Literal[tuple(range(5_000))]  # type: ignore[valid-type]  # computed
    for kind, value in [
        (int, "9" * 1_000_000),
        (list[int], ["x"] * 10_000),
        (dict[str, int], {"k" * 100_000: "x"}),
        (Node, nested(300)),
        (many, -1),
    ]:
        tool = takes(kind)
        assert len(tool.run(ToolCall("take", {"value": value})).content) < 3_000 + len(tool.usage)


def nested(depth: int) -> object:
    value: object = {"label": []}
    for _ in range(depth):
        value = {"label": "a", "below": [value]}
    return value


def test_what_is_wrong_is_said_the_same_through_every_way_of_asking() -> None:
    tool = takes(Item)
    said: Callable[[ToolCall], str] = lambda call: tool.run(call).content  # noqa: E731 - three calls of one shape
    by_value = said(ToolCall("take", {"value": {"qty": "x"}}))
    assert by_value == said(ToolCall("take", {"value": '{"qty": "x"}'}))
    assert by_value == said(ToolCall("take", malformed='{"value": {"qty": "x"}'))
    assert by_value == (
        'Error: take: "value.name" is missing; "value.qty" must be an integer, not "x". Usage: take(value: object)'
    )
