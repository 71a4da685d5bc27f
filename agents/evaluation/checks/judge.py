"""Checks: what a task expects, held against what a run did. Pure: nothing here asks a model or calls a tool.

Every check that fails gives one line and the step to blame (from 1); report, viewer and optimizers show
the same line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

from loopwright.tools import ToolRegistry
from loopwright.tools.world.changes import applied, differences

from ...adapters.values import parse_value
from ...signature import Field, Signature
from ..file.format import Task, TurnExpect
from .call_checks import call_checks
from .matching import Matcher
from .record import CheckResult, Made, Run, calls_made, last_step, result_of
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
        yield from call_checks(expect.calls, part.made, self.tools, part.last)
        if expect.ends:
            wanted = " or ".join(expect.ends)
            line = f"ends: the run ended with {part.termination or 'no reason given'}, not with {wanted}"
            yield result_of("ends", wanted, part.termination not in expect.ends, line, part.last)

    def _answer(self, name: str, matcher: Matcher, part: _Part) -> Iterator[CheckResult]:
        given = part.outputs.get(name)
        output = self.signature.output_fields.get(name, Field(name, "output"))
        missing = _missing(matcher, part) if given is None else ""
        if not matcher.only_judged:
            reason = matcher.problem(given, partial(parse_value, field=output))
            line = f"{name}: {missing or reason}"
            yield result_of("answer", name, reason is not None, line, part.last)
        if matcher.judge is not None and missing:
            yield CheckResult("judge", name, False, f"{name}: {missing}", part.last)
        elif matcher.judge is not None:
            asked = question(self.task, self.run, matcher.judge, given, part.item)
            yield verdict_on(asked, name, self.run, part.last)


def _missing(matcher: Matcher, part: _Part) -> str:
    """Why there is no answer."""
    ending = f": the run ended with {part.termination}" if part.termination not in ("", "submit") else ""
    return f"there is none{ending}; {matcher} is wanted"
