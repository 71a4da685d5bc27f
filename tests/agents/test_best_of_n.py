from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agents_attempts import COST, NATIVE, Hanging, Rollouts, answer, awaited, called

from loopwright import BestOfN, ChainOfThought, Module, Predict, Prediction, ReAct, context
from loopwright.errors import ConfigurationError, InputError, OutputError, RateLimitError
from loopwright.evaluate import Score
from loopwright.models import Cached, FunctionLM, LMRequest, MemoryStore
from loopwright.tools import ToolCall
from loopwright.trace import Trace

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]

QA = "question -> answer: float"


def worth(inputs: dict[str, Any], prediction: Prediction) -> float:
    """The answer is its own reward."""
    return float(prediction.answer)


@both_ways
@pytest.mark.parametrize(
    ("answers", "threshold", "chosen", "made"),
    [
        ([0.1, 0.9, 0.5], 0.8, 0.9, 2),
        ([0.9, 0.1, 0.5], 0.8, 0.9, 1),
        ([0.1, 0.3, 0.2], 0.8, 0.3, 3),
        ([0.1, 0.3, 0.9], None, 0.9, 3),
        ([0.3, 0.8, 0.1], 0.8, 0.8, 2),
    ],
    ids=["second", "first", "none good enough", "no threshold", "threshold itself"],
)
def test_it_ends_at_the_threshold_and_else_takes_the_best(
    call: Call, answers: list[float], threshold: float | None, chosen: float, made: int
) -> None:
    with context(lm=Rollouts(answers)):
        best = call(BestOfN(Predict(QA), 3, worth, threshold), question="?")
    assert best.answer == chosen
    assert [attempt.reward for attempt in best.attempts] == answers[:made]


@both_ways
def test_of_equal_rewards_the_first_is_taken(call: Call) -> None:
    with context(lm=Rollouts([1, 2, 3])):
        best = call(BestOfN(Predict(QA), 3, lambda inputs, prediction: 0.5, 1.0), question="?")
    assert best.answer == 1


def test_the_reward_is_given_the_inputs_and_the_prediction() -> None:
    seen: list[Any] = []

    def note(inputs: dict[str, Any], prediction: Prediction) -> bool:
        seen.append((inputs, prediction.answer))
        return True

    with context(lm=Rollouts([4])):
        BestOfN(Predict("a, b -> answer: int"), 1, note, 1.0)(b=2, a=1)
    assert seen == [({"b": 2, "a": 1}, 4)]


@both_ways
def test_a_cache_gives_every_attempt_its_own_answer_and_the_same_ones_again(call: Call) -> None:
    lm = Rollouts([0.1, 0.2, 0.3])
    with context(lm=Cached(lm, MemoryStore())):
        program = BestOfN(Predict(QA), 3, worth, 1.0)
        first, again = call(program, question="?"), call(program, question="?")
    assert [attempt.prediction.answer for attempt in first.attempts] == [0.1, 0.2, 0.3]
    assert again.attempts[2].prediction.answer == 0.3
    assert len(lm.requests) == 3
    assert [attempt.usage.total_tokens for attempt in again.attempts] == [0, 0, 0]


def test_attempts_in_attempts_and_draws_in_them_are_all_different() -> None:
    seen: list[int | None] = []

    def note(request: LMRequest) -> str:
        seen.append(request.rollout_id)
        return answer(0)

    lm = FunctionLM(note)
    inner = BestOfN(Predict(QA, n=2), 3, worth, 1.0)
    with context(lm=lm):
        BestOfN(inner, 3, worth, 1.0)(question="?")
    assert len(seen) == len(set(seen)) == 3 * 3 * 2
    assert seen[0] is None


def test_each_attempt_is_drawn_with_temperature_and_a_seed_of_its_own() -> None:
    lm = Rollouts([0, 0])
    with context(lm=lm):
        BestOfN(Predict(QA, seed=7), 2, worth, 1.0)(question="?")
        BestOfN(Predict(QA, temperature=0.3), 1, worth, 1.0)(question="?")
        BestOfN(Predict(QA), 1, worth, 1.0, temperature=None)(question="?")
    assert [request.temperature for request in lm.requests] == [1.0, 1.0, 0.3, None]
    assert [request.seed for request in lm.requests] == [7, 8, None, None]


@both_ways
def test_an_attempt_that_fails_loses_no_other(call: Call) -> None:
    with context(lm=Rollouts([RateLimitError("slow down"), 0.4, RateLimitError("slow down")])):
        best = call(BestOfN(Predict(QA), 3, worth, 1.0), question="?")
    assert best.answer == 0.4
    assert [type(attempt.error) for attempt in best.attempts] == [RateLimitError, type(None), RateLimitError]


@both_ways
def test_the_last_error_is_raised_where_all_attempts_failed(call: Call) -> None:
    lm = Rollouts([RateLimitError("one"), RateLimitError("two")])
    with context(lm=lm), pytest.raises(RateLimitError, match="two") as caught:
        call(BestOfN(Predict(QA), 2, worth, 1.0), question="?")
    assert caught.value.__notes__ == ["2 of 2 attempts failed; this is the last one's error"]


@both_ways
@pytest.mark.parametrize(("fail_count", "asked"), [(1, 1), (2, 3)])
def test_fail_count_is_the_failure_that_is_raised(call: Call, fail_count: int, asked: int) -> None:
    lm = Rollouts([RateLimitError("one"), 0.1, RateLimitError("three"), 0.2])
    with context(lm=lm), pytest.raises(RateLimitError, match=r"one|three"):
        call(BestOfN(Predict(QA), 4, worth, 1.0, fail_count), question="?")
    assert len(lm.requests) == asked


async def later(inputs: dict[str, Any], prediction: Prediction) -> float:
    return 1.0


def broken(inputs: dict[str, Any], prediction: Prediction) -> float:
    raise ZeroDivisionError("in the reward")


@pytest.mark.parametrize(
    ("reward", "error", "says"),
    [
        (lambda inputs, prediction: None, ValueError, "returned None; it must return a number"),
        (lambda inputs, prediction: "good", ValueError, "returned 'good'; it must return a number"),
        (lambda inputs, prediction: float("nan"), ValueError, "returned nan, which can't be compared"),
        (later, ValueError, "async: it must be a plain function"),
        (broken, ZeroDivisionError, "in the reward"),
    ],
    ids=["None", "text", "NaN", "async", "raises"],
)
@both_ways
def test_a_reward_that_is_none_says_so(call: Call, reward: Any, error: type[Exception], says: str) -> None:
    with context(lm=Rollouts([1, 2])), pytest.raises(error, match=says):
        call(BestOfN(Predict(QA), 2, reward, 1.0), question="?")


def test_a_score_is_a_reward_whose_feedback_is_kept() -> None:
    with context(lm=Rollouts([1])):
        best = BestOfN(Predict(QA), 1, lambda inputs, prediction: Score(0.5, feedback="too low"), 1.0)(
            question="?"
        )
    assert (best.attempts[0].reward, best.attempts[0].feedback) == (0.5, "too low")


@both_ways
def test_every_attempt_is_paid_for_and_the_calls_of_the_best_are_the_programs(call: Call) -> None:
    trace, predict = Trace(), Predict(QA)

    def judge(inputs: dict[str, Any], prediction: Prediction) -> float:
        with context(lm=FunctionLM(lambda request: answer("fine", "verdict"))):
            Predict("answer -> verdict")(answer=str(prediction.answer))
        return float(prediction.answer)

    with context(lm=Rollouts([0.1, 0.3, 0.2]), trace=trace):
        best = call(BestOfN(predict, 3, judge, 1.0), question="?")
    assert trace.usage.total_tokens == 3 * COST.total_tokens
    assert [attempt.usage for attempt in best.attempts] == [COST] * 3
    assert len(trace.exchanges) == 6
    ((predictor, inputs, prediction),) = trace.calls
    assert predictor is predict
    assert inputs == {"question": "?"}
    assert prediction.answer == 0.3


@both_ways
def test_attempts_are_no_field_of_the_prediction(call: Call) -> None:
    with context(lm=Rollouts([1])):
        best = call(BestOfN(Predict(QA), 1, worth, 1.0), question="?")
    assert best == Prediction(answer=1.0)
    assert best.keys() == ["answer"]
    assert len(best.copy(answer=2).attempts) == 1


def test_a_field_of_that_name_goes_before_the_note() -> None:
    with context(lm=FunctionLM(lambda request: answer(3, "attempts"))):
        best = BestOfN(Predict("question -> attempts: int"), 1, lambda inputs, p: p.attempts, 1.0)(
            question="?"
        )
    assert best.attempts == 3


def note(text: str) -> str:
    """Write a note down."""
    return f"noted: {text}"


@both_ways
def test_an_agents_attempts_keep_their_trajectories(call: Call) -> None:
    def play(request: LMRequest) -> ToolCall:
        number = request.rollout_id or 0
        if request.messages[-1].role == "user":
            return ToolCall("note", {"text": f"attempt {number}"})
        return ToolCall("submit", {"answer": number})

    lm = FunctionLM(play, capabilities=NATIVE)
    agent = ReAct("question -> answer: int", tools=[note])
    with context(lm=lm):
        best = call(BestOfN(agent, 3, worth, 10**9), question="?")
    observed = [attempt.prediction.trajectory["observation_0"] for attempt in best.attempts]
    assert observed == ["noted: attempt 0", "noted: attempt 1000", "noted: attempt 2000"]
    assert (best.answer, best.termination_reason) == (2000, "submit")
    assert best.trajectory is best.attempts[2].prediction.trajectory


def test_attempts_share_no_state_of_the_module() -> None:
    class Counting(Module):
        def __init__(self) -> None:
            self.predict = Predict(QA)
            self.calls: list[int] = []

        def forward(self, question: str) -> Prediction:
            self.calls.append(1)
            prediction: Prediction = self.predict(question=question)
            return prediction.copy(count=len(self.calls))

    program = Counting()
    with context(lm=Rollouts([0.1, 0.2])):
        best = BestOfN(program, 2, worth, 1.0)(question="?")
    assert [attempt.prediction.count for attempt in best.attempts] == [1, 1]
    assert program.calls == []


@both_ways
def test_attempts_run_side_by_side_where_that_is_asked_for(call: Call) -> None:
    together = threading.Barrier(3)

    def answered(request: LMRequest) -> str:
        together.wait(60)  # breaks unless three are asked at once
        return answer((request.rollout_id or 0) / 1000)

    with context(lm=FunctionLM(answered)):
        best = call(BestOfN(Predict(QA), 6, worth, 1.5, num_threads=3), question="?")
    assert [attempt.reward for attempt in best.attempts] == [0, 1, 2]
    assert best.answer == 2


def test_cancelling_ends_every_attempt_under_way() -> None:
    lm = Hanging(lambda request: answer("bad") if request.rollout_id is None else None)
    trace = Trace()

    async def main() -> None:
        program = BestOfN(ChainOfThought(QA), 3, worth, 1.0, num_threads=3)
        with context(lm=lm, trace=trace):
            task = asyncio.create_task(program.acall(question="?"))
        async with asyncio.timeout(10):
            while lm.asked < 5:
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert lm.cancelled == 2
    assert trace.usage.total_tokens == 3 * COST.total_tokens  # the attempt that was not answered well enough


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"module": print}, "BestOfN runs a module, such as .*, not a builtin_function"),
        ({"module": Predict}, "not the class Predict: make one of it"),
        ({"N": 0}, "N must be a whole number of at least 1, not 0"),
        ({"N": True}, "N must be a whole number of at least 1, not True"),
        ({"N": "3"}, "N must be a whole number of at least 1, not '3'"),
        ({"reward_fn": 1.0}, "reward_fn must be a function, not 1.0"),
        ({"threshold": "high"}, "threshold is the reward that is enough, a number, or None"),
        ({"threshold": float("nan")}, "threshold is the reward that is enough"),
        ({"fail_count": 0}, "fail_count must be a whole number of at least 1, not 0"),
        ({"num_threads": 0}, "num_threads must be a whole number of at least 1"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], says: str) -> None:
    good: dict[str, Any] = {"module": Predict(QA), "N": 3, "reward_fn": worth, "threshold": 1.0}
    with pytest.raises(ConfigurationError, match=says):
        BestOfN(**{**good, **arguments})


def test_inputs_are_given_by_name() -> None:
    with pytest.raises(InputError, match="BestOfN takes the module's inputs by name"):
        BestOfN(Predict(QA), 3, worth, 1.0)("?")


def test_an_answer_that_can_not_be_read_is_a_failed_attempt() -> None:
    with context(lm=Rollouts(["many", 0.5])):
        best = BestOfN(Predict(QA), 2, worth, 1.0)(question="?")
    assert isinstance(best.attempts[0].error, OutputError)
    assert best.answer == 0.5


def test_what_is_no_prediction_is_returned_as_it_is() -> None:
    class Text(Module):
        def forward(self, question: str) -> str:
            return question.upper()

    assert BestOfN(Text(), 2, lambda inputs, text: len(text), 1.0)(question="hey") == "HEY"
