"""Agents that use an MCP server's tools: in a program, in a task file, on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from openai_server import Serve, answer

import loopwright as lw
from loopwright.cli import run_command
from loopwright.models import Capabilities, ScriptedLM
from loopwright.tools import ToolCall, builtin_tool, from_mcp

SERVER = Path(__file__).parents[1] / "tools" / "servers" / "sdk.py"
COMMAND = [sys.executable, str(SERVER)]
NATIVE = Capabilities(native_tools=True)
LINE = f"mcp:'{sys.executable}' '{SERVER}'"


def test_an_agent_answers_with_an_mcp_tool() -> None:
    turns = [
        ToolCall("add", {"a": "two", "b": 3}),
        ToolCall("add", {"a": "2", "b": 3}),
        ToolCall("submit", {"answer": 5}),
    ]
    with from_mcp(COMMAND) as tools, lw.context(lm=ScriptedLM(turns, capabilities=NATIVE)):
        agent = lw.ReAct("question -> answer: int", tools=tools | builtin_tool("calculate"))
        prediction = agent(question="What is 2 and 3?")
    assert prediction.answer == 5
    observations = [result.content for step in prediction.trajectory.steps for result in step.results]
    assert observations[0].startswith('Error: add: "a" must be an integer, not "two".')
    assert observations[1] == "5"


def test_a_program_that_writes_programs_calls_an_mcp_tool() -> None:
    turns = [
        ToolCall("python", {"code": "total = sum(add(a=n, b=1) for n in range(3))\nsubmit(answer=total)"}),
    ]
    with from_mcp(COMMAND, only=["add"]) as tools, lw.context(lm=ScriptedLM(turns, capabilities=NATIVE)):
        prediction = lw.CodeAct("question -> answer: int", tools=tools)(question="?")
    assert prediction.answer == 6


def test_an_agent_goes_on_when_its_server_dies() -> None:
    turns = [
        ToolCall("end", {"code": 1}),
        ToolCall("add", {"a": 2, "b": 3}),
        ToolCall("submit", {"answer": 5}),
    ]
    with from_mcp(COMMAND) as tools, lw.context(lm=ScriptedLM(turns, capabilities=NATIVE)):
        prediction = lw.ReAct("question -> answer: int", tools=tools)(question="?")
    assert (prediction.answer, prediction.termination_reason) == (5, "submit")


def test_the_command_line_runs_an_agent_with_a_server(
    openai_server: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    model = openai_server(
        answer(ToolCall("add", {"a": 2, "b": 3})), answer(ToolCall("submit", {"answer": "5"}))
    )
    options = ["-m", "openai/any", "--api-base", model.url, "--no-cache", "-t", f"calculate,{LINE}"]
    assert run_command(["run", "What is 2 and 3?", *options]) == 0
    assert capsys.readouterr().out == "→ add(a=2, b=3)   5\n5\n"


def test_a_task_file_names_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = {
        "version": 1,
        "name": "sums",
        "agent": {"signature": "question -> answer: int", "tools": [f"mcp:'{sys.executable}' server.py"]},
        "tasks": [
            {
                "id": "two",
                "input": {"question": "What is 2 and 3?"},
                "expect": {"calls": {"required": [{"tool": "add", "args": {"a": 2, "b": 3}}]}},
            }
        ],
    }
    (tmp_path / "server.py").write_text(SERVER.read_text())
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    assert run_command(["eval", "--check", str(path)]) == 0
    assert "tasks.json: 1 task, nothing wrong\n" in capsys.readouterr().out
    path.write_text(json.dumps(tasks).replace('"add"', '"ad"'))
    assert run_command(["eval", "--check", str(path)]) == 2
    assert "did you mean 'add'?" in capsys.readouterr().err
