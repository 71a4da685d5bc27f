"""Records as JSON and back: a trial's result, whole, in the form in which a run's folder keeps it.

Every field of every dataclass is written under its name, so that a field that `TrialResult` gets later is
kept without a word here; a class with `as_json` and `from_json` of its own is written by these. Values of the
program's own types are written as JSON's (`to_plain`): what comes back has the same meaning to a check, not always the
same type (a date comes back as its text). NaN and the infinities are kept, in Python's notation.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from ...adapters.values import to_plain
from ...errors import LoopwrightError
from ..file.format import Task
from ..trials.attempt import TrialResult

MAX_DEPTH = 50  # levels of records and containers; what is deeper is a value that holds itself

Lookup = Callable[[str, str], Task]
"""The task of a file's name and an id; raises `KeyError` where there is none."""


class RecordError(LoopwrightError, ValueError):
    """A record does not hold what it should."""


def trial_as_json(result: TrialResult) -> dict[str, Any]:
    """A result as JSON's own types: every field under its name, `task` as the task's id.

    `checks`, `trajectory.steps`, their calls and results, `usage` and the like are objects (or lists of
    them) with the fields of their classes.
    """
    body: dict[str, Any] = as_json(result)
    body["task"] = result.task.id
    return body


def trial_from_json(body: Mapping[str, Any], task: Lookup) -> TrialResult:
    """The result again; its task is looked up."""
    try:
        found = task(str(body["file"]), str(body["task"]))
        result: TrialResult = from_json(TrialResult, {**body, "task": found})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"not the record of a trial: {type(error).__name__}: {error}") from error
    return result


def written(body: object) -> str:
    """JSON in one line and in ASCII: half a character that a model wrote is an escape."""
    return _encode(body)


_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def as_json(value: object, _depth: int = 0) -> Any:
    """A value as JSON's own types; a dataclass becomes an object of its fields.

    >>> from loopwright.models import Usage
    >>> as_json((Usage(3, 1), None))
    [{'prompt_tokens': 3, 'completion_tokens': 1, 'cached_tokens': 0, 'usd': None}, None]
    """
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    if _depth >= MAX_DEPTH:
        return to_plain(value)
    if hasattr(kind, "from_json"):
        return value.as_json()  # type: ignore[attr-defined]  # who reads JSON writes it too
    if dataclasses.is_dataclass(kind):
        return {name: as_json(getattr(value, name), _depth + 1) for name in _written_fields(kind)}
    if isinstance(value, tuple | list):
        return [as_json(item, _depth + 1) for item in value]
    if kind is dict and all(type(key) is str for key in value):  # type: ignore[attr-defined]  # a dict
        return {key: as_json(item, _depth + 1) for key, item in value.items()}  # type: ignore[attr-defined]  # as above
    return to_plain(value)


def from_json(kind: Any, body: Any) -> Any:
    """A value of this type from what `as_json` gave of one.

    >>> from loopwright.models import Usage
    >>> from_json(list[Usage], as_json([Usage(3, 1)]))
    [Usage(prompt_tokens=3, completion_tokens=1, cached_tokens=0, usd=None)]
    """
    return _reader(kind)(body)


Read = Callable[[Any], Any]


def _as_it_is(body: Any) -> Any:
    return body


@cache
def _reader(kind: Any) -> Read:
    """How a type is read; worked out once for each."""
    if hasattr(kind, "from_json"):
        own: Read = kind.from_json
        return own
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _record_reader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union_reader([one for one in arguments if one is not type(None)])
    if origin is tuple and len(arguments) != 2:
        return _as_it_is
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping) and arguments:
        return _mapping_reader(arguments[1])
    if origin is not None and isinstance(origin, type) and issubclass(origin, Iterable) and arguments:
        return _sequence_reader(arguments[0], list if origin is list else tuple)
    return _as_it_is


def _record_reader(kind: Any) -> Read:
    hints = get_type_hints(kind)
    readers: dict[str, Read] = {}
    made = False

    def read(body: Any) -> Any:
        nonlocal made
        if not made:  # at the first use, since a record may hold records of its own kind
            readers.update({name: _reader(hints[name]) for name in _written_fields(kind)})
            made = True
        if not isinstance(body, Mapping):
            return body
        return kind(**{name: one(body[name]) for name, one in readers.items() if name in body})

    return read


def _union_reader(kinds: Sequence[Any]) -> Read:
    """Of `X | None`, X; of a choice of records nothing is known, and what was written is given back."""
    only = _reader(kinds[0]) if len(kinds) == 1 else _as_it_is
    return lambda body: None if body is None else only(body)


def _mapping_reader(kind: Any) -> Read:
    value = _reader(kind)
    if value is _as_it_is:
        return _as_it_is
    return lambda body: {name: value(item) for name, item in body.items()}


def _sequence_reader(kind: Any, make: Callable[[Iterable[Any]], Any]) -> Read:
    item = _reader(kind)
    return lambda body: make(map(item, body))


@cache
def _written_fields(kind: Any) -> tuple[str, ...]:
    """The fields that the constructor takes."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)
