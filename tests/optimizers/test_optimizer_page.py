"""The page of a compile, in a real browser: it shows what was found, asks for nothing, and takes any text as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from optimizers.prices import agent, harmed, right, tasks, teachable
from playwright.sync_api import Browser, Page, expect, sync_playwright
from system_browser import NONE, QUIET, chromium

from loopwright import BootstrapRS, MIPROv2, context
from loopwright.errors import ConfigurationError
from loopwright.models import BaseLM
from loopwright.optimizers import Optimizer, Report
from loopwright.optimizers.page import page_html, write_page

HANG = 120_000  # milliseconds
expect.set_options(timeout=HANG)
HOSTILE = "</title><script>alert(1)</script>\u202e\x1b[31m'\"><img src=x onerror=alert(1)>{{ 7*7 }}"


@cache
def report(kind: str = "better") -> dict[str, Any]:
    made: dict[str, tuple[Optimizer, BaseLM]] = {
        "better": (BootstrapRS(right, num_candidate_programs=5), teachable()),
        "same": (BootstrapRS(right, num_candidate_programs=3), harmed()),
        "texts": (MIPROv2(right, max_bootstrapped_demos=0, max_labeled_demos=0), teachable()),
    }
    optimizer, lm = made[kind]
    with context(lm=lm):
        program = optimizer.compile(agent(), trainset=tasks())
    found: Report = vars(program)["compile_report"]
    return {"name": "prices", "file": "prices.yaml", "model": "simulated", "out": "a.json", **found.to_json()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip(NONE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET), timeout=HANG)
        yield started
        started.close()


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a report; in the end nothing may have been asked for, and nothing complained of."""
    said: list[str] = []
    pages: list[Page] = []

    def open_page(told: Mapping[str, Any], *, width: int = 1280, scheme: str = "light") -> Page:
        path = write_page(told, tmp_path / "page.html")
        made = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        page = made.new_page()
        page.set_default_timeout(HANG)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url),
        )
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    assert said == []
    for page in pages:
        page.context.close()


def test_it_shows_baseline_and_what_was_confirmed(opened: Open) -> None:
    told = report()
    page = opened(told)
    rows = page.locator("#scores tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_contain_text("Returned, confirmed")
    expect(rows.nth(3).locator("svg .dot")).to_have_count(1)
    expect(page.locator(".headline")).to_contain_text("Better")
    expect(page.locator(".headline .big")).to_have_text(f"{100 * told['confirmed']['mean']:.0f}%")
    expect(page.locator(".why")).to_have_text(told["reason"])


def test_every_candidate_is_plotted_the_best_below_the_baseline(opened: Open) -> None:
    told = report()
    page = opened(told)
    names = page.locator("#candidates tbody th").all_inner_texts()
    assert len(names) == len(told["candidates"])
    assert names[0].startswith("baseline")
    measured = [one for one in told["candidates"] if one["score"]]
    expect(page.locator("#candidates svg .band")).to_have_count(len(measured))
    best = max(one["score"]["mean"] for one in measured[1:])
    expect(page.locator("#candidates tbody tr").nth(1).locator(".figure")).to_contain_text(
        f"{100 * best:.0f}%"
    )


def test_demonstrations_are_shown_step_by_step(opened: Open) -> None:
    told = report()
    page = opened(told)
    shown = page.locator(".demos details")
    expect(shown).to_have_count(len(told["demos"]))
    first = told["demos"][0]
    expect(shown.first.locator(".path > li")).to_have_count(len(first["trajectory"]))
    expect(shown.first.locator(".made").first).to_have_text(f'price_of(item="{first["values"]["item"]}")')
    expect(shown.first.locator(".came").first).to_have_text(str(first["values"]["price"]))


def test_texts_that_were_written_are_shown(opened: Open) -> None:
    told = report("texts")
    page = opened(told)
    assert told["notes"]["learned"]
    for name, text in told["notes"]["learned"].items():
        expect(page.locator(".texts summary", has_text=name)).to_have_count(1)
        expect(page.locator(".learned", has_text=text).first).to_be_visible()


def test_an_agent_that_is_as_it_was_is_said_to_be(opened: Open) -> None:
    page = opened(report("same"))
    expect(page.locator(".headline")).to_contain_text("As it was")
    expect(page.locator("#learned")).to_contain_text("Nothing: the agent is as it was.")
    expect(page.locator(".demos details")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(opened: Open, width: int, scheme: str) -> None:
    page = opened(hostile(), width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_the_tiles_of_a_row_stand_on_one_line(opened: Open, width: int) -> None:
    page = opened(report(), width=width)
    tops = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.getBoundingClientRect().top)")
    columns = 3 if width > 620 else 2
    assert len(tops) == 6
    assert [top for top in tops[::columns] for _ in range(columns)] == tops


def hostile() -> dict[str, Any]:
    """The report with hostile text wherever a model, a tool or a file may have written."""
    told: dict[str, Any] = json.loads(json.dumps(report()))
    told |= {"name": HOSTILE, "model": HOSTILE, "file": HOSTILE, "reason": HOSTILE, "out": HOSTILE}
    told["notes"]["learned"] = {HOSTILE: HOSTILE * 40}
    told["candidates"][0] |= {"name": HOSTILE, "note": HOSTILE}
    told["decisions"][0] |= {"subject": HOSTILE, "reason": HOSTILE}
    told["phases"][0]["phase"] = HOSTILE
    step = told["demos"][0]["trajectory"][0]
    step["thought"] = HOSTILE
    step["calls"][0] |= {"name": HOSTILE, "args": {HOSTILE: HOSTILE * 20}}
    step["results"][0] |= {"content": HOSTILE * 20, "error": "raised"}
    told["demos"][0]["values"] |= {"task_id": HOSTILE, HOSTILE: "x" * 400}
    return told


def test_hostile_text_is_only_text(opened: Open) -> None:
    page = opened(hostile())
    expect(page.locator("h1")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("script")).to_have_count(0)
    expect(page.locator("h1")).to_contain_text("<202E>")
    expect(page.locator("h1")).to_contain_text("{{ 7*7 }}")


def test_the_page_allows_no_script_and_names_nothing_outside() -> None:
    html = page_html(report())
    policy = html.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src &#39;none&#39;" in policy
    assert "script-src" not in policy
    assert "https://" not in html


def test_what_was_not_confirmed_is_marked(opened: Open) -> None:
    told = report() | {"confirmed": None, "confirmed_baseline": None, "spent_limit": "rollouts"}
    page = opened(told)
    expect(page.locator(".notice").nth(0)).to_contain_text("The budget ended the search: no more rollouts")
    expect(page.locator(".notice").nth(1)).to_contain_text("look better than they are")
    expect(page.locator(".headline")).to_contain_text("Changed, not confirmed")


@pytest.mark.parametrize(
    "told", [{}, {"optimizer": "x"}, {**report(), "used": None}], ids=["empty", "part", "wrong"]
)
def test_what_is_no_whole_report_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="this is no whole report of an optimizer"):
        page_html(told)
