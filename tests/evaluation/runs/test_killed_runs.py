"""A run that is killed at random moments, and gone on with: nothing is lost, and nothing is done twice to its end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kept_runs import report_of
from openai_server import OpenAIServer, Reply, Serve, from_lm
from replay import always, question_of, submit

from loopwright.models import LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

TASKS = 240
KILLS = 20
ANSWERED = 16  # requests of a run that is to be killed, at most: all its kills long it can't come to its end

# Runs that begin at once: what they import is imported before they are forked off.
FORKING = """
import os, sys
from loopwright.cli import run_command

said = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
run_command(["eval", "--check", sys.argv[1]])
for line in sys.stdin:
    os.environ["OPENAI_API_KEY"], *arguments = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        os._exit(run_command(arguments))
    print(child, file=said, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=said, flush=True)
"""

WHOLE = "whole"  # the key of a run that is not killed

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
    """Answers over HTTP: notes its question first, then right on two questions of three.

    Slowly, and only so often, to a run that is to be killed, which it tells by its key; what that asks after the
    `ANSWERED`th time, or when it is dead, is not answered.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.busy = threading.Event()
        self._run, self._left, self._over = "", 0, threading.Event()
        self._lock = threading.Lock()
        self._answer = from_lm(always(self._turn))

    def expect(self, run: str, left: int) -> None:
        """A run begins that is to be killed."""
        with self._lock:
            self._run, self._left = run, left
        self.busy.clear()
        self._over.clear()

    def end(self) -> None:
        """It is dead."""
        self._over.set()

    def __call__(self, reply: Reply) -> None:
        run = reply.received.headers["authorization"].removeprefix("Bearer ")
        if run != WHOLE:
            self._over.wait(0.02)
            with self._lock:
                current, self._left = run == self._run, self._left - (run == self._run)
                answered = current and self._left >= 0
            if current:
                self.busy.set()
            if not answered:
                self._over.wait(60)
                reply.close()
                return
        self._answer(reply)

    def _turn(self, request: LMRequest) -> Answer:
        question = question_of(request)
        self.asked.append(question)
        if any(message.role == "assistant" for message in request.messages):
            return submit(answer=4 if int(question[1:]) % 3 else 5)
        return ToolCall("mark", {"item": question})


def arguments(tasks: Path, out: Path, server: OpenAIServer) -> list[str]:
    command = ["eval", tasks, "--out", out, "--resume", "--workers", "4"]
    return [*map(str, command), "--model", "openai/slow", "--api-base", server.url, "--no-cache"]


def environment(marks: Path) -> dict[str, str]:
    return {**os.environ, "OPENAI_API_KEY": WHOLE, "MARKS": str(marks), "LOOPWRIGHT_CACHE": "off"}


def to_its_end(tasks: Path, out: Path, server: OpenAIServer, marks: Path) -> str:
    """Run the command, in a fresh process; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "loopwright", *arguments(tasks, out, server)],
        env=environment(marks),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@contextmanager
def forking(tasks: Path, marks: Path) -> Iterator[Callable[[Sequence[str]], Iterator[int]]]:
    """Begin a run, with its key and the command's arguments: gives its process, and then how that ended."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, str(tasks)],
        env=environment(marks),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin
        assert process.stdout

        def begin(told: Sequence[str]) -> Iterator[int]:
            assert process.stdin
            process.stdin.write("\t".join(told) + "\n")
            assert process.stdout
            return map(int, process.stdout)

        try:
            yield begin
        finally:
            process.stdin.close()


def kept(folder: Path) -> set[str]:
    """The questions of the trials that are on record: whole lines only."""
    path = folder / "trials.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return {f"q{json.loads(line)['task'][1:]}" for line in lines}


def marked(marks: Path) -> Counter[str]:
    """How often each question's tool did what it does."""
    return Counter(marks.read_text().split()) if marks.exists() else Counter()


def test_a_run_that_is_killed_twenty_times_ends_as_one_that_was_not(
    tmp_path: Path, openai_server: Serve
) -> None:
    tasks, chance = task_file(tmp_path), random.Random(6)
    model = SlowModel()
    server = openai_server(model)
    killed, marks = tmp_path / "killed", tmp_path / "marks.txt"
    with forking(tasks, marks) as begin:
        for kill in range(KILLS):
            before = kept(killed)
            seen, done = len(model.asked), marked(marks)
            model.expect(f"run-{kill}", chance.randint(1, ANSWERED))
            run = begin([f"run-{kill}", *arguments(tasks, killed, server)])
            process = next(run)
            assert model.busy.wait(180), "the run did not begin"
            time.sleep(chance.random() * 0.08)  # about what its answers take
            os.kill(process, signal.SIGKILL)
            assert next(run) == -signal.SIGKILL
            model.end()
            # a trial that was on record is neither asked about nor done again
            assert not before & set(model.asked[seen:])
            now = marked(marks)
            assert all(now[question] == done[question] for question in before)
    assert 0 < len(kept(killed)) < TASKS
    assert "going on: " in to_its_end(tasks, killed, server, marks)
    whole = tmp_path / "whole"
    to_its_end(tasks, whole, server, tmp_path / "other marks.txt")
    assert report_of(killed) == report_of(whole)
    assert len(report_of(killed)["tasks"]) == TASKS
    assert kept(killed) == {f"q{n}" for n in range(TASKS)}
    lines = (killed / "trials.jsonl").read_text().splitlines()
    assert len(lines) == TASKS  # no trial came to its end, and was kept, twice
    assert (killed / "report.html").stat().st_size > 10_000
