"""Tools that other programs describe: read from the forms in which providers, servers and frameworks write them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from .calls import Effect
from .dialects import tidy_text
from .errors import ToolDefinitionError
from .names import legal_names
from .tool import Tool

_WRAPPED = ("function", "toolSpec", "tool")
_SEVERAL = ("tools", "functions", "functionDeclarations", "function_declarations")
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "parametersJsonSchema", "args", "inputs")
_DESCRIPTIONS = ("description", "desc", "summary", "title")
_NAMES = ("name", "operationId", "title")


class ForeignOptions(TypedDict, total=False):
    """The options of a `Tool` that every foreign tool may have."""

    effect: Effect
    timeout: float | None
    cache: bool
    tags: Iterable[str]
    max_chars: int


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool as another program describes it; `arguments` is the schema of the object that holds them, in any dialect."""

    name: str
    description: str
    arguments: Mapping[str, object]


def foreign_tools(
    definitions: object, call: Callable[[str, dict[str, object]], object], **options: Unpack[ForeignOptions]
) -> list[Tool]:
    """Tools from what another program describes; `call(name, arguments)` carries out a call, and may be async.

    Both are under the definition's own names, whatever the model was shown. Arguments are coerced and checked by
    the definition's schema first. Takes one definition or a list, as OpenAI, Anthropic, Gemini, Bedrock, MCP,
    OpenAPI, smolagents or DSPy write them, or a JSON Schema with a title. Raises `ToolDefinitionError`.

    >>> weather = {"name": "weather.now", "input_schema": {"properties": {"at": {"type": "string"}}, "required": ["at"]}}
    >>> [tool] = foreign_tools(weather, lambda name, arguments: f"{name}: {arguments}")
    >>> from loopwright.tools import ToolCall
    >>> tool.usage, tool.run(ToolCall("weather_now", {"at": "Brest"})).content
    ('weather_now(at: string)', "weather.now: {'at': 'Brest'}")
    """
    read = read_definitions(definitions)
    names = legal_names(one.name for one in read)
    return [
        Tool(
            _caller(one.name, call),
            names[one.name],
            one.description,
            {"type": "object", "required": [], **one.arguments},  # type: ignore[dict-item]  # the schema of an object, which is read as one
            **options,
        )
        for one in read
    ]


def read_definitions(given: object) -> list[Definition]:
    """Definitions in any of the common forms; raises `ToolDefinitionError` for what is in none.

    >>> read_definitions({"type": "function", "function": {"name": "ping", "parameters": None}})
    [Definition(name='ping', description='', arguments={})]
    """
    if isinstance(given, (list, tuple)):
        return [found for one in given for found in read_definitions(one)]
    if not isinstance(given, Mapping):
        raise ToolDefinitionError(f"a tool's definition is an object, not {type(given).__name__}")
    for key in _SEVERAL:
        if isinstance(given.get(key), (list, tuple)):
            return read_definitions(given[key])
    for key in _WRAPPED:
        if isinstance(given.get(key), Mapping):
            return read_definitions(given[key])
    name = next((str(given[key]) for key in _NAMES if given.get(key)), "")
    if not name:
        raise ToolDefinitionError(
            f"a tool's definition has a name; this has only {', '.join(map(str, given))[:200]}"
        )
    return [Definition(name, _description(given), _arguments(name, given))]


def _description(given: Mapping[str, object]) -> str:
    return next((tidy_text(given[key]) for key in _DESCRIPTIONS if isinstance(given.get(key), str)), "")


def _arguments(name: str, given: Mapping[str, object]) -> Mapping[str, object]:
    if "operationId" in given or "requestBody" in given:
        return _of_operation(given)
    key = next((one for one in _SCHEMAS if one in given), None)
    if key is None:
        return given if "properties" in given or "$ref" in given or given.get("type") == "object" else {}
    schema = given[key]
    if isinstance(schema, Mapping) and isinstance(schema.get("json"), Mapping):  # Bedrock
        schema = schema["json"]
    if isinstance(schema, (list, tuple)):
        return _of_operation(given)
    if schema is None:
        return {}
    if not isinstance(schema, Mapping):
        raise ToolDefinitionError(f"{name[:80]}: {key} is a JSON Schema, not {type(schema).__name__}")
    return {"properties": _optional(schema)} if key in ("args", "inputs") else schema


def _optional(schemas: Mapping[str, object]) -> dict[str, object]:
    """A schema for each argument (smolagents, DSPy): required unless it says otherwise."""
    return {
        name: one
        if not isinstance(one, Mapping)
        or one.get("nullable") is True
        or "default" in one
        or "required" in one
        else {**one, "required": True}
        for name, one in schemas.items()
    }


# ---- OpenAPI


def _of_operation(given: Mapping[str, object]) -> Mapping[str, object]:
    """An operation's parameters and the fields of its JSON body, as the properties of one object."""
    properties: dict[str, object] = {}
    required: list[str] = []
    listed = given.get("parameters")
    for one in listed if isinstance(listed, (list, tuple)) else ():
        if isinstance(one, Mapping) and isinstance(name := one.get("name"), str):
            inner = one.get("schema")
            if one.get("in") == "body" and isinstance(inner, Mapping):  # Swagger 2
                properties |= dict(_fields(inner))
                required += _required(inner)
                continue
            schema = inner if isinstance(inner, Mapping) else one
            properties[name] = {
                **schema,
                "description": one.get("description", schema.get("description", "")),
            }
            required += [name] if one.get("required") is True else []
    body = _body(given)
    properties |= dict(_fields(body))
    required += _required(body)
    shared = {key: given[key] for key in ("$defs", "definitions", "components") if key in given}
    return {"properties": properties, "required": required, **shared}


def _body(given: Mapping[str, object]) -> Mapping[str, object]:
    body = given.get("requestBody")
    content = body.get("content") if isinstance(body, Mapping) else None
    kinds = content if isinstance(content, Mapping) else {}
    for kind, one in kinds.items():
        if "json" in str(kind) and isinstance(one, Mapping) and isinstance(one.get("schema"), Mapping):
            return one["schema"]  # type: ignore[no-any-return]  # a mapping, as just said
    return {}


def _fields(schema: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    fields = schema.get("properties")
    if isinstance(fields, Mapping):
        yield from fields.items()
    elif schema:
        yield "body", schema


def _required(schema: Mapping[str, object]) -> list[str]:
    listed = schema.get("required")
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


# ---- calling


def _caller(name: str, call: Callable[[str, dict[str, object]], object]) -> Callable[..., object]:
    if inspect.iscoroutinefunction(call):

        async def remote_async(**arguments: object) -> object:
            return await call(name, arguments)

        made: Callable[..., object] = remote_async
    else:

        def remote(**arguments: object) -> object:
            return call(name, arguments)

        made = remote
    made.__qualname__ = made.__name__ = name[:80]
    made.__module__ = getattr(call, "__module__", None) or __name__
    made.__doc__ = None
    return made
