"""Checks: what a task expects, held against what a run did. Pure: nothing here asks a model or calls a tool.

Every check that fails gives one line and the step to blame (from 1); report, viewer and optimizers show
the same line. Arguments are compared after the tool's own coercion, so that "17" equals 17.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial, reduce

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.world.changes import applied, differences

from ...adapters.values import parse_value
from ...signature import Field, Signature
from ...text import counted, one_line
from ..file.format import CallPattern, CallsSpec, Order, RequiredCall, Task, TurnExpect
from .answers import identical
from .arguments import coerced_argument
from .assignment import assign
from .matching import Matcher
from .record import SHOWN_CALL, CheckResult, Made, Run, calls_made, last_step
from .rubric import question, verdict_on
from .state_checks import StateJudge
from .world_record import WorldRecord


def judge(task: Task, run: Run, signature: Signature, tools: ToolRegistry) -> list[CheckResult]:
    """Every check of a task on a run, in the order of the file.

    >>> from loopwright.evaluation.tasks import TaskFile
    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: int"}
    ... tasks: [{id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}]
    ... ''')
    >>> judge(file.tasks[0], Run({"answer": 5}), file.signature, file.tools)[0].feedback
    'answer: 5 is not 4'
    """
    return list(_Judge(task, run, signature, tools).checks())


@dataclass(frozen=True, slots=True)
class _Part:
    """What is judged at a time: a run, or the turns of a conversation that one item of a task made."""

    outputs: Mapping[str, object]
    made: Sequence[Made]
    termination: str
    last: int | None
    item: int | None = None


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges one run of one task."""

    task: Task
    run: Run
    signature: Signature
    tools: ToolRegistry

    def checks(self) -> Iterator[CheckResult]:
        """Every check: of each turn, then of the whole."""
        run, expect = self.run, self.task.expect
        made = list(calls_made(run.trajectory, self.tools))
        last = last_step(run.trajectory)
        yield from self._broken_off(last)
        for item, turn in enumerate(self.task.turns):
            if turn.expect:
                yield from self._turn(item, turn.expect, made, last)
        yield from self._part(expect, _Part(run.outputs, made, run.termination, last))
        yield from StateJudge(run.world, made, last).checks(expect.state, expect.reference)

    # ---- turns

    def _broken_off(self, last: int | None) -> Iterator[CheckResult]:
        """A conversation in which the user could not say all that the task has them say is no run of the task."""
        reached = {turn.item for turn in self.run.turns}
        for item, turn in enumerate(self.task.turns):
            if turn.user is not None and item not in reached:
                yield CheckResult("turns", "", False, self._not_reached(item), last, item + 1)
                return

    def _turn(
        self, item: int, expect: TurnExpect, made: Sequence[Made], last: int | None
    ) -> Iterator[CheckResult]:
        """What one item of a task's turns expects, held against the turns that it made."""
        turns = [turn for turn in self.run.turns if turn.item == item]
        if not turns:
            line = self._not_reached(item)
            part = _Part({}, [], "", last, item)
            for result in (*self._part(expect, part), *StateJudge(None, [], last).checks(expect.state)):
                yield CheckResult(result.check, result.about, False, line, last, item + 1)
            return
        first, last = turns[0].first, turns[-1].last
        calls = [one for one in made if first <= one.step <= last]
        step = last if last >= first else None
        part = _Part(turns[-1].outputs, calls, turns[-1].termination, step, item)
        for result in (*self._part(expect, part), *self._state(item, expect, calls, step)):
            feedback = f"turn {item + 1}: {result.feedback}" if result.feedback else ""
            yield replace(result, turn=item + 1, feedback=feedback)

    def _state(
        self, item: int, expect: TurnExpect, calls: Sequence[Made], step: int | None
    ) -> Iterator[CheckResult]:
        """What an item's turns made of the world, as the turns before had left it."""
        world = self.run.world
        if not expect.state or world is None or world.before is None:
            yield from StateJudge(world, calls, step).checks(expect.state)
            return
        earlier = [turn.changes for turn in self.run.turns if turn.item < item]
        own = [turn.changes for turn in self.run.turns if turn.item == item]
        if None in (*earlier, *own):  # a trial of an older version, or one that changed more than is kept
            line = "what the turn left in the world is not on record"
            for check in expect.state:
                yield CheckResult("state", check.about, False, line, step, error=True)
            return
        start = reduce(applied, filter(None, earlier), world.before)
        end = reduce(applied, filter(None, own), start)
        made = WorldRecord(start, tuple(differences(start, end)))
        yield from StateJudge(made, calls, step).checks(expect.state)

    def _not_reached(self, item: int) -> str:
        if not self.run.turns:
            return f"turn {item + 1} was not reached: there was no conversation"
        ended, why = self.run.turns[-1].item + 1, self.run.termination or "no answer"
        return f"turn {item + 1} was not reached: the conversation ended in turn {ended} with {why}"

    # ---- what is expected of a part

    def _part(self, expect: TurnExpect, part: _Part) -> Iterator[CheckResult]:
        for name, matcher in expect.answer.items():
            yield from self._answer(name, matcher, part)
        yield from _calls(expect.calls, part.made, self.tools, part.last)
        if expect.ends:
            wanted = " or ".join(expect.ends)
            line = f"ends: the run ended with {part.termination or 'no reason given'}, not with {wanted}"
            yield _result("ends", wanted, part.termination not in expect.ends, line, part.last)

    def _answer(self, name: str, matcher: Matcher, part: _Part) -> Iterator[CheckResult]:
        given = part.outputs.get(name)
        output = self.signature.output_fields.get(name, Field(name, "output"))
        missing = _missing(matcher, part) if given is None else ""
        if not matcher.only_judged:
            reason = matcher.problem(given, partial(parse_value, field=output))
            line = f"{name}: {missing or reason}"
            yield _result("answer", name, reason is not None, line, part.last)
        if matcher.judge is not None and missing:
            yield CheckResult("judge", name, False, f"{name}: {missing}", part.last)
        elif matcher.judge is not None:
            asked = question(self.task, self.run, matcher.judge, given, part.item)
            yield verdict_on(asked, name, self.run, part.last)


def _missing(matcher: Matcher, part: _Part) -> str:
    """Why there is no answer."""
    ending = f": the run ended with {part.termination}" if part.termination not in ("", "submit") else ""
    return f"there is none{ending}; {matcher} is wanted"


def _result(check: str, about: str, failed: bool, feedback: str, step: int | None) -> CheckResult:
    return CheckResult(check, about, False, feedback, step) if failed else CheckResult(check, about, True)


def _calls(
    calls: CallsSpec, made: Sequence[Made], tools: ToolRegistry, last: int | None
) -> Iterator[CheckResult]:
    yield from _required(calls.required, made, tools, last)
    for pattern in calls.forbidden:
        bad = next((one for one in made if not mismatches(tools, pattern, one)), None)
        line = f"forbidden call {pattern}: step {bad.step} made {bad}" if bad else ""
        yield _result("calls.forbidden", str(pattern), bad is not None, line, bad.step if bad else None)
    if calls.order is not None:
        succeeded = [one for one in made if one.result.ok]
        problem = _ORDERS[calls.order.mode](calls.order, succeeded, tools)
        line, step = problem or ("", None)
        yield _result(
            "calls.order", calls.order.mode, problem is not None, f"call order: {line}", step or last
        )
    for limit, most in calls.max.items():
        ran = [one for one in made if one.result.error != "denied"]
        these = [one for one in ran if limit == "total" or fnmatchcase(one.call.name, limit)]
        over = these[most] if len(these) > most else None
        what = "" if limit == "total" else f" of {limit}"
        were = "was" if len(these) == 1 else "were"
        line = (
            f"at most {counted(most, 'call')}{what}: {len(these)} {were} made, the first too many is {over}"
        )
        yield _result("calls.max", limit, over is not None, line, over.step if over else None)
    if calls.no_repeat:
        yield _no_repeat(made)


def _no_repeat(made: Sequence[Made]) -> CheckResult:
    succeeded: list[Made] = []
    for one in made:
        for before in succeeded:
            if before.call.name == one.call.name and identical(before.args, one.args):
                line = f"repeated call: step {one.step} makes {one} again, as step {before.step} did"
                return CheckResult("calls.no_repeat", "", False, line, one.step)
        if one.result.ok:
            succeeded.append(one)
    return CheckResult("calls.no_repeat", "", True)


# One call against one pattern


def mismatches(tools: ToolRegistry, pattern: CallPattern, made: Made) -> list[str]:
    """Why a call is not the one that a pattern describes; empty where it is."""
    if made.call.name != pattern.tool:
        return [f"it is a call of {made.call.name}"]
    tool = tools[pattern.tool]
    reasons = []
    for name, matcher in pattern.args.items():
        parameter = tool.parameters.by_name[name]
        if name not in made.args and parameter.required:
            reasons.append(f"{name} is missing")
            continue
        value = made.args.get(name, parameter.default)
        reason = matcher.problem(value, partial(coerced_argument, tool, name), exact=True)
        if reason:
            reasons.append(f"{name} {reason}")
    if isinstance(pattern, RequiredCall) and pattern.extra == "refuse":
        reasons += _extra(tool, pattern, made)
    return reasons


def _extra(tool: Tool, pattern: RequiredCall, made: Made) -> Iterator[str]:
    for name, value in made.args.items():
        parameter = tool.parameters.by_name.get(name)
        if name in pattern.args:
            continue
        if parameter is None or parameter.required or not identical(parameter.default, value):
            yield f"{one_line(name, 60)} was not asked for"


# Required calls


def _required(
    required: Sequence[RequiredCall], made: Sequence[Made], tools: ToolRegistry, last: int | None
) -> Iterator[CheckResult]:
    """Match requirements and calls one to one, so that one call can't serve two requirements."""
    fits = [
        [place for place, one in enumerate(made) if one.result.ok and not mismatches(tools, pattern, one)]
        for pattern in required
    ]
    slots = [number for number, pattern in enumerate(required) for _ in range(pattern.count or 1)]
    serves = assign([fits[number] for number in slots])
    used = set(serves) - {None}
    for number, pattern in enumerate(required):
        mine = [
            place for slot, place in zip(slots, serves, strict=True) if slot == number and place is not None
        ]
        spare = [place for place in fits[number] if place not in used] if pattern.count else []
        wanted = f", exactly {pattern.count}×" if pattern.count else ""
        head = f"required call {one_line(str(pattern), SHOWN_CALL)}{wanted}"
        if len(mine) == (pattern.count or 1) and not spare:
            yield CheckResult("calls.required", str(pattern), True)
        elif mine:
            steps = ", ".join(str(made[place].step) for place in sorted(mine + spare))
            line = f"{head}: made {len(mine + spare)}× (step {steps})"
            step = made[spare[0]].step if spare else last
            yield CheckResult("calls.required", str(pattern), False, line, step)
        else:
            reason, step = _closest(
                pattern, [one for i, one in enumerate(made) if i not in used], made, tools
            )
            yield CheckResult("calls.required", str(pattern), False, f"{head}: {reason}", step or last)


def _closest(
    pattern: RequiredCall, free: Sequence[Made], made: Sequence[Made], tools: ToolRegistry
) -> tuple[str, int | None]:
    """What came nearest to a required call, and what was wrong with it."""
    near = [one for one in free if one.call.name == pattern.tool]
    if not near:
        taken = [one for one in made if one.call.name == pattern.tool]
        if not taken:
            return f"{pattern.tool} was never called", None
        if wrong := mismatches(tools, pattern, taken[0]):
            return f"the closest was step {taken[0].step}, {taken[0]}: {'; '.join(wrong[:3])}", taken[0].step
        return f"step {taken[0].step} made it once, for another required call", taken[0].step
    best = min(near, key=lambda one: (len(mismatches(tools, pattern, one)), one.result.ok))
    wrong = mismatches(tools, pattern, best)
    if not wrong:
        return f"step {best.step} made it, but it failed: {one_line(best.result.content, 120)}", best.step
    return f"the closest was step {best.step}, {best}: {'; '.join(wrong[:3])}", best.step


# The order of calls

_Problem = tuple[str, int | None] | None


def _exact(order: Order, made: Sequence[Made], tools: ToolRegistry) -> _Problem:
    for place, (pattern, one) in enumerate(zip(order.of, made, strict=False), 1):
        if mismatches(tools, pattern, one):
            return f"call {place} is {one} (step {one.step}), where {_name(pattern)} is wanted", one.step
    if len(made) > len(order.of):
        over = made[len(order.of)]
        return f"{over} (step {over.step}) is one call too many", over.step
    if len(made) < len(order.of):
        return f"{_name(order.of[len(made)])} is missing after {_last(made)}", None
    return None


def _subsequence(order: Order, made: Sequence[Made], tools: ToolRegistry) -> _Problem:
    place = 0
    before: Made | None = None
    for pattern in order.of:
        found = next((i for i in range(place, len(made)) if not mismatches(tools, pattern, made[i])), None)
        if found is None:
            after = f" after {before} (step {before.step})" if before else ""
            early = next((one for one in made[:place] if not mismatches(tools, pattern, one)), None)
            if early is not None and early is not before:
                return f"{_name(pattern)} is wanted{after}, but is in step {early.step}", early.step
            return f"no {_name(pattern)} succeeded{after}", None
        before, place = made[found], found + 1
    return None


def _any(order: Order, made: Sequence[Made], tools: ToolRegistry) -> _Problem:
    fits = [[i for i, one in enumerate(made) if not mismatches(tools, pattern, one)] for pattern in order.of]
    missing = [pattern for pattern, served in zip(order.of, assign(fits), strict=True) if served is None]
    return (f"no call that succeeded is {_name(missing[0])}", None) if missing else None


_ORDERS = {"exact": _exact, "subsequence": _subsequence, "any": _any}


def _name(pattern: CallPattern) -> str:
    return one_line(str(pattern), SHOWN_CALL) if pattern.args else pattern.tool


def _last(made: Sequence[Made]) -> str:
    return f"{made[-1]} (step {made[-1].step})" if made else "the start"
