"""What a compile says of itself where it rests on little: few tasks, a metric that fails, scores on another scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optimizers.prices import ITEMS, NATIVE, agent, right, tasks, teachable

from loopwright import (
    COPRO,
    GEPA,
    SIMBA,
    BootstrapFewShot,
    BootstrapFewShotWithRandomSearch,
    BootstrapTrajectories,
    Example,
    KNNFewShot,
    Prediction,
    context,
)
from loopwright.cli import run_command
from loopwright.errors import NetworkError
from loopwright.evaluation.metrics import Score
from loopwright.models import FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.optimizers import Optimizer, Report, report_of
from loopwright.optimizers.conclusion import Parts, weakness
from loopwright.optimizers.estimates import Difference
from loopwright.tools import ToolCall

Metric = Callable[..., object]


def compiled(optimizer: Optimizer, items: int = 24, **options: Any) -> Report:
    with context(lm=teachable()):
        return report_of(optimizer.compile(agent(), trainset=tasks(ITEMS[:items]), num_threads=1, **options))


# ---- metrics


def scored(example: Example, prediction: Prediction) -> float:
    return 1.0 if right(example, prediction) else 0.25


def of_three(example: Example, prediction: Prediction, trace: object = None) -> bool:
    return right(example, prediction)


def with_feedback(example: Example, prediction: Prediction) -> Prediction:
    return Prediction(score=float(right(example, prediction)), feedback="look it up")


class OfAClass:
    def __call__(self, example: Example, prediction: Prediction, trace: object = None) -> Score:
        return Score(float(right(example, prediction)), feedback="look it up")


@pytest.mark.parametrize(
    "make", [BootstrapFewShot, BootstrapTrajectories, GEPA], ids=lambda one: one.__name__
)
@pytest.mark.parametrize(
    "metric", [lambda e, p: right(e, p), scored, of_three, with_feedback, OfAClass()],
    ids=["two arguments", "a number", "three arguments", "a prediction with feedback", "an object"],
)  # fmt: skip
def test_a_metric_may_be_of_any_usual_form(make: Callable[[Metric], Optimizer], metric: Metric) -> None:
    assert compiled(make(metric), budget={"rollouts": 150}).improved


def raises(example: Example, prediction: Prediction, trace: object = None) -> float:
    raise KeyError("prize")


@pytest.mark.parametrize(
    ("metric", "error"),
    [
        (raises, "KeyError: 'prize'"),
        (lambda example, prediction: None, "the metric returned None: does every path of it return a score?"),
        (lambda example, prediction: math.nan, "the metric returned nan, which is no score"),
        (lambda example, prediction: "good", "the metric returned 'good', not a bool, a number or a Score"),
        (lambda example: True, "takes 1 positional argument but 2 were given"),
    ],
    ids=["raises", "None", "nan", "text", "one argument"],
)
def test_a_metric_that_never_gives_a_score_is_named(metric: Metric, error: str) -> None:
    report = compiled(BootstrapFewShot(metric))
    assert not report.improved
    assert "The metric gave no score in any of" in report.reason
    assert error in report.reason
    assert error in report.errors["metric"]


@pytest.mark.parametrize(
    ("make", "most"),
    [(BootstrapFewShot, 15), (BootstrapTrajectories, 10), (BootstrapFewShotWithRandomSearch, 30), (GEPA, 10)],
    ids=["few-shot", "trajectories", "random search", "gepa"],
)
def test_little_is_spent_on_a_metric_that_never_gives_a_score(
    make: Callable[[Metric], Optimizer], most: int
) -> None:
    report = compiled(make(raises))
    assert report.reason.endswith("rollouts: KeyError: 'prize'")
    assert report.problems["metric"] == report.used.rollouts <= most


def of_a_hundred(example: Example, prediction: Prediction) -> float:
    return 100.0 * right(example, prediction)


@pytest.mark.parametrize(
    "make", [BootstrapFewShot, BootstrapTrajectories, GEPA], ids=lambda one: one.__name__
)
def test_scores_on_another_scale_are_no_percentages(make: Callable[[Metric], Optimizer]) -> None:
    report = compiled(make(of_a_hundred), budget={"rollouts": 200})
    assert report.improved, report.reason
    assert "%" not in report.reason
    assert report.confirmed is not None
    assert (report.confirmed.mean, report.confirmed.mean_text) == (100.0, "100")
    assert "%" not in str(report.confirmed_baseline)


def test_what_never_reaches_a_full_score_is_told_from_where_on_it_passes() -> None:
    report = compiled(BootstrapTrajectories(lambda example, prediction: 0.5 * right(example, prediction)))
    assert "(the best score is 0.5; one passes from 1 on, or from metric_threshold= on)" in report.reason


@pytest.mark.parametrize("make", [GEPA, BootstrapTrajectories], ids=lambda one: one.__name__)
def test_a_student_that_is_right_already_costs_its_measurement_alone(
    make: Callable[[Metric], Optimizer],
) -> None:
    report = compiled(make(lambda example, prediction: True))
    assert report.reason.endswith("the student passes every held-out task: nothing is left to gain")
    assert report.baseline is not None
    assert report.used.rollouts == report.baseline.n


def silent(request: LMRequest) -> Answer:
    """A model that solves nothing and writes nothing."""
    return ToolCall("submit", {"price": -1}) if request.tools else "…"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (BootstrapTrajectories(right, attempts=1), "none of 12 attempts at 12 tasks passed"),
        (BootstrapFewShot(right), "no run passed, so there is nothing to show"),
        (BootstrapFewShotWithRandomSearch(right), "no run passed, so there is nothing to show"),
        (GEPA(right, max_metric_calls=40), "no text was written that says anything else"),
        (COPRO(metric=right, breadth=2, depth=1), "no text was written"),
        (SIMBA(metric=right, max_steps=1, bsize=4), "no run passed or was better than another"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Optimizer) else "",
)
def test_a_student_that_never_passes_is_returned_with_the_reason(make: Optimizer, says: str) -> None:
    with context(lm=FunctionLM(silent, capabilities=NATIVE)):
        report = report_of(make.compile(agent(), trainset=tasks(ITEMS[:24]), num_threads=1))
    assert not report.improved
    assert report.reason.startswith("the baseline is returned: ")
    assert says in report.reason


# ---- few tasks


@pytest.mark.parametrize(
    ("share", "gain", "confirmed", "says"),
    [
        (0.5, Difference(0.3, 0.1, 40), True, ""),
        (0.5, Difference(0.4, 0.1, 14), True, ""),
        (0.5, Difference(-0.1, 0.1, 8), True, ""),
        (0.5, Difference(0.5, 0.1, 6), True, "about 20 tasks to confirm on, which takes 40 in dev"),
        (0.5, Difference(0.25, 0.16, 8), True, "from -12.7% to +62.7% (95 %)"),
        (0.2, Difference(0.1, 0.08, 50), True, "about 130 tasks to confirm on, which takes 650 in dev"),
        (1.0, Difference(1.0, math.inf, 1), True, "on 1 task the gain may be anything."),
        (0.4, Difference(0.3, 0.3, 3), False, "nothing was confirmed, for want of tasks"),
        (0.4, None, False, "about 20 tasks to confirm on, which takes 50 in dev"),
        (1.0, Difference(3.0, 2.0, 50, rate=False), True, "from -1.019 to +7.019 (95 %)"),
    ],
    ids=["enough", "few and clear", "no gain", "few", "few and wide", "many and wide", "one", "no room", "not measured", "scale"],
)  # fmt: skip
def test_how_many_tasks_a_confirmation_wants(
    share: float, gain: Difference | None, confirmed: bool, says: str
) -> None:
    found = weakness(Parts([], [], [], "", share, "dev"), gain, confirmed=confirmed)
    assert says in found
    assert bool(found) is bool(says)


@pytest.mark.parametrize(
    ("make", "held_out", "says"),
    [
        (BootstrapTrajectories(right), 12, "which takes 40 in the valset (the split dev)"),
        (BootstrapFewShot(right), 8, "which takes 20 in the valset (the split dev)"),
        (GEPA(right, max_metric_calls=60), 6, "nothing was confirmed, for want of tasks"),
        (KNNFewShot(2, (), metric=right), 0, "which takes 50 in all"),
    ],
    ids=["trajectories", "few-shot", "gepa", "knn"],
)
def test_a_compile_on_few_tasks_warns_of_it(make: Optimizer, held_out: int, says: str) -> None:
    val = tasks(ITEMS[24 : 24 + held_out])
    report = compiled(make, 24 if val else 18, valset=val or None)
    (warning,) = report.warnings
    assert says in warning
    assert f"warning: {warning}" in str(report)


def test_a_small_budget_confirms_on_as_many_tasks_as_it_can() -> None:
    report = compiled(BootstrapFewShotWithRandomSearch(right), 48, budget={"rollouts": 40})
    confirming = next(use.used.rollouts for use in report.phases if use.phase == "confirm")
    assert report.confirmed is not None
    assert report.confirmed.n == confirming // 2 > 2


def test_a_confirmation_on_many_tasks_is_not_warned_of() -> None:
    assert compiled(BootstrapFewShot(right), valset=tasks(ITEMS[24:])).warnings == ()


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    (tmp_path / "price_tools.py").write_text(
        'def price_of(item: str) -> int:\n    """The price."""\n    return len(item)\n'
    )
    head = (
        'version: 1\nagent: {signature: "item -> price: int", tools: ["price_tools.py:price_of"]}\ntasks:\n'
    )
    lines = [
        f"- {{id: t{n}, input: {{item: {item}}}, expect: {{answer: {{price: {len(item)}}}}}}}"
        for n, item in enumerate(ITEMS[:20])
    ]
    (tmp_path / "prices.yaml").write_text(head + "\n".join(lines))
    return tmp_path / "prices.yaml"


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_the_command_and_the_page_warn_of_few_tasks(
    as_json: bool, prices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["optimize", str(prices), "--with", "few-shot", "--out", str(tmp_path / "a.json")]
    with context(lm=teachable()):
        assert run_command([*command, *(["--json"] if as_json else [])]) == 0
    told = capsys.readouterr()
    assert "warning: the confirmation is weak: on 8 tasks the gain may be anything from " in told.err
    assert "The confirmation is weak" in (tmp_path / "a.html").read_text()
    assert ("warnings" in told.out) is as_json


def test_the_command_says_what_went_wrong_in_rollouts(
    prices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = teachable()

    def down_for_some(request: LMRequest) -> Answer:
        if "lamp" in request.messages[-1].content:
            raise NetworkError("no route to lamp", model="function")
        return model.complete(request)

    with context(lm=FunctionLM(down_for_some, capabilities=NATIVE)):
        assert (
            run_command(["optimize", str(prices), "--with", "gepa", "--out", str(tmp_path / "a.json")]) == 0
        )
    told = capsys.readouterr()
    assert "the model could not be reached" in told.out
    assert "NetworkError: no route to lamp" in told.out
    assert "such as: NetworkError: no route to lamp" in (tmp_path / "a.html").read_text()
