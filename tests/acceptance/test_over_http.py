"""The same agent and the same task file, over litellm and a real HTTP server that speaks the OpenAI chat API.

The embedded model sits behind the server, so that what comes over the wire can be held against what it
answers in the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai_server import Behaviour, OpenAIServer, Serve, fail, from_lm, rate_limited, raw, reset

import loopwright as lw
from loopwright.cli import run_command
from loopwright.models.embedded import EmbeddedLM

TASKS = Path(__file__).parents[2] / "examples" / "tasks" / "arithmetic.yaml"
COUNT = 4


@pytest.fixture(scope="module")
def embedded() -> EmbeddedLM:
    return EmbeddedLM()


def evaluate(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code = run_command(["eval", str(TASKS), "--limit", str(COUNT), "--out", str(folder), *options])
    return code, json.loads((folder / "report.json").read_text(encoding="utf-8"))


def trials(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [trial for task in report["tasks"] for trial in task["trials"]]


def outcomes(report: dict[str, Any]) -> list[Any]:
    """Of each trial, whether it passed, its answer, and every call with what came of it."""
    return [
        (
            trial["outcome"],
            trial["outputs"],
            [
                (step["calls"], [result["content"] for result in step["results"]])
                for step in trial["trajectory"]
            ],
        )
        for trial in trials(report)
    ]


def over(server: OpenAIServer) -> tuple[str, ...]:
    return ("--model", "openai/embedded", "--api-base", server.url, "--no-cache", "--workers", "1")


def test_the_report_is_the_same_as_in_the_process(
    openai_server: Serve, embedded: EmbeddedLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(from_lm(embedded))
    code, here = evaluate(tmp_path / "here", "--model", "embedded")
    code_over, there = evaluate(tmp_path / "there", *over(server))
    assert (code, code_over) == (0, 0)
    assert outcomes(there) == outcomes(here)
    assert len(server.requests) == sum(len(trial["trajectory"]) for trial in trials(there))


FAULTS: dict[str, Callable[[], Behaviour]] = {
    "429": lambda: rate_limited(0.01),
    "500": lambda: fail(500, "upstream is down"),
    "no JSON": lambda: raw(b"{'choices': nonsense"),
    "connection reset": lambda: reset,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_passes_changes_nothing(
    fault: Callable[[], Behaviour],
    openai_server: Serve,
    embedded: EmbeddedLM,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    server = openai_server(fault(), from_lm(embedded))
    code, report = evaluate(tmp_path, *over(server))
    assert code == 0
    assert [trial["outcome"] for trial in trials(report)].count("excluded") == 0
    assert len(server.requests) > sum(len(trial["trajectory"]) for trial in trials(report))


def test_a_wrong_key_is_one_line_and_no_failed_task(
    openai_server: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    server = openai_server(fail(401, "Incorrect API key provided"))
    code = run_command(["eval", str(TASKS), "--limit", "2", *over(server)])
    shown = capsys.readouterr()
    assert code == 3
    assert "OPENAI_API_KEY" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    assert "sk-wrong" not in shown.out + shown.err


def test_an_agent_over_http_is_the_agent_in_the_process(openai_server: Serve, embedded: EmbeddedLM) -> None:
    server = openai_server(from_lm(embedded))
    agent = lw.ReAct("question -> answer: float", tools=["calculate"])
    question = "What is 12 times 15?"
    with lw.context(lm=embedded):
        here = agent(question=question)
    with lw.context(lm=lw.LM("openai/embedded", api_base=server.url, api_key="test", cache=False)):
        there = agent(question=question)
    assert there.answer == here.answer
    assert [str(call) for call in there.trajectory.calls] == [str(call) for call in here.trajectory.calls]
