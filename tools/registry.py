"""A set of tools under names: what an agent is given, and the one way its calls are run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Unpack, overload

from .calls import ToolCall, ToolResult, ToolSpec
from .documents import Bm25Index, Document
from .errors import ToolDefinitionError, ToolLookupError, nearest, with_article
from .names import RESERVED
from .options import ToolOptions
from .threads import in_threads
from .tool import Tool
from .tool_context import ToolRun

_MAX_NAMED = 40  # tools listed in an answer to a call of an unknown one
_AT_ONCE = 8  # threads for the calls of one turn


class ToolRegistry(Mapping[str, Tool]):
    """Tools by name, in the order in which they were added.

    Made from tools, plain callables, other registries, or lists of these.

    >>> registry = ToolRegistry()
    >>> @registry.tool(effect="pure")
    ... def add(a: int, b: int) -> int:
    ...     '''Add two numbers.'''
    ...     return a + b
    >>> registry.call(ToolCall("add", {"a": "2", "b": 3})).content
    '5'
    >>> registry.call(ToolCall("ad")).content
    'Error: there is no tool "ad"; did you mean "add"? The tools: add'
    """

    def __init__(self, *tools: object) -> None:
        self._tools: dict[str, Tool] = {}
        self._ranking: Bm25Index | None = None
        for one in tools:
            self._include(one)

    def _include(self, given: object) -> None:
        if isinstance(given, ToolRegistry):
            for member in given.values():
                self.add(member)
        elif isinstance(given, (str, bytes)):
            raise ToolDefinitionError(
                f"{given!r} is text, not a tool; resolve({given!r}) looks a tool up by such a name"
            )
        elif isinstance(given, Tool) or callable(given):
            self.add(given)
        elif isinstance(given, Iterable) and not isinstance(given, Mapping):
            for one in given:
                self._include(one)
        else:
            raise ToolDefinitionError(
                f"a registry takes tools and functions, not {with_article(type(given).__name__)}"
            )

    # ---- as a mapping

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"ToolRegistry({', '.join(self)})"

    # ---- adding

    def add(self, new: Tool | Callable[..., object]) -> Tool:
        """Add a tool, or a function as a tool; raises `ToolDefinitionError` where its name is taken."""
        made = new if isinstance(new, Tool) else Tool(new)
        if made.name in RESERVED:
            raise ToolDefinitionError(
                f"{made.source} can't be named {made.name!r}: that is how an agent ends its run; give another name"
            )
        present = self._tools.get(made.name)
        if present is made:
            return made
        if present is not None:
            raise ToolDefinitionError(
                f"two tools are named {made.name!r}: {present.source} and {made.source}; "
                f'give one of them a name of its own, Tool(func, name="...")'
            )
        self._tools[made.name] = made
        return made

    @overload
    def tool(self, func: Callable[..., object], /) -> Tool: ...

    @overload
    def tool(self, /, **options: Unpack[ToolOptions]) -> Callable[[Callable[..., object]], Tool]: ...

    def tool(
        self, func: Callable[..., object] | None = None, /, **options: Unpack[ToolOptions]
    ) -> Tool | Callable[[Callable[..., object]], Tool]:
        """Make a function into a tool of this registry; with the options of `loopwright.tools.tool` or without."""
        if func is not None:
            return self.add(func)
        return lambda decorated: self.add(Tool(decorated, **options))

    # ---- other registries from this one

    def __or__(self, other: object) -> ToolRegistry:
        return ToolRegistry(self, other)

    def filtered(self, names: Iterable[str] = (), *, tags: Iterable[str] = ()) -> ToolRegistry:
        """The tools of these names, and those that carry one of these tags.

        Raises `ToolLookupError` for a name that is not there.

        >>> def ping() -> str: ...
        >>> def pong() -> str: ...
        >>> ToolRegistry(ping, pong).filtered(["pong"])
        ToolRegistry(pong)
        """
        wanted, marks = list(names), frozenset(tags)
        for name in wanted:
            if name not in self._tools:
                raise ToolLookupError(self._unknown(name))
        return ToolRegistry([one for one in self.values() if one.name in wanted or one.tags & marks])

    def prefixed(self, prefix: str) -> ToolRegistry:
        """The same tools, each name with this in front of it."""
        return ToolRegistry([one.with_(name=prefix + one.name) for one in self.values()])

    def renamed(self, names: Mapping[str, str]) -> ToolRegistry:
        """The same tools, those named here under their new names."""
        for name in names:
            if name not in self._tools:
                raise ToolLookupError(self._unknown(name))
        return ToolRegistry([one.with_(name=names.get(one.name, one.name)) for one in self.values()])

    def described(self, descriptions: Mapping[str, str]) -> ToolRegistry:
        """The same tools, those named here under these descriptions.

        >>> def ping() -> str: ...
        >>> ToolRegistry(ping).described({"ping": "Whether the shop's server answers."})["ping"].desc
        "Whether the shop's server answers."
        """
        for name in descriptions:
            if name not in self._tools:
                raise ToolLookupError(self._unknown(name))
        return ToolRegistry(
            [
                one.with_(desc=descriptions[one.name]) if one.name in descriptions else one
                for one in self.values()
            ]
        )

    def search(self, text: str, k: int = 8) -> ToolRegistry:
        """The `k` tools whose names, descriptions and parameters fit a text best, the best first; fewer where fewer do.

        >>> def refund(order_id: int) -> str:
        ...     "Give the money of an order back."
        >>> def weather(city: str) -> str:
        ...     "Tomorrow's weather."
        >>> ToolRegistry(refund, weather).search("I want my money back", k=1)
        ToolRegistry(refund)
        """
        if self._ranking is None or len(self._ranking) != len(self):
            self._ranking = Bm25Index([Document(_described(one), one.name) for one in self.values()])
        return ToolRegistry([self._tools[hit.source] for hit in self._ranking.search(text, k)])

    # ---- for a model

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as a model sees them."""
        return tuple(one.spec for one in self.values())

    def render(self) -> str:
        """The tools as text for a prompt: usage line, description, parameters."""
        return "\n".join(str(one) for one in self.values())

    # ---- calling

    def call(self, call: ToolCall, run: ToolRun | None = None) -> ToolResult:
        """Run one call; whatever goes wrong is in the result. `run` is what the call belongs to."""
        found = self._tools.get(call.name)
        return self._missing(call) if found is None else found.run(call, run)

    async def acall(self, call: ToolCall, run: ToolRun | None = None) -> ToolResult:
        """As `call`, without blocking the event loop."""
        found = self._tools.get(call.name)
        return self._missing(call) if found is None else await found.arun(call, run)

    def call_all(self, calls: Sequence[ToolCall], run: ToolRun | None = None) -> list[ToolResult]:
        """Run the calls of one turn; the results are in the calls' order, and one that fails loses no other.

        Neighbours that change nothing (effect pure or read) run at the same time; a call that writes runs
        alone, after those before it and before those after it.
        """
        if len(calls) == 1:
            return [self.call(calls[0], run)]
        results: list[ToolResult] = []
        for together, batch in self._batches(calls):
            one = partial(self.call, run=run)
            results += in_threads(one, batch, _AT_ONCE) if together else map(one, batch)
        return results

    async def acall_all(self, calls: Sequence[ToolCall], run: ToolRun | None = None) -> list[ToolResult]:
        """As `call_all`, without blocking the event loop."""
        results: list[ToolResult] = []
        for together, batch in self._batches(calls):
            if together and len(batch) > 1:
                results += await asyncio.gather(*(self.acall(call, run) for call in batch))
            else:
                results += [await self.acall(call, run) for call in batch]
        return results

    def _batches(self, calls: Sequence[ToolCall]) -> Iterator[tuple[bool, list[ToolCall]]]:
        for together, batch in groupby(calls, key=self._changes_nothing):
            yield together, list(batch)

    def _changes_nothing(self, call: ToolCall) -> bool:
        found = self._tools.get(call.name)
        return found is None or found.rules.concurrent

    def _missing(self, call: ToolCall) -> ToolResult:
        return ToolResult.failed(call, "unknown_tool", f"Error: {self._unknown(call.name)}")

    def _unknown(self, name: str) -> str:
        text = f"there is no tool {json.dumps(name[:80], ensure_ascii=False)}"
        if not self._tools:
            return f"{text}; there are no tools"
        near = nearest(name, self._tools)
        hint = f'; did you mean "{near}"?' if near else "."
        listed = ", ".join(list(self._tools)[:_MAX_NAMED])
        more = len(self._tools) - _MAX_NAMED
        return f"{text}{hint} The tools: {listed}" + (f" and {more} more" if more > 0 else "")


def _described(tool: Tool) -> str:
    """A tool as text to be searched: the words of its names apart."""
    parameters = " ".join(f"{name} {one.get('description', '')}" for name, one in tool.args.items())
    return f"{tool.name} {tool.name.replace('_', ' ')} {tool.desc} {parameters.replace('_', ' ')}"
