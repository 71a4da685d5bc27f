"""Ctrl-C: the first waits for what is under way, the second leaves at once; what was done can be gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from kept_runs import FILE, Reckoner
from openai_server import Behaviour, OpenAIServer, Reply, Serve, from_lm
from replay import always


def start(tasks: Path, out: Path, server: OpenAIServer) -> subprocess.Popen[str]:
    # a job in the background ignores Ctrl-C, and its children with it
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from loopwright.cli import run_command; sys.exit(run_command(sys.argv[1:]))"
    )
    options = ["--out", out, "--resume", "--workers", "2", "--model", "openai/any", "--api-base", server.url]
    return subprocess.Popen(
        [sys.executable, "-c", code, "eval", str(tasks), *map(str, options), "--no-cache"],
        env={**os.environ, "OPENAI_API_KEY": "test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def holding(until: Callable[[], bool], asked: threading.Semaphore) -> Behaviour:
    """Answers as soon as it may, and says that it was asked."""
    answer = from_lm(always(Reckoner()))

    def behave(reply: Reply) -> None:
        asked.release()
        while not until() and not reply.stopped.wait(0.02):
            pass
        answer(reply)

    return behave


def status(out: Path) -> str:
    return str(json.loads((out / "run.json").read_text())["status"])


def test_the_first_waits_for_the_trials_under_way(tmp_path: Path, openai_server: Serve) -> None:
    tasks, out = tmp_path / "sums.yaml", tmp_path / "kept"
    tasks.write_text(FILE)
    go, asked = threading.Event(), threading.Semaphore(0)
    server = openai_server(holding(go.is_set, asked))
    process = start(tasks, out, server)
    assert asked.acquire(timeout=180)
    assert asked.acquire(timeout=180)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    line = process.stderr.readline() + process.stderr.readline()
    assert "stopping: the trials under way are waited for; Ctrl-C again leaves at once" in line
    go.set()
    shown, err = process.communicate(timeout=180)
    assert process.returncode == 130, err
    assert "interrupted: the report is of what was done" in err
    assert "not complete: 2 of 4 trials were made" in shown
    assert len(server.requests) == 4  # two for each of the two: no third trial was begun
    assert status(out) == "interrupted"
    process = start(tasks, out, server)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert len(server.requests) == 8
    assert status(out) == "complete"


def test_the_second_leaves_at_once(tmp_path: Path, openai_server: Serve) -> None:
    tasks, out = tmp_path / "sums.yaml", tmp_path / "kept"
    tasks.write_text(FILE)
    asked = threading.Semaphore(0)
    server = openai_server(holding(lambda: len(server.requests) <= 4, asked))  # two trials, then nothing more
    process = start(tasks, out, server)
    for _ in range(5):
        assert asked.acquire(timeout=180)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 130, err
    assert "left at once" in err
    assert status(out) == "interrupted"
    assert len((out / "trials.jsonl").read_text().splitlines()) >= 1
