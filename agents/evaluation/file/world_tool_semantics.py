"""The tools of a task file that work on a world, held against the world that there is."""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.tools import ToolRegistry, WorldError
from loopwright.tools.world.environment import view_of
from loopwright.tools.world.paths import parts_of
from loopwright.tools.world.tree import key_in, missing

from ..trials.worlds import Worlds
from .format import Task
from .problems import Problems
from .programs import Kind
from .world_format import WorldSpec

NO_WORLD = "there is no world: defaults.world says which"


def with_declared(
    tools: ToolRegistry | None, worlds: Worlds | None, kind: Kind, problems: Problems
) -> ToolRegistry | None:
    """The agent's tools and those that the file declares over its world; None where one is not there."""
    if tools is None or worlds is None or not worlds.complete:
        return tools if worlds is None else None
    declared = worlds.tools
    if not declared:
        return tools
    here = ("defaults", "world", "tools")
    if not kind.calls_tools or kind.built:
        why = "brings its own tools" if kind.built else "calls no tools"
        problems.add(here, f"{kind.name} {why}")
        return None
    for name in declared:
        if name in tools:
            problems.add((*here, name), f"agent.tools has a tool of this name, from {tools[name].source}")
    return tools | ToolRegistry([one for one in declared.values() if one.name not in tools])


def check_world_types(tools: ToolRegistry, worlds: Worlds | None, problems: Problems) -> None:
    """Every tool that works on a world has one of its kind."""
    world = None if worlds is None else worlds.make()
    for tool in tools.values():
        wanted = tool.world
        if wanted is None or isinstance(world, wanted.kind) or (world is None and not wanted.required):
            continue
        if world is None:
            problems.add(("agent", "tools"), f"{tool.name} works on a {wanted.kind.__name__}, and {NO_WORLD}")
        else:
            found = type(world).__name__
            problems.add(
                ("agent", "tools"),
                f"{tool.name} works on a {wanted.kind.__name__}, and defaults.world is a {found}",
            )


def check_declared(spec: WorldSpec, worlds: Worlds, tasks: Mapping[int, Task], problems: Problems) -> None:
    """Every declared tool is over something that the world has, or that a task or a tool puts there."""
    if not spec.tools or not worlds.complete:
        return
    tree = view_of(worlds.make())
    declared = {name: tool.declared(name) for name, tool in spec.tools.items()}
    put = [path for task in tasks.values() if task.world is not None for path in task.world.set]
    put += [tool.path for tool in declared.values() if tool.operation == "set"]
    known = {_first_step(path) for path in put}
    for name, tool in declared.items():
        first = _first_step(tool.path)
        if first in known or "{" in first or "*" in first or key_in(tree, first) is not None:
            continue
        problems.add(("defaults", "world", "tools", name), missing(tree, (first,), 0))


def _first_step(path: str) -> str:
    """The first step of a path or a pattern; "" where it is none, which is said elsewhere."""
    try:
        return parts_of(path)[0].text
    except WorldError:
        return ""
