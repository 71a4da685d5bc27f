"""What the page shows of a comparison with a baseline."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import pytest
from report_trials import report_of, shop, step, submitted, trial

from loopwright import Trajectory
from loopwright.evaluation import Report
from loopwright.evaluation.reports.page import page_html
from loopwright.evaluation.reports.page.compared import compared_view, task_changes
from loopwright.evaluation.runs.comparison import Comparison, compare


@pytest.fixture(scope="module")
def compared() -> tuple[Report, Comparison]:
    """Four tasks: one fixed, one broken, two as before; the broken one takes another first step."""
    file = shop(4)
    other = Trajectory((step("12.00"), submitted()))
    before = [trial(file, n, "failed" if n == 0 else "passed") for n in range(4)]
    now = [
        trial(file, 0),
        trial(file, 1, "failed", trajectory=other),
        *(trial(file, n) for n in (2, 3)),
    ]
    report = report_of(file, now)
    return report, compare(
        before, report, baseline="runs/monday", notes=["the baseline is not complete: killed"]
    )


def test_the_verdict_both_rates_and_what_changed_are_shown(compared: tuple[Report, Comparison]) -> None:
    report, comparison = compared
    text = page_html(report, comparison.as_json())
    for words in (
        "Against runs/monday",
        escape(comparison.sentence),
        "the baseline is not complete: killed",
        "1 broken",
        "1 fixed",
        "2 unchanged",
        "1 of 1 → 0 of 1",
    ):
        assert words in text, words


def test_tasks_that_broke_come_first_with_the_step_where_the_runs_part(
    compared: tuple[Report, Comparison],
) -> None:
    tasks = compared_view(compared[1].as_json())["tasks"]
    assert [(task["id"], task["change"], task["step"]) for task in tasks] == [
        ("task-1", "broken", 1),
        ("task-0", "fixed", 0),
    ]
    assert tasks[0]["was"].endswith("→ 59.80")
    assert tasks[0]["now"].endswith("→ 12.00")
    assert tasks[1]["note"] == "the two runs took the same steps"


def test_each_task_of_the_page_knows_how_it_changed(compared: tuple[Report, Comparison]) -> None:
    changes = task_changes(compared[1].as_json())
    assert changes["shop", "task-1"]["change"] == "broken"
    assert changes["shop", "task-2"]["change"] == "unchanged"


def test_a_report_that_was_written_with_its_comparison_shows_it_again(
    compared: tuple[Report, Comparison], tmp_path: Path
) -> None:
    report, comparison = compared
    held = json.loads(report.write(tmp_path, comparison.as_json()).read_text())
    assert page_html(held) == page_html(report, comparison.as_json())
    assert "runs/monday" not in page_html(report)


def test_only_so_many_tasks_are_listed() -> None:
    file = shop(40)
    report = report_of(file, [trial(file, n) for n in range(40)])
    comparison = compare([trial(file, n, "failed") for n in range(40)], report)
    text = page_html(report, comparison.as_json())
    assert "and 32 more: choose a change above" in text
    assert escape(comparison.sentence) in text
    assert comparison.verdict == "better"
