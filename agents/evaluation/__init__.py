"""Evaluation: metrics over examples, and scripted tasks from a file.

metrics        how good an answer is; what a metric may return
evaluate       Evaluate: a program on many examples
tasks          TaskFile: the file of tasks, its agent, its examples
format, world_format      its keys and types       locate   its lines       *semantics, problems   what is wrong with it
proving        whether each task can be solved, and is not solved by doing nothing
conversation   a task played on an agent, turn by turn; simulated_user   a user that a model plays
worlds         what tools work on, fresh for each trial; task_run   one run with all of that around it
record         what a run left behind, and what a check says of it
checks         a task's expectations held against what a run did; state_checks   against its world
judging        answers that a model judges      scoring   from checks, gates and weights to a score
attempt        one trial              engine   each task so many times, several at once
rollout        one example of a file on one program, as optimizers run it
runs           a run in a folder, gone on with, judged again, compared with another
reports        the figures, report.json, the page report.html, and the same on a terminal
"""

from __future__ import annotations

from .attempt import Trial, TrialResult
from .checks import judge
from .engine import plan, run_trials
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
from .record import CheckResult, Run, TurnMade, Verdict
from .reports.report import Report
from .rollout import Rollout, file_of, rollout, run_example
from .tasks import TaskFile

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
