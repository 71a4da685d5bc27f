"""A user and a judge that models play, asked over HTTP as any model is: through the command, on a server on loopback."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from openai_server import Behaviour, OpenAIServer, Serve, from_lm, hang, rate_limited, reset
from replay import submit

from loopwright import LM, context
from loopwright.cli import run_command
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

TASKS = """
version: 1
name: desk
agent: {signature: "request -> reply, refunded: bool"}
defaults:
  limits: {steps: 6}
  world:
    data: {orders: {"17": {status: delivered}}}
    tools:
      get_order: {get: "orders.{number}"}
      set_status: {set: "orders.{number}.status", value: [delivered, refunded]}
tasks:
- id: refund
  turns:
  - simulate: {persona: Ann is brief., goal: Have order 17 paid back., max_turns: 4}
    expect: {state: [{path: orders.17.status, equals: refunded}]}
  expect:
    answer: {refunded: true, reply: {judge: {rubric: It says that the money is on its way.}}}
"""


class Cast:
    """An agent, a user and a judge behind one server, told apart by what they are told to be.

    The first word of the user, and the first of the judge, are of no form: each is asked again.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, request: LMRequest) -> Answer:
        told, last = request.messages[0].content, request.messages[-1].content
        role = "user" if "You play a person" in told else "judge" if "by a rubric" in told else "agent"
        self.asked[role] += 1
        if role != "agent" and self.asked[role] == 1:
            return "Well, let me see."
        if role == "user":
            return self._user(request.messages[1].content)
        if role == "judge":
            return (
                "[[ ## reason ## ]]\nIt is on its way.\n\n[[ ## verdict ## ]]\npass\n\n[[ ## completed ## ]]"
            )
        if "Ann is brief" in "".join(message.content for message in request.messages):
            return submit(reply="I know too much.", refunded=False)
        if "Yes" in last:
            return ToolCall("set_status", {"number": "17", "value": "refunded"})
        done = "refunded" in last
        return submit(reply="It is on its way." if done else "Shall I pay it back?", refunded=done)

    def _user(self, asked: str) -> Answer:
        done = "on its way" in asked
        said = "" if done else "Yes, please." if "Shall I" in asked else "Order 17 is broken."
        return (
            f"[[ ## done ## ]]\n{str(done).lower()}\n\n[[ ## message ## ]]\n{said}\n\n[[ ## completed ## ]]"
        )


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "desk.yaml"
    path.write_text(TASKS)
    return path


def evaluated(tasks: Path, server: OpenAIServer, *, timeout: float = 60, retries: int = 2) -> int:
    lm = LM(
        "openai/any",
        api_base=server.url,
        api_key="test",
        cache=False,
        timeout=timeout,
        num_retries=retries,
    )
    with context(lm=lm):
        return run_command(["eval", str(tasks), "--out", str(tasks.parent / "run")])


def trial_of(tasks: Path) -> dict[str, object]:
    (line,) = (tasks.parent / "run" / "trials.jsonl").read_text().splitlines()
    made: dict[str, object] = json.loads(line)
    return made


def test_a_conversation_is_played_and_judged_over_http(openai_server: Serve, tasks: Path) -> None:
    players = Cast()
    model = FunctionLM(players, capabilities=Capabilities(native_tools=True))
    server = openai_server(rate_limited(0.01), from_lm(model))
    assert evaluated(tasks, server) == 0
    made = trial_of(tasks)
    assert (made["outcome"], made["error"]) == ("passed", "")
    turns = made["turns"]
    assert isinstance(turns, list)
    assert [(turn["user"], turn["user_model"]) for turn in turns] == [
        ("Order 17 is broken.", "openai/any"),
        ("Yes, please.", "openai/any"),
    ]
    assert players.asked == {"agent": 3, "user": 4, "judge": 2}
    others = made["other_usage"]
    assert isinstance(others, dict)
    assert set(others) == {"users", "judges"}
    assert all(usage["prompt_tokens"] > 0 for usage in others.values())


def test_what_was_judged_over_http_is_judged_again_without_a_server(
    openai_server: Serve, tasks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = openai_server(from_lm(FunctionLM(Cast(), capabilities=Capabilities(native_tools=True))))
    evaluated(tasks, server)
    asked = len(server.requests)
    assert run_command(["eval", str(tasks), "--rescore", str(tasks.parent / "run")]) == 0
    assert "judged again: 1 trial, 0 of them with another result" in capsys.readouterr().out
    assert len(server.requests) == asked


@pytest.mark.parametrize("failure", [reset, hang], ids=["reset", "hang"])
def test_a_player_who_can_not_be_asked_excludes_the_trial(
    openai_server: Serve, tasks: Path, failure: Behaviour
) -> None:
    assert evaluated(tasks, openai_server(failure), timeout=0.3, retries=0) == 3
    made = trial_of(tasks)
    assert (made["outcome"], made["turns"]) == ("excluded", [])
