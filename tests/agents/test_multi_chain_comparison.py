from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agents_attempts import COST, NATIVE, Hanging, answer, awaited, called

from loopwright import (
    Example,
    Module,
    MultiChainComparison,
    NativeAdapter,
    Predict,
    Prediction,
    ReAct,
    context,
)
from loopwright.errors import ConfigurationError, InputError, RateLimitError, SignatureError
from loopwright.models import Cached, FunctionLM, LMRequest, LMResponse, MemoryStore, ScriptedLM
from loopwright.tools import ToolCall
from loopwright.trace import Trace

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]

QA = "question -> answer"
CHAINS = [
    Prediction(reasoning="The seat of parliament.\nSo Bern.", answer="Bern"),
    Prediction(reasoning="The largest city.", answer="Zurich"),
    Prediction(reasoning="The federal city.", answer="bern."),
]


def compared(text: str) -> str:
    return f"{answer('They differ on what a capital is.', 'rationale')}\n\n{answer(text)}"


def is_comparison(request: LMRequest) -> bool:
    return "reasoning_attempt_1" in request.messages[-1].content


@both_ways
def test_given_attempts_are_compared_in_one_call(call: Call) -> None:
    lm = ScriptedLM([compared("Bern")])
    with context(lm=lm):
        prediction = call(MultiChainComparison(QA), CHAINS, question="The capital of Switzerland?")
    assert prediction.toDict() == {"rationale": "They differ on what a capital is.", "answer": "Bern"}
    (request,) = lm.requests
    asked = request.messages[-1].content
    assert request.temperature == 0.7
    assert "reasoning: The seat of parliament.\nSo Bern.\nanswer: Bern" in asked  # whole, not a first line
    assert asked.index("The largest city.") < asked.index("The federal city.")
    assert "The capital of Switzerland?" in asked


@pytest.mark.parametrize(
    "completions",
    [
        CHAINS,
        tuple(CHAINS),
        [chain.toDict() for chain in CHAINS],
        [Example(chain) for chain in CHAINS],
        Prediction.from_completions(CHAINS),
        Prediction.from_completions(CHAINS).completions,
        [{"rationale": chain.reasoning, "answer": chain.answer} for chain in CHAINS],
    ],
    ids=["list", "tuple", "dicts", "examples", "a prediction", "its completions", "rationales"],
)
def test_attempts_come_in_every_form(completions: Any) -> None:
    lm = ScriptedLM([compared("Bern")])
    with context(lm=lm):
        prediction = MultiChainComparison(QA, M=3)(completions=completions, question="?")
    assert prediction.comparison.votes == (2, 1, 2)
    assert "The federal city." in lm.requests[0].messages[-1].content


def test_every_output_is_shown() -> None:
    lm = ScriptedLM([f"{answer('-', 'rationale')}\n{answer('Bern', 'city')}\n{answer('1', 'rank')}"])
    attempts = [{"city": "Bern", "rank": 1}, {"city": "Zurich", "rank": 2}]
    with context(lm=lm):
        prediction = MultiChainComparison("question -> city, rank: int", M=2)(attempts, question="?")
    assert "city: Zurich\nrank: 2" in lm.requests[0].messages[-1].content
    assert (prediction.rank, prediction.comparison.chosen) == (1, 0)


@pytest.mark.parametrize(
    ("answers", "final", "votes", "chosen", "unanimous", "tied"),
    [
        (["Bern", "Bern", "the Bern."], "Bern", (3, 3, 3), 0, True, False),
        (["Bern", "Zurich", "Bern"], "Bern", (2, 1, 2), 0, False, False),
        (["Bern", "Zurich", "Bern"], "zurich", (2, 1, 2), 1, False, False),
        (["Bern", "Zurich", "Basel"], "Basel", (1, 1, 1), 2, False, True),
        (["Bern", "Zurich", "Basel"], "Bern and Basel", (1, 1, 1), None, False, True),
        (["1,000", "1000.0", "999"], "1000", (2, 2, 1), 0, False, False),
        (["Bern", "", None], "Bern", (1, 0, 0), 0, False, False),
    ],
    ids=["agreed", "majority", "minority", "tie", "merged", "numbers", "no answers"],
)
def test_the_comparison_says_who_agreed_with_whom(
    answers: list[Any], final: str, votes: tuple[int, ...], chosen: int | None, unanimous: bool, tied: bool
) -> None:
    with context(lm=ScriptedLM([compared(final)])):
        prediction = MultiChainComparison(QA)([{"answer": one} for one in answers], question="?")
    comparison = prediction.comparison
    assert (comparison.votes, comparison.chosen) == (votes, chosen)
    assert (comparison.unanimous, comparison.tied) == (unanimous, tied)
    assert "comparison" not in prediction


class Chains:
    """Reasons differently in each attempt, and compares what it is shown."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = answers
        self.seen: list[int | None] = []
        self.shown = ""
        self.lm = FunctionLM(self.answer)

    def answer(self, request: LMRequest) -> LMResponse:
        if is_comparison(request):
            self.shown = request.messages[-1].content
            return LMResponse(compared("Bern"), usage=COST)
        self.seen.append(request.rollout_id)
        said = self.answers[(request.rollout_id or 0) // 1000]
        if isinstance(said, Exception):
            raise said
        return LMResponse(f"{answer(f'I think of {said}', 'reasoning')}\n{answer(said)}", usage=COST)


@both_ways
def test_without_attempts_it_makes_them(call: Call) -> None:
    chains, trace = Chains("Bern", "Zurich", "Basel"), Trace()
    program = MultiChainComparison(QA)
    with context(lm=Cached(chains.lm, MemoryStore()), trace=trace):
        prediction = call(program, question="?")
    assert sorted(chains.seen, key=str) == [1000, 2000, None]
    assert "I think of Zurich" in chains.shown
    assert [attempt.prediction.answer for attempt in prediction.comparison.attempts] == [
        "Bern",
        "Zurich",
        "Basel",
    ]
    assert trace.usage.total_tokens == 4 * COST.total_tokens
    paths = {predictor: path for path, predictor in program.named_predictors()}
    assert [paths[one.predictor] for one in trace.calls] == [*["module.predict"] * 3, "predict"]


@both_ways
def test_attempts_are_made_side_by_side(call: Call) -> None:
    together = threading.Barrier(3)

    def model(request: LMRequest) -> str:
        if not is_comparison(request):
            together.wait(60)  # breaks unless all three are asked at once
            return f"{answer('-', 'reasoning')}\n{answer('Bern')}"
        return compared("Bern")

    with context(lm=FunctionLM(model)):
        assert call(MultiChainComparison(QA), question="?").comparison.unanimous


@both_ways
def test_an_attempt_that_fails_loses_no_other(call: Call) -> None:
    chains = Chains("Bern", RateLimitError("slow down"), "Basel")
    with context(lm=chains.lm):
        prediction = call(MultiChainComparison(QA, num_threads=1), question="?")
    assert "(this attempt failed with RateLimitError and has no answer)" in chains.shown
    assert prediction.comparison.votes == (1, 0, 1)
    assert isinstance(prediction.comparison.attempts[1].error, RateLimitError)


@both_ways
def test_where_every_attempt_fails_the_error_is_raised(call: Call) -> None:
    chains = Chains(RateLimitError("one"), RateLimitError("two"))
    with context(lm=chains.lm), pytest.raises(RateLimitError, match="two"):
        call(MultiChainComparison(QA, M=2), question="?")
    assert chains.shown == ""


def look(place: str) -> str:
    """Look a place up."""
    return f"{place} is a city in Switzerland. " * 40


@both_ways
def test_agents_are_compared_by_their_trajectories(call: Call) -> None:
    shown: list[str] = []

    def model(request: LMRequest) -> Any:
        if is_comparison(request):
            shown.append(request.messages[-1].content)
            return ToolCall("submit", {"rationale": "-", "answer": "Bern"})
        number = (request.rollout_id or 0) // 1000
        place = ["Bern", "Zurich"][number]
        if request.messages[-1].role == "user":
            return ToolCall("look", {"place": place})
        return ToolCall("submit", {"answer": place})

    agent = ReAct(QA, tools=[look])
    with context(lm=FunctionLM(model, capabilities=NATIVE), adapter=NativeAdapter()):
        prediction = call(MultiChainComparison(QA, M=2, module=agent), question="?")
    assert '1. look(place="Zurich") -> Zurich is a city' in shown[0]
    assert "answer: Zurich" in shown[0]
    assert len(shown[0]) < 2_000  # long observations are cut
    first, second = prediction.comparison.attempts
    assert first.prediction.trajectory["tool_args_0"] == {"place": "Bern"}
    assert second.prediction.termination_reason == "submit"


def test_very_long_trajectories_keep_their_beginning_and_end() -> None:
    turns = 0

    def model(request: LMRequest) -> Any:
        nonlocal turns
        if is_comparison(request):
            return ToolCall("submit", {"rationale": "-", "answer": "done"})
        turns += 1
        if turns % 101 == 0:
            return ToolCall("submit", {"answer": "done"})
        return ToolCall("look", {"place": f"place {turns}"})

    shown: list[LMRequest] = []

    def watched(request: LMRequest) -> Any:
        if is_comparison(request):
            shown.append(request)
        return model(request)

    agent = ReAct(QA, tools=[look], max_iters=101)
    with context(lm=FunctionLM(watched, capabilities=NATIVE), adapter=NativeAdapter()):
        MultiChainComparison(QA, M=2, module=agent, num_threads=1)(question="?")
    text = shown[0].messages[-1].content
    assert "lines left out)" in text
    assert 'look(place="place 1")' in text
    assert 'look(place="place 100")' in text
    assert len(text) < 30_000


def test_a_run_without_an_answer_is_shown_as_one() -> None:
    lm = ScriptedLM([compared("Bern")])
    ended = Prediction(answer=None, trajectory=None, termination_reason="max_steps")
    with context(lm=lm):
        prediction = MultiChainComparison(QA, M=2)([ended, {"answer": "Bern"}], question="?")
    assert "answer: null\n(the run ended by max_steps)" in lm.requests[0].messages[-1].content
    assert prediction.comparison.votes == (0, 1)


def test_a_signature_with_a_rationale_keeps_it() -> None:
    program = MultiChainComparison("question -> rationale, answer", M=2)
    assert list(program.predict.signature.output_fields) == ["rationale", "answer"]
    assert list(program.predict.signature.input_fields) == [
        "question",
        "reasoning_attempt_1",
        "reasoning_attempt_2",
    ]


def test_cancelling_ends_the_attempts() -> None:
    lm = Hanging()

    async def main() -> None:
        with context(lm=lm):
            task = asyncio.create_task(MultiChainComparison(QA).acall(question="?"))
        async with asyncio.timeout(10):
            while lm.asked < 3:
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert lm.cancelled == 3


class Text(Module):
    def forward(self, question: str) -> str:
        return question


@pytest.mark.parametrize(
    ("options", "completions", "error", "says"),
    [
        ({}, CHAINS[:2], InputError, r"2 attempts were given and M is 3: MultiChainComparison\(…, M=2\)"),
        ({}, CHAINS[:1], InputError, "1 attempts were given and M is 3: give as many"),
        ({}, "Bern", InputError, "a list of predictions; not str"),
        ({}, 3, InputError, "a list of predictions; not int"),
        ({}, ["Bern"] * 3, InputError, "attempt 1 must be a prediction or a dict, not str"),
        (
            {},
            [*CHAINS[:2], {"city": "x"}],
            InputError,
            "attempt 3 has none of the outputs answer; it has city",
        ),
        ({"M": 1}, None, ConfigurationError, "M must be a whole number of at least 2, not 1"),
        ({"num_threads": 0}, None, ConfigurationError, "num_threads must be"),
        ({"module": print}, None, ConfigurationError, "MultiChainComparison runs a module"),
        ({"module": Text()}, None, InputError, "the module must return a Prediction, not str"),
        ({"n_samples": 3}, None, ConfigurationError, "MultiChainComparison has no option 'n_samples'"),
    ],
    ids=[
        "too few",
        "one",
        "text",
        "number",
        "texts",
        "fields",
        "M",
        "threads",
        "module",
        "no prediction",
        "option",
    ],
)
def test_bad_arguments_are_named(
    options: dict[str, Any], completions: Any, error: type[Exception], says: str
) -> None:
    with context(lm=ScriptedLM([])), pytest.raises(error, match=says):
        MultiChainComparison(QA, **options)(completions, question="?")


def test_an_input_of_the_attempts_name_is_refused() -> None:
    with pytest.raises(SignatureError, match="an input can't be called 'completions' here"):
        MultiChainComparison("completions -> answer")


def test_its_predictors_are_those_of_the_attempts_and_the_comparison() -> None:
    assert [path for path, _ in MultiChainComparison(QA).named_predictors()] == ["module.predict", "predict"]
    own = MultiChainComparison(QA, module=Predict(QA))
    assert [path for path, _ in own.named_predictors()] == ["module", "predict"]
