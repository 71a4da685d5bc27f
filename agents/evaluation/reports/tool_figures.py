"""How each tool fared over the trials: calls, failures, arguments that did not fit, repeats, never used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from loopwright.tools import Tool, ToolCall
from loopwright.tools.calls import ToolResult
from loopwright.tools.errors import ArgumentsError

from ...adapters.base import SUBMIT
from ...adapters.values import to_plain
from ..checks.arguments import coerced_argument
from ..trials.attempt import TrialResult

NO_OBJECT = "(no JSON object)"  # in the place of a parameter: the arguments could not be read at all
TOGETHER = "(together)"  # each argument fits alone, all of them do not


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """How a tool fared: its calls, how many failed and in which way, and its own wall time.

    `invalid` counts the arguments that did not fit, by parameter; `repeats` the calls with the arguments of
    an earlier call of the same trial; `trials` the trials that called it.
    """

    calls: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    invalid: Mapping[str, int] = field(default_factory=dict)
    repeats: int = 0
    trials: int = 0

    @property
    def failed(self) -> int:
        """Calls that failed."""
        return sum(self.errors.values())


def tool_figures(results: Iterable[TrialResult], known: Mapping[str, Tool]) -> dict[str, ToolFigures]:
    """The figures of each tool, those of `known` first, whether they were called or not; then the others."""
    sums = {name: _Sums() for name in known}
    for result in results:
        called = set()
        seen = set()
        for made in result.trajectory.results:
            name = made.call.name
            if name in ("", SUBMIT):
                continue
            key = (name, _key(made.call))
            one = sums.setdefault(name, _Sums())
            one.add(made, known.get(name), again=key in seen, first=name not in called)
            seen.add(key)
            called.add(name)
    others = sorted((name for name in sums if name not in known), key=lambda name: -sums[name].calls)
    return {name: sums[name].figures() for name in (*known, *others)}


class _Sums:
    """What is being counted of one tool."""

    def __init__(self) -> None:
        self.calls = self.repeats = self.trials = 0
        self.seconds = 0.0
        self.errors: Counter[str] = Counter()
        self.invalid: Counter[str] = Counter()

    def add(self, made: ToolResult, tool: Tool | None, *, again: bool, first: bool) -> None:
        self.calls += 1
        self.repeats += again
        self.trials += first
        self.seconds += made.seconds
        if made.error:
            self.errors[made.error] += 1
        if made.error == "invalid_args":
            self.invalid.update(misfits(made.call, tool))

    def figures(self) -> ToolFigures:
        errors, invalid = dict(self.errors.most_common()), dict(self.invalid.most_common())
        return ToolFigures(self.calls, errors, self.seconds, invalid, self.repeats, self.trials)


def misfits(call: ToolCall, tool: Tool | None) -> list[str]:
    """The parameters whose arguments made a call invalid: missing, unknown, or refused by the tool itself.

    >>> def get_order(order_id: int, full: bool = False) -> str: ...
    >>> misfits(ToolCall("get_order", {"full": "perhaps", "colour": 1}), Tool(get_order))
    ['full', 'colour', 'order_id']
    """
    if call.malformed or tool is None:
        return [NO_OBJECT if call.malformed else TOGETHER]
    wrong = [name for name, value in call.args.items() if not _fits(tool, name, value)]
    missing = [
        name for name, one in tool.parameters.by_name.items() if one.required and name not in call.args
    ]
    return [*wrong, *missing] or [TOGETHER]


def _fits(tool: Tool, name: str, value: object) -> bool:
    if name not in tool.parameters.by_name:
        return False
    try:
        coerced_argument(tool, name, value)
    except ArgumentsError:
        return False
    return True


def _key(call: ToolCall) -> str:
    return call.malformed or json.dumps(to_plain(dict(call.args)), sort_keys=True, default=str)


def each_tool(tools: Iterable[Mapping[str, Tool]]) -> Iterator[tuple[str, Tool]]:
    """Every tool of several registries by its name; the first of a name counts."""
    seen: set[str] = set()
    for registry in tools:
        for name, tool in registry.items():
            if name not in seen:
                seen.add(name)
                yield name, tool
