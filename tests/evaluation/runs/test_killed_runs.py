"""A run that is killed at random moments, and gone on with: nothing is lost, and nothing is done twice to its end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from kept_runs import report_of
from openai_server import OpenAIServer, Reply, Serve, from_lm
from replay import always, question_of, submit

from loopwright.models import LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

TASKS = 240
KILLS = 20

TOOLS = '''
import os

def mark(item: str) -> str:
    """Note an item in a file.

    Args:
        item: What to note.
    """
    with open(os.environ["MARKS"], "a", encoding="utf-8") as file:
        file.write(item + "\\n")
    return f"noted {item}"

TOOLS = [mark]
'''


def task_file(folder: Path) -> Path:
    tasks = "".join(
        f"- {{id: t{n}, tags: [part{n % 3}], input: {{question: q{n}}},"
        f" expect: {{answer: {{answer: 4}}, calls: {{required: [{{tool: mark, args: {{item: q{n}}}}}]}}}}}}\n"
        for n in range(TASKS)
    )
    path = folder / "marks.yaml"
    path.write_text(
        'version: 1\nagent: {signature: "question -> answer: int", tools: ["marking.py:TOOLS"]}\n'
        f"defaults: {{seed: 3}}\ntasks:\n{tasks}"
    )
    (folder / "marking.py").write_text(TOOLS)
    return path


class SlowModel:
    """Answers over HTTP after a while: notes its question first, then right on two questions of three."""

    def __init__(self, seconds: float) -> None:
        self.asked: list[str] = []
        self.busy = threading.Event()
        self._seconds = seconds
        self._answer = from_lm(always(self._turn))

    def __call__(self, reply: Reply) -> None:
        time.sleep(self._seconds)
        self.busy.set()
        self._answer(reply)

    def _turn(self, request: LMRequest) -> Answer:
        question = question_of(request)
        self.asked.append(question)
        if any(message.role == "assistant" for message in request.messages):
            return submit(answer=4 if int(question[1:]) % 3 else 5)
        return ToolCall("mark", {"item": question})


def start(tasks: Path, out: Path, server: OpenAIServer, marks: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "loopwright", "eval", tasks, "--out", out, "--resume", "--workers", "4"]
    model = ["--model", "openai/slow", "--api-base", server.url, "--no-cache"]
    return subprocess.Popen(
        [*map(str, command), *model],
        env={**os.environ, "OPENAI_API_KEY": "test", "MARKS": str(marks), "LOOPWRIGHT_CACHE": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return err


def kept(folder: Path) -> set[str]:
    """The questions of the trials that are on record: whole lines only."""
    path = folder / "trials.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return {f"q{json.loads(line)['task'][1:]}" for line in lines}


def test_a_run_that_is_killed_twenty_times_ends_as_one_that_was_not(
    tmp_path: Path, openai_server: Serve
) -> None:
    tasks, chance = task_file(tmp_path), random.Random(6)
    model = SlowModel(0.02)
    server = openai_server(model)
    killed, marks = tmp_path / "killed", tmp_path / "marks.txt"
    kills = 0
    while kills < KILLS:
        before = kept(killed)
        seen, done = len(model.asked), Counter(marks.read_text().split()) if marks.exists() else Counter()
        model.busy.clear()
        process = start(tasks, killed, server, marks)
        assert model.busy.wait(60), "the run did not begin"
        time.sleep(chance.random() * 0.08)  # of the second and more that all trials take
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -9, "it was done before it could be killed: give it more tasks"
        kills += 1
        # a trial that was on record is neither asked about nor done again
        assert not before & set(model.asked[seen:])
        now = Counter(marks.read_text().split()) if marks.exists() else Counter()
        assert all(now[question] == done[question] for question in before)
    assert "going on: " in finish(start(tasks, killed, server, marks))
    whole = tmp_path / "whole"
    finish(start(tasks, whole, server, tmp_path / "other marks.txt"))
    assert report_of(killed) == report_of(whole)
    assert len(report_of(killed)["tasks"]) == TASKS
    assert kept(killed) == {f"q{n}" for n in range(TASKS)}
    lines = (killed / "trials.jsonl").read_text().splitlines()
    assert len(lines) == TASKS  # no trial came to its end, and was kept, twice
    assert (killed / "report.html").stat().st_size > 10_000
