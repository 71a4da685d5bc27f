"""Typed outputs: what a model writes, and the value or the complaint that comes of it, in all transports."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from loopwright import ChatAdapter, InputField, JSONAdapter, NativeAdapter, OutputField, Prediction, Signature
from loopwright.adapters.values import format_value, to_plain
from loopwright.errors import OutputError, SignatureError
from loopwright.models import LMResponse
from loopwright.tools import ToolCall


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Swapped(Enum):
    A = "B"
    B = "A"


@dataclass
class Point:
    x: int
    y: int = 0


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


class Team(BaseModel):
    lead: Person
    members: list[Person] = []


@dataclass(frozen=True)
class No:
    """The value is refused, with these words."""

    words: str


def asking_for(type_: Any, **constraints: Any) -> Signature:
    return Signature({"question": InputField(), "value": (type_, OutputField(**constraints))})


def in_markers(type_: Any, text: str, **constraints: Any) -> Any:
    answer = LMResponse(f"[[ ## value ## ]]\n{text}\n\n[[ ## completed ## ]]")
    return ChatAdapter().parse(asking_for(type_, **constraints), answer)["value"]


def in_json(type_: Any, text: str, **constraints: Any) -> Any:
    return JSONAdapter().parse(asking_for(type_, **constraints), LMResponse(f'{{"value": {text}}}'))["value"]


def in_native_call(type_: Any, text: str, **constraints: Any) -> Any:
    answer = LMResponse("", (ToolCall("submit", {"value": json.loads(text)}),))
    return NativeAdapter().parse(asking_for(type_, **constraints), answer)["value"]


Read = Callable[..., Any]


def check(read: Read, type_: Any, text: str, expected: object, **constraints: Any) -> None:
    if isinstance(expected, No):
        with pytest.raises(OutputError) as caught:
            read(type_, text, **constraints)
        assert expected.words in str(caught.value)
        assert caught.value.field == "value"
        assert caught.value.raw
        return
    value = read(type_, text, **constraints)
    assert value == expected
    assert type(value) is type(expected)


TEXTS: list[tuple[Any, str, object]] = [
    (bool, "true", True),
    (bool, "True", True),
    (bool, "yes", True),
    (bool, "No", False),
    (bool, "0", False),
    (bool, "maybe", No('`value` must be true or false, not "maybe"')),
    (bool, "true.", No('must be true or false, not "true."')),
    (bool, "", No('must be true or false, not ""')),
    (int, "42", 42),
    (int, "  -3 ", -3),
    (int, "42.0", 42),
    (int, "1e3", 1000),
    (int, "```\n42\n```", 42),
    (int, "42.5", No("must be a whole number: Input should be a valid integer, got a number with a fractional part")),
    (int, "1,000", No('must be a whole number, not "1,000"')),
    (int, "true", No('must be a whole number, not "true"')),
    (int, "forty-two", No('must be a whole number, not "forty-two"')),
    (int, "42 apples", No('not "42 apples"')),
    (int, "9" * 5000, No("must be a whole number")),
    (int, "NaN", No("finite number")),
    (float, "3.14", 3.14),
    (float, "1e3", 1000.0),
    (float, "7", 7.0),
    (float, "NaN", No('must be a number: Input should be a finite number; got "NaN"')),
    (float, "Infinity", No("finite number")),
    (float, "-inf", No("finite number")),
    (float, "1e400", No("finite number")),
    (float, "50%", No('must be a number, not "50%"')),
    (float, "false", No('must be a number, not "false"')),
    (Decimal, "12.50", Decimal("12.50")),
    (Decimal, "0.1234567890123456789012345", Decimal("0.1234567890123456789012345")),
    (Decimal, "NaN", No("finite number")),
    (Decimal, "true", No('must be a number, not "true"')),
    (str, "plain words", "plain words"),
    (str, '"quoted"', '"quoted"'),
    (str, "42", "42"),
    (str, "null", "null"),
    (str, "", ""),
    (str, "two\nlines", "two\nlines"),
    (date, "2026-01-31", date(2026, 1, 31)),
    (date, '"2026-01-31"', date(2026, 1, 31)),
    (date, "31.01.2026", No('must be a date as YYYY-MM-DD, not "31.01.2026"')),
    (date, "2026", No('must be a date as YYYY-MM-DD, not "2026"')),
    (date, "86400", No("must be a date")),
    (date, "20260131", No("must be a date")),
    (date, "2026-02-30", No("must be a date")),
    (date, "2026-01-31T10:00:00", No("zero time")),
    (datetime, "2026-01-31T10:00:00", datetime(2026, 1, 31, 10)),  # noqa: DTZ001  # as the model wrote it
    (datetime, "2026-01-31 10:00", datetime(2026, 1, 31, 10)),  # noqa: DTZ001  # likewise
    (datetime, "1700000000", No("must be a date and time as YYYY-MM-DDTHH:MM:SS")),
    (datetime, "noon", No('not "noon"')),
    (time, "10:30", time(10, 30)),
    (time, "1030", No("must be a time as HH:MM:SS")),
    (timedelta, "PT90M", timedelta(minutes=90)),
    (timedelta, "90", No("must be a duration as PT1H30M")),
    (UUID, "12345678123456781234567812345678", UUID("12345678123456781234567812345678")),
    (UUID, "x", No("must be a UUID")),
    (Fraction, "1/3", Fraction(1, 3)),
    (Fraction, "0.1", Fraction(1, 10)),
    (Fraction, "a third", No("must be JSON that fits Fraction")),
    (Literal["yes", "no"], "yes", "yes"),
    (Literal["yes", "no"], "YES", "yes"),
    (Literal["yes", "no"], "'no'", "no"),
    (Literal["yes", "no"], "yes, surely", No('must be one of: yes, no, not "yes, surely"')),
    (Literal["a", "A"], "A", "A"),
    (Literal["ab", "AB"], "Ab", No("must be one of: ab, AB")),
    (Literal[1, "two", True], "1", 1),
    (Literal[1, "two", True], "true", True),
    (Literal[1, "two", True], "Two", "two"),
    (Color, "red", Color.RED),
    (Color, "Red", Color.RED),
    (Color, "`green`", Color.GREEN),
    (Color, "blue", No('must be one of: red, green, not "blue"')),
    (Level, "2", Level.HIGH),
    (Level, "low", Level.LOW),
    (Level, "3", No("must be one of: 1, 2")),
    (Swapped, "A", Swapped.B),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], "[]", []),
    (list[int], "```json\n[1, 2]\n```", [1, 2]),
    (list[int], "(1, 2)", [1, 2]),
    (list[int], "['1', '2']", [1, 2]),
    (list[int], "1, 2", No('must be a JSON list, each item a whole number, not "1, 2"')),
    (list[int], "1,000", No('not "1,000"')),
    (list[int], "[1, true]", No("Input should be a valid integer at [1]")),
    (list[int], '[1, "x"]', No("unable to parse string as an integer at [1]")),
    (list[int], "[1, 2", No("Invalid JSON: EOF while parsing a list")),
    (list[int], "[1, 2] as you asked", No("Invalid JSON: trailing characters")),
    (list[str], "['it\\'s', \"so\", '\"q\"']", ["it's", "so", '"q"']),
    (list[str], "- a\n- b", No("must be a JSON list, each item text")),
    (list[str], "['a', True]", No("Input should be a valid string at [1]")),
    (list[bool], "[True, False]", [True, False]),
    (list[date], "[20260131]", No("[0]")),
    (list[float], "[1, NaN]", No("finite number at [1]")),
    (list[list[int]], "[[1], [2, 3]]", [[1], [2, 3]]),
    (list, "[1, 'a', None]", [1, "a", None]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict[str, int], "{'a': 1}", {"a": 1}),
    (dict[str, int], "{a: 1}", No("Invalid JSON: key must be a string")),
    (dict[str, int], '{"a": "x"}', No("at a; got")),
    (dict[str, int], "[]", No("must be a JSON object, each value a whole number")),
    (dict[str, Any], '{"a": [1, null]}', {"a": [1, None]}),
    (dict[int, str], '{"1": "a"}', {1: "a"}),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (tuple[int, str], "[1]", No("must be a JSON list of 2: a whole number; text: Field required at [1]")),
    (tuple[int, ...], "[1, 2, 3]", (1, 2, 3)),
    (set[int], "[1, 2, 2]", {1, 2}),
    (int | None, "null", None),
    (int | None, "None", None),
    (int | None, "", None),
    (int | None, "7", 7),
    (int | None, "seven", No('must be a whole number or null, not "seven"')),
    (str | None, "none", None),
    (str | None, "nothing", "nothing"),
    (float | None, "2.5", 2.5),
    (list[int] | None, "[1]", [1]),
    (int | str, "42", 42),
    (int | str, '"42"', "42"),
    (int | str, "forty", "forty"),
    (int | str, "true", "true"),
    (int | list[int], "[1, 2]", [1, 2]),
    (int | list[int], "x", No("must be a whole number or a JSON list, each item a whole number")),
    (date | int, "2026-01-31", date(2026, 1, 31)),
    (date | int, "17", 17),
    (Literal["all"] | int, "ALL", "all"),
    (Literal["all"] | int, "3", 3),
    (Any, "42", 42),
    (Any, "words", "words"),
    (Any, '{"a": 1}', {"a": 1}),
    (object, "[1]", [1]),
    (Point, '{"x": 1}', Point(1)),
    (Point, "{'x': 1, 'y': 2}", Point(1, 2)),
    (Point, '{"y": 1}', No("must be JSON that fits Point: Field required at x")),
    (Point, "Point(x=1)", No("must be JSON that fits Point")),
    (Person, '{"name": "Ada", "age": 36}', Person(name="Ada", age=36)),
    (Person, '{"name": "Ada", "age": -1}', No("greater than or equal to 0 at age")),
    (Team, '{"lead": {"name": "Ada", "age": 36}}', Team(lead=Person(name="Ada", age=36))),
    (Team, '{"lead": {"name": "Ada", "age": -1}}', No("at lead.age")),
    (list[Person], '[{"name": "Ada", "age": "old"}]', No("at [0].age")),
    (Annotated[int, Field(ge=1)], "0", No("must be a whole number, at least 1: Input should be greater than")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "text", "expected"), TEXTS, ids=[f"{t}-{text[:20]!r}" for t, text, _ in TEXTS]
)
def test_text_under_a_marker_is_the_value_or_a_complaint(type_: Any, text: str, expected: object) -> None:
    check(in_markers, type_, text, expected)


JSONS: list[tuple[Any, str, object]] = [
    (bool, "true", True),
    (bool, '"yes"', True),
    (bool, "2", No("must be true or false, not 2")),
    (bool, "null", No("must be true or false, not null")),
    (int, "42", 42),
    (int, '"42"', 42),
    (int, "42.0", 42),
    (int, "42.5", No("fractional part; got 42.5")),
    (int, "true", No("must be a whole number, not true")),
    (int, "null", No("must be a whole number, not null")),
    (int, "[1]", No("must be a whole number, not [1]")),
    (float, "1", 1.0),
    (float, "NaN", No("finite number")),
    (float, '"Infinity"', No("finite number")),
    (float, "true", No("must be a number, not true")),
    (Decimal, "12.5", Decimal("12.5")),
    (Decimal, '"12.50"', Decimal("12.50")),
    (str, '"a"', "a"),
    (str, "42", "42"),
    (str, "1.5", "1.5"),
    (str, "true", "true"),
    (str, "null", No("must be text, not null")),
    (str, '["a"]', No('must be text, not ["a"]')),
    (str, '{"a": 1}', No('must be text, not {"a": 1}')),
    (date, '"2026-01-31"', date(2026, 1, 31)),
    (date, "20260131", No("must be a date")),
    (datetime, "1700000000", No("must be a date and time")),
    (timedelta, "90", No("must be a duration")),
    (Literal["yes", "no"], '"YES"', "yes"),
    (Literal["yes", "no"], "true", No("must be one of: yes, no, not true")),
    (Color, '"RED"', Color.RED),
    (Color, "1", No("must be one of: red, green, not 1")),
    (Level, "2", Level.HIGH),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], '"[1, 2]"', [1, 2]),
    (list[int], '"1, 2"', No('not "1, 2"')),
    (list[int], "[true]", No("at [0]; got [true]")),
    (list[int], "[1, [2]]", No("at [1]")),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict[str, int], '"{\\"a\\": 1}"', {"a": 1}),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (int | None, "null", None),
    (int | None, '"null"', None),
    (str | None, "null", None),
    (str | None, '"null"', "null"),
    (int | str, '"42"', "42"),
    (int | str, "42", 42),
    (int | str, "true", No("must be a whole number or text, not true")),
    (Any, '"42"', "42"),
    (Any, "42", 42),
    (Point, '{"x": 1}', Point(1)),
    (Person, '"{\\"name\\": \\"Ada\\", \\"age\\": 3}"', Person(name="Ada", age=3)),
    (Person, '{"name": "Ada", "age": -3}', No("at age")),
]  # fmt: skip


@pytest.mark.parametrize("read", [in_json, in_native_call])
@pytest.mark.parametrize(
    ("type_", "text", "expected"), JSONS, ids=[f"{t}-{text[:20]}" for t, text, _ in JSONS]
)
def test_json_is_the_value_or_a_complaint(read: Read, type_: Any, text: str, expected: object) -> None:
    check(read, type_, text, expected)


@pytest.mark.parametrize(
    ("type_", "constraints", "text", "expected"),
    [
        (int, {"ge": 1, "le": 5}, "5", 5),
        (
            int,
            {"ge": 1, "le": 5},
            "6",
            No("must be a whole number, at least 1, at most 5: Input should be less"),
        ),
        (int | None, {"le": 5}, "9", No("must be a whole number or null, at most 5")),
        (float, {"allow_inf_nan": True}, "Infinity", float("inf")),
        (str, {"min_length": 3}, '"ab"', No("must be text, at least 3 characters")),
        (str, {"pattern": "^[A-Z]+$"}, '"ab"', No("must be text, matching ^[A-Z]+$")),
        (list[int], {"max_length": 2}, "[1, 2, 3]", No("at most 2 items")),
        (Decimal, {"decimal_places": 2}, "1.255", No("2 decimal places")),
    ],
)
def test_constraints_are_told_and_checked(
    type_: Any, constraints: dict[str, Any], text: str, expected: object
) -> None:
    for read in (in_markers, in_json, in_native_call):
        written = text.strip('"') if read is in_markers else text
        check(read, type_, written, expected, **constraints)


@pytest.mark.parametrize(
    ("type_", "constraints", "says"),
    [
        (type("Custom", (), {}), {}, "a model can't be asked for `value`, of type Custom"),
        (list[type("Custom", (), {})], {}, "a model can't be asked for `value`"),  # type: ignore[misc]  # made on the spot
        (Callable[[int], int], {}, "a model can't be asked for `value`"),
        (str, {"ge": 1}, "ge= means nothing for it"),
        (list[int], {"gt": 1}, "gt= means nothing for it"),
    ],
    ids=["class", "list of class", "callable", "ge of text", "gt of list"],
)
def test_a_type_that_no_model_can_be_asked_for_is_refused_with_a_reason(
    type_: Any, constraints: dict[str, Any], says: str
) -> None:
    with pytest.raises(SignatureError) as caught:
        NativeAdapter().format(asking_for(type_, **constraints), (), {"question": "?"})
    assert says in str(caught.value)


def test_a_constraint_that_fails_only_on_a_value_is_the_programmers_to_mend() -> None:
    with pytest.raises(SignatureError, match="min_length"):
        in_json(int, "5", min_length=2)


def test_an_input_may_be_of_any_type_since_it_is_only_shown() -> None:
    class Photo:
        def __str__(self) -> str:
            return "a photo"

    signature = Signature({"photo": (Photo, InputField()), "caption": OutputField()})
    prompt = ChatAdapter().format(signature, (), {"photo": Photo()})
    assert "- `photo`: Photo" in prompt.messages[0].content
    assert "a photo" in prompt.messages[-1].content


def test_an_annotation_that_can_not_be_hashed_is_read_all_the_same() -> None:
    type_ = Annotated[int, {"unit": "metres"}, Field(ge=1)]
    check(in_markers, type_, "3", 3)
    check(in_json, type_, "0", No("at least 1"))


HOSTILE = {
    "brackets": "[" * 200_000,
    "closed brackets": "[" * 5_000 + "]" * 5_000,
    "braces": '{"a":' * 100_000,
    "parentheses": "(" * 200_000,
    "quotes": "'" * 200_001,
    "minus signs": "-" * 200_000 + "1",
    "digits": "9" * 1_000_000 + "x",
    "spaces in a fence": "```\n" + " " * 1_000_000,
    "half a character": "\ud800",
    "zero bytes": "\0" * 1000,
    "escapes": "'\\d\\q\\x'",
    "words": "word " * 1_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(
    "type_",
    [
        bool,
        int,
        float,
        Decimal,
        date,
        Color,
        Literal["a"],
        list[int],
        dict[str, Any],
        Point,
        Person,
        int | None,
    ],
    ids=str,
)
def test_hostile_text_is_a_complaint_and_no_crash(type_: Any, text: str) -> None:
    with pytest.raises(OutputError) as caught:
        in_markers(type_, text)
    assert len(str(caught.value)) < 2_000
    str(caught.value).encode()  # can be sent to a model
    with pytest.raises(OutputError):
        NativeAdapter().parse(asking_for(type_), LMResponse("", (ToolCall("submit", {"value": text}),)))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_for_a_whole_answer_is_a_complaint(text: str) -> None:
    for adapter in (ChatAdapter(), JSONAdapter()):
        with pytest.raises(OutputError):
            adapter.parse(asking_for(int), LMResponse(text))


def test_values_nested_without_end_are_refused_where_they_come_in() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    for type_ in (Any, list[Any], list[int], str, dict[str, Any]):
        with pytest.raises(OutputError, match="more than 100 levels deep"):
            NativeAdapter().parse(asking_for(type_), LMResponse("", (ToolCall("submit", {"value": deep}),)))
    assert len(format_value(deep)) < 1_000


def test_an_answer_of_ten_megabytes_is_read() -> None:
    numbers = list(range(1_400_000))
    text = json.dumps(numbers)
    assert in_markers(list[int], text) == numbers
    assert in_json(list[int], text) == numbers
    with pytest.raises(OutputError, match=r"at \[2\]"):
        in_json(list[bool], text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        ([1, "é"], '[1, "é"]'),
        ((1, 2), "[1, 2]"),
        pytest.param({"b", "a"}, '["a", "b"]', id="a set"),
        ({1: {"on": date(2026, 1, 31)}}, '{"1": {"on": "2026-01-31"}}'),
        (Decimal("1.10"), "1.10"),
        (Color.RED, "red"),
        ([Level.HIGH], "[2]"),
        (Point(1), '{"x": 1, "y": 0}'),
        (Person(name="Ada", age=36), '{"name": "Ada", "age": 36}'),
        ([Person(name="Ada", age=36)], '[{"name": "Ada", "age": 36}]'),
        (Prediction(answer="4", by=Point(1)), '{"answer": "4", "by": {"x": 1, "y": 0}}'),
        (Prediction(passages=["one", "two"], scores=[1.0, 0.5]), '["one", "two"]'),
        (b"\xff", "b'\\xff'"),
        (timedelta(days=1), "P1D"),
    ],
    ids=repr,
)
def test_values_are_shown_as_text_or_as_json(value: object, text: str) -> None:
    assert format_value(value) == text


def test_what_an_adapter_writes_it_reads_again() -> None:
    values = {
        "n": 3,
        "on": date(2026, 1, 31),
        "price": Decimal("1.10"),
        "color": Color.GREEN,
        "people": [Person(name="Ada", age=36)],
        "ok": False,
        "note": "two\nlines",
        "maybe": None,
    }
    types_ = {
        "n": int, "on": date, "price": Decimal, "color": Color, "people": list[Person], "ok": bool, "note": str,
        "maybe": int | None,
    }  # fmt: skip
    signature = Signature({name: (type_, OutputField()) for name, type_ in types_.items()})
    for adapter in (ChatAdapter(), JSONAdapter()):
        assert adapter.parse(signature, LMResponse(adapter.write(values))) == values
    call = ToolCall("submit", {name: to_plain(value) for name, value in values.items()})
    assert NativeAdapter().parse(signature, LMResponse("", (call,))) == values


@pytest.mark.parametrize(
    ("value", "shown"),
    [(itertools.count(3), "count(3)"), ([itertools.repeat("x")], ["repeat('x')"])],
    ids=["count", "in a list"],
)
def test_a_value_without_an_end_is_named_and_not_read(value: object, shown: object) -> None:
    assert to_plain(value) == shown
