"""`DummyLM`, as programs written for DSPy use it."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass

import pytest
from lm_calls import asking
from pydantic import BaseModel

from loopwright import JSONAdapter, Predict, context
from loopwright.utils import DummyLM

QUESTION = "[[ ## question ## ]]\n"


def test_a_list_is_answered_in_its_order_and_then_there_are_no_more() -> None:
    lm = DummyLM([{"answer": "one"}, {"answer": "two"}])

    assert [lm("?")[0] for _ in range(3)] == [
        "[[ ## answer ## ]]\none\n\n[[ ## completed ## ]]",
        "[[ ## answer ## ]]\ntwo\n\n[[ ## completed ## ]]",
        "[[ ## answer ## ]]\nNo more responses\n\n[[ ## completed ## ]]",
    ]


def test_a_mapping_is_searched_in_the_last_message_only() -> None:
    lm = DummyLM({"red": {"answer": "apple"}, "blue": {"answer": "sky"}})
    earlier = {"role": "user", "content": "red"}

    said = lm(messages=[earlier, {"role": "user", "content": "something blue"}])[0]

    assert "sky" in said
    assert "No more responses" in lm(messages=[earlier, {"role": "user", "content": "green"}])[0]
    assert "No more responses" in lm(messages=[])[0]


@dataclass
class Odd:
    def __str__(self) -> str:
        return "odd"


class Point(BaseModel):
    x: int


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (4, "4"),
        (True, "true"),
        (None, "null"),
        ([1, "ü"], '[1, "ü"]'),
        ({"a": Point(x=1)}, '{"a": {"x": 1}}'),
        (Odd(), '"odd"'),
    ],
)
def test_values_are_text_as_it_is_and_else_json(value: object, shown: str) -> None:
    assert DummyLM([{"a": value}])("?") == [f"[[ ## a ## ]]\n{shown}\n\n[[ ## completed ## ]]"]


def test_a_demonstration_of_the_same_input_is_followed() -> None:
    lm = DummyLM([{"answer": "prepared"}], follow_examples=True)
    demos = [
        {"role": "user", "content": QUESTION + "2 + 2?\n\nAnswer."},
        {"role": "assistant", "content": "[[ ## answer ## ]]\n4"},
        {"role": "user", "content": QUESTION + "1 + 1?\n\nAnswer."},
        {"role": "assistant", "content": "[[ ## answer ## ]]\n2"},
    ]

    assert lm(messages=[*demos, {"role": "user", "content": QUESTION + "2 + 2?\n\nNow answer."}]) == [
        "[[ ## answer ## ]]\n4"
    ]
    assert "prepared" in lm(messages=[*demos, {"role": "user", "content": QUESTION + "9 + 9?\n\nAnswer."}])[0]
    assert "No more" in lm(messages=[])[0]


def test_it_can_be_awaited_and_remembers() -> None:
    lm = DummyLM([{"answer": 1}])

    assert asyncio.run(lm.acall("?")) == ["[[ ## answer ## ]]\n1\n\n[[ ## completed ## ]]"]
    assert [request.messages[0].content for request, _ in lm.history] == ["?"]
    assert lm.complete(asking()).model == "dummy"


def test_answers_have_the_form_of_an_adapter() -> None:
    lm = DummyLM([{"n": 4}], adapter=JSONAdapter())
    with context(lm=lm, adapter=JSONAdapter()):
        assert Predict("question -> n: int")(question="2 + 2?").n == 4
    assert lm.history[0].response.text == '{"n": 4}'


def test_a_conversation_can_be_looked_at() -> None:
    lm = DummyLM([{"answer": 1}], reasoning=True)
    lm("?")
    assert lm.get_convo(0) == (
        [{"role": "user", "content": "?"}],
        ["[[ ## answer ## ]]\n1\n\n[[ ## completed ## ]]"],
    )
    assert lm.history[0].response.reasoning == "Some reasoning"


def test_a_model_prints_its_last_calls() -> None:
    lm = DummyLM([{"answer": 1}, {"answer": 2}])
    lm("first?")
    lm("second?")
    printed = io.StringIO()
    lm.inspect_history(file=printed)
    assert printed.getvalue().startswith("── dummy\n[user] second?\n[answer] [[ ## answer ## ]]\n2")
    assert "first?" not in printed.getvalue()
