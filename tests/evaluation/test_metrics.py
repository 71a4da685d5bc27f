from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright import Example, Prediction
from loopwright.evaluation import (
    MetricError,
    Score,
    as_score,
    call_metric,
    contains,
    exact_match,
    f1,
    numeric,
)
from loopwright.evaluation.checks.answers import identical, numbers_in, same_value
from loopwright.trace import Trace


@pytest.mark.parametrize(
    ("right", "given_", "same"),
    [
        ("Paris", "paris", True),
        ("Paris", "  Paris. ", True),
        ("Mona Lisa", "the “Mona Lisa”", True),
        ("the", "a", False),
        ("A", "a", True),
        ("C++", "C", False),
        ("1.5", "15", False),
        ("-5", "5", False),
        ("1,200.50", "1200.5", True),
        ("50%", "50", True),
        ("$12", "12.00", True),
        ("12", "12 km", False),
        ("3/4", "3", False),
        ("naïve", "naïve", True),
        (4, 4.0, True),
        (4, "4", False),
        (True, 1, False),
        (True, True, True),
        (None, None, True),
        (None, "", False),
        ([1, "b"], [1.0, "B"], True),
        ([1, 2], [2, 1], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ({1, 2}, [2, 1], True),
        (Decimal("0.1"), 0.1, True),
        (10**400, 1.0, False),
        (10**400, 10**400, True),
    ],
)
def test_values_are_the_same_but_for_their_form(right: object, given_: object, same: bool) -> None:
    assert same_value(right, given_) is same


def test_a_list_of_right_answers_is_met_by_any_of_them() -> None:
    assert exact_match(["NYC", "New York"], "new york")
    assert not exact_match(["NYC", "New York"], "York")


def test_arguments_are_compared_to_the_letter() -> None:
    assert identical("a", "a")
    assert not identical("a", "A")
    assert identical({"n": [0.3]}, {"n": [0.1 + 0.2]})


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("no digits", []),
        ("5km, room B12, 3rd", [5.0, 3.0]),
        ("-3 and −4 and 10-20", [-3.0, -4.0, 10.0, 20.0]),
        ("1,234,567.5 or 1,2", [1234567.5, 1.0, 2.0]),
        ("version 1.2.3", []),
        ("on 2026-01-31 at 12", [12.0]),
        (".5 and 5e-3 and -.25", [0.5, 0.005, -0.25]),
        ("-$5 or €6.50", [-5.0, 6.5]),
        ("9" * 400, []),
        ("7 7.0 07", [7.0]),
    ],
)
def test_the_numbers_in_a_text(text: str, numbers: list[float]) -> None:
    assert numbers_in(text) == numbers


@given(st.text(max_size=300))
def test_no_text_breaks_a_metric(text: str) -> None:
    assert exact_match(text, text)
    assert f1(text, text) == 1.0
    assert isinstance(numeric(1, text), bool)
    assert contains(text, f"so: {text} !") or not text.strip()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_number_is_found_in_its_own_text(number: float) -> None:
    assert numeric(number, f"It is {number}.")


def test_contains_wants_whole_words() -> None:
    assert contains("new york", "It's in New  York, of course")
    assert not contains("york", "Yorkshire")
    assert not contains("5", "5.5")
    assert contains("", "anything")
    assert not contains("5", 5)


def test_f1_is_the_overlap_of_words() -> None:
    assert f1("a red car", "the red bus") == pytest.approx(0.5)
    assert f1("", "") == 1.0
    assert f1("x", "") == 0.0
    assert f1("x", None) == 0.0
    assert f1(["red", "green"], "green") == 1.0
    assert f1([], "green") == 0.0


def test_numeric_wants_one_number_within_the_tolerance() -> None:
    assert numeric(3.14, "about 3.1 or so", tol=0.05)
    assert not numeric(1000, 1009, tol=0.01)
    assert not numeric(3, "3 or 4")
    assert not numeric("three", 3)
    assert not numeric(1, True)


METRICS: list[Callable[..., object]] = [exact_match, contains, f1, numeric]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_metric_compares_the_labels_that_the_prediction_has(metric: Callable[..., object]) -> None:
    example = Example(question="1?", answer="12", note="not asked for").with_inputs("question")
    assert metric(example, Prediction(answer="12", question="else"))
    assert metric(example, Prediction(answer="12"), None)
    assert not metric(example, Prediction(answer="13"))


def test_a_metric_without_a_common_field_says_so() -> None:
    with pytest.raises(ValueError, match=r"the example's labels are anwser, the prediction's fields answer"):
        exact_match(Example(q="1", anwser="2").with_inputs("q"), Prediction(answer="2"))


def test_without_inputs_all_fields_are_labels() -> None:
    assert exact_match(Example(answer="2"), Prediction(answer="2"))


@pytest.mark.parametrize(
    ("given_", "score"),
    [
        (True, Score(1.0)),
        (False, Score(0.0)),
        (0.25, Score(0.25)),
        (Decimal("0.5"), Score(0.5)),
        (Score(0.7, True, "good", 2), Score(0.7, True, "good", 2)),
        (Prediction(score=0.5, feedback="half"), Score(0.5, False, "half")),
        (Example(score=1, step=3), Score(1.0, step=3)),
    ],
)
def test_what_a_metric_may_return(given_: object, score: Score) -> None:
    assert as_score(given_) == score


def test_a_score_passes_at_one_unless_told() -> None:
    assert Score(1).passed
    assert not Score(0.99).passed
    assert Score(0.5, True).passed
    assert float(Score(0.5)) == 0.5


async def _coroutine() -> float:
    return 1.0


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (None, "the metric returned None: does every path of it return a score?"),
        (float("nan"), "the metric returned nan, which is no score"),
        (float("inf"), "the metric returned inf, which is no score"),
        ("good", "the metric returned 'good', not a bool, a number or a Score"),
        (Score(float("nan")), "the metric returned nan, which is no score"),
        ([1], r"the metric returned \[1\], not a bool, a number or a Score"),
    ],
)
def test_what_a_metric_may_not_return(given_: object, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        as_score(given_)


def test_an_async_metric_is_refused() -> None:
    with pytest.raises(MetricError, match="the metric is async"):
        as_score(_coroutine())


def test_metrics_take_two_or_three_arguments() -> None:
    seen: list[object] = []
    example, prediction = Example(a=1), Prediction(a=1)
    call_metric(lambda e, p: seen.append((e, p)), example, prediction)
    call_metric(lambda e, p, trace="none given": seen.append(trace), example, prediction)
    call_metric(lambda e, p, t: seen.append(t), example, prediction)
    call_metric(lambda *everything: seen.append(len(everything)), example, prediction)
    assert seen == [(example, prediction), "none given", None, 2]


def test_a_metric_gets_the_trace_where_there_is_one() -> None:
    seen: list[object] = []
    example, prediction, trace = Example(a=1), Prediction(a=1), Trace()
    call_metric(lambda e, p: seen.append("two"), example, prediction, trace)
    call_metric(lambda e, p, t=None: seen.append(t is trace), example, prediction, trace)
    call_metric(lambda *everything: seen.append(everything[2] is trace), example, prediction, trace)
    assert seen == ["two", True, True]


def test_a_callable_without_a_signature_may_be_a_metric() -> None:
    assert call_metric(getattr, Example(answer=3), "answer") == 3
