"""Runs whose tasks have worlds: what is kept of a world is enough to judge it again, and to repeat the trial."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kept_runs import Reckoner, Run, report_of, wandering

from loopwright.evaluation.runs.folder import KeptRun

EXAMPLES = Path(__file__).parents[3] / "examples"
WORLDS = pytest.mark.parametrize("name", ["hotel", "library", "support_desk"])


@pytest.fixture
def copied(tmp_path: Path, name: str) -> Path:
    shutil.copytree(EXAMPLES / name, tmp_path / name)
    return tmp_path / name / "tasks.yaml"


@WORLDS
def test_a_trial_that_is_kept_is_judged_again_as_it_was(run: Run, copied: Path, tmp_path: Path) -> None:
    run(copied, "--out", tmp_path / "kept", lm=wandering)
    model = Reckoner()
    _, out, _ = run(copied, "--rescore", tmp_path / "kept", "--out", tmp_path / "again", lm=model)
    assert model.asked == []
    assert " 0 of them with another result" in out
    assert report_of(tmp_path / "again") == report_of(tmp_path / "kept")
    made = KeptRun(tmp_path / "kept").results
    assert any(result.world is not None and result.tool_calls for result in made)


@WORLDS
def test_a_journal_repeats_what_was_done_to_a_world(run: Run, copied: Path, tmp_path: Path) -> None:
    text = copied.read_text()
    assert "\ndefaults:\n" in text
    copied.write_text(text.replace("\ndefaults:\n", "\ndefaults:\n  journal: {path: runs/}\n"))
    run(copied, "--out", tmp_path / "first", lm=wandering)
    copied.write_text(text.replace("\ndefaults:\n", "\ndefaults:\n  journal: {mode: replay, path: runs/}\n"))
    model = Reckoner()
    run(copied, "--out", tmp_path / "second", lm=model)
    assert model.asked == []
    assert report_of(tmp_path / "second") == report_of(tmp_path / "first")
