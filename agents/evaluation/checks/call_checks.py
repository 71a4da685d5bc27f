"""Checks of calls: required ones, forbidden ones, their order, their number. Pure functions of what a run made.

Arguments are compared after the tool's own coercion, so that "17" equals 17.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

from loopwright.tools import Tool, ToolRegistry

from ...text import counted, one_line
from ..file.format import CallPattern, CallsSpec, Order, RequiredCall
from .answers import identical
from .arguments import coerced_argument
from .assignment import assign
from .record import SHOWN_CALL, CheckResult, Made, result_of


def call_checks(
    calls: CallsSpec, made: Sequence[Made], tools: ToolRegistry, last: int | None
) -> Iterator[CheckResult]:
    """Every check of calls, in the order of the file; `last` is the step to blame for what never came."""
    yield from _required(calls.required, made, tools, last)
    for pattern in calls.forbidden:
        bad = next((one for one in made if not mismatches(tools, pattern, one)), None)
        line = f"forbidden call {pattern}: step {bad.step} made {bad}" if bad else ""
        yield result_of("calls.forbidden", str(pattern), bad is not None, line, bad.step if bad else None)
    if calls.order is not None:
        succeeded = [one for one in made if one.result.ok]
        problem = _ORDERS[calls.order.mode](calls.order, succeeded, tools)
        line, step = problem or ("", None)
        yield result_of(
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
        yield result_of("calls.max", limit, over is not None, line, over.step if over else None)
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
