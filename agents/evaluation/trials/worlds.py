"""Where the worlds of a file's trials come from: each trial gets a fresh one, which nothing shares."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from loopwright.tools import (
    Approval,
    Tool,
    ToolCall,
    ToolDefinitionError,
    ToolLookupError,
    ToolRegistry,
    ToolResult,
    ToolRun,
    World,
    WorldError,
)
from loopwright.tools.resolve import resolve_object
from loopwright.tools.world import ABSENT, Change, Environment, Fault, Simulator, Snapshot
from loopwright.tools.world.changes import differences, same
from loopwright.tools.world.crud import declared_tool
from loopwright.tools.world.environment import is_world_type, view_of
from loopwright.tools.world.paths import steps_of
from loopwright.tools.world.tree import MAX_NODES, at, counted, removed, replaced, size

from ...errors import TaskFileError
from ...text import one_line
from ..file.locate import read_document
from ..file.problems import Problems
from ..file.world_format import FaultSpec, ReferenceCall, TaskWorld, WorldSpec

NOTHING_SET = TaskWorld()


@dataclass(frozen=True)
class Worlds:
    """Makes worlds for a file's trials: `make` gives a fresh one, as a task finds it that changes nothing.

    `tools` are those that the file declares over it; not `complete` where one of them could not be made.
    """

    make: Callable[[], object]
    tools: ToolRegistry = field(default_factory=ToolRegistry)
    complete: bool = True
    _known: dict[str, Reached] = field(default_factory=dict, repr=False, compare=False)
    _starts: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    def fresh(self, start: TaskWorld | None = None) -> object:
        """A world that no other trial has, with what a task sets; raises `WorldError`."""
        world = self.make()
        if start is None or start == NOTHING_SET:
            return world
        if isinstance(world, World):
            return World.of(_started(world.snapshot(), start))
        simulator = cast("Simulator", world)
        state = copy.deepcopy(simulator.snapshot())
        wanted = with_start(state, start)
        simulator.restore(copy.deepcopy(wanted))
        taken = simulator.snapshot()
        if not same(counted(taken)[0], counted(wanted)[0]):
            raise WorldError(
                f"{type(world).__name__}.restore() did not take over what was set: its snapshot() gives something else"
            )
        return world

    def environment(self, start: TaskWorld | None = None, faults: tuple[Fault, ...] = ()) -> Environment:
        """A fresh world with the faults that a trial's calls meet."""
        made = Environment(self.fresh(start), faults)
        # a simulator's data is read anew for each trial: those that are alike are kept once
        known = self._starts.setdefault(repr(start), made.before)
        if known is not made.before and same(known, made.before):
            made.before = known
        return made

    def reached(
        self,
        start: TaskWorld | None,
        calls: Sequence[ReferenceCall],
        tools: ToolRegistry,
        approval: Approval,
    ) -> Reached:
        """What a reference's calls make of a fresh world; made once, however many trials ask.

        Two threads that ask at the same time may both make them: each on a world of its own.
        """
        key = repr((start, calls))
        if key not in self._known:
            self._known[key] = make_calls(self.environment(start), calls, tools, approval)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Reached:
    """What calls made of a world: the changes, and each call with its result; `failed` is the first that failed."""

    changes: tuple[Change, ...]
    results: tuple[ToolResult, ...]

    @property
    def failed(self) -> ToolResult | None:
        """The first call that failed."""
        return next((one for one in self.results if not one.ok), None)


def make_calls(
    environment: Environment, calls: Sequence[ReferenceCall], tools: ToolRegistry, approval: Approval
) -> Reached:
    """Make calls one after the other through the tools, as an agent's are; stops at the first that fails."""
    run = ToolRun(approval=approval, environment=environment)
    results: list[ToolResult] = []
    for call in calls:
        results.append(tools.call(ToolCall(call.tool, call.args), run))
        if not results[-1].ok:
            break
    after = view_of(environment.world)
    return Reached(tuple(differences(environment.before, after)), tuple(results))


def _started(state: Snapshot, start: TaskWorld) -> Snapshot:
    tree = with_start(state.tree, start)
    count = size(tree)
    if count > MAX_NODES:
        raise WorldError(f"a world holds at most {MAX_NODES:,} values")
    return Snapshot(tree, count)


def with_start(tree: object, start: TaskWorld) -> object:
    """A tree with what a task sets, adds and removes, in this order; raises `WorldError`."""
    for path, value in start.set.items():
        tree = replaced(tree, steps_of(path), counted(value)[0])
    for path, items in start.append.items():
        listed = at(tree, steps_of(path))
        if not isinstance(listed, list):
            raise WorldError(f"{path} is no list that something could be added to")
        tree = replaced(tree, steps_of(path), listed + [counted(item)[0] for item in items])
    for path in start.remove:
        tree = removed(tree, steps_of(path))
    return tree


def fault_of(spec: FaultSpec) -> Fault:
    """A fault as the tools know it."""
    result = spec.result if "result" in spec.model_fields_set else ABSENT
    error = spec.error if spec.kind == "raised" else ""
    return Fault(spec.tool, spec.call, error, spec.kind, spec.done, result, spec.delay_s)


# ---- reading


def read_worlds(spec: WorldSpec, base: Path, problems: Problems) -> Worlds | None:
    """Where a file's worlds come from, tried once; None where that is nothing usable."""
    path = ("defaults", "world")
    try:
        make = _maker(spec, base)
        world = make()
        tree = view_of(world)
    except (WorldError, ToolLookupError) as error:
        problems.add(path, str(error))
        return None
    except TaskFileError as error:
        for problem in error.problems:
            problems.add(path, problem)
        return None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a simulator is somebody's own code
        text = one_line(str(error), 200)
        problems.add(path, f'"{spec.simulator}" can\'t be made: {type(error).__name__}: {text}')
        return None
    if spec.tools and not isinstance(world, World):
        problems.add(
            (*path, "tools"), "are over a world's data: a simulator has tools of its own, in agent.tools"
        )
        return Worlds(make, complete=False)
    declared = _declared(spec, tree, problems)
    return Worlds(make, ToolRegistry(*declared), complete=len(declared) == len(spec.tools))


def _declared(spec: WorldSpec, tree: object, problems: Problems) -> list[Tool]:
    made: list[Tool] = []
    for name, tool in spec.tools.items():
        try:
            made += ToolRegistry(declared_tool(tool.declared(name), tree)).values()
        except (ToolDefinitionError, WorldError) as error:
            problems.add(("defaults", "world", "tools", name), str(error).removeprefix(f"{name}: "))
    return made


def _maker(spec: WorldSpec, base: Path) -> Callable[[], object]:
    if spec.simulator is not None:
        return _of_object(resolve_object(spec.simulator, base=base), spec.simulator)
    data = spec.data if spec.file is None else _read(spec.file, base)
    state = World(data).snapshot()
    return lambda: World.of(state)


def _read(name: str, base: Path) -> Mapping[str, object]:
    if Path(name).is_absolute():
        raise WorldError(f"{name} is an absolute path: a world's file is named from the task file's folder")
    value = read_document(base / name, name).value
    if not isinstance(value, dict):
        raise WorldError(
            f"{name} holds {'nothing' if value is None else type(value).__name__}, not a mapping"
        )
    return value


def _of_object(found: object, name: str) -> Callable[[], object]:
    """A maker from what a file names: a class or a function, or data and worlds that are copied."""
    if isinstance(found, World):
        state = found.snapshot()
        return lambda: World.of(state)
    if isinstance(found, Mapping):
        data = World(found).snapshot()
        return lambda: World.of(data)
    if not callable(found):
        raise WorldError(
            f'"{name}" is {type(found).__name__}: name a class, or a function that makes a world'
        )
    maker = cast("Callable[[], object]", found)

    def make() -> object:
        world = maker()
        if isinstance(world, Mapping):
            return World(world)
        if not is_world_type(type(world)):
            raise WorldError(
                f'"{name}" gives {type(world).__name__}: a world is a World, a mapping, or an object with snapshot() and restore()'
            )
        return world

    return make
