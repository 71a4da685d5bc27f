"""ProgramOfThought and CodeAct through `loopwright eval`, over a real HTTP server whose answers are a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai_server import Serve, answer

from loopwright.cli import run_command
from loopwright.tools import ToolCall

FILE = """\
version: 1
name: code
agent: {module: MODULE, signature: "question -> answer: float", TOOLS}
tasks:
  - id: average
    input: {question: "What is the average of 3, 4 and 8?"}
    expect: {answer: {answer: 5}CALLS}
"""


def program(code: str) -> ToolCall:
    return ToolCall("python", {"code": code})


@pytest.fixture
def evaluate(openai_server: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def run(text: str, *answers: ToolCall) -> tuple[int, dict[str, Any]]:
        server = openai_server(*(answer(each) for each in answers))
        path = tmp_path / "tasks.yaml"
        path.write_text(text, encoding="utf-8")
        options = ["--model", "openai/any", "--api-base", server.url, "--no-cache", "--out", str(tmp_path)]
        code = run_command(["eval", str(path), "--min-pass", "1", *options])
        report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        return code, report["tasks"][0]["trials"][0]

    return run


def test_a_program_is_repaired_and_the_task_passes(evaluate: Any) -> None:
    text = FILE.replace("MODULE", "program_of_thought").replace(", TOOLS", "").replace("CALLS", "")
    code, trial = evaluate(text, program("(3 + 4 + 8) / zero"), program("(3 + 4 + 8) / 3"))
    assert (code, trial["outcome"], len(trial["trajectory"])) == (0, "passed", 2)
    assert "NameError" in trial["trajectory"][0]["results"][0]["content"]


def test_calls_that_a_program_makes_are_checked_as_any_other(evaluate: Any) -> None:
    text = FILE.replace("MODULE", "code_act").replace("TOOLS", "tools: [calculate]")
    wanted = ', calls: {required: [{tool: calculate, args: {expression: "15/3"}}]}'
    solution = program("submit(answer=float(calculate('15/3')))")
    code, trial = evaluate(text.replace("CALLS", wanted), solution)
    assert (code, trial["outcome"]) == (0, "passed")
    assert trial["trajectory"][0]["inner"][0]["name"] == "calculate"
    code, trial = evaluate(text.replace("CALLS", wanted.replace("15/3", "16/3")), solution)
    assert code == 1
    assert "15/3" in trial["checks"][1]["feedback"]


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("while True: pass", "timeout"),
        ("'x' * 10**10", "memory"),
        ("for _ in range(10**5): print('z' * 1000)", "output"),
    ],
    ids=["loops for ever", "eats memory", "prints 100 MB"],
)
def test_a_runaway_program_costs_a_step_and_no_more(code: str, end: str, evaluate: Any) -> None:
    text = FILE.replace("MODULE", "program_of_thought").replace(", TOOLS", "").replace("CALLS", "")
    status, trial = evaluate(text, program(code), program("5.0"))
    assert (status, trial["outcome"]) == (0, "passed")
    assert trial["trajectory"][0]["results"][0]["content"].startswith(f"Error: the program ended with {end}")
