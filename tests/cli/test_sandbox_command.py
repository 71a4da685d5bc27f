"""`loopwright sandbox doctor`, on the system that the tests run on."""

from __future__ import annotations

import pytest

from loopwright.cli import run_command
from loopwright.sandbox import probe


def test_doctor_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["sandbox", "doctor", "--level", "language"]) == 0
    assert capsys.readouterr().out == f"{probe()}\n"


def test_a_level_that_is_not_reached_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    reached = probe().level == "strict"
    assert run_command(["sandbox", "doctor", "--level", "strict"]) == (0 if reached else 1)
    assert "Not promised" in capsys.readouterr().out
