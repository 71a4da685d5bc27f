"""Tasks and their trials as they stand in `report.json`.

A task has `file`, `id`, `tags`, `split`, `input` and `trials`. A trial has

    epoch, outcome            from 0; "passed", "failed" or "excluded"
    score                     between 0 and 1: the credit for a part of what was expected
    checks                    check, about, passed, feedback, step and turn (from 1, or null), grader (the model
                              that judged, or ""), error (true: it could not be made), gate (true: the trial
                              fails with it, whatever its score)
    outputs, termination, error
    usage, cached             tokens and US dollars (null: not known); answers that came from a cache
    seconds, attempts
    trajectory                of each step: thought, calls (name, args, malformed), results (content, error,
                              seconds, changes of the world), seconds, tokens (0: not known), and inner (the
                              calls that a program made)
    turns                     of a conversation, as in `TurnMade`: item, user, outputs, first and last (steps,
                              from 1), termination, user_model
    verdicts                  of models that judged: about, model, reason, passed, score, error
    other_usage               what the models took that played "users" or were "judges"; `usage` is without it
    world                     changes, wanted (by the task's reference, or null), lost (changes too many to keep)

What is empty may be left out from `malformed` on. A change is `{path, before, after}`; a side that is not there
is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from loopwright.tools.calls import ToolCall, ToolResult
from loopwright.tools.world import Change

from ...adapters.values import to_plain
from ...errors import ConfigurationError
from ...trajectory import Step
from ..checks.record import CheckResult, TurnMade
from ..checks.scoring import names_of
from ..file.format import ScoreSpec
from ..trials.attempt import TrialResult

FORMAT = 1
FILE = "report.json"


def task_json(trials: Sequence[TrialResult]) -> dict[str, Any]:
    """A task with all its trials, as JSON's own types."""
    task = trials[0].task
    return {
        "file": trials[0].file,
        "id": task.id,
        "tags": list(task.tags),
        "split": task.split,
        "input": to_plain(task.input),
        "trials": [trial_json(trial) for trial in trials],
    }


def trial_json(trial: TrialResult) -> dict[str, Any]:
    """One trial, as JSON's own types."""
    return {
        "epoch": trial.epoch,
        "outcome": trial.outcome,
        "score": trial.score,
        "checks": [_check_json(check, trial.task.score) for check in trial.checks],
        "outputs": to_plain(dict(trial.outputs)),
        "termination": trial.termination,
        "error": trial.error,
        "usage": asdict(trial.usage),
        "cached": trial.cached,
        "seconds": round(trial.seconds, 4),
        "attempts": trial.attempts,
        "trajectory": [_step_json(step) for step in trial.trajectory.steps],
    } | _where_there_is_one(trial)


def _where_there_is_one(trial: TrialResult) -> dict[str, Any]:
    """The conversation of a trial and what it changed in its world."""
    shown: dict[str, Any] = {}
    if trial.turns:
        shown["turns"] = [_turn_json(turn) for turn in trial.turns]
    if trial.verdicts:
        shown["verdicts"] = [{"about": name, **asdict(said)} for name, said in trial.verdicts.items()]
    if trial.other_usage:
        shown["other_usage"] = {name: asdict(usage) for name, usage in trial.other_usage.items()}
    if trial.world is not None:
        wanted = trial.world.wanted
        shown["world"] = {
            "changes": _changes_json(trial.world.changes),
            "wanted": None if wanted is None else _changes_json(wanted),
            "lost": trial.world.lost,
        }
    return shown


def _turn_json(turn: TurnMade) -> dict[str, Any]:
    """A turn without what it changed, which stands with the calls that did it."""
    shown: dict[str, Any] = to_plain(replace(turn, changes=None))
    return {name: value for name, value in shown.items() if name != "changes"}


def _check_json(check: CheckResult, score: ScoreSpec | None) -> dict[str, Any]:
    gate = score is not None and not set(names_of(check)).isdisjoint(score.gates)
    return {**asdict(check), "gate": gate}


def _changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [to_plain({**change.as_json(), "path": change.where}) for change in changes]


def _step_json(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "thought": step.thought,
        "calls": [_call_json(call) for call in step.calls],
        "results": [_result_json(result) for result in step.results],
        "seconds": round(step.seconds, 4),
        "tokens": step.tokens,
    }
    if step.inner:
        shown["inner"] = [{**_call_json(result.call), **_result_json(result)} for result in step.inner]
    return shown


def _call_json(call: ToolCall) -> dict[str, Any]:
    made = {"name": call.name, "args": to_plain(dict(call.args))}
    return made | ({"malformed": call.malformed} if call.malformed else {})


def _result_json(result: ToolResult) -> dict[str, Any]:
    made: dict[str, Any] = {
        "content": result.content,
        "error": result.error,
        "seconds": round(result.seconds, 4),
    }
    return made | ({"changes": _changes_json(result.changes)} if result.changes else {})


def read_report(path: str | Path) -> dict[str, Any]:
    """What the `report.json` of a run's folder holds, or that file itself; raises `ConfigurationError`."""
    place = Path(path)
    file = place / FILE if place.is_dir() else place
    try:
        held = json.loads(file.read_bytes())
    except FileNotFoundError:
        found = f"there is no {FILE} in {place}" if place.is_dir() else f"there is no {place}"
        wanted = "name the folder that an evaluation with --out made, or its report.json"
        raise ConfigurationError(f"{found}: {wanted}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is no JSON: {str(error)[:200]}") from None
    if not isinstance(held, dict) or "tasks" not in held or "summary" not in held:
        raise ConfigurationError(f"{file} is no report of an evaluation: it has no summary and tasks")
    if held.get("format") != FORMAT:
        raise ConfigurationError(
            f"{file} has format {held.get('format')!r}; this version of loopwright reads {FORMAT}"
        )
    return held


def finite(value: Any) -> Any:
    """JSON's own types with what JSON has no number for (NaN, infinities) as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    return [finite(part) for part in value] if isinstance(value, list) else value
