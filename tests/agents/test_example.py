from __future__ import annotations

import pickle
from copy import copy, deepcopy

import pytest

from loopwright import Example, Prediction
from loopwright.tools import ToolCall, ToolResult
from loopwright.trajectory import Step, Trajectory


def test_fields_are_read_as_attributes_and_as_keys() -> None:
    example = Example(question="2 + 2?", answer="4")
    assert (example.question, example["answer"], example.get("nothing", 0)) == ("2 + 2?", "4", 0)
    assert list(example) == example.keys() == ["question", "answer"]
    assert example.values() == ["2 + 2?", "4"]
    assert dict(example.items()) == example.toDict() == {"question": "2 + 2?", "answer": "4"}
    assert "question" in example
    assert len(example) == 2


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match="Example has no field 'answr'; there are: question, answer"):
        _ = Example(question="2 + 2?", answer="4").answr
    with pytest.raises(KeyError):
        _ = Example()["answer"]


def test_fields_can_be_set() -> None:
    example = Example()
    example.question = "2 + 2?"
    example["answer"] = "4"
    assert example == Example(question="2 + 2?", answer="4")


def test_inputs_and_labels_part_the_fields() -> None:
    example = Example(question="2 + 2?", hint="even", answer="4").with_inputs("question", "hint")
    assert example.inputs().toDict() == {"question": "2 + 2?", "hint": "even"}
    assert example.labels().toDict() == {"answer": "4"}
    assert example.inputs().inputs() == example.inputs()
    assert example.without("hint").inputs().keys() == ["question"]
    assert example.copy(answer="5").inputs() == example.inputs()


def test_inputs_must_be_said_before_they_are_asked_for() -> None:
    example = Example(question="2 + 2?")
    assert not example.has_inputs
    with pytest.raises(
        ValueError, match=r"call \.with_inputs\(\.\.\.\) on the example with some of question"
    ):
        example.inputs()
    with pytest.raises(KeyError, match="no field 'q' to be an input"):
        example.with_inputs("q")


def test_an_example_is_made_of_another_or_of_a_mapping() -> None:
    base = Example(question="2 + 2?").with_inputs("question")
    assert Example(base, answer="4").inputs() == base
    assert Example({"question": "2 + 2?"}) == base
    assert base.keys() == ["question"]


def test_equal_examples_are_one_in_a_set() -> None:
    assert len({Example(a=[1]), Example(a=[1]), Example(a=[2])}) == 2
    assert Example(a=1) != {"a": 1}


@pytest.mark.parametrize("duplicate", [copy, deepcopy, lambda e: pickle.loads(pickle.dumps(e))])  # noqa: S301  # our own bytes
def test_copies_keep_fields_inputs_and_completions(duplicate: object) -> None:
    assert callable(duplicate)
    example = duplicate(Example(question="2 + 2?", answer="4").with_inputs("question"))
    assert example.labels() == Example(answer="4")
    prediction = duplicate(Prediction.from_completions([{"answer": "4"}, {"answer": "5"}]))
    assert [one.answer for one in prediction.completions] == ["4", "5"]


def test_a_prediction_has_its_completions_the_first_of_them_itself() -> None:
    prediction = Prediction.from_completions([{"answer": "4"}, {"answer": "5"}])
    assert prediction.answer == "4"
    assert [one.answer for one in prediction.completions] == ["4", "5"]
    assert Prediction(answer="4").completions == (Prediction(answer="4"),)
    assert repr(prediction) == "Prediction(answer='4')"
    with pytest.raises(ValueError, match="at least one answer"):
        Prediction.from_completions([])


def test_a_long_record_is_shown_one_field_a_line_and_cut() -> None:
    call = ToolCall("find", {"n": 1})
    steps = Trajectory((Step("think", (call,), (ToolResult(call, "x" * 5_000),)),) * 4)
    shown = repr(Prediction(answer="a" * 70, page="é" * 5_000, trajectory=steps, termination_reason="submit"))
    first, answer, page, trajectory, reason, last = shown.splitlines()
    assert (first, answer, last) == ("Prediction(", f"    answer='{'a' * 70}',", ")")
    assert trajectory == "    trajectory=Trajectory(4 steps: find, find, find, find),"
    assert reason == "    termination_reason='submit',"
    assert page.endswith("é… (5,002 characters),")
    assert len(page) < 700
