"""JUnit's XML: a test case for each trial, valid whatever a model wrote."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from kept_runs import FILE, Reckoner, Run
from replay import Failing, always, submit

from loopwright import TaskFile
from loopwright.errors import NetworkError
from loopwright.evaluation import CheckResult, Report, TrialResult, plan
from loopwright.evaluation.runs.junit import junit_xml

SUMS = TaskFile.parse(FILE)


def cases(xml: bytes) -> dict[str, ET.Element]:
    root = ET.fromstring(xml)  # noqa: S314  # our own file
    return {case.get("name", ""): case for case in root.iter("testcase")}


def report_of(*results: TrialResult, epochs: int = 1) -> Report:
    return Report.of(plan(SUMS, epochs=epochs), results, model="m")


def test_the_file_counts_and_times_its_cases(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept", "--epochs", "2", lm=Reckoner("1 + 2"))
    root = ET.parse(tmp_path / "kept" / "junit.xml").getroot()  # noqa: S314  # our own file
    (suite,) = root
    assert root.tag == "testsuites"
    for element in (root, suite):
        counts = [element.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["8", "2", "0", "0"]
    assert suite.get("name") == "sums"
    assert float(suite.get("time") or "") > 0
    assert [case.get("name") for case in suite][:2] == ["two [1]", "two [2]"]
    assert {case.get("classname") for case in suite} == {"sums"}


def test_a_failure_says_what_was_wrong_and_where() -> None:
    checks = (
        CheckResult("answer", "answer", True),
        CheckResult("calls.required", "x", False, "required call x: never called", 2),
        CheckResult("ends", "submit", False, "ended with max_steps"),
    )
    failed = TrialResult("sums", SUMS.tasks[0], 0, "failed", checks)
    failure = cases(junit_xml(report_of(failed)))["two"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == (
        "required call x: never called",
        "calls.required",
    )
    assert failure.text == "required call x: never called (step 2)\nended with max_steps"


def test_an_excluded_trial_is_skipped_with_its_reason(run: Run, tasks: Path, tmp_path: Path) -> None:
    lm = always(Failing([NetworkError("the cable")] * 99, submit(answer=2)))
    run(tasks, "--out", tmp_path / "kept", "--task", "two", lm=lm)
    case = cases((tmp_path / "kept" / "junit.xml").read_bytes())["two"]
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "excluded: NetworkError: the cable"


def test_trials_that_were_not_made_are_skipped(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept", "--workers", "1", "--budget", "calls=4")
    made = cases((tmp_path / "kept" / "junit.xml").read_bytes())
    reasons = {name: case[0].get("message") if len(case) else "" for name, case in made.items()}
    not_made = "not made: the run was stopped before"
    assert reasons == {"two": "", "three": "", "four": not_made, "five": not_made}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J\x00b", "a␛[2J␀b"),
        ("<script>alert('&')</script>]]>", "<script>alert('&')</script>]]>"),
        ("half \ud800", "half <D800>"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
        ("\u202eright to left", "<202E>right to left"),
        ("two\nlines", "two ⏎ lines"),
        ("x" * 5_000, "x" * 399 + "…"),
    ],
    ids=["controls", "markup", "half a character", "no characters", "direction", "lines", "length"],
)
def test_hostile_text_is_made_harmless(text: str, shown: str) -> None:
    failed = TrialResult("sums", SUMS.tasks[0], 0, "failed", (CheckResult("answer", text, False, text),))
    excluded = TrialResult("sums", SUMS.tasks[1], 0, "excluded", error=text)
    made = cases(junit_xml(report_of(failed, excluded)))
    assert made["two"][0].get("message") == shown
    assert (made["three"][0].get("message") or "").startswith(f"excluded: {shown}"[:380])
