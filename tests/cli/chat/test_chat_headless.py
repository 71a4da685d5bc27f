"""The chat without a person: -p, --json, --script, pipes, and the exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import jsonschema
import pytest
from chat_room import Room, Script, call
from chat_terminal import PATIENCE
from openai_server import answer, fail, hang, rate_limited

from loopwright.cli.chat.events import RetryEvent
from loopwright.cli.chat.show import AnswerShow, PlainShow
from loopwright.models import LMResponse, Usage

ESCAPE = "\x1b"


def test_p_prints_the_answer_and_nothing_else(room: Room) -> None:
    done = room.run(room.server(call("get_order", order_id=17), answer("It is **shipped**.")), "-p", "Where?")
    assert (done.returncode, done.stdout, done.stderr) == (0, "It is **shipped**.\n", "")


def test_a_pipe_gets_no_colour_and_no_prompt(room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("It is **shipped**."))
    done = room.run(server, stdin="Where is it?\n")
    assert done.returncode == 0
    assert re.sub(r"\d\.\d s", "N s", done.stdout).splitlines() == [
        "> Where is it?",
        "→ get_order(order_id=17) ✓ N s",
        "It is **shipped**.",
    ]
    assert ESCAPE not in done.stdout + done.stderr


def test_nobody_is_asked_without_a_terminal(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=5), answer("I may not."))
    assert room.run(server, "-p", "Refund 17").stdout == "I may not.\n"
    assert not (room.folder / "refunds.txt").exists()


def test_allow_says_yes_beforehand(room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=5), answer("Done."))
    assert room.run(server, "-p", "Refund 17", "--allow", "refund(amount<=10)").returncode == 0
    assert (room.folder / "refunds.txt").exists()


def test_every_line_of_json_fits_the_published_schema(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("shipped \x1b[31m"), fail(400, "no"))
    schema = json.loads(script.chat(None, "--schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    done = script(server, "Where?", "/good", "/usage", "/undo", "again", options=["--json"])
    lines = [json.loads(line) for line in done.out.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema)
    assert [line["event"] for line in lines if line["event"] not in ("token", "model", "step")] == [
        *("setup", "turn", "call", "result", "end", "demos", "mark", "notice", "notice", "undo", "notice"),
        *("turn", "end"),
    ]
    assert ESCAPE not in done.out
    assert "".join(line["text"] for line in lines if line["event"] == "token") == "shipped \x1b[31m"
    assert (lines[-1]["reason"], done.code) == ("failed", 1)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-p", "hi", "--script", "x"], 2, "not both"),
        (["-p", " "], 2, "the message is empty"),
        (["-c", "--resume", "x"], 2, "not both"),
        (["--ephemeral", "-c"], 2, "keeps no session"),
        (["-c", "-p", "hi"], 2, "no session to go on with"),
        (["--resume", "nope", "-p", "hi"], 2, "no session 'nope'"),
        (["-p", "hi", "--tools", "calculat"], 2, "calculat"),
        (["-p", "hi", "--deny", "refnd"], 2, "fits no tool"),
        (["-p", "hi", "--signature", "a, b -> c"], 2, "one input"),
        (["-p", "hi", "--program", "nowhere.json"], 2, "no such file"),
        (["--script", "nowhere.txt"], 2, "nowhere.txt"),
        (["-p", "hi", "--max-usd", "0"], 2, "--max-usd"),
    ],
)
def test_wrong_options_end_with_2(script: Script, options: list[str], code: int, said: str) -> None:
    done = script.chat(None, *options)
    assert (done.code, said in done.err) == (code, True), done.err


def test_an_unknown_command_in_a_script_is_found_before_anything_is_asked(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    done = script(server, "hi", "/udno")
    assert done.code == 2
    assert "turns.txt: no command '/udno'; did you mean /undo?" in done.err
    assert not server.requests


def test_a_failed_turn_ends_a_script_with_1(script: Script, room: Room) -> None:
    server = room.server(fail(400, "this is refused"), answer("never said"))
    done = script(server, "hi", "there")
    assert (done.code, done.out) == (1, "> hi\n")
    assert "this is refused" in done.err
    assert len(done.err.splitlines()) == 1


def test_an_unfinished_answer_is_a_failure(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17))
    done = script.chat(server, "-p", "Where?", "--max-steps", "2")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("no answer: the run ended with ")


def test_a_script_may_hold_lines_that_go_on(script: Script, room: Room) -> None:
    server = room.server(answer("both"))
    assert script(server, "one \\", "two", "", "").code == 0
    assert server.requests[0].body["messages"][-1]["content"] == "one \ntwo"  # type: ignore[index]  # JSON


def test_an_interrupt_ends_with_130_and_keeps_the_turn(room: Room) -> None:
    server = room.server(hang)
    command = [sys.executable, "-m", "loopwright", "chat", *room.options(server, ["-p", "hi"])]
    process = subprocess.Popen(
        command,
        env=room.env,
        cwd=room.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE
    while not server.requests and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert "interrupted" in err
    assert room.run(None, "--script", "-", "-c", stdin="/last\n").stdout.endswith("[interrupted]\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no name for standard input")
def test_what_comes_through_a_pipe_goes_along(room: Room) -> None:
    server = room.server(answer("Fine."))
    done = room.run(server, "-p", "Review @/dev/stdin", stdin="+ a line\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Fine.\n", "")
    sent = server.requests[0].body["messages"][-1]["content"]  # type: ignore[index]  # JSON
    assert sent == 'Review @/dev/stdin\n\n<file name="/dev/stdin">\n+ a line\n</file>'


def test_p_says_which_file_is_not_there(room: Room) -> None:
    done = room.run(room.server(answer("Which report?")), "-p", "Sum up @reprot.txt")
    assert (done.returncode, done.stdout) == (0, "Which report?\n")
    assert done.stderr == "@reprot.txt: no such file; it is sent as it stands\n"


def test_a_reader_that_goes_away_ends_it_without_a_word(room: Room) -> None:
    server = room.server(answer("nobody reads this"))
    command = [sys.executable, "-m", "loopwright", "chat", *room.options(server, ["-p", "hi"])]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command,
            env=room.env,
            check=False,
            cwd=room.folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_warning_is_one_line_for_a_person(room: Room) -> None:
    (room.folder / "a file").write_text("no folder")
    room.env |= {"LOOPWRIGHT_CACHE": "on", "LOOPWRIGHT_CACHE_DIR": str(room.folder / "a file")}
    done = room.run(room.server(answer("hello")), "-p", "hi")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert done.stderr.startswith("warning: the cache of answers at ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/attach nowhere.txt", "nowhere.txt: no such file"),
        ("/attach .", ". is no file: attach its files one by one"),
        ("/demos drop 3", "'3' is no demonstration; there are none: /good makes one of the last turn"),
        ("/trace 7", "'7' is no model call; there are 1 to 1"),
        ('/fix call 2 {"order_id": 17}', "'2' is no call; there are none: the turn made no call"),
    ],
    ids=["no file", "folder", "demonstration", "model call", "call"],
)
def test_what_is_not_there_is_called_by_its_name(script: Script, room: Room, command: str, told: str) -> None:
    done = script(room.server(answer("hello")), "hi", command)
    assert (done.code, done.err) == (2, f"{told}\n")


def test_a_budget_in_dollars_needs_a_price(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    done = script(server, "hi", options=["--max-usd", "1"])
    assert (done.code, done.out, server.requests) == (2, "", [])
    assert "the price of openai/any is not known" in done.err


def test_no_model_without_a_price_is_taken_later_under_a_budget_in_dollars(
    script: Script, room: Room
) -> None:
    done = script(None, "/model openai/any", options=["--max-usd", "1"])
    assert done.code == 1
    assert "the price of openai/any is not known" in done.err


def test_a_budget_in_dollars_ends_what_is_asked(script: Script, room: Room) -> None:
    server = room.server(answer(LMResponse("hello", usage=Usage(4_000_000, 1_000_000))))
    options = ["-m", "openai/gpt-4o-mini", "--api-base", server.url, "--max-usd", "0.5"]
    done = script(None, "hi", "there", options=options)
    assert (done.code, done.out.count("hello"), len(server.requests)) == (1, 1, 1)
    assert "the budget of 0.5 dollars is used up" in done.err


def test_the_embedded_model_answers_a_pipe(script: Script) -> None:
    done = script.chat(None, "-p", "What is 15% of 240?")
    assert (done.code, done.out, done.err) == (0, "36\n", "")


@pytest.mark.parametrize("line", ["hello", "Who is the king of Spain?"])
def test_an_answer_of_the_embedded_model_that_may_be_beside_the_question_is_said_to_be_so(
    script: Script, line: str
) -> None:
    done = script.chat(None, "-p", line)
    assert (done.code, done.err.count("this may be beside the question")) == (0, 1)


@pytest.mark.parametrize("line", ["What is twelve times seven?", "Which day of the week is it tomorrow?"])
def test_questions_of_its_kinds_are_not_doubted(script: Script, line: str) -> None:
    assert script.chat(None, "-p", line).err == ""


def test_that_a_model_is_asked_again_is_an_event(script: Script, room: Room) -> None:
    done = script.chat(room.server(rate_limited(0.01), answer("hello")), "-p", "hi", "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    [retry] = [one for one in events if one["event"] == "retry"]
    assert (done.code, done.err, retry["seconds"]) == (0, "", 0.01)


def test_a_short_wait_for_a_model_is_not_worth_a_line(script: Script, room: Room) -> None:
    done = script.chat(room.server(rate_limited(0.01), answer("hello")), "-p", "hi")
    assert (done.code, done.out, done.err) == (0, "hello\n", "")


@pytest.mark.parametrize("kind", [AnswerShow, PlainShow])
def test_a_long_wait_for_a_model_is_one_line_beside_the_answer(
    kind: type[AnswerShow] | type[PlainShow], capsys: pytest.CaptureFixture[str]
) -> None:
    kind().event(RetryEvent(turn=1, seconds=20, reason="too many\x1b requests"))
    assert capsys.readouterr() == ("", "asked again in 20 s: too many␛ requests\n")
