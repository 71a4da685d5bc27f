"""Task files: scripted tasks for an agent, with what is expected of it. Set, trainset and regression test in one.

    version: 1
    name: shop
    agent:                                # or program: "shop_agent:build", a function that returns a module
      module: react                       # code_act, program_of_thought, chain_of_thought, predict, multi_chain
      signature: "request -> reply, refunded: bool"
      instructions: "You are the shop's assistant."
      tools: [calculate, "shop_tools:TOOLS"]
      program: learned.json               # a saved program's state, if there is one
    defaults:
      epochs: 1
      seed: 7
      limits: {steps: 12, tool_calls: 20, tokens: 40000, usd: 0.20, seconds: 90}
      world: shop.yaml                    # what the tools work on: a fresh copy for each trial
    tasks:
      - id: refund
        split: test                       # train | dev | test
        turns:                            # or input: {request: "…"}
          - user: "Order 17 arrived broken."
            expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}]}, state: [{unchanged: orders}]}
          - simulate: {persona: "Ann is brief.", goal: "Get order 17 refunded.", max_turns: 4}
        expect:
          answer: {reply: {contains: refund, judge: {rubric: "Says when the money comes."}}, refunded: true}
          calls: {forbidden: [{tool: cancel_order}], max: {total: 6}}
          state: [{path: orders.17.status, equals: refunded}]
          ends: submit
        score: {gates: [state, calls.forbidden], weights: {answer: 2}, pass: 0.8}

The same in JSON does as well; a task says `world`, `faults` and `limits` of its own. `TaskFile.json_schema()` describes
every key; `conversation` says how turns are played, `scoring` when a trial has passed. Reading a file imports the modules
that its tools and its program name, with all the rights of this process.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from loopwright.tools import Approval, ToolRegistry
from loopwright.tools.world import Environment
from loopwright.tools.world.environment import view_of

from ..ambient import current, drive
from ..errors import InputError, StateError, TaskFileError
from ..example import Example, Prediction
from ..module import Module
from ..modules import ChainOfThought, CodeAct, MultiChainComparison, Predict, ProgramOfThought, ReAct
from ..signature import Signature
from ..text import did_you_mean, one_line
from ..trace import Trace
from ..trajectory import Trajectory
from .checks.judge import judge
from .checks.record import Run
from .checks.rubric import verdicts
from .checks.scoring import scored
from .checks.world_record import WorldRecord
from .file.format import AgentSpec, Defaults, Split, Task, TaskFileSpec, json_schema
from .file.locate import Document, parse_document, read_document
from .file.problems import Problems, explain
from .file.programs import Kind, build_program
from .file.semantics import TaskChecker, check_approval, check_ids, find_tools, read_program, read_signature
from .file.turn_semantics import check_turn_input
from .file.world_format import DATA_FILES
from .file.world_semantics import check_worlds, names_world
from .file.world_tool_semantics import with_declared
from .metrics import MetricError, Score
from .trials.conversation import TurnFields
from .trials.worlds import Reached, Worlds, fault_of, read_worlds

M = TypeVar("M", bound=BaseModel)

TASK_ID = "task_id"  # the label that leads from an example back to its task
NAMED = 5  # files of a folder that an error names
RUN = "task_run"  # the note of a prediction that holds what its run left behind


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A task file that was read and found sound.

    >>> tasks = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: float", tools: [calculate]}
    ... tasks:
    ... - {id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}
    ... ''')
    >>> tasks, [task.id for task in tasks.tasks], tasks.tools
    (TaskFile('tasks', 1 task), ['sum'], ToolRegistry(calculate))
    """

    name: str
    spec: AgentSpec
    defaults: Defaults
    signature: Signature
    tools: ToolRegistry
    tasks: tuple[Task, ...]
    base: Path
    worlds: Worlds | None = None

    def __repr__(self) -> str:
        return f"TaskFile({self.name!r}, {len(self.tasks)} task{'' if len(self.tasks) == 1 else 's'})"

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file; raises `TaskFileError` that lists every problem with its line, or what a folder has of such."""
        if Path(path).is_dir():
            raise TaskFileError([f"{path}: is a folder, and a task file is wanted{_files_in(Path(path))}"])
        return cls._read(read_document(Path(path), str(path)), Path(path).absolute().parent)

    @classmethod
    def parse(cls, text: str, name: str = "tasks.yaml", *, base: str | Path = ".") -> Self:
        """Read a text as a file of this name; paths and tools in it start at the folder `base`."""
        return cls._read(parse_document(text, name), Path(base).absolute())

    @classmethod
    def _read(cls, document: Document, base: Path) -> Self:
        if not isinstance(document.value, dict):
            found = "empty" if document.value is None else "no mapping of version, agent and tasks"
            raise TaskFileError([f"{document.name}: {found}"])
        problems = Problems(document)
        spec, agent, defaults, tasks = _shaped(document.value, problems)
        listed = document.value.get("tasks")
        program = read_program(agent, base, problems) if agent else None
        signature = read_signature(agent, program, listed, problems) if agent else None
        worlds = read_worlds(defaults.world, base, problems) if defaults.world else None
        tools = find_tools(agent, program, base, problems) if agent else None
        if agent is not None:
            unread = worlds is None and names_world(document.value)
            tools = None if unread else with_declared(tools, worlds, Kind.of(agent, program), problems)
        check_ids(listed, problems)
        check_approval(defaults, tools, problems)
        if agent is not None:
            if signature is not None:
                check_turn_input(signature, agent, problems)
            kind = Kind.of(agent, program)
            checker = TaskChecker(agent, kind, defaults, signature, tools, problems)
            tasks = {place: checker.check(place, task) for place, task in tasks.items()}
            check_worlds(tasks, worlds, tools, signature, defaults, problems)
        if spec is None or signature is None or tools is None or problems:
            _check_program(agent, None, base, problems)
            raise TaskFileError(problems.report())
        name = spec.name or Path(document.name).stem
        made = cls(name, spec.agent, spec.defaults, signature, tools, tuple(tasks.values()), base, worlds)
        _check_program(agent, made, base, problems)
        if problems:
            raise TaskFileError(problems.report())
        return made

    def agent(self) -> Module:
        """The agent that the file describes, with its saved program's state if it names one."""
        if self.spec.program is not None and self.spec.built:
            return build_program(self.spec.program, self.base)
        made = self._module()
        if self.spec.program is not None:
            made.load(self.base / self.spec.program)
        return made

    def _module(self) -> Module:
        match self.spec.module:
            case "react":
                return ReAct(self.signature, self.tools)
            case "code_act":
                return CodeAct(self.signature, self.tools)
            case "program_of_thought":
                return ProgramOfThought(self.signature)
            case "chain_of_thought":
                return ChainOfThought(self.signature)
            case "predict":
                return Predict(self.signature)
            case "multi_chain":
                return MultiChainComparison(self.signature)

    @property
    def turn_fields(self) -> TurnFields | None:
        """The inputs that a conversation fills, where the signature has such."""
        return TurnFields.of(self.signature, self.spec.turn_input)

    def limits(self, task: Task) -> dict[str, Any]:
        """What a trial of this task may use, where the file says so; by the names in `Limits`."""
        return task.limits.over(self.defaults.limits)

    def environment(self, task: Task) -> Environment | None:
        """A fresh world for one trial of a task, with the faults that its calls meet; None where it has neither."""
        faults = tuple(map(fault_of, task.faults))
        if self.worlds is None:
            return Environment(faults=faults) if faults else None
        return self.worlds.environment(task.world, faults)

    def wanted(self, task: Task) -> Reached | None:
        """What the calls of a task's reference make of its world, made once; None where it has none."""
        reference = task.expect.reference
        if self.worlds is None or reference is None or reference.calls is None:
            return None
        return self.worlds.reached(task.world, reference.calls, self.tools, Approval(self.defaults.approve))

    def record(self, task: Task, kept: WorldRecord | None) -> WorldRecord | None:
        """What a trial did to its world, as it was kept, with what the task's reference wants now."""
        if kept is None or self.worlds is None:
            return kept
        reached = self.wanted(task)
        wanted = None if reached is None or reached.failed else reached.changes
        return kept.of_world(view_of(self.worlds.fresh(task.world)), wanted)

    def select(
        self,
        *,
        split: Split | None = None,
        tags: Collection[str] = (),
        ids: Collection[str] = (),
        limit: int | None = None,
    ) -> Self:
        """The same file with fewer tasks: of a split, with any of the tags, of these ids, the first `limit`.

        Raises `InputError` where there is no such split.
        """
        if split is not None and split not in get_args(Split):
            known = did_you_mean(str(split), get_args(Split))
            raise InputError(f"there is no split {split!r}{known}; there are: {', '.join(get_args(Split))}")
        chosen = [
            task
            for task in self.tasks
            if (split is None or task.split == split)
            and (not tags or set(tags) & set(task.tags))
            and (not ids or task.id in ids)
        ]
        return replace(self, tasks=tuple(chosen[:limit]))

    def task(self, name: str) -> Task:
        """The task of this id."""
        for task in self.tasks:
            if task.id == name:
                return task
        raise KeyError(f"no task {name!r}{did_you_mean(name, (task.id for task in self.tasks))}")

    def examples(self, split: Split | None = None) -> list[Example]:
        """The tasks as examples for `Evaluate` and the optimizers, with `metric` to judge them.

        An answer that must equal a value is a label; so is `task_id`. Of a conversation, the first thing that the
        user says is the input (of a simulated user, the goal): `loopwright.evaluation.rollout` has all of it.
        """
        if TASK_ID in self.signature.fields:
            raise InputError(f"a signature with a field {TASK_ID!r} can't be made into examples: rename it")
        return [_example(task, self.turn_fields) for task in self.select(split=split).tasks]

    def metric(self, example: Example, prediction: Prediction, trace: Trace | None = None) -> Score:
        """Judge a prediction for one of `examples` by its task's expectations.

        The value is the task's score, by default the part of the checks that passed; the feedback is the first that
        failed. A task with turns or a world must have been run by `loopwright.evaluation.rollout`, which `Evaluate`
        and the optimizers do. Answers that a model judges are put to it. Raises `MetricError` where there can be no
        score, and `InputError` for an example of elsewhere.
        """
        name = example.get(TASK_ID)
        if all(task.id != name for task in self.tasks):
            said = f"has no {TASK_ID}" if name is None else f"is of the task {name!r}, which is not in it"
            raise InputError(
                f"the metric of {self.name!r} judges what its examples() gave; this example {said}"
            )
        task = self.task(name)
        run = self._run_of(task, prediction)
        run = replace(run, verdicts=drive(verdicts(task, run, current().trace or Trace())))
        results = judge(task, run, self.signature, self.tools)
        found = scored(results, task.score)
        if found.passed is None:
            raise MetricError(next(result.feedback for result in results if result.error))
        first = next((result for result in results if result.failed), None)
        if first is None:
            return Score(found.value, found.passed)
        return Score(found.value, found.passed, first.feedback, first.step)

    def _run_of(self, task: Task, prediction: Prediction) -> Run:
        """What a run left behind, from the note of its prediction or, of a plain call, from its fields."""
        noted = getattr(prediction, RUN, None)
        if isinstance(noted, Run):
            return noted
        if task.turns or self.worlds is not None:
            what = "is a conversation" if task.turns else "has a world"
            raise MetricError(f"the task {task.id} {what}: run it by loopwright.evaluation.rollout")
        trajectory = prediction.get("trajectory")
        return Run(
            {name: prediction.get(name) for name in prediction.keys()},  # noqa: SIM118  # a record, no dict
            trajectory if isinstance(trajectory, Trajectory) else Trajectory(),
            prediction.get("termination_reason", ""),
        )

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """The JSON Schema (2020-12) of a task file, for editors."""
        return json_schema()


def _files_in(folder: Path) -> str:
    """The files of a folder that may be task files, as a hint; the first few where there are many."""
    names = sorted(one.name for one in folder.glob("*") if one.suffix in DATA_FILES and one.is_file())
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    named = ", ".join(one_line(name, 60) for name in names[:NAMED])
    return f": it has {named}{more}" if names else ", a .yaml or .json; it has none"


def _shaped(
    value: dict[str, Any], problems: Problems
) -> tuple[TaskFileSpec | None, AgentSpec | None, Defaults, dict[int, Task]]:
    """The file by its models: whole, and the parts that can be read where the whole can't."""
    whole: TaskFileSpec | None = None
    try:
        whole = TaskFileSpec.model_validate(value)
    except ValidationError as error:
        explain(error, problems)
    if whole is not None:
        return whole, whole.agent, whole.defaults, dict(enumerate(whole.tasks))
    listed = value.get("tasks")
    tasks = {
        place: _part(Task, task) for place, task in enumerate(listed if isinstance(listed, list) else ())
    }
    return (
        None,
        _part(AgentSpec, value.get("agent")),
        _part(Defaults, value.get("defaults")) or Defaults(),
        {place: task for place, task in tasks.items() if task is not None},
    )


def _part(model: type[M], value: object) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None  # its problems are among the whole's


def _check_program(agent: AgentSpec | None, made: TaskFile | None, base: Path, problems: Problems) -> None:
    """A saved program is there and fits the agent; one that is code was built before."""
    if agent is None or agent.program is None:
        return
    if made is not None and not agent.built:
        try:
            made.agent()
        except StateError as error:
            problems.add(("agent", "program"), str(error).replace(f"{base}{os.sep}", ""))


def _example(task: Task, fields: TurnFields | None) -> Example:
    labels = {name: m.equals for name, m in task.expect.answer.items() if "equals" in m.model_fields_set}
    inputs = dict(task.input)
    if task.turns and fields is not None:
        first = task.turns[0]
        inputs[fields.said] = first.user if first.simulate is None else first.simulate.goal
    return Example({**inputs, **labels, TASK_ID: task.id}).with_inputs(*inputs)
