"""The Python files that a run's own code is in: its tools, its simulator, its program."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FunctionType, MethodType

from loopwright.tools import ToolLookupError, World
from loopwright.tools.resolve import resolve_object

from ...module import Module
from ..tasks import TaskFile


def sources(file: TaskFile, program: Module) -> dict[str, str]:
    """By their names, from the task file's folder where they are in it, a digest of each file that can be read.

    Code that such a file imports, and tools behind a server, are not known.

    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer", tools: [calculate]}
    ... tasks: [{id: a, input: {question: Hi}, expect: {answer: {answer: Hello}}}]
    ... ''')
    >>> sources(file, file.agent())
    {}
    """
    found: dict[str, str] = {}
    for path in sorted(set(_files(file, program))):
        name = str(path.relative_to(file.base)) if path.is_relative_to(file.base) else str(path)
        try:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except OSError:
            continue  # its file is gone, or never was one
    return found


def _files(file: TaskFile, program: Module) -> Iterator[Path]:
    for one in _objects(file, program):
        own = one if isinstance(one, FunctionType | MethodType | type) else type(one)
        if str(own.__module__).partition(".")[0] == "loopwright":  # of which run.json has the version
            continue
        with suppress(TypeError, OSError):  # it is built in, or was typed
            yield Path(inspect.getsourcefile(inspect.unwrap(own)) or "")


def _objects(file: TaskFile, program: Module) -> Iterator[object]:
    """What is somebody's own code: functions, and objects whose class is."""
    yield from (tool.func for tool in file.tools.values())
    yield from (part for _, part in program.named_sub_modules())
    if file.spec.built and file.spec.program is not None:
        with suppress(ToolLookupError):  # it is gone by now: what it made is looked at all the same
            yield resolve_object(file.spec.program, base=file.base)
    world = None if file.worlds is None else file.worlds.make()
    if world is not None and not isinstance(world, World):
        yield world
