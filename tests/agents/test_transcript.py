"""Conversations that outgrow what their model reads: shortened, folded, and whole in the trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from loopwright import ChatAdapter, Prediction, ReAct, context
from loopwright.errors import ContextWindowError
from loopwright.models import BaseLM, Capabilities, LMRequest, LMResponse, Usage
from loopwright.modules.transcript import NOTE
from loopwright.tools import ToolCall

PAGE = "the page goes on and on. " * 60  # 1,500 characters


def read(n: int) -> str:
    """Read page n."""
    return f"page {n}: {PAGE}"


class Narrow(BaseLM):
    """A model that reads so many tokens (four characters each) and no more; it reads pages, then submits."""

    model = "narrow"

    def __init__(
        self, window: int, pages: int, *, told: bool = True, native: bool = True, counts: bool = True
    ) -> None:
        self.window, self.pages, self.told, self.native, self.counts = window, pages, told, native, counts
        self.requests: list[LMRequest] = []
        self.refused = 0
        self.asked = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_tools=self.native, context_window=self.window if self.told else None)

    def complete(self, request: LMRequest) -> LMResponse:
        tokens = size(request) // 4
        if tokens > self.window:
            self.refused += 1
            raise ContextWindowError(f"{tokens} tokens are more than {self.window}", model=self.model)
        self.requests.append(request)
        self.asked += 1
        usage = Usage(tokens if self.counts else 0, 5, usd=0.0)
        done = self.asked > self.pages
        call = (
            ToolCall("submit", {"answer": "read"})
            if done
            else ToolCall("read", {"n": self.asked}, f"c{self.asked}")
        )
        if self.native:
            return LMResponse("", (call,), usage=usage)
        return LMResponse(ChatAdapter().write_turn("", [call]).content, usage=usage)


def size(request: LMRequest) -> int:
    said = sum(len(message.content) for message in request.messages)
    called = sum(len(str(call)) for message in request.messages for call in message.tool_calls)
    return said + called + sum(len(tool.description) + len(str(tool.parameters)) for tool in request.tools)


def run(lm: Narrow) -> Prediction:
    with context(lm=lm, adapter=None if lm.native else ChatAdapter()):
        prediction: Prediction = ReAct("question -> answer", tools=[read], max_iters=100)(
            question="what do the pages say?"
        )
    return prediction


both = pytest.mark.parametrize("native", [True, False], ids=["native", "text"])


@both
@pytest.mark.parametrize("told", [True, False], ids=["window known", "window unknown"])
@pytest.mark.parametrize("counts", [True, False], ids=["usage told", "usage not told"])
def test_a_long_run_goes_on_to_its_answer(native: bool, told: bool, counts: bool) -> None:
    lm = Narrow(3_000, 40, native=native, told=told, counts=counts)
    prediction = run(lm)
    assert prediction.answer == "read"
    assert lm.refused <= (4 if told else 40)


@both
def test_the_trajectory_keeps_what_the_model_no_longer_reads(native: bool) -> None:
    lm = Narrow(3_000, 30, native=native)
    prediction = run(lm)
    observations = [step.results[0].content for step in prediction.trajectory.steps[:-1]]
    assert observations == [read(n) for n in range(1, 31)]
    assert size(lm.requests[-1]) // 4 <= 3_000


def shape(request: LMRequest) -> Sequence[str]:
    return [message.role for message in request.messages]


def test_observations_are_shortened_before_steps_are_folded() -> None:
    lm = Narrow(3_000, 10)
    run(lm)
    first_shorter = next(after for before, after in pairwise(lm.requests) if size(after) < size(before))
    assert not any(NOTE in message.content for message in first_shorter.messages)
    assert "characters left out" in first_shorter.messages[3].content
    assert first_shorter.messages[-1].content == read(
        len(first_shorter.messages) // 2 - 1
    )  # the latest is whole


def test_folded_steps_are_told_in_short() -> None:
    lm = Narrow(2_000, 40)
    run(lm)
    last = lm.requests[-1]
    (note,) = [message for message in last.messages if NOTE in message.content]
    assert note.role == "user"
    assert note.content.startswith(lm.requests[0].messages[1].content)
    assert "1. read(n=1) -> page 1: the page goes on" in note.content
    assert shape(last)[:4] == ["system", "user", "assistant", "tool"]  # every result still answers a call


def test_the_prefix_is_stable_between_two_foldings() -> None:
    lm = Narrow(4_000, 40)
    run(lm)
    broken = sum(
        after.messages[: len(before.messages)] != before.messages for before, after in pairwise(lm.requests)
    )
    assert 0 < broken <= 12


def test_what_can_not_be_made_to_fit_ends_the_run_with_what_it_has() -> None:
    lm = Narrow(10_000, 5)
    program = ReAct("question -> answer", tools=[read])
    with context(lm=lm):
        items = program.run(question="what do the pages say?")
        next(items)
        lm.window = 50  # a server that changes its mind
        *_, prediction = items
    assert isinstance(prediction, Prediction)
    assert (prediction.termination_reason, prediction.answer) == ("context", None)
    assert len(prediction.trajectory.steps) == 1


class Rambling(Narrow):
    """It writes far more than it reads, and no call, before it does as the other one."""

    def complete(self, request: LMRequest) -> LMResponse:
        response = super().complete(request)
        return LMResponse("and so on " * 5_000, usage=response.usage) if self.asked == 2 else response


@both
@pytest.mark.parametrize("told", [True, False], ids=["window known", "window unknown"])
def test_an_answer_that_is_longer_than_the_window_is_shortened_too(native: bool, told: bool) -> None:
    lm = Rambling(3_000, 4, native=native, told=told)
    prediction = run(lm)
    assert (prediction.answer, prediction.termination_reason) == ("read", "submit")
    assert [result.error for result in prediction.trajectory.results].count("unparsed") == 1
    (cut,) = [one for one in lm.requests[2].messages if one.content.startswith("and so on")]
    assert len(cut.content) < 400


def test_a_question_that_is_too_long_raises() -> None:
    with context(lm=Narrow(50, 5)), pytest.raises(ContextWindowError):
        ReAct("question -> answer", tools=[read])(question=PAGE)
