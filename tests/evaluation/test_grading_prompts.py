"""The exact messages to the model that plays a user, and to the one that judges, so that a changed prompt is a diff.

`LOOPWRIGHT_WRITE_SNAPSHOTS=1 make test ARGS=tests/evaluation/test_grading_prompts.py` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from replay import submit

from loopwright import TaskFile, context
from loopwright.evaluation import plan, run_trials
from loopwright.models import LMRequest, ScriptedLM
from loopwright.models.scripted import Answer

SNAPSHOTS = Path(__file__).parent / "snapshots"
WRITE = "LOOPWRIGHT_WRITE_SNAPSHOTS" in os.environ

FILE = """
version: 1
agent: {signature: "request -> reply, refunded: bool"}
tasks:
- id: t
"""


def asked(task: str, answers: list[Answer]) -> list[LMRequest]:
    lm = ScriptedLM(answers)
    with context(lm=lm):
        list(run_trials(plan(TaskFile.parse(FILE + task))))
    return lm.requests


def playing_a_user() -> list[LMRequest]:
    """What the user's model is asked after the agent's first answer."""
    said = "[[ ## done ## ]]\n{}\n\n[[ ## message ## ]]\nMy lamp is broken."
    task = (
        "  turns: [{simulate: {persona: Ann is brief and a little cross., goal: Get order 17 refunded.}}]\n"
        "  expect: {answer: {refunded: true}}\n"
    )
    answers: list[Answer] = [
        said.format("false"),
        submit(reply="Which order?", refunded=False),
        said.format("true"),
    ]
    return asked(task, answers)[-1:]


def judging() -> list[LMRequest]:
    task = (
        "  input: {request: Where is my money?}\n"
        "  expect: {answer: {reply: {judge: {rubric: The reply says when the money comes.}}}}\n"
    )
    verdict = "[[ ## reason ## ]]\nIt says Monday.\n\n[[ ## verdict ## ]]\npass"
    return asked(task, [submit(reply="On Monday.", refunded=True), verdict])[-1:]


def judging_with_a_threshold() -> list[LMRequest]:
    task = (
        "  turns: [{user: Hello.}, {user: Where is my money?}]\n"
        "  expect: {answer: {reply: {judge: {rubric: Kind and brief., pass: 0.8}}}}\n"
    )
    score = "[[ ## reason ## ]]\nBoth.\n\n[[ ## score ## ]]\n0.9"
    replies: list[Answer] = [submit(reply=text, refunded=True) for text in ("Good day.", "On Monday.")]
    return asked(task, [*replies, score])[-1:]


def rendered(requests: list[LMRequest]) -> str:
    return (
        "\n".join(f"──── {one.role}\n{one.content}" for request in requests for one in request.messages)
        + "\n"
    )


@pytest.mark.parametrize("requests", [playing_a_user, judging, judging_with_a_threshold])
def test_the_prompt_is_the_one_on_file(requests: Any) -> None:
    file = SNAPSHOTS / f"{requests.__name__}.txt"
    text = rendered(requests())
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "LOOPWRIGHT_WRITE_SNAPSHOTS=1 accepts it"
