"""Values held against a JSON Schema: what is refused when the file is read, and that nothing a model writes is a crash."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright.evaluation.file.json_schemas import schema_problem, value_problem

SOUND: list[Any] = [
    True,
    False,
    {},
    {
        "type": "object",
        "properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}, "patternProperties": True},
    },
    {"$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "$ref": "#/$defs/node"},
    {"enum": [{"$ref": "#/nowhere"}, {"pattern": "("}], "default": {"pattern": "("}},
    {"$id": "https://example.com/a", "$ref": "#"} | {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
    {"$anchor": "top", "properties": {"a": {"$ref": "#top"}}},
]


@pytest.mark.parametrize("schema", SOUND)
def test_a_schema_that_is_one_is_taken(schema: Any) -> None:
    assert schema_problem(schema) is None


BROKEN: dict[str, tuple[Any, str]] = {
    "no such type": ({"type": "nubmer"}, "type: 'nubmer' is not valid under any of the given schemas"),
    "a bound that is text": ({"minimum": "3"}, "minimum: '3' is not of type 'number'"),
    "a reference to nothing": (
        {"properties": {"a": {"$ref": "#/$defs/b"}}},
        "$ref: there is no #/$defs/b in it",
    ),
    "a reference to elsewhere": (
        {"items": {"$ref": "https://example.com/b"}},
        "$ref: there is no https://example.com/b in it",
    ),
    "a file": ({"$ref": "file:///etc/passwd"}, "$ref: there is no file:///etc/passwd in it"),
    "itself": ({"$ref": "#"}, "$ref: it refers to itself without end"),
    "a circle": (
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        "$ref: it refers to itself without end",
    ),
    "no regular expression": (
        {"items": {"pattern": "("}},
        "pattern: ( is no regular expression: missing ), unterminated subpattern at position 0",
    ),
    "no regular expression for names": (
        {"patternProperties": {"[": {}}},
        "pattern: [ is no regular expression: unterminated character set at position 0",
    ),
}


@pytest.mark.parametrize(("schema", "why"), BROKEN.values(), ids=BROKEN)
def test_a_schema_that_is_none_is_refused(schema: Any, why: str) -> None:
    assert schema_problem(schema) == why


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, Any] = {
    "nothing": None,
    "no number": float("nan"),
    "no end": float("inf"),
    "half a character": "\ud800",
    "brackets without end": "[" * 100_000,
    "nested JSON": "[" * 5_000 + "]" * 5_000,
    "deep": nested(90),
    "long": "x" * 1_000_000,
    "wide": list(range(10_000)),
    "a set": {1, 2},
    "bytes": b"\xff",
    "an object": object(),
    "keys that are no text": {1: 2, None: 3},
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_no_value_is_a_crash(value: Any) -> None:
    node = {"$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "$ref": "#/$defs/node"}
    for schema in (
        node,
        {"type": "object", "additionalProperties": False},
        {"pattern": "^a*$"},
        {"const": 3},
    ):
        problem = value_problem(schema, value)
        assert problem is None or (len(problem) <= 200 and "\n" not in problem)


def test_the_error_that_says_most_is_told_with_its_place() -> None:
    schema = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"price": {"type": "number", "minimum": 0}},
            "required": ["price"],
        },
    }
    assert (
        value_problem(schema, [{"price": 1}, {"price": -1}]) == "[1].price: -1 is less than the minimum of 0"
    )
    assert value_problem(schema, [{}]) == "[0]: 'price' is a required property"
    assert value_problem(schema, []) is None


def test_a_text_is_a_text_before_it_is_json() -> None:
    assert value_problem({"type": "string"}, '{"a": 1}') is None
    assert value_problem({"type": "integer"}, "3") is None
    assert value_problem({"type": "integer"}, "three") == "'three' is not of type 'integer'"
