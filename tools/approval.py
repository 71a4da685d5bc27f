"""Who may call what: rules on a tool's name and its arguments, and a person to ask."""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Literal, cast, get_args

from .calls import Effect, ToolCall
from .effects import RULES
from .errors import ToolDefinitionError, nearest
from .render import NoTextForm, cut, plain
from .threads import drive

if TYPE_CHECKING:
    from .tool import Tool

Decision = Literal["allow", "deny", "ask"]

_PATTERN = re.compile(r"\s*(?P<tool>[^\s()]+)\s*(?:\((?P<args>.*)\))?\s*", re.DOTALL)
_ARGUMENT = re.compile(r"(?:^|,)\s*(?P<name>\w+)\s*(?P<sign><=|>=|<|>|=)")
_NEARLY = 0.8  # how alike two names are, of 1, where one may be a slip for the other
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

    def problem(self, tools: Mapping[str, Tool]) -> str:
        """Why the rule fits no call of these tools, whatever its arguments; "" where it may: a misspelt one protects nothing.

        >>> from loopwright.tools import resolve
        >>> Rule.parse("calculate(expr=*)", "deny").problem(resolve("calculate"))
        'calculate has no argument "expr"; there is expression'
        """
        meant = [tool for name, tool in tools.items() if fnmatchcase(name, self.tool)]
        if not meant:
            return "" if self.tool == "*" else f"fits no tool; {_instead(self.tool, list(tools))}"
        if any(tool.parameters.extra is not None for tool in meant):
            return ""
        for argument in (*self.args, *(name for name, _, _ in self.bounds)):
            if not any(argument in tool.parameters.own_names for tool in meant):
                names = dict.fromkeys(name for tool in meant for name in tool.parameters.own_names)
                whose = f"{meant[0].name} has" if len(meant) == 1 else "these tools have"
                return f'{whose} no argument "{argument}"; {_instead(argument, list(names))}'
        return ""

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
        self._checked: dict[str, Tool] = {}
        self._told: set[str] = set()

    def decide(self, tool: str, args: Mapping[str, object], effect: Effect) -> Rule:
        """The rule that decides a call; a made-up one for `*` where none fits."""
        for rule in (*self.remembered, *self.rules):
            if rule.fits(tool, args):
                return rule
        return _ASK if RULES[effect].asks else _ALLOW

    def check(self, tool: Tool) -> None:
        """Raise `ToolDefinitionError` for a rule that names this tool, and an argument that it does not have.

        What such a rule forbids would be allowed. Each call of an agent is held against it.
        """
        if self._checked.get(tool.name) is tool:
            return
        for rule in self.rules:
            if rule.tool == tool.name and (problem := rule.problem({tool.name: tool})):
                raise ToolDefinitionError(f'the rule "{rule}" fits no call: {problem}')
        self._checked[tool.name] = tool

    def misspelt(self, tools: Iterable[str]) -> list[tuple[Rule, str]]:
        """The rules that were not told yet and name none of these tools but nearly do, each with the name that may be meant.

        A policy may be for several agents, and have rules for tools that one of them lacks: those are no mistake.
        """
        names = list(tools)
        found = []
        for rule in self.rules:
            if rule.tool not in names and rule.tool not in self._told:
                near = get_close_matches(rule.tool, names, 1, _NEARLY)
                if near and not any(fnmatchcase(name, rule.tool) for name in names):
                    self._told.add(rule.tool)
                    found.append((rule, near[0]))
        return found

    def problems(self, tools: Mapping[str, Tool]) -> list[tuple[Rule, str]]:
        """The rules that fit no call of these tools, each with the reason: a misspelt one protects nothing."""
        return [(rule, problem) for rule in self.rules if (problem := rule.problem(tools))]

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
        # "no" is true as a condition: only a real True allows a call
        if not isinstance(said, bool | Answer):
            raise ToolDefinitionError(
                f"what `ask` returned for {question.call.name} is no answer: {cut(repr(said), 100)}; it must return True, "
                "False or an Answer, such as Answer(allowed=False, reason=...)"
            )
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


def _instead(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    return (
        f'did you mean "{near}"?'
        if near
        else f"there {'is' if len(known) == 1 else 'are'} {', '.join(known) or 'none'}"
    )


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
