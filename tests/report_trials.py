"""Trials of a small shop, made by hand: for tests of the report and its page."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright import Step, TaskFile, Trajectory
from loopwright.evaluation import CheckResult, Report, TrialResult
from loopwright.evaluation.trials.attempt import Outcome
from loopwright.evaluation.trials.engine import plan
from loopwright.models import Usage
from loopwright.tools import ToolCall, ToolResult

HOSTILE = (
    "\x1b[31mred\x1b[0m <script>document.title = 'owned'</script> </script><img src=x onerror=alert(1)> "
    "\u202egnp.exe\u202c \u2028 a\u200bb \U000e0041 {{ 7 * 7 }} &lt; \ud83d"
)


def shop(tasks: int = 6, name: str = "shop", request: str = "Where is my order?", more: str = "") -> TaskFile:
    """A file of so many tasks: even ones about orders, odd ones about refunds; `more` is in the YAML of each."""
    lines = "".join(
        f"- {{id: task-{n}, tags: [{'refund' if n % 2 else 'order'}], split: {'test' if n % 3 else 'train'}, "
        f"input: {{request: {request!r}}}, expect: {{answer: {{reply: ok}}}}{more}}}\n"
        for n in range(tasks)
    )
    return TaskFile.parse(
        f'version: 1\nname: {name}\nagent: {{signature: "request -> reply", tools: [calculate, date_math]}}\n'
        f"tasks:\n{lines}"
    )


def step(content: str = "59.80", thought: str = "I work it out.", error: bool = False) -> Step:
    """A step with one call of calculate, which may have failed."""
    call = ToolCall("calculate", {"expression": "2 * 29.90"})
    done = ToolResult(call, content, seconds=0.01)
    failed = ToolResult.failed(call, "raised", content, seconds=0.01)
    return Step(thought, (call,), (failed if error else done,), 0.5)


def submitted(reply: str = "It is on its way.") -> Step:
    """The last step of a run."""
    call = ToolCall("submit", {"reply": reply})
    return Step("I answer.", (call,), (ToolResult(call, "Submitted."),), 0.25)


def trial(
    file: TaskFile, number: int, outcome: Outcome = "passed", epoch: int = 0, **more: object
) -> TrialResult:
    """A trial of two steps; a failed one lacks a word in its reply and blames step 2."""
    checks: Sequence[CheckResult] = (
        CheckResult("answer", "reply", True),
        CheckResult("calls.max", "total", True),
    )
    if outcome == "failed":
        line = f'reply: "It is on its way." does not contain "order {number}"'
        checks = (CheckResult("answer", "reply", False, line, 2), checks[1])
    given: dict[str, object] = {
        "checks": checks,
        "score": sum(check.passed for check in checks) / len(checks),
        "outputs": {"reply": "It is on its way."},
        "trajectory": Trajectory((step(), submitted())),
        "termination": "submit",
        "usage": Usage(900 + 10 * number, 100, usd=0.001 * (number + 1)),
        "seconds": 1.0 + number,
    } | more
    if outcome == "excluded":
        given |= {"checks": (), "score": 0.0, "error": "RateLimitError: slow down", "termination": "lm_error"}
    return TrialResult(file.name, file.tasks[number], epoch, outcome, **given)  # type: ignore[arg-type]  # as listed above


def report_of(file: TaskFile, results: Sequence[TrialResult], epochs: int = 1) -> Report:
    """The report of these trials."""
    return Report.of(plan(file, epochs=epochs), results, model="tester/one", seconds=12.0)


def mixed_report(epochs: int = 3) -> Report:
    """Six tasks, three times: one fails always, one sometimes, one trial is excluded."""
    file = shop()
    made: list[TrialResult] = []
    for epoch in range(epochs):
        for number in range(6):
            failed = number == 1 or (number == 3 and epoch == 0)
            excluded = number == 5 and epoch == 2
            made.append(
                trial(file, number, "excluded" if excluded else "failed" if failed else "passed", epoch)
            )
    return report_of(file, made, epochs)
