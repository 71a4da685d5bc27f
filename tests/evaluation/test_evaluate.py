from __future__ import annotations

import csv
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from replay import always

from loopwright import Evaluate, Example, Module, Predict, Prediction, Signature, context
from loopwright.errors import ConfigurationError, InputError
from loopwright.evaluation import EvaluationInterrupted, Score, exact_match
from loopwright.evaluation.workers import as_completed


def squares(count: int) -> list[Example]:
    return [Example(n=n, answer=n * n).with_inputs("n") for n in range(count)]


def square(n: int) -> Prediction:
    return Prediction(answer=n * n)


def test_the_score_is_the_mean_in_per_cent() -> None:
    def half_right(n: int) -> Prediction:
        return Prediction(answer=n * n if n % 3 else -1)

    result = Evaluate(devset=squares(6), metric=exact_match)(half_right)
    assert result.score == 66.67
    assert float(result) == 66.67
    assert [(example.n, prediction.answer, score) for example, prediction, score in result.results[:2]] == [
        (0, -1, False),
        (1, 1, True),
    ]
    assert repr(result) == "EvaluationResult(score=66.67, 6 results)"


@pytest.mark.parametrize("threads", [1, 8])
def test_results_keep_the_order_of_the_devset(threads: int) -> None:
    result = Evaluate(devset=squares(40), metric=exact_match, num_threads=threads)(square)
    assert [example.n for example, _, _ in result.results] == list(range(40))
    assert result.score == 100.0


def test_what_is_given_in_the_call_goes_first() -> None:
    evaluate = Evaluate(devset=squares(3), metric=lambda example, given: False)
    assert evaluate(square, metric=exact_match, devset=squares(2), num_threads=1).score == 100.0
    assert len(evaluate(square).results) == 3


def test_without_a_metric_it_says_so() -> None:
    with pytest.raises(ConfigurationError, match="Evaluate needs a metric"):
        Evaluate(devset=squares(1))(square)


def test_examples_without_inputs_are_refused_before_anything_runs() -> None:
    runs: list[int] = []
    with pytest.raises(ValueError, match=r"call .with_inputs"):
        Evaluate(devset=[*squares(1), Example(n=1)], metric=exact_match)(lambda n: runs.append(n))
    assert runs == []


def test_an_example_that_raises_loses_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def fragile(n: int) -> Prediction:
        if n == 2:
            raise RuntimeError("no twos")
        return square(n)

    with caplog.at_level(logging.WARNING):
        result = Evaluate(devset=squares(4), metric=exact_match, failure_score=0.5)(fragile)
    assert result.score == 87.5
    assert [str(error) for error in result.errors] == ["example 2: the program raised RuntimeError: no twos"]
    assert result.errors[0].example.n == 2
    assert result.results[2][2] == 0.5
    assert "no twos" in caplog.text
    assert repr(result) == "EvaluationResult(score=87.5, 4 results, 1 errors)"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "the metric returned None"),
        (float("nan"), "the metric returned nan"),
        (ZeroDivisionError("oops"), "ZeroDivisionError: oops"),
    ],
    ids=["None", "NaN", "raises"],
)
def test_a_metric_that_fails_is_counted_and_told(
    bad: object, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    def metric(example: Example, prediction: Prediction) -> Any:
        if example.n != 1:
            return True
        if isinstance(bad, Exception):
            raise bad
        return bad

    with caplog.at_level(logging.WARNING):
        result = Evaluate(devset=squares(4), metric=metric)(square)
    assert result.score == 75.0
    assert [error.kind for error in result.errors] == ["metric"]
    assert message in caplog.text
    assert result.results[1][1].answer == 1  # the prediction is kept


def test_many_errors_are_logged_in_short(caplog: pytest.LogCaptureFixture) -> None:
    def broken(n: int) -> Prediction:
        raise ValueError(n)

    with caplog.at_level(logging.WARNING):
        result = Evaluate(devset=squares(9), metric=exact_match, provide_traceback=True)(broken)
    assert len(result.errors) == 9
    assert len(caplog.records) == 6
    assert "and 4 more examples" in caplog.text
    assert "Traceback" in caplog.text


def test_a_program_that_exits_ends_only_its_example() -> None:
    def leaving(n: int) -> Prediction:
        if n == 1:
            raise SystemExit(3)
        return square(n)

    for threads in (1, 2):
        result = Evaluate(devset=squares(3), metric=exact_match, num_threads=threads)(leaving)
        assert [str(error) for error in result.errors] == [
            "example 1: the program raised RuntimeError: the code called exit(3)"
        ]


def test_after_max_errors_nothing_further_is_begun() -> None:
    def broken(n: int) -> Prediction:
        raise ValueError(n)

    result = Evaluate(devset=squares(5), metric=exact_match, num_threads=1, max_errors=2)(broken)
    assert [error.kind for error in result.errors] == ["program", "program", "not run", "not run", "not run"]
    assert str(result.errors[-1]) == "example 4 was not run"
    assert len(result.results) == 5


def test_ctrl_c_gives_what_is_done() -> None:
    def interrupted(n: int) -> Prediction:
        if n == 3:
            raise KeyboardInterrupt
        return square(n)

    with pytest.raises(EvaluationInterrupted, match="interrupted after 3 examples") as caught:
        Evaluate(devset=squares(9), metric=exact_match, num_threads=1)(interrupted)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.result.score == 100.0
    assert [example.n for example, _, _ in caught.value.result.results] == [0, 1, 2]


def test_a_score_with_feedback_is_kept_as_the_metric_gave_it() -> None:
    def metric(example: Example, prediction: Prediction, trace: object = None) -> Score:
        return Score(0.5, feedback="half of it")

    result = Evaluate(devset=squares(2), metric=metric)(square)
    assert result.score == 50.0
    assert result.results[0][2].feedback == "half of it"


def test_an_empty_devset_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the devset is empty: there is nothing to evaluate"):
        Evaluate(devset=[], metric=exact_match)(square)


def test_a_dict_is_no_example() -> None:
    with pytest.raises(InputError, match=r"devset\[1\] is a dict, not an Example: write Example\("):
        Evaluate(devset=[*squares(1), {"n": 1}], metric=exact_match)(square)  # type: ignore[list-item]  # on purpose


def test_threads_inherit_the_context_and_each_run_has_its_own_trace() -> None:
    traces: list[object] = []

    class Program(Module):
        def __init__(self) -> None:
            self.ask = Predict("n: int -> answer: int")

        def forward(self, n: int) -> Prediction:
            from loopwright import settings

            given: Prediction = self.ask(n=n)
            traces.append(settings.trace)
            assert len(settings.trace.calls) == 1
            return given

    with context(lm=always("[[ ## answer ## ]]\n1")):
        result = Evaluate(devset=squares(6), metric=lambda e, p: p.answer == 1, num_threads=3)(Program())
    assert result.score == 100.0
    assert len({id(trace) for trace in traces}) == 6


def test_progress_is_told_in_lines_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    Evaluate(devset=squares(20), metric=exact_match, display_progress=True)(square)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("20/20, mean 100.0%, ")


def test_the_table_has_a_row_for_each_example(capsys: pytest.CaptureFixture[str]) -> None:
    def shout(text: str) -> Prediction:
        return Prediction(text=text.upper(), loud=True)

    devset = [Example(text=text, loud=True).with_inputs("text") for text in ("hey", "\x1b[31mred", "you")]
    Evaluate(devset=devset, metric=lambda e, p: e.loud == p.loud, display_table=2)(shout)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "Score 100.0%"
    assert "example_text" in out
    assert "pred_text" in out
    assert "␛[31MRED" in out
    assert "you" not in out


def test_records_are_saved_as_json_and_csv(tmp_path: Path) -> None:
    as_json, as_csv = tmp_path / "r.json", tmp_path / "r.csv"
    Evaluate(devset=squares(2), metric=exact_match, save_as_json=as_json, save_as_csv=as_csv)(square)
    records = json.loads(as_json.read_text())
    assert records[1] == {"n": 1, "example_answer": 1, "pred_answer": 1, "exact_match": True}
    with as_csv.open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"n": "1", "example_answer": "1", "pred_answer": "1", "exact_match": "true"}


def test_a_program_may_return_what_is_no_prediction() -> None:
    devset = [Example(n=n, answer=n).with_inputs("n") for n in range(2)]
    result = Evaluate(devset=devset, metric=lambda e, given: e.answer == given, display_table=True)(
        lambda n: n
    )
    assert result.score == 100.0


def test_closing_the_work_begins_nothing_further() -> None:
    begun: list[int] = []
    go = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item:
            go.wait(60)
        return item

    pieces = as_completed(work, range(50), 3)
    assert next(pieces) == (0, 0)
    pieces.close()
    go.set()
    assert len(begun) <= 6


def test_a_typed_signature_is_evaluated_end_to_end() -> None:
    devset = [Example(mail="Help!", urgent=True).with_inputs("mail")]
    with context(lm=always("[[ ## urgent ## ]]\nyes")):
        assert (
            Evaluate(devset=devset, metric=exact_match)(Predict(Signature("mail -> urgent: bool"))).score
            == 100.0
        )


def test_the_names_that_dspy_programs_look_for_are_there() -> None:
    import loopwright as dspy
    from loopwright.evaluate import Evaluate as Same

    assert Same is dspy.Evaluate
    metric = dspy.evaluate.answer_exact_match
    gold = dspy.Example(question="?", answer=["NYC", "New York"], note=1).with_inputs("question")
    assert metric(gold, dspy.Prediction(answer="nyc", note=2))
    assert not metric(gold, dspy.Prediction(answer="York", note=1))
    assert metric(gold, dspy.Prediction(answer="York", note=1), frac=0.5)
