"""Who may call what: rules on a tool's name and its arguments, and a person to ask."""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from typing import Literal, cast, get_args

from .calls import Effect, ToolCall
from .effects import RULES
from .errors import ToolDefinitionError
from .render import NoTextForm, plain
from .threads import drive

Decision = Literal["allow", "deny", "ask"]

_PATTERN = re.compile(r"\s*(?P<tool>[^\s()]+)\s*(?:\((?P<args>.*)\))?\s*", re.DOTALL)
_ARGUMENT = re.compile(r"(?:^|,)\s*(?P<name>\w+)\s*(?P<sign><=|>=|<|>|=)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<=": le, ">=": ge, "<": lt, ">": gt}


@dataclass(frozen=True, slots=True)
class Rule:
    """A decision for calls that fit: `tool` is a pattern for the name, `args` one for each named argument's text.

    In a pattern `*` stands for any text, `?` for one character, `[ab]` for one of some. An argument's text is
    the string itself, and JSON for all else; a call without the argument does not fit. `bounds` compare numbers:
    `refund(amount<=50)`.

    >>> Rule.parse("refund(order_id=17*, reason=*)", "allow").fits("refund", {"order_id": 175, "reason": "late"})
    True
    """

    tool: str
    decision: Decision
    args: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[tuple[str, str, float], ...] = ()

    @classmethod
    def parse(cls, pattern: str, decision: Decision) -> Rule:
        """A rule from the pattern of a call: `shop_*`, `refund(order_id=17*)`. Raises `ToolDefinitionError`."""
        if decision not in get_args(Decision):
            raise ToolDefinitionError(
                f"the rule {pattern!r} says {decision!r}; it must be allow, deny or ask"
            )
        found = _PATTERN.fullmatch(pattern)
        if found is None:
            raise ToolDefinitionError(
                f"{pattern!r} is no pattern of a call; write a tool's name, with patterns for its arguments "
                f'where they matter: "read_*", "refund(order_id=17*)"'
            )
        return cls(found["tool"], decision, *_arguments(pattern, found["args"] or ""))

    def fits(self, tool: str, args: Mapping[str, object]) -> bool:
        """Whether the rule is for this call."""
        return (
            fnmatchcase(tool, self.tool)
            and all(
                name in args and fnmatchcase(_text(args[name]), wanted) for name, wanted in self.args.items()
            )
            and all(_within(args.get(name), sign, bound) for name, sign, bound in self.bounds)
        )

    def __str__(self) -> str:
        parts = [f"{name}={pattern}" for name, pattern in self.args.items()]
        inside = ", ".join([*parts, *(f"{name}{sign}{bound:g}" for name, sign, bound in self.bounds)])
        return f"{self.tool}({inside})" if inside else self.tool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to a call. `args` are the arguments to call with instead; `reason` is for the model.

    `remember` gives the same answer to every later call of this tool whose arguments fit these patterns; True
    means: to calls with exactly these arguments. A tool is never remembered by its name alone.
    """

    allowed: bool
    reason: str = ""
    args: Mapping[str, object] | None = None
    remember: bool | Mapping[str, str] = False


@dataclass(frozen=True, slots=True)
class Question:
    """A call that waits for a person: `args` are the arguments as the tool would get them.

    `problem` says what is wrong with other arguments; "" where the tool takes them.
    """

    call: ToolCall
    effect: Effect
    usage: str
    args: Mapping[str, object]
    problem: Callable[[Mapping[str, object]], str] = field(default=lambda args: "", repr=False, compare=False)


Asker = Callable[[Question], "bool | Answer | Awaitable[bool | Answer]"]
"""Asks a person, and waits for the answer; may be a coroutine function."""


class Approval:
    """A policy: the first rule that fits a call decides; `ask` puts the question to a person.

    Rules are patterns of calls with "allow", "deny" or "ask", in order. A call that none of them fits is allowed,
    unless its tool is irreversible: then it is asked about. With nobody to ask, that means no. Answers that a
    person wants remembered come before every rule, and last as long as this object.

    >>> policy = Approval({"read_*": "allow", "refund(order_id=17)": "allow", "*": "deny"})
    >>> [policy.decide(name, args, "write").decision for name, args in [("read_x", {}), ("refund", {"order_id": 17}),
    ...                                                                ("refund", {"order_id": 18})]]
    ['allow', 'allow', 'deny']
    """

    def __init__(self, rules: Mapping[str, Decision] | None = None, ask: Asker | None = None) -> None:
        self.rules = tuple(Rule.parse(pattern, decision) for pattern, decision in (rules or {}).items())
        self.asker = ask
        self.remembered: list[Rule] = []
        self._one_at_a_time = threading.Lock()

    def decide(self, tool: str, args: Mapping[str, object], effect: Effect) -> Rule:
        """The rule that decides a call; a made-up one for `*` where none fits."""
        for rule in (*self.remembered, *self.rules):
            if rule.fits(tool, args):
                return rule
        return _ASK if RULES[effect].asks else _ALLOW

    def without_tool(self, tools: Iterable[str]) -> list[Rule]:
        """The rules that are for none of these tools: a misspelt one protects nothing."""
        names = list(tools)
        return [rule for rule in self.rules if not any(fnmatchcase(name, rule.tool) for name in names)]

    def ask(self, question: Question) -> Answer:
        """Ask about a call; blocks. One question at a time, also from several threads."""
        with self._one_at_a_time:
            known = self._answered(question)
            if known is not None:
                return known
            said = self._put(question)
            if inspect.isawaitable(said):
                said = cast("bool | Answer", drive(_awaited(said)))
            return self._noted(question, said)

    async def aask(self, question: Question) -> Answer:
        """As `ask`, without blocking the event loop; an asker that blocks is waited for in a thread."""
        import asyncio

        while not self._one_at_a_time.acquire(blocking=False):
            await asyncio.sleep(0.01)
        try:
            known = self._answered(question)
            if known is not None:
                return known
            said = (
                self._put(question)
                if inspect.iscoroutinefunction(self.asker)
                else await asyncio.to_thread(self._put, question)
            )
            if inspect.isawaitable(said):
                said = await said
            return self._noted(question, said)
        finally:
            self._one_at_a_time.release()

    def _answered(self, question: Question) -> Answer | None:
        """The answer, where nobody is there to ask, or where it was remembered while this one waited."""
        if self.asker is None:
            return Answer(allowed=False, reason="it has to be approved, and nobody is there to ask")
        rule = next((r for r in self.remembered if r.fits(question.call.name, question.args)), None)
        return None if rule is None else Answer(allowed=rule.decision == "allow")

    def _put(self, question: Question) -> bool | Answer | Awaitable[bool | Answer]:
        assert self.asker is not None  # noqa: S101  # _answered has spoken before
        return self.asker(question)

    def _noted(self, question: Question, said: bool | Answer) -> Answer:
        answer = said if isinstance(said, Answer) else Answer(allowed=said)
        if answer.remember is not False:
            patterns = (
                {name: _exactly(_text(value)) for name, value in question.args.items()}
                if answer.remember is True
                else dict(answer.remember)
            )
            if patterns or not question.args:
                decision: Decision = "allow" if answer.allowed else "deny"
                self.remembered.insert(0, Rule(_exactly(question.call.name), decision, patterns))
        return answer


_ASK = Rule("*", "ask")
_ALLOW = Rule("*", "allow")


async def _awaited(said: Awaitable[bool | Answer]) -> bool | Answer:
    return await said


def _arguments(pattern: str, text: str) -> tuple[dict[str, str], tuple[tuple[str, str, float], ...]]:
    """`a=1*, b<=5`: patterns by name, and bounds; each reaches to the next comma with a name after it."""
    starts = list(_ARGUMENT.finditer(text))
    if text.strip() and (not starts or text[: starts[0].start()].strip()):
        raise ToolDefinitionError(
            f"in {pattern!r}, what stands in brackets must be name=pattern or name<=number, with commas between"
        )
    if not starts:
        return {}, ()
    ends = [*(one.start() for one in starts[1:]), len(text)]
    patterns: dict[str, str] = {}
    bounds: list[tuple[str, str, float]] = []
    for one, end in zip(starts, ends, strict=True):
        wanted = text[one.end() : end].strip().removesuffix(",")
        if one["sign"] == "=":
            patterns[one["name"]] = wanted
            continue
        try:
            bounds.append((one["name"], one["sign"], float(wanted)))
        except ValueError:
            raise ToolDefinitionError(f"in {pattern!r}, {wanted!r} is no number to compare with") from None
    return patterns, tuple(bounds)


def _within(value: object, sign: str, bound: float) -> bool:
    """Whether a number keeps a bound; what is no number keeps none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return _COMPARE[sign](float(value), bound)


def _text(value: object) -> str:
    """An argument as patterns see it."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(plain(value), ensure_ascii=False)
    except (NoTextForm, ValueError, TypeError, RecursionError):
        return ""


def _exactly(text: str) -> str:
    """A pattern that fits this text alone."""
    return re.sub(r"([*?\[])", r"[\1]", text)
