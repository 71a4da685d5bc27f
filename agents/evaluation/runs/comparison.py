"""Two runs of the same tasks, compared: what is fixed, what is broken, and whether that can be chance.

The test is a sign test on tasks: a task's trials (its epochs) are averaged, and of the tasks whose average
differs, those that went up are held against those that went down. With one trial a task it is McNemar's
exact test. Tasks are the unit, since trials of one task are alike: counting them one by one would find
differences that are not there. How far a task moved is left out, which costs some power and assumes nothing.

How many more tasks a decision would take is worked out for a test of two sides at 5 % with a power of 80 %,
if the tasks go on to differ as they did (Connor, 1987, for paired proportions).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Literal

from ...text import call_text, counted, one_line
from ...trajectory import Step
from ..reports.figures import Rate, percent
from ..reports.report import Report, by_task, rate_of
from ..show import Table
from ..trials.attempt import TrialResult
from .manifest import task_digest

SIGNIFICANT = 0.05
POWER = 0.8
LISTED = 10  # tasks in the terminal's table
NAMED = 5  # tasks that are named in a line
SHOWN = 200  # characters of a step where two trials part
_Z_SIGNIFICANT, _Z_POWER = 1.959964, 0.841621  # of the normal distribution: two sides at 5 %, one at 80 %

Change = Literal[
    "fixed", "broken", "better", "worse", "unchanged", "changed task", "new", "not run", "not judged"
]
Verdict = Literal["better", "worse", "inconclusive", "no difference"]
COMPARED: tuple[Change, ...] = ("fixed", "broken", "better", "worse", "unchanged")


@dataclass(frozen=True, slots=True)
class Parting:
    """The first step (from 1) at which two trials of a task differ, each side in a line; "" where it had ended."""

    epoch: int
    step: int
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class TaskChange:
    """How a task fared in two runs: trials that passed of those that were judged.

    "broken" passed in more than half of its trials and does not any more, "fixed" the other way round;
    "better" and "worse" moved without that. "changed task", "new", "not run" and "not judged" are not compared.
    """

    file: str
    id: str
    change: Change
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)
    parting: Parting | None = None
    note: str = ""

    @property
    def difference(self) -> float:
        """By how much its pass rate rose."""
        return self.after[0] / self.after[1] - self.before[0] / self.before[1]


@dataclass(frozen=True)
class Comparison:
    """What changed between a baseline and a run.

    `before` and `after` are pass@1 over the tasks that both have; `p` is that of the paired test, `up` and
    `down` the tasks that moved; `more` is how many more tasks would decide it, None where nothing would.
    """

    baseline: str
    tasks: Sequence[TaskChange]
    before: Rate
    after: Rate
    up: int
    down: int
    p: float
    more: int | None = None
    epochs: int = 1
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def verdict(self) -> Verdict:
        """What the test says: "inconclusive" where the difference may be chance."""
        if self.p < SIGNIFICANT:
            return "better" if self.up > self.down else "worse"
        return "inconclusive" if self.up + self.down else "no difference"

    def of(self, *changes: Change) -> list[TaskChange]:
        """The tasks that changed so."""
        return [task for task in self.tasks if task.change in changes]

    @property
    def broken(self) -> list[TaskChange]:
        """The tasks that were solved and are not any more."""
        return self.of("broken")

    @property
    def compared(self) -> list[TaskChange]:
        """The tasks that both runs judged."""
        return self.of(*COMPARED)

    @property
    def sentence(self) -> str:
        """The verdict in a line."""
        compared = len(self.compared)
        if not compared:
            return "nothing can be compared: the two runs have no judged task in common"
        rates = f"pass@1 {percent(self.before.value)} before, {percent(self.after.value)} now"
        if compared < len(self.tasks):
            rates += f", over the {counted(compared, 'task')} that can be compared"
        moved = f"{self.up} of {counted(compared, 'task')} up, {self.down} down"
        if self.verdict == "no difference":
            return f"no difference: {rates}; no task of {compared} moved"
        if self.verdict != "inconclusive":
            return f"{self.verdict}: {rates}; {moved} (p {_p_text(self.p)}, sign test)"
        return f"inconclusive: {rates}; {moved} (p {_p_text(self.p)}, sign test); {self._needed()}"

    def _needed(self) -> str:
        if self.more is None:
            return "as many went up as down, so that no number of tasks would tell"
        trials = f" ({self.more * self.epochs:,} trials)" if self.epochs > 1 else ""
        return f"about {self.more:,} more tasks like these{trials} would decide it"

    def as_json(self) -> dict[str, Any]:
        """The comparison as JSON's own types."""
        return {
            "baseline": self.baseline,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "up": self.up,
            "down": self.down,
            "p": self.p,
            "more": self.more,
            "notes": list(self.notes),
            "counts": {change: count for change, count in self.counts().items() if count},
            "tasks": [asdict(task) for task in self.tasks],
        }

    def counts(self) -> dict[Change, int]:
        """How many tasks changed in which way."""
        kinds: tuple[Change, ...] = (*COMPARED, "changed task", "new", "not run", "not judged")
        return {kind: len(self.of(kind)) for kind in kinds}


def compare(
    before: Sequence[TrialResult], now: Report, *, baseline: str = "baseline", notes: Sequence[str] = ()
) -> Comparison:
    """Compare the trials of a baseline with a report, task by task.

    >>> from loopwright import TaskFile
    >>> from loopwright.evaluation import plan
    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: int"}
    ... tasks: [{id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}]
    ... ''')
    >>> before, now = (TrialResult(file.name, file.tasks[0], 0, outcome) for outcome in ("passed", "failed"))
    >>> found = compare([before], Report.of(plan(file), [now]))
    >>> [task.id for task in found.broken], found.verdict
    (['sum'], 'inconclusive')
    """
    then, here = by_task(before), by_task(now.results)
    tasks = [_change(key, then.get(key, []), here.get(key, [])) for key in dict.fromkeys([*here, *then])]
    compared = [task for task in tasks if task.change in COMPARED]
    keys = {(task.file, task.id) for task in compared}
    up = sum(task.difference > 0 for task in compared)
    down = sum(task.difference < 0 for task in compared)
    return Comparison(
        baseline,
        tasks,
        rate_of([r for key in keys for r in _judged(then[key])]),
        rate_of([r for key in keys for r in _judged(here[key])]),
        up,
        down,
        sign_test(up, down),
        more_tasks(up, down, len(compared)),
        now.epochs,
        (*notes, *_left_out(tasks)),
    )


def _left_out(tasks: Sequence[TaskChange]) -> Iterator[str]:
    """What to know of tasks that are others now: the rates leave them out, also where they passed and fail now."""
    others = [task for task in tasks if task.change == "changed task"]
    if not others:
        return
    named = ", ".join(task.id for task in others[:NAMED])
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    failing = sum(
        passed and after[0] < after[1] for passed, after in ((t.before[0], t.after) for t in others)
    )
    told = (
        f"; {failing} of them passed before and {'fails' if failing == 1 else 'fail'} now" if failing else ""
    )
    yield f"not compared, since the task itself is another now: {named}{more}{told}"


def _judged(trials: Sequence[TrialResult]) -> list[TrialResult]:
    return [trial for trial in trials if trial.outcome != "excluded"]


def _change(key: tuple[str, str], then: Sequence[TrialResult], now: Sequence[TrialResult]) -> TaskChange:
    file, name = key
    before, after = _judged(then), _judged(now)
    counts = (_passed(before), len(before)), (_passed(after), len(after))
    if not then or not now:
        return TaskChange(file, name, "not run" if then else "new", *counts)
    if task_digest(then[0].task) != task_digest(now[0].task):
        return TaskChange(file, name, "changed task", *counts, note="the task itself is another now")
    if not before or not after:
        return TaskChange(file, name, "not judged", *counts, note="all its trials were excluded")
    change = _kind(*(passed / made for passed, made in counts))
    parting = first_difference(before, after, differing=change != "unchanged")
    note = "" if parting else "the two runs took the same steps"
    return TaskChange(file, name, change, *counts, parting, note)


def _passed(trials: Sequence[TrialResult]) -> int:
    return sum(trial.passed for trial in trials)


def _kind(before: float, after: float) -> Change:
    if before == after:
        return "unchanged"
    if before > 1 / 2 >= after:
        return "broken"
    if after > 1 / 2 >= before:
        return "fixed"
    return "better" if after > before else "worse"


# The first step where the two differ


def first_difference(
    before: Sequence[TrialResult], now: Sequence[TrialResult], *, differing: bool = False
) -> Parting | None:
    """Where the trials of a task part: those of the first epoch that both have, or with `differing` of the
    first whose outcome is another.
    """
    then = {trial.epoch: trial for trial in before}
    pairs = [(then[trial.epoch], trial) for trial in now if trial.epoch in then]
    pairs.sort(key=lambda pair: (differing and pair[0].passed == pair[1].passed, pair[1].epoch))
    return parting(*pairs[0]) if pairs else None


def parting(before: TrialResult, now: TrialResult) -> Parting | None:
    """The first step at which two trials differ in what was called or in what came of it; thoughts don't count."""
    was, here = before.trajectory.steps, now.trajectory.steps
    for number in range(max(len(was), len(here))):
        sides = [steps[number] if number < len(steps) else None for steps in (was, here)]
        told = [_essence(side) for side in sides]
        if told[0] != told[1]:
            return Parting(now.epoch, number + 1, _line(sides[0], before), _line(sides[1], now))
    if not was and dict(before.outputs) != dict(now.outputs):
        return Parting(now.epoch, 0, _outputs(before), _outputs(now))
    return None


def _essence(step: Step | None) -> object:
    if step is None:
        return None
    made = [(one.call.name, dict(one.call.args), one.call.malformed, one.content) for one in step.made]
    return made or step.thought


def _line(step: Step | None, trial: TrialResult) -> str:
    if step is None:
        return f"(ended with {trial.termination})" if trial.termination else "(ended)"
    calls = [f"{call_text(made.call)} → {made.content}" for made in step.made]
    return one_line("; ".join(calls) or step.thought, SHOWN)


def _outputs(trial: TrialResult) -> str:
    return one_line(", ".join(f"{name} = {value}" for name, value in trial.outputs.items()), SHOWN)


# The test


def sign_test(up: int, down: int) -> float:
    """The two-sided p of an exact sign test: the chance of a split at least as uneven, were both sides alike.

    >>> sign_test(8, 1), sign_test(3, 3), sign_test(0, 0)
    (0.0390625, 1.0, 1.0)
    """
    total = up + down
    tail = sum(math.comb(total, k) for k in range(min(up, down) + 1))
    return min(1.0, float(Fraction(2 * tail, 1 << total)))


def more_tasks(up: int, down: int, tasks: int) -> int | None:
    """How many tasks beyond these would decide it, if they go on to differ as they did; None where none would.

    >>> more_tasks(6, 2, 40), more_tasks(3, 3, 40), more_tasks(20, 1, 40)
    (115, None, 0)
    """
    if up == down:
        return None
    share, tilt = (up + down) / tasks, abs(up - down) / tasks
    needed = (_Z_SIGNIFICANT * math.sqrt(share) + _Z_POWER * math.sqrt(share - tilt * tilt)) ** 2 / tilt**2
    return max(0, math.ceil(needed) - tasks)


def _p_text(p: float) -> str:
    return f"= {p:.3f}" if p >= 0.001 else "< 0.001"  # a thousandth


# For a terminal


def headline(comparison: Comparison) -> Iterator[str]:
    """How many tasks changed in which way, what else is to be known, and the verdict."""
    yield ", ".join(f"{count} {kind}" for kind, count in comparison.counts().items() if count)
    yield from comparison.notes
    yield f"Against {comparison.baseline}: {comparison.sentence}"


def table(comparison: Comparison) -> Table | None:
    """The tasks that changed, and where each parts from the baseline; None where none did."""
    changed = comparison.of("broken", "worse", "fixed", "better")
    order = {kind: place for place, kind in enumerate(("broken", "worse", "fixed", "better"))}
    changed.sort(key=lambda task: order[task.change])
    rows = []
    for task in changed[:LISTED]:
        where = task.parting
        step = str(where.step) if where and where.step else ""
        said = f"{where.was} | now: {where.now}" if where else task.note
        passed = " → ".join(f"{passed}/{made}" for passed, made in (task.before, task.after))
        rows.append([task.change, task.id, passed, step, said])
    title = "Changed" + (f" (the first {LISTED} of {len(changed)})" if len(changed) > LISTED else "")
    return Table(title, ["", "task", "passed", "step", "where the two part"], rows) if rows else None
