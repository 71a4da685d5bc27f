"""Approval of tool calls in `loopwright run`: real processes, and a real terminal where a person is asked."""

from __future__ import annotations

import codecs
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openai_server import Serve, from_lm

from loopwright.models import Capabilities, ScriptedLM
from loopwright.tools import ToolCall

HANG = 120.0
TOOLS = """
from pathlib import Path
from loopwright.tools import tool

@tool(effect="irreversible")
def refund(order_id: int) -> str:
    "Give the money of an order back."
    with Path("refunds.txt").open("a") as file:
        file.write(f"{order_id}\\n")
    return f"refunded {order_id}"
"""


def command(folder: Path, url: str, *options: str) -> list[str]:
    (folder / "shop.py").write_text(TOOLS, encoding="utf-8")
    start = [
        sys.executable,
        "-m",
        "loopwright",
        "run",
        "refund 17 and 18",
        "-t",
        "shop.py",
        "-m",
        "openai/scripted",
    ]
    return [*start, "--api-base", url, "--no-cache", *options]


def script() -> ScriptedLM:
    refunds = [ToolCall("refund", {"order_id": n}) for n in (17, 17, 18)]
    return ScriptedLM(
        [*refunds, ToolCall("submit", {"answer": "done"})], capabilities=Capabilities(native_tools=True)
    )


def refunded(folder: Path) -> list[str]:
    file = folder / "refunds.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


@pytest.mark.parametrize(
    ("options", "done", "shown"),
    [
        ([], [], "nobody is there to ask"),
        (["--allow", "refund"], ["17", "17", "18"], "refunded 17"),
        (["--allow", "refund(order_id=17)"], ["17", "17"], "nobody is there to ask"),
        (
            ["--allow", "*", "--deny", "refund(order_id=18)"],
            ["17", "17"],
            'the rule "refund(order_id=18)" says so',
        ),
        (["--allow", "*", "--dry-run"], [], "Dry run: refund(order_id=17) was not made."),
    ],
    ids=["no option", "allow", "a pattern", "deny goes first", "dry run"],
)
def test_options_decide_where_nobody_can_be_asked(
    options: list[str], done: list[str], shown: str, openai_server: Serve, tmp_path: Path
) -> None:
    server = openai_server(from_lm(script()))
    made = command(tmp_path, server.url, *options)
    ended = subprocess.run(
        made, cwd=tmp_path, capture_output=True, text=True, timeout=HANG, stdin=subprocess.DEVNULL, check=False,
        env=os.environ | {"OPENAI_API_KEY": "sk-test"},
    )  # fmt: skip
    assert (refunded(tmp_path), ended.returncode) == (done, 0), ended.stderr
    assert shown in ended.stdout


def test_a_pattern_that_makes_no_sense_is_a_usage_error(tmp_path: Path) -> None:
    made = command(tmp_path, "http://127.0.0.1:9", "--allow", "refund(17)")
    ended = subprocess.run(made, cwd=tmp_path, capture_output=True, text=True, timeout=HANG, check=False)
    assert ended.returncode == 2
    assert "name=pattern" in ended.stderr


class Terminal:
    """A child process in a terminal of its own."""

    def __init__(self, made: list[str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = os.environ | {"OPENAI_API_KEY": "sk-test", "TERM": "dumb"}
        self._child = subprocess.Popen(
            made, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a piece may end in the middle of a letter
        self.shown = ""

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + HANG
        start = len(self.shown)
        while text not in self.shown[start:]:
            assert time.monotonic() < deadline, self.shown
            self.shown += self._decoder.decode(os.read(self._ours, 4096))

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        try:
            while piece := os.read(self._ours, 4096):
                self.shown += self._decoder.decode(piece)
        except OSError:  # the other side has closed the terminal
            pass
        os.close(self._ours)
        return self._child.wait(HANG)


def test_a_person_is_asked_in_a_terminal(openai_server: Serve, tmp_path: Path) -> None:
    terminal = Terminal(command(tmp_path, openai_server(from_lm(script())).url), tmp_path)
    terminal.wait_for("allow?")
    assert "refund(order_id=17) is irreversible." in terminal.shown
    terminal.type("always\n")  # the second call is the same: no question
    terminal.wait_for("allow?")
    assert "refund(order_id=18)" in terminal.shown
    terminal.type("wait for the receipt\n")
    assert terminal.end() == 0
    assert "wait for the receipt" in terminal.shown.rpartition("allow?")[2]
    assert refunded(tmp_path) == ["17", "17"]


def test_a_long_argument_is_cut_and_hides_no_other(openai_server: Serve, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        TOOLS.replace("order_id: int", "note: str, order_id: int"), encoding="utf-8"
    )
    asked = ToolCall("refund", {"note": "\x9b2Jlate\n" * 1_000, "order_id": 17})
    lm = ScriptedLM(
        [asked, ToolCall("submit", {"answer": "done"})], capabilities=Capabilities(native_tools=True)
    )
    made = command(tmp_path, openai_server(from_lm(lm)).url)
    (tmp_path / "shop.py").write_text(
        TOOLS.replace("order_id: int", "note: str, order_id: int"), encoding="utf-8"
    )
    terminal = Terminal(made, tmp_path)
    terminal.wait_for("allow?")
    question = next(line for line in terminal.shown.splitlines() if line.startswith("refund("))
    assert question.startswith('refund(note="\\u009b2Jlate\\n')
    assert question.endswith("characters), order_id=17) is irreversible.")
    assert len(question) < 700
    terminal.type("n\n")
    assert terminal.end() == 0


def test_a_person_changes_the_arguments(openai_server: Serve, tmp_path: Path) -> None:
    terminal = Terminal(command(tmp_path, openai_server(from_lm(script())).url), tmp_path)
    for typed in ("e\n", "[1]\n", '{"order": 99}\n', '{"order_id": 99}\n', "n\n", "y\n"):
        terminal.wait_for("as JSON" if typed[0] in "[{" else "allow?")
        terminal.type(typed)
    assert terminal.end() == 0
    assert refunded(tmp_path) == ["99", "18"]
    assert "write an object" in terminal.shown
    assert 'there is no parameter "order"; did you mean "order_id"?' in terminal.shown


def test_ctrl_c_at_the_question_stops_the_run(openai_server: Serve, tmp_path: Path) -> None:
    terminal = Terminal(command(tmp_path, openai_server(from_lm(script())).url), tmp_path)
    terminal.wait_for("allow?")
    terminal.type("\x04")
    assert terminal.end() == 130
    assert refunded(tmp_path) == []
