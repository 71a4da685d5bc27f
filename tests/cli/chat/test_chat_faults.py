"""What goes wrong around a chat: one line, and the session lives."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_room import Room, Script, call
from chat_terminal import PATIENCE, Terminal
from openai_server import answer, fail, no_such_model, reset, too_long, unauthorised

from loopwright.models import LMResponse
from loopwright.tools import ToolCall


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-m", "openai/gpt-5-mini"], "there is no key: set OPENAI_API_KEY"),
        (["-m", "openai/any", "--api-base", "http://127.0.0.1:9/v1"], "could not be reached"),
    ],
    ids=["missing key", "dead network"],
)
def test_a_model_that_can_not_be_asked_is_one_line(room: Room, options: list[str], said: str) -> None:
    room.env.pop("OPENAI_API_KEY") if "--api-base" not in options else None
    terminal = room.stack.enter_context(Terminal(options, room.env, folder=room.folder, width=300))
    shown = terminal.say("hello").splitlines()
    lines = [line for line in shown if line.strip()]
    assert len(lines) == 4
    assert lines[2].startswith("error: ")
    assert said in lines[2]
    assert "gone on" not in terminal.say("/model embedded")
    assert "\n36\n" in terminal.say("What is 15% of 240?")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (unauthorised(), "Incorrect API key"),
        (no_such_model(), "does not exist"),
        (fail(400, "a bad\nrequest \x1b[2J"), "request ␛[2J"),
    ],
    ids=["wrong key", "unknown model", "refused"],
)
def test_a_providers_error_is_one_line_and_the_next_turn_is_sound(
    room: Room, fault: Callable[..., None], said: str
) -> None:
    server = room.server(fault, answer("hello again"))
    terminal = room.terminal(server, width=300)
    assert said in terminal.say("hello")
    assert "hello again" in terminal.say("and now?")
    assert [one["content"] for one in server.requests[-1].body["messages"][1:]] == ["and now?"]  # type: ignore[index]  # JSON


def test_a_model_that_fails_in_the_middle_leaves_a_sound_conversation(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), fail(400, "no more"), answer("hello again"))
    script(server, "Where?")
    assert "hello again" in script(server, "and now?", options=["-c"]).out
    roles = [one["role"] for one in server.requests[-1].body["messages"]]  # type: ignore[attr-defined]  # JSON
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]


def test_a_connection_that_breaks_is_told(script: Script, room: Room) -> None:
    done = script.chat(room.server(reset), "-p", "hi")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def run_limited(room: Room, server_url: str, size: int, lines: str) -> subprocess.CompletedProcess[str]:
    """A chat that may write no file beyond this size, as on a full disk."""
    options = ["-m", "openai/any", "--api-base", server_url, "-t", ""]
    return subprocess.run(
        [sys.executable, "-m", "loopwright", "chat", *options],
        env=room.env,
        cwd=room.folder,
        input=lines,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize("size", [0, 60_000], ids=["full at the start", "full on the way"])
def test_on_a_full_disk_the_conversation_goes_on_unsaved(room: Room, size: int) -> None:
    server = room.server(answer("hello"))
    done = run_limited(room, server.url, size, "".join(f"turn {n}\n" for n in range(12)))
    assert done.returncode == 0, done.stderr
    assert "this session is not being saved" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout.count("> turn") == 12
    assert len(server.requests[-1].body["messages"]) == 24  # type: ignore[arg-type]  # JSON


@pytest.mark.parametrize(
    "command", ["/export md /dev/full", "/save /dev/full", "/save-task /dev/full", "/save-task ."]
)
def test_what_can_not_be_written_is_one_line_and_the_chat_goes_on(room: Room, command: str) -> None:
    terminal = room.terminal(room.server(answer("it is 17"), answer("still here")), width=200)
    terminal.say("hi")
    lines = terminal.say(command).rstrip().splitlines()
    at = next(place for place, line in enumerate(lines) if line == f"> {command}")
    assert len(lines[at + 1 : -1]) == 1
    assert "still here" in terminal.say("and now?")


def test_a_folder_that_can_not_be_made_is_told_once(
    script: Script, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    (room.folder / "file").write_text("")
    monkeypatch.setenv("LOOPWRIGHT_CHAT", str(room.folder / "file" / "below"))
    done = script(room.server(answer("hello")), "hi", "there")
    assert (done.code, done.out.count("hello"), len(done.err.splitlines())) == (0, 2, 1)


def test_a_session_that_was_meddled_with_is_refused(script: Script, room: Room) -> None:
    script(room.server(answer("hello")), "hi")
    with sqlite3.connect(Path(room.env["LOOPWRIGHT_CHAT"]) / "sessions.sqlite") as file:
        file.execute("UPDATE events SET body = '{\"event\": \"frob\"}' WHERE kind = 'end'")
    file.close()
    done = script(None, "/last", options=["-c"])
    assert done.code == 2
    assert "can't be read" in done.err


def test_a_file_of_another_kind_in_place_of_the_sessions_is_told(script: Script, room: Room) -> None:
    folder = Path(room.env["LOOPWRIGHT_CHAT"])
    folder.mkdir()
    (folder / "sessions.sqlite").write_text("this is no database, but a text that is long enough")
    done = script(room.server(answer("hello")), "hi")
    assert (done.code, "hello" in done.out) == (0, True)
    assert "not being saved" in done.err


def test_every_file_of_a_session_is_its_owners_alone(script: Script, room: Room) -> None:
    before = os.umask(0)
    try:
        script(room.server(answer("hello")), "hi")
    finally:
        os.umask(before)
    folder = Path(room.env["LOOPWRIGHT_CHAT"])
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix != ".lock"} == {0o600}


def test_a_tool_that_fails_is_told_in_one_line_and_to_the_model(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=99), answer("no such order"))
    shown = script(server, "Where is 99?").out
    assert "→ get_order(order_id=99) ✗ " in shown
    assert "no such order" in shown


def test_a_call_of_no_tool_and_one_that_does_not_fit_are_shown(script: Script, room: Room) -> None:
    calls = [ToolCall("get_ordr", {"order_id": 1}), ToolCall("get_order", {"order": 1})]
    shown = script(room.server(answer(calls), answer("sorry")), "Where?").out
    assert '→ get_ordr(order_id=1) ✗ there is no tool "get_ordr"' in shown
    assert "→ get_order(order=1) ✗ " in shown


def test_steps_that_run_out_end_in_an_answer_without_tools(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("I could not finish."))
    done = script(server, "Where?", options=["--max-steps", "1"])
    assert (done.code, "I could not finish." in done.out) == (0, True)
    assert "forced" in done.err
    assert server.requests[-1].body["tool_choice"] == "none"


def test_half_characters_of_a_model_and_of_a_pipe_do_no_harm(room: Room) -> None:
    half = LMResponse("half \ud83d of it", (ToolCall("get_order", {"order_id": "\ud83d"}, "a"),))
    server = room.server(answer(half), answer("good"))
    command = [sys.executable, "-m", "loopwright", "chat", *room.options(server)]
    done = subprocess.run(
        command,
        env=room.env,
        cwd=room.folder,
        input=b"caf\xe9\n",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[-1] == "good"
    assert "good" in room.run(None, "-c", "--script", "-", stdin="/last\n").stdout


def test_a_conversation_that_got_too_long_within_a_turn_is_told_what_to_do(
    script: Script, room: Room
) -> None:
    server = room.server(call("get_order", order_id=17), too_long())
    done = script(server, "Where?")
    assert done.code == 1
    assert "; /compact makes room" in done.err


def test_a_model_that_fails_within_a_turn_is_an_error_in_one_line(script: Script, room: Room) -> None:
    done = script(room.server(call("get_order", order_id=17), fail(400, "no more")), "Where?")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert done.err.startswith("error: openai/any: ")
