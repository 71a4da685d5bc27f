"""The page in a real browser: filters, trajectories, plots, hostile text; nothing leaves it, nothing goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from report_trials import HOSTILE, mixed_report, report_of, shop, step, submitted, trial
from system_browser import NONE, QUIET, chromium

from loopwright import Trajectory
from loopwright import context as lw_context
from loopwright.cli import run_command
from loopwright.evaluation import CheckResult, Report
from loopwright.evaluation.checks.record import TurnMade, Verdict
from loopwright.evaluation.checks.world_record import WorldRecord
from loopwright.evaluation.reports.page import write_page
from loopwright.evaluation.runs.comparison import compare
from loopwright.models import Capabilities, ScriptedLM
from loopwright.tools import ToolCall, ToolResult
from loopwright.tools.world import Change

if chromium() is None:
    pytest.skip(NONE, allow_module_level=True)

HANG = 120_000  # milliseconds: nobody waits that long, a page that hangs is found
expect.set_options(timeout=HANG)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET), timeout=HANG)
        yield started
        started.close()


@dataclass
class Opened:
    """A page, with all that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def tasks(self) -> list[str]:
        """The names in the table, from above."""
        return self.page.locator("#table tbody .name").all_inner_texts()

    def show(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.page.locator("dialog[open] .trial-body")).to_be_visible()


Open = Callable[..., Opened]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a report; in the end nothing may have been asked for, and nothing complained of."""
    made: list[Opened] = []

    def open_page(
        report: Report, *, width: int = 1280, scheme: str = "light", at: str = "", comparison: Any = None
    ) -> Opened:
        path = write_page(report, tmp_path / f"{len(made)}.html", comparison)
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        one = Opened(context.new_page())
        one.page.set_default_timeout(HANG)
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.on("console", lambda message: one.complaints.append(message.text))
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.goto(path.as_uri() + at)
        one.page.wait_for_selector("html[data-ready]")
        made.append(one)
        return one

    yield open_page
    for one in made:
        assert [url for url in one.requests if not url.startswith(("file://", "data:", "blob:"))] == []
        assert len([url for url in one.requests if url.startswith("file://")]) == 1
        assert one.complaints == []
        one.page.context.close()


def test_every_trial_has_its_row(opened: Open) -> None:
    one = opened(mixed_report())
    assert len(one.tasks) == 18
    assert one.tasks[:4] == ["task-0 · 1", "task-0 · 2", "task-0 · 3", "task-1 · 1"]
    assert one.page.locator("#found").inner_text() == "18 trials"


def test_a_button_shows_the_trials_of_one_outcome(opened: Open) -> None:
    one = opened(mixed_report())
    one.page.get_by_role("button", name="4 failed").click()
    assert one.tasks == ["task-1 · 1", "task-1 · 2", "task-1 · 3", "task-3 · 1"]
    assert one.page.locator("#found").inner_text() == "4 of 18 trials"
    one.page.get_by_role("button", name="Clear").click()
    assert len(one.tasks) == 18


@pytest.mark.parametrize(
    ("label", "value", "count"),
    [
        ("First failed check", "answer", 4),
        ("Tag", "refund", 9),
        ("Split", "train", 6),
        ("Tool", "calculate", 18),
        ("Ending", "lm_error", 1),
    ],
)
def test_a_list_chooses_trials(opened: Open, label: str, value: str, count: int) -> None:
    one = opened(mixed_report())
    one.page.get_by_label(label, exact=True).select_option(value)
    assert len(one.tasks) == count


def test_filters_hold_together(opened: Open) -> None:
    one = opened(mixed_report())
    one.page.get_by_role("button", name="4 failed").click()
    one.page.get_by_label("Split", exact=True).select_option("train")
    assert one.tasks == ["task-3 · 1"]


def test_the_search_reads_all_that_a_trial_holds(opened: Open) -> None:
    file = shop(4)
    results = [trial(file, n, trajectory=Trajectory((step(f"parcel-{n}x"), submitted()))) for n in range(4)]
    one = opened(report_of(file, results))
    one.page.get_by_role("searchbox").fill("PARCEL-2X")
    expect(one.page.locator("#found")).to_have_text("1 of 4 trials")
    assert one.tasks == ["task-2"]


def test_a_heading_sorts_and_sorts_back(opened: Open) -> None:
    one = opened(mixed_report(epochs=1))
    one.page.get_by_role("button", name="Time").click()
    assert one.tasks[0] == "task-5"
    assert one.page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    one.page.get_by_role("button", name="Time").click()
    assert one.tasks[0] == "task-0"


@pytest.mark.parametrize(
    ("where", "name", "count"),
    [
        ("#failures", "answer", 4),
        ("#failures", "task-3", 3),
        ("#rates", "refund", 9),
        ("#rates", "submit", 17),
    ],
)
def test_what_is_clicked_above_is_shown_below(opened: Open, where: str, name: str, count: int) -> None:
    one = opened(mixed_report())
    one.page.locator(where).get_by_role("button").filter(has_text=name).first.click()
    assert len(one.tasks) == count


def test_a_trajectory_opens_with_its_steps_checks_and_blame(opened: Open) -> None:
    one = opened(mixed_report())
    one.show("task-1 · 2")
    panel = one.page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name="task-1")).to_be_focused()
    assert panel.locator(".step .thought").all_inner_texts() == ["I work it out.", "I answer."]
    assert panel.locator(".step .tool").all_inner_texts() == ["calculate", "submit"]
    assert "2 * 29.90" in panel.locator(".step .args").first.inner_text()
    assert "59.80" in panel.locator(".step .result").first.inner_text()
    assert "does not contain" in panel.locator("#step-2 .blame").inner_text()
    assert "1,010 tokens" in panel.locator(".facts").inner_text()
    panel.get_by_role("link", name="step 2").click()
    expect(panel.locator("#step-2")).to_be_focused()


def test_the_keyboard_is_enough(opened: Open) -> None:
    one = opened(mixed_report())
    one.page.get_by_role("link", name="task-0 · 1", exact=True).focus()
    one.page.keyboard.press("Enter")
    title = one.page.locator("#trial-title")
    expect(title).to_have_text("task-0")
    for _ in range(3):
        one.page.keyboard.press("j")
    expect(title).to_have_text("task-1")
    one.page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("task-0")
    one.page.keyboard.press("Escape")
    expect(one.page.get_by_role("dialog")).not_to_be_visible()
    expect(one.page.get_by_role("link", name="task-0 · 3", exact=True)).to_be_focused()


def test_an_address_leads_to_a_trial_and_the_trials_of_a_task_to_each_other(opened: Open) -> None:
    one = opened(mixed_report(), at="#trial=9")
    expect(one.page.locator("#trial-title")).to_have_text("task-3")
    others = one.page.get_by_role("navigation", name="Trials of this task").get_by_role("link")
    assert [other.get_attribute("aria-label") for other in others.all()] == [
        "trial 1, failed",
        "trial 2, passed",
        "trial 3, passed",
    ]
    others.nth(1).click()
    expect(one.page.locator("#trial .outcome")).to_contain_text("passed")


@pytest.mark.parametrize("title", ["pass^k", "Steps", "Money", "Tokens", "Time"])
def test_plots_are_drawn(opened: Open, title: str) -> None:
    one = opened(mixed_report())
    marks = one.page.locator(f'[data-plot="{title}"] svg').locator("rect.passed, rect.failed, circle.dot")
    boxes = [mark.bounding_box() for mark in marks.all()]
    assert boxes
    assert all(box is not None and box["width"] > 1 and box["height"] > 1 for box in boxes)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(opened: Open, width: int, scheme: str) -> None:
    one = opened(mixed_report(), width=width, scheme=scheme)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    one.show("task-1 · 1")
    assert one.page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.getElementById('trial'))") <= 0


def contrast(page: Page, where: str) -> float:
    """The contrast of a text with the page, by WCAG's formula."""
    ratio: float = page.evaluate(
        """where => {
          const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
          const element = document.querySelector(where);
          let ground = element;
          while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
          const both = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)];
          return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        }""",
        where,
    )
    return ratio


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(opened: Open, scheme: str) -> None:
    page = opened(mixed_report(), scheme=scheme).page
    texts = ("h1", ".facts", ".trials .why", ".is-passed .sign", ".cluster .count", ".kind", "#found")
    shown = {where: contrast(page, where) for where in texts}
    assert {where: ratio for where, ratio in shown.items() if ratio < 4.5} == {}


def hostile_report() -> Report:
    file = shop(1, request="ignore <b>this</b>")
    bad = CheckResult("answer", "reply", False, HOSTILE, 1)
    long = step(HOSTILE + "x" * 50_000, HOSTILE, error=True)
    call = ToolCall(HOSTILE, {HOSTILE: HOSTILE})
    strange = step().__class__(HOSTILE, (call,), (ToolResult.failed(call, "unknown_tool", HOSTILE),))
    one = trial(
        file,
        0,
        "failed",
        checks=(bad,),
        trajectory=Trajectory((long, strange, submitted(HOSTILE))),
        termination=HOSTILE,
        outputs={HOSTILE: HOSTILE},
    )
    return report_of(file, [one])


def test_hostile_text_is_text_with_its_controls_visible(opened: Open) -> None:
    one = opened(hostile_report())
    one.show("task-0")
    text = one.page.locator("body").inner_text()
    assert "<script>document.title = 'owned'</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert one.page.locator("img").count() == 0
    assert one.page.locator("body script:not([id])").count() == 1
    assert "owned" not in one.page.title()
    result = one.page.locator("#step-1 .result").inner_text()
    assert "␛[31mred␛[0m" in result
    assert "<202E>gnp.exe<202C>" in result
    assert "a<200B>b" in result
    assert "<E0041>" in result
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u200b]", text)


def test_a_long_text_is_shown_whole_when_it_is_asked_for(opened: Open) -> None:
    one = opened(hostile_report(), width=390)
    one.show("task-0")
    result = one.page.locator("#step-1 .result")
    assert len(result.inner_text()) < 4_000
    result.get_by_role("button", name=re.compile(r"Show all 50,\d\d\d characters")).click()
    assert len(result.inner_text()) > 50_000
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_hostile_names_can_be_filtered_by(opened: Open) -> None:
    one = opened(hostile_report())
    one.page.locator("#rates .tools .pick").last.click()
    assert one.tasks == ["task-0"]


def conversation_report() -> Report:
    file = shop(1)
    refund = ToolCall("refund", {"order_id": 17, "amount": 20})
    paid = Change(("orders", 17, "status"), "delivered", "refunded")
    done = ToolResult(refund, "refunded", seconds=0.2, changes=(paid,))
    steps = (
        submitted("Shall I refund it?"),
        step().__class__("I refund it.", (refund,), (done,), 0.4),
        submitted("Done."),
    )
    turns = (
        TurnMade(0, "Order 17 arrived broken.", {"reply": "Shall I refund it?"}, 1, 1, "submit"),
        TurnMade(1, "Yes, refund it.", {"reply": "Done."}, 2, 3, "submit", "tester/user"),
    )
    gone = Change(("customers", 4), {"name": "Ada"})
    wanted = Change(("ledger", 0), after=20)
    one = trial(
        file,
        0,
        "failed",
        trajectory=Trajectory(steps),
        turns=turns,
        world=WorldRecord({}, (paid, gone), (paid, wanted)),
        verdicts={"reply": Verdict("tester/judge", "It is polite.", True, 0.9)},
    )
    return report_of(file, [one])


def test_a_conversation_is_told_turn_by_turn(opened: Open) -> None:
    one = opened(conversation_report())
    one.show("task-0")
    said = one.page.locator("#trial .said").all_inner_texts()
    assert [text.split("\n")[0] for text in said] == [
        "user · turn 1",
        "agent",
        "user, played by tester/user · turn 2",
        "agent",
    ]
    assert "Order 17 arrived broken." in said[0]
    order = one.page.locator("#trial .said, #trial .step").all()
    assert [("step" if "step" in (item.get_attribute("class") or "").split() else "said") for item in order] == [
        "said", "step", "said", "said", "step", "step", "said",
    ]  # fmt: skip


def test_what_changed_in_the_world_is_held_against_what_was_wanted(opened: Open) -> None:
    one = opened(conversation_report())
    one.show("task-0")
    rows = one.page.locator("#trial .state tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == ["orders.17.status", "customers.4", "ledger.0"]
    assert "as wanted" in rows[0]
    assert "not wanted" in rows[1]
    assert "wanted, but not made" in rows[2]
    assert "changed orders.17.status" in one.page.locator("#step-2").inner_text()
    assert "It is polite." in one.page.locator("#trial").inner_text()


def test_thousands_of_trials_are_shown_as_they_are_scrolled_to(opened: Open) -> None:
    file = shop(3_000)
    many = [trial(file, n, "failed" if n % 3 == 0 else "passed") for n in range(3_000)]
    started = time.perf_counter()
    one = opened(report_of(file, many))
    assert time.perf_counter() - started < 300  # a hang; how quick it is, the benchmark says
    assert 0 < len(one.tasks) < 500
    one.page.locator("footer").scroll_into_view_if_needed()
    expect(one.page.locator("#table tbody tr").nth(150)).to_be_attached()
    one.page.get_by_role("searchbox").fill("task-2999")
    expect(one.page.locator("#found")).to_have_text("1 of 3,000 trials")
    one.show("task-2999")


def test_the_summary_is_read_where_scripts_are_off(browser: Browser, tmp_path: Path) -> None:
    path = write_page(mixed_report(), tmp_path)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "77.8%" in page.locator(".headline").inner_text()
    assert page.locator("[data-plot] svg").count() == 5
    expect(page.locator("#filters")).not_to_be_visible()
    context.close()


def test_a_printed_page_has_the_summary_and_the_trials(opened: Open) -> None:
    one = opened(mixed_report())
    one.page.emulate_media(media="print")
    expect(one.page.locator("#filters")).not_to_be_visible()
    expect(one.page.locator(".headline")).to_be_visible()
    assert len(one.page.pdf()) > 10_000


def test_a_change_against_the_baseline_chooses_its_trials_and_marks_where_they_part(opened: Open) -> None:
    file = shop(3)
    now = report_of(file, [trial(file, 0), trial(file, 1, "failed"), trial(file, 2)])
    before = [
        trial(file, n, trajectory=Trajectory((step("12.00"), submitted()))) if n == 1 else trial(file, n)
        for n in range(3)
    ]
    one = opened(now, comparison=compare(before, now).as_json())
    one.page.get_by_role("button", name="1 broken").click()
    assert one.tasks == ["task-1"]
    one.show("task-1")
    marked = one.page.locator("#step-1 .parting").inner_text()
    assert "12.00" in marked
    assert "59.80" in marked


def test_a_damaged_page_says_so_where_its_table_would_be(browser: Browser, tmp_path: Path) -> None:
    path = write_page(mixed_report(), tmp_path)
    path.write_text(path.read_text().replace('{"tasks":', '{"tasks', 1))
    page = browser.new_page()
    page.goto(path.as_uri())
    expect(page.locator("#found")).to_contain_text("The trials can't be read in this browser")
    assert "77.8%" in page.locator(".headline").inner_text()
    page.close()


TASKS = """
version: 1
name: sums
agent: {signature: "question -> answer: int", tools: [calculate]}
tasks:
- {id: two, input: {question: "1 + 1?"}, expect: {answer: {answer: 2}}}
- {id: three, input: {question: "1 + 2?"}, expect: {answer: {answer: 3}, calls: {required: [{tool: calculate, extra: allow}]}}}
"""


def evaluated(folder: Path, *answers: int, options: Sequence[str] = ()) -> Path:
    """Run the command on the two tasks with a model that calls the tool and gives these answers in turn."""
    path = folder.parent / "sums.yaml"
    path.write_text(TASKS)
    turns = [
        turn
        for answer in answers
        for turn in (ToolCall("calculate", {"expression": "1 + 2"}), ToolCall("submit", {"answer": answer}))
    ]
    with lw_context(lm=ScriptedLM(turns, capabilities=Capabilities(native_tools=True))):
        assert run_command(["eval", str(path), "--out", str(folder), "--workers", "1", *options]) == 0
    return folder


def test_the_page_of_a_run_of_the_command_stands(browser: Browser, tmp_path: Path) -> None:
    before = evaluated(tmp_path / "before", 2, 4)
    now = evaluated(tmp_path / "now", 2, 3, options=["--baseline", str(before)])
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((now / "report.html").as_uri())
    page.get_by_role("button", name="1 fixed").click()
    page.get_by_role("link", name="three").click()
    expect(page.locator("#step-2 .parting")).to_contain_text("answer=4")
    expect(page.locator("#trial .checks li")).to_have_count(2)
    assert complaints == []
    page.close()
