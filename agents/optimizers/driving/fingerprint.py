"""Names for what was run: two rollouts have one key where they are the same in all that can matter."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from loopwright.tools import ToolRegistry

from ...adapters.values import to_plain
from ...ambient import current, current_lm
from ...evaluation.rollout import file_of
from ...evaluation.tasks import TASK_ID, TaskFile
from ...example import Example
from ...module import Module
from ...modules.agent import Agent
from ...state import State, dump_state
from .rollouts import Rollout

VERSION = 1  # of the key: another one makes everything stored be run again


class Fingerprints:
    """Keys of rollouts under one metric and one way to run; what a program is made of is looked at once.

    The programs that were seen are kept, so that no other can come to have the same address.
    """

    def __init__(self, metric: Callable[..., object], run: Callable[..., object]) -> None:
        self._judged = [_of_function(metric), _of_function(run)]
        self._file = file_of(metric)
        self._programs: dict[tuple[int, int], tuple[object, str]] = {}

    def key(self, rollout: Rollout) -> str:
        """The rollout's key: a SHA-256 of all that its outcome hangs on."""
        script = None
        if rollout.script is not None:
            shown = Example(trajectory=rollout.script)
            script = dump_state(State("", "", (shown,)))["demos"]
        return _hash(
            [
                VERSION,
                self._judged,
                self._program(rollout),
                _shown(rollout.example),
                self._file and _task(self._file, rollout.example),
                rollout.number,
                rollout.temperature,
                [rollout.strict, rollout.judged],
                script,
            ]
        )

    def _program(self, rollout: Rollout) -> str:
        place = (id(rollout.program), id(rollout.lm))
        if place not in self._programs:
            self._programs[place] = ((rollout.program, rollout.lm), of_program(rollout.program, rollout.lm))
        return self._programs[place][1]


def of_program(program: Module, lm: Any = None) -> str:
    """A name for a program: its parts, what each has learned, its options, models, limits and tools."""
    adapter = current().adapter
    parts: list[object] = [type(adapter).__name__]
    for path, module in program.named_sub_modules():
        part: dict[str, object] = {
            "path": path,
            "kind": f"{type(module).__module__}.{type(module).__qualname__}",
        }
        part["settings"] = {
            name: value
            for name, value in vars(module).items()
            if value is None or isinstance(value, bool | int | float | str)
        }
        if isinstance(module, Agent):
            part["limits"] = repr(module.limits)
        tools = getattr(module, "tools", None)
        if isinstance(tools, ToolRegistry):
            part["tools"] = [[spec.name, spec.description, spec.parameters] for spec in tools.specs()]
        if module.is_predictor:
            own: Any = module
            part["state"] = dump_state(own.own_state())
            part["options"] = to_plain(dict(own.options))
            part["model"] = (lm or current_lm(own.lm)).identity
        parts.append(part)
    return _hash(parts)


def _of_function(function: Callable[..., object]) -> list[str]:
    """A function's name and what is known of its code."""
    while isinstance(function, partial):
        function = function.func
    plain = getattr(function, "__func__", function)
    named = plain if hasattr(plain, "__qualname__") else type(plain)
    try:
        code = inspect.getsource(named)
    except (OSError, TypeError):
        code = getattr(getattr(plain, "__code__", None), "co_code", b"").hex()
    return [str(getattr(named, "__module__", "")), str(getattr(named, "__qualname__", "")), code]


def _task(owner: TaskFile, example: Example) -> object:
    name = example.get(TASK_ID)
    return None if name is None else [owner.task(name).model_dump_json(), owner.defaults.model_dump_json()]


def _shown(example: Example) -> Mapping[str, Any]:
    return {"fields": example.toDict(), "inputs": sorted(example.input_keys)}


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    plain = to_plain(value)
    return plain if isinstance(plain, dict | list | str | int | float | bool | None) else repr(plain)
