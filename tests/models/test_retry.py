"""Asking again: how often, after which errors, and after how long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import pytest
from lm_calls import Way, asking, each_way
from openai_server import Serve, answer, fail, hang, rate_limited, raw, reset

from loopwright.errors import AuthError, LMError, RateLimitError, ServerError
from loopwright.models import (
    BaseLM,
    Capabilities,
    Delta,
    FunctionLM,
    HostedLM,
    LMRequest,
    LMResponse,
    Retry,
    Retrying,
    ScriptedLM,
)

BUSY = ServerError("busy", status=503)


class Clock:
    """Sleeps for no time, and remembers for how long it was to."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def asleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def retrying(lm: BaseLM, clock: Clock, attempts: int = 3, longest: float = 60.0) -> Retrying:
    return Retrying(lm, attempts, longest=longest, sleep=clock.sleep, asleep=clock.asleep, random=Random(7))


@each_way
def test_an_error_that_may_pass_is_tried_again(ask: Way) -> None:
    script, clock = ScriptedLM([BUSY, BUSY, "done"]), Clock()

    assert ask(retrying(script, clock), asking()).text == "done"
    assert len(script.requests) == 3
    assert len(clock.waits) == 2


@each_way
def test_the_last_error_is_raised_as_it_came(ask: Way) -> None:
    script, clock = ScriptedLM([BUSY, BUSY, ServerError("still busy")]), Clock()

    with pytest.raises(ServerError, match="still busy"):
        ask(retrying(script, clock), asking())

    assert len(clock.waits) == 2


@each_way
def test_an_error_that_stays_is_raised_at_once(ask: Way) -> None:
    script, clock = ScriptedLM([AuthError("no key"), "never reached"]), Clock()

    with pytest.raises(AuthError):
        ask(retrying(script, clock), asking())

    assert (len(script.requests), clock.waits) == (1, [])


def test_an_error_that_says_that_it_will_not_pass_is_raised_at_once() -> None:
    spent = RateLimitError("the quota is used up")
    spent.retryable = False
    clock = Clock()

    with pytest.raises(RateLimitError):
        retrying(ScriptedLM([spent]), clock).complete(asking())

    assert clock.waits == []


def test_waits_double_up_to_the_longest_and_part_of_each_is_left_to_chance() -> None:
    clock = Clock()

    retrying(ScriptedLM([BUSY] * 8 + ["done"]), clock, attempts=9, longest=10.0).complete(asking())

    for wait, most in zip(clock.waits, [0.5, 1, 2, 4, 8, 10, 10, 10], strict=True):
        assert most / 2 <= wait <= most
    assert len(set(clock.waits)) == 8


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 0.0), (7.0, 7.0), (3600.0, 60.0)])
@each_way
def test_the_wait_that_the_provider_asks_for_is_kept_up_to_the_longest(
    ask: Way, asked: float, waited: float
) -> None:
    clock = Clock()

    ask(retrying(ScriptedLM([RateLimitError("slow down", retry_after=asked), "done"]), clock), asking())

    assert clock.waits == [waited]


class HalfStream(BaseLM):
    """Streams one word and then fails."""

    model = "half"

    def __init__(self) -> None:
        self.calls = 0

    def complete(self, request: LMRequest) -> LMResponse:
        return LMResponse("whole")

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        self.calls += 1
        yield Delta("half ")
        raise BUSY


def test_a_stream_is_not_begun_again_once_something_of_it_was_shown() -> None:
    half, clock = HalfStream(), Clock()
    shown: list[Delta | LMResponse] = []

    with pytest.raises(ServerError):
        shown.extend(retrying(half, clock).stream(asking()))

    assert (half.calls, clock.waits) == (1, [])


def test_an_awaited_stream_is_not_begun_again_either() -> None:
    clock = Clock()

    class AwaitedHalf(HalfStream):
        async def astream(self, request: LMRequest):  # type: ignore[no-untyped-def]  # an async generator
            for piece in self.stream(request):
                yield piece

    async def main() -> None:
        async for _ in retrying(AwaitedHalf(), clock).astream(asking()):
            pass

    with pytest.raises(ServerError):
        asyncio.run(main())
    assert clock.waits == []


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_a_stream_tells_of_each_wait(awaited: bool) -> None:
    clock = Clock()
    lm = retrying(ScriptedLM([RateLimitError("slow down", retry_after=7.0), "done"]), clock)

    async def drained() -> list[Delta | LMResponse]:
        return [piece async for piece in lm.astream(asking())]

    pieces = asyncio.run(drained()) if awaited else list(lm.stream(asking()))
    assert pieces[0] == Delta(retry=Retry(7.0, "slow down"))
    assert pieces[1] == Delta("done")
    assert clock.waits == [7.0]


def test_to_be_told_of_a_wait_is_no_beginning_of_a_stream() -> None:
    clock = Clock()
    inner = retrying(ScriptedLM([BUSY, BUSY, "done"]), clock, attempts=2)
    pieces = list(retrying(inner, clock, attempts=2).stream(asking()))
    assert pieces[-2] == Delta("done")
    assert len(clock.waits) == 2


def test_an_exception_that_is_no_models_is_passed_on() -> None:
    def broken(request: LMRequest) -> str:
        raise KeyError("a bug")

    clock = Clock()
    with pytest.raises(KeyError):
        retrying(FunctionLM(broken), clock).complete(asking())
    assert clock.waits == []


def test_it_is_the_model_inside_in_all_else() -> None:
    lm = HostedLM("openai/gpt-4o-mini", api_base="http://a.example")
    retried = Retrying(lm)

    assert (retried.model, retried.identity, retried.capabilities) == (lm.model, lm.identity, lm.capabilities)
    assert isinstance(retried.capabilities, Capabilities)


def test_no_attempt_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="attempts is 0; it must be at least 1"):
        Retrying(ScriptedLM([]), attempts=0)


SURVIVED = [
    ("rate limit", rate_limited(0)),
    ("broken server", fail(500, "oops")),
    ("busy server", fail(503, "busy")),
    ("reset", reset),
    ("malformed JSON", raw(b'{"choices')),
    ("hang", hang),
]


@pytest.mark.usefixtures("litellm_loaded")
@pytest.mark.parametrize("fault", [fault for _, fault in SURVIVED], ids=[name for name, _ in SURVIVED])
@each_way
def test_a_hosted_model_survives_what_passes(ask: Way, fault: object, openai_server: Serve) -> None:
    server = openai_server(fault, fault, answer("4"))
    lm = HostedLM("openai/any", api_base=server.url, timeout=0.5 if fault is hang else 60)

    assert ask(retrying(lm, Clock(), attempts=20), asking()).text == "4"
    asked = len(server.requests)
    assert asked == 3 or (
        fault is hang and asked > 3
    )  # on a busy machine a good answer may take too long as well


def test_a_server_that_never_recovers_ends_in_its_last_error(openai_server: Serve) -> None:
    server, clock = openai_server(rate_limited(9)), Clock()

    with pytest.raises(LMError, match="asks to wait 9 s"):
        retrying(HostedLM("openai/any", api_base=server.url), clock, attempts=4).complete(asking())

    assert clock.waits == [9.0, 9.0, 9.0]
    assert len(server.requests) == 4
