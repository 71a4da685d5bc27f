"""The commands of the chat: going back, changing what answers, looking, learning, taking out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_room import Room, Script, call
from openai_server import OpenAIServer, answer, fail, from_lm

import loopwright as lw
from loopwright.models import FunctionLM


def asked(server: OpenAIServer, number: int = -1) -> list[dict[str, Any]]:
    """The messages of a request that the server got."""
    messages: list[dict[str, Any]] = server.requests[number].body["messages"]  # type: ignore[assignment]  # JSON
    return messages


def texts(server: OpenAIServer, number: int = -1) -> list[str]:
    """What was said in a request, without the system message."""
    return [str(message.get("content")) for message in asked(server, number)[1:]]


def test_help_lists_every_command_of_the_page(script: Script) -> None:
    shown = script(None, "/help").out
    page = (
        "/help /quit /clear /undo /retry /fork /edit /tools /approve /model /set /usage /trace /last /save /resume "
        "/sessions /attach /system /demos /good /bad /fix /save-task /export /compact /optimize"
    )
    assert [name for name in page.split() if f"\n{name} " not in f"\n{shown}"] == []


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_breaks_no_word_at_any_width(
    script: Script, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    whole = set(script(None, "/help").out.split())
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = script(None, "/help").out
    assert max(map(len, shown.splitlines())) < columns
    assert set(shown.split()) == whole


def test_an_unknown_command_never_reaches_the_model(room: Room) -> None:
    server = room.server(answer("hello"))
    done = room.run(server, stdin="/modle x\n")
    assert (done.returncode, server.requests) == (2, [])
    assert "did you mean /model?" in done.stderr


def test_undo_takes_the_last_turn_back(script: Script, room: Room) -> None:
    server = room.server(answer("first"), answer("second"), answer("third"))
    script(server, "one", "two", "/undo", "three")
    assert texts(server) == ["one", "first", "three"]


def test_retry_asks_anew_and_drops_the_answer_before(script: Script, room: Room) -> None:
    server = room.server(answer("first"), answer("second"), answer("third"))
    assert "second" in script(server, "one", "/retry", "two").out
    assert texts(server) == ["one", "second", "two"]


def test_every_retry_is_drawn_anew_though_answers_are_kept(room: Room) -> None:
    room.env["LOOPWRIGHT_CACHE"] = "memory"
    server = room.server(answer("first"), answer("second"), answer("third"))
    done = room.run(server, stdin="one\n/retry\n/retry\n/undo\none\n")
    said = [line for line in done.stdout.splitlines() if not line.startswith((">", "taken"))]
    assert said == ["first", "second", "third", "first"]
    assert len(server.requests) == 3


def test_fork_goes_on_from_an_earlier_turn_and_leaves_the_session_as_it_was(
    script: Script, room: Room
) -> None:
    server = room.server(answer("first"), answer("second"), answer("third"))
    script(server, "one", "two", "/fork 1", "three", "/sessions")
    assert texts(server) == ["one", "first", "three"]
    listed = script(None, "/sessions", options=["-c"]).out
    assert " 2 turns  one" in listed
    assert "(from" in listed  # the session's name may be on the next line


def test_clear_begins_anew_and_resume_goes_back(script: Script, room: Room) -> None:
    server = room.server(answer("first"), answer("second"), answer("third"))
    script(server, "one", "/clear", "two", "/resume", "three")
    assert texts(server, 1) == ["two"]
    assert texts(server) == ["one", "first", "three"]


def test_model_takes_another_and_a_wrong_one_changes_nothing(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    done = room.run(server, stdin="/model openai/other\nhi\n/model\n/model nonsense\n")
    assert server.requests[0].body["model"] == "other"
    assert "openai/other\n" in done.stdout
    assert done.returncode == 1
    assert "names no provider" in done.stderr


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("/set temperature 0", "temperature", 0),
        ("/set temperature = 0.5", "temperature", 0.5),
        ("/set max_tokens 50", "max_tokens", 50),
        ("/set seed 7", "seed", 7),
    ],
)
def test_set_goes_to_the_model(script: Script, room: Room, line: str, name: str, value: object) -> None:
    server = room.server(answer("hello"))
    script(server, line, "hi")
    assert server.requests[0].body[name] == value


def test_settings_are_shown_and_put_back(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    lines = [
        "/set temperature 0.5",
        "/set cache off",
        "/set reasoning_effort low",
        "/set max_steps 3",
        "/set",
    ]
    shown = script(server, *lines, "/set temperature none", "/set reasoning_effort none", "hi").out
    listed = 'temperature = 0.5\nreasoning_effort = "low"\ncache = false\nmax_steps = 3\n'
    assert listed in shown
    assert "temperature" not in server.requests[0].body


def test_what_is_not_asked_to_change_is_shown(script: Script, room: Room) -> None:
    lines = ["/system", "/system Be brief.", "/system", "/model", "/tools use ''", "/tools", "/help fork"]
    shown = script(room.server(answer("hello")), *lines).out
    assert "(none of your own)\n" in shown
    assert "\nBe brief.\nopenai/any\n" in shown
    assert "no tools; /tools use" in shown
    assert "/fork [K]\n" in shown


def test_what_is_attached_can_be_dropped(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    shown = script(server, "!false", "/attach shop.py", "/attach drop", "hi").out
    assert "(no output)\n(exit code 1)\n" in shown
    assert texts(server) == ["hi"]


def test_back_to_the_embedded_model_takes_no_address_along(script: Script, room: Room) -> None:
    done = script(
        room.server(answer("hello")), "/model embedded", "/tools use calculate", "What is 15% of 240?"
    )
    assert done.out.splitlines()[-1] == "36"


def test_one_of_several_outputs_is_corrected(script: Script, room: Room) -> None:
    server = room.server(call("submit", total=36.0, unit="EUR"))
    options = ["-s", "request -> total: float, unit"]
    done = script(server, "15% of 240 EUR?", '/fix {"total": "37"}', options=options)
    assert done.out.count("total: 37.0\nunit: EUR\n") == 1
    for wrong in ("37", '{"sum": 37}', '{"total": "many"}', "call 1", "call x {}"):
        assert script(server, "15% of 240 EUR?", f"/fix {wrong}", options=options).code == 2


def test_a_turn_without_an_answer_is_no_demonstration_until_it_is_fixed(script: Script, room: Room) -> None:
    server = room.server(fail(400, "refused"), answer("hello"))
    script(server, "hi")
    assert "no answer to learn from" in script(None, "/good", options=["-c"]).err
    done = script(None, "/fix hello", "/good", "/demos clear", "/demos", options=["-c"])
    assert (done.code, "no demonstrations" in done.out) == (0, True)
    assert "already" in script(None, "/good", "/good", options=["-c"]).err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/set temprature 0", "did you mean 'temperature'"),
        ("/set temperature hot", "temperature is 'hot'"),
        ("/set temperature", "wants a value"),
        ("/set max_steps many", "whole number"),
        ("/tools get_ordr", "did you mean 'get_order'"),
        ("/tools use nonsense_tool", "nonsense_tool"),
        ("/approve allow refnd", "did you mean 'refund'"),
        ("/approve perhaps x", "write /approve allow PATTERN"),
        ("/fork 3", "is no turn"),
        ("/good 9", "is no turn"),
        ("/undo", "nothing was said yet"),
        ("/retry", "nothing was said yet"),
        ("/last", "nothing was said yet"),
        ("/trace", "no model was asked"),
        ("/export pdf", "write /export md|json|html"),
        ("/attach nowhere.txt", "nowhere.txt"),
        ("/demos frob", "write /demos"),
        ("/demos drop 1", "is no demonstration"),
        ("/save-task", "wants a file"),
        ("/optimize", "wants a file"),
        ("/optimize nowhere.yaml", "nowhere.yaml"),
        ("/resume", "no other session"),
        ("/help frob", "no command '/frob'"),
        ("/edit", "needs a terminal"),
        ("!", "comes a command of your shell"),
    ],
)
def test_a_command_that_makes_no_sense_is_told_in_one_line(
    script: Script, room: Room, line: str, said: str
) -> None:
    server = room.server(answer("hello"))
    done = script(server, line)
    assert done.code in (1, 2)
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not server.requests


def test_system_is_what_the_model_is_told_first(script: Script, room: Room) -> None:
    server = room.server(answer("a"), answer("b"))
    script(server, "/system Speak like a pirate.", "hi", "/system none", "ho")
    assert asked(server, 0)[0]["content"] == "Speak like a pirate."
    assert "helpful assistant" in asked(server)[0]["content"]


def test_tools_are_listed_shown_and_changed(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    shown = script(server, "/tools", "/tools refund", "/tools use calculate", "hi").out
    assert "refund" in shown
    assert "irreversible" in shown
    assert '"amount"' in shown
    tools: Any = server.requests[0].body["tools"]
    assert [tool["function"]["name"] for tool in tools] == ["calculate"]


def test_a_rule_of_approve_decides(script: Script, room: Room) -> None:
    server = room.server(
        call("refund", order_id=17, amount=5), answer("a"), call("get_order", order_id=17), answer("b")
    )
    lines = ["/approve allow refund(amount<=10)", "one", "/approve deny get_*", "two", "/approve"]
    assert "deny  get_*\nallow refund(amount<=10)\n" in script(server, *lines).out
    assert (room.folder / "refunds.txt").exists()
    assert 'the rule "get_*" says so' in texts(server)[-1]


def test_forget_begins_with_the_rules_of_the_options_again(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("a"))
    shown = script(
        server, "/approve allow *", "/approve forget", "/approve", "one", options=["--deny", "get_*"]
    ).out
    assert "allow *" not in shown.split("forgotten")[1]
    assert 'the rule "get_*" says so' in texts(server)[-1]


def test_usage_adds_up(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    lines = script(server, "hi", "there", "/usage").out.splitlines()
    assert lines[-2].startswith("last turn: ")
    assert "price unknown" in lines[-1]


def test_trace_shows_what_was_sent_and_last_what_came(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("shipped it is"))
    shown = script(server, "Where?", "/trace", "/trace 1", "/last").out
    assert "get_order" in shown
    assert "1. get_order(order_id=17)\nshipped\n" in shown


def test_a_file_and_a_commands_output_go_along(script: Script, room: Room) -> None:
    (room.folder / "note.txt").write_text("the code is 4711\n")
    (room.folder / "other.txt").write_text("other\n")
    (room.folder / "picture.bin").write_bytes(b"\0\1")
    server = room.server(answer("read"))
    done = script(
        server,
        "/attach other.txt",
        "!echo from the shell",
        "see @note.txt, @picture.bin and me@home.org @gone",
    )
    said = texts(server)[0]
    assert said.startswith("see @note.txt, @picture.bin and me@home.org @gone\n\n")
    assert '<file name="note.txt">\nthe code is 4711\n</file>' in said
    assert '<file name="other.txt">' in said
    assert '<command line="echo from the shell" exit="0">\nfrom the shell\n' in said
    assert "picture.bin holds no text" in done.err
    assert "@gone: no such file" in done.err


def test_a_good_turn_is_shown_to_the_model_and_saved_in_the_program(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("It is shipped."), answer("hello"))
    script(server, "Where is 17?", "/good", "/save learned.json", "/clear", "hi")
    assert [message["role"] for message in asked(server)[1:]] == [
        *("user", "assistant", "tool", "assistant", "user"),
    ]
    assert texts(server)[0] == "Where is 17?"
    saved = lw.ReAct("question -> answer", tools=[])
    saved.load(room.folder / "learned.json")
    demo = saved.react.demos[0]
    assert (demo.question, demo.answer) == ("Where is 17?", "It is shipped.")
    assert [str(one) for one in demo.trajectory.calls] == ["get_order(order_id=17)"]


def test_a_saved_program_is_gone_on_with(script: Script, room: Room) -> None:
    server = room.server(answer("Paris."), answer("Rome."))
    script(server, "/system Name capitals.", "France?", "/good", "/save learned.json")
    script(server, "Italy?", options=["--program", "learned.json"])
    assert asked(server)[0]["content"] == "Name capitals."
    assert texts(server) == ["France?", "Paris.", "Italy?"]


def test_demonstrations_are_shown_added_and_dropped(script: Script, room: Room) -> None:
    server = room.server(answer("a"), answer("b"), answer("c"))
    shown = script(
        server, "one", "two", "/demos add 1", "/demos add 2", "/demos drop 1", "/undo", "/undo", "three"
    ).out
    assert "1. two -> b" in shown
    assert texts(server) == ["two", "b", "three"]


def test_bad_drops_what_a_turn_taught(script: Script, room: Room) -> None:
    server = room.server(answer("a"), answer("b"))
    script(server, "one", "/good", "/bad it was rude", "/clear", "two")
    assert texts(server) == ["two"]


def test_fix_puts_an_answer_right(script: Script, room: Room) -> None:
    server = room.server(answer("It is lost."), answer("b"))
    shown = script(
        server, "Where is 17?", "/fix It is shipped.", "/usage", "/export md", "/good", "/demos", "thanks"
    ).out
    assert "/good makes the turn a demonstration" in shown
    assert "last turn: 0 tokens" not in shown  # what it took, though a person wrote its end
    assert "It is shipped.\n\n(put right by hand; the agent said: It is lost.)" in shown
    assert "-> It is shipped." in shown
    assert texts(server)[-2:] == ["It is shipped.", "thanks"]


def test_fix_makes_a_call_anew_with_other_arguments(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=18), answer("It is lost."), answer("b"))
    shown = script(
        server, "Where is 17?", '/fix call 1 {"order_id": 17}', "/fix It is shipped.", "thanks"
    ).out
    assert "1. get_order(order_id=17)\nshipped" in shown
    calls = asked(server)[2]["tool_calls"][0]["function"]
    assert json.loads(calls["arguments"]) == {"order_id": 17}
    assert texts(server)[2:] == ["shipped", "It is shipped.", "thanks"]


@pytest.mark.parametrize("form", ["md", "json", "html"])
def test_an_export_holds_the_conversation_and_nothing_that_steers(
    script: Script, room: Room, form: str
) -> None:
    hostile = "<script>alert(1)</script> \x1b[2J \u202edlrow"
    server = room.server(call("shout"), answer(hostile))
    script(server, f"say {hostile}", f"/export {form} out.{form}")
    text = (room.folder / f"out.{form}").read_text(encoding="utf-8")
    assert "dlrow" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form == "html":
        assert "<script" not in text
    if form == "json":
        turn = json.loads(text)["turns"][0]
        assert (turn["outputs"]["answer"], len(turn["steps"])) == (hostile, 2)


def test_compact_tells_the_model_a_summary_in_place_of_the_turns(script: Script, room: Room) -> None:
    lm = FunctionLM(
        lambda request: (
            "[[ ## summary ## ]]\nThe order is 17." if "Summarise" in request.messages[0].content else "hello"
        )
    )
    server = room.server(from_lm(lm))
    shown = script(server, "My order is 17.", "thanks", "/compact the order", "Which one?").out
    assert "The order is 17." in shown
    assert texts(server) == ["Summarise what we have said until now.", "The order is 17.", "Which one?"]
    assert "what matters: the order" in asked(server, 2)[0]["content"]


def test_the_embedded_model_has_nothing_to_summarise(script: Script) -> None:
    done = script(None, "What is 15% of 240?", "/compact")
    assert done.code == 2
    assert "remembers nothing" in done.err


def test_another_signature_has_typed_outputs(script: Script, room: Room) -> None:
    server = room.server(call("submit", total=36.0, unit="EUR"))
    shown = script(server, "15% of 240 EUR?", options=["-s", "request -> total: float, unit"]).out
    assert "total: 36.0\nunit: EUR\n" in shown


@pytest.mark.parametrize("module", ["predict", "chain_of_thought"])
def test_modules_without_tools_chat_as_well(script: Script, room: Room, module: str) -> None:
    text = "[[ ## reasoning ## ]]\nEasy.\n\n[[ ## answer ## ]]\nParis"
    server = room.server(answer(text), answer(text))
    done = script(server, "France?", "And before?", options=["--module", module])
    assert done.code == 0
    assert "Paris" in done.out
    assert len(asked(server)) == 4


def test_programs_call_the_tools(script: Script, room: Room) -> None:
    server = room.server(call("python", code="submit(answer=get_order(order_id=17))"))
    done = script(server, "Where is 17?", options=["--module", "code_act"])
    assert done.code == 0
    assert done.out.splitlines()[-1] == "shipped"
    assert "→ get_order(order_id=17) ✓" in done.out


def test_a_session_knows_its_title_and_shows_it_harmlessly(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    script(server, "\x1b[2Jowned \u202e")
    shown = script(None, "/sessions", options=["-c"]).out
    assert "␛[2Jowned <202E>" in shown


def test_nothing_is_kept_of_an_ephemeral_chat(script: Script, room: Room) -> None:
    server = room.server(answer("hello"))
    assert script(server, "hi", "/sessions", options=["--ephemeral"]).code == 2
    assert not Path(room.env["LOOPWRIGHT_CHAT"]).exists()


def test_an_export_shows_what_was_typed_and_folds_what_was_attached(script: Script, room: Room) -> None:
    (room.folder / "receipt.txt").write_text("amount: 20\n" * 100)
    lines = (
        "Is @receipt.txt right, and @nowhere.txt?",
        "/export md a.md",
        "/export html a.html",
        "/export json a.json",
    )
    done = script(room.server(answer("Yes.")), *lines)
    assert "@nowhere.txt: no such file" in done.err
    short, page, whole = ((room.folder / f"a.{form}").read_text() for form in ("md", "html", "json"))
    assert "> Is @receipt.txt right, and @nowhere.txt?\n> (with 1," in short
    assert "amount: 20" not in short
    assert page.count("<details><summary>(with 1,") == 1
    assert page.count("amount: 20") == 100
    assert json.loads(whole)["turns"][0]["message"].count("amount: 20") == 100
