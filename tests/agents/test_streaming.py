from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from awaiting import awaited
from hypothesis import given
from hypothesis import strategies as st
from openai_server import Serve, answer, break_off

from loopwright import LM, ChatAdapter, CodeAct, JSONAdapter, Module, Predict, ReAct, context
from loopwright.errors import LMError, ServerError
from loopwright.field_tokens import FieldTokens
from loopwright.models import Capabilities, LMRequest, LMResponse, ScriptedLM
from loopwright.runtime import streamify
from loopwright.streaming import (
    EndEvent,
    Event,
    StepEvent,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
    TurnEvent,
)
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


Way = Callable[..., list[Event]]


def plainly(program: Module, **inputs: Any) -> list[Event]:
    return list(program.stream(**inputs))


def asynchronously(program: Module, **inputs: Any) -> list[Event]:
    async def read() -> list[Event]:
        return [event async for event in program.astream(**inputs)]

    return asyncio.run(read())


ways = pytest.mark.parametrize("way", [plainly, asynchronously])


def written(events: list[Event], field: str) -> str:
    return "".join(event.text for event in events if isinstance(event, TokenEvent) and event.field == field)


@ways
@pytest.mark.parametrize(
    ("adapter", "text"),
    [
        (
            ChatAdapter(),
            "[[ ## reasoning ## ]]\nIt is\nknown.\n\n[[ ## capital ## ]]\nParis\n\n[[ ## completed ## ]]",
        ),
        (JSONAdapter(), '{"reasoning": "It is\\nknown.", "capital": "Paris"}'),
    ],
    ids=["chat", "json"],
)
def test_tokens_come_with_their_field(way: Way, adapter: Any, text: str) -> None:
    with context(lm=ScriptedLM([text]), adapter=adapter):
        events = way(Predict("country -> reasoning, capital"), country="France")
    assert (written(events, "reasoning"), written(events, "capital")) == ("It is\nknown.", "Paris")
    assert isinstance(events[0], TurnEvent)
    assert isinstance(events[-1], EndEvent)
    assert events[-1].prediction.capital == "Paris"


@ways
def test_an_agent_tells_turns_calls_results_and_steps(way: Way) -> None:
    lm = ScriptedLM(
        [ToolCall("add", {"a": 1, "b": 2}), ToolCall("submit", {"answer": 3})], capabilities=NATIVE
    )
    with context(lm=lm):
        events = way(ReAct("question -> answer: int", tools=[add]), question="1 + 2?")
    kinds = [TurnEvent, ToolCallEvent, ToolResultEvent, StepEvent, TurnEvent, StepEvent, EndEvent]
    assert [type(event) for event in events if not isinstance(event, TokenEvent)] == kinds
    assert [event.result.content for event in events if isinstance(event, ToolResultEvent)] == ["3"]
    assert [event.turn for event in events if isinstance(event, TurnEvent)] == [1, 2]


@ways
def test_a_programs_calls_are_told(way: Way) -> None:
    lm = ScriptedLM([ToolCall("python", {"code": "submit(answer=add(1, 2))"})], capabilities=NATIVE)
    with context(lm=lm):
        events = way(CodeAct("question -> answer: int", tools=[add]), question="1 + 2?")
    assert [event.call.name for event in events if isinstance(event, ToolCallEvent)] == ["add"]
    assert isinstance(events[-1], EndEvent)
    assert events[-1].prediction.answer == 3


@ways
def test_tokens_come_while_the_server_writes(
    way: Way, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(answer("[[ ## capital ## ]]\nParis, of course\n\n[[ ## completed ## ]]"))
    with context(lm=LM("openai/any", api_base=server.url, cache=False)):
        events = way(Predict("country -> capital"), country="France")
    assert server.requests[0].streamed
    assert written(events, "capital") == "Paris, of course"
    assert len([event for event in events if isinstance(event, TokenEvent)]) > 1


@ways
def test_a_stream_that_breaks_off_raises_what_a_call_raises(
    way: Way, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(*[break_off("[[ ## capital ## ]]\nPar", clean=False)] * 8)
    with (
        context(lm=LM("openai/any", api_base=server.url, cache=False, num_retries=0)),
        pytest.raises(LMError),
    ):
        way(Predict("country -> capital"), country="France")


@ways
def test_an_error_comes_after_the_events_before_it(way: Way) -> None:
    with context(lm=ScriptedLM([ServerError("down")])), pytest.raises(ServerError, match="down"):
        way(Predict("a -> b"), a=1)


def test_who_stops_reading_stops_the_program() -> None:
    started, ended = threading.Event(), threading.Event()

    async def wait(n: int) -> str:
        """Wait."""
        started.set()
        try:
            await asyncio.sleep(120)
        finally:
            ended.set()
        return "late"

    lm = ScriptedLM([ToolCall("wait", {"n": 1})], capabilities=NATIVE)
    with context(lm=lm):
        events = ReAct("question -> answer", tools=[wait]).stream(question="?")
        for event in events:
            if isinstance(event, ToolCallEvent):
                break
        assert started.wait(60)
        events.close()
    assert ended.wait(60)


@awaited
async def test_who_stops_reading_without_blocking_stops_the_program() -> None:
    asked: list[LMRequest] = []

    class Slow(ScriptedLM):
        async def acomplete(self, request: LMRequest) -> LMResponse:
            asked.append(request)
            await asyncio.sleep(120)
            return LMResponse("")

    with context(lm=Slow([])):
        events = Predict("a -> b").astream(a=1)
        assert isinstance(await anext(events), TurnEvent)
        began = time.monotonic()
        await events.aclose()
    assert time.monotonic() - began < 60


def test_a_stream_has_the_context_it_was_begun_in() -> None:
    with context(lm=ScriptedLM(["[[ ## b ## ]]\none"])):
        events = Predict("a -> b").stream(a=1)
        first = next(iter(events))
    with context(lm=ScriptedLM([])):
        rest = list(events)
    assert isinstance(first, TurnEvent)
    assert isinstance(rest[-1], EndEvent)


def test_streamify_gives_the_prediction_last() -> None:
    async def read() -> list[Any]:
        return [item async for item in streamify(Predict("a -> b"))(a=1)]

    with context(lm=ScriptedLM(["[[ ## b ## ]]\none"])):
        assert asyncio.run(read())[-1].b == "one"


# ---- fields of an answer that comes in pieces


def pieces(text: str, cuts: list[int]) -> dict[str, str]:
    tokens, found = FieldTokens(), dict[str, str]()
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    told = [piece for start, end in itertools.pairwise(places) for piece in tokens.feed(text[start:end])]
    for field, part in [*told, *tokens.end()]:
        found[field] = found.get(field, "") + part
    return found


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
cuts = st.lists(st.integers(0, 10_000), max_size=20)


@given(st.dictionaries(st.sampled_from(["thought", "answer", "c"]), texts, min_size=1), cuts, st.booleans())
def test_json_strings_come_as_they_are_however_they_are_cut(
    values: dict[str, str], where: list[int], ascii_only: bool
) -> None:
    assert pieces(json.dumps(values, ensure_ascii=ascii_only), where) == values


@given(st.recursive(st.integers() | st.booleans() | st.none() | texts, st.lists, max_leaves=8), cuts)
def test_other_json_values_come_as_their_json(value: Any, where: list[int]) -> None:
    found = pieces(json.dumps({"first": value, "last": "x"}), where)
    assert found["last"] == "x"
    assert isinstance(value, str) or json.loads(found["first"]) == value


words = st.text(st.characters(codec="utf-8", exclude_characters="["), min_size=1, max_size=30).filter(
    lambda text: text == text.strip("\n") != ""
)


@given(st.dictionaries(st.sampled_from(["thought", "answer", "c"]), words, min_size=1), cuts)
def test_marked_fields_come_as_they_are_however_they_are_cut(
    values: dict[str, str], where: list[int]
) -> None:
    text = "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items())
    assert pieces(f"{text}[[ ## completed ## ]]", where) == values


def test_plain_text_has_no_field() -> None:
    assert pieces("just talking [1] [[2]]", [3, 9]) == {"": "just talking [1] [[2]]"}
