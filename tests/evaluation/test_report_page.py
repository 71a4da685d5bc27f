"""The page of a report as a file: what is in it, what may not be, and what it is made of."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from report_trials import HOSTILE, mixed_report, report_of, shop, step, submitted, trial

from loopwright import Step, Trajectory
from loopwright.errors import ConfigurationError
from loopwright.evaluation import CheckResult
from loopwright.evaluation.reports.page import page_html, write_page
from loopwright.evaluation.reports.page.payload import payload
from loopwright.evaluation.reports.page.plots import Amount, bin_edges, histogram, interval_bar, power_curve
from loopwright.evaluation.reports.page.view import number
from loopwright.evaluation.reports.text import print_report
from loopwright.tools import ToolCall, ToolResult


class Elements(HTMLParser):
    """The elements of a page, in order, with their attributes and the texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.all.append((f"/{tag}", {}))

    def handle_data(self, data: str) -> None:
        if self.all and self.all[-1][0] in ("script", "style") and self.raw:
            attributes, text = self.raw[-1]
            self.raw[-1] = (attributes, text + data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag]


def embedded(text: str) -> dict[str, Any]:
    """What the page's blocks hold, by name, unpacked as a browser would."""
    held = {}
    for attributes, raw in Elements(text).raw:
        kind, name = attributes.get("type"), attributes.get("id")
        if name and kind == "application/json":
            held[name] = json.loads(raw)
        elif name and kind == "application/octet-stream":
            held[name] = json.loads(zlib.decompress(base64.b64decode(raw)))
    return held


@pytest.fixture(scope="module")
def page() -> str:
    return page_html(mixed_report())


def test_only_the_pages_own_script_and_style_may_run(page: str) -> None:
    elements = Elements(page)
    policy = elements.named("meta")[1]["content"] or ""
    assert policy.startswith("default-src 'none'; ")
    for attributes, raw in elements.raw:
        if attributes.get("type") in (None, "module"):
            digest = base64.b64encode(hashlib.sha256(raw.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_page_holds_no_address_and_no_inline_handler_or_style(page: str) -> None:
    for tag, attributes in Elements(page).all:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("src", "href", "action", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    without_icon = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|\bfetch\(|XMLHttpRequest|WebSocket|innerHTML", without_icon)


def test_the_summary_is_there_without_a_script(page: str) -> None:
    for words in (
        '<p class="big">77.8<small>%</small></p>',
        "tester/one",
        "6 tasks × 3",
        "1 of 18 trials are excluded",
        "pass^3",
        "Flaky tasks",
        "Failures that are alike",
        "calculate",
        "never used",
    ):
        assert words in page


@pytest.mark.parametrize("title", ["pass^k", "Steps", "Money", "Tokens", "Time"])
def test_each_plot_is_there(page: str, title: str) -> None:
    assert {"class": "card", "data-plot": title} in Elements(page).named("figure")


def test_every_trial_is_embedded(page: str) -> None:
    held = embedded(page)
    rows = held["index"]["trials"]
    assert len(rows) == 18
    failed = next(row for row in rows if row["outcome"] == "failed")
    assert (failed["check"], failed["calls"], failed["steps"], failed["tools"]) == (
        "answer",
        1,
        2,
        ["calculate"],
    )
    whole = held[f"chunk-{failed['chunk']}"][failed["place"]]
    assert whole["trajectory"][0]["results"][0]["content"] == "59.80"
    assert whole["input"] == {"request": "Where is my order?"}


def test_trials_that_failed_alike_know_their_cluster(page: str) -> None:
    rows = embedded(page)["index"]["trials"]
    assert {row["cluster"] for row in rows if row["outcome"] == "failed"} == {0}
    assert {row["cluster"] for row in rows if row["outcome"] != "failed"} == {None}


def hostile_page() -> str:
    file = shop(2, name="shop")
    bad = CheckResult("answer", HOSTILE, False, HOSTILE, 1)
    trajectory = Trajectory((step(HOSTILE, HOSTILE, error=True), submitted(HOSTILE)))
    results = [
        trial(
            file,
            0,
            "failed",
            checks=(bad,),
            trajectory=trajectory,
            termination=HOSTILE,
            outputs={HOSTILE: HOSTILE},
        ),
        trial(file, 1, "excluded", error=HOSTILE),
    ]
    return page_html(report_of(file, results))


def test_hostile_text_makes_no_element_and_leaves_no_control_in_the_page() -> None:
    text = hostile_page()
    elements = Elements(text)
    assert elements.named("img") == []
    assert [one.get("type") for one in elements.named("script")] == ["application/json"] * 2 + ["module"]
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not set(markup) & {"\x1b", "\u202e", "\u202c", "\u2028"}
    assert "␛[31mred" in markup
    assert "{{ 7 * 7 }}" in markup


def test_hostile_text_comes_back_whole_out_of_the_page() -> None:
    chunk = embedded(hostile_page())["chunk-0"]
    assert chunk[0]["trajectory"][0]["results"][0]["content"] == HOSTILE
    assert chunk[0]["outputs"] == {HOSTILE: HOSTILE}


def test_what_json_has_no_number_for_is_text() -> None:
    file = shop(1)
    held = embedded(page_html(report_of(file, [trial(file, 0, outputs={"reply": [math.nan, -math.inf]})])))
    assert held["chunk-0"][0]["outputs"] == {"reply": ["nan", "-inf"]}


def test_many_trials_are_packed_in_chunks() -> None:
    file = shop(400)
    many = [
        trial(file, n, trajectory=Trajectory((step("0123456789" * 100), submitted()))) for n in range(400)
    ]
    text = page_html(report_of(file, many))
    held = embedded(text)
    assert len(held) > 2
    assert len(text) < 300_000
    assert [held[f"chunk-{row['chunk']}"][row["place"]]["input"] for row in held["index"]["trials"]]


def test_texts_are_cut_where_the_page_would_grow_too_large() -> None:
    file = shop(40)
    noise = "".join(chr(0x4E00 + (n * n * 7919) % 20_000) for n in range(3_000))
    many = [trial(file, n, trajectory=Trajectory((step(noise[n:]), submitted()))) for n in range(40)]
    made = payload(report_of(file, many).as_json(), max_bytes=20_000)
    assert made.cut_at == 300
    first = next(block for block in made.blocks if block.name == "chunk-0")
    held = json.loads(zlib.decompress(base64.b64decode(first.text)) if first.packed else first.text)
    content = held[0]["trajectory"][0]["results"][0]["content"]
    assert content == noise[:300] + "… (cut here: 3,000 characters in all)"


def test_a_page_whose_texts_are_cut_says_so() -> None:
    file = shop(1)
    long = trial(file, 0, trajectory=Trajectory((step("x" * 200_000), submitted())))
    assert "Texts are cut at 100,000 characters on this page; report.json has them whole." in page_html(
        report_of(file, [long])
    )


def test_a_page_of_nothing_stands() -> None:
    text = page_html(report_of(shop(2), []))
    assert "Not complete: 0 of 2 trials were made." in text
    assert "No trial could be judged." in text
    assert embedded(text)["index"]["trials"] == []


def test_money_of_an_unknown_price_is_no_zero() -> None:
    from loopwright.models import Usage

    file = shop(1)
    text = page_html(report_of(file, [trial(file, 0, usage=Usage(10, 1))]))
    assert "a price is not known" in text
    assert 'data-plot="Money"' not in text


def test_the_page_is_the_same_of_a_report_and_of_its_file(tmp_path: Path) -> None:
    report = mixed_report()
    held = json.loads(report.write(tmp_path).read_text())
    assert page_html(held) == page_html(report)


def test_writing_makes_the_folder_and_leaves_nothing_else(tmp_path: Path) -> None:
    written = write_page(mixed_report(), tmp_path / "new" / "run")
    assert written == tmp_path / "new" / "run" / "report.html"
    assert [one.name for one in written.parent.iterdir()] == ["report.html"]
    assert write_page(mixed_report(), written) == written


@pytest.mark.parametrize(
    "damage",
    [{"summary": {}}, {"tasks": [{}]}, {"tasks": 3}, {"by": None}, {"tools": {"calculate": {}}}],
    ids=lambda damage: str(damage),
)
def test_a_report_with_parts_missing_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"no whole report"):
        page_html({**mixed_report().as_json(), **damage})


def test_a_report_that_is_nested_without_end_is_refused() -> None:
    held = mixed_report().as_json()
    held["tasks"][0]["input"] = json.loads(f'{"[" * 900}"{"x" * 200_000}"{"]" * 900}')
    with pytest.raises(ConfigurationError, match=r"no whole report"):
        page_html(held)


def test_an_older_report_without_the_newer_figures_has_a_page() -> None:
    held = mixed_report().as_json()
    for name in ("flaky", "clusters"):
        del held[name]
    for name in ("partial", "money", "other_usage"):
        del held["summary"][name]
    assert "pass@1" in page_html(held)


def drawn(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314  # of our own making


def test_an_interval_is_drawn_to_scale() -> None:
    svg = drawn(interval_bar({"value": 0.5, "low": 0.25, "high": 0.8, "n": 10}))
    band = next(one for one in svg if one.get("class") == "band")
    dot = next(one for one in svg if one.get("class") == "dot")
    assert (band.get("x"), band.get("width"), dot.get("cx")) == ("25%", "55%", "50%")
    assert svg.get("aria-label") == "50% (25% to 80%, n = 10)"


def test_the_curve_of_powers_falls_from_left_to_right() -> None:
    rates = {str(k): {"value": 1 / k, "low": 0.0, "high": 1.0, "n": 4} for k in (1, 2, 4)}
    dots = list(drawn(power_curve(rates)).iter("circle"))
    heights = [float(dot.get("cy", "0")) for dot in dots]
    assert len(dots) == 3
    assert heights == sorted(heights)


def test_the_bars_of_a_histogram_count_every_trial() -> None:
    amounts = [Amount(n % 5 + 1, n % 2 == 0) for n in range(20)]
    svg = drawn(histogram(amounts, number))
    titles = [title.text or "" for title in svg.iter("title")]
    assert sum(int(title.split()[-2]) for title in titles) == 20
    assert "1: 2 passed" in titles
    assert [text.text for text in svg.iter("text")][-5:] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.0], (-0.5, 0.5)),
        ([3.0, 3.0], (2.5, 3.5)),
        ([1.0, 1000.0], (0.5, 1008.5)),
        ([0.25, 0.75], (0.0, 0.75)),
        ([], (-0.5, 1.5)),
    ],
    ids=["one nought", "the same", "wide", "parts", "none"],
)
def test_the_bins_hold_every_value(values: list[float], ends: tuple[float, float]) -> None:
    edges = bin_edges(values)
    assert (edges[0], edges[-1]) == ends
    assert edges == sorted(edges)


def test_names_that_a_model_made_up_do_not_fill_the_page() -> None:
    file = shop(1)
    calls = [ToolCall(f"tool_{n}{'x' * 500}") for n in range(300)]
    results = tuple(ToolResult.failed(call, "unknown_tool", "Error") for call in calls)
    made = trial(file, 0, trajectory=Trajectory((Step("", tuple(calls), results),)))
    report = report_of(file, [made])
    text = page_html(report)
    assert "and 242 more names that were called" in text
    (row,) = embedded(text)["index"]["trials"]
    assert (len(row["tools"]), max(map(len, row["tools"]))) == (50, 200)
    out = io.StringIO()
    print_report(report, out)
    assert "Tools (the first 30 of 302 names)" in out.getvalue()
