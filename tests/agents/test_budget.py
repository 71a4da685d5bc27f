from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from loopwright import Example, Predict, ReAct, context
from loopwright.errors import BudgetError, ConfigurationError, ServerError
from loopwright.models import BaseLM, Capabilities, FunctionLM, LMRequest, LMResponse, ScriptedLM, Usage
from loopwright.models.cache import Cached
from loopwright.models.stores import MemoryStore
from loopwright.runtime import Budget
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)


class Priced(BaseLM):
    """A model whose answers cost what is said, and that counts its calls."""

    model = "priced"

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.calls = 0

    def complete(self, request: LMRequest) -> LMResponse:
        self.calls += 1
        return LMResponse("[[ ## b ## ]]\nyes", usage=self.usage)


ASK = Predict("a -> b", max_tokens=20)


def until_spent(lm: BaseLM, budget: Budget, most: int = 100) -> BudgetError:
    with context(lm=lm), budget, pytest.raises(BudgetError) as caught:
        ask_often(most)
    return caught.value


def ask_often(times: int) -> None:
    for _ in range(times):
        ASK(a=1)


def test_calls_are_counted_exactly() -> None:
    lm = Priced(Usage(10, 5, usd=0.1))
    assert until_spent(lm, budget := Budget(calls=7)).limit == "calls"
    assert (lm.calls, budget.calls, budget.usage.total_tokens) == (7, 7, 105)


@pytest.mark.parametrize("limits", [{"tokens": 1000}, {"usd": 1.0}], ids=["tokens", "dollars"])
def test_a_call_that_would_not_fit_is_not_made(limits: dict[str, Any]) -> None:
    lm = Priced(Usage(90, 20, usd=0.11))
    error = until_spent(lm, budget := Budget(**limits))
    assert (error.limit, budget.usage.total_tokens <= 1000) == (next(iter(limits)), True)
    assert 7 <= lm.calls <= 9


def test_a_budget_of_nothing_allows_nothing() -> None:
    lm = Priced(Usage(1, 1, usd=0.0))
    until_spent(lm, Budget(calls=0))
    assert lm.calls == 0


def test_time_is_a_budget() -> None:
    assert until_spent(Priced(Usage(1, 1, usd=0.0)), Budget(seconds=0)).limit == "seconds"


def test_a_price_that_is_not_known_ends_a_budget_in_dollars() -> None:
    lm = Priced(Usage(1, 1))
    assert "not known" in str(until_spent(lm, Budget(usd=5)))
    assert lm.calls == 1


def test_a_failed_call_costs_nothing() -> None:
    lm = ScriptedLM([ServerError("down"), "[[ ## b ## ]]\nyes"])
    with context(lm=lm), Budget(calls=1) as budget:
        with pytest.raises(ServerError):
            ASK(a=1)
        ASK(a=1)
    assert budget.calls == 1


def test_an_answer_from_the_cache_costs_nothing() -> None:
    lm = Cached(Priced(Usage(10, 5, usd=0.1)), MemoryStore())
    with context(lm=lm), Budget(calls=5) as budget:
        for _ in range(20):
            ASK(a=1)
    assert budget.calls == 1


def test_a_budget_inside_another_is_bound_by_both() -> None:
    lm = Priced(Usage(10, 5, usd=0.1))
    with context(lm=lm), Budget(calls=5) as outer:
        with pytest.raises(BudgetError, match="budget of 2 calls"), Budget(calls=2):
            ask_often(3)
        with pytest.raises(BudgetError, match="budget of 5 calls"), Budget(calls=9) as inner:
            ask_often(9)
    assert (outer.calls, inner.calls, lm.calls) == (5, 3, 5)


def test_threads_share_it_and_none_goes_beyond() -> None:
    lm = Priced(Usage(10, 5, usd=0.1))
    with context(lm=lm), Budget(calls=50) as budget, ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(copy_context().run, lambda: ASK(a=1)) for _ in range(80)]
        failed = [type(future.exception()) for future in futures if future.exception()]
    assert (lm.calls, budget.calls) == (50, 50)
    assert failed == [BudgetError] * 30


def test_tasks_share_it() -> None:
    lm = Priced(Usage(10, 5, usd=0.1))

    async def many() -> list[Any]:
        return await asyncio.gather(*(ASK.acall(a=n) for n in range(20)), return_exceptions=True)

    with context(lm=lm), Budget(calls=12):
        outcomes = asyncio.run(many())
    assert (lm.calls, sum(isinstance(one, BudgetError) for one in outcomes)) == (12, 8)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"calls": 4}, "max_calls"), ({"tokens": 700}, "max_tokens"), ({"usd": 0.5}, "max_cost")],
    ids=["calls", "tokens", "dollars"],
)
def test_an_agent_ends_with_what_it_has(limits: dict[str, Any], reason: str) -> None:
    def look(n: int) -> str:
        """Look."""
        return f"nothing at {n}"

    asked: list[int] = []

    def turn(request: LMRequest) -> LMResponse:
        asked.append(1)
        call = ToolCall("look", {"n": len(asked)}, f"c{len(asked)}")
        return LMResponse("", (call,), usage=Usage(100, 10, usd=0.1))

    lm = FunctionLM(turn, capabilities=NATIVE)
    with context(lm=lm), Budget(**limits):
        prediction = ReAct("question -> answer", tools=[look])(question="where?")
    assert (prediction.termination_reason, prediction.answer) == (reason, None)
    assert 3 <= len(prediction.trajectory.steps) == len(asked) <= 6
    assert isinstance(prediction.error, BudgetError)


def test_the_first_call_of_an_agent_raises() -> None:
    with context(lm=ScriptedLM([], capabilities=NATIVE)), Budget(calls=0), pytest.raises(BudgetError):
        ReAct("question -> answer")(question="where?")


def test_a_batch_says_which_examples_were_left_out() -> None:
    lm = Priced(Usage(10, 5, usd=0.1))
    examples = [Example(a=n).with_inputs("a") for n in range(6)]
    with context(lm=lm), Budget(calls=4):
        done, failed, errors = ASK.batch(examples, num_threads=2, return_failed_examples=True)
    assert (len([one for one in done if one]), len(failed)) == (4, 2)
    assert all(isinstance(error, BudgetError) for error in errors)


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="tokens is a number of at least 0"):
        Budget(tokens=-1)


def test_one_budget_is_not_entered_twice() -> None:
    with Budget(calls=1) as budget, pytest.raises(ConfigurationError, match="in use already"), budget:
        pass
