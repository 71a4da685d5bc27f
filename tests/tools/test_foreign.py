"""JSON Schemas as they are met in the wild: each makes a tool that providers take, and that reads its arguments."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from tool_dialect import misfits

from loopwright.tools import Tool, ToolCall, ToolDefinitionError, ToolRegistry
from loopwright.tools.exports import openai_tool


def remote(**arguments: object) -> object:
    """Do it."""
    return arguments


def made(schema: Any) -> Tool:
    return Tool(remote, "remote", args=schema)


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@dataclass(frozen=True)
class Row:
    """A schema; arguments that fit and what the tool gets of them; arguments that do not, and what is said."""

    schema: Any
    usage: str
    fits: list[tuple[Any, Any]] = field(default_factory=list)
    fails: list[tuple[Any, str]] = field(default_factory=list)


NODE = {
    "type": "object",
    "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/Node"}},
    "required": ["v"],
}
CIRCLE = {"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]}
SQUARE = {
    "properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
    "required": ["kind", "side"],
}

ROWS = {
    # names of types from elsewhere
    "dict": Row({"x": {"type": "dict"}}, "x: object", [({"x": '{"a": 1}'}, {"x": {"a": 1}})], [({"x": 5}, '"x" must be an object, not 5')]),
    "float": Row({"x": {"type": "float"}}, "x: number", [({"x": "2.5"}, {"x": 2.5})], [({"x": "much"}, '"x" must be a number')]),
    "tuple": Row({"x": {"type": "tuple"}}, "x: list", [({"x": [1, "a"]}, {"x": [1, "a"]})], [({"x": 1}, '"x" must be a list')]),
    "any": Row({"x": {"type": "any"}}, "x: any", [({"x": [None]}, {"x": [None]})]),
    "str": Row({"x": {"type": "str"}}, "x: string", [({"x": 5}, {"x": "5"})], [({"x": []}, '"x" must be text, not []')]),
    "int": Row({"x": {"type": "int"}}, "x: integer", [({"x": "5"}, {"x": 5})], [({"x": 1.5}, '"x" must be an integer, not 1.5')]),
    "bool": Row({"x": {"type": "bool"}}, "x: boolean", [({"x": "yes"}, {"x": True})], [({"x": "perhaps"}, '"x" must be true or false')]),
    "list": Row({"x": {"type": "list", "items": {"type": "int"}}}, "x: list of integer", [({"x": ["1"]}, {"x": [1]})], [({"x": ["a"]}, '"x[0]" must be an integer')]),
    "none": Row({"x": {"type": "None"}}, "x: null", [({"x": None}, {"x": None})], [({"x": 1}, '"x" must be null, not 1')]),
    "Gemini's capitals": Row(
        object_of(x={"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "format": "int32"}}, "required": ["n"]}),
        "x?: object",
        [({"x": {"n": "3"}}, {"x": {"n": 3}})],
        [({"x": {}}, '"x.n" is missing')],
    ),
    "Gemini's enum": Row(object_of(x={"type": "STRING", "format": "enum", "enum": ["A"], "nullable": True}), 'x?: "A"', [({"x": None}, {"x": None})], [({"x": "B"}, '"x" must be one of "A", null, not "B"')]),
    "Java": Row(object_of(x={"type": "Long"}, y={"type": "Double"}, z={"type": "Map"}), "x?: integer, y?: number, z?: object", [({"x": "1", "y": 2, "z": {}}, {"x": 1, "y": 2, "z": {}})]),
    "date": Row({"x": {"type": "datetime"}}, "x: datetime", [({"x": "2026-01-31T00:00:00"}, {"x": "2026-01-31T00:00:00"})]),
    "Python's generics": Row({"x": {"type": "list[dict[str, int]]"}}, "x: list of object", [({"x": [{"a": "1"}]}, {"x": [{"a": 1}]})], [({"x": [{"a": "b"}]}, '"x[0].a" must be an integer')]),
    "Optional": Row({"x": {"type": "Optional[int]"}}, "x: integer | null", [({"x": None}, {"x": None})], [({"x": "a"}, '"x" must be an integer or null, not "a"')]),
    "a union by bars": Row({"x": {"type": "int | list[str]"}}, "x: integer | list of string", [({"x": ["a"]}, {"x": ["a"]})], [({"x": {}}, '"x" must be an integer or a list of strings')]),
    "TypeScript": Row({"x": {"type": "string[]"}, "y": {"type": "Array<number>"}, "z": {"type": "Record<string, boolean>"}}, "x: list of string, y: list of number, z: object", [({"x": ["a"], "y": ["1"], "z": {"a": "no"}}, {"x": ["a"], "y": [1.0], "z": {"a": False}})]),
    "SQL": Row({"x": {"type": "varchar(20)"}, "y": {"type": "bigint"}}, "x: string, y: integer"),
    "a type without an object around it": Row({"x": "int", "y": "string"}, "x: integer, y: string", [({"x": "1", "y": "a"}, {"x": 1, "y": "a"})]),
    "a list of types": Row(object_of(x={"type": ["integer", "null"]}), "x?: integer", [({"x": "7"}, {"x": 7}), ({"x": None}, {"x": None})], [({"x": "a"}, '"x" must be an integer or null')]),
    "a list of dialect types": Row(object_of(x={"type": ["int", "STRING"]}), "x?: integer | string", [({"x": 7}, {"x": 7}), ({"x": "a"}, {"x": "a"})], [({"x": []}, '"x" must be an integer or text')]),
    "any among types": Row(object_of(x={"type": ["string", "any"]}), "x?: any", [({"x": []}, {"x": []})]),
    # null and defaults
    "nullable": Row(object_of(x={"type": "integer", "nullable": True}), "x?: integer", [({"x": None}, {"x": None}), ({"x": "1"}, {"x": 1})], [({"x": "a"}, '"x" must be an integer or null')]),
    "nullable with a choice": Row(object_of(x={"anyOf": [{"type": "integer"}, {"type": "boolean"}], "nullable": True}), "x?: integer | boolean", [({"x": None}, {"x": None})]),
    "nullable reference": Row({**object_of(x={"$ref": "#/$defs/N", "nullable": True}), "$defs": {"N": {"type": "integer"}}}, "x?: integer", [({"x": None}, {"x": None})], [({"x": "a"}, '"x" must be an integer or null')]),
    "null for what need not be given": Row(object_of(x={"type": "string"}, y={"type": "integer", "default": 3}), "x?: string, y: integer = 3", [({"x": None, "y": None}, {})]),
    "null inside for what need not be given": Row(object_of(x=object_of(a={"type": "string"}, b={"type": "integer"})), "x?: object", [({"x": {"a": None, "b": "1"}}, {"x": {"b": 1}})]),
    "a default of a wrong type": Row(object_of(x={"type": "integer", "default": "ten"}), "x?: integer", [({}, {})]),
    "a default that is read": Row(object_of(x={"type": "integer", "default": 10}), "x: integer = 10", [({}, {})]),
    # what is required
    "no required": Row(object_of(x={"type": "string"}), "x?: string", [({}, {})], [({"x": []}, '"x" must be text')]),
    "required": Row({**object_of(x={"type": "string"}), "required": ["x"]}, "x: string", [], [({}, '"x" is missing')]),
    "required is null": Row({**object_of(x={"type": "string"}), "required": None}, "x?: string", [({}, {})]),
    "required by a flag of each": Row(object_of(x={"type": "string", "required": True}, y={"type": "string", "required": False}), "x: string, y?: string", [], [({}, '"x" is missing')]),
    "required but not described": Row({**object_of(x={"type": "string"}), "required": ["y"]}, "y: any, x?: string", [({"y": 1}, {"y": 1})], [({}, '"y" is missing')]),
    "required inside": Row(object_of(x={**object_of(n={"type": "integer"}), "required": ["n"]}), "x?: object", [], [({"x": {}}, '"x.n" is missing')]),
    "a schema of each by name": Row({"x": {"type": "integer"}, "y": {"type": "integer", "default": 1}, "z": {"required": False}}, "x: integer, y: integer = 1, z?: any", [], [({}, '"x" is missing')]),
    "parameters called as keywords": Row({"type": {"type": "string"}, "properties": {"type": "integer"}}, "type: string, properties: integer", [({"type": "a", "properties": "1"}, {"type": "a", "properties": 1})]),
    # names
    "dots": Row(object_of(**{"user.name": {"type": "string"}}), "user_name?: string", [({"user_name": "a"}, {"user.name": "a"}), ({"user.name": "a"}, {"user.name": "a"})], [({"user_name": []}, '"user_name" must be text')]),
    "spaces": Row({**object_of(**{"due date": {"type": "string"}}), "required": ["due date"]}, "due_date: string", [({"due_date": "a"}, {"due date": "a"})], [({}, '"due_date" is missing')]),
    "brackets": Row(object_of(**{"filter[id]": {"type": "integer"}, "$top": {"type": "integer"}}), "filter_id?: integer, top?: integer", [({"filter_id": "1", "top": 2}, {"filter[id]": 1, "$top": 2})]),
    "unicode": Row(object_of(größe={"type": "integer"}), "grosse?: integer", [({"grosse": "1"}, {"größe": 1})]),
    "no letter that ASCII has": Row(object_of(検索={"type": "string"}), "x-1b6b1a?: string", [({"x-1b6b1a": "a"}, {"検索": "a"})]),
    "names that look alike": Row(object_of(**{"a.b": {"type": "integer"}, "a_b": {"type": "string"}}), "a_b-2e7336?: integer, a_b?: string", [({"a_b-2e7336": "1", "a_b": "x"}, {"a.b": 1, "a_b": "x"})]),
    "200 characters": Row(object_of(**{"x" * 200: {"type": "integer"}}), "x" * 57 + "-aa20c2?: integer", [({"x" * 57 + "-aa20c2": "1"}, {"x" * 200: 1})]),
    "control characters": Row(object_of(**{"\x1b[31mred\x00": {"type": "integer"}}), "31mred?: integer", [({"31mred": "1"}, {"\x1b[31mred\x00": 1})]),
    "an empty name": Row(object_of(**{"": {"type": "integer"}}), "x-e3b0c4?: integer", [({"x-e3b0c4": "1"}, {"": 1})]),
    # choices
    "an enum of one type": Row(object_of(x={"type": "string", "enum": ["a", "b"]}), 'x?: "a" | "b"', [({"x": "a"}, {"x": "a"})], [({"x": "c"}, '"x" must be one of "a", "b", not "c"')]),
    "an enum of mixed types": Row(object_of(x={"enum": [1, "a", None, 2.5, True, [1]]}), 'x?: 1 | "a" | null | 2.5 | true | [1]', [({"x": "1"}, {"x": 1}), ({"x": True}, {"x": True}), ({"x": [1]}, {"x": [1]}), ({"x": 2.5}, {"x": 2.5})], [({"x": "b"}, '"x" must be one of 1, "a", null, 2.5, true, [1], not "b"'), ({"x": False}, "not false")]),
    "an enum with look-alikes": Row(object_of(x={"enum": ["1", 1, "true", True]}), 'x?: "1" | 1 | "true" | true', [({"x": 1}, {"x": 1}), ({"x": "1"}, {"x": "1"}), ({"x": True}, {"x": True})], [({"x": {}}, "must be one of")]),
    "an empty enum": Row(object_of(x={"type": "integer", "enum": []}), "x?: integer", [({"x": "1"}, {"x": 1})]),
    "const": Row(object_of(x={"const": "only"}), 'x?: "only"', [({"x": "only"}, {"x": "only"})], [({"x": "other"}, '"x" must be "only", not "other"')]),
    "anyOf": Row(object_of(x={"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}), "x?: integer | list of integer", [({"x": "[1]"}, {"x": [1]}), ({"x": "1"}, {"x": 1})], [({"x": ["a"]}, '"x" must be an integer or a list of integers, not ["a"]')]),
    "oneOf": Row(object_of(x={"oneOf": [{"type": "boolean"}, {"type": "null"}]}), "x?: boolean", [({"x": None}, {"x": None})], [({"x": 5}, '"x" must be true or false')]),
    "a choice between objects": Row(object_of(x={"oneOf": [CIRCLE, SQUARE]}), "x?: any", [({"x": {"kind": "circle", "r": "2"}}, {"x": {"kind": "circle", "r": 2.0}})], [({"x": {"kind": "circle", "r": "wide"}}, '"x" must be')]),
    "choices inside a list": Row(object_of(x={"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}), "x?: list of (integer | null)", [({"x": ["1", None]}, {"x": [1, None]})], [({"x": ["a"]}, '"x[0]" must be an integer or null, not "a"')]),
    "a choice with something in common": Row(object_of(x={"type": "object", "properties": {"a": {"type": "integer"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}), "x?: any", [({"x": {"a": "1"}}, {"x": {"a": 1}})], [({"x": {"a": "one"}}, '"x" must be')]),
    "allOf": Row(object_of(x={"allOf": [{**object_of(a={"type": "integer"}), "required": ["a"]}, object_of(b={"type": "integer"})]}), "x?: any", [({"x": {"a": "1", "b": "2"}}, {"x": {"a": 1, "b": 2}})], [({"x": {"b": 1}}, '"x.a" is missing')]),
    "allOf around a reference": Row({**object_of(x={"allOf": [{"$ref": "#/$defs/N"}], "description": "It."}), "$defs": {"N": {"type": "integer", "minimum": 3}}}, "x?: any", [({"x": "3"}, {"x": 3})], [({"x": 2}, '"x" must be greater than or equal to 3')]),
    "a choice at the top": Row({"type": "object", "oneOf": [CIRCLE, SQUARE]}, 'kind: "circle" | "square", r?: number, side?: number', [({"kind": "square", "side": "2"}, {"kind": "square", "side": 2.0})], [({"kind": "cube"}, '"kind" must be one of "circle", "square", not "cube"')]),
    "allOf at the top": Row({"allOf": [CIRCLE, object_of(name={"type": "string"})]}, 'kind: "circle", r: number, name?: string', [], [({"kind": "circle"}, '"r" is missing')]),
    # references
    "$ref": Row({**object_of(x={"$ref": "#/$defs/N"}), "$defs": {"N": {"type": "integer"}}}, "x?: integer", [({"x": "1"}, {"x": 1})], [({"x": "a"}, '"x" must be an integer')]),
    "definitions": Row({**object_of(x={"$ref": "#/definitions/My.Type"}), "definitions": {"My.Type": {"type": "integer"}}}, "x?: integer", [({"x": "1"}, {"x": 1})]),
    "a reference with words beside it": Row({**object_of(x={"$ref": "#/$defs/N", "description": "How many.", "default": 2}), "$defs": {"N": {"type": "integer"}}}, "x: integer = 2"),
    "a reference to another property": Row(object_of(x={"type": "integer"}, y={"$ref": "#/properties/x"}), "x?: integer, y?: integer", [({"y": "1"}, {"y": 1})]),
    "an escaped reference": Row({**object_of(x={"$ref": "#/$defs/a~1b%20c"}), "$defs": {"a/b c": {"type": "integer"}}}, "x?: integer"),
    "a reference into a list": Row(object_of(x={"anyOf": [{"type": "integer"}, {"type": "null"}]}, y={"$ref": "#/properties/x/anyOf/0"}), "x?: integer, y?: integer", [({"y": "1"}, {"y": 1})]),
    "a recursive reference": Row({**object_of(x={"$ref": "#/$defs/Node"}), "$defs": {"Node": NODE}}, "x?: object", [({"x": {"v": "1", "next": {"v": 2}}}, {"x": {"v": 1, "next": {"v": 2}}})], [({"x": {"v": 1, "next": {"v": "a"}}}, '"x.next.v" must be an integer, not "a"')]),
    "a reference to the whole": Row({**object_of(n={"type": "integer"}, child={"$ref": "#"})}, "n?: integer, child?: object", [({"child": {"child": {"n": "1"}}}, {"child": {"child": {"n": 1}}})], [({"child": {"n": "a"}}, '"child.n" must be an integer')]),
    "references to each other": Row({**object_of(x={"$ref": "#/$defs/A"}), "$defs": {"A": object_of(b={"$ref": "#/$defs/B"}), "B": object_of(a={"$ref": "#/$defs/A"})}}, "x?: object", [({"x": {"b": {"a": {}}}}, {"x": {"b": {"a": {}}}})], [({"x": {"b": 1}}, '"x.b" must be an object')]),
    "a choice of itself": Row({**object_of(x={"$ref": "#/$defs/A"}), "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}}, "x?: object", [({"x": None}, {"x": None})], [({"x": 1}, '"x" is nested too deeply')]),
    "the whole behind a reference": Row({"$ref": "#/definitions/Args", "definitions": {"Args": {**object_of(x={"type": "integer"}), "required": ["x"]}}}, "x: integer", [], [({}, '"x" is missing')]),
    # older drafts and OpenAPI
    "draft 4's exclusive bounds": Row(object_of(x={"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}), "x?: integer", [({"x": 9}, {"x": 9})], [({"x": 1}, '"x" must be greater than 1, not 1'), ({"x": 10}, "less than or equal to 9")]),
    "draft 7's list of items": Row(object_of(x={"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "additionalItems": False}), "x?: list", [({"x": ["1", "a"]}, {"x": [1, "a"]})], [({"x": ["a", "b"]}, '"x[0]" must be an integer'), ({"x": [1]}, '"x[1]" is missing'), ({"x": [1, "a", 2]}, '"x"')]),
    "a list of items, all optional": Row(object_of(x={"type": "array", "items": [{"type": "integer"}, {"type": "string"}]}), "x?: list", [({"x": []}, {"x": []}), ({"x": [1]}, {"x": [1]})]),
    "a list without items": Row(object_of(x={"type": "array"}), "x?: list", [({"x": [1, "a"]}, {"x": [1, "a"]})], [({"x": "a"}, '"x" must be a list')]),
    "properties as a list": Row({"type": "object", "properties": [{"name": "x", "type": "int", "required": True}, {"name": "y"}]}, "x: integer, y?: any", [({"x": "1"}, {"x": 1})]),
    "OpenAPI's extras": Row(object_of(x={"type": "string", "example": "a", "xml": {"name": "x"}, "x-order": 1, "discriminator": {"propertyName": "k"}, "title": "X", "format": "password"}), "x?: string", [({"x": "a"}, {"x": "a"})]),
    "keywords of wrong types": Row(object_of(x={"type": "string", "minLength": "3", "pattern": 5, "enum": "a|b", "description": ["It"], "anyOf": {}, "format": None}), "x?: string", [({"x": ""}, {"x": ""})]),
    "a pattern": Row(object_of(x={"type": "string", "pattern": "^[a-z]+$"}), "x?: string", [({"x": "abc"}, {"x": "abc"})], [({"x": "ABC"}, '"x": String should match pattern')]),
    "a pattern that looks around": Row(object_of(x={"type": "string", "pattern": "^(?=a).*(?<!b)$"}), "x?: string", [({"x": "anything"}, {"x": "anything"})]),
    "lengths": Row(object_of(x={"type": "string", "minLength": 2}, y={"type": "array", "maxItems": 1}, z={"type": "object", "minProperties": 1}), "x?: string, y?: list, z?: object", [({"x": "ab"}, {"x": "ab"})], [({"x": "a"}, '"x"'), ({"y": [1, 2]}, '"y"'), ({"z": {}}, '"z"')]),
    "formats are shown and not checked": Row(object_of(x={"type": "string", "format": "date"}, y={"type": "string", "format": "uri"}), "x?: date, y?: url", [({"x": "soon", "y": "there"}, {"x": "soon", "y": "there"})]),
    "fractions as bounds of whole numbers": Row(object_of(x={"type": "integer", "minimum": 0.5, "maximum": 3.0, "multipleOf": 1.0}), "x?: integer", [({"x": 1}, {"x": 1})], [({"x": 0}, '"x"'), ({"x": 4}, '"x"')]),
    "steps": Row(object_of(x={"type": "number", "multipleOf": 0.5}), "x?: number", [({"x": 1.5}, {"x": 1.5})], [({"x": 1.3}, '"x"')]),
    # what is left open
    "no properties": Row({"type": "object"}, "", [({}, {})], [({"x": 1}, 'there is no parameter "x"')]),
    "properties are null": Row({"type": "object", "properties": None}, "", [({}, {})]),
    "nothing at all": Row({}, "", [({}, {})]),
    "any names": Row({"type": "object", "additionalProperties": True}, "", [({"x": [1]}, {"x": [1]})]),
    "any names of one type": Row({"type": "object", "additionalProperties": {"type": "integer"}}, "", [({"x": "1", "y": 2}, {"x": 1, "y": 2})], [({"x": "a"}, '"x" must be an integer, not "a"')]),
    "open inside": Row(object_of(x={"type": "object", "properties": {"n": {"type": "int"}}, "additionalProperties": {"type": "string"}}), "x?: object", [({"x": {"n": "1", "m": 2}}, {"x": {"n": 1, "m": "2"}})], [({"x": {"m": []}}, '"x.m" must be text')]),
    "closed inside": Row(object_of(x={"type": "object", "properties": {"n": {"type": "int"}}, "additionalProperties": False}), "x?: object", [({"x": {"n": "1"}}, {"x": {"n": 1}})], [({"x": {"m": 1}}, '"x.m" is not a known name')]),
    "patterns of names": Row(object_of(x={"type": "object", "patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": False}), "x?: object", [({"x": {"ab": 1}}, {"x": {"ab": 1}})]),
    "boolean schemas": Row(object_of(x=True, y=False, z=None), "x?: any, z?: any", [({"x": [1], "z": "a"}, {"x": [1], "z": "a"})], [({"y": 1}, 'there is no parameter "y"')]),
    "no types": Row(object_of(x={"description": "It."}, y={"properties": {"n": {"type": "int"}}}, z={"items": {"type": "int"}}), "x?: any, y?: any, z?: any", [({"y": {"n": "1"}, "z": ["1"]}, {"y": {"n": 1}, "z": [1]})]),
    "large numbers": Row(object_of(x={"type": "number"}, y={"type": "integer"}), "x?: number, y?: integer", [({"x": 10**20 + 1, "y": 10**30}, {"x": 10**20 + 1, "y": 10**30})], [({"x": 10**400}, '"x" must be a number')]),
    "not and if": Row(object_of(x={"type": "integer", "not": {"const": 3}, "if": {"minimum": 3}, "then": {"maximum": 5}}), "x?: integer", [({"x": 3}, {"x": 3})]),
}  # fmt: skip

rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


@rows
def test_a_schema_from_the_wild_is_shown_and_reads_its_arguments(row: Row) -> None:
    tool = made(row.schema)
    assert tool.usage == f"remote({row.usage})"
    for given, got in row.fits:
        result = tool.run(ToolCall("remote", given))
        assert (result.error, json.dumps(result.value)) == (None, json.dumps(got)), result.content
    for given, said in row.fails:
        result = tool.run(ToolCall("remote", given))
        assert result.error == "invalid_args", given
        assert said in result.content
        assert result.content.endswith(f"Usage: {tool.usage}")


@rows
def test_what_is_shown_of_it_fits_the_standard_and_every_provider(row: Row) -> None:
    assert misfits(openai_tool(made(row.schema).spec)) == []


def test_the_rows_are_as_many_as_they_should_be() -> None:
    assert len(ROWS) >= 60


REFUSED: dict[str, tuple[Any, str]] = {
    "a dangling reference": (object_of(x={"$ref": "#/$defs/Nope"}), "remote: parameter 'x': $ref '#/$defs/Nope' leads nowhere"),
    "a reference to elsewhere": (object_of(x={"$ref": "https://example.com/a.json"}), "parameter 'x': $ref 'https://example.com/a.json' leads out of the schema"),
    "a reference to a file": (object_of(x={"$ref": "common.json#/A"}), "leads out of the schema"),
    "a reference to itself": ({**object_of(x={"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/A"}}}, "parameter 'x': the definition 'A' refers to nothing but itself"),
    "a definition made of itself": ({**object_of(x={"$ref": "#/$defs/A"}), "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}}}, "parameter 'x': the definition 'A' is made of itself"),
    "the whole is itself": ({"$ref": "#"}, "remote: $ref '#' leads to no object's schema"),
    "a type that is none": (object_of(x={"type": "widget"}), "remote: parameter 'x': there is no type 'widget'; JSON Schema has string, integer"),
    "a type that is none, inside": (object_of(x={"type": "array", "items": {"type": "widget"}}), "parameter 'x': there is no type 'widget'"),
    "a schema that is a number": (object_of(x=5), "a schema is an object, not int"),
    "no object": ({"type": "array", "items": {}, "required": []}, 'remote: a tool\'s parameters are the properties of an object, not of "array"'),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_read_is_refused_with_the_tool_and_the_parameter(schema: Any, said: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        Tool(remote, "remote", args=schema)
    assert said in str(refused.value)


# ---- with a function that has a signature of its own


def test_the_functions_own_types_and_defaults_stay_in_force() -> None:
    def due(day: date, n: int = 2, /) -> str:
        return f"{day:%d.%m.} {n}"

    schema: Any = {**object_of(day={"type": "string"}, n={}), "required": ["day", "n"]}
    tool = Tool(due, args=schema)
    assert tool.usage == "due(day: string, n?: any)"
    assert tool.run(ToolCall("due", {"day": "2026-01-31"})).content == "31.01. 2"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"day": {}, "m": {}}, "due takes no 'm', which the schema by hand has"),
        ({"n": {}}, "due needs 'day', of which the schema by hand says nothing"),
    ],
    ids=["too much", "too little"],
)
def test_a_schema_that_the_function_can_not_be_called_by_is_refused(schema: Any, said: str) -> None:
    def due(day: date, n: int = 2) -> str:
        return f"{day} {n}"

    with pytest.raises(ToolDefinitionError) as refused:
        Tool(due, args=schema)
    assert said in str(refused.value)


def test_descriptions_may_be_given_under_either_name() -> None:
    schema: Any = object_of(**{"a b": {"type": "integer"}, "c d": {"type": "integer"}})
    tool = Tool(remote, "remote", args=schema, arg_desc={"a b": "First.", "c_d": "Second."})
    assert [one["description"] for one in tool.args.values()] == ["First.", "Second."]
    with pytest.raises(ToolDefinitionError, match='there is no parameter "e"'):
        Tool(remote, "remote", args=schema, arg_desc={"e": "Third."})


def test_a_foreign_tool_lives_in_a_registry_as_any_other() -> None:
    async def aremote(**arguments: object) -> object:
        return arguments

    registry = ToolRegistry(Tool(aremote, "aremote", args={"user.id": {"type": "int"}})).prefixed("my_")
    assert registry.call(ToolCall("my_aremote", {"user_id": "1"})).content == '{"user.id": 1}'
    result = asyncio.run(registry.acall(ToolCall("my_aremote", {"user_id": "one"})))
    assert 'my_aremote: "user_id" must be an integer, not "one"' in result.content
