"""Outcomes as text, for the store. What an optimizer is told has always been through this form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...evaluation.metrics import Score
from ...example import Example, Prediction
from ...state import State, dump_state, undump_state
from .amounts import Amounts
from .rollouts import Outcome, PredictorCall

NO_OUTPUT = ("trajectory", "termination_reason", "error")  # what a prediction has beside its outputs


def write_outcome(outcome: Outcome) -> str:
    """An outcome as JSON."""
    score = outcome.score
    whole = {
        "score": score and [float(score.value), score.passed, score.feedback, score.step],
        "problem": outcome.problem,
        "error": outcome.error,
        "prediction": _write(outcome.prediction),
        "termination": outcome.termination,
        "calls": [
            [one.path, _write(one.inputs), None if _is_answer(one, outcome) else _write(one.outputs)]
            for one in outcome.calls
        ],
        "spent": outcome.spent.to_json() | {"seconds": outcome.spent.seconds},
    }
    return json.dumps(whole)


def read_outcome(record: str) -> Outcome:
    """The reverse of `write_outcome`."""
    whole = json.loads(record)
    outputs = answer = _read(whole["prediction"])
    if whole["termination"]:
        outputs = outputs.copy(termination_reason=whole["termination"])
    return Outcome(
        None if whole["score"] is None else Score(*whole["score"]),
        whole["problem"],
        whole["error"],
        Prediction(outputs),
        tuple(
            PredictorCall(path, _read(given), answer if made is None else _read(made))
            for path, given, made in whole["calls"]
        ),
        Amounts(**whole["spent"]),
    )


def _is_answer(call: PredictorCall, outcome: Outcome) -> bool:
    """Whether a predictor gave what the program gave, as an agent that is the whole program does: it is written once."""
    return call.outputs.without("termination_reason") == outcome.prediction.without("termination_reason")


def _write(record: Example) -> dict[str, Any]:
    """Fields and trajectory, in the form of a saved demonstration."""
    left = record.without(*(name for name in NO_OUTPUT[1:] if name in record))
    dumped: dict[str, Any] = dump_state(State("", "", (Example(left),)))["demos"][0]
    return dumped


def _read(saved: Mapping[str, Any]) -> Example:
    return undump_state({"fields": "", "instructions": "", "demos": [saved]}, "").demos[0]
