"""`loopwright run --journal` and `loopwright trace`. The model answers over real HTTP."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openai_server import Behaviour, Serve, answer

from loopwright import ReAct, context
from loopwright.cli import run_command
from loopwright.models import Capabilities, LMResponse, ScriptedLM, Usage
from loopwright.runtime import Journal
from loopwright.tools import ToolCall

Run = Callable[..., int]


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(tmp_path / "runs.sqlite")


@pytest.fixture
def run(openai_server: Serve, monkeypatch: pytest.MonkeyPatch, journal: str) -> Run:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def start(*options: str, factor: int = 7) -> int:
        server = openai_server(*turns(factor))
        question = f"What is 6 times {factor}?"
        model = ["-m", "openai/any", "--api-base", server.url, "--no-cache"]
        return run_command(["run", question, *model, "--journal", journal, *options])

    return start


def turns(factor: int) -> tuple[Behaviour, ...]:
    first = answer(ToolCall("calculate", {"expression": f"6*{factor}"}))
    return first, answer(ToolCall("submit", {"answer": str(6 * factor)}))


def trace(journal: str, *arguments: str) -> int:
    return run_command(["trace", "--journal", journal, *arguments])


def test_a_recorded_run_is_listed_and_shown(
    run: Run, journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--run-name", "first") == 0
    capsys.readouterr()
    assert trace(journal, "list") == 0
    assert "done  2 model calls, 1 tool call  What is 6 times 7?" in capsys.readouterr().out
    assert trace(journal, "show", "first") == 0
    shown = capsys.readouterr().out
    assert '   tool calculate(expression="6*7")\n        -> 42\n' in shown
    assert trace(journal, "show", "first", "--step", "2") == 0
    assert "[tool] 42" in capsys.readouterr().out
    assert trace(journal, "show", "first", "--json") == 0
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()] == [
        "model",
        "tool",
        "model",
    ]


def test_two_runs_are_compared(run: Run, journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("--run-name", "a")
    run("--run-name", "b", factor=8)
    assert trace(journal, "diff", "a", "a") == 0
    assert trace(journal, "diff", "a", "b") == 1
    assert "model call 1, model request: " in capsys.readouterr().out


def test_what_no_two_runs_share_is_no_difference(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    def double(n: int) -> int:
        """Twice a number."""
        return 2 * n

    def record(name: str, end: int) -> None:
        calls = [ToolCall("double", {"n": 1}, f"{name}-1"), ToolCall("double", {"n": 2}, f"{name}-2")]
        turns = [LMResponse("", tuple(calls), usage=Usage(10, 2, cached_tokens=len(name)))]
        turns += [LMResponse("", (ToolCall("submit", {"answer": end}, f"{name}-3"),))]
        lm = ScriptedLM(turns, capabilities=Capabilities(native_tools=True))
        with context(lm=lm), Journal(journal, name):
            ReAct("question -> answer: int", tools=[double])(question="?")

    for name, end in (("a", 4), ("other", 4), ("third", 5)):
        record(name, end)
    assert trace(journal, "diff", "a", "other") == 0
    assert capsys.readouterr().out == "no difference\n"
    assert trace(journal, "diff", "a", "third") == 1
    assert (
        "model call 2, model response: tool_calls[0][1].answer differs: recorded 4, now 5"
        in capsys.readouterr().out
    )


def test_a_fork_shares_its_first_steps(run: Run, journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("--run-name", "a")
    assert trace(journal, "fork", "a", "--step", "1", "--name", "b") == 0
    capsys.readouterr()
    assert trace(journal, "diff", "a", "b") == 1
    assert "only a goes on, from model call 2" in capsys.readouterr().out
    trace(journal, "list")
    assert "forked from a at 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "frst"], "did you mean 'first'?"),
        (["show", "first", "--step", "3"], "run 'first' has 2 model calls, and no step 3"),
        (["fork", "first", "--step", "9"], "it can't be forked at 9"),
        (["fork", "first", "--step", "1", "--name", "first"], "there is a run 'first' already"),
    ],
)
def test_what_is_not_there_is_named(
    arguments: list[str], words: str, run: Run, journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--run-name", "first")
    assert trace(journal, *arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["show", "a"], ["show", "a", "--json"], ["diff", "a", "b"]])
def test_a_damaged_entry_is_named(
    arguments: list[str], run: Run, journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--run-name", "a")
    run("--run-name", "b")
    with sqlite3.connect(journal) as file:
        file.execute("UPDATE entries SET request = '{nonsense' WHERE run = 'a' AND number = 0")
    assert trace(journal, *arguments) == 2
    assert "entry 0 of run 'a' can't be read: the journal is damaged there" in capsys.readouterr().err


def test_a_journal_that_is_not_there_is_named(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert trace(journal, "list") == 2
    assert "there is no journal" in capsys.readouterr().err
    assert not Path(journal).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--replay", "nothing"], "has no run 'nothing'"),
        (["--replay", "a", "--run-name", "b"], "not both"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], words: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options) == 2
    assert words in capsys.readouterr().err


def test_another_question_is_not_added_to_a_run(
    run: Run, journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--run-name", "first")
    assert run("--run-name", "first") == 0  # the same question goes on
    capsys.readouterr()
    assert run("--run-name", "first", factor=8) == 2
    told = "run 'first' was recorded for another question (What is 6 times 7?): take another name"
    assert told in capsys.readouterr().err
    trace(journal, "list")
    assert capsys.readouterr().out.count("What is") == 1


def test_help_shows_each_example_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["trace", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "\n  loopwright trace -j runs.sqlite list\n  loopwright trace -j runs.sqlite show first\n" in shown
    assert "\\b" not in shown


def test_a_replay_says_nothing_of_a_model_that_is_not_asked(journal: str, tmp_path: Path) -> None:
    question = [sys.executable, "-m", "loopwright", "run", "What is 12 times 12?", "--journal", journal]
    environment = {name: value for name, value in os.environ.items() if name != "LOOPWRIGHT_MODEL"}

    def told(*options: str) -> str:
        ended = subprocess.run(
            [*question, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
            check=True,
        )  # fmt: skip
        return ended.stderr

    assert "no model configured" in told("--run-name", "a")
    assert told("--replay", "a") == ""


def test_a_replay_wants_a_journal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "hello", "--replay", "a"]) == 2
    assert "need --journal" in capsys.readouterr().err


def test_a_replay_reaches_no_server(
    openai_server: Serve, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(*turns(7))
    asked = [
        "run",
        "What is 6 times 7?",
        "-m",
        "openai/any",
        "--api-base",
        server.url,
        "--no-cache",
        "--journal",
        journal,
    ]
    assert run_command([*asked, "--run-name", "a"]) == 0
    received = len(server.requests)
    assert run_command([*asked, "--replay", "a"]) == 0
    assert len(server.requests) == received == 2
