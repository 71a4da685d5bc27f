"""Servers and networks that fail in the middle of a run: it goes on, or it ends with what it has done. Each row is a fault."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from agent_runs import Played, Said, Way, call, each_transport, each_way, model, play, submit
from openai_server import (
    Behaviour,
    Serve,
    break_off,
    drip,
    drip_events,
    fail,
    filtered,
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

from loopwright import ReAct, context
from loopwright.callbacks import BaseCallback
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

DONE: list[int] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


def book(n: int) -> str:
    """Book seat n."""
    DONE.append(n)
    return f"seat {n} is yours"


class Reader(BaseCallback):
    """Whoever wants an answer as it is written: the run is streamed then."""

    tokens = True

    def __init__(self) -> None:
        self.text = ""

    def on_lm_token(self, call_id: str, delta: Any) -> None:
        self.text += delta.text


# ---- faults that do not pass


@dataclass(frozen=True)
class Fault:
    name: str
    behaviour: Behaviour
    error: type[LMError]
    options: dict[str, Any] = field(default_factory=dict)
    streamed: bool = False
    ends: str = "lm_error"
    slow: bool = False  # it shows when the time for an answer is over


LASTING = [
    Fault("429 storm", rate_limited(0.01), RateLimitError, {"num_retries": 3}),
    Fault("429 storm without Retry-After", rate_limited(), RateLimitError),
    Fault("no quota left", out_of_quota(), RateLimitError),
    Fault("500", fail(500, "oops"), ServerError),
    Fault("503", fail(503, "overloaded"), ServerError),
    Fault("gateway's page", raw(b"<h1>502</h1>", "text/html", 502), ServerError),
    Fault("gateway's page as an answer", raw(b"<h1>hello</h1>", "text/html"), ServerError),
    Fault("half of a JSON", raw(b'{"choices": [{"mess'), ServerError),
    Fault("no choices", no_choices, ServerError),
    Fault("key refused", unauthorised(), AuthError),
    Fault("model gone", no_such_model(), ModelNotFoundError),
    Fault("request refused", fail(400, "no such option"), BadRequestError),
    Fault("request too long", too_long(), ContextWindowError, ends="context"),
    Fault("reset", reset, NetworkError),
    Fault("reset in the body", reset_in_body, NetworkError),
    Fault("silence", hang, LMTimeoutError, slow=True),
    Fault("a byte now and then", drip, LMTimeoutError, slow=True),
    Fault("a stream that is cut", break_off("I will", clean=False), NetworkError, streamed=True),
    Fault("a stream that stops", break_off("I will", clean=True), ServerError, streamed=True),
    Fault("a stream without end", drip_events, LMTimeoutError, streamed=True, slow=True),
    Fault("a stream of nothing", raw_events(), ServerError, streamed=True),
    Fault("a stream of nonsense", raw_events("{nonsense"), ServerError, streamed=True),
    Fault("silence in a stream", hang, LMTimeoutError, streamed=True, slow=True),
]


def in_time(run: Callable[[float], Played], whole: Callable[[Played], bool]) -> Played:
    """A run whose model has a second to answer: more where the machine is too busy for its good answers too."""
    for seconds in (1.0, 4.0, 16.0):
        DONE.clear()
        with contextlib.suppress(LMTimeoutError):  # in the very first turn
            played = run(seconds)
            if whole(played):
                return played
    DONE.clear()
    return run(60)


each_lasting = pytest.mark.parametrize("fault", LASTING, ids=lambda fault: fault.name)


@each_way
@each_lasting
def test_a_fault_in_the_middle_ends_the_run_with_what_was_done(
    fault: Fault, way: Way, openai_server: Serve
) -> None:
    def run(seconds: float) -> Played:
        return play(
            openai_server,
            "native",
            way,
            [call("book", n=1), call("book", n=2), fault.behaviour],
            tools=[book],
            callbacks=[Reader()] if fault.streamed else (),
            **fault.options | {"timeout": seconds},
        )

    played = in_time(run, lambda played: DONE == [1, 2]) if fault.slow else run(60)
    assert (played.reason, played.prediction.answer) == (fault.ends, None)
    assert isinstance(played.prediction.error, fault.error)
    assert DONE == [1, 2]
    assert [result.content for result in played.prediction.trajectory.results] == [
        "seat 1 is yours",
        "seat 2 is yours",
    ]
    assert played.trace.calls[0].prediction is played.prediction


@each_way
@each_lasting
def test_a_fault_on_the_first_turn_is_raised(fault: Fault, way: Way, openai_server: Serve) -> None:
    callbacks = [Reader()] if fault.streamed else []
    server = openai_server(fault.behaviour)
    agent = ReAct("question -> answer: int", tools=[book])
    with (
        context(
            lm=model(server, "native", timeout=1.0 if fault.slow else 60, **fault.options),
            callbacks=callbacks,
        ),
        pytest.raises(fault.error),
    ):
        way(agent, question="?")
    assert DONE == []


# ---- faults that pass

PASSING: dict[str, Callable[[], Sequence[Behaviour]]] = {
    "429 storm": lambda: [rate_limited(0.01)] * 3,
    "429 with a date in the past": lambda: [rate_limited("Wed, 21 Oct 2015 07:28:00 GMT")],
    "500 and 503": lambda: [
        fail(500, "oops", headers={"Retry-After": "0.01"}),
        fail(503, "oops", headers={"Retry-After": "0.01"}),
    ],
    "reset": lambda: [reset],
    "reset in the body": lambda: [reset_in_body],
    "half of a JSON": lambda: [raw(b'{"choices": [{"mess')],
    "silence": lambda: [hang],
    "one after the other": lambda: [rate_limited(0.01), reset, raw(b"<h1>hello</h1>", "text/html")],
}


@each_way
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_fault_that_passes_changes_nothing_but_the_number_of_requests(
    fault: Callable[[], Sequence[Behaviour]], way: Way, openai_server: Serve
) -> None:
    turns: list[Said] = [call("book", n=1), *fault(), call("book", n=2), submit(2)]

    def run(seconds: float) -> Played:
        return play(openai_server, "native", way, turns, tools=[book], num_retries=3, timeout=seconds)

    played = in_time(run, lambda played: len(played.bodies) == len(turns)) if hang in turns else run(60)
    assert (played.reason, played.prediction.answer, DONE) == ("submit", 2, [1, 2])
    assert len(played.prediction.trajectory.steps) == 3
    assert len(played.bodies) == len(turns)
    assert played.bodies[1] == played.bodies[len(turns) - 2]  # asked again with the same words


@each_way
def test_a_server_that_asks_to_wait_is_waited_for(way: Way, openai_server: Serve) -> None:
    before = time.monotonic()
    turns: list[Said] = [call("book", n=1), rate_limited(0.3), submit(1)]
    played = play(openai_server, "native", way, turns, tools=[book], num_retries=1)
    assert (played.reason, DONE) == ("submit", [1])
    assert time.monotonic() - before >= 0.3


# ---- what passes in the form of an answer


@each_way
def test_a_streamed_run_is_the_run(way: Way, openai_server: Serve) -> None:
    reader = Reader()
    turns: list[Said] = ["Let me think.", [call("book", n=1), call("book", n=2)], submit(2)]
    streamed = play(openai_server, "native", way, turns, tools=[book], callbacks=[reader])
    assert DONE == [1, 2]
    plain = play(openai_server, "native", way, turns, tools=[book])
    assert streamed.prediction.trajectory == plain.prediction.trajectory
    assert reader.text == "Let me think."
    assert [streamed.messages(turn) for turn in range(3)] == [plain.messages(turn) for turn in range(3)]
    assert all(body["stream"] for body in streamed.bodies)


@each_way
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_an_answer_that_the_provider_cut_for_its_content_is_asked_for_again(
    streamed: bool, way: Way, openai_server: Serve
) -> None:
    callbacks = [Reader()] if streamed else []
    played = play(openai_server, "native", way, [filtered(), submit(3)], callbacks=callbacks)
    assert (played.reason, played.errors) == ("submit", ["unparsed", None])


@each_way
@each_transport
def test_a_conversation_that_no_longer_fits_at_step_nine_keeps_its_eight_steps(
    transport: Any, way: Way, openai_server: Serve
) -> None:
    turns: list[Said] = [call("book", n=n) for n in range(1, 9)]
    played = play(openai_server, transport, way, [*turns, too_long()], tools=[book], grows=False)
    assert (played.reason, played.prediction.answer) == ("context", None)
    assert isinstance(played.prediction.error, ContextWindowError)
    assert list(range(1, 9)) == DONE
    assert [result.content for result in played.prediction.trajectory.results] == [
        f"seat {n} is yours" for n in range(1, 9)
    ]


@each_way
@each_transport
def test_a_conversation_that_no_longer_fits_at_step_nine_is_folded_and_goes_on(
    transport: Any, way: Way, openai_server: Serve
) -> None:
    turns: list[Said] = [call("book", n=n) for n in range(1, 9)]
    turns += [too_long(), call("book", n=9), submit(9)]
    played = play(openai_server, transport, way, turns, tools=[book], grows=False)
    assert (played.reason, played.prediction.answer) == ("submit", 9)
    assert list(range(1, 10)) == DONE  # and no call again, though the model can't see all of them any more
    assert len(played.prediction.trajectory.steps) == 10
    assert len(str(played.messages(9))) < len(str(played.messages(8)))
    assert played.messages(9)[0] == played.messages(8)[0]
    assert played.messages(9)[1]["content"].startswith(played.messages(8)[1]["content"])
    assert "book(n=1) -> seat 1 is yours" in str(played.messages(9))
