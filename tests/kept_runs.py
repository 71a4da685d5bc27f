"""What the tests of kept runs share: a task file, a model that reckons, and a report without its times."""

from __future__ import annotations

import json
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
