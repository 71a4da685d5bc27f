"""`loopwright run`: one question, its steps, its exit codes. The model answers over real HTTP."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openai_server import Behaviour, Serve, answer, fail

from loopwright import ReAct
from loopwright.cli import run_command
from loopwright.tools import ToolCall

Run = Callable[..., int]


@pytest.fixture
def run(openai_server: Serve, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def start(*behaviours: Behaviour, options: tuple[str, ...] = ()) -> int:
        server = openai_server(*behaviours)
        return run_command(
            [
                "run",
                "What is 6 times 7?",
                "-m",
                "openai/any",
                "--api-base",
                server.url,
                "--no-cache",
                *options,
            ]
        )

    return start


def call(name: str, **args: object) -> Behaviour:
    return answer(ToolCall(name, args))


def test_the_steps_and_the_answer_are_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        call("calculate", expression="6*"), call("calculate", expression="6*7"), call("submit", answer="42")
    )
    shown = capsys.readouterr().out.splitlines()
    assert code == 0
    assert shown[0].startswith('✗ calculate(expression="6*")')
    assert shown[1] == '→ calculate(expression="6*7")   42'
    assert shown[2] == "42"


def test_several_outputs_are_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(call("submit", product=42, even=True), options=("-s", "question -> product: int, even: bool"))
    assert (code, capsys.readouterr().out) == (0, "product: 42\neven: true\n")


def test_json_is_one_object_a_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call("calculate", expression="6*7"), call("submit", answer="42"), options=("--json",)) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["calls"][0]["name"] for line in lines[:2]] == ["calculate", "submit"]
    assert lines[-1] == {"answer": "42", "termination_reason": "submit"}


def test_a_program_is_shown_as_it_is_written(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        call("python", code="a = 6\na * 7"),
        options=("--module", "program_of_thought", "-s", "question -> n: int"),
    )
    shown = capsys.readouterr().out
    assert code == 0
    assert "→ python\n    a = 6\n    a * 7" in shown
    assert shown.endswith("42\n")


def test_a_run_without_an_answer_says_why_and_exits_with_1(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(call("calculate", expression="1+1"), options=("--max-steps", "2"))
    assert code == 1
    said = capsys.readouterr()
    assert "no answer: the run ended with max_steps: its turns are used up" in said.err
    assert "null" not in said.out


def test_a_model_that_fails_in_the_middle_leaves_its_steps(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(call("calculate", expression="6*7"), fail(401, "Incorrect API key"))
    shown = capsys.readouterr()
    assert code == 1
    assert "calculate" in shown.out
    assert "lm_error" in shown.err
    assert "Traceback" not in shown.err


def test_escape_sequences_of_a_model_are_shown_and_not_obeyed(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(call("submit", answer="\x1b[2Jgone")) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "gone" in shown


USAGE = {
    "two inputs": (["run", "x", "-s", "a, b -> c"], "one question"),
    "no such tool": (["run", "x", "-t", "calculat"], 'did you mean "calculate"?'),
    "no such program": (["run", "x", "--program", "nope.json"], "nope.json: no such file"),
    "no provider": (["run", "x", "-m", "gpt-9000"], "names no provider"),
    "unknown command": (["rnu"], "Did you mean 'run'?"),
    "no question": (["run"], "Missing argument"),
    "tools for a module that calls none": (
        ["run", "x", "--module", "program_of_thought", "-t", "calculate"],
        "program_of_thought calls no tools",
    ),
    "a rule for no tool": (
        ["run", "x", "--deny", "calculat"],
        'the pattern "calculat": fits no tool; did you mean "calculate"?',
    ),
    "a rule for no tool at all": (
        ["run", "x", "-t", "calculate", "--allow", "refund(amount=*)"],
        'the pattern "refund(amount=*)": fits no tool; there is calculate',
    ),
    "a rule for no argument": (
        ["run", "x", "--tools", "calculate", "--deny", "calculate(expr=*)"],
        'the pattern "calculate(expr=*)": calculate has no argument "expr"; there is expression',
    ),
    "a wildcard for no tool": (["run", "x", "--deny", "shop_*"], 'the pattern "shop_*": fits no tool'),
    "a rule where there are no tools": (["run", "x", "-t", "", "--deny", "calculate"], "there are none"),
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.values(), ids=USAGE)
def test_wrong_use_is_one_clear_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown


def test_a_program_of_another_signature_is_told_with_the_option_that_mends_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "learned.json"
    ReAct("question -> answer: float").save(saved)
    assert run_command(["run", "x", "--program", str(saved)]) == 2
    mended = "--signature 'question -> answer: float'"
    assert f"this program has 'question -> answer': give {mended}" in capsys.readouterr().err
    done = call("submit", answer=42.0)
    assert run(done, options=("--program", str(saved), *shlex.split(mended))) == 0


@pytest.mark.parametrize("pattern", ["calc*", "*", "convert_units(value=*)"])
def test_a_rule_that_fits_a_tool_is_taken(pattern: str, run: Run) -> None:
    assert run(call("submit", answer="42"), options=("--deny", pattern)) == 0


def test_json_holds_nothing_that_steers_a_terminal(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    said = "é \x1b[2J \x9b2J \u202eevil"
    assert run(call("submit", answer=said), options=("--json",)) == 0
    shown = capsys.readouterr().out
    assert '"answer": "é \\u001b[2J \\u009b2J \\u202eevil"' in shown
    assert json.loads(shown.splitlines()[-1])["answer"] == said


@pytest.mark.parametrize(
    ("options", "shown"),
    [((), b"? calculate("), (("--json",), b'"answer": "\\u2192"')],
    ids=["text", "JSON"],
)
def test_a_stream_that_can_not_show_an_arrow_ends_no_run(
    options: tuple[str, ...], shown: bytes, openai_server: Serve, tmp_path: Path
) -> None:
    server = openai_server(call("calculate", expression="6*7"), call("submit", answer="→"))
    ended = subprocess.run(
        [sys.executable, "-m", "loopwright", "run", "x", "-m", "openai/any", "--api-base", server.url, *options],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
        env=os.environ | {"OPENAI_API_KEY": "test", "PYTHONIOENCODING": "ascii", "LOOPWRIGHT_CACHE": "off"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert shown in ended.stdout


def test_bytes_that_are_no_text_reach_the_model_as_a_sign(
    openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(call("submit", answer="42"))
    asked = ["run", os.fsdecode(b"h\xff\xfe"), "-m", "openai/any", "--api-base", server.url, "--no-cache"]
    assert run_command(asked) == 0
    assert "h\ufffd\ufffd" in json.dumps(server.requests[0].body, ensure_ascii=False)


def test_a_missing_key_names_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "x", "-m", "openai/gpt-5-mini"]) == 1
    assert "OPENAI_API_KEY" in capsys.readouterr().err


def test_help_lists_the_commands_and_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "run " in shown
    assert "eval " in shown
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("loopwright ")
