"""A process that is killed, again and again, and goes on each time from its journal.

The process is real, and so is its model: a server that lives on. Two agents: one that makes several native calls a
turn, and one that writes programs. What they book is in a file, so that a seat booked twice would show.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Reply, answer

from loopwright.tools import ToolCall

SCRIPT = """
import os, signal, sys
from loopwright import LM, CodeAct, ReAct, context
from loopwright.callbacks import BaseCallback
from loopwright.runtime import Journal
from loopwright.tools import Tool

kind, url, where, kill_at = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def perhaps_end(here, n):
    if (here, n) == (where, kill_at):
        os.kill(os.getpid(), signal.SIGKILL)

def note(file, n):
    with open(file, "a") as out:
        out.write(f"{n}\\n")

def look(n: int) -> str:
    "Look whether seat n is free."
    perhaps_end("in a look", n)
    note("looked.txt", n)
    return f"seat {n} is free"

def book(n: int) -> str:
    "Book seat n."
    perhaps_end("before the effect", n)
    note("booked.txt", n)
    perhaps_end("after the effect", n)
    return f"seat {n}"

class Answers(BaseCallback):
    count = 0

    def on_lm_end(self, call_id, outputs, exception=None):
        self.count += 1
        perhaps_end("after an answer", self.count)

agents = {"calls": ReAct, "programs": CodeAct}
agent = agents[kind]("question -> answer", tools=[Tool(look, effect="read"), Tool(book)])
lm = LM("openai/any", api_base=url, api_key="test", cache=False, num_retries=0)
with context(lm=lm, callbacks=[Answers()]), Journal("runs.sqlite", "job"):
    prediction = agent(question="Six seats, please.")
print(prediction.answer, prediction.termination_reason, prediction.trajectory, sep="\\n")
"""

STEPS = 4  # three that book two seats each, and the last
SEATS = ["1", "2", "3", "4", "5", "6"]


@dataclass
class Model:
    """The model behind the server. It kills its client at the request of step `kill_at`, once."""

    kind: str
    kill_at: int = 0
    client: subprocess.Popen[str] | None = None
    asked: list[int] = field(default_factory=list)

    def __call__(self, reply: Reply) -> None:
        messages: Any = reply.received.body["messages"]
        step = 1 + sum(message["role"] == "assistant" for message in messages)
        self.asked.append(step)
        if step == self.kill_at and self.client is not None:
            self.client.kill()
            reply.wait_for_hangup(60)
            reply.close()
            return
        seen = [message["content"] for message in messages if message["role"] == "tool"]
        turns = {"calls": calls_of, "programs": program_of}
        answer(turns[self.kind](step, seen))(reply)


def calls_of(step: int, seen: Sequence[str]) -> Sequence[ToolCall]:
    if step == STEPS:
        return [ToolCall("submit", {"answer": "; ".join(seen)})]
    seats = (2 * step - 1, 2 * step)
    return [ToolCall(name, {"n": n}) for name in ("look", "book") for n in seats]


def program_of(step: int, seen: Sequence[str]) -> Sequence[ToolCall]:
    seats = (2 * step - 1, 2 * step)
    code = f"""
        mine = [] if {step} == 1 else mine
        for n in {seats}:
            look(n)
            mine.append(book(n))
        mine
    """
    if step == STEPS:
        code = "submit(answer='; '.join(mine))"
    return [ToolCall("python", {"code": textwrap.dedent(code)})]


@dataclass
class Job:
    """A folder with the script in it, and the server."""

    folder: Path
    model: Model
    url: str

    def run(self, where: str = "", kill_at: int = 0) -> tuple[int, list[str]]:
        """Run the script; its exit code, and what it printed."""
        self.model.kill_at = kill_at if where == "in a model call" else 0
        process = subprocess.Popen(
            [sys.executable, "job.py", self.model.kind, self.url, where, str(kill_at)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.model.client = process
        out, error = process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL), error
        return process.returncode, out.splitlines()

    def killed_and_resumed(self, where: str, kills: Sequence[int]) -> list[str]:
        """Kill it at each of these in turn, going on from the journal each time; what it prints in the end."""
        for kill_at in kills:
            assert self.run(where, kill_at)[0] == -signal.SIGKILL
        code, printed = self.run()
        assert code == 0
        return printed

    def done(self, what: str) -> list[str]:
        file = self.folder / f"{what}.txt"
        return file.read_text(encoding="utf-8").split() if file.exists() else []


Jobs = Callable[[str], Job]


@pytest.fixture
def job(tmp_path_factory: pytest.TempPathFactory, openai_server: Callable[..., OpenAIServer]) -> Jobs:
    def made(kind: str) -> Job:
        model = Model(kind)
        folder = tmp_path_factory.mktemp("job")
        (folder / "job.py").write_text(SCRIPT, encoding="utf-8")
        return Job(folder, model, openai_server(model).url)

    return made


each_kind = pytest.mark.parametrize("kind", ["calls", "programs"])


@each_kind
def test_a_run_killed_at_every_step_ends_as_if_nothing_had_happened(kind: str, job: Jobs) -> None:
    whole = job(kind)
    printed = whole.killed_and_resumed("", [])
    assert (whole.done("booked"), len(whole.model.asked)) == (SEATS, STEPS)

    in_the_call = job(kind)
    assert in_the_call.killed_and_resumed("in a model call", [1, 2, 3, 4]) == printed
    assert in_the_call.model.asked == [1, 1, 2, 2, 3, 3, 4, 4]  # each again, since its answer never came
    assert (in_the_call.done("booked"), sorted(in_the_call.done("looked"))) == (SEATS, SEATS)

    after_the_answer = job(kind)
    assert after_the_answer.killed_and_resumed("after an answer", [1, 2, 3, 4]) == printed
    assert after_the_answer.model.asked == [1, 2, 3, 4]  # none again, since its answer is on record
    assert (after_the_answer.done("booked"), sorted(after_the_answer.done("looked"))) == (SEATS, SEATS)


@each_kind
def test_a_call_that_changes_nothing_is_made_again_where_it_was_stopped(kind: str, job: Jobs) -> None:
    whole, killed = job(kind), job(kind)
    assert killed.killed_and_resumed("in a look", [2, 5]) == whole.killed_and_resumed("", [])
    assert killed.done("booked") == SEATS
    assert killed.model.asked == [1, 2, 3, 4]


@each_kind
@pytest.mark.parametrize(
    ("where", "seats"),
    [("before the effect", {"calls": "1 2 4 5", "programs": "1 2 5"}),
     ("after the effect", {"calls": "1 2 3 4 5 6", "programs": "1 2 3 5 6"})],
    ids=["before its effect", "after its effect"],
)  # fmt: skip
def test_a_call_that_was_under_way_is_never_made_twice_and_the_model_is_told(
    where: str, seats: dict[str, str], kind: str, job: Jobs
) -> None:
    killed = job(kind)
    printed = killed.killed_and_resumed(where, [3, 6])
    assert " ".join(killed.done("booked")) == seats[kind]  # a program ends where its call fails
    assert "not known" in "\n".join(printed)
    assert killed.model.asked == [1, 2, 3, 4]
