"""Keys in a real terminal: searching, stopping, and what is typed while something runs."""

from __future__ import annotations

import signal
import sys
import threading

from chat_room import Room, call, two_halves
from chat_terminal import PATIENCE, Terminal
from openai_server import OpenAIServer, Reply, answer, drip_events, rate_limited


def last(server: OpenAIServer) -> object:
    """The last message that the server got."""
    return server.requests[-1].body["messages"][-1]["content"]  # type: ignore[index]  # JSON


def test_a_line_that_was_found_by_ctrl_r_can_be_sent_again(room: Room) -> None:
    server = room.server(answer("shipped"), answer("welcome"), answer("shipped again"))
    terminal = room.terminal(server)
    terminal.say("where is 17")
    terminal.say("thanks")
    terminal.type("\x12is 17")
    terminal.wait(r"> where is 17\s*\n\s*I-search|I-search.*\n> where is 17")
    terminal.type("\r")
    terminal.wait(lambda text: "I-search" not in text and text.rstrip().endswith("> where is 17"))
    terminal.type("\r")
    terminal.wait("shipped again")
    assert last(server) == "where is 17"


def in_a_shell(room: Room, server: OpenAIServer) -> Terminal:
    """A chat that was started in a shell, with its prompt on the screen."""
    shell = room.stack.enter_context(
        Terminal(
            ["--norc", "--noprofile", "-i"], room.env | {"PS1": "$ "}, folder=room.folder, command=["bash"]
        )
    )
    shell.wait(r"\$")
    shell.type(f"{sys.executable} -m loopwright chat {' '.join(room.options(server))}\r")
    shell.wait_for_prompt()
    return shell


def test_ctrl_z_stops_the_chat_and_fg_goes_on_with_the_line(room: Room) -> None:
    server = room.server(answer("both halves"))
    shell = in_a_shell(room, server)
    shell.type("half a")
    shell.wait("> half a")
    shell.type("\x1a")
    shell.wait("Stopped")
    shell.type("fg\r")
    shell.wait(lambda text: text.rstrip().endswith("> half a"))
    shell.type(" line\r")
    shell.wait("both halves")
    assert last(server) == "half a line"


def test_ctrl_c_leaves_a_search_and_not_the_chat(room: Room) -> None:
    terminal = room.terminal(room.server(answer("first"), answer("second")))
    terminal.say("one")
    terminal.type("\x12on")
    terminal.wait("I-search backward: on")
    terminal.interrupt()
    terminal.wait_for_prompt()
    terminal.enter("two")
    terminal.wait("second")
    assert "to leave" not in terminal.text


def test_ctrl_z_in_an_answer_gives_the_screen_to_the_shell_and_fg_goes_on(room: Room) -> None:
    go_on = threading.Event()
    shell = in_a_shell(room, room.server(two_halves("the first ", "and the second half", go_on)))
    shell.type("tell me")
    shell.wait("> tell me")
    shell.type("\r")
    shell.wait("the first")
    shell.type("\x1a")
    shell.wait("Stopped")
    assert "the first" not in shell.text
    assert not shell.screen.cursor.hidden
    shell.type("fg\r")
    shell.wait("the first")
    go_on.set()
    shell.wait("the first and the second half")
    shell.wait_for_prompt()


def test_what_is_typed_while_an_answer_comes_is_the_next_line(room: Room) -> None:
    go_on = threading.Event()
    server = room.server(two_halves("the first ", "and the second half", go_on), answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("tell me")
    terminal.wait("the first")
    terminal.type("ahead of you\r")
    go_on.set()
    shown = terminal.wait("understood")
    assert "the first and the second half" in shown
    assert shown.count("ahead of you") == 1
    assert last(server) == "ahead of you"


def test_a_model_that_is_asked_again_is_said_and_need_not_be_waited_for(room: Room) -> None:
    server = room.server(rate_limited(50), answer("there again"))
    terminal = room.terminal(server, width=120)
    terminal.enter("hi")
    terminal.wait(r"asked again in \d\d s: openai/any: too many requests")
    terminal.interrupt()
    terminal.wait("interrupted")
    assert "there again" in terminal.say("and now?")
    assert "asked again" not in terminal.text


def test_arguments_that_the_tool_does_not_take_are_asked_for_again(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=500), answer("done"))
    terminal = room.terminal(server)
    terminal.enter("Refund order 17")
    terminal.wait(r"allow\?")
    terminal.type("e\r")
    terminal.wait("as JSON")
    terminal.type('\x15{"order": 17, "amount": 5}\r')
    shown = terminal.wait(r'as JSON: .*\n(.*\n)*.*as JSON: \{"order": 17')
    assert 'there is no parameter "order"; did you mean "order_id"?' in shown
    assert "refund(order_id: integer, amount: number)" in " ".join(shown.split())
    assert not (room.folder / "refunds.txt").exists()
    terminal.type('\x15{"order_id": 17, "amount": 5}\r')
    terminal.wait("done")
    assert (room.folder / "refunds.txt").read_text() == "17 5.0\n"


def test_what_was_typed_before_a_question_is_not_its_answer(room: Room) -> None:
    go_on = threading.Event()

    def late(reply: Reply) -> None:
        go_on.wait(PATIENCE)
        call("refund", order_id=17, amount=500)(reply)

    server = room.server(late, answer("understood"))
    terminal = room.terminal(server)
    terminal.enter("Refund order 17")
    terminal.wait("…")
    terminal.type("y\r")
    go_on.set()
    terminal.wait(r"allow\?")
    terminal.type("not now\r")
    assert "allow? not now" in terminal.wait("understood")
    assert "not now" in str(last(server))
    assert not (room.folder / "refunds.txt").exists()


def test_a_chat_that_is_told_to_end_leaves_the_terminal_and_the_turn_in_order(room: Room) -> None:
    terminal = room.terminal(room.server(drip_events))
    terminal.enter("tell me more")
    terminal.wait("more more more more")
    terminal.process.kill(signal.SIGTERM)
    assert terminal.ended() == 128 + signal.SIGTERM
    assert not terminal.screen.cursor.hidden
    shown = room.run(None, "-c", "--script", "-", stdin="/last\n").stdout
    assert "more more" in shown
    assert "[interrupted]" in shown
