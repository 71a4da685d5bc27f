"""The tools that a server lists, read as hostile input: made safe, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..names import RESERVED, legal_names
from ..wording import Schema
from .cleaning import clean, one_line

if TYPE_CHECKING:
    from mcp_types import Tool as ListedTool

_MAX_NAME = 200  # characters
MAX_DESCRIPTION = 4_000  # characters of a tool's description
_MAX_WORDS = 600  # characters of a parameter's description
_MAX_SCHEMA = 100_000  # characters of a tool's schema as JSON


class RefusedTool(ValueError):  # noqa: N818 - says what became of it
    """A listed tool can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A listed tool, made safe.

    `theirs` is the server's own name for it; `arguments` the schema of an object that holds them; `output` the
    schema that its structured results must fit.
    """

    name: str
    theirs: str
    description: str
    arguments: Schema
    output: Schema | None = None
    read_only: bool = False
    destructive: bool = False


def read_listing(listed: Iterable[ListedTool]) -> tuple[list[Offer], dict[str, str]]:
    """The tools that can be used, and why each of the others can't, by the server's name for it."""
    tools = [(one_line(tool.name, _MAX_NAME), tool) for tool in listed]
    names = _names([shown for shown, _ in tools])
    offers: dict[str, Offer] = {}
    refused: dict[str, str] = {}
    for shown, tool in tools:
        try:
            if not shown:
                raise RefusedTool("its name is empty")
            if shown in offers:
                raise RefusedTool("it is listed twice; the first one counts")
            offers[shown] = _offer(tool, names[shown])
        except RefusedTool as error:
            refused[shown] = str(error)
        except RecursionError:
            refused[shown] = "its schema is nested too deeply"
    return list(offers.values()), refused


def _names(theirs: Iterable[str]) -> dict[str, str]:
    """Our name for each of theirs: legal, no two alike, and none that an agent has for itself."""
    names = dict.fromkeys(theirs)
    wanted = {}
    for name in names:
        mine = f"mcp_{name}" if name in RESERVED else name
        while mine != name and mine in names:
            mine = f"mcp_{mine}"
        wanted[name] = mine
    ours = legal_names(wanted.values())
    return {name: ours[mine] for name, mine in wanted.items()}


def _offer(tool: ListedTool, name: str) -> Offer:
    hints = tool.annotations
    return Offer(
        name,
        tool.name,
        clean(tool.description or tool.title or "", MAX_DESCRIPTION),
        _bounded(tool.input_schema, "inputSchema"),
        None if tool.output_schema is None else _valid(tool.output_schema, "outputSchema"),
        read_only=bool(hints and hints.read_only_hint),
        destructive=bool(hints and hints.destructive_hint and not hints.read_only_hint),
    )


def _bounded(schema: Mapping[str, object], which: str) -> Schema:
    size = len(json.dumps(schema))
    if size > _MAX_SCHEMA:
        raise RefusedTool(f"its {which} has {size:,} characters; {_MAX_SCHEMA:,} are read")
    return _cleaned(schema)


def _valid(schema: Mapping[str, object], which: str) -> Schema:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        where = one_line("/".join(map(str, error.absolute_path)), 80)
        raise RefusedTool(
            f"its {which} is no valid JSON Schema: {one_line(error.message, 160)}"
            + (f" (at {where})" if where else "")
        ) from error
    return _bounded(schema, which)


def _cleaned(schema: Mapping[str, object]) -> dict[str, object]:
    """The schema with its texts made fit for a prompt."""
    return {
        key: clean(value, _MAX_WORDS)
        if key in ("description", "title", "$comment") and isinstance(value, str)
        else value
        if key in ("enum", "const", "default", "examples")
        else _cleaned_part(value)
        for key, value in schema.items()
    }


def _cleaned_part(value: object) -> object:
    if isinstance(value, Mapping):
        return _cleaned(value)
    return [_cleaned_part(one) for one in value] if isinstance(value, list) else value
