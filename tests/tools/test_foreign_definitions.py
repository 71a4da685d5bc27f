"""Tools in the forms of other programs, in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from tool_dialect import misfits

from loopwright.tools import Tool, ToolCall, ToolDefinitionError, ToolRegistry
from loopwright.tools.definitions import foreign_tools, read_definitions
from loopwright.tools.exports import anthropic_tool, mcp_tool, openai_tool

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
USAGE = "(city: string, days?: integer)"
PLAIN = {"name": "forecast", "description": "Tell the weather."}
OPERATION = {
    "operationId": "forecast",
    "summary": "Tell the weather.",
    "parameters": [
        {
            "name": "city",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "Where.",
        },
        {"name": "days", "in": "query", "schema": {"type": "integer"}},
    ],
}

FORMS: dict[str, Any] = {
    "OpenAI's chat API": {"type": "function", "function": {**PLAIN, "parameters": SCHEMA}},
    "OpenAI's responses API": {"type": "function", **PLAIN, "parameters": SCHEMA, "strict": False},
    "OpenAI's first functions": {"functions": [{**PLAIN, "parameters": SCHEMA}]},
    "Anthropic": {**PLAIN, "input_schema": SCHEMA},
    "MCP": {**PLAIN, "title": "Forecast", "inputSchema": {**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"}},
    "a listing of MCP": {"tools": [{**PLAIN, "inputSchema": SCHEMA}]},
    "Gemini": {
        "functionDeclarations": [
            {
                **PLAIN,
                "parameters": {
                    "type": "OBJECT",
                    "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
                    "required": ["city"],
                },
            }
        ]
    },
    "Gemini's JSON Schema": [{**PLAIN, "parametersJsonSchema": SCHEMA}],
    "Bedrock": {"toolSpec": {**PLAIN, "inputSchema": {"json": SCHEMA}}},
    "smolagents": {
        **PLAIN,
        "inputs": {"city": {"type": "string", "description": "Where."}, "days": {"type": "integer", "nullable": True}},
        "output_type": "string",
    },
    "DSPy": {"name": "forecast", "desc": "Tell the weather.", "args": {"city": {"type": "string"}, "days": {"type": "integer", "required": False}}},
    "a JSON Schema with a title": {"title": "forecast", "description": "Tell the weather.", **SCHEMA},
    "OpenAPI's parameters": OPERATION,
    "OpenAPI's body": {
        "operationId": "forecast",
        "description": "Tell the weather.",
        "requestBody": {"content": {"application/json": {"schema": SCHEMA}}},
    },
    "OpenAPI's body by reference": {
        "operationId": "forecast",
        "description": "Tell the weather.",
        "parameters": [{"name": "city", "in": "query", "required": True, "schema": {"$ref": "#/components/schemas/City"}}],
        "requestBody": {"content": {"application/json": {"schema": {"properties": {"days": {"type": "integer"}}}}}},
        "components": {"schemas": {"City": {"type": "string"}}},
    },
    "Swagger 2": {
        "operationId": "forecast",
        "description": "Tell the weather.",
        "parameters": [
            {"name": "city", "in": "query", "required": True, "type": "string"},
            {"name": "body", "in": "body", "schema": {"properties": {"days": {"type": "integer"}}}},
        ],
    },
    "several lists": [[], [{**PLAIN, "parameters": SCHEMA}]],
}  # fmt: skip


def told(name: str, arguments: dict[str, object]) -> object:
    return [name, arguments]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_definition_of_every_form_makes_the_same_tool(form: object) -> None:
    [tool] = foreign_tools(form, told, effect="read")
    assert (tool.name, tool.desc, tool.effect) == ("forecast", "Tell the weather.", "read")
    assert tool.usage == f"forecast{USAGE}"
    assert misfits(openai_tool(tool.spec)) == []
    assert tool.run(ToolCall("forecast", {"city": "Brest", "days": "2"})).content == (
        '["forecast", {"city": "Brest", "days": 2}]'
    )
    assert (
        'forecast: "days" must be an integer'
        in tool.run(ToolCall("forecast", {"city": "a", "days": "b"})).content
    )
    assert 'forecast: "city" is missing' in tool.run(ToolCall("forecast", {})).content


def test_calls_go_out_under_the_names_that_the_definition_has() -> None:
    schema = {"properties": {"user.id": {"type": "integer"}}}
    names = ["github.create issue", "github_create_issue", "größe", "x" * 200, "検索"]
    tools = foreign_tools([{"name": name, "parameters": schema} for name in names], told)
    registry = ToolRegistry(tools)
    assert list(registry) == [
        "github_create_issue-2727c8",
        "github_create_issue",
        "grosse",
        "x" * 57 + "-aa20c2",
        "x-1b6b1a",
    ]
    for tool, name in zip(tools, names, strict=True):
        assert registry.call(ToolCall(tool.name, {"user_id": "5"})).value == [name, {"user.id": 5}]


def test_a_call_may_be_awaited() -> None:
    async def call(name: str, arguments: dict[str, object]) -> object:
        await asyncio.sleep(0)
        return [name, arguments]

    [tool] = foreign_tools({"name": "a.b", "parameters": {}}, call)
    assert asyncio.run(tool.arun(ToolCall("a_b"))).value == ["a.b", {}]
    assert tool.run(ToolCall("a_b")).value == ["a.b", {}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "a tool's definition is an object, not int"),
        ({"parameters": {}}, "a tool's definition has a name; this has only parameters"),
        ({"name": "a", "parameters": "x"}, "a: parameters is a JSON Schema, not str"),
        ({"name": "a b", "parameters": {"properties": {"n": {"$ref": "#/no"}}}}, "a b: parameter 'n': $ref '#/no' leads nowhere"),
        ({"name": "a", "parameters": {"type": "string"}}, "a: a tool's parameters are the properties of an object, not of \"string\""),
    ],
    ids=["number", "no name", "text", "dangling", "no object"],
)  # fmt: skip
def test_what_is_no_definition_is_refused(given: object, said: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        foreign_tools(given, told)
    assert said in str(refused.value)


def test_two_definitions_of_one_name_are_told_apart_by_where_they_come_from() -> None:
    tools = foreign_tools([{"name": "a", "parameters": {}}, {"name": "a", "parameters": {}}], told)
    with pytest.raises(ToolDefinitionError, match="two tools are named 'a'"):
        ToolRegistry(tools)


# ---- and back


class Address(BaseModel):
    street: str
    floor: int | None = None


def deliver(
    address: Address, size: Literal["s", "m"] = "s", *, notes: list[str] | None = None, weight: float = 1.5
) -> list[object]:
    """Deliver it.

    Args:
        address: Where to.
        size: How large.
        notes: What else.
        weight: In kilograms.
    """
    return [address, size, notes, weight]


@pytest.mark.parametrize("write", [openai_tool, anthropic_tool, mcp_tool])
def test_what_we_write_we_read_back_as_the_same_tool(write: Any) -> None:
    tool = Tool(deliver)
    [back] = foreign_tools(write(tool.spec), told)
    assert (back.name, back.desc, back.usage) == (tool.name, tool.desc, tool.usage)
    assert back.spec == tool.spec


def test_a_strict_tool_takes_null_for_what_is_not_given() -> None:
    tool = Tool(deliver)
    written = openai_tool(tool.spec, strict=True)
    assert misfits(written, strict=True) == []
    function = written["function"]
    assert isinstance(function, Mapping)
    assert function["strict"] is True
    parameters = function["parameters"]
    assert parameters["required"] == ["address", "size", "notes", "weight"]
    assert parameters["properties"]["size"] == {
        "anyOf": [{"type": "string", "enum": ["s", "m"]}, {"type": "null"}],
        "description": 'How large. Default: "s".',
    }
    answer = {"address": {"street": "a", "floor": None}, "size": None, "notes": None, "weight": None}
    assert tool.run(ToolCall("deliver", answer)).value == [Address(street="a"), "s", None, 1.5]


def test_definitions_keep_their_own_names() -> None:
    assert [one.name for one in read_definitions(FORMS["Gemini"])] == ["forecast"]
    assert read_definitions([]) == []
