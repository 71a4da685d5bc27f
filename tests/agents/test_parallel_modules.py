from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agents_attempts import COST, Hanging, answer, awaited, called

from loopwright import Ensemble, Example, Module, Parallel, Predict, Prediction, context, majority
from loopwright.errors import ConfigurationError, InputError, RateLimitError
from loopwright.models import FunctionLM, LMRequest, LMResponse
from loopwright.modules import ParallelError
from loopwright.trace import Trace

both_ways = pytest.mark.parametrize("call", [called, awaited])
Call = Callable[..., Any]


def echo(request: LMRequest) -> LMResponse:
    said = request.messages[-1].content.splitlines()[-1]
    if said == "fail":
        raise RateLimitError("slow down")
    return LMResponse(answer(said.upper()), usage=COST)


ECHO = FunctionLM(echo)
SAY = Predict("word -> answer")


def add(a: int, b: int) -> int:
    return a + b


# Parallel


@both_ways
def test_results_keep_the_order_of_the_pairs(call: Call) -> None:
    pairs = [(SAY, {"word": f"w{n}"}) for n in range(20)]
    trace = Trace()
    with context(lm=ECHO, trace=trace):
        results = call(Parallel(num_threads=4), pairs)
    assert [one.answer for one in results] == [f"W{n}" for n in range(20)]
    assert trace.usage.total_tokens == 20 * COST.total_tokens
    assert len(trace.calls) == 20


@both_ways
def test_inputs_are_examples_dicts_tuples_and_lists(call: Call) -> None:
    example = Example(word="a", answer="A").with_inputs("word")
    inner = Parallel(num_threads=1)
    with context(lm=ECHO):
        one, two, three, (four,) = call(
            Parallel(num_threads=2),
            [(SAY, example), (SAY, {"word": "b"}), (add, (1, 2)), (inner, [(SAY, {"word": "d"})])],
        )
        whole = call(Parallel(access_examples=False), [(lambda given: given.answer, example)])
    assert (one.answer, two.answer, three, four.answer, whole) == ("A", "B", 3, "D", ["A"])


@both_ways
def test_calls_run_side_by_side(call: Call) -> None:
    together = threading.Barrier(3)

    def wait(n: int) -> int:
        together.wait(60)  # breaks unless all three run at once
        return n

    assert call(Parallel(num_threads=3), [(wait, (n,)) for n in range(3)]) == [0, 1, 2]
    assert call(Parallel(num_threads=1), [(wait, (n,)) for n in range(3)], 3) == [0, 1, 2]


@both_ways
def test_a_call_that_fails_is_none_and_logged(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    pairs = [(SAY, {"word": word}) for word in ("a", "fail", "c")]
    with context(lm=ECHO), caplog.at_level(logging.WARNING):
        first, second, third = call(Parallel(), pairs)
    assert (first.answer, second, third.answer) == ("A", None, "C")
    assert "pair 1: RateLimitError: slow down" in caplog.text


@both_ways
def test_the_examples_that_failed_are_returned_where_that_is_asked_for(call: Call) -> None:
    examples = [Example(word=word).with_inputs("word") for word in ("a", "fail", "c", "fail")]
    with context(lm=ECHO):
        results, failed, errors = call(
            Parallel(return_failed_examples=True), [(SAY, example) for example in examples]
        )
    assert [one and one.answer for one in results] == ["A", None, "C", None]
    assert failed == [examples[1], examples[3]]
    assert [type(error) for error in errors] == [RateLimitError] * 2


@both_ways
def test_after_so_many_errors_no_further_call_is_begun(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    begun: list[int] = []

    def fail(n: int) -> int:
        begun.append(n)
        if n:
            raise ValueError(f"no {n}")
        return n

    with pytest.raises(ParallelError, match=r"stopped after 2 failed calls .*: ValueError: no 1") as caught:
        call(Parallel(num_threads=1, max_errors=2), [(fail, (n,)) for n in range(50)])
    assert begun == [0, 1, 2]
    assert caught.value.results == [0, *[None] * 49]
    assert list(caught.value.errors) == [1, 2]


def test_of_many_errors_a_few_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Parallel(provide_traceback=True)([(add, ("a", n)) for n in range(9)])
    assert len(caplog.records) == 6
    assert "and 4 more pairs failed" in caplog.text
    assert "Traceback" in caplog.text


async def double(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n


def test_async_functions_are_awaited() -> None:
    assert awaited(Parallel(), [(double, (n,)) for n in range(3)]) == [0, 2, 4]
    _, _, (error,) = Parallel(return_failed_examples=True)([(double, (1,))])
    assert "await the Parallel's acall(...)" in str(error)


def test_cancelling_ends_the_calls() -> None:
    lm = Hanging()

    async def main() -> None:
        with context(lm=lm):
            task = asyncio.create_task(Parallel(num_threads=2).acall([(SAY, {"word": "a"})] * 5))
        async with asyncio.timeout(60):
            while lm.asked < 2:
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (lm.asked, lm.cancelled) == (2, 2)


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (SAY, "pair 0 must be \\(module, inputs\\)"),
        ((SAY,), "pair 0 must be"),
        (("say", {}), "pair 0 must be"),
        ((SAY, "word"), "the inputs of pair 0 must be an Example, a dict or a tuple .*, not str"),
        ((SAY, [1]), "the inputs of pair 0 must be .*, not list"),
    ],
    ids=["module", "one", "no module", "text", "list"],
)
def test_bad_pairs_are_named_before_anything_runs(pair: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Parallel()([pair])


@pytest.mark.parametrize("name", ["num_threads", "max_errors"])
def test_bad_numbers_are_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number of at least 1, not 0"):
        Parallel(**{name: 0})  # type: ignore[arg-type]  # the names are those of numbers


def test_no_pairs_give_no_results() -> None:
    assert Parallel()([]) == []


# majority


@pytest.mark.parametrize(
    ("answers", "options", "chosen"),
    [
        (["Paris", "Lyon", "paris."], {}, "Paris"),
        (["Lyon", "Paris"], {}, "Lyon"),
        (["1,000", "999", "1000.0"], {}, "1,000"),
        ([4, 5, 5], {}, 5),
        ([True, False, False], {}, False),
        ([None, "", "Paris"], {}, "Paris"),
        ([None, None], {}, None),
        (["Paris", "paris", "paris"], {"normalize": None}, "paris"),
        (["Paris", "Lyon", "Prague"], {"normalize": lambda text: text[0]}, "Paris"),
        ([["a"], ["b"], ["b"]], {}, ["b"]),
    ],
    ids=["form", "tie", "numbers", "ints", "bools", "no vote", "none at all", "as it is", "own", "lists"],
)
def test_the_commonest_answer_wins(answers: list[Any], options: dict[str, Any], chosen: Any) -> None:
    predictions = [Prediction(reasoning="-", answer=one) for one in answers]
    assert majority(predictions, **options).answer == chosen
    assert majority(Prediction.from_completions(predictions), **options).answer == chosen


def test_the_field_is_the_last_output_or_the_one_named() -> None:
    drawn = [
        Prediction(city="Paris", river="Seine", trajectory=None, termination_reason="submit"),
        Prediction(city="Lyon", river="Rhône", trajectory=None, termination_reason="max_steps"),
        Prediction(city="Paris", river="Rhône", trajectory=None, termination_reason="max_steps"),
    ]
    assert majority(drawn).city == "Lyon"
    assert majority(drawn, field="city").river == "Seine"
    assert majority(drawn).votes == {"rhône": 2, "seine": 1}
    assert majority([{"a": 1}, {"a": 1}]).a == 1


@pytest.mark.parametrize(
    ("given", "options", "says"),
    [
        ([], {}, "at least one answer"),
        ("Paris", {}, "a list of predictions, or one with completions; not str"),
        (["Paris"], {}, "the list has a str"),
        ([Prediction(a=1), Prediction(b=1)], {}, "answer 2 has no field 'a'; it has b"),
        ([Prediction(a=1)], {"field": "b"}, "answer 1 has no field 'b'; it has a"),
        ([Prediction(trajectory=None)], {}, "no field to vote on"),
    ],
    ids=["none", "text", "texts", "different", "unknown", "no outputs"],
)
def test_bad_answers_are_named(given: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        majority(given, **options)


# Ensemble


class Fixed(Module):
    def __init__(self, city: str) -> None:
        self.city = city
        self.predict = Predict("question -> city")

    def forward(self, question: str) -> Any:
        if self.city == "fail":
            raise RateLimitError("slow down")
        return self.predict(question=self.city)


def city(request: LMRequest) -> LMResponse:
    return LMResponse(answer(request.messages[-1].content.splitlines()[-1], "city"), usage=COST)


CITIES = FunctionLM(city)


@both_ways
def test_an_ensemble_asks_every_program_and_reduces(call: Call) -> None:
    programs = [Fixed("Paris"), Fixed("Lyon"), Fixed("Paris")]
    trace = Trace()
    with context(lm=CITIES, trace=trace):
        assert call(Ensemble(reduce_fn=majority).compile(programs), question="?").city == "Paris"
        every = call(Ensemble().compile(programs), question="?")
    assert [one.city for one in every] == ["Paris", "Lyon", "Paris"]
    assert trace.usage.total_tokens == 6 * COST.total_tokens
    assert [one.predictor for one in trace.calls] == [program.predict for program in programs] * 2


@both_ways
def test_a_program_that_fails_is_left_out(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    with context(lm=CITIES):
        both = call(Ensemble().compile([Fixed("fail"), Fixed("Lyon")]), question="?")
        assert [one.city for one in both] == ["Lyon"]
        assert "a program of the ensemble failed: RateLimitError" in caplog.text
        with pytest.raises(RateLimitError):
            call(Ensemble().compile([Fixed("fail"), Fixed("fail")]), question="?")


def test_a_part_is_drawn_by_chance_or_by_the_inputs() -> None:
    programs = [Fixed(f"c{n}") for n in range(20)]
    drawn = Ensemble(size=3, deterministic=True).compile(programs)
    by_chance = Ensemble(size=3).compile(programs)
    with context(lm=CITIES):
        asked = [tuple(one.city for one in drawn(question=question)) for question in ("a", "a", "b")]
        varied = {tuple(one.city for one in by_chance(question="a")) for _ in range(12)}
    assert asked[0] == asked[1] != asked[2]
    assert all(len(set(cities)) == 3 for cities in (*asked, *varied))
    assert len(varied) > 1


def test_programs_run_side_by_side() -> None:
    together = threading.Barrier(2)

    class Waiting(Module):
        def forward(self) -> int:
            return together.wait(60)

    assert sorted(Ensemble().compile([Waiting(), Waiting()])()) == [0, 1]


@pytest.mark.parametrize(
    ("options", "programs", "says"),
    [
        ({}, [], "an ensemble of 0 programs can't ask any of them"),
        ({"size": 3}, [SAY], "an ensemble of 1 programs can't ask 3 of them"),
        ({"size": 0}, [SAY], "size must be a whole number of at least 1"),
        ({"reduce_fn": 3}, [SAY], "reduce_fn must be a function"),
        ({}, [print], "Ensemble runs a module"),
    ],
    ids=["none", "too few", "size", "reduce", "no module"],
)
def test_bad_ensembles_are_refused(options: dict[str, Any], programs: list[Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Ensemble(**options).compile(programs)


def test_an_ensembles_predictors_can_be_found_and_saved() -> None:
    made = Ensemble(reduce_fn=majority).compile([Fixed("Paris"), Fixed("Lyon")])
    assert [path for path, _ in made.named_predictors()] == ["programs[0].predict", "programs[1].predict"]
    assert set(made.dump_state()) == {"programs[0].predict", "programs[1].predict"}
