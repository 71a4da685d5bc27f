"""What follows for every model from having `complete` alone."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from lm_calls import Way, acomplete, asking, each_way

from loopwright.messages import Message
from loopwright.models import NO_USAGE, BaseLM, Capabilities, Delta, LMRequest, LMResponse, Usage
from loopwright.tools import ToolCall, ToolSpec


class Smallest(BaseLM):
    model = "smallest"

    def complete(self, request: LMRequest) -> LMResponse:
        self.thread = threading.get_ident()
        return LMResponse(request.messages[-1].content)


@each_way
def test_a_model_that_can_only_block_is_asked_in_every_way(ask: Way) -> None:
    assert ask(Smallest(), asking("four")).text == "four"
    assert ask(Smallest(), asking("")).text == ""


def test_an_awaited_call_leaves_the_event_loops_thread() -> None:
    lm = Smallest()
    acomplete(lm, asking())

    assert lm.thread != threading.get_ident()


def test_a_stream_is_the_text_and_then_the_response() -> None:
    assert list(Smallest().stream(asking("four"))) == [Delta("four"), LMResponse("four")]


def test_a_model_says_nothing_of_itself_by_default() -> None:
    assert (Smallest().identity, Smallest().capabilities) == ("smallest", Capabilities())


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        (Usage(1, 2, 1, 0.5), Usage(10, 20, 10, 0.25), Usage(11, 22, 11, 0.75)),
        (Usage(1, 2), Usage(1, 2, usd=1.0), Usage(2, 4, usd=None)),
        (NO_USAGE, Usage(1, 2, usd=1.0), Usage(1, 2, usd=1.0)),
    ],
    ids=["known", "unknown stays unknown", "nothing is free"],
)
def test_usage_adds_up(one: Usage, other: Usage, total: Usage) -> None:
    assert one + other == total
    assert (one + other).total_tokens == total.prompt_tokens + total.completion_tokens


def test_a_request_that_is_followed_by_messages_keeps_all_its_settings() -> None:
    spec = ToolSpec("now", "The time.", {"type": "object"})
    first, second = Message("user", "When?"), Message("assistant", "Now.")
    request = LMRequest(
        (first,), (spec,), "required", {"type": "object"}, 0.5, 0.9, 100, ("END",), seed=7, rollout_id=3
    )

    assert request.followed_by(second) == replace(request, messages=(first, second))


def test_an_answer_that_is_priced_keeps_everything_else() -> None:
    usage = Usage(10, 3, cached_tokens=5, usd=None)
    answer = LMResponse("4", (ToolCall("add"),), "so", "tool_calls", usage, "m", cached=True)

    assert answer.priced(0.5) == replace(answer, usage=replace(usage, usd=0.5))
    assert answer.priced(None) == answer
