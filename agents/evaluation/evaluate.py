"""Evaluate: a program on many examples, each answer scored by a metric."""

from __future__ import annotations

import csv
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from loopwright.tools.errors import with_article

from ..adapters.values import format_value, to_plain
from ..ambient import context, current
from ..calling import evaluation
from ..errors import ConfigurationError, InputError
from ..example import Example, Prediction
from ..text import one_line
from ..trace import Trace
from ..whole_file import write_whole
from .metrics import Metric, as_score, call_metric
from .rollout import file_of, predicted
from .show import Progress, Table, print_table
from .tasks import TaskFile
from .workers import as_completed

log = logging.getLogger("loopwright")

LOGGED = 5  # errors of one evaluation that are logged in full

Program = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """An example without a score of its own: the program raised, the metric failed, or it was not run."""

    index: int
    example: Example
    kind: Literal["program", "metric", "not run"]
    error: Exception | None = None

    def __str__(self) -> str:
        if self.error is None:
            return f"example {self.index} was not run"
        verb = "the program raised" if self.kind == "program" else "the metric failed:"
        return f"example {self.index}: {verb} {type(self.error).__name__}: {one_line(str(self.error), 300)}"


class EvaluationResult(Prediction):
    """What an evaluation found.

    `score` is the mean of all scores in per cent (NaN where it was interrupted before the first); `results` one
    (example, prediction, score) for each example, in the order of the devset, the score as the metric gave it; `errors`
    an `EvaluationError` for each example without a score of its own, which counts as `failure_score`.
    """

    __slots__ = ()

    def __float__(self) -> float:
        return float(self.score)

    def __repr__(self) -> str:
        errors = f", {len(self.errors)} errors" if self.errors else ""
        return f"EvaluationResult(score={self.score}, {len(self.results)} results{errors})"


class EvaluationInterrupted(KeyboardInterrupt):
    """Ctrl-C during an evaluation; `result` holds what was done until then, and only that."""

    def __init__(self, result: EvaluationResult) -> None:
        super().__init__(
            f"interrupted after {len(result.results)} examples: the exception's .result has them"
        )
        self.result = result


class Evaluate:
    """Runs a program on every example of a devset and scores its answers.

    `metric` takes (example, prediction) or (example, prediction, trace) and returns a bool, a number or a
    `Score`. An example on which the program raises scores `failure_score` and loses no other; so does one
    for which the metric raises or gives no number: both are in the result's `errors` and are logged. After
    `max_errors` of them no further example is begun. Threads inherit the context; each run has a trace of
    its own. Ctrl-C raises `EvaluationInterrupted`, a `KeyboardInterrupt` with what is done.

    What is given in the call goes before what the constructor was given, as in DSPy. A `TaskFile` is a devset too,
    with its own metric: its tasks are run as `loopwright eval` runs them, in a fresh world with their turns, faults,
    limits and approvals. So are its examples where the metric is the file's.

    >>> devset = [Example(n=n, double=2 * n).with_inputs("n") for n in range(4)]
    >>> evaluate = Evaluate(devset=devset, metric=lambda example, given: example.double == given.double)
    >>> evaluate(lambda n: Prediction(double=n + n)).score
    100.0
    """

    def __init__(
        self,
        devset: Sequence[Example] | TaskFile,
        metric: Metric | None = None,
        num_threads: int | None = None,
        display_progress: bool = False,
        display_table: bool | int = False,
        max_errors: int | None = None,
        provide_traceback: bool = False,
        failure_score: float = 0.0,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> None:
        self.devset = devset
        self.metric = metric
        self.num_threads = num_threads
        self.display_progress = display_progress
        self.display_table = display_table
        self.max_errors = max_errors
        self.provide_traceback = provide_traceback
        self.failure_score = failure_score
        self.save_as_csv = save_as_csv
        self.save_as_json = save_as_json

    def __call__(
        self,
        program: Program,
        metric: Metric | None = None,
        devset: Sequence[Example] | TaskFile | None = None,
        num_threads: int | None = None,
        display_progress: bool | None = None,
        display_table: bool | int | None = None,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> EvaluationResult:
        """Evaluate a program: a module, or any function from the inputs to a prediction."""
        given = self.devset if devset is None else devset
        chosen = metric or self.metric or (given.metric if isinstance(given, TaskFile) else None)
        if chosen is None:
            raise ConfigurationError("Evaluate needs a metric: give it metric=, here or in the constructor")
        examples = checked_examples(given)
        shown = self.display_progress if display_progress is None else display_progress
        outcomes: dict[int, _Outcome] = {}
        try:
            with evaluation(self, len(examples)):
                self._run(program, chosen, examples, num_threads or self.num_threads, shown, outcomes)
        except KeyboardInterrupt:
            done = {place: examples[place] for place in sorted(outcomes)}
            raise EvaluationInterrupted(self._result(done, outcomes)) from None
        result = self._result(dict(enumerate(examples)), outcomes)
        self._log(result.errors)
        self._show(result, chosen, self.display_table if display_table is None else display_table)
        _save(result, chosen, save_as_csv or self.save_as_csv, save_as_json or self.save_as_json)
        return result

    def _run(
        self,
        program: Program,
        metric: Metric,
        examples: Sequence[Example],
        num_threads: int | None,
        shown: bool,
        outcomes: dict[int, _Outcome],
    ) -> None:
        """Fill `outcomes` by the examples' places, so that what is done is there also when it is broken off."""
        total, failed = 0.0, 0
        threads = num_threads or current().num_threads
        work = as_completed(lambda example: _one(program, metric, example), examples, threads)
        with closing(work), Progress(len(examples)) if shown else nullcontext() as progress:
            for place, given in work:
                outcome = given if isinstance(given, _Outcome) else _Outcome(Prediction(), "program", given)
                outcomes[place] = outcome
                failed += outcome.kind is not None
                total += outcome.value if outcome.kind is None else self.failure_score
                if progress is not None:
                    progress.advance(f"mean {100 * total / len(outcomes):.1f}%{_errors_text(failed)}")
                if self.max_errors is not None and failed >= self.max_errors:
                    return

    def _result(self, examples: Mapping[int, Example], outcomes: Mapping[int, _Outcome]) -> EvaluationResult:
        results, errors, total = [], [], 0.0
        for place, example in examples.items():
            outcome = outcomes.get(place, _NOT_RUN)
            if outcome.kind is not None:
                errors.append(EvaluationError(place, example, outcome.kind, outcome.error))
            score = outcome.score if outcome.kind is None else self.failure_score
            total += outcome.value if outcome.kind is None else self.failure_score
            results.append((example, outcome.prediction, score))
        mean = round(100 * total / len(results), 2) if results else math.nan
        return EvaluationResult(score=mean, results=results, errors=errors)

    def _log(self, errors: Sequence[EvaluationError]) -> None:
        for error in errors[:LOGGED]:
            log.warning("%s", error, exc_info=error.error if self.provide_traceback else None)
        if len(errors) > LOGGED:
            log.warning(
                "and %d more examples have no score of their own: see the result's errors",
                len(errors) - LOGGED,
            )

    def _show(self, result: EvaluationResult, metric: Metric, rows: bool | int) -> None:
        if not rows:
            return
        records = [*_records(result, metric)]
        header = list(dict.fromkeys(name for record in records for name in record))
        count = len(records) if rows is True else int(rows)
        cells = [[format_value(record.get(name, "")) for name in header] for record in records[:count]]
        print_table(Table(f"Score {result.score}%{_errors_text(len(result.errors))}", header, cells))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one example: the prediction with its score, or what went wrong."""

    prediction: Any
    kind: Literal["program", "metric", "not run"] | None = None
    error: Exception | None = None
    score: object = None
    value: float = 0.0


_NOT_RUN = _Outcome(Prediction(), "not run")


def checked_examples(devset: Iterable[Example] | TaskFile) -> list[Example]:
    """The examples of a devset; raises before anything is run where there is none, or one that is no example."""
    examples = devset.examples() if isinstance(devset, TaskFile) else list(devset)
    if not examples:
        raise ConfigurationError("the devset is empty: there is nothing to evaluate")
    for place, example in enumerate(examples):
        if not isinstance(example, Example):
            raise InputError(
                f"devset[{place}] is {with_article(type(example).__name__)}, not an Example: "
                'write Example(question="…", answer="…").with_inputs("question")'
            )
        _ = example.input_keys  # raises ValueError before anything is run
    return examples


def _one(program: Program, metric: Metric, example: Example) -> _Outcome:
    with context(trace=Trace()):
        try:
            prediction = predicted(file_of(metric), program, example)
        except Exception as error:  # noqa: BLE001  # it is kept in the result, and no other example is lost
            return _Outcome(Prediction(), "program", error)
        try:
            score = call_metric(metric, example, prediction)
            return _Outcome(prediction, score=score, value=as_score(score).value)
        except Exception as error:  # noqa: BLE001  # as above
            return _Outcome(prediction, "metric", error)


def _errors_text(count: int) -> str:
    return f", {count} error{'s' if count > 1 else ''}" if count else ""


def _records(result: EvaluationResult, metric: Metric) -> Iterator[dict[str, Any]]:
    """Each result as one flat record; a field that example and prediction share is there twice, as in DSPy."""
    name = getattr(metric, "__name__", type(metric).__name__)
    for example, prediction, score in result.results:
        given = prediction.toDict() if isinstance(prediction, Example) else {"prediction": prediction}
        known = example.toDict()
        record = {(f"example_{key}" if key in given else key): value for key, value in known.items()}
        record |= {
            (f"pred_{key}" if key in known else key): value
            for key, value in given.items()
            if key != "trajectory"
        }
        yield {key: to_plain(value) for key, value in record.items()} | {name: to_plain(score)}


def _save(
    result: EvaluationResult, metric: Metric, as_csv: str | Path | None, as_json: str | Path | None
) -> None:
    records = list(_records(result, metric)) if as_csv or as_json else []
    if as_json:
        write_whole(as_json, json.dumps(records, indent=2, ensure_ascii=False) + "\n")
    if as_csv:
        header = list(dict.fromkeys(name for record in records for name in record))
        with Path(as_csv).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(
                {key: format_value(value) for key, value in record.items()} for record in records
            )
