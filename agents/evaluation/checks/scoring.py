"""The score of a trial, between 0 and 1, and whether it passed: from its checks, gates and weights.

A trial passes when every gate passes and its score reaches `pass`, which is 1 unless the task says otherwise.
So without `score:` it passes when every check does.

* A gate that fails makes the score 0, whatever else went well.
* Without weights, the score is the part of the checks that are no gates that passed; 1 where there are only gates.
* With `weights`, it is the weighted mean over their names, of each the part of its checks that passed. A kind of check
  that is neither a gate nor has a weight weighs 1, so that nothing is forgotten; what weighs 0 is shown only.

A check is named by its kind ("calls.required"), by its group ("calls"), by kind and field ("answer.reply"); one
of a turn also by that turn ("turns.2") and as one of the turns. Of several weights that name a check, the first
in the order turn, turns, field, kind, group counts.

A check that could not be made (a model that judges was not there) decides nothing: where the outcome hangs on it,
there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..file.format import ScoreSpec
from .record import CheckResult

KINDS = (
    "answer",
    "judge",
    "state",
    "reference",
    "calls.required",
    "calls.forbidden",
    "calls.order",
    "calls.max",
    "calls.no_repeat",
    "ends",
)
GROUPS = ("calls", "turns")
ALWAYS = ("run", "turns")  # gates of every task: that there was a run, and the whole conversation
NEAR = 1e-9  # what a mean of floats may lack of the score that is wanted


@dataclass(frozen=True, slots=True)
class Scored:
    """A trial's score, and whether it passed: None where checks that could not be made would decide it."""

    value: float
    passed: bool | None


def names_of(check: CheckResult) -> tuple[str, ...]:
    """The names that gates and weights know a check by, the closest first.

    >>> names_of(CheckResult("calls.order", "exact", True, turn=2))
    ('turns.2', 'turns', 'calls.order', 'calls')
    >>> names_of(CheckResult("answer", "reply", True))
    ('answer.reply', 'answer')
    """
    turns = () if check.turn is None else (f"turns.{check.turn}", "turns")
    field = (f"{check.check}.{check.about}",) if check.check in ("answer", "judge") else ()
    group, dot, _ = check.check.partition(".")
    return (*turns, *field, check.check, *((group,) if dot else ()))


def scored(checks: Sequence[CheckResult], spec: ScoreSpec | None = None) -> Scored:
    """The score of these checks.

    >>> checks = [CheckResult("answer", "reply", True), CheckResult("calls.order", "exact", False)]
    >>> scored(checks), scored(checks, ScoreSpec(weights={"answer": 3, "calls": 1}, pass_=0.7))
    (Scored(value=0.5, passed=False), Scored(value=0.75, passed=True))
    """
    spec = spec or ScoreSpec()
    made = [check for check in checks if not check.error]
    value = _value(made, spec)
    if len(made) == len(checks):
        return Scored(value, _enough(made, spec))
    outcomes = {
        _enough([replace(check, passed=passed) if check.error else check for check in checks], spec)
        for passed in (False, True)
    }
    return Scored(value, outcomes.pop() if len(outcomes) == 1 else None)


def _enough(checks: Sequence[CheckResult], spec: ScoreSpec) -> bool:
    return _gates_pass(checks, spec) and _value(checks, spec) >= spec.pass_ - NEAR


def _gates_pass(checks: Sequence[CheckResult], spec: ScoreSpec) -> bool:
    return all(check.passed for check in checks if _is_gate(check, spec))


def _is_gate(check: CheckResult, spec: ScoreSpec) -> bool:
    return check.check in ALWAYS or not set(names_of(check)).isdisjoint(spec.gates)


def _value(checks: Sequence[CheckResult], spec: ScoreSpec) -> float:
    if not _gates_pass(checks, spec):
        return 0.0
    rest = [check for check in checks if not _is_gate(check, spec)]
    if not spec.weights:
        return _part(rest) if rest else 1.0
    groups: dict[str, list[CheckResult]] = {}
    for check in rest:
        name = next((name for name in names_of(check) if name in spec.weights), check.check)
        groups.setdefault(name, []).append(check)
    weights = {name: spec.weights.get(name, 1.0) for name in groups}
    total = math.fsum(weights.values())
    if not total:
        return 1.0
    return math.fsum(weights[name] * _part(group) for name, group in groups.items()) / total


def _part(checks: Iterable[CheckResult]) -> float:
    passed = [check.passed for check in checks]
    return sum(passed) / len(passed)
