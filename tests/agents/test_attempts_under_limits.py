"""Several attempts under what may be put around a program: a budget, a journal."""

from __future__ import annotations

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
from loopwright.runtime import Budget, Journal, track_usage
from loopwright.tools import ToolCall

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
