"""Progress: a bar in a terminal, with how it goes, what it costs, how fast it is and how long it will take; lines elsewhere."""

from __future__ import annotations

import io
import itertools
import os
import re
import sys
import threading
from pathlib import Path

import pexpect  # type: ignore[import-untyped]  # it comes without types
import pyte
import pytest
from kept_runs import FILE, Reckoner, Run
from openai_server import Reply, Serve, from_lm
from replay import always

from loopwright.evaluation.show import Progress
from loopwright.models import LMRequest, LMResponse, Usage
from loopwright.models.scripted import Answer, as_response

LEFT = r"(?:\d+ s|\d+:\d\d) left"  # more than a minute where the machine is busy
BAR = re.compile(rf"━+.* \d+/32 \d+/\d+ passed.* \d+\.\d/s, {LEFT} +0:\d\d:\d\d")


class Priced(Reckoner):
    def __call__(self, request: LMRequest) -> Answer:
        answer = as_response(super().__call__(request), "priced")
        return LMResponse(answer.text, answer.tool_calls, usage=Usage(990, 10, usd=0.0105))


def test_in_a_terminal_there_is_a_bar(tmp_path: Path, openai_server: Serve) -> None:
    (tmp_path / "sums.yaml").write_text(FILE)
    answer, seen, asked = from_lm(always(Priced())), threading.Event(), itertools.count(1)

    def behave(reply: Reply) -> None:
        if next(asked) > 40:  # of 64: some trials are done, others wait until the bar was looked at
            seen.wait(120)
        answer(reply)

    server = openai_server(behave)
    terminal = pyte.Screen(120, 50)
    stream = pyte.Stream(terminal)
    options = ["--epochs", "8", "--workers", "2", "--no-cache", "--model", "openai/gpt-5-mini"]
    child = pexpect.spawn(
        sys.executable,
        ["-m", "loopwright", "eval", *options, "--api-base", server.url, str(tmp_path / "sums.yaml")],
        env={**os.environ, "OPENAI_API_KEY": "test", "TERM": "xterm", "NO_COLOR": "1"},
        dimensions=(50, 120),
        timeout=180,
        encoding="utf-8",
    )
    bar = ""
    while not BAR.search(bar):
        stream.feed(child.read_nonblocking(4096, timeout=180))
        bar = next((line for line in terminal.display if " left" in line), "")
    seen.set()
    child.expect(pexpect.EOF)
    stream.feed(child.before or "")
    child.close()
    assert child.exitstatus == 0
    assert not any(" left" in line for line in terminal.display)  # the bar goes when it is done


def test_elsewhere_there_are_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sums.yaml").write_text(FILE)
    _, _, err = run(tmp_path / "sums.yaml", "--epochs", "5", "--workers", "1", lm=Priced())
    lines = err.splitlines()
    assert len(lines) == 10
    assert re.fullmatch(rf"2/20, 2/2 passed, \$0\.042, [\d.]+/s, {LEFT}", lines[0])
    assert re.fullmatch(r"20/20, 20/20 passed, \$0\.420, [\d.]+/s", lines[-1])


@pytest.mark.parametrize("total", [1, 3, 7, 100, 1001])
def test_lines_are_ten_at_most_and_the_last_is_the_end(total: int) -> None:
    out = io.StringIO()
    with Progress(total, out) as progress:
        for _ in range(total):
            progress.advance("fine")
    lines = out.getvalue().splitlines()
    assert 1 <= len(lines) <= 11
    assert lines[-1].startswith(f"{total}/{total}, fine, ")
    assert "left" not in lines[-1]


def test_what_was_made_before_counts_for_the_place_and_not_for_the_rate() -> None:
    out = io.StringIO()
    with Progress(4, out, done=3) as progress:
        progress.advance("fine")
    assert out.getvalue().startswith("4/4, fine, ")
