"""A call's arguments as the tool itself would read them, so that "17" and 17 are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loopwright.tools import Tool, ToolCall
from loopwright.tools.errors import ArgumentsError


def coerced_argument(tool: Tool, name: str, value: object) -> object:
    """One argument after the tool's own coercion; raises `ArgumentsError`.

    >>> def get_order(order_id: int) -> str: ...
    >>> coerced_argument(Tool(get_order), "order_id", "17")
    17
    """
    parameter = tool.parameters.by_name[name]
    alone = replace(tool.parameters, by_name={name: parameter}, required=(), positional_only=())
    return alone.coerced({name: value}).get(name, parameter.default)


def coerced_call(tool: Tool, call: ToolCall) -> Mapping[str, object]:
    """The arguments that a call gave, each coerced where the tool can read it; the rest as they came."""
    try:
        return tool.coerced(call)
    except ArgumentsError:
        return {name: _as_read(tool, name, value) for name, value in call.args.items()}


def _as_read(tool: Tool, name: str, value: object) -> object:
    try:
        return coerced_argument(tool, name, value) if name in tool.parameters.by_name else value
    except ArgumentsError:
        return value
