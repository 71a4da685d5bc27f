"""majority: the answer that most of several attempts gave.

After Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models" (ICLR 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from loopwright.tools.errors import with_article

from ..adapters.values import format_value
from ..errors import InputError
from ..example import Example, Prediction
from ..text import words
from .recap import NOT_OUTPUTS

Answers = Prediction | Sequence[Mapping[str, Any] | Example]


def normal_answer(value: object) -> str | None:
    """An answer without the accidents of its form; None where there is no answer.

    Text is compared by its words, text that is a number by the number, everything else by its JSON.

    >>> normal_answer("The Eiffel Tower."), normal_answer("1,000"), normal_answer(1000), normal_answer([1, 2])
    ('eiffel tower', '1000', '1000', '[1, 2]')
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = " ".join(words(value)) if isinstance(value, str) else format_value(value)
    if isinstance(value, bool):
        return text
    try:
        return f"{float(text.replace(',', '')):.12g}"
    except ValueError:
        return text or str(value)


def majority(
    prediction_or_completions: Answers,
    normalize: Callable[[Any], Hashable] | None = normal_answer,
    field: str | None = None,
) -> Prediction:
    """The first answer whose value of a field is the commonest; the earlier of two that are as common.

    Answers are a list of predictions or a prediction with `completions`. `field` is the last output unless told;
    an answer that `normalize` makes None of has no vote, unless that is all of them. The result's `votes` (a note,
    no field) counts every value, the commonest first.

    >>> votes = majority([Prediction(city="Paris"), Prediction(city="Lyon"), Prediction(city="paris.")])
    >>> votes.city, votes.votes
    ('Paris', {'paris': 2, 'lyon': 1})
    """
    answers = _answers(prediction_or_completions)
    name = field or _last_output(answers[0])
    missing = [place for place, answer in enumerate(answers) if name not in answer]
    if missing:
        raise InputError(
            f"answer {missing[0] + 1} has no field {name!r}; it has {', '.join(answers[missing[0]]) or 'none'}"
        )
    values = [normalize(answer[name]) if normalize else answer[name] for answer in answers]
    counts: dict[Hashable, int] = {}
    for value in [one for one in values if one is not None] or values:
        counts[value] = counts.get(value, 0) + 1
    ranked = dict(sorted(counts.items(), key=lambda item: -item[1]))
    chosen = answers[values.index(next(iter(ranked)))]
    return Prediction.from_completions([chosen]).with_notes(votes=ranked)


def _answers(given: object) -> Sequence[Mapping[str, Any] | Example]:
    answers = given.completions if isinstance(given, Prediction) else given
    if not isinstance(answers, Sequence) or isinstance(answers, str):
        raise InputError(
            f"majority takes a list of predictions, or one with completions; not {type(given).__name__}"
        )
    for answer in answers:
        if not isinstance(answer, Mapping | Example):
            raise InputError(
                f"majority compares predictions; the list has {with_article(type(answer).__name__)}"
            )
    if not answers:
        raise InputError("majority needs at least one answer")
    return answers


def _last_output(answer: Mapping[str, Any] | Example) -> str:
    names = [name for name in answer if name not in NOT_OUTPUTS]
    if not names:
        raise InputError("the first answer has no field to vote on")
    return names[-1]
