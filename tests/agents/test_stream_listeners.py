"""`streamify` as DSPy's programs use it: listeners to fields, messages on what is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from openai_server import Serve, answer

import loopwright
from loopwright import (
    LM,
    BestOfN,
    ChainOfThought,
    ChatAdapter,
    JSONAdapter,
    Module,
    Predict,
    Prediction,
    ReAct,
    context,
    streamify,
)
from loopwright.errors import ConfigurationError
from loopwright.models import Capabilities, LMResponse, ScriptedLM
from loopwright.streaming import StatusMessage, StatusMessageProvider, StreamListener, StreamResponse
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)
PARIS = "[[ ## reasoning ## ]]\nIt is known.\n\n[[ ## answer ## ]]\nParis, of course\n\n[[ ## completed ## ]]"


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


TURNS = [
    LMResponse("I add them.", (ToolCall("add", {"a": 1, "b": 2}),)),
    LMResponse("That is it.", (ToolCall("submit", {"answer": 3}),)),
]


class Draft(Module):
    """Two predictors with a field of one name."""

    def __init__(self) -> None:
        self.first = Predict("question -> answer")
        self.second = Predict("question, draft -> answer")

    def forward(self, question: str) -> Any:
        return self.second(question=question, draft=self.first(question=question).answer)


def heard(program: Module, *listeners: Any, lm: Any, adapter: Any = None, **more: Any) -> list[Any]:
    inputs = more.pop("inputs", {"question": "?"})
    stream: Any = streamify(program, stream_listeners=listeners, async_streaming=False, **more)
    with context(lm=lm, adapter=adapter):
        return list(stream(**inputs))


def said(items: list[Any]) -> list[tuple[str, str]]:
    return [(item.predict_name, item.chunk) for item in items if isinstance(item, StreamResponse)]


def marked(*answers: str) -> ScriptedLM:
    return ScriptedLM([f"[[ ## answer ## ]]\n{one}\n\n[[ ## completed ## ]]" for one in answers])


@pytest.mark.parametrize(
    ("adapter", "text"),
    [(ChatAdapter(), PARIS), (JSONAdapter(), '{"reasoning": "It is known.", "answer": "Paris, of course"}')],
    ids=["chat", "json"],
)
def test_a_field_comes_in_pieces_and_its_end_is_told(adapter: Any, text: str, openai_server: Serve) -> None:
    lm = LM("openai/any", api_base=openai_server(answer(text)).url, api_key="test", cache=False)
    stream: Any = streamify(
        ChainOfThought("question -> answer"),
        stream_listeners=[StreamListener(signature_field_name="answer")],
    )

    async def read() -> list[Any]:
        return [item async for item in stream(question="?")]

    with context(lm=lm, adapter=adapter):
        *pieces, end = asyncio.run(read())
    assert "".join(piece.chunk for piece in pieces) == "Paris, of course"
    assert len(pieces) > 2
    assert [piece.is_last_chunk for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {(piece.predict_name, piece.signature_field_name) for piece in pieces} == {("predict", "answer")}
    assert isinstance(end, Prediction)


def test_each_listener_gets_its_own_field() -> None:
    items = heard(
        ChainOfThought("question -> answer"),
        StreamListener("answer"),
        StreamListener("reasoning"),
        lm=ScriptedLM([PARIS]),
    )
    fields = [(item.signature_field_name, item.chunk) for item in items[:-1]]
    assert fields == [
        ("reasoning", "It is known."),
        ("reasoning", ""),
        ("answer", "Paris, of course"),
        ("answer", ""),
    ]


@pytest.mark.parametrize(
    "named", [{"predict_name": "second"}, {"predict": "second"}], ids=["by its name", "itself"]
)
def test_one_of_several_predictors_is_named(named: dict[str, Any]) -> None:
    program = Draft()
    if "predict" in named:
        named = {"predict": program.second}
    items = heard(program, StreamListener("answer", **named), lm=marked("Bonn", "Berlin"))
    assert said(items) == [("second", "Berlin"), ("second", "")]


@pytest.mark.parametrize(("reuse", "times"), [(False, ["Bonn"]), (True, ["Bonn", "Berlin"])])
def test_a_listener_hears_once_unless_it_may_be_used_again(reuse: bool, times: list[str]) -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.ask = Predict("question -> answer")

        def forward(self, question: str) -> Any:
            self.ask(question=question)
            return self.ask(question=question)

    items = heard(Twice(), StreamListener("answer", allow_reuse=reuse), lm=marked("Bonn", "Berlin"))
    assert [chunk for _, chunk in said(items) if chunk] == times


def test_a_stream_can_be_asked_for_again() -> None:
    stream: Any = streamify(
        Predict("question -> answer"), stream_listeners=[StreamListener("answer")], async_streaming=False
    )
    with context(lm=marked("Bonn", "Berlin")):
        assert [said(list(stream(question="?")))[0][1] for _ in range(2)] == ["Bonn", "Berlin"]


def test_an_agents_thoughts_come_in_pieces_and_its_answer_whole() -> None:
    items = heard(
        ReAct("question -> answer: int", tools=[add]),
        StreamListener("thought", allow_reuse=True),
        StreamListener("answer"),
        lm=ScriptedLM(TURNS, capabilities=NATIVE),
    )
    assert [chunk for _, chunk in said(items) if chunk] == ["I add them.", "That is it.", "3"]
    assert [item.message for item in items if isinstance(item, StatusMessage)] == [
        "Calling tool add...",
        "Tool calling finished! Querying the LLM with tool calling results...",
    ]
    assert items[-1].answer == 3


def test_the_attempts_of_a_module_are_heard_too() -> None:
    program = BestOfN(
        Predict("question -> answer"), N=2, reward_fn=lambda args, pred: pred.answer == "Berlin", threshold=1
    )
    items = heard(program, StreamListener("answer", allow_reuse=True), lm=marked("Bonn", "Berlin"))
    assert [chunk for _, chunk in said(items) if chunk] == ["Bonn", "Berlin"]


def test_the_prediction_can_be_left_out() -> None:
    items = heard(
        Predict("question -> answer"),
        StreamListener("answer"),
        lm=marked("Bonn"),
        include_final_prediction_in_output_stream=False,
    )
    assert said(items) == [("self", "Bonn"), ("self", "")]
    assert len(items) == 2


class Words(StatusMessageProvider):
    """Words for everything."""

    def module_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str:
        return f"{type(instance).__name__} of {inputs['question']}"

    def module_end_status_message(self, outputs: Any) -> str:
        return f"answered {outputs.answer}"

    def lm_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str:
        return f"asking {instance.model} with {len(inputs['request'].messages)} messages"

    def lm_end_status_message(self, outputs: Any) -> str:
        return f"it said {outputs.text}"

    def tool_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str:
        return f"{instance.name} {inputs['a']} and {inputs['b']}"

    def tool_end_status_message(self, outputs: Any) -> str:
        return f"that is {outputs}"


def test_a_provider_has_words_for_what_is_done() -> None:
    stream: Any = streamify(
        ReAct("question -> answer: int", tools=[add]),
        status_message_provider=Words(),
        async_streaming=False,
    )
    with context(lm=ScriptedLM(TURNS, capabilities=NATIVE)):
        *messages, end = list(stream(question="1 + 2"))
    assert [message.message for message in messages] == [
        "ReAct of 1 + 2",
        "asking scripted with 2 messages",
        "it said I add them.",
        "add 1 and 2",
        "that is 3",
        "asking scripted with 4 messages",
        "it said That is it.",
        "answered 3",
    ]
    assert end.answer == 3


REFUSED: Mapping[str, tuple[Any, str]] = {
    "no such field": (StreamListener("anser"), "has an output field 'anser'; did you mean 'answer'"),
    "several have it": (StreamListener("answer"), r"first and second all have .* predict=program.second"),
    "no such predictor": (StreamListener("answer", predict_name="third"), "there are: none"),
    "another's predictor": (StreamListener("answer", predict=Predict("a -> answer")), "there are: none"),
    "no predictor": (StreamListener("answer", predict="first"), "predict is a module of the program"),
    "no listener": ("answer", "of a field's name, not str"),
}


@pytest.mark.parametrize(("listener", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_listened_to_is_said_at_once(listener: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        streamify(Draft(), stream_listeners=[listener])


def test_what_has_no_words_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="derived from StatusMessageProvider"):
        streamify(Draft(), status_message_provider="busy")  # type: ignore[call-overload]  # what is tested


def test_the_names_are_where_dspys_programs_look_for_them() -> None:
    assert loopwright.streaming.StreamListener is StreamListener
    assert loopwright.streaming.StatusMessage is StatusMessage
