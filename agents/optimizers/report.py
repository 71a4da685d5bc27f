"""The report of a compile: what was measured, what was decided and why, and what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..adapters.values import to_plain
from ..text import counted
from .driving.amounts import NOTHING, Amounts
from .estimates import Estimate


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that was decided: in which stage, about what, what, and why.

    >>> print(Decision("gate", "task 17", "dropped", "the answer is in no observation"))
    gate: task 17: dropped, the answer is in no observation
    """

    stage: str
    subject: str
    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.stage}: {self.subject}: {self.verdict}" + (f", {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that was measured: its name, what is new in it, its score, and the task ids of its demonstrations."""

    name: str
    score: Estimate | None = None
    demos: tuple[str, ...] = ()
    instructions: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class PhaseUse:
    """What a phase took; `planned` are rollouts, None where nobody said how many."""

    phase: str
    planned: int | None
    used: Amounts


@dataclass(frozen=True, slots=True)
class Report:
    """What a compile did.

    `baseline` is the student's score and `selected` the best candidate's, on the tasks that it was selected by; the
    best of many looks better than it is. `confirmed` and `confirmed_baseline` are measured on tasks and rollout ids
    that nothing was selected by: the numbers to report, None where there was no room for them. `improved` says
    whether the program returned is another than the student, and `verdict` how sure it is that it is better. `demos` are the demonstrations that it has. `warnings`
    say what is weak about all this, and what would mend it.

    The driver fills in `phases`, `used`, `problems` (how many rollouts had which), `errors` (the first of each) and
    `spent_limit`, the bound of the budget that ended the search ("" where none did).
    """

    optimizer: str
    seed: int = 0
    improved: bool = False
    reason: str = ""
    baseline: Estimate | None = None
    selected: Estimate | None = None
    confirmed: Estimate | None = None
    confirmed_baseline: Estimate | None = None
    candidates: tuple[Candidate, ...] = ()
    decisions: tuple[Decision, ...] = ()
    demos: tuple[Mapping[str, Any], ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    phases: tuple[PhaseUse, ...] = ()
    used: Amounts = NOTHING
    problems: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    spent_limit: str = ""

    @property
    def verdict(self) -> str:
        """What `verdict_of` says of it.

        >>> Report("LabeledFewShot", improved=True).verdict, Report("LabeledFewShot").verdict
        ('changed, not measured', 'as it was')
        """
        return verdict_of(self.improved, self.selected, self.confirmed)

    def with_decisions(self, *decisions: Decision) -> Report:
        """The same report with decisions added."""
        return replace(self, decisions=(*self.decisions, *decisions))

    def to_json(self) -> dict[str, Any]:
        """JSON's types; no times are in it, so that the same compile gives the same bytes."""
        plain: dict[str, Any] = to_plain({f: getattr(self, f) for f in self.__slots__ if f not in _OWN_FORM})
        plain["candidates"] = [asdict(one) for one in self.candidates]
        plain["phases"] = [
            {"phase": one.phase, "planned": one.planned, **one.used.to_json()} for one in self.phases
        ]
        plain["used"] = self.used.to_json()
        return {**plain, "verdict": self.verdict}

    def dumps(self) -> str:
        """The report as a JSON text."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        lines = [f"{self.optimizer}: {self.verdict} ({self.reason})"]
        measured: Sequence[tuple[str, Estimate | None]] = (
            ("baseline", self.baseline),
            ("selected", self.selected),
            ("confirmed baseline", self.confirmed_baseline),
            ("confirmed", self.confirmed),
        )
        lines += [f"  {name}: {estimate}" for name, estimate in measured if estimate is not None]
        lines += [f"  warning: {warning}" for warning in self.warnings]
        for use in self.phases:
            planned = "" if use.planned is None else f" of {use.planned} planned"
            lines.append(
                f"  {use.phase}: {counted(use.used.rollouts, 'rollout')}{planned}, "
                f"{counted(use.used.calls, 'model call')}"
            )
        return "\n".join(lines)


def verdict_of(improved: bool, selected: object, confirmed: object) -> str:
    """`better`, `changed, not confirmed`, `changed, not measured` or `as it was`; of these only the first was shown."""
    if not improved:
        return "as it was"
    if confirmed:
        return "better"
    return "changed, not confirmed" if selected else "changed, not measured"


def report_of(program: object) -> Report:
    """The report that `compile` left at a program, for type checkers; raises ValueError where there is none."""
    report = getattr(program, "compile_report", None)
    if not isinstance(report, Report):
        raise ValueError(f"this {type(program).__name__} comes from no compile, and has no report")
    return report


_OWN_FORM = ("candidates", "phases", "used")
