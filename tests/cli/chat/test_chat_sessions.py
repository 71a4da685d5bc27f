"""Sessions: how they are found again, what is made of one that was cut off, and what becomes of a disk that fills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_room import Room, Script
from openai_server import answer

from loopwright.cli.chat.conversation import Conversation
from loopwright.cli.chat.events import (
    CalledEvent,
    CompactEvent,
    EndEvent,
    Event,
    NoticeEvent,
    ReturnedEvent,
    SetupEvent,
    TokenEvent,
    TurnEvent,
    UndoEvent,
)
from loopwright.cli.chat.forms import CallForm, ResultForm, UsageForm
from loopwright.cli.chat.record import Record
from loopwright.cli.chat.store import Sessions, default_folder
from loopwright.errors import ConfigurationError

SETUP = SetupEvent(model="embedded", tools="calculate")
BEGIN = TurnEvent(turn=1, message="hi")
END = EndEvent(turn=1, outputs={"answer": "ho"}, reason="submit")


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    made = Sessions(tmp_path / "chat")
    yield made
    made.close()


def kept(sessions: Sessions, *events: Event) -> str:
    """A session of these events."""
    name = sessions.begin()
    for number, event in enumerate(events, 1):
        sessions.append(name, number, event)
    sessions.release()
    return name


def test_a_session_is_found_by_the_beginning_of_its_id(sessions: Sessions) -> None:
    name = kept(sessions, SETUP, BEGIN, END)
    assert sessions.found(name[:-1]) == name


@pytest.mark.parametrize(("name", "said"), [("2", "may be any of"), ("x", "there are: ")])
def test_an_id_that_fits_none_or_several_names_those_there_are(
    sessions: Sessions, name: str, said: str
) -> None:
    kept(sessions, SETUP, BEGIN, END)
    kept(sessions, SETUP, BEGIN, END)
    with pytest.raises(ConfigurationError, match=said):
        sessions.found(name)


def test_a_session_in_which_nothing_was_said_is_in_no_list(sessions: Sessions) -> None:
    kept(sessions, SETUP)
    assert sessions.known() == []


def test_tokens_are_dropped_once_the_answer_is_whole(sessions: Sessions) -> None:
    name = kept(sessions, SETUP, BEGIN, TokenEvent(turn=1, text="h"), TokenEvent(turn=1, text="o"))
    assert len(list(sessions.events(name))) == 4
    sessions.append(name, 5, END)
    assert [event.event for _, event in sessions.events(name)] == ["setup", "turn", "end"]


def test_a_file_of_a_later_version_is_refused(sessions: Sessions) -> None:
    sessions._file.execute("PRAGMA user_version = 9")
    with pytest.raises(ConfigurationError, match="later loopwright"):
        Sessions(sessions.folder)


def test_sessions_lie_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CHAT", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("LOOPWRIGHT_CHAT")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_folder().name == "chat"


def test_events_that_could_not_be_written_are_written_later(sessions: Sessions) -> None:
    said: list[str] = []
    name = sessions.begin()
    record = Record(sessions, name, 1, said.append)
    record.add(SETUP)
    sessions._file.execute("PRAGMA query_only = on")
    record.add(BEGIN)
    record.add(TokenEvent(turn=1, text="ho"))
    record.add(NoticeEvent(text="not kept"))
    sessions._file.execute("PRAGMA query_only = off")
    record.add(END)
    assert [line[:30] for line in said] == [
        "this session is not being save",
        "this session is being saved ag",
    ]
    assert [event.event for _, event in sessions.events(name)] == ["setup", "turn", "end"]


def test_a_turn_that_a_crash_cut_off_is_kept_as_far_as_it_came(script: Script, room: Room) -> None:
    store = Sessions(Path(room.env["LOOPWRIGHT_CHAT"]))
    server = room.server(answer("understood"))
    setup = SetupEvent(model="openai/any", api_base=server.url, tools=room.tools, options={"cache": False})
    open_call, done = CallForm(name="wait", args={"seconds": 9}, id="b"), CallForm(name="look", id="a")
    kept(
        store,
        setup,
        BEGIN,
        TokenEvent(turn=1, text="Let me look."),
        CalledEvent(turn=1, number=1, call=done),
        CalledEvent(turn=1, number=2, call=open_call),
        ReturnedEvent(turn=1, number=1, call=done, result=ResultForm(content="a shop")),
    )
    store.close()
    shown = script(None, "/last", "and now?", options=["-c"])
    assert shown.code == 0, shown.err
    assert "look()\na shop\n" in shown.out
    assert "it is kept as far as it came" in shown.err
    messages: Any = server.requests[0].body["messages"]
    contents = [message.get("content") for message in messages[1:]]
    assert contents[:2] == ["hi", "Let me look."]
    assert contents[2] == "a shop"
    assert contents[3].startswith("interrupted: the person stopped")
    assert contents[4:] == ["[interrupted]", "and now?"]


def test_a_session_without_a_setup_is_refused(script: Script, room: Room) -> None:
    store = Sessions(Path(room.env["LOOPWRIGHT_CHAT"]))
    kept(store, BEGIN, END)
    store.close()
    done = script(None, "/last", options=["-c"])
    assert (done.code, "has no setup" in done.err) == (2, True)


def test_options_change_what_a_session_goes_on_with(script: Script, room: Room) -> None:
    server = room.server(answer("first"), answer("second"))
    script(server, "one")
    program = room.folder / "learned.json"
    script(server, "two", f"/save {program}", options=["-c", "--system", "Be brief."])
    assert server.requests[-1].body["messages"][0]["content"] == "Be brief."  # type: ignore[index]  # JSON
    script(None, "/good", "/model", options=["-c", "--program", str(program)])
    assert "Be brief." in program.read_text()


def test_money_of_turns_that_were_taken_back_is_not_forgotten() -> None:
    def end(turn: int) -> EndEvent:
        return EndEvent(turn=turn, reason="submit", usage=UsageForm(prompt_tokens=10, usd=0.5))

    events: list[Event] = [SETUP, BEGIN, end(1), TurnEvent(turn=2, message="ho"), end(2)]
    conversation = Conversation.of(events)
    assert conversation.spent.usd == 1.0
    assert [event.event for event in conversation.beginning(1)] == ["setup", "turn", "end"]
    assert Conversation.of(conversation.beginning(1)).spent.usd == 0.0


def test_a_summary_of_a_turn_that_is_taken_back_is_forgotten() -> None:
    summary = CompactEvent(turn=1, summary="hi and ho")
    conversation = Conversation.of([SETUP, BEGIN, END, summary])
    assert conversation.history("question", ["answer"]).messages[0]["answer"] == "hi and ho"
    assert conversation.after(UndoEvent(turn=1)).history("question", ["answer"]).messages == []


def test_the_session_that_is_open_is_not_gone_on_with(script: Script, room: Room) -> None:
    script(room.server(answer("hello")), "hi")
    store = Sessions(Path(room.env["LOOPWRIGHT_CHAT"]))
    name = store.known()[0].id
    store.close()
    done = script(None, f"/resume {name}", options=["-c"])
    assert (done.code, "is the session that is open" in done.err) == (2, True)
