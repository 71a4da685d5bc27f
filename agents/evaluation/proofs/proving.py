"""`--check`: proves that a task can be passed by doing what it asks for, and not by doing nothing.

No model is asked. Tools that change more than a world are not called. What could not be proved is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..checks.judge import judge
from ..checks.record import CheckResult, Run
from ..checks.scoring import scored
from ..file.format import Task
from ..file.locate import Document, JsonPath, read_document
from ..file.problems import Problems
from ..file.semantics import kinds_of
from ..tasks import TaskFile
from .bounds import too_much
from .gold import Gold, faulted_runs, gold_runs, idle_runs

NAMED = 4  # tasks that a line names
MAX_LINES = 20
_WEAK = frozenset({"not_contains", "not_", "regex"})  # of a matcher: what almost any answer may meet
_RIGHT = {
    "text": "{contains: WORDS}",
    "any": "{contains: WORDS}",
    "number": "42",
    "list": "{contains: WORDS}",
    "bool": "true",
}
MAX_PLANS = 200  # ways to part the calls by turns that are tried


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about a task: what is `wrong` with it, each with its line, and what is `open`.

    `calls` counts the calls that were made to prove it; without any, only that an idle run fails is proved.
    """

    task: str
    calls: int = 0
    wrong: Sequence[str] = ()
    open: Sequence[str] = ()


def prove_file(path: Path, file: TaskFile) -> list[Proof]:
    """A proof of each task of a file that was read and found sound; `file` may be a selection of its tasks."""
    return prove(file, read_document(path, str(path)))


def prove(file: TaskFile, document: Document) -> list[Proof]:
    """As `prove_file`, of a document that was read.

    >>> from loopwright.evaluation.file.locate import parse_document
    >>> text = '''
    ... version: 1
    ... agent: {signature: "question -> answer"}
    ... tasks: [{id: hello, input: {question: "Hi"}, expect: {answer: {answer: {not_contains: ["4"]}}}}]
    ... '''
    >>> [proof] = prove(TaskFile.parse(text), parse_document(text, "tasks.yaml"))
    >>> proof.wrong
    ['tasks.yaml:4: task hello: expect: an agent passes it that makes no call and answers nothing: say what a right answer holds, as in answer: {answer: {contains: WORDS}}']
    """
    listed = document.value["tasks"]
    places = {one["id"]: place for place, one in enumerate(listed)}
    return [_Prover(file, document, task, ("tasks", places[task.id])).proof() for task in file.tasks]


def summary(proofs: Sequence[Proof]) -> list[str]:
    """What was proved of a file in which nothing is wrong, for people."""
    made = [proof for proof in proofs if proof.calls and not proof.open]
    idle = [proof for proof in proofs if not proof.calls and not proof.open]
    lines = []
    if made:
        lines.append(
            f"  {_tasks(len(made))} proved: calls that were made meet what is expected, and an idle run fails"
        )
    if idle:
        lines.append(
            f"  {_tasks(len(idle))} without calls: the expected answer passes and an idle run fails; that it can be "
            "found is not proved"
        )
    return [*lines, *_in_part([proof for proof in proofs if proof.open])]


def _in_part(proofs: Sequence[Proof]) -> list[str]:
    """What was not proved, each with the tasks in which it was not."""
    tasks: dict[str, list[str]] = {}
    for proof in proofs:
        for words in proof.open:
            tasks.setdefault(words, []).append(proof.task)
    if not tasks:
        return []
    more = "; a reference with calls and an answer would prove more"
    hint = (
        "" if all(words.startswith("that ") for words in tasks) else more
    )  # a reference does not widen limits
    head = f"  {_tasks(len(proofs))} proved in part: an idle run fails{hint}"
    lines = []
    for words, names in tasks.items():
        several = list(dict.fromkeys(names))
        more = f" and {len(several) - NAMED} more" if len(several) > NAMED else ""
        lines.append(f"    not proved: {words} ({', '.join(several[:NAMED])}{more})")
    return [
        head,
        *lines[:MAX_LINES],
        *([f"    and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []),
    ]


def _tasks(count: int) -> str:
    return f"{count} task{'s' if count > 1 else ''}"


@dataclass(frozen=True, slots=True)
class _Prover:
    """Proves one task of a file, at its place in the document."""

    file: TaskFile
    document: Document
    task: Task
    path: JsonPath

    def proof(self) -> Proof:
        """Make the runs and judge them."""
        problems = Problems(self.document)
        gold = self._gold()
        open_ = [one.words for one in gold.open_]
        self._reference_fails(problems)
        if not problems:
            for words in gold.failed:
                problems.add((*self.path, "expect"), f"what it asks for can't be done: the call {words}")
        if not problems:
            open_ += self._gold_fails(gold, problems)
        if not problems and not any(one.about == "calls" for one in gold.open_):
            open_ += self._too_hard(gold, problems)
        open_ += self._idle_passes(problems)
        return Proof(self.task.id, len(gold.made), problems.report(), open_)

    def _gold(self) -> Gold:
        """A run that does what the task asks for: that in which the fewest turns leave the world as they should not."""
        runs = islice(gold_runs(self.file, self.task), MAX_PLANS)
        best = next(runs)
        if not any(turn.expect.state for turn in self.task.turns):
            return best
        fewest = self._failed_in_turns(best)
        for gold in runs:
            if not fewest:
                break
            failed = self._failed_in_turns(gold)
            best, fewest = (gold, failed) if failed < fewest else (best, fewest)
        return best

    def _failed_in_turns(self, gold: Gold) -> int:
        return sum(check.turn is not None for check in self._certainly_failed(gold))

    def _reference_fails(self, problems: Problems) -> None:
        reached = self.file.wanted(self.task)
        if reached is None:
            return
        path = (*self.path, "expect", "reference")
        if reached.failed is not None:
            place = len(reached.results) - 1
            nested = (*path, "calls") if (*path, "calls") in self.document.lines else path
            failed = reached.failed
            problems.add((*nested, place), f"the reference's call {failed.call} fails: {failed.content}")
        elif not reached.changes and reached.results:
            problems.add(path, "leaves the world as it was: its calls change nothing")

    def _gold_fails(self, gold: Gold, problems: Problems) -> list[str]:
        """Note the checks that the gold run does not pass; those that hang on what is open are given."""
        left = []
        for check in self._judged(gold.run):
            if check.passed or check.error:
                continue
            if self._hangs_on_open(check, gold):
                left += (
                    [check.check] if check.check not in ("answer", "judge", "calls.required", "ends") else []
                )
            else:
                problems.add(
                    self._place(check), f"a run that does what the task asks for fails it: {check.feedback}"
                )
        return [f"whether {', '.join(dict.fromkeys(left))} can pass"] if left else []

    def _too_hard(self, gold: Gold, problems: Problems) -> list[str]:
        """Note what a run fails that meets the task's faults, and the limits that are too tight for it."""
        runs = list(faulted_runs(self.file, self.task, gold)) if self.task.faults else [gold]
        failed = [self._certainly_failed(run) for run in runs]
        best = min(range(len(runs)), key=lambda place: len(failed[place]))
        for check in failed[best]:
            words = f"a run that does what the task asks for fails it by the task's faults: {check.feedback}"
            problems.add(self._place(check), words)
        open_ = []
        for found in () if failed[best] else too_much(self.file, self.task, runs[best].efforts):
            if found.certain:
                problems.add(
                    self._limit(found.limit), f"a run that does what the task asks for {found.words}"
                )
            else:
                open_.append(found.words)
        return open_

    def _certainly_failed(self, gold: Gold) -> list[CheckResult]:
        return [one for one in self._judged(gold.run) if one.failed and not self._hangs_on_open(one, gold)]

    def _limit(self, name: str) -> JsonPath:
        """Where a limit of the task stands, or what it is too tight for."""
        for path in ((*self.path, "limits", name), ("defaults", "limits", name)):
            if path in self.document.lines:
                return path
        return (*self.path, "expect")

    def _hangs_on_open(self, check: CheckResult, gold: Gold) -> bool:
        about = {one.about for one in gold.open_}
        if check.check in ("answer", "judge"):
            return not about.isdisjoint((f"answer.{check.about}", f"judge.{check.about}"))
        return check.check in about or ("calls" in about and check.check != "run")

    def _idle_passes(self, problems: Problems) -> list[str]:
        for words, run in idle_runs(self.file, self.task):
            found = scored(self._judged(run), self.task.score)
            if found.passed:
                said = f"an agent passes it that makes no call and {words}{self._to_add()}"
                problems.add((*self.path, "expect"), said)
                return []
            if found.passed is None:
                return ["that an idle run fails: that hangs on a model's judgement"]
        return []

    def _to_add(self) -> str:
        """What would tell a right run from an idle one: of the first answer of which nothing is asked yet."""
        asked = self.task.expect.answer
        for name, field in self.file.signature.output_fields.items():
            if name not in asked or asked[name].model_fields_set <= _WEAK:
                kinds = kinds_of(field.type)
                right = next((text for kind, text in _RIGHT.items() if kind in kinds), "{equals: VALUE}")
                return f": say what a right answer holds, as in answer: {{{name}: {right}}}"
        if self.file.tools and self.task.expect.calls.max.get("total") != 0:
            return ": name the calls that a right run makes by calls.required, or the end state by state"
        return ""

    def _judged(self, run: Run) -> list[CheckResult]:
        return judge(self.task, run, self.file.signature, self.file.tools)

    def _place(self, check: CheckResult) -> JsonPath:
        """The place of a check in the file, as near as it is known."""
        expect = (
            (*self.path, "expect") if check.turn is None else (*self.path, "turns", check.turn - 1, "expect")
        )
        match check.check.split("."):
            case ["answer" | "judge"]:
                return (*expect, "answer", check.about)
            case ["calls", part]:
                return (*expect, "calls", part)
            case ["state"]:
                return (*expect, "state", *self._state_place(check))
            case [name]:
                return (*expect, name)
        return expect

    def _state_place(self, check: CheckResult) -> tuple[int, ...]:
        expect = self.task.expect if check.turn is None else self.task.turns[check.turn - 1].expect
        for place, one in enumerate(expect.state):
            if check.about == one.about:
                return (place,)
        return ()
