"""What the tests of kept runs share: a task file, a model that reckons, and a report without its times."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from replay import question_of, submit

from loopwright.models import LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

FILE = """
version: 1
name: sums
agent: {signature: "question -> answer: int", tools: [calculate]}
defaults: {seed: 7}
tasks:
- {id: two, input: {question: "1 + 1"}, expect: {answer: {answer: 2}}}
- {id: three, input: {question: "1 + 2"}, expect: {answer: {answer: 3}}}
- {id: four, tags: [even], input: {question: "2 + 2"}, expect: {answer: {answer: 4}}}
- {id: five, input: {question: "2 + 3"}, expect: {answer: {answer: 5}, calls: {required: [{tool: calculate, extra: allow}]}}}
"""

Run = Callable[..., tuple[int, str, str]]


class Reckoner:
    """Calculates and then answers; wrong where it is told to be. Counts what it is asked."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = set(wrong)
        self.asked: list[str] = []

    def __call__(self, request: LMRequest) -> Answer:
        question = question_of(request)
        self.asked.append(question)
        if not any(message.role == "assistant" for message in request.messages):
            return ToolCall("calculate", {"expression": question})
        left, _, right = question.split()
        return submit(answer=int(left) + int(right) + (question in self.wrong))


def without_times(value: Any) -> Any:
    """All that two runs of the same must share: everything but when it was, and how long it took."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in ("seconds", "started")}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def report_of(folder: Path) -> Any:
    """The report in a folder, without times."""
    return without_times(json.loads((folder / "report.json").read_text()))


def wandering(request: LMRequest) -> Answer:
    """A call of some tool with some arguments, or some answer: the same for the same conversation."""
    told = [(message.role, message.content, *map(str, message.tool_calls)) for message in request.messages]
    chance = random.Random(hashlib.sha256(repr(told).encode()).hexdigest())
    made = sum(message.role == "assistant" for message in request.messages)
    tools = [tool for tool in request.tools if (tool.name == "submit") == (made > 3)] or list(request.tools)
    tool = chance.choice(tools)
    return ToolCall(tool.name, _some(tool.parameters, chance))


def _some(schema: Any, chance: random.Random) -> Any:
    """A value that a schema may well allow."""
    if "enum" in schema or "anyOf" in schema:
        return chance.choice(schema["enum"]) if "enum" in schema else _some(schema["anyOf"][0], chance)
    match schema.get("type"):
        case "object":
            return {name: _some(one, chance) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [_some(schema.get("items", {}), chance)]
        case "integer" | "number":
            return chance.choice([1, 2, 4711])
        case "boolean":
            return chance.random() < 0.5
    return chance.choice(["double", "2026-07-05", "Tom Reed"])
