"""What a task file says, held against what there is: the signature, the tools and their parameters.

Everything that would make a task unfair or pointless is found here, before a token is spent on it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Any

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.approval import Rule
from loopwright.tools.errors import ArgumentsError, DocumentsError, ToolDefinitionError, ToolLookupError
from loopwright.tools.resolve import resolve

from ..adapters.values import parse_value
from ..errors import SignatureError
from ..signature import Field, Signature
from ..text import did_you_mean
from .arguments import coerced_argument
from .format import (
    CALLS_TOOLS,
    TAKES_STEPS,
    AgentSpec,
    CallPattern,
    CallsSpec,
    Defaults,
    LimitsSpec,
    RequiredCall,
    Task,
)
from .locate import JsonPath
from .matching import Matcher
from .problems import Problems


def read_signature(agent: AgentSpec, problems: Problems) -> Signature | None:
    """The agent's signature, or None where it can't be read."""
    try:
        return Signature(agent.signature, agent.instructions)
    except SignatureError as error:
        problems.add(("agent", "signature"), str(error))
        return None


def find_tools(agent: AgentSpec, base: Path, problems: Problems) -> ToolRegistry | None:
    """The agent's tools, or None where one of them is not there."""
    if agent.module not in CALLS_TOOLS and agent.tools:
        problems.add(
            ("agent", "tools"), f"the module {agent.module} calls no tools; {' and '.join(CALLS_TOOLS)} do"
        )
        return None
    found = ToolRegistry()
    complete = True
    for place, spec in enumerate(agent.tools):
        try:
            for tool in resolve(spec, base=base).values():
                found.add(tool)
        except (ToolLookupError, ToolDefinitionError, DocumentsError) as error:
            problems.add(("agent", "tools", place), str(error))
            complete = False
    return found if complete else None


def check_ids(tasks: object, problems: Problems) -> None:
    """Every task has an id of its own."""
    first: dict[str, int] = {}
    for place, task in enumerate(tasks if isinstance(tasks, list) else ()):
        name = task.get("id") if isinstance(task, dict) else None
        if not isinstance(name, str):
            continue
        if name in first:
            line = problems.document.line(("tasks", first[name], "id"))
            problems.add(("tasks", place, "id"), f"another task has this id, in line {line}")
        first.setdefault(name, place)


def check_approval(defaults: Defaults, tools: ToolRegistry | None, problems: Problems) -> None:
    """Every pattern can be read, and is for calls of some tool."""
    for pattern, decision in defaults.approve.items():
        path = ("defaults", "approve", pattern)
        try:
            rule = Rule.parse(pattern, decision)
        except ToolDefinitionError as error:
            problems.add(path, str(error))
            continue
        if tools is not None and not any(fnmatchcase(name, rule.tool) for name in tools):
            problems.add(path, f"fits no tool of the agent{did_you_mean(rule.tool, tools)}")


@dataclass(frozen=True, slots=True)
class TaskChecker:
    """Checks one task after the other; `signature` or `tools` are None where they could not be read."""

    agent: AgentSpec
    defaults: Defaults
    signature: Signature | None
    tools: ToolRegistry | None
    problems: Problems

    def check(self, place: int, task: Task) -> Task:
        """Note what is wrong with a task; returns it with its inputs read as the signature's types."""
        path: JsonPath = ("tasks", place)
        if not task.expect:
            self.problems.add((*path, "expect"), "expects nothing, so that every run would pass")
        if self.agent.module not in CALLS_TOOLS:
            self._check_without_tools(path, task)
        inputs = task.input
        if self.signature is not None:
            inputs = self._inputs(self.signature, (*path, "input"), task.input)
            self._answers((*path, "expect", "answer"), task.expect.answer)
        if self.tools is not None and self.agent.module in CALLS_TOOLS:
            self._calls(self.tools, (*path, "expect", "calls"), task)
        return task.model_copy(update={"input": inputs})

    def _check_without_tools(self, path: JsonPath, task: Task) -> None:
        module = self.agent.module
        expects = task.expect.model_fields_set
        if "calls" in expects:
            self.problems.add(
                (*path, "expect", "calls"),
                f"the module {module} makes no calls: only {' and '.join(CALLS_TOOLS)} do",
            )
        if module in TAKES_STEPS:
            return
        if "ends" in expects:
            self.problems.add((*path, "expect", "ends"), f"the module {module} has no steps to end")
        for where, limits in (
            ((*path, "limits"), task.limits),
            (("defaults", "limits"), self.defaults.limits),
        ):
            if limits != LimitsSpec():
                self.problems.add(
                    where, f"the module {module} has no steps to limit: {', '.join(TAKES_STEPS)} have"
                )

    # What goes in and what must come out

    def _inputs(self, signature: Signature, path: JsonPath, given: Mapping[str, Any]) -> dict[str, Any]:
        fields = signature.input_fields
        names = ", ".join(fields) or "none"
        typed: dict[str, Any] = {}
        for name, value in given.items():
            if name not in fields:
                hint = did_you_mean(name, fields)
                self.problems.add(
                    (*path, name), f"the signature has no such input{hint or f'; it has {names}'}"
                )
                continue
            try:
                typed[name] = parse_value(value, fields[name])
            except ValueError as error:
                self.problems.add((*path, name), str(error))
        for name, field in fields.items():
            if name not in given and field.required:
                self.problems.add(path, f"lacks {name!r}; the signature's inputs are {names}")
        return typed

    def _answers(self, path: JsonPath, answer: Mapping[str, Matcher]) -> None:
        assert self.signature is not None  # noqa: S101  # checked by the caller
        fields = dict(self.signature.output_fields)
        if self.agent.module == "chain_of_thought":
            fields.setdefault("reasoning", Field("reasoning", "output"))
        for name, matcher in answer.items():
            here = (*path, name)
            if name not in fields:
                hint = did_you_mean(name, fields) or f"; it has {', '.join(fields)}"
                self.problems.add(here, f"the signature has no such output{hint}")
                continue
            kinds = kinds_of(fields[name].type)
            if matcher.number is not None and not kinds & {"text", "number", "any"}:
                self.problems.add(here, f"number: a {_words(kinds)} is no number; use equals")
            if (matcher.contains or matcher.not_contains) and not kinds & {"text", "list", "any"}:
                self.problems.add(here, f"contains: a {_words(kinds)} contains nothing; use equals or number")
            for place, value in matcher.values():
                try:
                    parse_value(value, fields[name])
                except ValueError as error:
                    self.problems.add(self._located((*here, *place)), str(error))

    def _located(self, path: JsonPath) -> JsonPath:
        """The path without what a short form leaves out: a bare value has no `equals` around it."""
        return path if path in self.problems.document.lines else path[:-1]

    # Calls

    def _calls(self, tools: ToolRegistry, path: JsonPath, task: Task) -> None:
        calls = task.expect.calls
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
        self._check_reachable(path, task)

    def _arguments(self, tool: Tool, path: JsonPath, pattern: CallPattern) -> None:
        known = tool.parameters.by_name
        for name, matcher in pattern.args.items():
            here = (*path, "args", name)
            if name not in known:
                hint = did_you_mean(name, known)
                self.problems.add(here, f"{tool.name} has no parameter {name!r}{hint or f': {tool.usage}'}")
                continue
            for place, value in matcher.values():
                try:
                    coerced_argument(tool, name, value)
                except ArgumentsError as error:
                    self.problems.add(self._located((*here, *place)), f"{tool.name}: {error}")
        if isinstance(pattern, RequiredCall) and pattern.extra == "refuse":
            missing = [name for name in tool.parameters.required if name not in pattern.args]
            if missing:
                self.problems.add(
                    path,
                    f"{tool.name} can't be called without {', '.join(map(repr, missing))}: "
                    "name it in args, or write extra: allow",
                )

    def _check_reachable(self, path: JsonPath, task: Task) -> None:
        """Find expectations that no run could meet together."""
        calls = task.expect.calls
        needed: dict[str, int] = {}
        for required in calls.required:
            needed[required.tool] = needed.get(required.tool, 0) + (required.count or 1)
        never = {pattern.tool for pattern in calls.forbidden if not pattern.args}
        for where, pattern in _patterns(path, calls, forbidden=False):
            if pattern.tool in never:
                self.problems.add(where, f"{pattern.tool} is forbidden in the same task")
        at_least = max(sum(needed.values()), len(calls.order.of) if calls.order else 0)
        for limit, most in calls.max.items():
            least = at_least if limit == "total" else _total(needed, limit)
            if least > most:
                self.problems.add((*path, "max", limit), f"{most} are too few: {least} calls are asked for")
        most_calls = task.limits.over(self.defaults.limits).get("tool_calls")
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


def _total(needed: Mapping[str, int], pattern: str) -> int:
    return sum(count for tool, count in needed.items() if fnmatchcase(tool, pattern))


def kinds_of(annotation: Any) -> set[str]:
    """What a type may hold, of: text, number, list, any, and other types by their name.

    >>> sorted(kinds_of(float | None)), kinds_of(list[str]), kinds_of(bool)
    (['nothing', 'number'], {'list'}, {'bool'})
    """
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return kinds_of(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return {kind for value in typing.get_args(annotation) for kind in kinds_of(type(value))}
    if origin in (typing.Union, types.UnionType):
        return {kind for part in typing.get_args(annotation) for kind in kinds_of(part)}
    plain = origin or annotation
    if plain is Any or not isinstance(plain, type):
        return {"any"}
    if plain is type(None):
        return {"nothing"}
    if plain is bool:
        return {"bool"}
    for kind, classes in _KINDS.items():
        if issubclass(plain, classes):
            return {kind}
    return {"any"} if plain is object else {plain.__name__}


_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float, Decimal, Fraction),
    "list": (list, tuple, set, frozenset),
}


def _words(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
