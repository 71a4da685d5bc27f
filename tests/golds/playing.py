"""Prepared runs of example tasks: a model that makes given calls with what the ones before gave, and then answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loopwright import context
from loopwright.evaluation import TaskFile, Trial, TrialResult, run_trials
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.tools import ToolCall

_REFERENCE = re.compile(r"\$(\d+)(?:\.(\w+))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Turn:
    """What the agent does when the user has said something: its calls, one a step, and its answer."""

    calls: tuple[ToolCall, ...] = ()
    answer: Mapping[str, object] = field(default_factory=dict)


Play = tuple[Turn, ...]


def value_of(result: str, name: str = "") -> Any:
    """The value that a tool's result says: a date, else a number, as a decimal where there is one.

    `name` is what it found for an unknown, a part of a record, or "text" for the result as it stands.

    >>> value_of("2026-05-21 (Thursday)"), value_of("10/3 ≈ 3.333"), value_of("a = 2, b = 7", "b"), value_of("24 days")
    ('2026-05-21', 3.333, 7, 24)
    """
    text = result
    if name == "text":
        return result
    if result.startswith("{"):
        return json.loads(result)[name]
    if name:
        text = [
            part.partition("=")[2] for part in re.split(r",| or ", text) if part.split("=")[0].strip() == name
        ][-1]
    text = text.rpartition("≈")[2]
    if found := _DATE.search(text):
        return found.group()
    number = _NUMBER.search(text)
    if number is None:
        return result
    return float(number.group()) if "." in number.group() else int(number.group())


def filled(value: object, results: Sequence[str]) -> object:
    """A value with what `$2` or `$2.x` stands for put in its place."""
    if not isinstance(value, str):
        return value
    if whole := _REFERENCE.fullmatch(value):
        return value_of(results[int(whole[1]) - 1], whole[2] or "")
    return _REFERENCE.sub(lambda found: str(value_of(results[int(found[1]) - 1], found[2] or "")), value)


def player(play: Play) -> FunctionLM:
    """A model that plays: which turn and which call are next shows in the conversation."""

    def answer(request: LMRequest) -> ToolCall:
        asked = sum(message.role == "user" for message in request.messages)
        turn = play[min(asked, len(play)) - 1]
        last_said = max(i for i, message in enumerate(request.messages) if message.role == "user")
        since = request.messages[last_said:]
        results = [message.content for message in since if message.role == "tool"]
        made = sum(message.role == "assistant" for message in since)
        if made < len(turn.calls):
            call = turn.calls[made]
            return replace(call, args={name: filled(value, results) for name, value in call.args.items()})
        return ToolCall("submit", {name: filled(value, results) for name, value in turn.answer.items()})

    return FunctionLM(answer, model="player", capabilities=Capabilities(native_tools=True))


def run(file: TaskFile, name: str, play: Play) -> TrialResult:
    """The task played through the engine, with its real tools."""
    with context(lm=player(play)):
        (result,) = run_trials([Trial(file, file.agent(), file.task(name))], workers=1)
    return result


def calls_made(result: TrialResult) -> list[ToolCall]:
    """The calls of tools in a run, with the values that they were made with."""
    return [one.call for one in result.trajectory.results if one.call.name not in ("", "submit")]


def with_call(play: Play, turn: int, change: Callable[[list[ToolCall]], object]) -> Play:
    """The play with the calls of one turn changed."""
    calls = list(play[turn].calls)
    change(calls)
    return (*play[:turn], replace(play[turn], calls=tuple(calls)), *play[turn + 1 :])
