"""Task files that were mangled at random: each is read, or refused with lines that a person can use."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loopwright import TaskFile
from loopwright.errors import TaskFileError
from loopwright.evaluation.file.locate import parse_document
from loopwright.evaluation.proofs.proving import prove

BASE = Path(__file__).parent / "whole"
SOUND: Any = parse_document((BASE / "refunds.yaml").read_text(), "t.yaml").value
Place = tuple[str | int, ...]

JUNK: list[Any] = [
    None, True, False, 0, -1, 1e9, 0.5, 10**30, "", "x", "a b", "{", "\x00", "a" * 500, "os:system", "math:pi", "user",
    [], {}, [1], ["x"], {"x": 1}, [[]], [{}], {"tool": "refund"}, {"equals": None}, {"judge": {"rubric": "x"}},
    {"json_schema": {"$ref": "#/x"}}, {"json_schema": {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}},
    {"regex": "("}, {"regex": r"[^\w\W]"}, {"one_of": [None]}, [{"unchanged": "*"}], [{"path": "orders", "length": 1}],
]  # fmt: skip
KEYS = ("turns", "input", "user", "judge", "score", "world", "state")


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def mangled(seed: int) -> Any:
    """The sound file with one to three values replaced, left out, moved, or put under another key."""
    draw = Random(seed)
    value = copy.deepcopy(SOUND)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        *around, key = draw.choice(list(places(value)))
        parent = value
        for step in around:
            parent = parent[step]
        match draw.choice(["replace", "replace", "delete", "rename", "copy"]):
            case "replace":
                parent[key] = copy.deepcopy(draw.choice(JUNK))
            case "delete":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[draw.choice([f"{key}x", str(key)[1:], *KEYS])] = parent.pop(key)
            case _:
                parent[key] = copy.deepcopy(value["tasks"]) if "tasks" in value else None
        if not isinstance(value, dict) or not list(places(value)):
            break
    return value


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_a_mangled_file_is_read_or_refused_in_words(start: int) -> None:
    refused = 0
    for seed in range(start, start + 100):
        problems: Sequence[str] = ()
        text = json.dumps(mangled(seed))
        try:
            file = TaskFile.parse(text, "t.json", base=BASE)
            assert len(file.examples()) == len(file.tasks)
            file.agent()
            problems = [line for proof in prove(file, parse_document(text, "t.json")) for line in proof.wrong]
        except TaskFileError as error:
            refused += 1
            problems = error.problems or ("no line",)
        for line in problems:
            assert line.startswith("t.json:"), (seed, line)
            for raw in ("Input should", "Value error", "validation error", "Traceback"):
                assert raw not in line, (seed, line)
    assert refused > 50  # most of what is mangled is noticed


@pytest.mark.parametrize("name", ["a" * 500, "a" * 500 + ".py:x", "a" * 500 + ":x", "a." * 400 + "b:x"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    for agent in (
        f'{{signature: "q -> a", tools: ["{name}"]}}',
        f'{{signature: "q -> a", program: "{name}"}}',
    ):
        with pytest.raises(TaskFileError):
            TaskFile.parse(
                f"version: 1\nagent: {agent}\ntasks: [{{id: t, input: {{q: x}}, expect: {{answer: {{a: x}}}}}}]"
            )
