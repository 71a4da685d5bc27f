"""What is kept does not grow without end: sessions that are taken out, and what is forgotten by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from chat_room import Room, Script, call
from openai_server import OpenAIServer, answer

DAY = 86_400.0


def store(room: Room) -> Path:
    return Path(room.env["LOOPWRIGHT_CHAT"])


def asked(file: Path, query: str, *values: object) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(query, values).fetchall()


def aged(room: Room, days: float) -> None:
    """Make everything older that was kept until now."""
    asked(store(room) / "sessions.sqlite", "UPDATE sessions SET updated = updated - ?", days * DAY)
    asked(store(room) / "journal.sqlite", "UPDATE runs SET started = started - ?", days * DAY)


def kept(room: Room) -> tuple[list[str], list[str], list[str]]:
    """The sessions, those that have events, and the sessions whose turns are on record."""
    sessions = asked(store(room) / "sessions.sqlite", "SELECT id FROM sessions ORDER BY id")
    events = asked(store(room) / "sessions.sqlite", "SELECT DISTINCT session FROM events ORDER BY session")
    runs = asked(store(room) / "journal.sqlite", "SELECT id FROM runs ORDER BY id")
    return (
        [one for (one,) in sessions],
        [one for (one,) in events],
        sorted({one.split(".")[0] for (one,) in runs}),
    )


@pytest.fixture
def server(room: Room) -> OpenAIServer:
    return room.server(call("get_order", order_id=17), answer("x" * 30_000))


def test_a_session_is_taken_out_with_all_that_it_did(
    script: Script, room: Room, server: OpenAIServer
) -> None:
    script(server, "one")
    [first] = kept(room)[0]
    done = script(server, "two", f"/sessions drop {first}", "/sessions")
    assert "1 session is gone, the files are " in done.out
    assert "are 0 kB smaller" not in done.out
    [second] = kept(room)[0]
    assert second != first
    assert kept(room) == ([second], [second], [second])
    assert first not in done.out.rpartition("kB smaller")[2]
    assert [path for path in store(room).iterdir() if path.suffix == ".lock"] == []


def test_what_nobody_touched_for_so_long_is_taken_out(
    script: Script, room: Room, server: OpenAIServer
) -> None:
    script(server, "one")
    script(server, "two")
    aged(room, 20)
    script(server, "three")
    done = script(server, "four", "/sessions prune 30", "/sessions prune 10")
    assert "0 sessions are gone" in done.out
    assert "2 sessions are gone" in done.out
    assert [len(one) for one in kept(room)] == [2, 2, 2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/sessions drop", "write /sessions, /sessions drop ID"),
        ("/sessions prune soon", "/sessions prune DAYS"),
        ("/sessions drop 1999", "no session '1999'"),
    ],
)
def test_what_is_to_go_must_be_named(
    script: Script, room: Room, server: OpenAIServer, line: str, said: str
) -> None:
    assert said in script(server, "one", line).err


def test_the_session_that_is_open_stays(script: Script, room: Room, server: OpenAIServer) -> None:
    script(server, "one")
    [name] = kept(room)[0]
    done = script(server, f"/sessions drop {name}", options=["-c"])
    assert "is the session that is open" in done.err
    assert "0 sessions are gone" in script(server, "/sessions prune 0", options=["-c"]).out


def test_a_session_that_another_chat_has_open_stays(script: Script, room: Room, server: OpenAIServer) -> None:
    terminal = room.terminal(server)
    terminal.enter("hi")
    terminal.wait("xxxx")
    [name] = kept(room)[0]
    done = script(server, "one", f"/sessions drop {name}")
    assert "is open in another chat" in done.err
    assert name in kept(room)[0]


def test_what_turns_of_long_ago_did_is_forgotten_and_what_was_said_is_not(
    script: Script, room: Room, server: OpenAIServer
) -> None:
    script(server, "one")
    script(server, "/usage")  # nothing was said in this one
    aged(room, 40)
    done = script(server, "/last", options=["-c"])
    assert "get_order" in done.out
    sessions, events, runs = kept(room)
    assert (len(sessions), len(events), runs) == (1, 1, [])


def test_what_a_turn_did_that_was_cut_off_is_not_forgotten(
    script: Script, room: Room, server: OpenAIServer
) -> None:
    script(server, "one")
    asked(store(room) / "journal.sqlite", "UPDATE runs SET status = 'running'")
    aged(room, 40)
    script(server, "/usage", options=["-c"])
    assert len(kept(room)[2]) == 1


def test_typed_lines_are_kept_to_a_size(room: Room) -> None:
    store(room).mkdir()
    history = store(room) / "history"
    lines = "".join(f"\n# 2026-01-01 00:00:00\n+line {number} {'x' * 1_000}\n" for number in range(2_500))
    history.write_text(lines)
    terminal = room.terminal(room.server(answer("hello")))
    terminal.say("a new line")
    assert 500_000 < history.stat().st_size < 1_100_000
    assert history.stat().st_mode & 0o777 == 0o600
    assert history.read_text().startswith("\n# ")
    terminal.type("\x1b[A\x1b[A")
    terminal.wait("> line 2499 ")
