"""The figures of a report, its file, and what a person is shown."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright import Step, TaskFile, Trajectory
from loopwright.errors import NetworkError
from loopwright.evaluation import CheckResult, Report, TrialResult
from loopwright.evaluation.reports import report as report_module
from loopwright.evaluation.reports import stored as stored_module
from loopwright.evaluation.reports.figures import mean_rate, pass_power, quantile, wilson
from loopwright.evaluation.reports.stored import FORMAT
from loopwright.evaluation.reports.text import print_report, print_trials
from loopwright.evaluation.show import Progress, Table, print_table
from loopwright.evaluation.trials.attempt import Outcome
from loopwright.evaluation.trials.engine import plan
from loopwright.models import Usage
from loopwright.tools import ToolCall, ToolResult

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m"


def the_file(tasks: int = 4, name: str = "shop") -> TaskFile:
    lines = "".join(
        f"- {{id: t{n}, tags: [{'even' if n % 2 == 0 else 'odd'}], split: {'test' if n else 'train'}, "
        f"input: {{question: q{n}}}, expect: {{answer: {{answer: 4}}}}}}\n"
        for n in range(tasks)
    )
    return TaskFile.parse(
        f'version: 1\nname: {name}\nagent: {{signature: "question -> answer", tools: [calculate, date_math]}}\n'
        f"tasks:\n{lines}"
    )


def calls(*results: ToolResult) -> Trajectory:
    return Trajectory((Step("let me see", tuple(r.call for r in results), results, 0.5),))


CALCULATE = ToolCall("calculate", {"expression": "2+2"})


def result(file: TaskFile, number: int, outcome: Outcome, epoch: int = 0, **more: object) -> TrialResult:
    checks: Sequence[CheckResult] = (CheckResult("answer", "answer", True),)
    if outcome == "failed":
        checks = (
            CheckResult("answer", "answer", False, "answer: 5 is not 4", 1),
            CheckResult("ends", "submit", True),
        )
    given: dict[str, object] = {
        "checks": checks,
        "outputs": {"answer": "4"},
        "trajectory": calls(ToolResult(CALCULATE, "4", seconds=0.1)),
        "termination": "submit",
        "usage": Usage(100, 10, usd=0.0),
        "seconds": 1.0 + number,
    } | more
    if outcome == "excluded":
        given |= {"checks": (), "error": str(NetworkError("cable")), "termination": "lm_error"}
    return TrialResult(file.name, file.tasks[number], epoch, outcome, **given)  # type: ignore[arg-type]  # as listed above


def report_of(file: TaskFile, results: list[TrialResult], epochs: int = 1) -> Report:
    return Report.of(plan(file, epochs=epochs), results, model="m", seconds=2.0)


@pytest.fixture
def mixed() -> Report:
    file = the_file()
    outcomes: list[Outcome] = ["passed", "failed", "passed", "excluded"]
    return report_of(file, [result(file, n, outcome) for n, outcome in enumerate(outcomes)])


def test_rates_leave_out_what_was_excluded(mixed: Report) -> None:
    assert (mixed.passed, len(mixed.judged), len(mixed.excluded), mixed.interrupted) == (2, 3, 1, False)
    assert mixed.pass_at_1.value == pytest.approx(2 / 3)
    assert mixed.pass_at_1.n == 3
    assert mixed.too_many_excluded
    by_tag = mixed.by("tag")
    assert (by_tag["even"].value, by_tag["odd"].value) == (1.0, 0.0)
    assert list(mixed.by("split")) == ["train", "test"]
    assert mixed.by("check")["answer"].value == pytest.approx(2 / 3)
    assert mixed.by("check")["ends"].value == 1.0
    assert mixed.checks == pytest.approx((1 + 0.5 + 1) / 3)


def test_several_epochs_are_clustered_by_task() -> None:
    file = the_file(2)
    results = [
        result(file, n, "passed" if n == 0 or epoch == 0 else "failed", epoch)
        for epoch in range(4)
        for n in (1, 0)
    ]
    report = report_of(file, results, epochs=4)
    assert report.epochs == 4
    assert [r.task.id for r in report.results] == ["t0"] * 4 + ["t1"] * 4
    assert report.pass_at_1.value == pytest.approx((1 + 0.25) / 2)
    assert report.pass_power(2).value == pytest.approx(0.5)
    assert report.pass_power(4).value == pytest.approx(0.5)
    wide = report.pass_at_1.high - report.pass_at_1.low
    low, high = wilson(0.625, 8)
    assert wide > high - low  # eight trials of two tasks say less than eight tasks


def test_what_trials_took_and_how_they_ended(mixed: Report) -> None:
    assert mixed.spread("seconds") == {"p50": 2.0, "p95": pytest.approx(2.9), "total": 6.0}
    assert mixed.spread("tokens")["total"] == 330
    assert mixed.endings == {"submit": 3}
    assert mixed.usage.usd == 0.0


def test_tools_are_counted_with_their_errors() -> None:
    file = the_file(1)
    bad = ToolResult.failed(CALCULATE, "invalid_args", "Error", seconds=0.2)
    strange = ToolResult.failed(ToolCall("clculate"), "unknown_tool", "Error")
    unread = ToolResult.failed(ToolCall(""), "unparsed", "Error")
    done = ToolResult(ToolCall("submit", {"answer": 4}), "Submitted.")
    trajectory = calls(ToolResult(CALCULATE, "4", seconds=0.1), bad, strange, unread, done)
    report = report_of(file, [result(file, 0, "passed", trajectory=trajectory)])
    tools = report.tools
    assert list(tools) == ["calculate", "date_math", "clculate"]
    assert (tools["calculate"].calls, tools["calculate"].failed) == (2, 1)
    assert dict(tools["calculate"].errors) == {"invalid_args": 1}
    assert tools["calculate"].seconds == pytest.approx(0.3)
    assert tools["date_math"].calls == 0
    assert report.as_json()["tools"]["calculate"]["errors"] == {"invalid_args": 1}


def test_a_report_of_nothing_stands() -> None:
    report = report_of(the_file(), [])
    assert report.interrupted
    assert report.pass_at_1.n == 0
    assert json.loads(json.dumps(report.as_json()))["summary"]["trials"] == 0
    out = io.StringIO()
    print_report(report, out)
    assert "not complete: 0 of 4 trials were made" in out.getvalue()


def test_the_file_holds_every_trial_and_is_valid_json(mixed: Report, tmp_path: Path) -> None:
    path = mixed.write(tmp_path / "new" / "folder")
    assert path.name == "report.json"
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]
    held = json.loads(path.read_text())
    assert (held["format"], held["model"], held["planned"], held["epochs"]) == (FORMAT, "m", 4, 1)
    assert held["summary"]["pass_at_1"]["value"] == pytest.approx(2 / 3)
    trial = held["tasks"][1]["trials"][0]
    wanted = {
        "check": "answer",
        "about": "answer",
        "passed": False,
        "feedback": "answer: 5 is not 4",
        "step": 1,
    }
    assert {name: trial["checks"][0][name] for name in wanted} == wanted
    assert trial["trajectory"][0]["calls"] == [{"name": "calculate", "args": {"expression": "2+2"}}]
    assert held["tasks"][3]["trials"][0]["error"] == "cable"


def test_every_key_of_the_file_is_documented(mixed: Report) -> None:
    held = mixed.as_json()
    told = f"{report_module.__doc__} {stored_module.__doc__}"
    names = {
        *held,
        *held["summary"],
        *held["tasks"][0],
        *held["tasks"][0]["trials"][0],
        *held["tools"]["calculate"],
    }
    names |= {*held["tasks"][0]["trials"][0]["trajectory"][0], *held["tasks"][0]["trials"][0]["checks"][0]}
    assert {name for name in names if not re.search(rf"\b{name}\b", told)} == set()


def test_what_json_can_not_hold_is_written_all_the_same(tmp_path: Path) -> None:
    file = the_file(1)
    odd = {"answer": "half \ud83d", "number": math.nan, "many": [math.inf, object]}
    written = report_of(file, [result(file, 0, "passed", outputs=odd)]).write(tmp_path)
    outputs = json.loads(written.read_text())["tasks"][0]["trials"][0]["outputs"]
    assert outputs["answer"] == "half \ud83d"
    assert outputs["number"] == "nan"
    assert outputs["many"][0] == "inf"


def test_writing_again_replaces_the_file(mixed: Report, tmp_path: Path) -> None:
    first = mixed.write(tmp_path).read_text()
    assert mixed.write(tmp_path).read_text() == first


def test_the_plain_report_has_all_figures(mixed: Report) -> None:
    out = io.StringIO()
    print_report(mixed, out)
    text = out.getvalue()
    assert text.startswith(
        "m: 4 tasks, 2 passed, 1 failed, 1 excluded in 2.0 s\npass@1  66.7% (20.8% to 93.9%)\n"
    )
    for line in (
        "By tag",
        "  even  100%    34.2% to 100%  2",
        "By check",
        "How runs ended",
        "  submit  3",
        "  calculate  3           0%",
        "  date_math  never used",
        "Failed",
        "  t1    0/1     1     answer: 5 is not 4",
        "Excluded: not the agent's failures",
        "  1       cable",
        "$0",
    ):
        assert line in text
    assert "By file" not in text
    assert "\x1b" not in text


def test_pass_power_is_shown_for_every_k() -> None:
    file = the_file(1)
    report = report_of(file, [result(file, 0, "passed", epoch) for epoch in range(3)], epochs=3)
    out = io.StringIO()
    print_report(report, out)
    assert "pass^2  100%" in out.getvalue()
    assert "pass^3  100%" in out.getvalue()
    assert "1 task × 3" in out.getvalue()


def test_money_is_shown_where_it_is_known_and_only_there() -> None:
    file = the_file(2)
    for usd, shown in ((0.5, "$1.0000"), (None, "price not known")):
        results = [result(file, n, "passed", usage=Usage(1, 1, usd=usd), cached=n) for n in range(2)]
        out = io.StringIO()
        print_report(report_of(file, results), out)
        assert shown in out.getvalue()
        assert "1 answers came from the cache" in out.getvalue()


def test_two_files_are_told_apart() -> None:
    first, second = the_file(1, "first"), the_file(1, "second")
    trials = [*plan(first), *plan(second)]
    report = Report.of(trials, [result(second, 0, "failed"), result(first, 0, "passed")])
    assert [r.file for r in report.results] == ["first", "second"]
    out = io.StringIO()
    print_report(report, out)
    assert "By file" in out.getvalue()
    assert "second/t0" in out.getvalue()


def test_only_the_first_failures_are_listed() -> None:
    file = the_file(30)
    out = io.StringIO()
    print_report(report_of(file, [result(file, n, "failed") for n in range(30)]), out)
    assert "Failed (the first 20 of 30)" in out.getvalue()
    assert "t19" in out.getvalue()
    assert "t20" not in out.getvalue()


def shown(*results: TrialResult) -> str:
    out = io.StringIO()
    print_trials(results, out)
    return out.getvalue()


def test_a_trajectory_is_shown_with_what_was_wrong_under_its_step() -> None:
    file = the_file()
    text = shown(result(file, 1, "failed", epoch=1))
    assert text == (
        "✗ shop/t1, epoch 2: failed (1 step, 2.00 s)\n"
        "  question: q1\n"
        "  1. let me see\n"
        '     → calculate(expression="2+2")\n'
        "       4\n"
        "     ⚠ answer: 5 is not 4\n"
        "\n"
    )


def test_an_excluded_trial_and_one_without_steps_are_shown() -> None:
    file = the_file()
    nothing = CheckResult("run", "", False, "the program raised KeyError: 1")
    text = shown(
        result(file, 3, "excluded", trajectory=Trajectory()),
        result(file, 1, "failed", trajectory=Trajectory(), checks=(nothing,), termination="raised"),
    )
    assert "– shop/t3: excluded, ended with lm_error (0 steps, 4.00 s)\n  question: q3\n" in text
    assert "\n  cable\n" in text
    assert "  answer = 4\n  ⚠ the program raised KeyError: 1\n" in text


def test_a_step_without_a_thought_or_a_call_is_shown() -> None:
    file = the_file()
    call = Step("", (CALCULATE,), (ToolResult(CALCULATE, "4\n5"),))
    text = shown(result(file, 0, "passed", trajectory=Trajectory((call, Step("", (), ())))))
    assert '  1. → calculate(expression="2+2")\n       4\n       5\n  2. (no thought)\n' in text


def hostile_report() -> tuple[Report, list[TrialResult]]:
    file = the_file(2)
    call = ToolCall(HOSTILE, {HOSTILE: HOSTILE})
    step = Step(HOSTILE, (call,), (ToolResult.failed(call, "unknown_tool", HOSTILE * 1000),))
    results = [
        result(
            file,
            0,
            "failed",
            trajectory=Trajectory((step,)),
            checks=(
                CheckResult("answer", "answer", False, HOSTILE, 1),
                CheckResult("run", "", False, HOSTILE),
            ),
            termination=HOSTILE,
            outputs={"answer": HOSTILE},
        ),
        result(file, 1, "excluded", trajectory=Trajectory()),
    ]
    return report_of(file, results), results


def test_hostile_text_is_harmless_in_plain_output() -> None:
    report, results = hostile_report()
    out = io.StringIO()
    print_report(report, out)
    print_trials(results, out)
    assert not set(out.getvalue()) & {"\x1b", "\x07", "\u202e", "\x9b", "\r"}
    assert "␛[2J" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) < 1000


class Terminal(io.StringIO):
    """A stream that says a person looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_hostile_text_is_harmless_on_a_terminal(terminal: Terminal) -> None:
    report, results = hostile_report()
    print_report(report, terminal)
    print_trials(results, terminal)
    text = terminal.getvalue()
    assert "[2J" in text
    assert not set(text) & {"\x07", "\u202e", "\x9b"}
    assert "\x1b[2J" not in text
    assert "\x1b]0" not in text


def test_a_terminal_gets_colours_and_a_bar(terminal: Terminal, mixed: Report) -> None:
    print_report(mixed, terminal)
    assert "\x1b[1m" in terminal.getvalue()
    with Progress(2, terminal) as progress:
        progress.advance("1 passed")
        progress.advance("2 passed")
    assert "2/2" in terminal.getvalue()
    assert "2 passed" in terminal.getvalue()


def test_markup_in_a_cell_is_text(terminal: Terminal) -> None:
    print_table(Table("[bold]T[/]", ["[red]a"], [["[link=x]y[/link] :smile:"]]), terminal)
    assert "[link=x]y[/link] :smile:" in terminal.getvalue()


@pytest.mark.parametrize(
    ("rate", "n", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),
        (0.0, 10, 0.0, 0.2775),
        (1.0, 10, 0.7225, 1.0),
        (0.9, 100, 0.8256, 0.9448),
        (0.5, 0, 0, 1),
    ],
)
def test_wilsons_interval(rate: float, n: int, low: float, high: float) -> None:
    assert wilson(rate, n) == pytest.approx((low, high), abs=1e-4)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30), st.integers(1, 8))
def test_an_interval_holds_its_mean_and_is_no_narrower_than_the_trials_allow(
    rates: list[float], epochs: int
) -> None:
    rate = mean_rate(rates, len(rates) * epochs)
    assert 0 <= rate.low <= rate.value + 1e-9
    assert rate.value - 1e-9 <= rate.high <= 1
    low, high = wilson(rate.value, len(rates) * epochs)
    assert rate.high - rate.low >= high - low - 1e-9


@given(st.integers(1, 10), st.data())
def test_pass_power_falls_with_k(trials: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, trials))
    powers = [pass_power(passed, trials, k) for k in range(1, trials + 1)]
    assert powers[0] == pytest.approx(passed / trials)
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] == (passed == trials)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_quantiles_lie_between_the_ends(values: list[float]) -> None:
    assert quantile(values, 0) == min(values)
    assert quantile(values, 1) == max(values)
    assert min(values) <= quantile(values, 0.5) <= max(values)
