"""What a task file says of worlds, held against the world that there is and the tools that work on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loopwright.tools import Tool, ToolCall, ToolRegistry, WorldError
from loopwright.tools.errors import ArgumentsError, nearest
from loopwright.tools.world import ABSENT
from loopwright.tools.world.changes import value_text
from loopwright.tools.world.environment import view_of
from loopwright.tools.world.paths import Path, Pattern, Selection, is_pattern, steps_of
from loopwright.tools.world.tree import at, below, key_in, located, matching, missing

from ...adapters.values import parse_value
from ...signature import Signature
from ...text import did_you_mean, one_line
from ..checks.state_checks import state_problem
from ..trials.worlds import Worlds, with_start
from .format import Defaults, Task
from .locate import JsonPath
from .problems import Problems
from .world_format import Reference, StateCheck, TaskWorld
from .world_tool_semantics import NO_WORLD, check_declared, check_world_types


def check_worlds(
    tasks: Mapping[int, Task],
    worlds: Worlds | None,
    tools: ToolRegistry | None,
    signature: Signature | None,
    defaults: Defaults,
    problems: Problems,
) -> None:
    """Note what is wrong in the tasks, each by its place, and with the tools; one world that can't be read is named once."""
    if worlds is None and names_world(problems.document.value):
        return
    if tools is not None:
        check_world_types(tools, worlds, problems)
    if worlds is not None and defaults.world is not None:
        check_declared(defaults.world, worlds, tasks, problems)
    checker = WorldChecker(worlds, tools, signature, defaults, problems)
    for place, task in tasks.items():
        checker.check(("tasks", place), task)


def names_world(value: Mapping[str, object]) -> bool:
    """Whether a file names a world, also where its keys are misspelt: what depends on it can't be judged without it.

    >>> names_world({"default": {"wrold": "shop.yaml"}}), names_world({"defaults": {"seed": 1}})
    (True, False)
    """
    return any(
        given is not None
        for outer, defaults in value.items()
        if _means(outer, "defaults") and isinstance(defaults, Mapping)
        for key, given in defaults.items()
        if _means(key, "world")
    )


def _means(key: object, known: str) -> bool:
    return key == known or bool(did_you_mean(str(key), [known]))


@dataclass(frozen=True, slots=True)
class WorldChecker:
    """Checks what a task says of its world and of what goes wrong; `worlds` is None where the file has none."""

    worlds: Worlds | None
    tools: ToolRegistry | None
    signature: Signature | None
    defaults: Defaults
    problems: Problems

    def check(self, path: JsonPath, task: Task) -> None:
        """Note what is wrong with a task at this place."""
        if self.tools is not None and task.faults:
            self._faults((*path, "faults"), task, self.tools)
        expect = task.expect
        if self.worlds is None:
            for here, given in (
                ((*path, "world"), task.world),
                *_states(path, task),
                ((*path, "expect", "reference", "ignore"), expect.reference and expect.reference.ignore),
            ):
                if given:
                    self.problems.add(here, NO_WORLD)
        if expect.reference is not None:
            self._reference((*path, "expect", "reference"), expect.reference)
        if self.worlds is None:
            return
        tree = self._start((*path, "world"), self.worlds, task.world)
        if tree is None:
            return
        for here, checks in _states(path, task):
            together = [] if "turns" in here else checks  # in a turn, unchanged is as the turn before left it
            for place, check in enumerate(checks):
                self._state((*here, place), check, tree, together)
        if expect.reference is not None:
            for place, text in enumerate(expect.reference.ignore):
                self._ignored((*path, "expect", "reference", "ignore", place), text, tree)

    # ---- the world at the start

    def _start(self, path: JsonPath, worlds: Worlds, start: TaskWorld | None) -> object:
        """The world's data as the task finds it; None where that is wrong, which is noted."""
        tree = view_of(worlds.make())
        if start is None:
            return tree
        sound = True
        for here, step in _one_by_one(start):
            try:
                tree = with_start(tree, step)
            except WorldError as error:
                self.problems.add((*path, *here), str(error))
                sound = False
        if not sound:
            return None
        try:
            return view_of(worlds.fresh(start))
        except WorldError as error:
            self.problems.add(path, str(error))
        except Exception as error:  # noqa: BLE001  # a simulator's own code
            self.problems.add(path, f"can't be set: {type(error).__name__}: {one_line(str(error), 200)}")
        return None

    # ---- what goes wrong

    def _faults(self, path: JsonPath, task: Task, tools: ToolRegistry) -> None:
        seen: dict[tuple[str, int], int] = {}
        most = task.limits.over(self.defaults.limits).get("tool_calls")
        for place, fault in enumerate(task.faults):
            here = (*path, place)
            if fault.tool not in tools:
                self._unknown_tool(here, fault.tool, tools)
            elif most is not None and fault.call > most:
                self.problems.add((*here, "call"), f"never comes: limits.tool_calls is {most}")
            if (fault.tool, fault.call) in seen:
                line = self.problems.document.line((*path, seen[fault.tool, fault.call]))
                self.problems.add(
                    here, f"call {fault.call} of {fault.tool} has a fault already, in line {line}"
                )
            seen.setdefault((fault.tool, fault.call), place)

    def _unknown_tool(self, here: JsonPath, name: str, tools: ToolRegistry) -> None:
        hint = did_you_mean(name, tools) or f"; there are {', '.join(tools) or 'none'}"
        spot = (*here, "tool") if (*here, "tool") in self.problems.document.lines else here
        self.problems.add(spot, f"the agent has no tool {name!r}{hint}")

    # ---- the reference

    def _reference(self, path: JsonPath, reference: Reference) -> None:
        listed = (*path, "calls") if (*path, "calls") in self.problems.document.lines else path
        for place, call in enumerate(reference.calls or ()):
            here = (*listed, place)
            tool = None if self.tools is None else self.tools.get(call.tool)
            if tool is not None:
                self._arguments(here, tool, ToolCall(call.tool, call.args))
            elif self.tools is not None:
                self._unknown_tool(here, call.tool, self.tools)
        for name, value in reference.answer.items() if self.signature is not None else ():
            self._answer((*path, "answer", name), name, value)

    def _answer(self, here: JsonPath, name: str, value: object) -> None:
        assert self.signature is not None  # noqa: S101  # the caller has looked
        fields = self.signature.output_fields
        if name not in fields:
            hint = did_you_mean(name, fields) or f"; it has {', '.join(fields)}"
            self.problems.add(here, f"the signature has no such output{hint}")
            return
        try:
            parse_value(value, fields[name])
        except ValueError as error:
            self.problems.add(here, str(error))

    def _arguments(self, here: JsonPath, tool: Tool, call: ToolCall) -> None:
        for name in call.args:
            if name not in tool.parameters.by_name and tool.parameters.extra is None:
                hint = did_you_mean(name, tool.parameters.by_name) or f": {tool.usage}"
                self.problems.add((*here, "args", name), f"{tool.name} has no parameter {name!r}{hint}")
                return
        try:
            tool.coerced(call)
        except ArgumentsError as error:
            self.problems.add((*here, "args"), f"{tool.name}: {error}")

    def _ignored(self, here: JsonPath, text: str, tree: object) -> None:
        pattern = self._pattern(here, text)
        if pattern is None or pattern.anywhere:
            return
        if not any(pattern.steps[0].fits(key) for key in below(tree)):
            hint = missing(tree, (pattern.steps[0].text,), 0)
            self.problems.add(self._spot(here), f"{text!r} fits nothing in the world: {hint}")

    # ---- the end state

    def _state(self, here: JsonPath, check: StateCheck, tree: object, all_checks: list[StateCheck]) -> None:
        if check.unchanged is not None:
            self._unchanged((*here, "unchanged"), check.unchanged, tree)
            return
        spot = (*here, "path")
        assert check.path is not None  # noqa: S101  # the format has looked
        try:
            path = steps_of(check.path)
        except WorldError as error:
            self.problems.add(spot, str(error))
            return
        words = not_in_world(tree, path)
        if words is not None:
            self.problems.add(spot, words)
            return
        own = located(tree, path)
        start = ABSENT if own is None else at(tree, own)
        if state_problem(check, start) is not None and self._kept(own or path, all_checks):
            held = value_text(start)
            self.problems.add(here, f"must be as it was by unchanged, which is {held}: no run can meet both")

    def _kept(self, path: Path, checks: list[StateCheck]) -> bool:
        """Whether an unchanged that can be read covers a path."""
        try:
            return any(
                Selection.of(one.unchanged).covers(path) for one in checks if one.unchanged is not None
            )
        except WorldError:
            return False

    def _unchanged(self, here: JsonPath, patterns: list[str], tree: object) -> None:
        if patterns and patterns[0].startswith("!"):
            self.problems.add(
                here, f"{patterns[0]!r} takes away from nothing: first say what is to stay unchanged"
            )
        for place, text in enumerate(patterns):
            pattern = self._pattern((*here, place), text.removeprefix("!"))
            if pattern is None or next(matching(tree, pattern), None) is not None:
                continue
            words = ""
            if not is_pattern(pattern.text):
                words = f": {not_there(tree, pattern.path)}"
            self.problems.add(self._spot((*here, place)), f"{text!r} fits nothing in the world{words}")

    def _pattern(self, here: JsonPath, text: str) -> Pattern | None:
        try:
            return Pattern.of(text)
        except WorldError as error:
            self.problems.add(self._spot(here), str(error))
            return None

    def _spot(self, here: JsonPath) -> JsonPath:
        """The place of an item; that of the list where the short form, one text, stands for it."""
        return here if here in self.problems.document.lines else here[:-1]


def _states(path: JsonPath, task: Task) -> Iterator[tuple[JsonPath, list[StateCheck]]]:
    """What a task, and each of its turns, expects of the world."""
    yield (*path, "expect", "state"), task.expect.state
    for item, turn in enumerate(task.turns):
        yield (*path, "turns", item, "expect", "state"), turn.expect.state


def _one_by_one(start: TaskWorld) -> Iterator[tuple[JsonPath, TaskWorld]]:
    for path, value in start.set.items():
        yield ("set", path), TaskWorld(set={path: value})
    for path, items in start.append.items():
        yield ("append", path), TaskWorld(append={path: items})
    for place, path in enumerate(start.remove):
        yield ("remove", place), TaskWorld(remove=[path])


def not_there(tree: object, path: Path) -> str:
    """That a path leads to nothing, and how far it leads; "" where it leads to something."""
    for place in range(len(path)):
        if located(tree, path[: place + 1]) is None:
            return missing(at(tree, path[:place]), path, place)
    return ""


def not_in_world(tree: object, path: Path) -> str | None:
    """Why nothing will ever be at a path, as far as the world at the start can tell; None where something may be.

    A list may grow, a table of records too, and a record may get a field, but not one that is a misspelt one's.

    >>> world = {"orders": {"17": {"status": "paid", "note": None}}, "ledger": []}
    >>> not_in_world(world, ("orders", "17", "statsu"))
    'there is no orders.17.statsu; did you mean "status"?'
    >>> [not_in_world(world, path) for path in (("orders", "99", "status"), ("ledger", "0"), ("orders", "17", "note", "by"))]
    [None, None, None]
    """
    node = tree
    for place, step in enumerate(path):
        key = key_in(node, step)
        if key is not None:
            node = below(node)[key]
            continue
        words = missing(node, path, place)
        if place == 0:
            return words
        if isinstance(node, list):
            return None if str(step).removeprefix("-").isdigit() else words
        if not isinstance(node, dict):
            return None if node is None else words
        is_table = all(isinstance(one, dict) for one in node.values())
        return words if not is_table and nearest(str(step), map(str, node)) else None
    return None
