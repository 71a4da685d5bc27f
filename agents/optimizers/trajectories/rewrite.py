"""Rewriting: siblings of a success that show the same with less, each run again with real tools.

A step goes only where both hold: no new word or number of its observation is used later, and a replay without it
changes nothing. Either alone is not safe: a recorded answer still passes after every look-up was deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loopwright.tools import ToolRegistry

from ...adapters.base import CODE, SUBMIT
from ...example import Example
from ...module import Module
from ...trajectory import Step
from ..driving.asking import Asks
from ..driving.rollouts import Batch, Outcome, Rollout
from .flow import tokens, tokens_of
from .runs import Act, Shown, acts_of, steps_with

LONG = 1_200  # characters of an observation that are shown
ENDS = 300  # of them at its beginning, and at its end
PIECE = 160  # characters that are kept or left out together

Loose = Callable[[Shown, Sequence[Act]], list[int]]
"""The places of the calls that nothing later rests on."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """A success before and after rewriting; `after` is None where it does not pass when it is run again."""

    example: Example
    before: Shown
    after: Shown | None


def mended(shown: Shown) -> Shown:
    """Without reads that are repeated, and without failed calls, but for those that the same call made good.

    An error that passes and the call after it stay: nothing else teaches to try again.
    """
    acts = acts_of(shown.trajectory)
    dropped: dict[int, str] = {}
    for place, act in enumerate(acts):
        later = [one for one in acts[place + 1 :] if one.key == act.key]
        if act.call.name in (SUBMIT, CODE):
            if not act.result.ok and place < len(acts) - 1:
                dropped[place] = f"dropped a failed {act.call.name}"
        elif not act.result.ok and not any(one.result.ok for one in later):
            dropped[place] = f"dropped a failed call of {act.call.name}"
        elif act.result.ok and _content_before(acts, place) == act.result.content:
            dropped[place] = f"dropped a repeated {act.call.name}"
    left = [act for place, act in enumerate(acts) if place not in dropped]
    return shown.with_steps(steps_with(shown.trajectory, left), *dropped.values()) if dropped else shown


def _content_before(acts: Sequence[Act], place: int) -> str | None:
    """What the last such call before this one gave; None where there was none that succeeded."""
    same = (one for one in reversed(acts[:place]) if one.key == acts[place].key and one.result.ok)
    return next((one.result.content for one in same), None)


def unused(shown: Shown, acts: Sequence[Act], tools: ToolRegistry) -> list[int]:
    """The places of the calls of whose observation nothing new is used by a call that counts, or by the answer.

    A slice from the end: the answer counts, what writes counts, and so does what these rest on; of a retry all
    attempts count. An answer that no observation holds, as yes or no, rests on the last of them.
    """
    inputs = tokens_of(shown.demo[name] for name in shown.demo.input_keys)
    outputs = [
        value for name, value in shown.demo.items() if name not in {*shown.demo.input_keys, "trajectory"}
    ]
    used = set(tokens_of(outputs)) if not acts or acts[-1].call.name != SUBMIT else set()
    kept: list[int] = []
    for place in reversed(range(len(acts))):
        act = acts[place]
        known = inputs.union(*(tokens(one.result.content) for one in acts[:place]))
        fresh = tokens(act.result.content) - known
        writes = act.call.name not in tools or tools[act.call.name].effect in ("write", "irreversible")
        retried = not act.result.ok and any(acts[later].key == act.key for later in kept)
        last = act.result.ok and not used and all(acts[later].call.name in (SUBMIT, CODE) for later in kept)
        if act.call.name in (SUBMIT, CODE) or writes or retried or last or fresh & used:
            kept.append(place)
            used |= tokens_of([dict(act.call.args)]) - inputs
    return [place for place in range(len(acts)) if place not in kept]


@dataclass(slots=True)
class Rewriting:
    """Rewrites successes of an agent by running them again; `loose` says which calls nothing rests on.

    Where the agent is the whole `program`, the metric judges what comes of that. One that is `inside` another program is
    run by itself, on what it was given there, and has to do the same: the same calls, which end as they did, and the
    same answer.
    """

    program: Module
    loose: Loose
    inside: bool = False

    def siblings(self, successes: Sequence[tuple[Example, Shown]]) -> Asks[list[Sibling]]:
        """Each success as it was and as it may be shown. All of one stage are replayed at once."""
        whole = [(example, mended(shown)) for example, shown in successes]
        replays = yield from self._replayed(whole)
        singles = [
            (place, call, _without(shown, [call]))
            for place, (_, shown) in enumerate(whole)
            if self._passed(shown, replays[place])
            for call in self.loose(shown, acts_of(shown.trajectory))
        ]
        tried = yield from self._replayed([(whole[place][0], shown) for place, _, shown in singles])
        droppable: dict[int, list[int]] = {}
        for (place, call, shown), outcome in zip(singles, tried, strict=True):
            if self._passed(shown, outcome) and _changes_nothing(replays[place], outcome, call):
                droppable.setdefault(place, []).append(call)
        both = [(place, _without(whole[place][1], calls)) for place, calls in droppable.items()]
        joint = yield from self._replayed([(whole[place][0], shown) for place, shown in both])
        trimmed = {
            place: shown
            for (place, shown), outcome in zip(both, joint, strict=True)
            if self._passed(shown, outcome)
        }
        return [
            Sibling(
                example,
                successes[place][1],
                replace(shortened(trimmed.get(place, shown)), replayed=True)
                if self._passed(shown, replays[place])
                else None,
            )
            for place, (example, shown) in enumerate(whole)
        ]

    def _replayed(self, runs: Sequence[tuple[Example, Shown]]) -> Asks[Sequence[Outcome]]:
        if not runs:
            return []
        outcomes = yield Batch("replay", [self._rollout(example, shown) for example, shown in runs])
        return outcomes

    def _rollout(self, example: Example, shown: Shown) -> Rollout:
        if not self.inside:
            return Rollout(self.program, example, script=shown.trajectory, strict=True)
        return Rollout(self.program, shown.demo.inputs(), script=shown.trajectory, judged=False)

    def _passed(self, shown: Shown, outcome: Outcome) -> bool:
        if not self.inside:
            return outcome.passed
        return outcome.problem is None and _does_the_same(shown, outcome)


def _without(shown: Shown, places: Sequence[int]) -> Shown:
    acts = acts_of(shown.trajectory)
    left = [act for place, act in enumerate(acts) if place not in places]
    changes = [f"dropped {acts[place].call.name}, which nothing rests on" for place in places]
    return shown.with_steps(steps_with(shown.trajectory, left), *changes)


def _changes_nothing(whole: Outcome, less: Outcome, call: int) -> bool:
    """Whether a replay without one call scores the same, and every other call gives what it gave."""
    before, after = acts_of(whole.trajectory), acts_of(less.trajectory)
    expected = [(act.key, act.result.content) for place, act in enumerate(before) if place != call]
    return less.value == whole.value and expected == [(act.key, act.result.content) for act in after]


def _does_the_same(shown: Shown, outcome: Outcome) -> bool:
    """Whether a replay made the calls of a demonstration, which ended alike, and gave its answer."""
    before, after = acts_of(shown.trajectory), acts_of(outcome.trajectory)
    answer = {name: shown.demo[name] for name in shown.demo.labels() if name in outcome.prediction}
    return [(act.key, act.result.error) for act in before] == [
        (act.key, act.result.error) for act in after
    ] and all(outcome.prediction[name] == value for name, value in answer.items() if name != "trajectory")


def shortened(shown: Shown) -> Shown:
    """With long observations cut in their middle; what is used later stays.

    The cut is told in the place of what is left out, so that it is no text of the tool's.
    """
    acts = acts_of(shown.trajectory)
    outputs = [
        value for name, value in shown.demo.items() if name not in {*shown.demo.input_keys, "trajectory"}
    ]
    used = tokens_of([*outputs, *(dict(act.call.args) for act in acts)])
    cut = 0
    steps: list[Step] = []
    for step in shown.trajectory.steps:
        results = tuple(replace(r, content=_cut(r.content, used)) for r in step.results)
        cut += sum(new.content != old.content for new, old in zip(results, step.results, strict=True))
        steps.append(replace(step, results=results))
    return shown.with_steps(steps, f"shortened {cut} long observations") if cut else shown


def _cut(content: str, used: frozenset[str]) -> str:
    r"""A long text without the part of its middle that nothing uses.

    >>> text = "start\n" + "filler\n" * 400 + "key A17\n" + "filler\n" * 400 + "end"
    >>> short = _cut(text, frozenset({"a17"}))
    >>> len(short) < 1300, "A17" in short, short.startswith("start"), short.endswith("end")
    (True, True, True, True)
    """
    if len(content) <= LONG:
        return content
    middle = content[ENDS:-ENDS]
    pieces = [middle[start : start + PIECE] for start in range(0, len(middle), PIECE)]
    told = [bool(tokens(one) & used) for one in pieces]
    room = (LONG - 2 * ENDS) // PIECE
    kept = {place for place, is_told in enumerate(told) if is_told and sum(told[:place]) < room}
    shown: list[str] = []
    out = 0
    for place, piece in enumerate([*pieces, None]):
        if piece is None or place in kept:
            shown += [f"\n[… {out:,} characters left out …]\n"] if out else []
            shown += [piece] if piece else []
            out = 0
        else:
            out += len(piece)
    return "".join((content[:ENDS], *shown, content[-ENDS:]))
