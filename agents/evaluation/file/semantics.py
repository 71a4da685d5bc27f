"""What a task file says, held against what there is: the signature, the tools and their parameters.

Everything that would make a task unfair or pointless is found here, before a token is spent on it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from loopwright.tools import ToolRegistry
from loopwright.tools.approval import Rule
from loopwright.tools.errors import DocumentsError, ToolDefinitionError, ToolLookupError
from loopwright.tools.resolve import resolve

from ...adapters.values import parse_value
from ...errors import ConfigurationError, SignatureError
from ...module import Module
from ...signature import Field, Signature
from ...text import did_you_mean
from ..checks.matching import Matcher
from ..trials.conversation import HISTORIES, TurnFields, with_history_input
from .call_semantics import CallChecker, PlacedCalls
from .format import CALLS_TOOLS, TAKES_STEPS, AgentSpec, Defaults, LimitsSpec, Task, TurnExpect
from .locate import JsonPath
from .problems import Problems
from .programs import Kind, build_program, signature_of, tools_of
from .turn_semantics import check_score, check_turns


def read_program(agent: AgentSpec, base: Path, problems: Problems) -> Module | None:
    """The program of one's own that a file names, or None where there is none, or none that can be built."""
    if agent.program is None or not agent.built:
        return None
    if ":" not in agent.program:
        wanted = 'write a saved program\'s .json, "module:name" or "file.py:name"'
        problems.add(("agent", "program"), f'"{agent.program}" is no program: {wanted}')
        return None
    for key in ("module", "tools", "instructions"):
        if key in agent.model_fields_set:
            problems.add(("agent", key), f"the program {agent.program} brings its own; leave {key} out")
    try:
        return build_program(agent.program, base)
    except (ToolLookupError, ConfigurationError) as error:
        problems.add(("agent", "program"), str(error))
        return None


def read_signature(
    agent: AgentSpec, program: Module | None, tasks: object, problems: Problems
) -> Signature | None:
    """The agent's signature, or None where it can't be read; with a history where a task has turns."""
    path: JsonPath = ("agent", "signature")
    own = None if program is None else signature_of(program)
    if agent.signature is None:
        if own is None and (program is not None or not agent.built):
            needed = "" if program is None else "the program does not say what it takes and answers; "
            problems.add(path, f'is missing: {needed}as in signature: "question -> answer"')
        return own
    try:
        signature = Signature(agent.signature, agent.instructions)
    except SignatureError as error:
        problems.add(path, str(error))
        return None
    if program is not None:
        _check_same_fields(signature, own, path, problems)
        return signature
    if any("turns" in task for task in (tasks if isinstance(tasks, list) else ()) if isinstance(task, dict)):
        return with_history_input(signature)
    return signature


def _check_same_fields(written: Signature, own: Signature | None, path: JsonPath, problems: Problems) -> None:
    for name in written.fields if own is not None else ():
        assert own is not None  # noqa: S101  # nothing is looked at otherwise
        if name not in own.fields:
            hint = did_you_mean(name, own.fields) or f"; its own is {own}"
            problems.add(path, f"the program has no field {name!r}{hint}")


def find_tools(
    agent: AgentSpec, program: Module | None, base: Path, problems: Problems
) -> ToolRegistry | None:
    """The agent's tools, or None where one of them is not there."""
    if agent.built:
        try:
            return None if program is None else tools_of(program)
        except ConfigurationError as error:
            problems.add(("agent", "program"), str(error))
            return None
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
        if tools is not None and (problem := rule.problem(tools)):
            problems.add(path, problem)


@dataclass(frozen=True, slots=True)
class TaskChecker:
    """Checks one task after the other; `signature` or `tools` are None where they could not be read."""

    agent: AgentSpec
    kind: Kind
    defaults: Defaults
    signature: Signature | None
    tools: ToolRegistry | None
    problems: Problems

    def check(self, place: int, task: Task) -> Task:
        """Note what is wrong with a task; returns it with its inputs read as the signature's types."""
        path: JsonPath = ("tasks", place)
        self._check_expects_something(path, task)
        self._check_limits(path, task)
        inputs = task.input
        if self.signature is not None:
            fields = (
                check_turns(self.signature, self.agent, path, task, self.problems) if task.turns else None
            )
            inputs = self._inputs(self.signature, path, task, fields)
        turns = [((*path, "turns", item, "expect"), turn.expect) for item, turn in enumerate(task.turns)]
        calls = [((*where, "calls"), expect.calls) for where, expect in turns]
        self._expect((*path, "expect"), task, task.expect, calls)
        for where, expect in turns:
            self._expect(where, task, expect)
        if task.score is not None:
            check_score((*path, "score"), task, task.score, self.problems)
        return task.model_copy(update={"input": inputs})

    def _check_expects_something(self, path: JsonPath, task: Task) -> None:
        if task.expect or any(turn.expect for turn in task.turns):
            return
        if "expect" in task.model_fields_set:
            self.problems.add((*path, "expect"), "expects nothing, so that every run would pass")
        else:
            self.problems.add((*path, "expect"), "is missing: as in expect: {answer: {answer: 42}}")

    def _check_limits(self, path: JsonPath, task: Task) -> None:
        if self.kind.takes_steps:
            return
        for where, limits in (
            ((*path, "limits"), task.limits),
            (("defaults", "limits"), self.defaults.limits),
        ):
            if limits != LimitsSpec():
                self.problems.add(
                    where, f"{self.kind.name} has no steps to limit: {', '.join(TAKES_STEPS)} have"
                )

    def _expect(
        self, path: JsonPath, task: Task, expect: TurnExpect, turns: Sequence[PlacedCalls] = ()
    ) -> None:
        given = expect.model_fields_set
        if self.signature is not None:
            self._answers((*path, "answer"), expect.answer)
        if "calls" in given and not self.kind.calls_tools:
            others = f": only {' and '.join(CALLS_TOOLS)} do" if not self.agent.built else ""
            self.problems.add((*path, "calls"), f"{self.kind.name} makes no calls{others}")
        elif ("calls" in given or turns) and self.tools is not None:
            most = task.limits.over(self.defaults.limits).get("tool_calls")
            CallChecker(self.tools, self.problems).check((*path, "calls"), expect.calls, most, turns)
        if "ends" in given and not self.kind.takes_steps:
            self.problems.add((*path, "ends"), f"{self.kind.name} has no steps to end")

    # What goes in and what must come out

    def _inputs(
        self, signature: Signature, path: JsonPath, task: Task, turn: TurnFields | None
    ) -> dict[str, Any]:
        fields = {
            name: field for name, field in signature.input_fields.items() if field.type not in HISTORIES
        }
        if not task.turns and "input" not in task.model_fields_set:
            hint = "the signature's inputs, as in input: {question: …}; or turns"
            self.problems.add((*path, "input"), f"is missing: {hint}")
            return {}
        path = (*path, "input")
        names = ", ".join(fields) or "none"
        typed: dict[str, Any] = {}
        for name, value in task.input.items():
            if turn is not None and name == turn.said:
                self.problems.add((*path, name), "is what the user says in turns: leave it out here")
                continue
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
        meant = {
            name for name in fields for key in task.input if key not in fields and did_you_mean(key, [name])
        }
        for name, field in fields.items() if turn is not None or not task.turns else ():
            said = turn is not None and name == turn.said
            if name not in task.input and field.required and not said and name not in meant:
                self.problems.add(path, f"lacks {name!r}; the signature's inputs are {names}")
        return typed

    def _answers(self, path: JsonPath, answer: Mapping[str, Matcher]) -> None:
        assert self.signature is not None  # noqa: S101  # checked by the caller
        fields = dict(self.signature.output_fields)
        if self.kind.reasons:
            fields.setdefault(self.kind.reasons, Field(self.kind.reasons, "output"))
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
                    self.problems.add(self.problems.located((*here, *place)), str(error))


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
