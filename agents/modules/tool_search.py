"""Tools by the hundred: a run shows those that fit its question, and lets the model look for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loopwright.tools import ToolDefinitionError, ToolRegistry
from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ..adapters.values import format_value

FIND = "find_tools"
SHOWN = 8  # tools at the start of a run, where the agent says no number
FOUND = 5  # tools that one search adds at most


class ToolSearch:
    r"""Which tools of a registry a run shows to its model.

    `specs` are those that fit the run's inputs best; each search adds what it finds.

    >>> def refund(order_id: int) -> str:
    ...     "Give the money of an order back."
    >>> def weather(city: str) -> str:
    ...     "Tomorrow's weather."
    >>> search = ToolSearch(ToolRegistry(refund, weather), {"question": "will it rain? weather please"}, 1)
    >>> [spec.name for spec in search.specs]
    ['weather', 'find_tools']
    >>> search.find(ToolCall("find_tools", {"query": "money back"})).content
    'refund(order_id: integer)\n    Give the money of an order back.'
    >>> [spec.name for spec in search.specs]
    ['weather', 'find_tools', 'refund']
    """

    def __init__(self, tools: ToolRegistry, inputs: Mapping[str, Any], shown: int = SHOWN) -> None:
        if FIND in tools:
            raise ToolDefinitionError(
                f"with tool_search, {FIND!r} is the search: give {tools[FIND].source} another name"
            )
        self._tools = tools
        first = tools.search("\n".join(format_value(value) for value in inputs.values()), shown)
        self.specs = (*first.specs(), self._finder())

    def _finder(self) -> ToolSpec:
        query = {"type": "string", "description": "What the tool should do."}
        parameters = {"type": "object", "properties": {"query": query}, "required": ["query"]}
        text = f"Find tools by what they do: there are {len(self._tools)}, and not all are shown."
        return ToolSpec(FIND, text, {**parameters, "additionalProperties": False})

    def find(self, call: ToolCall) -> ToolResult:
        """The tools that a call of the search finds; from now on they are shown."""
        query = call.args.get("query")
        if not isinstance(query, str) or not query.strip():
            return ToolResult.failed(
                call, "invalid_args", f'Error: {FIND}: "query" must say what the tool should do'
            )
        found = self._tools.search(query, FOUND)
        if not found:
            return ToolResult(call, "No tool fits these words; try others.")
        known = {spec.name for spec in self.specs}
        self.specs = (*self.specs, *(spec for spec in found.specs() if spec.name not in known))
        return ToolResult(call, found.render())
