"""Tools as providers and other programs take them: OpenAI's form, its strict subset, Anthropic's, MCP's."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .calls import ToolSpec
from .errors import ToolDefinitionError
from .subschemas import with_subschemas
from .wording import Schema

_STRICT = frozenset(
    {
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "type",
    }
)
_STRICT_FORMATS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
)


def openai_tool(spec: ToolSpec, *, strict: bool = False) -> dict[str, object]:
    """A tool as OpenAI's chat API and the many servers that speak it take it.

    `strict` asks for arguments that always fit; see `strict_schema`, which says what that takes.

    >>> from loopwright.tools import Tool
    >>> def wait(seconds: int = 3) -> None:
    ...     "Wait."
    >>> openai_tool(Tool(wait).spec, strict=True)["function"]["parameters"]["properties"]
    {'seconds': {'type': ['integer', 'null'], 'description': 'Default: 3.'}}
    """
    function: dict[str, object] = {"name": spec.name, "description": spec.description}
    if not strict:
        return {"type": "function", "function": {**function, "parameters": dict(spec.parameters)}}
    try:
        parameters = strict_schema(spec.parameters)
    except ToolDefinitionError as error:
        raise ToolDefinitionError(f"{spec.name}: {error}") from error
    return {"type": "function", "function": {**function, "parameters": parameters, "strict": True}}


def anthropic_tool(spec: ToolSpec) -> dict[str, object]:
    """A tool as Anthropic's API takes it.

    >>> from loopwright.tools import Tool
    >>> def ping() -> None: ...
    >>> anthropic_tool(Tool(ping).spec)["input_schema"]["type"]
    'object'
    """
    return {"name": spec.name, "description": spec.description, "input_schema": dict(spec.parameters)}


def mcp_tool(spec: ToolSpec) -> dict[str, object]:
    """A tool as an MCP server lists it.

    >>> from loopwright.tools import Tool
    >>> def ping() -> None: ...
    >>> mcp_tool(Tool(ping).spec)["inputSchema"]["type"]
    'object'
    """
    return {"name": spec.name, "description": spec.description, "inputSchema": dict(spec.parameters)}


def strict_schema(schema: Schema) -> dict[str, object]:
    """The schema in the subset that OpenAI enforces: every property required, none besides, few keywords.

    What need not be given may be null instead, which our coercion reads as "not given". Keywords outside the
    subset are left out: the tool's own validation still checks them. Raises `ToolDefinitionError` for what the
    subset can't say: values of any type, objects of any names.
    """
    return _strict(schema)


def _strict(schema: Schema) -> dict[str, object]:
    if not schema.keys() & {"type", "enum", "const", "anyOf", "oneOf", "$ref"}:
        raise ToolDefinitionError(
            "a strict schema has no place for values of any type; annotate each parameter"
        )
    if "allOf" in schema or "patternProperties" in schema:
        raise ToolDefinitionError("a strict schema has no place for allOf and patternProperties")
    clean = {key: value for key, value in schema.items() if key in _STRICT}
    if isinstance(either := schema.get("oneOf"), list):
        clean["anyOf"] = either
    if clean.get("format") not in _STRICT_FORMATS:
        clean.pop("format", None)
    kinds = schema.get("type")
    if kinds == "object":
        return _strict_object(clean)
    if isinstance(kinds, list) and "object" in kinds:
        words = {key: clean.pop(key) for key in ("description",) if key in clean}
        return {"anyOf": [_strict({**clean, "type": one}) for one in kinds], **words}
    return with_subschemas(clean, _strict)


def _strict_object(clean: dict[str, object]) -> dict[str, object]:
    fields = clean.get("properties")
    properties = fields if isinstance(fields, Mapping) else {}
    if clean.get("additionalProperties", not properties) is not False:
        raise ToolDefinitionError(
            "a strict schema has no place for objects of any names, such as dict; use a model or a dataclass"
        )
    listed = clean.get("required")
    required = listed if isinstance(listed, list) else []
    clean["properties"] = {
        name: _strict(one) if name in required else _or_null(_strict(one), one)
        for name, one in properties.items()
    }
    definitions = clean.get("$defs")
    if isinstance(definitions, Mapping):
        clean["$defs"] = {name: _strict(one) for name, one in definitions.items()}
    return {**clean, "required": list(properties), "additionalProperties": False}


def _or_null(made: dict[str, object], schema: Schema) -> dict[str, object]:
    """The same, or null where it is not given; the default is said in the description."""
    words = str(made.pop("description", ""))
    if schema.get("default") is not None:
        words = f"{words} Default: {json.dumps(schema['default'], ensure_ascii=False)}.".strip()
    beside: dict[str, object] = {"description": words} if words else {}
    kinds = made.get("type")
    if "enum" not in made and "const" not in made and isinstance(kinds, (str, list)):
        listed = [kinds] if isinstance(kinds, str) else kinds
        return {**made, "type": list(dict.fromkeys([*listed, "null"])), **beside}
    branches = made.get("anyOf")
    several = branches if isinstance(branches, list) and set(made) == {"anyOf"} else [made]
    return {"anyOf": several if {"type": "null"} in several else [*several, {"type": "null"}], **beside}
