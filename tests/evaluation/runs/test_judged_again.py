"""A stored run judged by a changed file: no model is asked, and only what was changed differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FILE, Reckoner, Run, report_of
from openai_server import Serve, from_lm
from replay import always

from loopwright.models import LM

CHANGED = FILE.replace("{answer: {answer: 3}}", "{answer: {answer: 4}, calls: {max: {total: 0}}}")


@pytest.fixture
def kept(run: Run, tasks: Path, tmp_path: Path) -> Path:
    run(tasks, "--out", tmp_path / "kept", "--epochs", "2", lm=Reckoner("1 + 2"))
    return tmp_path / "kept"


def checks_of(report: Any) -> dict[str, list[Any]]:
    return {task["id"]: [trial["checks"] for trial in task["trials"]] for task in report["tasks"]}


def test_only_the_changed_checks_have_other_results(
    run: Run, tasks: Path, kept: Path, tmp_path: Path
) -> None:
    tasks.write_text(CHANGED)
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    model = Reckoner()
    code, out, _ = run(tasks, "--rescore", kept, "--out", tmp_path / "again", lm=model)
    assert (code, model.asked) == (0, [])
    assert "judged again: 8 trials, 2 of them with another result" in out
    assert "  three [2]: failed → failed" in out
    assert "    answer answer: passes" in out
    assert "    calls.max total: at most 0 calls: 1 was made" in out
    old, new = checks_of(report_of(kept)), checks_of(report_of(tmp_path / "again"))
    assert {name for name in old if old[name] != new[name]} == {"three"}
    assert [[one["passed"] for one in trial] for trial in new["three"]] == [[True, False]] * 2
    assert before == {path.name: path.read_bytes() for path in kept.iterdir()}  # the run stays as it is


def test_the_same_file_changes_nothing(run: Run, tasks: Path, kept: Path, tmp_path: Path) -> None:
    code, out, _ = run(tasks, "--rescore", kept, "--out", tmp_path / "again")
    assert code == 0
    assert "judged again: 8 trials, 0 of them with another result" in out
    first, again = report_of(kept), report_of(tmp_path / "again")
    assert again == first


def test_what_a_check_says_names_it_once(run: Run, tasks: Path, kept: Path) -> None:
    tasks.write_text(FILE.replace("{answer: {answer: 3}}", "{answer: {answer: 4}}"))
    run(tasks, "--rescore", kept, "--out", kept.parent / "four")
    tasks.write_text(FILE.replace("{answer: {answer: 3}}", "{answer: {answer: 5}}"))
    _, out, _ = run(tasks, "--rescore", kept.parent / "four")
    assert set(re.findall(r"^    .*answer.*$", out, re.MULTILINE)) == {"    answer: 4 is not 5"}


def test_no_server_is_asked(run: Run, tasks: Path, tmp_path: Path, openai_server: Serve) -> None:
    server = openai_server(from_lm(always(Reckoner())))
    lm = LM("openai/any", api_base=server.url, api_key="test", cache=False)
    run(tasks, "--out", tmp_path / "kept", lm=lm)
    asked = len(server.requests)
    assert asked == 8
    tasks.write_text(CHANGED)
    code, out, _ = run(tasks, "--rescore", tmp_path / "kept", lm=lm)
    assert code == 0
    assert "three: passed → failed" in out
    assert len(server.requests) == asked


def test_a_run_judged_again_is_a_run_to_compare_with(
    run: Run, tasks: Path, kept: Path, tmp_path: Path
) -> None:
    tasks.write_text(CHANGED)
    run(tasks, "--rescore", kept, "--out", tmp_path / "again")
    code, out, _ = run(tasks, "--baseline", tmp_path / "again", "--epochs", "2", "--no-regression")
    assert code == 0
    assert "no difference: pass@1 75% before, 75% now" in out


def test_the_gates_hold_for_what_is_judged_again(run: Run, tasks: Path, kept: Path) -> None:
    tasks.write_text(CHANGED)
    code, _, err = run(tasks, "--rescore", kept, "--min-pass", "0.9")
    assert code == 1
    assert "pass@1 is 0.750, below --min-pass 0.9" in err


def test_tasks_that_the_file_lacks_are_left_out(run: Run, tasks: Path, kept: Path) -> None:
    code, out, _ = run(tasks, "--rescore", kept, "--task", "two", "--json")
    assert code == 0
    assert [task["id"] for task in json.loads(out)["tasks"]] == ["two"]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (
            ("name: sums", "name: total"),
            [],
            "has no trial of these files' tasks: it is of sums, the files are total",
        ),
        (("", ""), ["--out", "{kept}"], "--out is the run itself, which stays as it is"),
    ],
    ids=["other file", "over itself"],
)
def test_what_can_not_be_judged_again_is_named(
    run: Run, tasks: Path, kept: Path, change: tuple[str, str], arguments: list[str], message: str
) -> None:
    tasks.write_text(FILE.replace(*change))
    code, _, err = run(tasks, "--rescore", kept, *(one.format(kept=kept) for one in arguments))
    assert code == 2
    assert message in err


def test_a_trial_that_came_to_nothing_stays_what_it_is(run: Run, tasks: Path, tmp_path: Path) -> None:
    lm = LM("openai/any", api_base="http://127.0.0.1:9/v1", api_key="test", num_retries=0)
    run(tasks, "--out", tmp_path / "kept", lm=lm)
    tasks.write_text(CHANGED)
    code, out, _ = run(tasks, "--rescore", tmp_path / "kept")
    assert code == 3
    assert "0 of them with another result" in out
