"""The page of 5,000 trials of five steps: how large it is, how long it takes to write, and to open in Chromium.

Every text is drawn from a small grammar, so that it is neither all alike nor noise; observations are 400 to
2,000 characters long. "opened" is from the navigation until the table can be used, "searched" until a word
was looked for in all that the trials hold.

    python tests/benchmarks/bench_report.py [--trials 5000]
"""

# ruff: noqa: T201  # the figures are what the script is for

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, expect, sync_playwright
from report_trials import report_of, shop, submitted, trial
from system_browser import NONE, QUIET, chromium

from loopwright import Step, Trajectory
from loopwright.evaluation import Report, TrialResult
from loopwright.evaluation.reports.page import write_page
from loopwright.tools import ToolCall, ToolResult

WORDS = [
    "order",
    "customer",
    "lamp",
    "refund",
    "policy",
    "delivered",
    "parcel",
    "warehouse",
    "invoice",
    "street",
    "garden",
    "violet",
    "copper",
    "signature",
    "balance",
    "account",
    "window",
    "receipt",
    "Tuesday",
    "broken",
    "replaced",
    "confirmed",
    "pending",
    "north",
    "river",
]
EPOCHS = 5


def prose(random: Random, words: int) -> str:
    """A text of so many words."""
    return " ".join(
        f"{random.choice(WORDS)}{random.randint(1, 999) if random.random() < 0.2 else ''}"
        for _ in range(words)
    )


def made(random: Random) -> Trajectory:
    """Four calls with their observations, and a submit."""
    steps = []
    for _ in range(4):
        call = ToolCall("calculate", {"expression": f"{random.randint(1, 999)} * {random.random():.3f}"})
        result = ToolResult(call, prose(random, random.randint(60, 300)), seconds=random.random())
        steps.append(Step(prose(random, 25), (call,), (result,), random.random()))
    return Trajectory((*steps, submitted(prose(random, 30))))


def the_report(trials: int) -> Report:
    """So many trials, five of each task."""
    random = Random(5)
    file = shop(trials // EPOCHS)
    results: list[TrialResult] = []
    for number in range(trials // EPOCHS):
        for epoch in range(EPOCHS):
            outcome = "failed" if random.random() < 0.3 else "passed"
            results.append(
                trial(file, number, outcome, epoch, trajectory=made(random), seconds=random.expovariate(0.2))  # type: ignore[arg-type]  # one of two words
            )
    return report_of(file, results, EPOCHS)


def opened(browser: Browser, page: Path) -> tuple[float, float, float]:
    """Seconds until the page can be used, until a trial is open, and until a word was searched for."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(120_000)
    started = time.perf_counter()
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-ready]")
    usable = time.perf_counter() - started
    started = time.perf_counter()
    tab.locator("#table tbody .name").nth(30).click()
    tab.wait_for_selector("dialog[open] .step")
    shown = time.perf_counter() - started
    tab.keyboard.press("Escape")
    started = time.perf_counter()
    tab.get_by_role("searchbox").fill("zebra")
    expect(tab.locator("#found")).to_contain_text("0 of", timeout=120_000)
    tab.wait_for_selector("html[data-searched]")
    searched = time.perf_counter() - started
    tab.close()
    return usable, shown, searched


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=5_000)
    trials = parser.parse_args().trials
    report = the_report(trials)
    with tempfile.TemporaryDirectory() as folder:
        kept = timed(lambda: report.write(folder))
        held = (Path(folder) / "report.json").stat().st_size
        page = Path(folder) / "report.html"
        seconds = timed(lambda: write_page(report, page))
        print(f"{trials:,} trials of 5 steps: report.json {held / 1e6:.1f} MB in {kept:.1f} s")
        print(f"report.html {page.stat().st_size / 1e6:.1f} MB (20 MB at most) in {seconds:.1f} s")
        if chromium() is None:
            print(NONE)
            return
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
            runs = [opened(browser, page) for _ in range(5)]
            browser.close()
    usable, shown, searched = (statistics.median(run) for run in zip(*runs, strict=True))
    print(
        f"opened in {usable:.2f} s (2 s at most), a trial shown in {shown:.2f} s, all texts searched in {searched:.2f} s"
    )


if __name__ == "__main__":
    main()
