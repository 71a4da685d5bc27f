"""State: what a program has learned, apart from its code, and its form in a file.

A saved program is JSON: no pickle, no code, no key. Reading one runs nothing that is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loopwright.tools.calls import ErrorKind, ToolCall, ToolResult

from .__about__ import __version__
from .adapters.values import to_plain
from .errors import ConfigurationError, StateError
from .example import Example
from .trajectory import Step, Trajectory
from .whole_file import write_whole

FORMAT = 1  # of the file


@dataclass(frozen=True, slots=True)
class Nearest:
    """How many of a predictor's demonstrations a prompt shows, and the name of what says which are near."""

    k: int
    vectorizer: str


@dataclass(frozen=True, slots=True)
class State:
    """What one predictor has learned.

    `fields` is the fingerprint of its signature, the text form without instructions: a state fits a
    predictor only where they agree. With `nearest` a prompt shows those demonstrations that are nearest to its
    inputs. Of an agent's predictor: `guidance` follows the instructions, and `tools` are descriptions that go before
    the tools' own, by name.
    """

    fields: str
    instructions: str
    demos: tuple[Example, ...] = ()
    nearest: Nearest | None = None
    guidance: str = ""
    tools: Mapping[str, str] = field(default_factory=dict, hash=False)


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _SavedCall(_Saved):
    name: str
    args: dict[str, Any]


class _SavedResult(_Saved):
    content: str
    error: ErrorKind | None = None


class _SavedStep(_Saved):
    thought: str = ""
    calls: list[_SavedCall]
    results: list[_SavedResult]


class _SavedDemo(_Saved):
    inputs: list[str] | None = None
    values: dict[str, Any]
    trajectory: list[_SavedStep] | None = None


class _SavedNearest(_Saved):
    k: Annotated[int, Field(ge=1)]
    vectorizer: str


class _SavedState(_Saved):
    fields: str
    instructions: str
    demos: list[_SavedDemo] = []
    nearest: _SavedNearest | None = None
    guidance: str = ""
    tools: dict[str, str] = {}


class _SavedProgram(_Saved):
    loopwright: str
    format: int
    predictors: dict[str, _SavedState]


def dump_state(state: State) -> dict[str, Any]:
    """A state as JSON's own types.

    >>> dump_state(State("question -> answer", "Be brief."))
    {'fields': 'question -> answer', 'instructions': 'Be brief.', 'demos': []}
    """
    dumped: dict[str, Any] = {
        "fields": state.fields,
        "instructions": state.instructions,
        "demos": [_dump_demo(demo) for demo in state.demos],
    }
    learned = {
        "nearest": state.nearest and asdict(state.nearest),
        "guidance": state.guidance,
        "tools": dict(state.tools),
    }
    return dumped | {name: value for name, value in learned.items() if value}


def undump_state(saved: object, path: str) -> State:
    """The reverse of `dump_state`; raises `StateError` that names the predictor and what is wrong."""
    try:
        read = _SavedState.model_validate(saved)
    except ValidationError as error:
        raise StateError(f"predictor {path!r}: {first_problem(error)}") from error
    return State(
        read.fields,
        read.instructions,
        tuple(map(_undump_demo, read.demos)),
        None if read.nearest is None else Nearest(read.nearest.k, read.nearest.vectorizer),
        read.guidance,
        read.tools,
    )


def write_program(path: str | Path, predictors: Mapping[str, Any]) -> None:
    """Write dumped states to a file, whole or not at all."""
    whole = {"loopwright": __version__, "format": FORMAT, "predictors": predictors}
    write_whole(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")


def refuse_pickle(allowed: object) -> None:
    """Raise `ConfigurationError` where DSPy's `allow_pickle` is set: a file must not be able to run code here."""
    if allowed:
        raise ConfigurationError("loopwright reads no pickle: a file must not be able to run code here")


def read_program(path: str | Path) -> dict[str, Any]:
    """The dumped states in a file, by predictor path; raises `StateError` that names the file."""
    try:
        whole = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(f"{path} is no saved program: {error}") from error
    if isinstance(whole, dict) and "loopwright" not in whole and "metadata" in whole:
        raise StateError(
            f"{path} is no file of loopwright's, but looks like one that DSPy wrote: those are not read. Copy the "
            "instructions and demos over (predictor.signature.with_instructions(...), predictor.demos), or optimize again"
        )
    if isinstance(whole, dict) and whole.get("format", FORMAT) != FORMAT:
        raise StateError(
            f"{path} has format {whole['format']!r}; this version of loopwright reads format {FORMAT}"
        )
    try:
        _SavedProgram.model_validate(whole)
    except ValidationError as error:
        raise StateError(f"{path} is no saved program: {first_problem(error)}") from error
    return cast("dict[str, Any]", whole["predictors"])


def first_problem(error: ValidationError) -> str:
    """The first of a validation's complaints, with the place it is about."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def _dump_demo(demo: Example) -> dict[str, Any]:
    trajectory = demo.get("trajectory")
    dumped: dict[str, Any] = {
        "values": {name: to_plain(value) for name, value in demo.items() if name != "trajectory"}
    }
    if demo.has_inputs:
        dumped["inputs"] = sorted(demo.input_keys)
    if isinstance(trajectory, Trajectory):
        dumped["trajectory"] = [_dump_step(step) for step in trajectory.steps]
    return dumped


def _dump_step(step: Step) -> dict[str, Any]:
    return {
        "thought": step.thought,
        "calls": [{"name": call.name, "args": to_plain(dict(call.args))} for call in step.calls],
        "results": [{"content": result.content, "error": result.error} for result in step.results],
    }


def _undump_demo(saved: _SavedDemo) -> Example:
    demo = Example(saved.values)
    if saved.trajectory is not None:
        demo = demo.copy(trajectory=Trajectory(tuple(map(_undump_step, saved.trajectory))))
    return demo if saved.inputs is None else demo.with_inputs(*(n for n in saved.inputs if n in demo))


def _undump_step(saved: _SavedStep) -> Step:
    calls = tuple(ToolCall(call.name, call.args) for call in saved.calls)
    results = tuple(
        ToolResult(call, r.content, r.error) for call, r in zip(calls, saved.results, strict=False)
    )
    return Step(saved.thought, calls, results)
