from __future__ import annotations

import pytest

import loopwright as lw
from loopwright.models import Capabilities, ScriptedLM
from loopwright.tools import ToolCall, ToolResult, ToolRun, builtin_tool

NOTES = builtin_tool("notes")


def note(run: ToolRun, action: str, key: str = "", value: str = "") -> ToolResult:
    return NOTES.run(ToolCall("notes", {"action": action, "key": key, "value": value}), run)


def test_a_note_is_kept_changed_listed_and_removed() -> None:
    run = ToolRun()
    assert note(run, "list").content == "There are no notes."
    assert note(run, "set", "city", "Paris").content == 'Noted "city"; there is 1 note.'
    assert note(run, "set", " plan ", "a\nb " + "c" * 100).content == 'Noted "plan"; there are 2 notes.'
    assert note(run, "set", "city", "Rome").content == 'Noted "city"; there are 2 notes.'
    assert note(run, "get", "city").content == "Rome"
    assert note(run, "get", "plan").content == "a\nb " + "c" * 100
    assert note(run, "list").content == f"city: Rome\nplan: a b {'c' * 76}…"
    assert note(run, "remove", "city").content == 'Removed "city"; there is 1 note.'
    assert note(run, "list").content.startswith("plan: ")


def test_runs_do_not_see_each_others_notes() -> None:
    one, other = ToolRun(), ToolRun()
    note(one, "set", "city", "Paris")
    assert note(other, "get", "city").content == 'Error: there is no note "city"; there are none yet'
    assert "Paris" not in note(other, "list").content


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("get", "citi"), 'there is no note "citi"; did you mean "city"?'),
        (("get", "zzz"), 'there is no note "zzz"; there are city'),
        (("remove", "zzz"), 'there is no note "zzz"'),
        (("get",), '"get" wants a key'),
        (("set", "  ", "x"), '"set" wants a key'),
        (("set", "city"), '"set" wants a value; "remove" takes a note away'),
        (("set", "k" * 101, "x"), "key"),
        (("set", "k", "x" * 10_001), "value"),
        (("read", "city"), "action"),
        (("get", "a\x1b[2J"), r'there is no note "a\u001b[2J"'),
    ],
)
def test_what_can_not_be_noted_is_said(args: tuple[str, ...], said: str) -> None:
    run = ToolRun()
    note(run, "set", "city", "Paris")
    result = note(run, *args)
    assert not result.ok
    assert said in result.content
    assert note(run, "get", "city").content == "Paris"


def test_notes_have_a_number_and_a_size_that_they_may_reach() -> None:
    run = ToolRun()
    for n in range(10):
        assert note(run, "set", f"{n}", "x" * 10_000).ok
    assert (
        "all notes together may have 100,000 characters, and this would make 100,001"
        in note(run, "set", "k", "x").content
    )
    assert note(run, "set", "3", "x").ok
    for n in range(10, 100):
        assert note(run, "set", f"{n}", "x").ok
    assert "there are 100 notes, which is the most" in note(run, "set", "k", "x").content
    assert note(run, "set", "99", "y").ok
    assert len(note(run, "list").content) < 20_000


def test_an_agent_finds_its_notes_again_within_its_run_only() -> None:
    agent = lw.ReAct("question -> answer", tools=["notes"])
    keep = ToolCall("notes", {"action": "set", "key": "city", "value": "Paris"})
    look = ToolCall("notes", {"action": "get", "key": "city"})
    done = ToolCall("submit", {"answer": "x"})
    lm = ScriptedLM([keep, look, done, look, done], capabilities=Capabilities(native_tools=True))
    with lw.context(lm=lm):
        first, second = agent(question="Where?"), agent(question="Where?")
    assert [one.content for step in first.trajectory.steps[:2] for one in step.results] == [
        'Noted "city"; there is 1 note.',
        "Paris",
    ]
    assert (
        second.trajectory.steps[0].results[0].content == 'Error: there is no note "city"; there are none yet'
    )
