from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from loopwright import (
    LM,
    Example,
    InputField,
    OutputField,
    Predict,
    Prediction,
    ReAct,
    Signature,
    Step,
    Trajectory,
)
from loopwright.errors import StateError
from loopwright.tools import ToolCall, ToolResult


class Triage(Signature):
    """Sort a support mail."""

    mail: str = InputField()
    context: str = InputField(default="")
    due: date = OutputField()
    team: Literal["billing", "shipping"] = OutputField()
    score: int = OutputField()


DEMO = Example(mail="?", due=date(2026, 1, 31), team="billing", score=3).with_inputs("mail")


def saved(program: Predict | ReAct, path: Path) -> Path:
    file = path / "program.json"
    program.save(file)
    return file


def test_demonstrations_have_their_types_again(tmp_path: Path) -> None:
    program = Predict(Triage)
    program.demos = [DEMO]
    loaded = Predict(Triage)
    loaded.load(saved(program, tmp_path))
    assert loaded.demos == [DEMO]
    assert loaded.demos[0].due == date(2026, 1, 31)
    assert loaded.demos[0].input_keys == {"mail"}


def test_a_demonstration_may_have_been_given_an_input_of_another_type(tmp_path: Path) -> None:
    program = Predict(Triage)
    program.demos = [DEMO.copy(context=Prediction(passages=["one", "two"], scores=[1.0, 0.5]))]
    loaded = Predict(Triage)
    loaded.load(saved(program, tmp_path))
    assert loaded.demos[0].context == ["one", "two"]


def test_half_a_character_in_a_demonstration_is_saved_and_loaded(tmp_path: Path) -> None:
    program = Predict("question -> answer")
    program.demos = [Example(question="half: \ud83d", answer="é")]
    loaded = Predict("question -> answer")
    loaded.load(saved(program, tmp_path))
    assert loaded.demos == program.demos


def test_an_agents_demonstrations_keep_their_steps(tmp_path: Path) -> None:
    def look(query: str) -> str:
        """Look."""
        return query

    call = ToolCall("look", {"query": "x", "on": date(2026, 1, 31)})
    steps = (
        Step("Look.", (call,), (ToolResult(call, "found"),)),
        Step(
            "", (ToolCall("gone"),), (ToolResult.failed(ToolCall("gone"), "unknown_tool", "Error: no tool"),)
        ),
    )
    program = ReAct("question -> answer", tools=[look])
    program.react.demos = [Example(question="?", answer="!", trajectory=Trajectory(steps))]
    loaded = ReAct("question -> answer", tools=[look])
    loaded.load(saved(program, tmp_path))
    trajectory = loaded.react.demos[0].trajectory
    assert [step.thought for step in trajectory.steps] == ["Look.", ""]
    assert trajectory.calls[0].args == {"query": "x", "on": "2026-01-31"}
    assert [(r.content, r.error) for r in trajectory.results] == [
        ("found", None),
        ("Error: no tool", "unknown_tool"),
    ]


def test_a_saved_program_holds_no_key(tmp_path: Path) -> None:
    program = Predict(
        "question -> answer", lm=LM("openai/gpt-5-mini", api_key="sk-secret", api_base="http://x/v1")
    )
    text = saved(program, tmp_path).read_text(encoding="utf-8")
    assert "secret" not in text
    assert set(json.loads(text)) == {"loopwright", "format", "predictors"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no such file"),
        ("", "is no saved program"),
        ("{", "is no saved program"),
        ("[" * 100_000, "is no saved program"),
        ("\xff\xfe", "is no saved program"),
        ("[]", "is no saved program"),
        ('{"predictors": {}}', "is no saved program: loopwright: Field required"),
        ('{"loopwright": "9", "format": 2, "predictors": {}}', "has format 2; this version of loopwright reads format 1"),
        ('{"loopwright": "0", "format": 1, "predictors": {}, "code": "x"}', "code: Extra inputs are not permitted"),
        (
            '{"loopwright": "0", "format": 1, "predictors": {"self": {"fields": "question -> answer: int", '
            '"instructions": "x", "demos": [{"values": {"answer": "many"}}]}}}',
            "a demonstration does not fit the signature: `answer` must be a whole number",
        ),
    ],
    ids=["missing", "empty", "cut off", "deep", "bytes", "list", "no version", "newer", "extra", "wrong demo"],
)  # fmt: skip
def test_a_file_that_can_not_be_loaded_is_named_with_the_reason(
    text: str | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "program.json"
    if text is not None:
        file.write_text(text, encoding="latin-1")
    with pytest.raises(StateError) as caught:
        Predict("question -> answer: int").load(file)
    assert says in str(caught.value)


def test_a_folder_is_no_saved_program(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="is no saved program"):
        Predict("question -> answer").load(tmp_path)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    program = Predict("question -> answer")
    file = saved(program, tmp_path)
    before = file.read_text(encoding="utf-8")
    program.demos = [Example(question={("a", 1): object})]
    program.save(file)  # anything can be shown as text
    assert file.read_text(encoding="utf-8") != before
    blocked = tmp_path / "taken"
    (blocked / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        program.save(blocked)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["program.json", "taken"]
