"""Evaluation: metrics over examples, and scripted tasks from a file.

metrics, evaluate   how good an answer is; `Evaluate`: a program on many examples
tasks               `TaskFile`: the file of tasks, its agent, its examples
file/               its keys and types, its lines, and what is wrong with it
checks/             a task's expectations held against what a run did
trials/             one trial, its turns and its world; each task so many times, several at once
proofs/             that a task can be solved as it says, and not by doing nothing
runs/               a run in a folder, gone on with, judged again, compared with another
reports/            the figures, report.json, the page report.html, and the same on a terminal
rollout             a program on an example of a file, for optimizers
"""

from __future__ import annotations

from .checks.judge import judge
from .checks.record import CheckResult, Run, TurnMade, Verdict
from .evaluate import Evaluate, EvaluationError, EvaluationInterrupted, EvaluationResult
from .metrics import (
    MetricError,
    Score,
    answer_exact_match,
    as_score,
    call_metric,
    contains,
    exact_match,
    f1,
    numeric,
)
from .reports.report import Report
from .rollout import Rollout, file_of, rollout, run_example
from .tasks import TaskFile
from .trials.attempt import Trial, TrialResult
from .trials.engine import plan, run_trials

__all__ = [
    "CheckResult",
    "Evaluate",
    "EvaluationError",
    "EvaluationInterrupted",
    "EvaluationResult",
    "MetricError",
    "Report",
    "Rollout",
    "Run",
    "Score",
    "TaskFile",
    "Trial",
    "TrialResult",
    "TurnMade",
    "Verdict",
    "answer_exact_match",
    "as_score",
    "call_metric",
    "contains",
    "exact_match",
    "f1",
    "file_of",
    "judge",
    "numeric",
    "plan",
    "rollout",
    "run_example",
    "run_trials",
]
