from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from agents_attempts import NATIVE, awaited, called

from loopwright import (
    ChainOfThought,
    ChatAdapter,
    CodeAct,
    Example,
    History,
    InputField,
    JSONAdapter,
    NativeAdapter,
    OutputField,
    Predict,
    Prediction,
    ReAct,
    Signature,
    context,
)
from loopwright.errors import InputError
from loopwright.messages import Message
from loopwright.models import ScriptedLM
from loopwright.tools import ToolCall
from loopwright.utils import DummyLM

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]

TEXT = "question, history: History -> answer"


def told(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]


def turn(question: str, answer: str) -> dict[str, Any]:
    return {"question": question, "answer": answer}


class Chat(Signature):
    """Answer."""

    question: str = InputField()
    history: History = InputField()
    answer: str = OutputField()


class Optional(Signature):
    """Answer."""

    question: str = InputField()
    before: History | None = InputField(default=None)
    answer: str = OutputField()


@both_ways
@pytest.mark.parametrize("signature", [TEXT, "question, history: dspy.History -> answer", Chat])
def test_turns_before_become_turns_of_the_conversation(call: Call, signature: Any) -> None:
    lm = ScriptedLM(["[[ ## answer ## ]]\nBern"])
    history = History(messages=[turn("France?", "Paris"), turn("Italy?", "Rome")])
    with context(lm=lm):
        call(Predict(signature), question="Switzerland?", history=history)
    system, *rest = told(lm.requests[0].messages)
    assert "history" not in system[1]
    assert rest == [
        ("user", "[[ ## question ## ]]\nFrance?"),
        ("assistant", "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"),
        ("user", "[[ ## question ## ]]\nItaly?"),
        ("assistant", "[[ ## answer ## ]]\nRome\n\n[[ ## completed ## ]]"),
        ("user", "[[ ## question ## ]]\nSwitzerland?"),
    ]


def test_json_and_native_transports_show_turns_in_their_own_form() -> None:
    given = {"question": "Italy?", "history": History([turn("France?", "Paris")])}
    signature = Signature(TEXT)
    as_json = told(JSONAdapter().format(signature, (), given).messages)
    assert as_json[1:] == [
        ("user", "question:\nFrance?"),
        ("assistant", '{"answer": "Paris"}'),
        ("user", "question:\nItaly?"),
    ]
    native = NativeAdapter().format(signature, (), given).messages
    assert [message.role for message in native] == ["system", "user", "assistant", "tool", "user"]
    assert str(native[2].tool_calls[0]) == 'submit(answer="Paris")'
    assert native[3].tool_call_id == native[2].tool_calls[0].id


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter(), NativeAdapter()])
def test_turns_follow_the_demonstrations(adapter: Any) -> None:
    demo = Example(question="Spain?", answer="Madrid")
    given = {"question": "Italy?", "history": History([turn("France?", "Paris")])}
    prompt = adapter.format(Signature(TEXT), [demo], given)
    questions = [message.content for message in prompt.messages if message.role == "user"]
    assert [text.split()[-1] for text in questions] == ["Spain?", "France?", "Italy?"]
    ids = [one.id for message in prompt.messages for one in message.tool_calls]
    assert len(set(ids)) == len(ids)


def test_a_history_may_be_left_out_where_it_is_optional_and_be_empty() -> None:
    lm = DummyLM([{"answer": "Bern"}] * 3)
    with context(lm=lm):
        Predict(Optional)(question="?")
        Predict(Optional)(question="?", before=History())
        Predict(Optional)(question="?", before=History([turn("France?", "Paris")]))
    assert [len(request.messages) for request, _ in lm.history] == [2, 2, 4]


def test_a_conversation_grows_by_what_was_predicted() -> None:
    lm = DummyLM([{"reasoning": f"thought {n}", "answer": f"answer {n}"} for n in range(3)])
    history = History(messages=[])
    chat = ChainOfThought(TEXT)
    with context(lm=lm):
        for question in ("one?", "two?", "three?"):
            prediction = chat(question=question, history=history)
            history.messages.append({"question": question, **prediction})
    last = lm.history[-1].request.messages
    before = lm.history[-2].request.messages
    assert last[: len(before)] == before  # so that a provider's cache of the prefix serves the next turn
    assert "thought 1" in last[-2].content


def look(place: str) -> str:
    """Look a place up."""
    return f"{place} is in Europe."


@both_ways
@pytest.mark.parametrize("adapter", [NativeAdapter(), ChatAdapter()], ids=["native", "text"])
def test_an_agent_goes_on_from_its_own_runs(call: Call, adapter: Any) -> None:
    def said(*calls: ToolCall) -> Any:
        return [
            one if isinstance(adapter, NativeAdapter) else adapter.write_turn("", [one]).content
            for one in calls
        ]

    lm = ScriptedLM(
        said(
            ToolCall("look", {"place": "Paris"}),
            ToolCall("submit", {"answer": "Europe"}),
            ToolCall("submit", {"answer": "Also Europe"}),
        ),
        capabilities=NATIVE,
    )
    agent, history = ReAct(TEXT, tools=[look]), History()
    with context(lm=lm, adapter=adapter):
        first = call(agent, question="Where is Paris?", history=history)
        history.messages.append({"question": "Where is Paris?", **first})
        second = call(agent, question="And Rome?", history=history)
    assert second.answer == "Also Europe"
    shown = "\n".join(
        message.content + " ".join(map(str, message.tool_calls)) for message in lm.requests[2].messages
    )
    for part in ("Where is Paris?", "Paris is in Europe.", "And Rome?"):
        assert part in shown
    assert shown.index("Paris is in Europe.") < shown.index("And Rome?")


def test_an_agent_that_writes_programs_goes_on_too() -> None:
    lm = ScriptedLM([ToolCall("python", {"code": "submit(answer='Rome')"})], capabilities=NATIVE)
    with context(lm=lm):
        prediction = CodeAct(TEXT)(question="Italy?", history=History([turn("France?", "Paris")]))
    assert prediction.answer == "Rome"
    assert "France?" in lm.requests[0].messages[1].content


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ([turn("France?", "Paris")], "`history` must be a History, as in History"),
        ("France", "`history` must be a History"),
        (
            History([{"role": "user", "content": "France?"}]),
            r"turn 1 of the history has no output; .* \(question, answer\), this one role, content",
        ),
        (
            History([turn("France?", "Paris"), {"question": "Italy?"}]),
            "turn 2 of the history has no output",
        ),
    ],
    ids=["list", "text", "roles", "no output"],
)
def test_a_history_that_is_none_is_named(history: Any, says: str) -> None:
    with context(lm=ScriptedLM([])), pytest.raises(InputError, match=says):
        Predict(TEXT)(question="?", history=history)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ("France", "a history's messages are a list of turns, not a str"),
        (({"a": 1},), "a list of turns, not a tuple"),
        (["France?"], "turn 1 of the history must be a dict of fields, not a str"),
    ],
)
def test_bad_messages_are_named(messages: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        History(messages=messages)


def test_what_was_appended_is_checked_when_it_is_used() -> None:
    history = History()
    history.messages.append("France?")  # type: ignore[arg-type]  # the point of the test
    with context(lm=ScriptedLM([])), pytest.raises(InputError, match="turn 1 of the history must be a dict"):
        Predict(TEXT)(question="?", history=history)


def test_a_program_with_a_history_is_saved_and_loaded(tmp_path: Any) -> None:
    predict = Predict(TEXT)
    predict.demos = [Example(question="Spain?", history=History([turn("a", "b")]), answer="Madrid")]
    predict.save(tmp_path / "chat.json")
    loaded = Predict(TEXT)
    loaded.load(tmp_path / "chat.json")
    assert loaded.demos[0].history == History([turn("a", "b")])


def test_a_missing_output_of_a_turn_is_said_to_be_missing() -> None:
    lm = DummyLM([{"city": "Bern", "rank": "1"}])
    with context(lm=lm):
        prediction = Predict("question, history: History -> city, rank")(
            question="?", history=History([{"question": "France?", "city": "Paris"}])
        )
    assert isinstance(prediction, Prediction)
    assert "[[ ## rank ## ]]\n(not given in this example)" in lm.history[0].request.messages[2].content
