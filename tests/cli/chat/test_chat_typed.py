"""The chat's loop with typed keys, in this process: the line, the questions, what Ctrl-C does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chat_room import Room, call
from openai_server import OpenAIServer, answer, drip_events, hang
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from loopwright.cli.chat.chat import Chat
from loopwright.cli.chat.events import SetupEvent
from loopwright.cli.chat.line import Completions
from loopwright.cli.chat.offering import offers
from loopwright.cli.chat.repl import talk
from loopwright.cli.chat.show import PlainShow
from loopwright.cli.chat.store import Sessions
from loopwright.cli.options import named_tools
from loopwright.tools import Approval, ToolCall

ENTER, ESCAPE, CTRL_C, CTRL_D = "\r", "\x1b", "\x03", "\x04"
Typed = Callable[..., Chat]


@pytest.fixture
def typed(room: Room, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    """Types keys into a chat with this server; gives the chat when it has ended."""
    monkeypatch.chdir(room.folder)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    stores: list[Sessions] = []

    def run(server: OpenAIServer, *keys: str) -> Chat:
        stores.append(Sessions(Path(room.env["LOOPWRIGHT_CHAT"])))
        chat = Chat(PlainShow(), stores[-1], Approval(), named_tools)
        chat.begin(
            SetupEvent(model="openai/any", api_base=server.url, tools=room.tools, options={"cache": False})
        )
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys))
            assert asyncio.run(asyncio.wait_for(talk(chat), 120)) == 0
        return chat

    yield run
    for store in stores:
        store.close()


def last(server: OpenAIServer) -> str:
    """The last message that the server got."""
    return str(server.requests[-1].body["messages"][-1]["content"])  # type: ignore[index]  # JSON


def test_lines_are_sent_one_after_the_other(
    typed: Typed, room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = typed(room.server(answer("a"), answer("b")), "one", ENTER, "two", ENTER, CTRL_D)
    assert [turn.outputs for turn in chat.conversation.turns] == [{"answer": "a"}, {"answer": "b"}]
    assert "session" in capsys.readouterr().err


@pytest.mark.parametrize("keys", [("\\", ENTER), (ESCAPE, ENTER)], ids=["backslash", "escape"])
def test_a_line_may_be_broken(typed: Typed, room: Room, keys: tuple[str, str]) -> None:
    server = room.server(answer("a"))
    typed(server, "one", *keys, "two", ENTER, CTRL_D)
    assert last(server) == "one\ntwo"


def test_ctrl_c_empties_the_line_then_asks_then_leaves(
    typed: Typed, room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(room.server(hang), "half", CTRL_C, CTRL_C, CTRL_C)
    assert "Ctrl-C again to leave" in capsys.readouterr().err


def test_a_line_in_between_forgets_the_first_ctrl_c(typed: Typed, room: Room) -> None:
    server = room.server(answer("a"))
    typed(server, CTRL_C, "one", ENTER, CTRL_C, CTRL_C)
    assert last(server) == "one"


@pytest.mark.parametrize(
    ("keys", "refunds", "told"),
    [
        (["y", ENTER], "17 5.0\n", "refunded 5.0"),
        (["n", ENTER], "", "the user said no"),
        ([ENTER], "", "the user said no"),
        (["no, it is paid", ENTER], "", "it is paid"),
        (["too much", ENTER], "", "too much"),
        (["a", ENTER], "17 5.0\n", "refunded"),
        (["p", ENTER, ENTER], "17 5.0\n", "refunded"),
        (
            ["p", ENTER, *"\x15(", ENTER, *"\x15refund(order_id=1)", ENTER, *"\x15refund", ENTER],
            "17 5.0\n",
            "refunded",
        ),
        (["e", ENTER, '\x15{"order_id": 18, "amount": 1}', ENTER], "18 1.0\n", "The user changed the call"),
        (
            ["e", ENTER, "\x15{", ENTER, "\x15[]", ENTER, '\x15{"order_id": 18, "amount": 1}', ENTER],
            "18 1.0\n",
            "changed",
        ),
        (
            ["e", ENTER, '\x15{"order": 18}', ENTER, '\x15{"order_id": 18, "amount": 1}', ENTER],
            "18 1.0\n",
            "The user changed the call",
        ),
        (["e", ENTER, "\x15", ENTER, "p", ENTER, "\x15", ENTER, "y", ENTER], "17 5.0\n", "refunded 5.0"),
    ],
    ids=[
        *("yes", "no", "empty", "no because", "a reason", "always", "pattern", "patterns that do not fit"),
        *("edit", "edit twice", "edit badly at first", "think better of it twice"),
    ],
)
def test_a_question_has_many_answers(
    typed: Typed, room: Room, keys: list[str], refunds: str, told: str
) -> None:
    server = room.server(call("refund", order_id=17, amount=5), answer("done"))
    typed(server, "Refund 17", ENTER, *keys, CTRL_D)
    file = room.folder / "refunds.txt"
    assert (file.read_text() if file.exists() else "") == refunds
    assert told in last(server)


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
def test_a_question_may_stop_the_turn(typed: Typed, room: Room, key: str) -> None:
    both = [ToolCall("refund", {"order_id": 17, "amount": 5}), ToolCall("get_order", {"order_id": 17})]
    server = room.server(answer(both), answer("understood"))
    chat = typed(server, "Refund 17", ENTER, key, "and now?", ENTER, CTRL_D)
    assert chat.conversation.turns[0].end is not None
    assert chat.conversation.turns[0].end.reason == "cancelled"
    assert [result.error for result in chat.conversation.turns[0].results] == ["cancelled", "cancelled"]
    assert chat.conversation.turns[1].outputs == {"answer": "understood"}


def test_a_mistake_is_one_line_and_the_chat_goes_on(
    typed: Typed, room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    server = room.server(answer("a"))
    keys = [
        key
        for line in ("/udno", "/model nonsense", "/attach nowhere", "one", "/quit")
        for key in (line, ENTER)
    ]
    chat = typed(server, *keys)
    assert len(chat.conversation.turns) == 1
    assert "did you mean /undo?" in capsys.readouterr().err


def test_a_shell_command_can_be_interrupted(typed: Typed, room: Room) -> None:
    chat = typed(room.server(answer("a")), "!kill -INT $PPID; sleep 60", ENTER, "one", ENTER, CTRL_D)
    assert len(chat.conversation.turns) == 1


def test_a_turn_is_interrupted_by_a_signal(typed: Typed, room: Room) -> None:
    server = room.server(call("interrupt"), drip_events, answer("understood"))
    chat = typed(server, "stop yourself", ENTER, CTRL_D)
    end = chat.conversation.turns[0].end
    assert end is not None
    assert end.reason == "cancelled"


def test_a_tool_that_does_not_stop_is_left_behind_at_the_second_ctrl_c(typed: Typed, room: Room) -> None:
    server = room.server(call("stubborn"), answer("understood"))
    chat = typed(server, "stop", ENTER, "and now?", ENTER, CTRL_D)
    first, second = chat.conversation.turns
    assert [result.error for result in first.results] == ["cancelled"]
    assert first.end is not None
    assert first.end.reason == "cancelled"
    assert second.outputs == {"answer": "understood"}


def test_a_message_is_written_in_an_editor(typed: Typed, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = room.folder / "editor.sh"
    editor.write_text('#!/bin/sh\ngrep -q bad "$1" && exit 3; printf " and more" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(editor))
    server = room.server(answer("a"))
    chat = typed(server, "/edit bad", ENTER, "/edit draft", ENTER, CTRL_D)
    assert [turn.message for turn in chat.conversation.turns] == ["draft and more"]


def test_an_editor_that_is_not_there_is_named(
    typed: Typed, room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor")
    typed(room.server(answer("a")), "/edit draft", ENTER, CTRL_D)
    assert "there is no editor 'no-such-editor'" in capsys.readouterr().err


OFFERED = {
    "/sav": ["/save", "/save-task"],
    "/help sav": ["save", "save-task"],
    "/tools ref": ["refund"],
    "/approve ": ["allow", "deny", "ask", "forget"],
    "/approve deny get": ["get_order"],
    "/set temp": ["temperature"],
    "/set temperature n": ["none"],
    "/model openai/gpt-4o-mini-2": ["openai/gpt-4o-mini-2024-07-18"],
    "/model emb": ["embedded"],
    "/export ": ["md", "json", "html"],
    "/export md sho": ["p.py"],
    "/attach ": ["drop", "shop.py", "two words.txt"],
    "/attach two w": ["ords.txt"],
    "/save-task sho": ["p.py"],
    "/demos d": ["drop"],
    "/demos drop ": ["1"],
    "/good ": ["1"],
    "/fork ": ["1"],
    "/fix ca": ["call"],
    "see @sho": ["p.py"],
    "!cat sho": ["p.py"],
    "plain words": [],
    "/undo ": [],
    "/frobnicate a": [],
}


def test_what_is_offered_to_complete_a_line(typed: Typed, room: Room) -> None:
    (room.folder / "two words.txt").write_text("")
    chat = typed(room.server(answer("a")), "one", ENTER, "/good", ENTER, CTRL_D)
    completer = Completions(lambda text: offers(chat, text))
    asked = CompleteEvent(completion_requested=True)
    found = {
        line: [one.text for one in completer.get_completions(Document(line, len(line)), asked)]
        for line in OFFERED
    }
    assert found == OFFERED


def test_sessions_are_offered_by_their_titles(typed: Typed, room: Room) -> None:
    before = typed(room.server(answer("a")), "how it began", ENTER, CTRL_D).record.session
    chat = typed(room.server(answer("a")), "two", ENTER, CTRL_D)
    assert [(one.word, one.meaning) for one in offers(chat, "/resume ").words] == [(before, "how it began")]
