"""What is wrong with a task file, in words: the line, the place, what was found, what is wanted."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from ...text import did_you_mean, one_line
from ..checks.matching import Matcher, shown
from .format import AgentSpec, Defaults, Task, TaskFileSpec
from .locate import Document, JsonPath
from .world_format import WorldSpec

MAX_PROBLEMS = 50

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "finite_number": "a finite number",
}


class Problems:
    """Collects problems with their lines; `report` gives them in the order of the file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: list[tuple[int, str]] = []

    def add(self, path: JsonPath, message: str) -> None:
        """Note what is wrong at a place in the document."""
        line = self.document.line(path)
        place = self.place(path)
        self._found.append((line, f"{self.document.name}:{line}: {place}{': ' if place else ''}{message}"))

    def report(self) -> list[str]:
        """One line each, at most `MAX_PROBLEMS` of them and then how many more there are."""
        lines = list(dict.fromkeys(text for _, text in sorted(self._found, key=lambda found: found[0])))
        more = len(lines) - MAX_PROBLEMS
        return lines[:MAX_PROBLEMS] + ([f"{self.document.name}: and {more} more"] if more > 0 else [])

    def __bool__(self) -> bool:
        return bool(self._found)

    def located(self, path: JsonPath) -> JsonPath:
        """The path without what a short form leaves out: a bare value has no `equals` around it."""
        return path if path in self.document.lines else path[:-1]

    def place(self, path: JsonPath) -> str:
        """A path as a person reads it: tasks by their id."""
        if len(path) >= 2 and path[0] == "tasks":
            tasks = self.document.value["tasks"]
            task = tasks[path[1]] if isinstance(tasks, list) and isinstance(path[1], int) else None
            name = task.get("id") if isinstance(task, dict) else None
            start = f"task {one_line(name, 60)}" if isinstance(name, str) and name else f"tasks[{path[1]}]"
            rest = dotted(path[2:])
            return f"{start}: {rest}" if rest else start
        return dotted(path)


def dotted(path: JsonPath) -> str:
    """A path as text.

    >>> dotted(("expect", "calls", "required", 0, "tool"))
    'expect.calls.required[0].tool'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{one_line(step, 60)}" for step in path)
    return text.removeprefix(".")


def explain(error: ValidationError, problems: Problems) -> None:
    """Put what pydantic found into words; a key that is missing since another is misspelt is said once."""
    found = error.errors(include_url=False)
    unknown = [tuple(one["loc"]) for one in found if one["type"] == "extra_forbidden"]
    for one in found:
        path = tuple(one["loc"])
        if one["type"] == "missing" and any(_meant(path, other) for other in unknown):
            continue
        problems.add(path, _message(one["type"], path, one["input"], one.get("ctx", {}), one["msg"]))


def _meant(missing: JsonPath, unknown: JsonPath) -> bool:
    """Whether a key that is not known is a missing one, misspelt."""
    return missing[:-1] == unknown[:-1] and bool(did_you_mean(str(unknown[-1]), [str(missing[-1])]))


def _message(kind: str, path: JsonPath, given: object, limits: Mapping[str, Any], message: str) -> str:
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return f"is missing{_example(path[-1])}"
    if kind in _WANTED:
        shape = _shape(kind, path)
        return f"must be {_WANTED[kind]}, not {_given(given)}{shape}"
    if kind == "literal_error":
        return _wrong_choice(path, given, str(limits["expected"]))
    if kind in _BOUNDS and (bound := limits.get(_BOUNDS[kind][0])) is not None:
        return f"must be {_BOUNDS[kind][1]} {bound:g}, not {_given(given)}"
    if kind in ("too_short", "string_too_short"):
        return "is empty"
    if kind in ("too_long", "string_too_long"):
        return f"is too long: at most {limits['max_length']}"
    if kind == "string_pattern_mismatch":
        return f"{_given(given)} can't be an id: letters, digits and signs without spaces or /"
    return message


_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def _unknown_key(path: JsonPath) -> str:
    key = str(path[-1])
    model = model_at(path[:-1])
    names = key_names(model) if model else []
    if key == "model" and model in (TaskFileSpec, AgentSpec, Defaults, Task):
        return "no such key: the model is the command's, as in --model openai/gpt-5-mini"
    hint = did_you_mean(key, names) or f"{_home(key)}; there are {', '.join(names)}"
    if model is Matcher:
        hint += " (to compare with a mapping, write equals: {…})"
    if model is WorldSpec and not did_you_mean(key, names):
        hint += " (what the world holds goes below data)"
    return f"no such key{hint}"


def _home(key: str) -> str:
    """Where a key goes that stands in the wrong place; "" where there is no such key, or too many."""
    found = _homes().get(key, ())
    told = [place for place in found if not any(place.endswith(f".{other[6:]}") for other in found)]
    return f"; it goes {' or '.join(told)}" if 0 < len(told) <= 2 else ""


@cache
def _homes() -> Mapping[str, Sequence[str]]:
    """The places of each key of a task file, as a person says them."""
    homes: dict[str, list[str]] = {}

    def walk(model: type[BaseModel], place: str, path: tuple[str, ...]) -> None:
        for name, field in model.model_fields.items():
            key = field.alias or name
            if place not in homes.setdefault(key, []):
                homes[key].append(place)
            for inner in _all_models(field.annotation):
                if inner is Task:
                    walk(inner, "below a task", ())
                else:
                    walk(inner, f"below {'.'.join((*path, key))}", (*path, key))

    walk(TaskFileSpec, "at the top", ())
    return homes


def _all_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, those inside of lists and dicts too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _all_models(part)


def _wrong_choice(path: JsonPath, given: object, expected: str) -> str:
    if path[-1] == "version":
        return f"must be 1, the version that this loopwright reads, not {_given(given)}"
    choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
    if given is None:
        return f"is empty; there are {', '.join(choices)}"
    hint = did_you_mean(given, choices) if isinstance(given, str) else ""
    return f"{_given(given)} is none of {', '.join(choices)}{hint}"


def _example(key: object) -> str:
    examples = {
        "version": "write version: 1",
        "signature": 'as in signature: "question -> answer"',
        "input": "the signature's inputs, as in input: {question: …}",
        "expect": "as in expect: {answer: {answer: 42}}",
        "agent": 'as in agent: {signature: "question -> answer", tools: [calculate]}',
    }
    return f": {examples[key]}" if key in examples else ""


_ITEMS = {
    "tasks": "{id: …, input: {…}, expect: {…}}",
    "turns": '{user: "…"}',
    "faults": '{tool: NAME, error: "503"}',
    "required": "{tool: NAME, args: {…}}",
    "forbidden": "{tool: NAME}",
    "of": "NAME",
    "calls": "{tool: NAME, args: {…}}",
    "state": "{path: orders.17.status, equals: paid}",
    "tags": "refund",
    "tools": "calculate",
}
_MAPPINGS = {
    "input": "{FIELD: …}",
    "answer": "{FIELD: …}",
    "expect": "{answer: {FIELD: …}}",
    "calls": "{required: [{tool: NAME, args: {…}}]}",
    "limits": "{steps: 12}",
    "journal": "{mode: auto}",
    "approve": '{"get_*": allow}',
    "simulate": '{persona: "…", goal: "…"}',
    "max": "{total: 8}",
    "order": "{of: [NAME, NAME]}",
    "judge": '{rubric: "…"}',
    "set": "{orders.17.status: paid}",
    "append": "{ledger: […]}",
    "score": "{gates: [state]}",
    "weights": "{answer: 2}",
}


def _shape(kind: str, path: JsonPath) -> str:
    """How a list or a mapping of this name, or an item of such a list, is written; "" where nothing is known."""
    if kind not in ("dict_type", "model_type", "list_type"):
        return ""
    if isinstance(path[-1], int):
        item = _ITEMS.get(str(path[-2]))
        return f": as in {item}" if item else ""
    key = path[-1]
    shapes = {name: f"[{item}]" for name, item in _ITEMS.items()} if kind == "list_type" else _MAPPINGS
    return f": as in {key}: {shapes[key]}" if key in shapes else ""


def _given(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else shown(value)


def key_names(model: type[BaseModel]) -> list[str]:
    """The keys that a model takes, as they are written in the file."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*names, "tol"] if model is Matcher else names


def model_at(path: JsonPath) -> type[BaseModel] | None:
    """The model that reads the mapping at this path of a task file.

    >>> model_at(("tasks", 3, "expect", "calls")).__name__
    'CallsSpec'
    """
    here: Any = TaskFileSpec
    for step in path:
        model = next(_models(here), None)
        if model is not None and isinstance(step, str):
            fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
            here = fields.get(step)
        elif typing.get_origin(here) in (dict, list):
            here = typing.get_args(here)[-1]
        if here is None:
            return None
    return next(_models(here), None)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The model that an annotation is, or that one of a union's members is; none inside of lists and dicts."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) not in (dict, list):
        for part in typing.get_args(annotation):
            yield from _models(part)
