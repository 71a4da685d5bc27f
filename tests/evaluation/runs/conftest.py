"""The command in this process, and a task file for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kept_runs import FILE, Reckoner, Run
from replay import always

from loopwright import context
from loopwright.cli import run_command
from loopwright.models import BaseLM, LMRequest
from loopwright.models.scripted import Answer


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "sums.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `loopwright eval` with a model: its exit code, and what it printed."""

    def command(
        *arguments: object, lm: BaseLM | Callable[[LMRequest], Answer] | None = None
    ) -> tuple[int, str, str]:
        model = lm if isinstance(lm, BaseLM) else always(lm or Reckoner())
        with context(lm=model):
            code = run_command(["eval", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command
