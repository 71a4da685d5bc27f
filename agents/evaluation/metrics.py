"""Metrics: how good an answer is, from the answer that is known to be right.

Every one is called in either of two ways: `exact_match(example, prediction)`, as `Evaluate` and the
optimizers call it, compares the fields that the example knows (its labels) with the prediction's; with
plain values, `exact_match("Paris", "paris.")`, the right answer comes first.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..example import Example
from ..text import words
from ..trace import Trace
from .checks.answers import contains_text, near, one_number, same_value

Metric = Callable[..., object]


@dataclass(frozen=True, slots=True, init=False)
class Score:
    """What a metric says of one prediction.

    `value` is best between 0 and 1. `passed` is whether it is good enough (a value of 1, unless told);
    `feedback` says in a line what was wrong, and `step` (from 1) names the step to blame for it.

    >>> Score(0.5, feedback="the total leaves the tax out", step=3).passed
    False
    """

    value: float
    passed: bool
    feedback: str
    step: int | None

    def __init__(
        self, value: float, passed: bool | None = None, feedback: str = "", step: int | None = None
    ) -> None:
        set_once = object.__setattr__
        set_once(self, "value", value)
        set_once(self, "passed", value >= 1 if passed is None else passed)
        set_once(self, "feedback", feedback)
        set_once(self, "step", step)

    def __float__(self) -> float:
        return float(self.value)


class MetricError(ValueError):
    """A metric gave something that is no score."""


def as_score(given: object) -> Score:
    """What a metric returned, as a `Score`: a bool, a number, a `Score`, or a record with a `score` field.

    Raises `MetricError` for anything else; a NaN or None is a mistake in the metric, not a zero.

    >>> as_score(True).value, as_score(0.25).passed
    (1.0, False)
    """
    if isinstance(given, Score):
        as_number(given.value)
        return given
    if isinstance(given, Example) and "score" in given:
        step = given.get("step")
        return Score(
            as_number(given["score"]),
            feedback=str(given.get("feedback", "")),
            step=step if isinstance(step, int) else None,
        )
    return Score(as_number(given))


def as_number(given: object) -> float:
    """A metric's number; raises `MetricError` where it is none."""
    if inspect.isawaitable(given):
        given.close() if inspect.iscoroutine(given) else None
        raise MetricError("the metric is async: Evaluate calls plain functions")
    if given is None:
        raise MetricError("the metric returned None: does every path of it return a score?")
    try:
        number = float(given)  # type: ignore[arg-type]  # what is no number raises below
    except (TypeError, ValueError):
        raise MetricError(f"the metric returned {given!r:.80}, not a bool, a number or a Score") from None
    if not math.isfinite(number):
        raise MetricError(f"the metric returned {number}, which is no score")
    return number


def call_metric(metric: Metric, example: Example, prediction: Any, trace: Trace | None = None) -> object:
    """Call a metric that takes (example, prediction), or these and a trace.

    `trace` is None in an evaluation: metrics of DSPy programs tell by it whether they are asked for a
    score or for a strict verdict while demonstrations are gathered.
    """
    if trace is None and wants(metric) <= 2:
        return metric(example, prediction)
    return metric(example, prediction, trace) if wants(metric, most=True) > 2 else metric(example, prediction)


def wants(metric: Metric, *, most: bool = False) -> int:
    """How many arguments a metric must be given by place, or (`most`) can be."""
    try:
        parameters = inspect.signature(metric).parameters.values()
    except (TypeError, ValueError):  # a callable from C has no signature to read
        return 2
    if most and any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return 3
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(most or p.default is p.empty for p in by_place)


def exact_match(example: Any, prediction: Any, trace: Trace | None = None) -> bool:
    """Whether every known answer is given: the same value, or the same text.

    Text is compared without regard to case, spacing, the articles a, an and the, and punctuation around
    words; texts that are numbers are compared as numbers. Where a text is asked for and the example has
    a list, any of its members will do.

    >>> exact_match("the Eiffel Tower", "Eiffel tower."), exact_match("1,000", "1000.0"), exact_match("1.5", "15")
    (True, True, False)
    """
    return all(_either(same_value, wanted, given) for wanted, given in _pairs(example, prediction))


def answer_exact_match(
    example: Example, prediction: Any, trace: Trace | None = None, frac: float = 1.0
) -> bool:
    """`exact_match` of the field `answer` alone, as DSPy programs call it; with `frac` below 1, that much `f1`.

    >>> from loopwright import Prediction
    >>> answer_exact_match(Example(answer="Paris", score=1), Prediction(answer="paris", score=0))
    True
    """
    wanted, given = example["answer"], prediction["answer"]
    return exact_match(wanted, given) if frac >= 1 else f1(wanted, given) >= frac


def contains(example: Any, prediction: Any, trace: Trace | None = None) -> bool:
    """Whether every known answer occurs in the text given, as whole words, case and spacing aside.

    >>> contains("Paris", "It is Paris, of course."), contains("5", "It is 15.")
    (True, False)
    """

    def occurs(wanted: object, given: object) -> bool:
        return isinstance(given, str) and contains_text(given, str(wanted))

    return all(_either(occurs, wanted, given) for wanted, given in _pairs(example, prediction))


def f1(example: Any, prediction: Any, trace: Trace | None = None) -> float:
    """How far the words agree: the harmonic mean of precision and recall, from 0 to 1.

    Words are normalised as for `exact_match`; several fields are averaged (Rajpurkar et al., SQuAD, 2016).

    >>> f1("red and green", "green and blue")
    0.6666666666666666
    """
    scores = [_best(wanted, given) for wanted, given in _pairs(example, prediction)]
    return sum(scores) / len(scores)


def numeric(example: Any, prediction: Any, trace: Trace | None = None, *, tol: float = 1e-6) -> bool:
    """Whether every known number is given, give or take `tol`.

    A text gives a number where it holds exactly one; one that holds several gives none, since
    otherwise listing many would be right.

    >>> numeric(1200, "That is $1,200.00."), numeric(3, "3 or 4"), numeric(3.14159, 3.14, tol=0.01)
    (True, False, True)
    """

    def agree(wanted: object, given: object) -> bool:
        right, number = one_number(wanted), one_number(given)
        return right is not None and number is not None and near(right, number, tol)

    return all(_either(agree, wanted, given) for wanted, given in _pairs(example, prediction))


def _pairs(example: Any, prediction: Any) -> Sequence[tuple[object, object]]:
    """What is right beside what was given: of each label that the prediction has, or the two values."""
    if not isinstance(example, Example):
        return [(example, prediction)]
    given: Mapping[str, object] = prediction.toDict() if isinstance(prediction, Example) else {"": prediction}
    labels = example.labels().toDict() if example.has_inputs else example.toDict()
    known = [name for name in labels if name in given]
    if not known:
        raise ValueError(
            f"nothing to compare: the example's labels are {', '.join(labels) or 'none'}, "
            f"the prediction's fields {', '.join(map(str, given)) or 'none'}"
        )
    return [(labels[name], given[name]) for name in known]


def _either(agree: Callable[[object, object], bool], wanted: object, given: object) -> bool:
    """Whether a value agrees with the right one, or with any of several that are right."""
    if isinstance(wanted, list | tuple) and not isinstance(given, list | tuple):
        return any(agree(one, given) for one in wanted)
    return agree(wanted, given)


def _best(wanted: object, given: object) -> float:
    if isinstance(wanted, list | tuple):
        return max((_best(one, given) for one in wanted), default=0.0)
    right, said = words(str(wanted)), words("" if given is None else str(given))
    common = sum((Counter(right) & Counter(said)).values())
    if not right or not said:
        return float(right == said)
    return 2 * common / (len(right) + len(said))
