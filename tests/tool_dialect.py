"""What providers accept as a tool, as far as a test can say it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

import jsonschema

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEYWORDS = (
    {"type", "enum", "const", "properties", "required", "items", "prefixItems", "additionalProperties"}
    | {
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "patternProperties",
        "propertyNames",
        "contains",
    }
    | {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
    }
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"}
    | {"format", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
    | {"contentEncoding", "contentMediaType", "contentSchema", "$ref", "$defs"}
)
STRICT = {
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "format",
    "items",
    "type",
}
STRICT |= {
    "maxItems",
    "minItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "pattern",
}
STRICT |= {"properties", "required"}


def misfits(tool: Mapping[str, object], *, strict: bool = False) -> list[str]:
    """Why OpenAI (and those who speak its API, and Anthropic) would refuse a tool in OpenAI's form."""
    function = tool["function"]
    assert isinstance(function, Mapping)
    schema = function["parameters"]
    jsonschema.Draft202012Validator.check_schema(schema)
    found = [] if NAME.fullmatch(function["name"]) else [f"name {function['name']!r}"]
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        found.append("the top is no object with properties")
    found += [f"{key} at the top" for key in ("anyOf", "oneOf", "allOf", "enum", "not") if key in schema]
    found += [f"property {name!r}" for name in schema.get("properties", {}) if not NAME.fullmatch(name)]
    found += [
        f"{name} is required and unknown"
        for name in schema.get("required", [])
        if name not in schema["properties"]
    ]
    for one in nodes(schema):
        found += _misfits_of(one, schema.get("$defs", {}), STRICT if strict else KEYWORDS)
        if strict and one.get("type") == "object":
            closed = one.get("additionalProperties") is False
            if not closed or one.get("required") != list(cast("Mapping[str, object]", one["properties"])):
                found.append("an object that is open, or has properties that are not required")
    return found


def _misfits_of(
    schema: Mapping[str, object], definitions: Mapping[str, object], known: set[str]
) -> Iterator[str]:
    yield from (f"keyword {key}" for key in schema if key not in known)
    kinds = schema.get("type")
    if "array" in (kinds if isinstance(kinds, list) else [kinds]) and not isinstance(
        schema.get("items"), Mapping
    ):
        yield "a list without items"
    if "$ref" in schema and str(schema["$ref"]).removeprefix("#/$defs/") not in definitions:
        yield f"$ref {schema['$ref']}"


def nodes(schema: object) -> Iterator[Mapping[str, object]]:
    """Every schema in a schema."""
    if isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            if key in ("properties", "patternProperties", "$defs"):
                for one in value.values():
                    yield from nodes(one)
            elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
                for one in value:
                    yield from nodes(one)
            elif key in (
                "items",
                "additionalProperties",
                "propertyNames",
                "not",
                "if",
                "then",
                "else",
                "contains",
            ):
                yield from nodes(value)
