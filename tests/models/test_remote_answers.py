"""What goes over the wire to a remote model, and what comes back: by both routes, to a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from lm_calls import (
    ROUTE_NAMES,
    ROUTES,
    Hosted,
    Way,
    acomplete,
    asking,
    each_route,
    each_way,
    run,
    stream,
)
from openai_server import Serve, answer, fail, filtered, from_lm, raw, raw_events
from strict_server import complaint

from loopwright.errors import BadRequestError, ConfigurationError, RateLimitError
from loopwright.messages import Message
from loopwright.models import Capabilities, FunctionLM, HostedLM, LMRequest, LMResponse, Usage
from loopwright.models.remote import RemoteLM
from loopwright.tools.calls import ToolCall, ToolSpec

ADD = ToolSpec("add", "Add two numbers.", {"type": "object", "properties": {"a": {"type": "number"}}})
CLOSED = {
    "title": "The answer!",
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}


@pytest.fixture(params=ROUTES, ids=ROUTE_NAMES)
def hosted(request: pytest.FixtureRequest) -> Hosted:
    """Make a model at a server, by each of the routes."""
    kind: type[RemoteLM] = request.param
    return lambda server, name="openai/any", **options: kind(
        name, **{"api_base": server.url, "api_key": "sk-test", "timeout": 60, **options}
    )


@each_way
def test_an_answer_comes_back_whole(hosted: Hosted, ask: Way, openai_server: Serve) -> None:
    said = LMResponse("It is 4, of course.", reasoning="Two and two make four.", usage=Usage(20, 7, 16))

    response = ask(hosted(openai_server(answer(said))), asking())

    assert response == LMResponse(
        said.text, (), said.reasoning, "stop", Usage(20, 7, 16, usd=None), "openai/any"
    )


@each_way
def test_tool_calls_come_back_with_their_arguments(hosted: Hosted, ask: Way, openai_server: Serve) -> None:
    calls = (ToolCall("add", {"a": 1, "b": [2, "ü"]}, "call_a"), ToolCall("now", {}, "call_b"))

    response = ask(hosted(openai_server(answer(calls))), LMRequest(asking().messages, tools=(ADD,)))

    assert response.tool_calls == calls
    assert response.finish_reason == "tool_calls"
    assert response.text == ""


@each_way
def test_half_a_letter_and_an_odd_name_can_be_sent_again(
    hosted: Hosted, ask: Way, openai_server: Serve
) -> None:
    calls = (ToolCall("look it up!", {}, "a"), ToolCall("", {}, "b"), ToolCall("x" * 100, {}, "c"))
    results = [Message("tool", "none", tool_call_id=call.id) for call in calls]
    said = Message("assistant", "caf\udce9", calls)
    server = openai_server(answer("4"))

    assert (
        ask(hosted(server), LMRequest((Message("user", "caf\udce9?"), said, *results), tools=(ADD,))).text
        == "4"
    )

    assert complaint(server.requests[0].body["messages"]) == ""  # type: ignore[arg-type]  # they are
    (sent,) = [message for message in server.requests[0].body["messages"] if message["role"] == "assistant"]  # type: ignore[attr-defined]  # so is it
    assert [call["function"]["name"] for call in sent["tool_calls"]] == ["look_it_up_", "unknown", "x" * 64]


@pytest.mark.parametrize("text", ["{'a': 1}", '{"a": ', "[1]", "7", "a=1", '"text"'])
@each_way
def test_arguments_that_are_no_object_are_kept_as_text(
    hosted: Hosted, ask: Way, text: str, openai_server: Serve
) -> None:
    server = openai_server(answer(ToolCall("add", {}, "c", malformed=text)))

    assert ask(hosted(server), asking()).tool_calls == (ToolCall("add", {}, "c", malformed=text),)


@each_way
def test_an_answer_that_the_provider_cut_for_its_content_says_so(
    hosted: Hosted, ask: Way, openai_server: Serve
) -> None:
    response = ask(hosted(openai_server(filtered())), asking())

    assert (response.text, response.finish_reason) == ("I can", "content_filter")


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
        ("end_turn", "stop"),
        ("eos", "stop"),
        ("whatever", "stop"),
    ],
)
@each_way
def test_an_unusual_reason_to_stop_is_understood(
    hosted: Hosted, ask: Way, finish: str, reason: str, openai_server: Serve
) -> None:
    assert ask(hosted(openai_server(answer("4", finish_reason=finish))), asking()).finish_reason == reason


@each_way
def test_an_answer_that_was_too_long_says_so(hosted: Hosted, ask: Way, openai_server: Serve) -> None:
    response = ask(hosted(openai_server(answer("It is", finish_reason="length"))), asking())

    assert response.finish_reason == "length"


def test_everything_in_a_request_is_sent(hosted: Hosted, openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    request = LMRequest(
        messages=(
            Message("system", "Be brief."),
            Message("user", "Add."),
            Message(
                "assistant", "", (ToolCall("add", {"a": 1}, "c1"), ToolCall("add", {}, "c2", malformed="{a"))
            ),
            Message("tool", "1", tool_call_id="c1", name="add"),
        ),
        tools=(ADD,),
        tool_choice="add",
        response_format=CLOSED,
        temperature=0.5,
        top_p=0.9,
        max_tokens=50,
        stop=("\n\n",),
        seed=7,
        rollout_id=3,
    )

    hosted(server).complete(request)

    body = server.requests[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add."},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
                {
                    "id": "c2",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"malformed": "{a"}'},
                },
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c1", "name": "add"},
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "add", "description": ADD.description, "parameters": ADD.parameters},
        }
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "add"}}
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "The_answer_", "schema": CLOSED, "strict": True},
    }
    settings = {name: body[name] for name in ("model", "temperature", "top_p", "max_tokens", "stop", "seed")}
    assert settings == {
        "model": "any",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["\n\n"],
        "seed": 7,
    }
    assert "rollout_id" not in body
    assert server.requests[0].headers["authorization"] == "Bearer sk-test"


def test_a_bare_request_leaves_every_setting_to_the_model(hosted: Hosted, openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    hosted(server).complete(asking())

    assert set(server.requests[0].body) == {"model", "messages"}


def test_what_a_model_does_not_take_is_left_out(hosted: Hosted, openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    hosted(server, "openai/o3-mini").complete(LMRequest(asking().messages, temperature=0.3, max_tokens=9))

    body = server.requests[0].body
    assert "temperature" not in body
    assert body["max_completion_tokens"] == 9


def test_the_providers_own_options_are_sent_as_they_are(hosted: Hosted, openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    hosted(server, extra_headers={"X-Team": "blue"}, extra_body={"top_k": 3}).complete(asking())

    assert server.requests[0].headers["x-team"] == "blue"
    assert server.requests[0].body["top_k"] == 3


@each_route
def test_a_server_of_ones_own_needs_no_key(route: type[RemoteLM], openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    assert route("openai/any", api_base=server.url + "/").complete(asking()).text == "4"
    assert server.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize(
    ("name", "usage", "usd"),
    [
        ("openai/gpt-4o-mini", Usage(1_000_000, 0), 0.15),
        ("openai/gpt-4o-mini", Usage(0, 1_000_000), 0.60),
        ("openai/gpt-4o-mini", Usage(1_000_000, 0, cached_tokens=1_000_000), 0.075),
        ("openai/no-such-model", Usage(1000, 1000), None),
    ],
    ids=["prompt", "completion", "cached", "unknown"],
)
@each_way
def test_the_price_is_litellms_and_unknown_where_that_knows_none(
    hosted: Hosted, ask: Way, name: str, usage: Usage, usd: float | None, openai_server: Serve
) -> None:
    # A count of 0 would make the server count words itself, hence the 1.
    sent = Usage(usage.prompt_tokens or 1, usage.completion_tokens or 1, usage.cached_tokens)

    response = ask(hosted(openai_server(answer(LMResponse("4", usage=sent))), name), asking())

    assert response.usage.usd == (usd if usd is None else pytest.approx(usd, rel=1e-4))


@each_way
def test_ollama_is_reached_by_its_own_api(ask: Way, openai_server: Serve) -> None:
    said = {
        "model": "llama3.2",
        "message": {"role": "assistant", "content": "4"},
        "done": True,
        "done_reason": "stop",
    }
    server = openai_server(
        raw(json.dumps({**said, "prompt_eval_count": 9, "eval_count": 1}).encode() + b"\n")
    )
    lm = HostedLM("ollama_chat/llama3.2", api_base=server.url.removesuffix("/v1"), timeout=60)

    response = ask(lm, asking())

    assert response.text == "4"
    assert server.requests[0].path == "/api/chat"


def test_many_threads_share_a_model(hosted: Hosted, openai_server: Serve) -> None:
    lm = hosted(openai_server(from_lm(FunctionLM(lambda request: request.messages[-1].content.upper()))))
    lm.complete(asking())  # litellm makes its client here; made by many threads at once, all but one leak
    answers: dict[int, str] = {}

    def work(number: int) -> None:
        answers[number] = lm.complete(asking(f"number {number}")).text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert answers == {number: f"NUMBER {number}" for number in range(16)}


def test_many_tasks_share_a_model(hosted: Hosted, openai_server: Serve) -> None:
    lm = hosted(openai_server(from_lm(FunctionLM(lambda request: request.messages[-1].content.upper()))))

    async def main() -> list[LMResponse]:
        await lm.acomplete(asking())  # as above
        return await asyncio.gather(*(lm.acomplete(asking(f"number {number}")) for number in range(16)))

    assert [response.text for response in run(main())] == [f"NUMBER {number}" for number in range(16)]


def test_a_model_outlives_its_event_loop(hosted: Hosted, openai_server: Serve) -> None:
    lm = hosted(openai_server(answer("4")))

    assert [acomplete(lm, asking()).text for _ in range(3)] == ["4", "4", "4"]


def test_a_cancelled_call_ends_at_once(hosted: Hosted, openai_server: Serve) -> None:
    lm = hosted(openai_server(lambda reply: reply.stopped.wait(60) and None))

    async def main() -> None:
        task = asyncio.create_task(lm.acomplete(asking()))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)

    run(main())


def test_a_model_behind_a_server_is_the_same_model(hosted: Hosted, openai_server: Serve) -> None:
    seen: list[LMRequest] = []

    def model(request: LMRequest) -> ToolCall:
        seen.append(request)
        return ToolCall("add", {"a": 2})

    request = LMRequest(asking().messages, (ADD,), "required", CLOSED, 0.5, 0.9, 20, ("END",), 3)
    response = hosted(openai_server(from_lm(FunctionLM(model)))).complete(request)

    assert seen == [request]
    assert response.tool_calls == (ToolCall("add", {"a": 2}, "call_0"),)


def test_an_error_of_the_model_behind_a_server_keeps_its_kind(hosted: Hosted, openai_server: Serve) -> None:
    def model(request: LMRequest) -> str:
        raise RateLimitError("slower", status=429)

    with pytest.raises(RateLimitError):
        hosted(openai_server(from_lm(FunctionLM(model)))).complete(asking())


def test_a_stream_shows_the_words_as_they_come(hosted: Hosted, openai_server: Serve) -> None:
    pieces = list(hosted(openai_server(answer("one two three"))).stream(asking()))

    assert len(pieces) == 4


def test_fragments_without_an_index_or_an_id_still_make_calls(hosted: Hosted, openai_server: Serve) -> None:
    parts = [{"index": 0, "function": {"name": "now", "arguments": "{}"}}]
    events = [
        {"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": parts}, "finish_reason": None}]},
        {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]

    response = stream(hosted(openai_server(raw_events(*events))), asking())

    assert response.tool_calls == (ToolCall("now", {}, "call_0"),)
    assert response.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("lm", "capabilities"),
    [
        (HostedLM("openai/gpt-4o-mini"), Capabilities(True, True, context_window=128_000)),
        (HostedLM("openai/mine", api_base="http://127.0.0.1:1"), Capabilities(True, False)),
        (HostedLM("ollama_chat/llama3.1"), Capabilities(True, False, context_window=8192)),
        (HostedLM("ollama_chat/mine"), Capabilities(False, False)),
        (
            HostedLM("openai/gpt-4o-mini", native_tools=False, json_schema=False),
            Capabilities(context_window=128_000),
        ),
        (
            HostedLM("ollama_chat/mine", native_tools=True, json_schema=True, context_window=4096),
            Capabilities(True, True, context_window=4096),
        ),
    ],
    ids=["known", "own server", "known to Ollama", "unknown to Ollama", "told otherwise", "told"],
)
def test_what_a_model_can_do_is_known_before_it_is_asked(lm: HostedLM, capabilities: Capabilities) -> None:
    assert lm.capabilities == capabilities


def test_what_a_model_is_said_to_take_is_not_left_out(hosted: Hosted, openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    request = LMRequest(asking().messages, tools=(ADD,), response_format=CLOSED)

    hosted(server, native_tools=True, json_schema=True).complete(request)

    assert {"tools", "tool_choice", "response_format"} <= set(server.requests[0].body)
    assert "allowed_openai_params" not in server.requests[0].body


@each_route
def test_models_are_told_apart_by_name_address_and_options(
    route: type[RemoteLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = route("openai/any", api_base="http://a.example/v1")
    others = [
        route("openai/any"),
        route("openai/other", api_base="http://a.example/v1"),
        route("openai/any", api_base="http://b.example/v1"),
        route("openai/any", api_base="http://a.example/v1", reasoning_effort="low"),
    ]
    identities = {lm.identity for lm in [there, *others]}
    assert len(identities) == 5

    assert route("openai/any", api_base="http://a.example/v1/", api_key="k").identity == there.identity
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a.example/v1")
    assert route("openai/any").identity == there.identity


@pytest.mark.parametrize(
    ("api_base", "says"),
    [
        ("localhost:11434", "must start with http:// or https://"),
        ("https://me:secret@gateway.example/v1", "no user name and password"),
    ],
)
@each_route
def test_an_address_that_can_not_be_used_is_refused_at_once(
    route: type[RemoteLM], api_base: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        route("openai/any", api_base=api_base)

    assert "secret" not in str(caught.value)


@each_way
def test_no_key_shows_in_an_error_wherever_it_was_given(
    hosted: Hosted, ask: Way, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "env7654321")
    server = openai_server(fail(400, "you sent tok1234567 and env7654321 and arg7654321"))
    lm = hosted(server, api_key="arg7654321", extra_headers={"X-Auth": "tok1234567"})

    with pytest.raises(BadRequestError, match=r"you sent \*\*\* and \*\*\* and \*\*\*"):
        ask(lm, asking())
