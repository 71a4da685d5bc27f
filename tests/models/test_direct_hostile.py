"""The direct route before a server that sends anything at all: bounded, in time, and in one of our errors."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from bombs import bomb
from lm_calls import WAYS, Way, asking, each_way, stream
from openai_server import Behaviour, Reply, Serve, answer, raw

from loopwright.errors import (
    BadRequestError,
    ContextWindowError,
    LMError,
    LMTimeoutError,
    NetworkError,
    RateLimitError,
    ServerError,
)
from loopwright.models import DirectLM, LMResponse, Usage
from loopwright.tools.calls import ToolCall

MIB = 2**20
GOOD = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}]}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def wire(data: bytes) -> Behaviour:
    """Send these bytes and nothing else, and close."""

    def behave(reply: Reply) -> None:
        reply.write(data)
        reply.close()

    return behave


def packed(data: bytes, encoding: str, content_type: str = "application/json") -> Behaviour:
    return lambda reply: reply.send(200, data, content_type, {"Content-Encoding": encoding})


def for_ever(start: bytes, piece: bytes) -> Behaviour:
    def behave(reply: Reply) -> None:
        reply.write(start)
        while not reply.stopped.wait(0.01):
            reply.write(piece)
        reply.close()

    return behave


def redirect(reply: Reply) -> None:
    headers = {"Location": "https://elsewhere.example/v1/chat/completions?token=secret"}
    reply.send(308, b"", "text/plain", headers)


def teapot(reply: Reply) -> None:
    reply.send(418, b"no " * MIB, "text/plain")


@dataclass(frozen=True)
class Attack:
    name: str
    behaviour: Behaviour
    error: type[LMError]
    says: str
    timeout: float = 30


ATTACKS = [
    Attack("no HTTP", wire(b"hello there\r\n\r\n"), NetworkError, "broke"),
    Attack("nothing", wire(b""), NetworkError, "closed the connection without an answer"),
    Attack("half a head", wire(b"HTTP/1.1 200 OK\r\nContent-"), NetworkError, "broke"),
    Attack("a head without an end", wire(HEAD + b"X: " + b"a" * MIB), NetworkError, "broke"),
    Attack("heads that never end", for_ever(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), LMTimeoutError, "within", 0.5),
    Attack("only promises", for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), LMTimeoutError, "within", 0.5),
    Attack("another protocol", wire(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n"), NetworkError, "broke"),
    Attack("a length below zero", wire(HEAD + b"Content-Length: -5\r\n\r\n"), NetworkError, "broke"),
    Attack("two lengths", wire(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"), NetworkError, "broke"),
    Attack("shorter than it says", wire(HEAD + b"Content-Length: 999\r\n\r\n{}"), NetworkError, "broke"),
    Attack("a chunk of no size", wire(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), NetworkError, "broke"),
    Attack("a chunk cut off", wire(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}"), NetworkError, "broke"),
    Attack("too long", raw(b" " * (33 * MIB)), ServerError, "longer than 32 MiB"),
    Attack("a bomb", packed(bomb(64 * MIB, letter=b" "), "gzip"), ServerError, "longer than 32 MiB"),
    Attack("packed wrongly", packed(b"no gzip at all", "gzip"), ServerError, "packed wrongly"),
    Attack("packed and cut", packed(gzip.compress(json.dumps(GOOD).encode())[:-20], "gzip"), ServerError, "can't be read"),
    Attack("packed unasked", packed(b"x", "br"), ServerError, "packed as 'br'"),
    Attack("nested deeply", raw(b'{"choices": ' + b"[" * 200_000), ServerError, "can't be read"),
    Attack("a number of 5000 figures", raw(b'{"choices": ' + b"1" * 5000 + b"}"), ServerError, "can't be read"),
    Attack("no UTF-8", raw(b'{"choices": "\xff\xfe"}'), ServerError, "can't be read"),
    Attack("no content", raw(b"", status=204), ServerError, "can't be read"),
    Attack("elsewhere", redirect, BadRequestError, "points to https://elsewhere.example/v1/chat/completions: that"),
    Attack("an error of 3 MiB", teapot, BadRequestError, "status 418"),
]  # fmt: skip
CASES = [pytest.param(attack, ask, id=f"{attack.name}-{ask.__name__}") for attack in ATTACKS for ask in WAYS]


@pytest.mark.parametrize(("attack", "ask"), CASES)
def test_whatever_a_server_sends_becomes_an_error_of_one_line(
    attack: Attack, ask: Way, openai_server: Serve
) -> None:
    server = openai_server(attack.behaviour)
    lm = DirectLM("openai/any", api_base=server.url, api_key="sk-verysecret123", timeout=attack.timeout)
    started = time.monotonic()

    with pytest.raises(LMError) as caught:
        ask(lm, asking())

    error = caught.value
    assert type(error) is attack.error
    assert attack.says in str(error)
    assert str(error).startswith("openai/any: ")
    assert "\n" not in str(error)
    assert "secret" not in str(error)
    assert len(str(error)) < 600
    assert len(server.requests) == 1
    assert time.monotonic() - started < 120, "a call must not hang"


ODD_BUT_WHOLE = [
    pytest.param(packed(gzip.compress(json.dumps(GOOD).encode()), "gzip"), id="packed"),
    pytest.param(packed(zlib.compress(json.dumps(GOOD).encode()), "deflate"), id="deflated"),
    pytest.param(wire(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(GOOD).encode()), id="of HTTP/1.0, without a length"),
    pytest.param(
        wire(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n" + HEAD + b"\r\n" + json.dumps(GOOD).encode()),
        id="after two promises",
    ),
    pytest.param(wire(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"1;x=y\r\n%c\r\n" % byte for byte in json.dumps(GOOD).encode()) + b"0\r\nTrailer: x\r\n\r\n"), id="byte by byte"),
    pytest.param(raw(json.dumps(GOOD).encode(), "application/json; charset=utf-8", 201), id="of status 201"),
]  # fmt: skip


@pytest.mark.parametrize("behaviour", ODD_BUT_WHOLE)
@each_way
def test_an_answer_in_an_odd_form_is_read_also_where_a_stream_was_asked_for(
    ask: Way, behaviour: Behaviour, openai_server: Serve
) -> None:
    server = openai_server(behaviour)

    assert ask(DirectLM("openai/any", api_base=server.url, timeout=60), asking()).text == "4"


def chunk(delta: dict[str, object], finish: str | None = None, **more: object) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"choices": [choice], **more}, ensure_ascii=False)


def events(*lines: bytes, cut: int = 0, headers: dict[str, str] | None = None) -> Behaviour:
    """Send these bytes as a stream, whole or in pieces of `cut` bytes."""
    data = b"".join(lines)

    def behave(reply: Reply) -> None:
        reply.start(200, "text/event-stream", {"Transfer-Encoding": "chunked", **(headers or {})})
        for start in range(0, len(data), cut or len(data)):
            reply.write_chunk(data[start : start + (cut or len(data))])
        reply.write(b"0\r\n\r\n")

    return behave


WORDS = chunk({"content": "Grüße 😀"}).encode()
END = chunk({}, "stop").encode()
USED = json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}).encode()
STREAMS = [
    pytest.param(events(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\ndata: [DONE]\n\n"), id="plain"),
    pytest.param(events(b"data:" + WORDS + b"\r\n\r\ndata:" + END + b"\r\n\r\ndata:[DONE]\r\n\r\n"), id="of CRLF"),
    pytest.param(events(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\n"), id="without [DONE]"),
    pytest.param(events(b"data: " + WORDS + b"\n\ndata: " + END), id="without a last line end"),
    pytest.param(events(b": ping\n\nevent: x\nid: 7\nretry: 5\ndata: " + WORDS + b"\n\n: ping\ndata: " + END + b"\n\n"), id="with other fields"),
    pytest.param(events(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\ndata: [DONE]\n\n", cut=1), id="byte by byte"),
    pytest.param(events(b"data: " + WORDS[:13] + b"\ndata: " + WORDS[13:] + b"\n\ndata: " + END + b"\n\n"), id="over two lines"),
    pytest.param(events(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\ndata: [DONE]\n\ndata: {nonsense\n\n"), id="and more after its end"),
    pytest.param(events(gzip.compress(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\n"), headers={"Content-Encoding": "gzip"}), id="packed"),
    pytest.param(events(b"\n\ndata:\n\ndata: {}\n\ndata: null\n\ndata: " + WORDS + b"\n\ndata: " + END + b"\n\n"), id="with events of nothing"),
]  # fmt: skip


@pytest.mark.parametrize("behaviour", STREAMS)
@pytest.mark.parametrize("ask", WAYS[2:], ids=lambda ask: ask.__name__)
def test_a_stream_is_read_however_it_is_cut(ask: Way, behaviour: Behaviour, openai_server: Serve) -> None:
    server = openai_server(behaviour)

    assert ask(DirectLM("openai/any", api_base=server.url, timeout=60), asking()).text == "Grüße 😀"


def test_the_usage_after_the_last_words_is_counted(openai_server: Serve) -> None:
    server = openai_server(events(b"data: " + WORDS + b"\n\ndata: " + END + b"\n\ndata: " + USED + b"\n\n"))

    response = stream(DirectLM("openai/any", api_base=server.url), asking())

    assert response.usage == Usage(9, 1, usd=None)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        ({"message": "slower", "code": 429}, RateLimitError, "too many requests (slower)"),
        ({"message": "maximum context length is 5", "code": 400}, ContextWindowError, "longer than the model reads"),
        ({"message": "melted", "code": "server_error"}, ServerError, "melted"),
        ("just words", ServerError, "just words"),
    ],
    ids=["a rate limit", "a length", "a failure", "words"],
)  # fmt: skip
def test_an_error_within_a_stream_keeps_the_kind_that_it_names(
    error: object, kind: type[LMError], says: str, openai_server: Serve
) -> None:
    server = openai_server(events(b"data: " + json.dumps({"error": error}).encode() + b"\n\n"))

    with pytest.raises(kind) as caught:
        stream(DirectLM("openai/any", api_base=server.url), asking())

    assert says in str(caught.value)


@pytest.mark.parametrize("line", [b"x" * MIB, b"data: " + b"x" * MIB + b"\n"], ids=["a line", "lines"])
def test_an_event_without_an_end_is_cut_at_the_limit(line: bytes, openai_server: Serve) -> None:
    server = openai_server(events(b"data: " + line * 33, cut=MIB))

    with pytest.raises(ServerError, match="an event of it is longer than 32 MiB"):
        stream(DirectLM("openai/any", api_base=server.url), asking())


def test_a_long_stream_of_short_events_is_read_to_its_end(openai_server: Serve) -> None:
    padded = b"data: " + chunk({"content": "word "}, padding="x" * 500_000).encode() + b"\n\n"
    server = openai_server(events(padded * 80, b"data: " + END + b"\n\n"))

    assert stream(DirectLM("openai/any", api_base=server.url), asking()).text == "word " * 80


def test_a_stream_without_an_end_is_cut_at_a_limit_too(openai_server: Serve) -> None:
    def endless(reply: Reply) -> None:
        reply.start_events()
        for _ in range(300):
            reply.write_chunk(b": " + b"x" * MIB + b"\n")

    with pytest.raises(ServerError, match="longer than 256 MiB"):
        stream(DirectLM("openai/any", api_base=openai_server(endless).url), asking())


# A stream without a reason broke off, so it is asked for one.
NO_REASONS = [
    pytest.param(ask, finish, id=f"{ask.__name__}-{finish}") for ask in WAYS[:2] for finish in ("", None)
]
ODD_REASONS = [
    pytest.param(ask, finish, id=f"{ask.__name__}-{finish}") for ask in WAYS for finish in ("odd", 7)
]


@pytest.mark.parametrize(("ask", "finish"), NO_REASONS + ODD_REASONS)
def test_an_odd_reason_to_stop_is_no_error(ask: Way, finish: object, openai_server: Serve) -> None:
    server = openai_server(answer("4", finish_reason=finish))  # type: ignore[arg-type]  # as hostile as can be

    response = ask(DirectLM("openai/any", api_base=server.url), asking())

    assert (response.text, response.finish_reason) == ("4", "stop")


@each_way
def test_reasoning_tokens_are_part_of_the_answers(ask: Way, openai_server: Serve) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    whole = json.dumps({**GOOD, "usage": usage}).encode()
    server = openai_server(raw(whole))

    response = ask(DirectLM("openai/gpt-4o-mini", api_base=server.url), asking())

    used = response.usage
    assert (used.prompt_tokens, used.completion_tokens, used.cached_tokens) == (100, 50, 64)
    assert used.usd == pytest.approx(36 * 0.15e-6 + 64 * 0.075e-6 + 50 * 0.6e-6)


@each_way
def test_every_letter_survives_the_way_there_and_back(ask: Way, openai_server: Serve) -> None:
    text = 'Grüße 😀\u2028\x00 \ud800 שלום \\ " \x7f'
    server = openai_server(answer(LMResponse(text, (ToolCall("say", {"ü": "\u2029😀"}, "c1"),))))
    lm = DirectLM("openai/any", api_base=server.url)

    response = ask(lm, asking(text))

    assert server.requests[0].body["messages"] == [{"role": "user", "content": text}]
    assert response.text == text
    assert response.tool_calls == (ToolCall("say", {"ü": "\u2029😀"}, "c1"),)


@each_way
def test_what_json_can_not_hold_is_refused_before_it_is_sent(ask: Way, openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    make: list[Callable[[], object]] = [lambda: float("nan"), object]

    for value in make:
        with pytest.raises(LMError, match="check the options"):
            ask(DirectLM("openai/any", api_base=server.url, extra_body={"x": value()}), asking())

    assert server.requests == []
