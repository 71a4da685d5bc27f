"""ProgramOfThought and CodeAct through `loopwright eval`, over a real HTTP server whose answers are a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
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
        out = Path(tempfile.mkdtemp(dir=tmp_path))
        options = ["--model", "openai/any", "--api-base", server.url, "--no-cache", "--out", str(out)]
        code = run_command(["eval", str(path), "--min-pass", "1", *options])
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
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


RUNAWAYS = {
    "timeout": "while True: pass",
    "memory": "'x' * 10**10",
    "output": "for _ in range(10**5): print('z' * 1000)",  # 100 MB
}


@pytest.mark.parametrize(
    ("module", "solution"), [("program_of_thought", "5.0"), ("code_act", "submit(answer=kept)")]
)
def test_runaway_programs_cost_a_step_each_and_no_more(
    module: str, solution: str, openai_server: Serve, tmp_path: Path
) -> None:
    """The command itself in a process of its own."""
    programs = ["kept = 5.0\nbad = 1 / 0", *RUNAWAYS.values(), solution]
    server = openai_server(*(answer(program(code)) for code in programs))
    text = FILE.replace("MODULE", module).replace(", TOOLS", "").replace("CALLS", "")
    (tmp_path / "tasks.yaml").write_text(text + "    limits: {steps: 8}\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "loopwright",
        "eval",
        "tasks.yaml",
        "--min-pass",
        "1",
        "--model",
        "openai/any",
    ]
    with (tmp_path / "told.txt").open("w", encoding="utf-8") as told:
        ran = subprocess.run(
            [*command, "--api-base", server.url, "--no-cache", "--out", str(tmp_path)],
            env={**os.environ, "OPENAI_API_KEY": "test"},
            cwd=tmp_path, stdout=told, stderr=told, timeout=300, check=False,
        )  # fmt: skip
    assert ran.returncode == 0, (tmp_path / "told.txt").read_text(encoding="utf-8")
    trial = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["tasks"][0]["trials"][0]
    assert (trial["outcome"], len(trial["trajectory"])) == ("passed", 5)
    said = [step["results"][0]["content"] for step in trial["trajectory"]]
    assert "ZeroDivisionError" in said[0]
    for observation, end in zip(said[1:4], RUNAWAYS, strict=True):
        assert observation.startswith(f"Error: the program ended with {end}")
    assert all(len(observation) < 60_000 for observation in said)
    assert (tmp_path / "report.json").stat().st_size < 500_000
