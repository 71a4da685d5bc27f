"""Foreign schemas made to hurt: deep, huge, self-referring, exploding. Each is read or refused, in bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tool_dialect import misfits

from loopwright.tools import Tool, ToolCall, ToolDefinitionError
from loopwright.tools.exports import openai_tool

PATIENCE = 120.0  # seconds: a guard against a hang, on any machine


def remote(**arguments: object) -> object:
    return arguments


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def nested(depth: int, key: str = "items", kind: str = "array") -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": kind, key: schema}
    return schema


def holding_itself() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    return schema


def definitions(count: int, make: Callable[[int], Any]) -> dict[str, Any]:
    made = {f"D{n}": make(n) for n in range(count)}
    return {**object_of(x={"$ref": "#/$defs/D0"}), "$defs": {**made, f"D{count}": {"type": "integer"}}}


def after(n: int) -> dict[str, str]:
    return {"$ref": f"#/$defs/D{n + 1}"}


def branching_base(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"properties": {"a": schema}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    return schema


HOSTILE: dict[str, Any] = {
    "10,000 lists in each other": object_of(x=nested(10_000)),
    "10,000 choices in each other": object_of(x=nested(10_000, "not", "object")),
    "100,000 values": object_of(x={"enum": list(range(100_000))}),
    "a text of ten megabytes": object_of(x={"enum": ["x" * 10_000_000]}),
    "a schema that holds itself": object_of(x=holding_itself()),
    "conjunctions that double 40 times": definitions(40, lambda n: {"allOf": [after(n), after(n)]}),
    "choices that double 40 times": definitions(40, lambda n: {"anyOf": [after(n), {"type": "array", "items": after(n)}]}),
    "properties that double 40 times": definitions(40, lambda n: object_of(a=after(n), b=after(n))),
    "choices over a common part, 25 deep": object_of(x=branching_base(18)),
    "a chain of 3,000 definitions": definitions(3_000, lambda n: {"type": "array", "items": after(n)}),
    "a chain of 3,000 mere references": definitions(3_000, after),
    "500 parameters with a chain of 500 each": {
        **definitions(500, lambda n: {"type": "array", "items": after(n)}),
        "properties": {f"p{n}": {"$ref": "#/$defs/D0"} for n in range(500)},
    },
    "2,000 parameters": object_of(**{f"p{n}": {"type": "integer"} for n in range(2_000)}),
    "the top doubles 40 times": {
        "$ref": "#/$defs/T0",
        "$defs": {
            **{f"T{n}": {"allOf": [{"$ref": f"#/$defs/T{n + 1}"}, {"$ref": f"#/$defs/T{n + 1}"}]} for n in range(40)},
            "T40": object_of(x={"type": "integer"}),
        },
    },
    "a top with 900 branches": {"oneOf": [object_of(x={"const": n}, y={"const": n}) for n in range(900)]},
    "a pattern that runs away": object_of(x={"type": "string", "pattern": "^(a+)+$"}),
    "a pattern too large to compile": object_of(x={"type": "string", "pattern": "((a{1000}){1000}){1000}"}),
    "a pattern of a megabyte": object_of(x={"type": "string", "pattern": "a?" * 400_000}),
    "bounds beyond all numbers": object_of(x={"type": "number", "maximum": 10**400, "multipleOf": 1e-320}),
    "lengths beyond all sizes": object_of(x={"type": "string", "minLength": 0, "maxLength": 10**30}),
    "not a number": object_of(x={"type": "number", "minimum": float("nan"), "maximum": float("inf")}),
    "lone surrogates": object_of(x={"type": "object", "properties": {"\ud800": {"enum": ["\udfff"]}}, "description": "\ud800"}),
    "lone surrogates in a name": object_of(**{"\ud800": {"type": "integer"}}),
    "a description of ten megabytes": object_of(x={"type": "integer", "description": "word " * 2_000_000}),
    "a description that clears the screen": object_of(x={"description": "\x1b[2J\x1b]0;title\x07\u202eevil\u2066"}),
    "keys that are no text": object_of(x={5: "a", None: "b", "type": "integer"}),
    "required without an end": {**object_of(x={}), "required": [f"r{n}" for n in range(5_000)]},
}  # fmt: skip

ARGUMENTS: list[Any] = [
    *({}, {"x": 1}, {"x": "a" * 50_000 + "b"}, {"x": None}, {"x": {"a": {"b": {}}}}, {"x": "[" * 10_000}),
    *(
        {"x": nested(200)},
        {"p1": [[[[]]]]},
        {"\ud800": 1},
        {"x": {"\ud800": 1}},
        {"x": {"a": 1, "b": {"a": {}}}},
    ),
]


@pytest.mark.no_cover  # covered elsewhere; it takes twice as long with an eye on it
@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_schema_is_read_or_refused_in_bounded_time_and_so_are_arguments(schema: Any) -> None:
    started = time.monotonic()
    try:
        tool = Tool(remote, "remote", "", schema)
    except ToolDefinitionError as refused:
        said = str(refused)
    else:
        said = "remote"
        size = len(json.dumps(tool.spec.parameters))
        assert size < 1_000_000
        assert misfits(openai_tool(tool.spec)) == []
        for arguments in ARGUMENTS:
            result = tool.run(ToolCall("remote", arguments))
            assert result.error in (None, "invalid_args", "unserialisable")
            assert len(result.content) < size + 60_000
            result.content.encode()
    assert time.monotonic() - started < PATIENCE
    assert said.startswith("remote")
    assert len(said) < 1_000


REFUSED = {
    "10,000 lists in each other": "remote: parameter 'x': its schema is nested more than 60 levels deep",
    "100,000 values": "remote: parameter 'x': its schema is too large",
    "a text of ten megabytes": "remote: parameter 'x': its schema is too large",
    "a schema that holds itself": "remote: parameter 'x': its schema is nested more than 60 levels deep",
    "conjunctions that double 40 times": "remote: parameter 'x': its schema unfolds to too many parts",
    "the top doubles 40 times": "remote: its schema has too many parts",
    "2,000 parameters": "remote: 2,000 parameters are too many",
    "bounds beyond all numbers": "remote: parameter 'x': its schema can't be compiled: ",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_the_tool_the_parameter_and_the_reason(name: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        Tool(remote, "remote", "", HOSTILE[name])
    assert str(refused.value).startswith(REFUSED[name])


def test_a_pattern_that_runs_away_elsewhere_is_matched_in_linear_time() -> None:
    tool = Tool(remote, "remote", "", HOSTILE["a pattern that runs away"])
    started = time.monotonic()
    assert tool.run(ToolCall("remote", {"x": "a" * 100_000 + "b"})).error == "invalid_args"
    assert tool.run(ToolCall("remote", {"x": "a" * 100_000})).ok
    assert time.monotonic() - started < PATIENCE


def test_a_description_is_cut_and_shows_nothing_but_text() -> None:
    long = Tool(remote, "remote", "", HOSTILE["a description of ten megabytes"])
    assert len(str(long.args["x"]["description"])) <= 4_000
    clearing = Tool(remote, "remote", "", HOSTILE["a description that clears the screen"])
    assert clearing.args["x"]["description"] == "[2J]0;titleevil"
