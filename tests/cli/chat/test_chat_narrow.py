"""The chat in a narrow terminal: lines are broken between words, and what is one line stays one."""

from __future__ import annotations

from chat_room import Room, call
from chat_terminal import Terminal
from openai_server import answer, fail

from loopwright.cli.chat.commands import COMMANDS

WIDTH = 40


def narrow(room: Room, *server: object) -> Terminal:
    return room.terminal(room.server(*server), width=WIDTH)  # type: ignore[arg-type]  # behaviours


def test_help_breaks_no_word(room: Room) -> None:
    shown = narrow(room, answer("hi")).say("/help")
    for one in COMMANDS.values():
        assert one.usage in shown
        assert " ".join(one.help.split()) in " ".join(shown.split())


def test_a_question_breaks_no_word(room: Room) -> None:
    terminal = narrow(room, call("refund", order_id=17, amount=500), answer("understood"))
    terminal.enter("Refund order 17")
    shown = " ".join(terminal.wait(r"allow\?").split())
    assert "refund(order_id=17, amount=500) is irreversible." in shown
    assert "p: calls like this, e: edit, or why not" in shown


def test_what_a_command_says_breaks_no_word(room: Room) -> None:
    terminal = narrow(room, answer("These words are more than one line of this terminal can hold, by far."))
    terminal.enter("hi")
    terminal.wait("by far")
    shown = " ".join(terminal.say("/last").split())
    assert shown.count("These words are more than one line of this terminal can hold, by far.") == 2


def test_a_call_with_wide_characters_takes_one_line(room: Room) -> None:
    terminal = narrow(room, call("get_order", order_id="日本語の" * 9), answer("no such order"))
    terminal.enter("Where?")
    shown = terminal.wait("no such order").splitlines()
    at = next(place for place, line in enumerate(shown) if line.startswith("→"))
    assert "✗" in shown[at]
    assert shown[at + 1].startswith("no such order")


def test_without_colour_a_line_is_broken_between_words_too(room: Room) -> None:
    room.env["NO_COLOR"] = "1"
    terminal = narrow(room, call("get_order", order_id="no such order " * 9), fail(400, "words " * 20))
    terminal.enter("Where?")
    terminal.wait("price unknown")
    shown = terminal.wait_for_prompt()
    assert " ".join(["words"] * 20) in " ".join(shown.split())
    assert sum("✗" in line for line in shown.splitlines() if line.startswith("→")) == 1
