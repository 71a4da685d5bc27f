"""What a task file says of calls, held against the tools that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.errors import ArgumentsError

from ...text import did_you_mean
from ..checks.arguments import coerced_argument
from .format import CallPattern, CallsSpec, RequiredCall
from .locate import JsonPath
from .problems import Problems

PlacedCalls = tuple[JsonPath, CallsSpec]


@dataclass(frozen=True, slots=True)
class CallChecker:
    """Checks what is expected of calls."""

    tools: ToolRegistry
    problems: Problems

    def check(
        self, path: JsonPath, calls: CallsSpec, most_calls: int | None, turns: Sequence[PlacedCalls] = ()
    ) -> None:
        """Note what is wrong; `most_calls` is how many the limits allow, where they do not allow any number.

        `turns` are what single turns expect of calls that are among these.
        """
        tools = self.tools
        for where, pattern in _patterns(path, calls):
            tool = tools.get(pattern.tool)
            if tool is None:
                hint = did_you_mean(pattern.tool, tools) or f"; there are {', '.join(tools) or 'none'}"
                spot = (*where, "tool") if (*where, "tool") in self.problems.document.lines else where
                self.problems.add(spot, f"the agent has no tool {pattern.tool!r}{hint}")
                continue
            self._arguments(tool, where, pattern)
        for pattern_text in calls.max:
            if pattern_text != "total" and not any(fnmatchcase(name, pattern_text) for name in tools):
                hint = did_you_mean(pattern_text, tools) or f"; there are {', '.join(tools) or 'none'}"
                self.problems.add((*path, "max", pattern_text), f"matches no tool of the agent{hint}")
        self._check_reachable(path, calls, most_calls, turns)

    def _arguments(self, tool: Tool, path: JsonPath, pattern: CallPattern) -> None:
        known = tool.parameters.by_name
        for name, matcher in pattern.args.items():
            here = (*path, "args", name)
            if name not in known:
                hint = did_you_mean(name, known)
                self.problems.add(here, f"{tool.name} has no parameter {name!r}{hint or f': {tool.usage}'}")
                continue
            if matcher.judge is not None:
                self.problems.add((*here, "judge"), "a model judges answers, not arguments")
            for place, value in matcher.values():
                try:
                    coerced_argument(tool, name, value)
                except ArgumentsError as error:
                    self.problems.add(self.problems.located((*here, *place)), f"{tool.name}: {error}")
        if isinstance(pattern, RequiredCall) and pattern.extra == "refuse":
            missing = [name for name in tool.parameters.required if name not in pattern.args]
            if missing:
                self.problems.add(
                    path,
                    f"{tool.name} can't be called without {', '.join(map(repr, missing))}: "
                    "name it in args, or write extra: allow",
                )

    def _check_reachable(
        self, path: JsonPath, calls: CallsSpec, most_calls: int | None, turns: Sequence[PlacedCalls]
    ) -> None:
        """Find expectations that no run could meet together."""
        in_turns = sum((_required(turn) for _, turn in turns), Counter[str]())
        needed = _required(calls) | in_turns  # of each tool the more: a turn's call may be one of the task's
        never = {pattern.tool for pattern in calls.forbidden if not pattern.args}
        for place, spec in ((path, calls), *turns):
            for where, pattern in _patterns(place, spec, forbidden=False):
                if pattern.tool in never:
                    self.problems.add(where, f"{pattern.tool} is forbidden in the same task")
        at_least = max(needed.total(), _ordered(calls), sum(map(_at_least, (turn for _, turn in turns))))
        for limit, most in calls.max.items():
            least = at_least if limit == "total" else _total(needed, limit)
            if least > most:
                self.problems.add((*path, "max", limit), f"{most} are too few: {least} calls are asked for")
        if most_calls is not None and at_least > most_calls:
            self.problems.add(path, f"{at_least} calls are asked for, but limits.tool_calls is {most_calls}")
        if calls.order is not None and calls.order.mode == "exact":
            ordered = {pattern.tool for pattern in calls.order.of}
            for tool in sorted(set(needed) - ordered):
                self.problems.add((*path, "order"), f"exactly these calls, but {tool} is required too")


def _patterns(
    path: JsonPath, calls: CallsSpec, *, forbidden: bool = True
) -> Iterator[tuple[JsonPath, CallPattern]]:
    """Every call that the expectations name, with its place."""
    groups: list[tuple[JsonPath, Sequence[CallPattern]]] = [((*path, "required"), calls.required)]
    groups += [((*path, "forbidden"), calls.forbidden)] if forbidden else []
    groups += [((*path, "order", "of"), calls.order.of)] if calls.order else []
    for where, patterns in groups:
        yield from (((*where, place), pattern) for place, pattern in enumerate(patterns))


def _required(calls: CallsSpec) -> Counter[str]:
    """How many calls of each tool are asked for."""
    needed: Counter[str] = Counter()
    for required in calls.required:
        needed[required.tool] += required.count or 1
    return needed


def _ordered(calls: CallsSpec) -> int:
    return len(calls.order.of) if calls.order else 0


def _at_least(calls: CallsSpec) -> int:
    return max(_required(calls).total(), _ordered(calls))


def _total(needed: Mapping[str, int], pattern: str) -> int:
    return sum(count for tool, count in needed.items() if fnmatchcase(tool, pattern))
