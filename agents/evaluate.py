"""The names of `loopwright.evaluation` that DSPy programs look for in `dspy.evaluate`."""

from __future__ import annotations

from .evaluation import (
    Evaluate,
    EvaluationInterrupted,
    EvaluationResult,
    Score,
    answer_exact_match,
    contains,
    exact_match,
    f1,
    numeric,
)

__all__ = [
    "Evaluate",
    "EvaluationInterrupted",
    "EvaluationResult",
    "Score",
    "answer_exact_match",
    "contains",
    "exact_match",
    "f1",
    "numeric",
]
