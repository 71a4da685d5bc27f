"""Runs that are made up to prove a task: one that does what the task asks for, and one that does nothing.

The calls of the first are the reference's, and what else the task requires; they are made through the real tools
on a fresh world, without the task's faults or with them. Its answers are those that the task expects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from loopwright.tools import Approval, Tool, ToolCall, ToolResult, ToolRun
from loopwright.tools.world import ABSENT, Environment, Fault
from loopwright.tools.world.environment import view_of

from ...adapters.base import SUBMIT
from ...adapters.values import parse_value, to_plain
from ...signature import Field
from ...text import one_line
from ...trajectory import Step, Trajectory
from ..checks.record import Run, TurnMade
from ..checks.world_record import WorldRecord, changes_between
from ..file.format import Task, TurnExpect
from ..file.semantics import kinds_of
from ..tasks import TaskFile
from ..trials.worlds import fault_of
from .gold_calls import UNKNOWN, Open, Plan, planned, read_as_far, witness

IDLE_TEXT = "I don't know."


@dataclass
class Effort:
    """What a turn takes: how often each of its calls is made, and how long a fault holds each up, in seconds."""

    attempts: list[int] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


@dataclass
class Gold:
    """A run that does by a plan what its task asks for.

    `failed` says which of its calls did not, `open_` what is not known, `efforts` what each turn took.
    """

    plan: Plan
    run: Run = field(default_factory=lambda: Run({}))
    made: list[ToolResult] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    open_: list[Open] = field(default_factory=list)
    efforts: list[Effort] = field(default_factory=list)


def answers(
    file: TaskFile, expect: TurnExpect, given: Mapping[str, Any], open_: list[Open]
) -> dict[str, Any]:
    """The outputs that a task expects, or that its reference has given; one that neither tells is noted as open."""
    outputs: dict[str, Any] = {**dict.fromkeys(file.signature.output_fields), **given}
    for name, matcher in expect.answer.items():
        value = given[name] if name in given else witness(matcher)
        read = partial(parse_value, field=file.signature.output_fields.get(name, Field(name, "output")))
        if value is not UNKNOWN:
            value = read_as_far(read, value)
        if value is UNKNOWN or (not matcher.only_judged and matcher.problem(value, read) is not None):
            open_.append(
                Open(f"answer.{name}", f"{name}, which is only told to be {one_line(str(matcher), 80)}")
            )
            value = UNKNOWN
        elif matcher.judge is not None:
            open_.append(Open(f"judge.{name}", f"what a model says of {name}"))
        outputs[name] = None if value is UNKNOWN else value
    return outputs


def gold_runs(file: TaskFile, task: Task) -> Iterator[Gold]:
    """Runs that do what a task asks for, as far as the task tells it: the likeliest first (`planned`)."""
    open_: list[Open] = []
    for plan in planned(file, task, open_):
        yield _gold_run(file, task, Gold(plan, open_=list(open_)))


def faulted_runs(file: TaskFile, task: Task, gold: Gold) -> Iterator[Gold]:
    """The same with the task's faults: a call that fails by one is made again.

    Where a call was carried out and its answer got lost, a run goes on, as one that has looked does; a second one
    makes it again.
    """
    faults = {(one.tool, one.call): _quick(fault_of(one), file) for one in task.faults}
    for again in (False, True) if any(fault.done for fault in faults.values()) else (False,):
        yield _gold_run(file, task, Gold(gold.plan, open_=list(gold.open_)), faults, again=again)


def _quick(fault: Fault, file: TaskFile) -> Fault:
    """A fault without the wait: one that is longer than the tool may take is a timeout."""
    limit = file.tools[fault.tool].timeout
    if limit is not None and fault.delay_s > limit:
        return replace(fault, kind="timeout", error="", result=ABSENT, done=False)
    return fault


def _gold_run(
    file: TaskFile,
    task: Task,
    gold: Gold,
    faults: Mapping[tuple[str, int], Fault] | None = None,
    *,
    again: bool = False,
) -> Gold:
    faults = faults or {}
    quick = tuple(replace(fault, delay_s=0.0) for fault in faults.values())
    environment = (
        Environment(faults=quick) if file.worlds is None else file.worlds.environment(task.world, quick)
    )
    run = ToolRun(approval=Approval(file.defaults.approve), environment=environment)
    caller = _Caller(file, run, gold, faults, again)
    turns = gold.plan
    expects = [turn.expect for turn in task.turns] or [task.expect]
    steps: list[Step] = []
    made: list[TurnMade] = []
    left = _view(environment)
    outputs: dict[str, Any] = {}
    known = task.expect.reference.answer if task.expect.reference else {}
    for item, (calls, expect) in enumerate(zip(turns, expects, strict=True)):
        first = len(steps) + 1
        gold.efforts.append(Effort())
        steps += [Step("", (call,), (result,)) for call in calls for result in caller.results(call)]
        last = expect if item < len(turns) - 1 or not task.turns else _both(expect, task.expect)
        outputs = answers(file, last, known if item == len(turns) - 1 else {}, gold.open_)
        submit = ToolCall(SUBMIT, to_plain(outputs))
        steps.append(Step("", (submit,), (ToolResult(submit, "Submitted."),)))
        user = task.turns[item].user or "" if task.turns else ""
        left, before = _view(environment), left
        changes = None if environment.world is None else changes_between(before, left)
        made.append(TurnMade(item, user, outputs, first, len(steps), "submit", changes=changes))
    if "submit" not in (task.expect.ends or ["submit"]):
        gold.open_.append(Open("ends", f"that a run ends with {' or '.join(task.expect.ends)}"))
    gold.run = Run(
        outputs,
        Trajectory(tuple(steps)),
        "submit",
        tuple(made) if task.turns else (),
        world=_record(file, task, environment),
    )
    return gold


def _both(turn: TurnExpect, whole: TurnExpect) -> TurnExpect:
    """What is expected of the last answer: by its turn and by the task."""
    return turn.model_copy(update={"answer": {**turn.answer, **whole.answer}})


@dataclass
class _Caller:
    """Makes calls, but none that could do something outside of the world."""

    file: TaskFile
    run: ToolRun
    gold: Gold
    faults: Mapping[tuple[str, int], Fault]
    again: bool
    counts: Counter[str] = field(default_factory=Counter)

    def results(self, call: ToolCall) -> Iterator[ToolResult]:
        """What came of a call, each time that it was made."""
        effort = self.gold.efforts[-1]
        effort.attempts.append(0)
        effort.delays.append(0.0)
        while True:
            self.counts[call.name] += 1
            fault = self.faults.get((call.name, self.counts[call.name]))
            effort.attempts[-1] += 1
            effort.delays[-1] += 0.0 if fault is None else fault.delay_s
            result = self.result(call, by_fault=fault is not None)
            yield result
            if fault is None or not self._makes_again(fault, result):
                return

    def _makes_again(self, fault: Fault, result: ToolResult) -> bool:
        """Whether what a fault did to a call wants another: it failed, or it changed nothing and says otherwise."""
        if fault.result is not ABSENT:
            return self.file.tools[fault.tool].rules.writes
        return not result.ok and (self.again or not fault.done)

    def result(self, call: ToolCall, *, by_fault: bool) -> ToolResult:
        """What came of a call; where it may not be made, a result that says so."""
        tool = self.file.tools[call.name]
        if tool.rules.writes and tool.world is None:
            words = (
                f"what {tool.name} gives: by its effect it writes, and not to a world, so it was not called"
            )
            self.gold.open_.append(Open("calls", words))
            return ToolResult(call, "(not called)")
        result = tool.run(call, self.run)
        self.gold.made.append(result)
        if not result.ok and not by_fault:
            words = f"{one_line(str(call), 120)} fails: {one_line(result.content, 160)}"
            if _stands_alone(tool):
                self.gold.failed.append(words)
            else:
                self.gold.open_.append(Open("calls", f"what depends on the call {words}"))
        return result


def _stands_alone(tool: Tool) -> bool:
    """Whether what a tool gives depends on the world alone."""
    return tool.world is not None or tool.effect == "pure"


def _view(environment: Environment) -> object:
    return None if environment.world is None else view_of(environment.world)


def _record(file: TaskFile, task: Task, environment: Environment) -> WorldRecord | None:
    if environment.world is None:
        return None
    reached = file.wanted(task)
    wanted = None if reached is None or reached.failed else reached.changes
    return WorldRecord.of(environment.before, view_of(environment.world), wanted)


def idle_runs(file: TaskFile, task: Task) -> Iterator[tuple[str, Run]]:
    """Runs that make no call, each with what it answers: nothing, what is empty, that it does not know."""
    environment = None if file.worlds is None else file.worlds.environment(task.world)
    world = None if environment is None else _record(file, task, environment)
    fields = file.signature.output_fields
    kinds = {name: kinds_of(one.type) for name, one in fields.items()}
    empty = {
        name: next((value for kind, value in _EMPTY.items() if kind in kinds[name]), None) for name in fields
    }
    texts = {name: IDLE_TEXT if kinds[name] & {"text", "any"} else value for name, value in empty.items()}
    for words, outputs in (
        ("answers nothing", dict.fromkeys(fields)),
        ("answers what is empty", empty),
        (f'answers "{IDLE_TEXT}"', texts),
    ):
        turns = tuple(
            TurnMade(item, turn.user or "", outputs, item + 1, item + 1, "submit", changes=())
            for item, turn in enumerate(task.turns)
        )
        yield words, Run(outputs, _only_answers(outputs, len(turns) or 1), "submit", turns, world=world)


_EMPTY: Mapping[str, object] = {"text": "", "any": "", "number": 0, "bool": False, "list": []}


def _only_answers(outputs: Mapping[str, object], times: int) -> Trajectory:
    submit = ToolCall(SUBMIT, to_plain(dict(outputs)))
    return Trajectory((Step("", (submit,), (ToolResult(submit, "Submitted."),)),) * times)
