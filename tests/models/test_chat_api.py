"""The chat completions form: hostile answers, and schemas that a provider may be held to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import ServerError
from loopwright.messages import Message
from loopwright.models import Delta, LMRequest, LMResponse, Usage
from loopwright.models.chat_api import (
    StreamReader,
    is_strict,
    read_message,
    read_response,
    read_usage,
    write_message,
    write_request,
)
from loopwright.tools.calls import ToolCall

relaxed = settings(max_examples=60)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(
    "choices message delta content tool_calls function name arguments id index finish_reason usage error".split()  # noqa: SIM905 (shorter)
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def body(message: object, finish: object = "stop", **more: object) -> dict[str, object]:
    return {"choices": [{"message": message, "finish_reason": finish}], **more}


@relaxed
@given(BODIES | st.builds(body, BODIES, BODIES))
def test_any_body_is_a_response_or_a_server_error(hostile: object) -> None:
    with contextlib.suppress(ServerError):
        response = read_response(hostile, "m")
        assert isinstance(response.text, str)
        assert all(isinstance(call.args, dict) for call in response.tool_calls)


@relaxed
@given(st.lists(BODIES | st.builds(body, BODIES, BODIES), max_size=5))
def test_any_stream_is_a_response_or_a_server_error(chunks: list[object]) -> None:
    reader = StreamReader("m")
    deltas = [delta for delta in map(reader.read, chunks) if delta]
    with contextlib.suppress(ServerError):
        assert reader.response().text.startswith("".join(delta.text for delta in deltas))


@relaxed
@given(st.dictionaries(st.text(), JSON), st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True), st.text())
def test_a_message_with_calls_survives_the_way_there_and_back(
    args: dict[str, object], name: str, text: str
) -> None:
    message = Message("assistant", text, (ToolCall(name, args, "c1"),))

    back = read_message(write_message(message))

    assert (back.role, back.content, back.tool_calls[0].name) == ("assistant", text, name)
    assert repr(back.tool_calls[0].args) == repr(dict(args))


@pytest.mark.parametrize(
    ("message", "finish", "response"),
    [
        ({"content": "a"}, "stop", LMResponse("a")),
        ({"content": None}, "stop", LMResponse("")),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "stop", LMResponse("ab")),
        ({"content": "a", "reasoning": "because"}, "stop", LMResponse("a", reasoning="because")),
        ({"content": "a"}, "eos", LMResponse("a")),
        ({"content": "a"}, None, LMResponse("a")),
        ({"content": "a"}, ["stop"], LMResponse("a")),
        ({"content": None, "refusal": "No."}, "stop", LMResponse("No.", finish_reason="content_filter")),
        (
            {"tool_calls": [{"function": {"name": "now", "arguments": ""}}]},
            "stop",
            LMResponse("", (ToolCall("now", {}, "call_0"),), finish_reason="tool_calls"),
        ),
        (
            {"tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}]},
            "function_call",
            LMResponse("", (ToolCall("add", {"a": 1}, "call_0"),), finish_reason="tool_calls"),
        ),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "add", "arguments": "[" * 100_000}}]},
            "length",
            LMResponse("", (ToolCall("add", {}, "c", malformed="[" * 100_000),), finish_reason="length"),
        ),
    ],
    ids=[
        "text", "nothing", "parts", "reasoning by its other name", "odd reason", "no reason", "reason of a wrong type",
        "refusal", "no arguments", "arguments as an object", "arguments nested too deep",
    ],
)  # fmt: skip
def test_what_servers_vary_in_is_read_as_meant(message: object, finish: object, response: LMResponse) -> None:
    read = read_response(body(message, finish), "")

    assert (read.text, read.tool_calls, read.reasoning, read.finish_reason) == (
        response.text,
        response.tool_calls,
        response.reasoning,
        response.finish_reason,
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": {"message": "model is loading"}}, "model is loading"),
        ({"error": "out of memory"}, "out of memory"),
        ({}, "no server of the chat completions API"),
    ],
)
def test_an_error_in_an_answers_place_is_quoted(answer: object, says: str) -> None:
    with pytest.raises(ServerError, match=says):
        read_response(answer, "m")


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, Usage()),
        ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(5, 2)),
        ({"prompt_tokens": "5", "completion_tokens": -2, "prompt_tokens_details": 7}, Usage()),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(5, 0, 4)),
    ],
)
def test_tokens_are_counted_as_far_as_they_are_told(usage: object, counted: Usage) -> None:
    assert read_usage(usage) == counted


def test_two_calls_in_fragments_that_come_mixed_are_told_apart() -> None:
    reader = StreamReader("m")
    fragments = [(1, "b", "add", '{"x"'), (0, "a", "now", ""), (1, "", "", ": 2}"), (0, "", "", "{}")]
    for index, call_id, name, arguments in fragments:
        part = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
        assert reader.read({"choices": [{"delta": {"tool_calls": [part]}}]}) is None
    reader.read({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})

    assert reader.response().tool_calls == (ToolCall("now", {}, "a"), ToolCall("add", {"x": 2}, "b"))


def test_a_refusal_that_is_streamed_is_the_answer() -> None:
    reader = StreamReader("m")
    assert reader.read({"choices": [{"delta": {"reasoning": "hm"}}]}) == Delta(reasoning="hm")
    reader.read({"choices": [{"delta": {"refusal": "No."}, "finish_reason": "stop"}]})

    response = reader.response()

    assert (response.text, response.reasoning, response.finish_reason) == ("No.", "hm", "content_filter")


OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        (OPEN, False),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "properties": {"a": CLOSED}}, True),
        ({**CLOSED, "properties": {"a": OPEN}}, False),
        ({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, OPEN]}}}, False),
        ({"type": "object"}, False),
    ],
    ids=["closed", "open", "optional", "closed inside", "open inside", "open in a union", "any object"],
)
def test_only_a_schema_that_leaves_nothing_open_is_held_to_strictly(
    schema: dict[str, object], strict: bool
) -> None:
    assert is_strict(schema) is strict
    sent = write_request(LMRequest((), response_format=schema))["response_format"]
    assert sent == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": strict},
    }


def test_without_tools_no_choice_of_tool_is_sent() -> None:
    assert write_request(LMRequest((), tool_choice="required")) == {"messages": []}
