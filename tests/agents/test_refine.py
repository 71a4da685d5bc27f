from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from agents_attempts import COST, NATIVE, answer, awaited, called

from loopwright import Module, NativeAdapter, Predict, Prediction, ReAct, Refine, context
from loopwright.errors import ConfigurationError, RateLimitError
from loopwright.evaluate import Score
from loopwright.models import FunctionLM, LMRequest, LMResponse
from loopwright.tools import ToolCall
from loopwright.trace import Trace

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]

QA = "question -> answer"


def is_advice(request: LMRequest) -> bool:
    return "Find the predictors that are to blame" in request.messages[0].content


class Pupil:
    """A model that answers worse until it is told how, and, as its own adviser, says what it was made with."""

    def __init__(self, advice: object, first: str = "It is Brussels", then: str = "Brussels") -> None:
        self.advice = advice
        self.first = first
        self.then = then
        self.asked: list[LMRequest] = []
        self.asked_for_advice: list[str] = []
        self.lm = FunctionLM(self.answer)

    def answer(self, request: LMRequest) -> LMResponse:
        if is_advice(request):
            self.asked_for_advice.append(request.messages[-1].content)
            if isinstance(self.advice, Exception):
                raise self.advice
            said = f"{answer('It talks.', 'discussion')}\n\n{answer(json.dumps(self.advice), 'advice')}"
        else:
            self.asked.append(request)
            said = answer(self.then if "advice" in request.messages[-1].content else self.first)
        return LMResponse(said, usage=COST)


def one_word(inputs: dict[str, Any], prediction: Prediction) -> float:
    """Whether it is a single word."""
    return 1 / len(prediction.answer.split())


@both_ways
def test_an_attempt_that_falls_short_becomes_advice_for_the_next(call: Call) -> None:
    pupil, trace, predict = Pupil({"self": "Say one word only."}), Trace(), Predict(QA)
    with context(lm=pupil.lm, trace=trace):
        refined = call(Refine(predict, 3, one_word, 1.0), question="The capital of Belgium?")
    assert refined.answer == "Brussels"
    assert [attempt.advice for attempt in refined.attempts] == [{}, {"self": "Say one word only."}]
    assert [request.rollout_id for request in pupil.asked] == [None, 1000]
    assert "[[ ## advice ## ]]\nSay one word only." in pupil.asked[1].messages[-1].content
    assert trace.usage.total_tokens == 3 * COST.total_tokens
    ((predictor, inputs, _),) = trace.calls
    assert predictor is predict
    assert inputs == {"question": "The capital of Belgium?"}  # what it was told stays out of the trace
    assert predict.signature.fields.keys() == {"question", "answer"}


def test_the_adviser_sees_program_inputs_calls_outcome_and_judgement() -> None:
    pupil = Pupil({"self": "Be brief."})
    with context(lm=pupil.lm):
        Refine(Predict(QA), 2, one_word, 1.0)(question="The capital of Belgium?")
    (told,) = pupil.asked_for_advice
    for part in (
        "self: question -> answer",
        "question: The capital of Belgium?",
        "self(question=The capital of Belgium?)\nanswer: It is Brussels",
        "reward: 0.333333, wanted is 1 or more",
        "return 1 / len(prediction.answer.split())",
    ):
        assert part in told


def test_nothing_is_asked_for_where_no_attempt_is_left_or_needed() -> None:
    for tries, said in ((1, "It is Brussels"), (3, "Brussels")):
        pupil = Pupil({"self": "Be brief."}, first=said)
        with context(lm=pupil.lm):
            Refine(Predict(QA), tries, one_word, 1.0)(question="?")
        assert pupil.asked_for_advice == []


def test_without_a_threshold_all_attempts_are_made() -> None:
    pupil = Pupil({"self": "Be brief."})
    with context(lm=pupil.lm):
        refined = Refine(Predict(QA), 4, one_word, None)(question="?")
    assert len(refined.attempts) == 4
    assert "wanted" not in pupil.asked_for_advice[0]


@both_ways
def test_advice_that_can_not_be_had_is_logged_and_the_next_attempt_goes_without(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    pupil = Pupil(RateLimitError("slow down"))
    with context(lm=pupil.lm), caplog.at_level(logging.WARNING):
        refined = call(Refine(Predict(QA), 2, one_word, 1.0), question="?")
    assert refined.answer == "It is Brussels"
    assert [attempt.advice for attempt in refined.attempts] == [{}, {}]
    assert "no advice for the next attempt: slow down" in caplog.text


@pytest.mark.parametrize(
    ("advice", "told"),
    [
        ({"self": "Brief."}, {"self": "Brief."}),
        ({"the predictor": "Brief.", "n": "N/A"}, {"self": "Brief.\nN/A"}),
        ({"self": "  ", "other": ""}, {}),
        ({}, {}),
    ],
    ids=["by path", "by another name", "blank", "nothing"],
)
def test_advice_reaches_a_single_predictor_by_any_name(advice: dict[str, str], told: dict[str, str]) -> None:
    pupil = Pupil(advice)
    with context(lm=pupil.lm):
        refined = Refine(Predict(QA), 2, one_word, 1.0)(question="?")
    assert refined.attempts[1].advice == told


class Two(Module):
    def __init__(self) -> None:
        self.find = Predict("question -> facts")
        self.write = Predict("question, facts, advice -> answer")

    def forward(self, question: str) -> Any:
        facts = self.find(question=question).facts
        return self.write(question=question, facts=facts, advice="none")


def test_of_several_predictors_each_is_told_what_concerns_it() -> None:
    seen: list[str] = []

    def model(request: LMRequest) -> str:
        if is_advice(request):
            advice = json.dumps({"write": "One word.", "nobody": "Lost."})
            return f"{answer('-', 'discussion')}\n{answer(advice, 'advice')}"
        seen.append(request.messages[-1].content)
        return f"{answer('Belgium.', 'facts')}\n{answer('It is so')}"

    with context(lm=FunctionLM(model)):
        refined = Refine(Two(), 2, one_word, 1.0)(question="?")
    assert refined.attempts[1].advice == {"write": "One word."}
    assert "One word." not in seen[2]
    # an input of that name is there already, so the advice has another
    assert "[[ ## advice ## ]]\nnone" in seen[3]
    assert "[[ ## advice_ ## ]]\nOne word." in seen[3]


def stock(item: str) -> str:
    """How many there are."""
    return f"{len(item)} of {item}"


@both_ways
def test_an_agents_trajectory_is_what_it_learns_from(call: Call) -> None:
    seen: list[str] = []

    def model(request: LMRequest) -> Any:
        if is_advice(request):
            seen.append(request.messages[-1].content)
            advice = {"react": "Look the desk up under its own name."}
            return ToolCall("submit", {"discussion": "-", "advice": advice})
        told = "under its own name" in request.messages[1].content
        if request.messages[-1].role == "user":
            return ToolCall("stock", {"item": "desk" if told else "table"})
        return ToolCall("submit", {"answer": int(request.messages[-1].content.split()[0])})

    def right(inputs: dict[str, Any], prediction: Prediction) -> Score:
        return Score(prediction.answer == 4, feedback="the desk is no table")

    agent = ReAct("question -> answer: int", tools=[stock])
    with context(lm=FunctionLM(model, capabilities=NATIVE), adapter=NativeAdapter()):
        refined = call(Refine(agent, 2, right, 1.0), question="How many desks?")
    assert refined.answer == 4
    assert '1. stock(item="table") -> 5 of table' in seen[0]
    assert "feedback: the desk is no table" in seen[0]
    trajectories = [attempt.prediction.trajectory for attempt in refined.attempts]
    assert [one["observation_0"] for one in trajectories] == ["5 of table", "4 of desk"]


class Picky(Module):
    def __init__(self) -> None:
        self.predict = Predict(QA)

    def forward(self, question: str) -> Any:
        prediction = self.predict(question=question)
        if " " in prediction.answer:
            raise ValueError("no spaces, please")
        return prediction


@both_ways
def test_a_program_that_raised_is_advised_too(call: Call) -> None:
    pupil = Pupil({"predict": "No spaces."})
    with context(lm=pupil.lm):
        refined = call(Refine(Picky(), 2, one_word, 1.0), question="?")
    assert refined.answer == "Brussels"
    assert "it failed with ValueError: no spaces, please" in pupil.asked_for_advice[0]
    assert "answer: It is Brussels" in pupil.asked_for_advice[0]


@both_ways
def test_a_model_that_fails_needs_no_advice_and_the_last_error_is_raised(call: Call) -> None:
    def model(request: LMRequest) -> str:
        assert not is_advice(request)
        raise RateLimitError("slow down")

    with context(lm=FunctionLM(model)), pytest.raises(RateLimitError) as caught:
        call(Refine(Predict(QA), 2, one_word, 1.0), question="?")
    assert caught.value.__notes__ == ["2 of 2 attempts failed; this is the last one's error"]
    with context(lm=FunctionLM(model)), pytest.raises(RateLimitError) as caught:
        call(Refine(Predict(QA), 3, one_word, 1.0, fail_count=1), question="?")
    assert caught.value.__notes__ == ["1 of 1 attempts failed; this is the last one's error"]


def test_the_modules_own_model_advises_where_the_context_has_none() -> None:
    pupil = Pupil({"self": "Be brief."})
    predict = Predict(QA, lm=pupil.lm)
    with context(lm=None):
        assert Refine(predict, 2, one_word, 1.0)(question="?").answer == "Brussels"
    assert len(pupil.asked_for_advice) == 1


def test_a_reward_without_source_is_told_by_its_name() -> None:
    class Strict:
        """Never content."""

        def __call__(self, inputs: dict[str, Any], prediction: Prediction) -> float:
            return 0.0

    pupil = Pupil({"self": "Be brief."})
    with context(lm=pupil.lm):
        Refine(Predict(QA), 2, Strict(), 1.0)(question="?")
    assert "Strict: Never content." in pupil.asked_for_advice[0]


def test_the_adviser_is_a_predictor_of_the_program() -> None:
    assert [path for path, _ in Refine(Predict(QA), 2, one_word, 1.0).named_predictors()] == [
        "module",
        "advise",
    ]


def test_what_is_no_prediction_is_refined_too() -> None:
    class Text(Module):
        def __init__(self) -> None:
            self.predict = Predict(QA)

        def forward(self, question: str) -> str:
            return str(self.predict(question=question).answer)

    pupil = Pupil({"predict": "Be brief."})
    with context(lm=pupil.lm):
        refined = Refine(Text(), 2, lambda inputs, text: 1 / len(text.split()), 1.0)(question="?")
    assert refined == "Brussels"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"module": print}, "Refine runs a module"),
        ({"N": 0}, "N must be a whole number of at least 1"),
        ({"reward_fn": None}, "reward_fn must be a function, not None"),
        ({"threshold": "high"}, "threshold is the reward that is enough"),
        ({"fail_count": 1.5}, "fail_count must be a whole number"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], says: str) -> None:
    good: dict[str, Any] = {"module": Predict(QA), "N": 3, "reward_fn": one_word, "threshold": 1.0}
    with pytest.raises(ConfigurationError, match=says):
        Refine(**{**good, **arguments})
