"""What the screen shows for events, as a terminal renders it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import StringIO

import pyte
import pytest
from rich.console import Console
from rich.text import Text

from loopwright.cli.chat.events import (
    AskedEvent,
    CalledEvent,
    CompactEvent,
    EndEvent,
    Event,
    NoticeEvent,
    ReturnedEvent,
    StepEvent,
    TokenEvent,
    TurnEvent,
)
from loopwright.cli.chat.forms import CallForm, ResultForm
from loopwright.cli.chat.region import Region
from loopwright.cli.chat.screen import ScreenShow

GET = CallForm(name="get_order", args={"order_id": 17}, id="a")
PUT = CallForm(name="put_order", args={"order_id": 17, "note": "x" * 300}, id="b")
FINE = ResultForm(content="shipped", seconds=0.42)
BAD = ResultForm(content="Error: no such order\nin the shop", error="raised")
BEGIN = TurnEvent(turn=1, message="hi")
Show = Callable[..., list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    """The lines of a terminal of 60 columns after some events."""
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "60", "LINES": "30", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def lines(*events: Event, settle: bool = True) -> list[str]:
        show = ScreenShow()
        for event in events:
            show.event(event)
        if settle:
            show.settle()
        screen = pyte.Screen(60, 30)
        pyte.Stream(screen).feed(capsys.readouterr().out.replace("\n", "\r\n"))
        if not settle:
            show.settle()
            capsys.readouterr()
        return [line.rstrip() for line in screen.display if line.strip()]

    return lines


def said(*pieces: str, part: str = "answer") -> list[TokenEvent]:
    return [TokenEvent(turn=1, text=piece, part=part) for piece in pieces]  # type: ignore[arg-type]  # one of two words


def answered(text: str, reason: str = "submit", error: str = "") -> EndEvent:
    return EndEvent(turn=1, outputs={"answer": text}, reason=reason, error=error)


def call(number: int, form: CallForm, result: ResultForm) -> list[Event]:
    return [
        CalledEvent(turn=1, number=number, call=form),
        ReturnedEvent(turn=1, number=number, call=form, result=result),
    ]


def test_an_answer_that_was_streamed_is_shown_once(shown: Show) -> None:
    assert shown(BEGIN, *said("Hello ", "**you**", "."), answered("Hello **you**.")) == ["Hello you."]


def test_an_answer_that_came_at_once_is_shown(shown: Show) -> None:
    assert shown(BEGIN, answered("Hello **you**.")) == ["Hello you."]


def test_several_outputs_are_named(shown: Show) -> None:
    end = EndEvent(turn=1, outputs={"total": 36.0, "unit": "EUR"}, reason="submit")
    assert shown(BEGIN, end) == ["total: 36.0 unit: EUR"]


def test_whole_paragraphs_stay_while_the_last_one_is_written(shown: Show) -> None:
    begun = [BEGIN, AskedEvent(turn=1, model="m"), *said("One **paragraph**.\n\nAnd a ", "second *one")]
    lines = shown(*begun, settle=False)
    assert lines[0] == "One paragraph."
    assert lines[1].startswith("And a")


def test_code_with_an_empty_line_is_one_block(shown: Show) -> None:
    text = "See:\n\n```python\na = 1\n\nb = 2\n```\n\nDone."
    assert shown(BEGIN, *said(text), answered(text)) == ["See:", " a = 1", " b = 2", "Done."]


def test_calls_are_one_line_each(shown: Show) -> None:
    lines = shown(BEGIN, *call(1, GET, FINE), *call(2, PUT, BAD), answered("ok"))
    assert lines[0] == "→ get_order(order_id=17) ✓ 0.4 s"
    assert lines[1] == "→ put_order(order_id=17, not… ✗ no such order ⏎ in the shop"
    assert lines[2:] == ["ok"]


def test_a_call_under_way_is_shown_as_such(shown: Show) -> None:
    assert shown(BEGIN, CalledEvent(turn=1, number=1, call=GET), settle=False) == [
        "→ get_order(order_id=17) …"
    ]


def test_calls_that_were_refused_are_shown_when_the_step_is_whole(shown: Show) -> None:
    refused = ResultForm(content="Error: there is no tool", error="unknown_tool")
    step = StepEvent(turn=1, calls=[GET, PUT], results=[FINE, refused])
    lines = shown(BEGIN, *call(1, GET, FINE), step, answered("ok"))
    assert [line[:13] for line in lines] == ["→ get_order(o", "→ put_order(o", "ok"]
    assert "there is no tool" in lines[1]


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (answered("half [interrupted]", "cancelled"), "interrupted: what came until now is kept"),
        (answered("", "max_steps"), "no answer: the run ended with max_steps"),
        (answered("", "failed", "the network\x1b[2J"), "error: the network␛[2J"),
        (answered("36", "forced_submit"), "this answer was forced: a limit left no further step"),
    ],
    ids=lambda value: value.reason if isinstance(value, EndEvent) else "",
)
def test_an_ending_that_is_none_of_the_good_ones_is_said(shown: Show, end: EndEvent, line: str) -> None:
    assert shown(BEGIN, end)[-1] == line


def test_thoughts_are_shown_only_while_they_come(shown: Show) -> None:
    thought = [BEGIN, *said("let me see", part="thought")]
    assert shown(*thought, settle=False) == ["let me see"]
    assert shown(*thought, answered("36")) == ["36"]


def test_nothing_that_is_said_steers_the_terminal(shown: Show, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2J\x1b]0;t\x07\u202eb [x](http://e.com) \r over"
    show = ScreenShow()
    shout = CallForm(name="shout", args={"text": hostile})
    events: Sequence[Event] = [
        BEGIN,
        *said(hostile),
        *call(1, shout, ResultForm(content=hostile, error="raised")),
        NoticeEvent(text=hostile, error=True),
        CompactEvent(turn=1, summary=hostile),
        answered(hostile, "failed", hostile),
    ]
    for event in events:
        show.event(event)
    show.text(hostile)
    show.settle()
    out = capsys.readouterr().out
    for steering in ("\x1b]", "\x07", "\u202e", "a\x1b[2J", "\r over"):
        assert steering not in out
    assert "␛[2J" in out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Use the <div> element.", "Use the <div> element."),
        ("<answer>42</answer>", "<answer>42</answer>"),
        ("Fine. <!-- not for you -->", "Fine. <!-- not for you -->"),
    ],
    ids=["tag", "block", "comment"],
)
def test_tags_are_shown_as_they_were_written(shown: Show, text: str, line: str) -> None:
    assert shown(BEGIN, answered(text)) == [line]


def test_a_flood_is_cut(shown: Show) -> None:
    lines = shown(BEGIN, *said("word " * 4, "x" * 200_000), answered("word " * 4 + "x" * 200_000))
    assert len("".join(lines)) < 60 * 30


def test_what_happens_while_the_screen_is_somebody_elses_comes_after(
    shown: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    show = ScreenShow()
    show.event(BEGIN)
    with show.held():
        show.event(NoticeEvent(text="later"))
        assert capsys.readouterr().out == ""
    assert "later" in capsys.readouterr().out


@pytest.mark.parametrize(("terminal", "rows"), [({}, 3), ({"XTERM_VERSION": "1"}, 1)], ids=["anew", "cut"])
def test_a_region_takes_more_rows_where_the_window_shrank(
    monkeypatch: pytest.MonkeyPatch, terminal: dict[str, str], rows: int
) -> None:
    for name in ("XTERM_VERSION", "STY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=60, height=20, legacy_windows=False)
    region = Region(console, lambda: Text("x" * 50))
    region.draw()
    console.width = 20
    written.truncate(0)
    region.draw()
    assert written.getvalue().partition("x")[0].count("\x1b[1A") == rows - 1
    region.close()
