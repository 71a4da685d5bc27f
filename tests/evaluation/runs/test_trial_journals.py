"""The journal of a task file: trials are recorded, and repeated without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from kept_runs import FILE, Reckoner, Run, report_of

from loopwright.runtime.journal import JournalFile


def with_journal(tasks: Path, text: str) -> Path:
    tasks.write_text(FILE.replace("{seed: 7}", f"{{seed: 7, journal: {text}}}"))
    return tasks


def test_each_trial_is_recorded_by_its_name(run: Run, tasks: Path) -> None:
    assert run(with_journal(tasks, "{path: runs/}"), "--epochs", "2")[0] == 0
    journal = JournalFile(tasks.parent / "runs" / "journal.sqlite")
    runs = journal.runs()
    journal.close()
    names = {f"sums/{task}/{epoch}" for task in ("two", "three", "four", "five") for epoch in (0, 1)}
    assert {one.id for one in runs} == names
    assert {(one.status, one.model_calls, one.tool_calls) for one in runs} == {("done", 2, 1)}


def test_a_replay_asks_nobody_and_gives_the_same_report(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(with_journal(tasks, "{path: runs.sqlite}"), "--out", tmp_path / "first", lm=Reckoner("1 + 2"))
    model = Reckoner()
    with_journal(tasks, "{mode: replay, path: runs.sqlite}")
    code, _, _ = run(tasks, "--out", tmp_path / "second", lm=model)
    assert (code, model.asked) == (0, [])
    first, second = report_of(tmp_path / "first"), report_of(tmp_path / "second")
    assert second == first
    assert second["summary"]["passed"] == 3


def test_auto_asks_only_for_what_is_not_on_record(run: Run, tasks: Path) -> None:
    with_journal(tasks, "{mode: auto, path: runs/}")
    run(tasks, "--task", "two")
    model = Reckoner()
    run(tasks, lm=model)
    assert "1 + 1" not in model.asked
    assert len(model.asked) == 6


def test_record_makes_a_new_record(run: Run, tasks: Path) -> None:
    with_journal(tasks, "{mode: record, path: runs/}")
    run(tasks, lm=Reckoner("1 + 1"))
    model = Reckoner()
    run(tasks, lm=model)
    assert len(model.asked) == 8
    with_journal(tasks, "{mode: replay, path: runs/}")
    assert "4 passed" in run(tasks, lm=model)[1]


@pytest.mark.parametrize("off", ["off", "'off'"])
def test_a_journal_that_is_off_records_nothing(run: Run, tasks: Path, off: str) -> None:
    assert run(with_journal(tasks, f"{{mode: {off}}}"))[0] == 0
    assert not (tasks.parent / "runs").exists()


def test_a_replay_without_a_record_is_refused_before_any_trial(run: Run, tasks: Path) -> None:
    model = Reckoner()
    code, _, err = run(with_journal(tasks, "{mode: replay, path: gone.sqlite}"), lm=model)
    assert (code, model.asked) == (2, [])
    assert "there is no journal" in err
    assert "record one first" in err


def test_a_trial_that_is_not_on_record_is_excluded(run: Run, tasks: Path) -> None:
    with_journal(tasks, "{path: runs/}")
    run(tasks, "--task", "two")
    with_journal(tasks, "{mode: replay, path: runs/}")
    code, out, _ = run(tasks)
    assert code == 3
    assert "1 passed, 0 failed, 3 excluded" in out
    assert "has no run 'sums/three/0'" in out


def test_a_file_that_is_no_journal_is_named(run: Run, tasks: Path) -> None:
    (tasks.parent / "runs.sqlite").write_text("not a database, but long enough to be looked at" * 30)
    code, _, err = run(with_journal(tasks, "{path: runs.sqlite}"))
    assert code == 2
    assert "can't be used as a journal" in err


def test_an_unknown_mode_is_named_with_its_line(run: Run, tasks: Path) -> None:
    code, _, err = run(with_journal(tasks, "{mode: tape}"))
    assert code == 2
    assert "sums.yaml:5" in err
    assert "mode" in err
