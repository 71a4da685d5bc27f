"""A trial's result as JSON, and its store: everything comes back, nothing half-written counts."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loopwright import TaskFile, Trajectory
from loopwright.errors import ConfigurationError
from loopwright.evaluation import CheckResult, TrialResult
from loopwright.evaluation.checks.record import TurnMade, Verdict
from loopwright.evaluation.checks.world_record import WorldRecord
from loopwright.evaluation.runs import trial_as_json, trial_from_json
from loopwright.evaluation.runs.codec import RecordError, written
from loopwright.evaluation.runs.store import StoredTrajectory, StoredTrials, TrialStore
from loopwright.models import Usage
from loopwright.tools import ToolCall, ToolResult
from loopwright.trajectory import Step

FILE = TaskFile.parse("""
version: 1
name: sums
agent: {signature: "question -> answer: int"}
tasks:
- {id: two, input: {question: "1 + 1?"}, expect: {answer: {answer: 2}}}
- {id: three, input: {question: "1 + 2?"}, expect: {answer: {answer: 3}}}
""")


def steps(*texts: str) -> tuple[Step, ...]:
    made = []
    for place, text in enumerate(texts):
        call = ToolCall("get", {"at": place, "deep": [{"x": None}]}, f"c{place}")
        bad = ToolCall("get", {}, "", '{"at": ')
        results = (ToolResult(call, text, value={"n": 1}, seconds=0.5, detail="whole", attempts=2),)
        failed = ToolResult(bad, "no JSON", "invalid_args")
        made.append(Step(f"thought {place}", (call, bad), (*results, failed), 0.25, (results[0],)))
    return tuple(made)


def result(task: str = "two", epoch: int = 0, outcome: Any = "failed", **more: Any) -> TrialResult:
    return TrialResult("sums", FILE.task(task), epoch, outcome, **more)


FULL = result(
    epoch=3,
    checks=(CheckResult("answer", "answer", False, "5 is not 2", 2, 1, "judge/model", True),),
    outputs={"answer": 5, "why": None, "list": [1, "two"]},
    trajectory=Trajectory(steps("one", "two")),
    termination="submit",
    error="an error",
    usage=Usage(10, 2, 3, 0.5),
    cached=1,
    seconds=1.25,
    attempts=2,
    world=WorldRecord.of({"a": 1, "gone": 2, "list": [1]}, {"a": 2, "list": [1, {"x": "y"}]}, ()),
    score=0.5,
    turns=(TurnMade(0, "Hello?", {"reply": "Yes."}, 1, 2, "submit", "user/model"),),
    verdicts={"asked": Verdict("judge/model", "it is kind", True, 0.75, "")},
    other_usage={"users": Usage(1, 1, usd=None)},
)


def lookup(file: str, task: str) -> Any:
    assert file == "sums"
    return FILE.task(task)


def again(one: TrialResult) -> TrialResult:
    body: Mapping[str, Any] = json.loads(written(trial_as_json(one)))
    return trial_from_json(body, lookup)


def test_every_field_of_a_trial_comes_back() -> None:
    default = result()
    for field in dataclasses.fields(TrialResult):
        if field.name not in ("file", "task", "outcome"):
            assert getattr(FULL, field.name) != getattr(default, field.name), f"{field.name} is not tried"
    assert repr(again(FULL)) == repr(FULL)  # a repr, as some fields don't count when two are compared
    assert again(FULL) == FULL


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ("half \ud800 a character", "half \ud800 a character"),
        ("\x00\x1b[2J\u2028\U0001f600", "\x00\x1b[2J\u2028\U0001f600"),
        (float("inf"), float("inf")),
        (10**400, 10**400),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({1: "one"}, {"1": "one"}),
        ({"b", "a"}, ["a", "b"]),
        (Usage(1, 2), {"prompt_tokens": 1, "completion_tokens": 2, "cached_tokens": 0, "usd": None}),
        (Path, f"{Path}"),
    ],
    ids=["half", "controls", "infinity", "large", "tuple", "number as a key", "set", "record", "class"],
)
def test_whatever_an_argument_holds_is_kept_or_told(value: Any, back: Any) -> None:
    call = ToolCall("get", {"value": value})
    one = result(trajectory=Trajectory((Step("", (call,), (ToolResult(call, "done", value=value),)),)))
    made = again(one).trajectory.steps[0].results[0]
    assert made.call.args["value"] == back
    assert made.value == back


def test_a_value_that_holds_itself_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    call = ToolCall("get", {"value": endless})
    assert again(result(trajectory=Trajectory((Step("", (call,), ()),)))).trajectory.steps


@pytest.mark.parametrize(
    "body", [{}, {"file": "sums", "task": "nope"}, {"file": "sums", "task": "two", "epoch": 0}]
)
def test_what_is_no_record_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="not the record of a trial"):
        trial_from_json(body, lookup)


# The store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trials.jsonl"


def stored(path: Path) -> list[TrialResult]:
    with TrialStore(path) as store:
        return list(StoredTrials(path, list(store.places().values()), lookup))


def test_the_first_result_of_a_trial_counts(path: Path) -> None:
    with TrialStore(path) as store:
        assert store.add(result(outcome="passed"), {})
        assert not store.add(result(outcome="failed"), {})
    assert [one.outcome for one in stored(path)] == ["passed"]


def test_a_trial_that_was_excluded_may_be_made_again(path: Path) -> None:
    with TrialStore(path) as store:
        assert store.add(result(outcome="excluded"), {})
        assert store.add(result(outcome="excluded"), {})
        assert store.add(result(outcome="passed"), {})
        assert not store.add(result(outcome="excluded"), {})
    assert [one.outcome for one in stored(path)] == ["passed"]


@pytest.mark.parametrize("kept", [0, 10**6], ids=["in the file", "in memory"])
def test_a_trajectory_is_what_it_was_wherever_it_lies(path: Path, kept: int) -> None:
    with TrialStore(path) as store:
        store.add(FULL, {"session": 0})
        (one,) = StoredTrials(path, list(store.places().values()), lookup, kept)
    assert isinstance(one.trajectory, StoredTrajectory) == (kept == 0)
    assert pickle.loads(pickle.dumps(one.trajectory)) == FULL.trajectory  # noqa: S301  # what was just written
    assert one.trajectory == FULL.trajectory
    assert one.trajectory["tool_name_0"] == "get"
    assert (one.steps, bool(one.trajectory), len(one.trajectory)) == (2, True, 16)
    assert one == FULL


@pytest.mark.parametrize("left", [1, 10, 200])
def test_a_line_that_was_cut_off_is_no_trial(path: Path, left: int) -> None:
    with TrialStore(path) as store:
        store.add(result(), {})
        store.add(result("three", trajectory=Trajectory(steps("x"))), {})
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: first + left])
    assert [one.task.id for one in stored(path)] == ["two"]
    with TrialStore(path) as store:
        assert store.add(result("three"), {})
    assert [one.task.id for one in stored(path)] == ["two", "three"]


def test_a_line_that_is_damaged_is_named(path: Path) -> None:
    with TrialStore(path) as store:
        store.add(result(), {})
    path.write_bytes(b'{"file": 1}\n' + path.read_bytes())
    with pytest.raises(ConfigurationError, match="damaged at byte 0: the line there is no trial"):
        TrialStore(path)


def test_two_writers_at_once_are_refused(path: Path) -> None:
    with TrialStore(path), pytest.raises(ConfigurationError, match="is being written by another process"):
        TrialStore(path)
    TrialStore(path).close()


FILLED = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_trial_records import result, TrialStore, ConfigurationError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else the limit kills the process, as no full disk does
with TrialStore(Path(sys.argv[1])) as store:
    store.add(result(outcome="passed"), {})
    size = Path(sys.argv[1]).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
    try:
        store.add(result("three", outcome="passed"), {})
    except ConfigurationError as error:
        print(error)
    assert Path(sys.argv[1]).stat().st_size == size
"""


def test_a_full_disk_loses_nothing_that_was_written(path: Path) -> None:
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, "-c", FILLED, str(path), str(here.parent), str(here.parents[2])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "can't be written: File too large; the 1 trials in it are safe" in done.stdout
    assert "--resume" in done.stdout
    assert [one.task.id for one in stored(path)] == ["two"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_read_only_is_named(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(ConfigurationError, match="can't be written: Permission denied"):
            TrialStore(path)
    finally:
        path.parent.chmod(0o700)


def test_a_store_in_the_place_of_a_folder_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigurationError, match="can't be written: Is a directory"):
        TrialStore(path)


def test_what_is_written_reaches_the_disk_beside_the_next_trials(path: Path) -> None:
    with TrialStore(path) as store:
        for epoch in range(4):
            time.sleep(0.3)  # longer than a power cut may take back, in all
            store.add(result(epoch=epoch), {})
    assert [one.epoch for one in stored(path)] == [0, 1, 2, 3]
