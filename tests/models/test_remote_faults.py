"""However a server misbehaves, the call ends in time, in one of our errors, whichever way it was made."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from lm_calls import ROUTE_NAMES, ROUTES, WAYS, Way, asking, each_route, each_way, stream
from openai_server import (
    Behaviour,
    Serve,
    answer,
    break_off,
    drip,
    drip_events,
    fail,
    hang,
    no_choices,
    no_such_model,
    out_of_quota,
    rate_limited,
    raw,
    raw_events,
    reset,
    reset_in_body,
    too_long,
    unauthorised,
)

from loopwright.errors import (
    AuthError,
    BadRequestError,
    ContextWindowError,
    LMError,
    LMTimeoutError,
    ModelNotFoundError,
    NetworkError,
    RateLimitError,
    ServerError,
)
from loopwright.models import DirectLM, HostedLM
from loopwright.models.remote import RemoteLM

KEY = "sk-verysecret123"


@dataclass(frozen=True)
class Fault:
    name: str
    behaviour: Behaviour
    error: type[LMError]
    status: int
    says: str
    streamed_only: bool = False


FAULTS = [
    Fault("key refused", unauthorised(KEY), AuthError, 401, "set OPENAI_API_KEY"),
    Fault("forbidden", fail(403, "not for you"), AuthError, 403, "not for you"),
    Fault("out of money", fail(402, "pay first"), RateLimitError, 402, "billing"),
    Fault("no such model", no_such_model("tiny"), ModelNotFoundError, 404, "`tiny` does not exist"),
    Fault(
        "no such path", raw(b"<h1>404</h1>", "text/html", 404), ModelNotFoundError, 404, "often ends in /v1"
    ),
    Fault("rate limit", rate_limited(7), RateLimitError, 429, "asks to wait 7 s"),
    Fault("quota", out_of_quota(), RateLimitError, 429, "plan and billing"),
    Fault("too long", too_long(4096), ContextWindowError, 400, "4096 tokens"),
    Fault("bad request", fail(400, "no such option"), BadRequestError, 400, "no such option"),
    Fault("unprocessable", fail(422, "temperature"), BadRequestError, 422, "temperature"),
    Fault("broken server", fail(500, "oops"), ServerError, 500, "oops"),
    Fault("busy server", fail(503, "overloaded"), ServerError, 503, "overloaded"),
    Fault("broken gateway", raw(b"<h1>502</h1>", "text/html", 502), ServerError, 502, "try again later"),
    Fault("gateway's page as an answer", raw(b"<h1>hello</h1>", "text/html"), ServerError, 0, "try again"),
    Fault("malformed JSON", raw(b'{"choices": [{"mess'), ServerError, 0, "try again"),
    Fault("JSON, but a list", raw(b"[1, 2]"), ServerError, 0, "try again"),
    Fault("choices of a wrong type", raw(b'{"choices": "none"}'), ServerError, 0, "try again"),
    Fault("no choices", no_choices, ServerError, 0, "try again"),
    Fault("reset", reset, NetworkError, 0, "broke"),
    Fault("reset in the body", reset_in_body, NetworkError, 0, "broke"),
    Fault("stream cut", break_off("one two", clean=False), NetworkError, 0, "broke", streamed_only=True),
    Fault(
        "stream ended early",
        break_off("one two", clean=True),
        ServerError,
        0,
        "broke off",
        streamed_only=True,
    ),
    Fault("event malformed", raw_events('{"choices'), ServerError, 0, "can't be read", streamed_only=True),
    Fault("events of nothing", raw_events({"x": 1}, []), ServerError, 0, "", streamed_only=True),
    Fault(
        "error event",
        raw_events({"error": {"message": "melted"}}),
        ServerError,
        0,
        "melted",
        streamed_only=True,
    ),
]
SLOW = [
    Fault("hangs", hang, LMTimeoutError, 0, "within 0.5 s: try again, or pass a longer timeout="),
    Fault("drips for ever", drip, LMTimeoutError, 0, "within 0.5 s"),
    Fault("streams for ever", drip_events, LMTimeoutError, 0, "within 0.5 s", streamed_only=True),
]
CASES = [
    pytest.param(fault, ask, route, id=f"{fault.name}-{ask.__name__}-{name}")
    for fault in FAULTS + SLOW
    for ask in WAYS
    for route, name in zip(ROUTES, ROUTE_NAMES, strict=True)
    if "stream" in ask.__name__ or not fault.streamed_only
]


@pytest.mark.usefixtures("litellm_loaded")
@pytest.mark.parametrize(("fault", "ask", "route"), CASES)
def test_a_fault_becomes_a_typed_error_of_one_line(
    fault: Fault, ask: Way, route: type[RemoteLM], openai_server: Serve
) -> None:
    server = openai_server(fault.behaviour)
    lm = route("openai/any", api_base=server.url, api_key=KEY, timeout=0.5 if fault in SLOW else 60)
    started = time.monotonic()

    with pytest.raises(LMError) as caught:
        ask(lm, asking())

    error = caught.value
    assert type(error) is fault.error
    assert error.status == fault.status
    assert str(error).startswith("openai/any: ")
    assert fault.says in str(error)
    assert "\n" not in str(error)
    assert KEY not in str(error)
    assert time.monotonic() - started < 120, "a call must not hang"
    assert len(server.requests) == 1, "litellm's own retries must be off"


@each_route
@each_way
def test_a_server_that_is_not_there_is_a_network_error_that_names_it(ask: Way, route: type[RemoteLM]) -> None:
    with pytest.raises(
        NetworkError, match=r"http://127\.0\.0\.1:9/v1 could not be reached .*check that the server runs"
    ):
        ask(route("openai/any", api_base="http://127.0.0.1:9/v1/"), asking())


@each_way
def test_a_missing_key_for_openai_is_an_error_that_names_the_variable(ask: Way) -> None:
    for route in ROUTES:
        with pytest.raises(
            AuthError, match=r"^openai/gpt-5-mini: there is no key: set OPENAI_API_KEY, or pass api_key=$"
        ):
            ask(route("openai/gpt-5-mini"), asking())


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
        ("bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_missing_key_is_an_error_that_names_the_variable(model: str, variable: str) -> None:
    with pytest.raises(AuthError, match=f"{model}: there is no key: set {variable}"):
        HostedLM(model).complete(asking())


def test_an_unknown_provider_is_an_error_that_shows_the_form() -> None:
    with pytest.raises(
        BadRequestError, match="there is no provider 'gpt': a model is written \"provider/name\""
    ):
        HostedLM("gpt/9000").complete(asking())


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [
        ("Retry-After", "2.5", 2.5),
        ("retry-after-ms", "1500", 1.5),
        ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Retry-After", "soon", None),
        ("Retry-After", "-3", None),
        ("Retry-After", "nan", None),
    ],
)
@each_route
@each_way
def test_the_wait_that_a_provider_asks_for_is_read(
    ask: Way, route: type[RemoteLM], header: str, value: str, seconds: float | None, openai_server: Serve
) -> None:
    server = openai_server(fail(429, "slow down", headers={header: value}))

    with pytest.raises(RateLimitError) as caught:
        ask(route("openai/any", api_base=server.url), asking())

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [(rate_limited(), True), (out_of_quota(), False), (fail(500, "oops"), True), (unauthorised(), False)],
    ids=["rate limit", "quota", "server", "key"],
)
@each_route
def test_only_what_may_pass_is_worth_another_try(
    route: type[RemoteLM], fault: Behaviour, retryable: bool, openai_server: Serve
) -> None:
    with pytest.raises(LMError) as caught:
        route("openai/any", api_base=openai_server(fault).url).complete(asking())

    assert caught.value.retryable is retryable


@each_route
def test_a_stream_that_nobody_reads_on_is_closed_without_an_error(
    route: type[RemoteLM], openai_server: Serve
) -> None:
    server = openai_server(drip_events, answer("4"))
    lm = route("openai/any", api_base=server.url, timeout=60)

    pieces = lm.stream(asking())
    next(iter(pieces))
    del pieces

    assert stream(lm, asking()).text == "4"


@each_route
def test_an_odd_number_of_seconds_is_refused_at_once(route: type[RemoteLM]) -> None:
    for timeout in (0, -1, float("nan"), "10", True):
        with pytest.raises(Exception, match="it must be a number of seconds above 0"):
            route("openai/any", timeout=timeout)  # type: ignore[arg-type]  # what a user may write


@each_way
def test_a_web_page_in_place_of_an_answer_is_told_of_in_the_same_words_by_all_ways(
    ask: Way, openai_server: Serve
) -> None:
    server = openai_server(raw(b"<!doctype html><h1>Welcome</h1>", "text/html; charset=utf-8"))
    with pytest.raises(ServerError, match=r"the answer can't be read.* the server does not speak this API"):
        ask(DirectLM("openai/any", api_base=server.url, api_key=KEY), asking())
