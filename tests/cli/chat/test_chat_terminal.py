"""The chat in a real terminal: what a person sees, and what Ctrl-C does."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
from chat_room import Room, call, two_halves
from chat_terminal import PATIENCE, Terminal
from openai_server import answer, drip_events, hang

from loopwright.tools import ToolCall


def asked(room_server: object, number: int = -1) -> list[dict[str, object]]:
    """The messages of a request that the server got."""
    return room_server.requests[number].body["messages"]  # type: ignore[attr-defined,no-any-return]  # an OpenAIServer


def until_made(terminal: Terminal, file: Path) -> None:
    """Wait until there is this file."""
    end = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < end, f"no {file.name}:\n{terminal.text}"
        terminal.read()


def until_running(terminal: Terminal, room: Room) -> None:
    """Wait until the shop's slow tool runs."""
    until_made(terminal, room.folder / "waiting")


def test_an_answer_is_shown_while_it_is_written(room: Room) -> None:
    go_on = threading.Event()
    terminal = room.terminal(room.server(two_halves("one two ", "three four five", go_on)))
    terminal.enter("count")
    early = terminal.wait("one two")
    assert "three" not in early
    go_on.set()
    assert "one two three four five" in terminal.wait_for_prompt()


def test_a_tool_call_is_one_line_and_the_answer_is_markdown(room: Room) -> None:
    server = room.server(
        call("get_order", order_id=17), answer("Order **17** is *shipped*.\n\n- soon\n- very soon")
    )
    shown = room.terminal(server).say("Where is order 17?").splitlines()
    lines = [line for line in shown if line]
    assert lines[2].startswith("→ get_order(order_id=17) ✓ 0.")
    assert lines[2].endswith(" s")
    assert lines[3:6] == ["Order 17 is shipped.", " • soon", " • very soon"]


def test_the_price_of_an_unknown_model_is_shown_as_unknown(room: Room) -> None:
    assert "price unknown" in room.terminal(room.server(answer("hello"))).say("hi")


def test_a_person_may_edit_the_arguments_of_a_call(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=500), answer("done"))
    terminal = room.terminal(server)
    terminal.enter("Refund order 17")
    assert "refund(order_id=17, amount=500) is irreversible" in terminal.wait(r"allow\?")
    terminal.type("e\r")
    terminal.wait("as JSON")
    terminal.type("\x15" + '{"order_id": 17, "amount": 5}\r')
    shown = terminal.wait("done")
    assert "→ refund(order_id=17, amount=5) ✓" in shown
    assert (room.folder / "refunds.txt").read_text() == "17 5.0\n"
    assert "The user changed the call" in str(asked(server)[-1]["content"])


def test_no_because_tells_the_model_why(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=500), answer("I see"))
    terminal = room.terminal(server)
    terminal.enter("Refund order 17")
    terminal.wait(r"allow\?")
    terminal.type("no, because it was paid back yesterday\r")
    terminal.wait("I see")
    assert "because it was paid back yesterday" in str(asked(server)[-1]["content"])
    assert not (room.folder / "refunds.txt").exists()


def test_always_this_tool_asks_no_more(room: Room) -> None:
    server = room.server(
        call("refund", order_id=17, amount=5),
        answer("once"),
        call("refund", order_id=18, amount=6),
        answer("twice"),
    )
    terminal = room.terminal(server)
    terminal.enter("Refund 17")
    terminal.wait(r"allow\?")
    terminal.type("a\r")
    terminal.wait("once")
    assert "twice" in terminal.say("and 18")
    assert (room.folder / "refunds.txt").read_text() == "17 5.0\n18 6.0\n"


def test_a_pattern_that_a_person_widens_asks_no_more_about_calls_that_fit(room: Room) -> None:
    server = room.server(
        call("refund", order_id=17, amount=5),
        answer("once"),
        call("refund", order_id=17, amount=6),
        answer("twice"),
        call("refund", order_id=18, amount=6),
        answer("thrice"),
    )
    terminal = room.terminal(server)
    terminal.enter("Refund 17")
    terminal.wait(r"allow\?")
    terminal.type("p\r")
    terminal.wait(r"that fit: refund\(order_id=17, amount=5.0\)")
    terminal.type("\x7f" * len("amount=5.0)") + "amount<=10)\r")
    terminal.wait("once")
    terminal.say("again 17")
    questions = terminal.text.count("allow?")
    terminal.enter("and 18")
    terminal.wait(lambda shown: shown.count("allow?") > questions)
    terminal.type("n\r")
    terminal.wait("thrice")
    assert (room.folder / "refunds.txt").read_text() == "17 5.0\n17 6.0\n"


def test_what_ends_while_a_person_is_asked_is_shown_after_the_answer(room: Room) -> None:
    both = [ToolCall("get_order", {"order_id": 17}), ToolCall("look", {})]
    terminal = room.terminal(room.server(answer(both), answer("understood")))
    terminal.say("/approve ask get_order")
    terminal.enter("Where is 17?")
    terminal.wait(r"allow\?")
    until_made(terminal, room.folder / "looked")
    assert terminal.read(0.3)
    assert "→ look()" not in terminal.text
    terminal.type("y\r")
    shown = terminal.wait("understood")
    assert shown.index("allow? y") < shown.index("→ look() ✓") < shown.index("understood")


def test_ctrl_c_in_a_model_call_keeps_what_was_written(room: Room) -> None:
    server = room.server(drip_events, answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("tell me more")
    terminal.wait("more more more more")
    terminal.interrupt()
    assert "interrupted: what came until now is kept" in terminal.wait_for_prompt()
    assert "understood" in terminal.say("enough")
    kept = str(asked(server)[2]["content"])
    assert kept.startswith("more more")
    assert kept.endswith("[interrupted]")


def test_ctrl_c_in_a_tool_call_answers_every_open_call(room: Room) -> None:
    both = [ToolCall("wait", {"seconds": 60}), ToolCall("get_order", {"order_id": 17})]
    server = room.server(answer(both), answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("wait a minute")
    until_running(terminal, room)
    terminal.interrupt()
    terminal.wait("interrupted: what came until now is kept")
    assert "understood" in terminal.say("go on")
    messages = asked(server)
    assert [message["role"] for message in messages] == [
        *("system", "user", "assistant", "tool", "tool", "assistant", "user"),
    ]
    assert "interrupted: the person stopped this call" in str(messages[3]["content"])
    assert "interrupted" in str(messages[4]["content"])


def test_a_tool_that_blocks_its_thread_can_be_left_behind(room: Room) -> None:
    server = room.server(call("sleep", seconds=60), answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("sleep")
    until_running(terminal, room)
    terminal.interrupt()
    assert "understood" in terminal.say("go on")
    terminal.enter("/quit")
    assert terminal.ended() == 0


def test_ctrl_c_at_a_question_stops_the_turn(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=5), answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("Refund 17")
    terminal.wait(r"allow\?")
    terminal.interrupt()
    assert "interrupted: what came until now is kept" in terminal.wait_for_prompt()
    assert "understood" in terminal.say("go on")
    assert "interrupted" in str(asked(server)[3]["content"])


def test_ctrl_c_twice_on_an_empty_line_leaves(room: Room) -> None:
    terminal = room.terminal(room.server(hang))
    terminal.wait_for_prompt()
    terminal.type("half a line")
    terminal.wait("half a line")
    terminal.interrupt()
    terminal.wait_for_prompt()
    terminal.interrupt()
    terminal.wait("Ctrl-C again to leave")
    terminal.wait_for_prompt()
    terminal.interrupt()
    assert terminal.ended() == 0


def test_a_killed_chat_goes_on_and_repeats_no_call_that_was_done(room: Room) -> None:
    server = room.server(
        call("get_order", order_id=18),
        call("wait", seconds=60),
        answer("order 18 is lost"),
    )
    terminal = room.terminal(server)
    terminal.enter("Find order 18, then wait")
    until_running(terminal, room)
    terminal.process.kill(signal.SIGKILL)
    terminal.ended()
    again = room.terminal(None, "-c")
    assert "the last turn was cut off" in again.wait_for_prompt()
    assert "lost" in again.say("/last")
    assert "order 18 is lost" in again.say("/retry")
    assert len(server.requests) == 3
    assert "it is not made again" in str(asked(server)[-1]["content"])


def test_a_killed_chat_may_go_on_without_a_retry(room: Room) -> None:
    server = room.server(call("wait", seconds=60), answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("wait")
    until_running(terminal, room)
    terminal.process.kill(signal.SIGKILL)
    terminal.ended()
    assert "understood" in room.terminal(None, "-c").say("never mind")
    assert "interrupted" in str(asked(server)[3]["content"])


def test_a_chat_that_is_killed_while_an_answer_is_written_keeps_what_came(room: Room) -> None:
    server = room.server(drip_events, answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("tell me more")
    terminal.wait("more more more more")
    terminal.process.kill(signal.SIGKILL)
    terminal.ended()
    assert "understood" in room.terminal(None, "-c").say("enough")
    kept = str(asked(server)[2]["content"])
    assert kept.startswith("more more")
    assert kept.endswith("[interrupted]")


def test_a_day_at_the_chat(room: Room) -> None:
    server = room.server(
        call("get_order", order_id=17),
        answer("Order 17 is shipped."),
        answer("Something wrong."),
        answer("You are welcome."),
        answer("I said that before."),
        answer("From another model."),
    )
    terminal = room.terminal(server)
    terminal.say("Where is order 17?")
    assert "demonstration 1" in terminal.say("/good")
    terminal.say("Thank you")
    assert "You are welcome." in terminal.say("/retry")
    assert "price unknown" in terminal.say("/usage")
    assert "2 turns" in terminal.say("/export md talk.md")
    assert "taken back: Thank you" in terminal.say("/undo")
    assert "shares the first 1 turn of" in terminal.say("/fork 1")
    assert "I said that before." in terminal.say("And again?")
    assert "openai/other answers from here on" in terminal.say("/model openai/other")
    assert "From another model." in terminal.say("Who are you?")
    assert "1 demonstration" in terminal.say("/save learned.json")
    assert "task 1, 'where-is-order-17', 3 turns" in terminal.say("/save-task tasks.yaml")
    assert "no command '/sve'; did you mean /save?" in terminal.say("/sve")
    terminal.enter("/quit")
    assert terminal.ended() == 0
    assert server.requests[-1].body["model"] == "other"
    first_of_all = ["Where is order 17?", None, "shipped", "Order 17 is shipped."]
    assert [message.get("content") for message in asked(server)[1:9]] == first_of_all * 2
    assert "> Thank you" in (room.folder / "talk.md").read_text()
    assert '"get_order"' in (room.folder / "learned.json").read_text()


def test_a_session_is_open_in_one_chat_at_a_time(room: Room) -> None:
    server = room.server(answer("hello"))
    first = room.terminal(server)
    first.say("hi")
    second = room.run(None, "-c", "-p", "hi")
    assert second.returncode == 2
    assert "is open in another chat" in second.stderr


def test_what_could_steer_the_terminal_is_made_visible(room: Room) -> None:
    server = room.server(
        call("shout"), answer("fine \x1b[31mred\x1b]0;title\x07 \u202edlrow [x](javascript:alert)")
    )
    terminal = room.terminal(server)
    shown = terminal.say("shout")
    assert "fine ␛[31mred␛]0;title␇ <202E>dlrow" in shown
    assert "<202E>dlrow" in terminal.say("/last")
    for steering in (b"\x1b]0;", b"\x1b[31mred", b"\x1b[2J\x1b]", "\u202e".encode()):
        assert steering not in terminal.raw
    assert b"\x1b]8;" not in terminal.raw


def test_a_huge_result_takes_one_line(room: Room) -> None:
    server = room.server(call("shout"), answer("fine"))
    shown = room.terminal(server).say("shout")
    assert shown.count("xxxxxxxxxx") == 0
    assert len([line for line in shown.splitlines() if line.strip()]) == 6


@pytest.mark.parametrize("keys", ["\\\r", "\x1b\r"], ids=["backslash-enter", "esc-enter"])
def test_a_message_may_have_several_lines(room: Room, keys: str) -> None:
    server = room.server(answer("two lines"))
    terminal = room.terminal(server)
    terminal.wait_for_prompt()
    terminal.type(f"first{keys}")
    terminal.wait("first")
    terminal.type("second\r")
    terminal.wait("two lines")
    assert asked(server)[-1]["content"] == "first\nsecond"


def test_what_is_pasted_is_not_sent_line_by_line(room: Room) -> None:
    server = room.server(answer("pasted"))
    terminal = room.terminal(server)
    terminal.wait_for_prompt()
    terminal.type("\x1b[200~line one\nline two\x1b[201~")
    terminal.wait("line two")
    assert not server.requests
    terminal.type("\r")
    terminal.wait("pasted")
    assert asked(server)[-1]["content"] == "line one\nline two"


def test_tab_completes_commands_tools_and_files(room: Room) -> None:
    (room.folder / "receipt.txt").write_text("amount: 20")
    terminal = room.terminal(room.server(answer("seen")))
    for typed, completed in (
        ("/sav", "/save-task"),
        ("/tools get_", "get_order"),
        ("see @rece", "receipt.txt"),
    ):
        terminal.wait_for_prompt()
        terminal.type(typed)
        terminal.wait(completed)
        terminal.interrupt()


def test_what_was_typed_is_found_again_and_is_its_owners_alone(room: Room) -> None:
    server = room.server(answer("hello"))
    first = room.terminal(server)
    first.say("a very long question")
    first.enter("/quit")
    first.ended()
    second = room.terminal(server)
    second.wait_for_prompt()
    second.type("\x12very")
    second.wait("a very long question")
    folder = Path(room.env["LOOPWRIGHT_CHAT"])
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert {"sessions.sqlite", "history", "journal.sqlite"} <= set(modes)
    private = {name: mode for name, mode in modes.items() if not name.endswith(".lock")}
    assert set(private.values()) == {0o600}


def test_a_message_is_written_in_the_editor(room: Room) -> None:
    editor = room.folder / "editor.sh"
    editor.write_text('#!/bin/sh\nprintf "%s and more" "$(cat "$1")" > "$1"\n')
    editor.chmod(0o755)
    room.env["EDITOR"] = str(editor)
    room.env.pop("VISUAL", None)
    server = room.server(answer("read"))
    assert "read" in room.terminal(server).say("/edit a draft")
    assert asked(server)[-1]["content"] == "a draft and more"


def test_without_colour_nothing_is_coloured_or_taken_back(room: Room) -> None:
    room.env["NO_COLOR"] = "1"
    server = room.server(call("get_order", order_id=17), answer("Order **17** is shipped."))
    terminal = room.terminal(server)
    shown = terminal.say("Where?")
    assert "Order **17** is shipped." in shown
    answered = terminal.raw[terminal.raw.index("→".encode()) : terminal.raw.index(b"shipped.")]
    assert b"\x1b" not in answered


def test_a_prompt_that_waits_wakes_for_nothing(room: Room) -> None:
    terminal = room.terminal(room.server(answer("Hello.")))
    terminal.tells_its_cursor = False  # which is waited for at first, and then no more, without a word
    terminal.say("Hi")
    status = Path(f"/proc/{terminal.process.pid}/status")
    if not status.exists():
        pytest.skip("no /proc to read from")

    def woken() -> str:
        return next(line for line in status.read_text().splitlines() if line.startswith("voluntary"))

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:  # what follows an answer may take a while
        before = woken()
        time.sleep(2)
        terminal.read()
        if woken() == before:
            break
    assert woken() == before
    assert terminal.text.rstrip().endswith(">")
    assert "WARNING" not in terminal.text


def test_the_embedded_model_says_what_it_is_good_for(room: Room) -> None:
    terminal = room.terminal(None)
    assert "Embedded model: sums, units and dates, one question at a time" in terminal.wait_for_prompt()
    shown = terminal.say("What is 15% of 240?")
    assert "→ calculate(" in shown
    assert "\n36\n" in shown
