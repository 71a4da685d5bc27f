"""`loopwright report`: what it writes, and what it says of what it can't read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from report_trials import mixed_report, shop, trial

from loopwright.cli import run_command
from loopwright.evaluation import TaskFile, TrialResult, plan
from loopwright.evaluation.runs.folder import RunFolder
from loopwright.models import ScriptedLM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mixed_report().write(tmp_path / "run")
    return tmp_path / "run"


def test_the_page_is_written_beside_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("named", ["run", "run/report.json"])
def test_out_names_another_file(folder: Path, named: str) -> None:
    page = folder.parent / "pages" / "one.html"
    assert run_command(["report", str(folder.parent / named), "--out", str(page)]) == 0
    assert page.exists()
    assert not (folder / "report.html").exists()


def test_a_page_that_can_not_be_written_is_said_with_a_way_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = folder / "report.json" / "page.html"  # below a file
    assert run_command(["report", str(folder), "--out", str(page)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {page} can't be written: ")
    assert said.endswith("; --out names another file\n")


BROKEN = {
    "not there": (None, "there is no report.json in "),
    "no JSON": ("{", "is no JSON: "),
    "a list": ("[]", "is no report of an evaluation"),
    "something else": ('{"name": "x"}', "is no report of an evaluation"),
    "a later form": (
        '{"format": 9, "summary": {}, "tasks": []}',
        "has format 9; this version of loopwright reads 1",
    ),
    "parts missing": (
        '{"format": 1, "summary": {}, "tasks": []}',
        "this is no whole report of an evaluation",
    ),
    "nested": ("[" * 100_000, "is no JSON: "),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_report_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    assert run_command(["report", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert not (tmp_path / "report.html").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", str(tmp_path / "nowhere")]) == 2
    assert f"there is no {tmp_path / 'nowhere'}: name the folder" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "said"), [(0, ""), (3, "open the file yourself")], ids=["starts", "fails"])
def test_open_starts_the_browser(folder: Path, tmp_path: Path, code: int, said: str) -> None:
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\nexit {code}\n')
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "loopwright", "report", str(folder), "--open"],
        env={**os.environ, "BROWSER": f"{program} %s"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (tmp_path / "opened").read_text().split()[0] == (folder / "report.html").as_uri()
    assert done.returncode == (1 if code else 0)
    assert said in done.stderr


def kept(folder: Path, results: Sequence[TrialResult], file: TaskFile) -> Path:
    with RunFolder.begin(folder, plan(file), ScriptedLM([])) as run:
        run.start()
        for result in results:
            run.add(result)
    return folder


def test_two_kept_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(3)
    before = kept(tmp_path / "before", [trial(file, n) for n in range(3)], file)
    now = kept(tmp_path / "now", [trial(file, 0), trial(file, 1, "failed"), trial(file, 2)], file)
    assert run_command(["report", str(now), "--baseline", str(before)]) == 0
    assert "1 down" in capsys.readouterr().out
    text = (now / "report.html").read_text()
    assert f"Against {before}" in text
    assert "1 broken" in text


def test_a_baseline_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(1)
    now = kept(tmp_path / "now", [trial(file, 0)], file)
    assert run_command(["report", str(now), "--baseline", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (now / "report.html").exists()


def test_a_run_that_did_not_come_to_its_end_has_a_page_of_its_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop(3)
    kept(tmp_path / "run", [trial(file, 0), trial(file, 1, "failed")], file)
    assert run_command(["report", str(tmp_path / "run")]) == 0
    text = (tmp_path / "run" / "report.html").read_text()
    assert "Not complete: 2 of 3 trials were made." in text
    assert "1 failed" in text
