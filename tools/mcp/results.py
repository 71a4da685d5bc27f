"""What a server answers to a call, as a tool's value; or the words of what was wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import ToolFailed
from ..wording import Schema
from .cleaning import one_line

if TYPE_CHECKING:
    from mcp_types import BlobResourceContents, CallToolResult, ContentBlock, TextResourceContents

_NO_TEXT = "(the tool returned nothing)"


def value_of(result: CallToolResult) -> object:
    """Structured content where the text says the same; else the text, with a note for each picture or file.

    Raises `ToolFailed` for a result that the server marked as an error.
    """
    shown = [_shown(block) for block in result.content]
    text = "\n".join(shown)
    if result.is_error:
        raise ToolFailed(text or "the tool failed and did not say why")
    structured: object = result.structured_content
    if structured is None:
        return text or _NO_TEXT
    for value in (structured, _unwrapped(structured)):
        if _say_the_same(shown, value):
            return value
    return structured if not shown else f"{text}\n{_as_json(structured)}"


def check_output(schema: Schema | None, result: CallToolResult) -> None:
    """Raise `ToolFailed` where the structured content is not what the server promised.

    Patterns are not tried: a regular expression of a stranger can run for ever.
    """
    if schema is None or result.is_error:
        return
    from jsonschema import Draft202012Validator, ValidationError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if result.structured_content is None:
        raise ToolFailed("the server promised structured content (outputSchema) and sent none")
    try:
        Draft202012Validator(_without_patterns(schema), registry=Registry()).validate(
            result.structured_content
        )
    except ValidationError as error:
        where = ".".join(map(str, error.absolute_path))
        raise ToolFailed(
            "the server sent a result that does not fit its own outputSchema: "
            + one_line(f"{where}: {error.message}" if where else error.message, 300)
        ) from error
    except (Unresolvable, RecursionError) as error:
        raise ToolFailed("the server's outputSchema can't be followed") from error


def _without_patterns(schema: Schema) -> dict[str, object]:
    kept = {key: value for key, value in schema.items() if key not in ("pattern", "patternProperties")}
    names = ("properties", "$defs", "definitions")
    return {
        key: {name: _inner(one) for name, one in value.items()}
        if key in names and isinstance(value, Mapping)
        else value
        if key in ("enum", "const", "default", "required")
        else _inner(value)
        for key, value in kept.items()
    }


def _inner(value: object) -> object:
    if isinstance(value, Mapping):
        return _without_patterns(value)
    return [_inner(one) for one in value] if isinstance(value, list) else value


def _shown(block: ContentBlock) -> str:
    match block.type:
        case "text":
            return block.text
        case "image" | "audio":
            return _note(block.type, block.mime_type, block.data)
        case "resource_link":
            size = f", {block.size:,} bytes" if block.size is not None else ""
            kind = f", {one_line(block.mime_type, 60)}" if block.mime_type else ""
            return f"[resource {one_line(block.name, 120)}: {one_line(block.uri, 300)}{kind}{size}]"
        case "resource":
            return _resource(block.resource)


def _resource(held: TextResourceContents | BlobResourceContents) -> str:
    uri = one_line(held.uri, 300)
    if isinstance(text := getattr(held, "text", None), str):
        return f"[resource {uri}]\n{text}"
    return _note(f"resource {uri}", held.mime_type or "binary", getattr(held, "blob", ""))


def _note(what: str, kind: str, base64: str) -> str:
    size = len(base64) * 3 // 4 - base64[-2:].count("=")
    return f"[{what}: {one_line(kind, 60)}, {size:,} bytes, not shown]"


def _unwrapped(structured: object) -> object:
    """The SDK's servers wrap what is no object as {"result": …}, and show the bare value as text."""
    if isinstance(structured, Mapping) and set(structured) == {"result"}:
        return structured["result"]
    return structured


def _say_the_same(shown: Sequence[str], value: object) -> bool:
    """Whether texts are this value: it as text, its JSON, or one text for each item of a list."""
    if isinstance(value, list) and len(value) == len(shown) and all(map(_says, shown, value)):
        return True
    return _says("\n".join(shown), value)


def _says(text: str, value: object) -> bool:
    return text == value if isinstance(value, str) else _as_json(_read(text)) == _as_json(value)


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
