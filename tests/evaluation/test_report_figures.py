"""Figures of a report beyond its rates: failures that are alike, flaky tasks, how the tools fared, what it cost."""

from __future__ import annotations

import io
import os

import pytest
from report_trials import mixed_report, report_of, shop, submitted, trial

from loopwright import Step, Trajectory, context
from loopwright.evaluation import CheckResult, Report, plan, run_trials
from loopwright.evaluation.checks.record import TurnMade, Verdict
from loopwright.evaluation.checks.world_record import WorldRecord
from loopwright.evaluation.reports.clusters import normalised
from loopwright.evaluation.reports.page.view import dollars, duration
from loopwright.evaluation.reports.text import print_report
from loopwright.evaluation.reports.tool_figures import misfits
from loopwright.models import Capabilities, FunctionLM, LMRequest, LMResponse, Usage
from loopwright.tools import Tool, ToolCall, ToolRegistry, ToolResult
from loopwright.tools.world import Change

# Failures that are alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("answer: 5 is not 4", "answer: 1,200.5 is not -7"),
        ('reply: "no." does not contain "refund"', 'reply: "yes" does not contain "17"'),
        ("call order: step 3 is late", "call order: step 12 is late"),
        ('x: "a \\" quote" is wrong', 'x: "b" is wrong'),
        ("due 2026-01-31", "due 2027-12-01"),
        ('cut in a quote: "abc', 'cut in a quote: "xy'),
    ],
    ids=["numbers", "quotes", "steps", "escapes", "dates", "cut quotes"],
)
def test_lines_that_differ_in_values_are_alike(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("answer: 5 is not 4", "total: 5 is not 4"),
        ("required call refund(…)", "required call cancel(…)"),
        ("answer: there is none", "answer: 5 is not 4"),
        ("tool2 failed", "tool3 failed"),
    ],
)
def test_lines_about_different_things_are_not(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_huge_line_is_normalised_at_once() -> None:
    assert len(normalised('"\\' * 1_000_000)) <= 400


def test_failures_are_grouped_by_their_first_failed_check_largest_group_first() -> None:
    file = shop()
    ended = CheckResult("ends", "submit", False, "ends: the run ended with steps")
    wrong = [CheckResult("answer", "reply", False, f"reply: {n} is not {n + 1}", 1) for n in range(3)]
    good = CheckResult("answer", "reply", True)
    results = [
        trial(file, 0, "failed", checks=(good, ended)),
        trial(file, 1, "failed", checks=(wrong[0], ended)),
        trial(file, 1, "failed", epoch=1, checks=(wrong[1],)),
        trial(file, 2, "failed", checks=(wrong[2],)),
        trial(file, 3, checks=(good, ended)),
        trial(file, 4, "excluded"),
    ]
    first, second = report_of(file, results, 2).clusters
    assert (first.check, first.pattern, first.example) == ("answer", "reply: # is not #", "reply: 0 is not 1")
    assert first.trials == (("shop", "task-1", 0), ("shop", "task-1", 1), ("shop", "task-2", 0))
    assert first.tasks == 2
    assert (second.check, len(second.trials)) == ("ends", 1)


def test_a_check_that_could_not_be_made_is_no_failure() -> None:
    file = shop(1)
    unmade = CheckResult("judge", "reply", False, "no judge", error=True)
    report = report_of(
        file, [trial(file, 0, "failed", checks=(unmade, CheckResult("ends", "", False, "late")))]
    )
    assert [one.check for one in report.clusters] == ["ends"]
    assert list(report.by("check")) == ["ends"]
    assert report.checks == 0.0


# Flaky tasks, credit, money


def test_flaky_tasks_passed_and_failed() -> None:
    report = mixed_report()
    assert report.flaky == [("shop", "task-3", 2, 3)]
    assert report.as_json()["flaky"] == [{"file": "shop", "id": "task-3", "passed": 2, "trials": 3}]


def test_partial_credit_is_the_mean_of_the_tasks_scores() -> None:
    file = shop(2)
    results = [trial(file, 0, epoch=n, score=1.0) for n in range(3)] + [trial(file, 1, "failed", score=0.25)]
    assert report_of(file, results, 3).partial.value == pytest.approx((1 + 0.25) / 2)


def test_money_has_a_spread_where_every_price_is_known() -> None:
    file = shop(2)
    known = [trial(file, n, usage=Usage(1, 1, usd=0.5 + n)) for n in range(2)]
    assert report_of(file, known).money == {"p50": 1.0, "p95": pytest.approx(1.45), "total": 2.0}
    unknown = [*known[:1], trial(file, 1, usage=Usage(1, 1))]
    assert report_of(file, unknown).money is None


def test_what_other_models_took_is_told_apart() -> None:
    file = shop(2)
    others = {"users": Usage(100, 10, usd=0.25), "judges": Usage(10, 1)}
    results = [trial(file, n, other_usage=others) for n in range(2)]
    held = report_of(file, results).as_json()["summary"]
    assert held["other_usage"]["users"]["usd"] == 0.5
    assert held["other_usage"]["judges"] == {
        "prompt_tokens": 20, "completion_tokens": 2, "cached_tokens": 0, "usd": None,
    }  # fmt: skip
    assert held["usd"] == pytest.approx(0.003)


# Tools


def get_order(order_id: int, full: bool = False) -> str:
    """Look an order up."""
    return f"{order_id} {full}"


ORDERS = ToolRegistry([get_order])


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ({}, ["order_id"]),
        ({"order_id": "many"}, ["order_id"]),
        ({"order_id": 1, "full": "perhaps"}, ["full"]),
        ({"order_id": 1, "colour": "red"}, ["colour"]),
        ({"colour": "red", "full": 3}, ["colour", "full", "order_id"]),
        ({"order_id": 1}, ["(together)"]),
    ],
    ids=["missing", "refused", "an option", "unknown", "all", "none alone"],
)
def test_the_parameters_that_made_a_call_invalid_are_named(args: dict[str, object], wrong: list[str]) -> None:
    assert misfits(ToolCall("get_order", args), ORDERS["get_order"]) == wrong


def test_arguments_that_are_no_object_are_no_parameters_fault() -> None:
    call = ToolCall("get_order", malformed="{order_id: ")
    assert misfits(call, Tool(get_order)) == ["(no JSON object)"]
    assert misfits(ToolCall("unknown"), None) == ["(together)"]


def tools_report() -> Report:
    file = shop(2)
    calculate = [ToolCall("calculate", {"expression": text}) for text in ("1+1", "1+1", "2")]
    good = [ToolResult(call, "2", seconds=0.1) for call in calculate]
    bad = ToolResult.failed(ToolCall("calculate", {"expresion": "1"}), "invalid_args", "Error")
    strange = ToolResult.failed(ToolCall("clculate"), "unknown_tool", "Error")
    steps = [Step("", tuple(r.call for r in made), tuple(made)) for made in (good, [bad], [bad, strange])]
    return report_of(
        file,
        [
            trial(file, 0, trajectory=Trajectory((*steps, submitted()))),
            trial(file, 1, trajectory=Trajectory((steps[0],))),
        ],
    )


def test_tools_are_counted_with_repeats_and_arguments_that_did_not_fit() -> None:
    held = tools_report().as_json()["tools"]
    assert list(held) == ["calculate", "date_math", "clculate"]
    assert held["calculate"] == {
        "calls": 8,
        "errors": {"invalid_args": 2},
        "seconds": pytest.approx(0.6),
        "invalid": {"expresion": 2, "expression": 2},
        "repeats": 3,
        "trials": 2,
    }
    assert held["date_math"]["calls"] == 0
    assert held["clculate"]["errors"] == {"unknown_tool": 1}


# What is stored of a trial


def test_turns_verdicts_worlds_and_gates_are_stored() -> None:
    file = shop(1, more=", score: {gates: [answer]}")
    change = Change(("orders", 17, "status"), "paid", "refunded")
    result = trial(
        file,
        0,
        turns=(TurnMade(0, "Refund it.", {"reply": "Done."}, 1, 2, "submit"),),
        verdicts={"reply": Verdict("judge", "polite", True)},
        world=WorldRecord({"orders": {}}, (change,), (), lost=2),
    )
    (task_held,) = report_of(file, [result]).as_json()["tasks"]
    held = task_held["trials"][0]
    assert held["turns"][0]["user"] == "Refund it."
    assert held["verdicts"][0] == {
        "about": "reply", "model": "judge", "reason": "polite", "passed": True, "score": None, "error": "",
    }  # fmt: skip
    assert held["world"]["changes"] == [{"path": "orders.17.status", "before": "paid", "after": "refunded"}]
    assert (held["world"]["wanted"], held["world"]["lost"]) == ([], 2)
    assert [(check["check"], check["gate"]) for check in held["checks"]] == [
        ("answer", True),
        ("calls.max", False),
    ]


# On a terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(report: Report, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    print_report(report, out)
    return out.getvalue()


def test_the_printed_report_names_what_is_flaky_and_alike() -> None:
    text = printed(mixed_report())
    assert "flaky: task-3 2/3\n" in text
    assert "partial credit  88.9%" in text
    assert "Failures that are alike\n" in text
    assert '  4       2      answer              reply: "…" does not contain "…"\n' in text


def test_the_printed_tools_have_columns_for_what_happened() -> None:
    text = [line.split() for line in printed(tools_report()).splitlines()]
    assert ["tool", "calls", "failed", "repeats", "did", "not", "fit", "errors"] in text
    assert ["calculate", "8", "25%", "3", "expresion", "2,", "expression", "2", "invalid_args", "2"] in text
    assert "  tool       calls       failed  errors" in printed(mixed_report())


def test_other_models_are_printed_with_what_they_took() -> None:
    file = shop(1)
    text = printed(report_of(file, [trial(file, 0, other_usage={"judges": Usage(10, 1)})]))
    assert "models that were judges: 11 tokens, price not known, not counted below" in text


def test_of_many_epochs_the_first_powers_and_the_last_are_printed() -> None:
    file = shop(1)
    text = printed(report_of(file, [trial(file, 0, epoch=n) for n in range(30)], 30))
    assert [line.split()[0] for line in text.splitlines() if line.startswith("pass^")] == [
        "pass^2", "pass^3", "pass^4", "pass^30",
    ]  # fmt: skip


def test_a_terminal_gets_rates_drawn() -> None:
    os.environ.update(COLUMNS="120")
    try:
        drawn = printed(mixed_report(), Terminal())
    finally:
        del os.environ["COLUMNS"]
    assert "━●" in drawn
    assert "●" not in printed(mixed_report())


@pytest.mark.parametrize(
    ("usd", "text"), [(0.0000001, "$0.000"), (0.5, "$0.500"), (0.01, "$0.010"), (2, "$2.00")]
)
def test_money_in_words(usd: float, text: str) -> None:
    assert dollars(usd) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.0002, "200 µs"), (59.99, "60.0 s"), (3600, "1 h 0 min")]
)
def test_time_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_each_step_knows_the_tokens_it_took() -> None:
    file = shop(1)
    usages = [Usage(100, 20, usd=0.0), Usage(150, 5, usd=0.0)]
    calls = [ToolCall("calculate", {"expression": "1+1"}), ToolCall("submit", {"reply": "ok"})]
    answers = iter(zip(calls, usages, strict=True))

    def answer(request: LMRequest) -> LMResponse:
        call, usage = next(answers)
        return LMResponse("", (call,), usage=usage)

    with context(lm=FunctionLM(answer, capabilities=Capabilities(native_tools=True))):
        (result,) = run_trials(plan(file))
    held = report_of(file, [result]).as_json()["tasks"][0]["trials"][0]
    assert [step["tokens"] for step in held["trajectory"]] == [120, 155]
    assert held["usage"]["prompt_tokens"] == 250
