"""The calls that do what a task asks for, as far as the task tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from loopwright.tools import ToolCall, ToolRegistry, ToolResult

from ...text import one_line
from ..checks.arguments import coerced_argument, coerced_call
from ..checks.call_checks import mismatches
from ..checks.matching import Matcher
from ..checks.record import Made
from ..file.format import CallPattern, Order, RequiredCall, Task, TurnExpect
from ..tasks import TaskFile
from .pattern_text import matching_text

UNKNOWN = object()  # a value of which a task does not say enough


@dataclass(frozen=True, slots=True)
class Open:
    """What a task does not tell enough of: `about` "answer.FIELD", "judge.FIELD", "calls" or "ends"."""

    about: str
    words: str


def witness(matcher: Matcher) -> object:
    """A value that a matcher wants; `UNKNOWN` where it does not say one.

    >>> witness(Matcher.model_validate({"contains": ["refund", "17"]})), witness(Matcher(number={"value": 3}))
    ('refund 17', 3.0)
    """
    if "equals" in matcher.model_fields_set:
        return matcher.equals
    if matcher.number is not None:
        return matcher.number.value
    if matcher.one_of is not None:
        return matcher.one_of[0]
    if matcher.contains:
        return " ".join(matcher.contains)
    if matcher.regex is not None:
        return matching_text(matcher.regex) or UNKNOWN
    return "No." if matcher.json_schema is None else UNKNOWN  # it is only told what it is not


def read_as_far(read: Callable[[object], object], value: object) -> object:
    """A value as a type has it; as it is where it is none of that type."""
    try:
        return read(value)
    except ValueError:
        return value


def call_of(pattern: CallPattern, tools: ToolRegistry) -> ToolCall | None:
    """The call that a pattern describes; None where it does not tell all that the tool needs."""
    args: dict[str, object] = {}
    for name, matcher in pattern.args.items():
        value = witness(matcher)
        read = partial(coerced_argument, tools[pattern.tool], name)
        if value is UNKNOWN or matcher.problem(read_as_far(read, value), read, exact=True) is not None:
            return None
        args[name] = value
    missing = set(tools[pattern.tool].parameters.required) - set(args)
    return None if missing else ToolCall(pattern.tool, args)


@dataclass
class _Calls:
    """Finds calls for what a task requires; `pool` are the reference's."""

    tools: ToolRegistry
    open_: list[Open]
    pool: Sequence[ToolCall]

    def serving(self, required: Sequence[RequiredCall], have: Sequence[ToolCall]) -> list[ToolCall]:
        """A call for each requirement: one of those that there are, where one fits, else a new one."""
        used: list[ToolCall] = []
        for pattern in required:
            for _ in range(pattern.count or 1):
                call = next((one for one in have if not _among(one, used) and self.fits(pattern, one)), None)
                call = call or self._new(pattern, f"the required {one_line(str(pattern), 80)}")
                used += [call] if call is not None else []
        return used

    def fits(self, pattern: CallPattern, call: ToolCall) -> bool:
        """Whether a call is the one that a pattern describes."""
        made = Made(1, ToolResult(call, ""), coerced_call(self.tools[call.name], call))
        return not mismatches(self.tools, pattern, made)

    def _new(self, pattern: CallPattern, name: str) -> ToolCall | None:
        call = call_of(pattern, self.tools)
        if call is None:
            self.open_.append(Open("calls", f"{name}, whose arguments are not all told"))
        return call

    def ordered(self, calls: Sequence[ToolCall], expect: TurnExpect) -> list[ToolCall]:
        """The calls in the order that is asked for; what it does not name stands in front where it only reads."""
        order = expect.calls.order
        if order is None or self._in_order(order, calls):
            return list(calls)
        chain: list[ToolCall] = []
        for pattern in order.of:
            call = next((one for one in calls if not _among(one, chain) and self.fits(pattern, one)), None)
            call = call or self._new(pattern, f"the {one_line(str(pattern), 80)} of the order")
            chain += [call] if call is not None else []
        rest = [one for one in calls if not _among(one, chain)]
        return [*self.reading(rest), *chain, *self.writing(rest)]

    def _in_order(self, order: Order, calls: Sequence[ToolCall]) -> bool:
        """Whether the calls are as an order wants them already."""
        place = 0
        for pattern in order.of:
            found = next((i for i in range(place, len(calls)) if self.fits(pattern, calls[i])), None)
            if found is None or (order.mode == "exact" and found != place):
                return False
            place = found + 1
        return order.mode != "exact" or place == len(calls)

    def reading(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """Those that change nothing."""
        return [one for one in calls if not self.tools[one.name].rules.writes]

    def writing(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """Those that may change something."""
        return [one for one in calls if self.tools[one.name].rules.writes]


def _among(call: ToolCall, calls: Sequence[ToolCall]) -> bool:
    """Whether it is one of them, not only like one."""
    return any(call is one for one in calls)


Plan = list[list[ToolCall]]
"""The calls of a run: of each turn, of the whole where the task has none."""


def planned(file: TaskFile, task: Task, open_: list[Open]) -> Iterator[Plan]:
    """The calls of runs that do what a task asks for.

    They are the reference's, in its order, and those that are required beside them. A call that no turn requires
    is made in the turn of the next that one does. Where turns expect something of the world, they may have it so
    only with that call in another turn: the plans that follow the first are those.
    """
    reference = task.expect.reference
    pool = [ToolCall(one.tool, dict(one.args)) for one in reference.calls or ()] if reference else []
    calls = _Calls(file.tools, open_, pool)
    required: list[list[ToolCall]] = []
    line: list[ToolCall] = []
    for turn in task.turns:
        free = [one for one in pool if not any(_among(one, before) for before in required)]
        required.append(calls.serving(turn.expect.calls.required, free))
        line += _until(pool, line, required[-1])
    line += [one for one in pool if not _among(one, line)]
    new = [one for one in calls.serving(task.expect.calls.required, line) if not _among(one, line)]
    line = [*calls.reading(new), *line, *calls.writing(new)]
    line = calls.ordered(line, task.expect)
    if not task.turns:
        yield [line]
        return
    others = _partings(line, required) if any(turn.expect.state for turn in task.turns) else ()
    for parts in chain([_parted(line, required)], others):
        yield [calls.ordered(part, turn.expect) for part, turn in zip(parts, task.turns, strict=True)]


def _until(
    pool: Sequence[ToolCall], line: Sequence[ToolCall], required: Sequence[ToolCall]
) -> list[ToolCall]:
    """What a turn adds to a line of calls: the reference's up to those that it requires, then its own."""
    last = max((place for place, one in enumerate(pool, 1) if _among(one, required)), default=0)
    fresh = [one for one in pool[:last] if not _among(one, line)]
    return [*fresh, *(one for one in required if not _among(one, pool))]


def _parted(line: Sequence[ToolCall], required: Sequence[Sequence[ToolCall]]) -> list[list[ToolCall]]:
    """A line of calls by turns: each in the one that requires it, or that requires the next one of the line."""
    parts: list[list[ToolCall]] = [[] for _ in required]
    waiting: list[ToolCall] = []
    for call in line:
        waiting.append(call)
        turn = next((place for place, own in enumerate(required) if _among(call, own)), None)
        if turn is not None:
            parts[turn] += waiting
            waiting = []
    parts[-1] += waiting
    return parts


def _partings(
    line: Sequence[ToolCall], required: Sequence[Sequence[ToolCall]], turn: int = 0
) -> Iterator[Plan]:
    """Every way to part a line of calls by turns from `turn` on, each call in the one that requires it."""
    if not line:
        yield [[] for _ in required]
        return
    own = [place for place, calls in enumerate(required) if _among(line[0], calls)]
    for place in own or range(turn, len(required)):
        for parts in _partings(line[1:], required, place) if place >= turn else ():
            parts[place].insert(0, line[0])
            yield parts
