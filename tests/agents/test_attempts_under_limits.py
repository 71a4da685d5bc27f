"""Several attempts under what may be put around a program: a budget, a journal, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agents_attempts import COST, NATIVE, Rollouts, answer, awaited, called

from loopwright import (
    BestOfN,
    Ensemble,
    MultiChainComparison,
    Parallel,
    Predict,
    Prediction,
    ReAct,
    Refine,
    Tool,
    context,
)
from loopwright.errors import BudgetError, ReplayError
from loopwright.models import FunctionLM, LMRequest, LMResponse
from loopwright.parallel import in_threads
from loopwright.runtime import Budget, Journal, track_usage
from loopwright.tools import ToolCall
from loopwright.trace import Trace

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]

QA = "question -> answer: float"


def worth(inputs: dict[str, Any], prediction: Prediction) -> float:
    return float(prediction.answer)


@both_ways
def test_when_the_budget_is_used_up_the_best_so_far_is_returned(call: Call) -> None:
    lm = Rollouts([0.1, 0.3, 0.2, 0.4])
    with context(lm=lm), Budget(calls=2):
        best = call(BestOfN(Predict(QA), 4, worth, 1.0), question="?")
    assert best.answer == 0.3
    assert [type(attempt.error) for attempt in best.attempts[2:]] == [BudgetError, BudgetError]
    assert len(lm.requests) == 2


@both_ways
def test_a_budget_that_is_used_up_by_advice_keeps_the_attempt(call: Call) -> None:
    lm = Rollouts([0.1])
    with context(lm=lm), Budget(calls=1):
        refined = call(Refine(Predict(QA), 3, worth, 1.0), question="?")
    assert refined.answer == 0.1
    assert len(refined.attempts) == 3


@both_ways
def test_a_budget_without_any_attempt_is_an_error(call: Call) -> None:
    with context(lm=Rollouts([0.1])), Budget(calls=0), pytest.raises(BudgetError):
        call(BestOfN(Predict(QA), 2, worth, 1.0), question="?")


def no_such_recording(request: LMRequest) -> str:
    if request.rollout_id is None and "fine" in request.messages[-1].content:
        return answer(0.5)
    raise ReplayError("nothing recorded for this request")


@both_ways
@pytest.mark.parametrize(
    "program",
    [
        BestOfN(Predict(QA), 2, worth, 1.0),
        Refine(Predict(QA), 2, worth, 1.0),
        MultiChainComparison(QA, M=2),
        Ensemble().compile([Predict(QA), Predict(QA, rollout_id=3)]),
    ],
    ids=["best of n", "refine", "comparison", "ensemble"],
)
def test_a_recording_that_does_not_fit_is_no_attempt_that_failed(call: Call, program: Any) -> None:
    with context(lm=FunctionLM(no_such_recording)), pytest.raises(ReplayError):
        call(program, question="fine")


@both_ways
def test_nor_is_it_a_call_that_failed(call: Call) -> None:
    pairs = [(Predict(QA), {"question": "fine"}), (Predict(QA), {"question": "other"})]
    with context(lm=FunctionLM(no_such_recording)), pytest.raises(ReplayError):
        call(Parallel(), pairs)


def count_of(item: str) -> int:
    """How many there are."""
    made.append(item)
    return len(item)


made: list[str] = []


@both_ways
def test_attempts_of_an_agent_are_recorded_and_repeated_without_a_call(call: Call, tmp_path: Path) -> None:
    asked: list[LMRequest] = []

    def play(request: LMRequest) -> LMResponse:
        asked.append(request)
        number = (request.rollout_id or 0) // 1000
        if request.messages[-1].role == "user":
            return LMResponse("", (ToolCall("count_of", {"item": "x" * number}),), usage=COST)
        return LMResponse("", (ToolCall("submit", {"answer": number}),), usage=COST)

    agent = ReAct(QA, tools=[Tool(count_of, effect="write")])
    program = BestOfN(agent, 3, worth, 9.0)
    made.clear()
    with context(lm=FunctionLM(play, capabilities=NATIVE)):
        with Journal(tmp_path / "runs.sqlite") as journal:
            first = call(program, question="?")
        counted = (len(asked), len(made))
        with Journal(tmp_path / "runs.sqlite", mode="replay", run=journal.run):
            again = call(program, question="?")
    assert counted == (6, 3) == (len(asked), len(made))
    assert [one.prediction.trajectory for one in again.attempts] == [
        one.prediction.trajectory for one in first.attempts
    ]
    assert again.answer == first.answer == 2.0


def test_usage_is_counted_over_all_attempts() -> None:
    with context(lm=Rollouts([0.1, 0.2, 0.3])), track_usage() as usage:
        BestOfN(Predict(QA), 3, worth, 1.0, num_threads=3)(question="?")
    assert usage.total.total_tokens == 3 * COST.total_tokens
    assert usage.get_total_tokens()["rollouts"]["total_tokens"] == 36


def own_number(request: LMRequest) -> LMResponse:
    """The number in the question and that of the attempt, so that an answer tells whose it is."""
    number = int(request.messages[-1].content.split()[-1])
    return LMResponse(answer(number + (request.rollout_id or 0) / 10_000), usage=COST)


def test_many_programs_at_once_share_nothing_on_one_event_loop() -> None:
    program = BestOfN(Predict(QA), 3, lambda inputs, prediction: prediction.answer, 1e9, num_threads=3)

    async def one(number: int) -> tuple[float, Trace]:
        trace = Trace()
        with context(trace=trace):
            best = await program.acall(question=str(number))
        return best.answer, trace

    async def main() -> list[tuple[float, Trace]]:
        with context(lm=FunctionLM(own_number)):
            return await asyncio.gather(*(one(number) for number in range(100)))

    for number, (best, trace) in enumerate(asyncio.run(main())):
        assert best == number + 0.2
        assert trace.usage.total_tokens == 3 * COST.total_tokens
        assert [one.inputs for one in trace.calls] == [{"question": str(number)}]


def test_many_programs_at_once_share_nothing_in_threads() -> None:
    program = BestOfN(Predict(QA), 3, lambda inputs, prediction: prediction.answer, 1e9, num_threads=2)

    def one(number: int) -> tuple[float, int]:
        trace = Trace()
        with context(lm=FunctionLM(own_number), trace=trace):
            return program(question=str(number)).answer, trace.usage.total_tokens

    found = in_threads(one, range(64), num_threads=64)
    assert found == [(number + 0.2, 3 * COST.total_tokens) for number in range(64)]


def test_a_flood_of_text_is_cut_before_it_is_compared() -> None:
    seen: list[int] = []

    def compare(request: LMRequest) -> str:
        seen.append(len(request.messages[-1].content))
        return f"{answer('-', 'rationale')}\n{answer('fine')}"

    flood = [{"reasoning": "r" * 1_000_000, "answer": "\x1b[2J" * 1_000_000} for _ in range(2)]
    with context(lm=FunctionLM(compare)):
        MultiChainComparison("question -> answer", M=2)(flood, question="?")
    assert seen[0] < 100_000
