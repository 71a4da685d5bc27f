"""The report as JUnit's XML, which CI systems show: a test case for each trial.

The form is the common one (testsuites, testsuite, testcase with failure or skipped). A trial that was
excluded, or that a partial run did not come to, is skipped: it says nothing of the agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from ...text import one_line
from ...whole_file import write_whole
from ..reports.report import Report
from ..trials.attempt import Trial, TrialResult

FILE = "junit.xml"
MESSAGE = 400  # characters of a line

# what XML 1.0 can't hold, not even escaped
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: Report, folder: Path, planned: Sequence[Trial] = ()) -> Path:
    """Write `junit.xml` into a folder; `planned` are the trials that were to be made."""
    return write_whole(folder / FILE, junit_xml(report, planned))


def junit_xml(report: Report, planned: Sequence[Trial] = ()) -> bytes:
    """The report as JUnit's XML."""
    suites = ET.Element("testsuites", name="loopwright")
    made = {(result.file, result.task.id, result.epoch) for result in report.results}
    missing = [one for one in planned if (one.file.name, one.task.id, one.epoch) not in made]
    for file in report.files:
        results = [result for result in report.results if result.file == file.name]
        cases = [_case(result, several=report.epochs > 1) for result in results]
        cases += [_not_made(one, several=report.epochs > 1) for one in missing if one.file.name == file.name]
        suite = ET.SubElement(suites, "testsuite", _counts(cases), name=_sound(file.name))
        suite.set("time", f"{sum(result.seconds for result in results):.3f}")
        suite.extend(cases)
    for name, count in _counts([case for suite in suites for case in suite]).items():
        suites.set(name, count)
    suites.set("time", f"{report.seconds:.3f}")
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _counts(cases: Iterable[ET.Element]) -> dict[str, str]:
    kinds = [case[0].tag if len(case) else "" for case in cases]
    return {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": "0",
        "skipped": str(kinds.count("skipped")),
    }


def _case(result: TrialResult, *, several: bool) -> ET.Element:
    case = _named(result.file, result.task.id, result.epoch, several=several)
    case.set("time", f"{result.seconds:.3f}")
    if result.outcome == "failed":
        failed = [check for check in result.checks if check.failed]
        first = failed[0] if failed else None
        message = one_line(first.feedback, MESSAGE) if first else "failed"
        failure = ET.SubElement(
            case, "failure", message=_sound(message), type=_sound(first.check if first else "")
        )
        failure.text = _sound("\n".join(_line(check.feedback, check.step) for check in failed))
    elif result.outcome == "excluded":
        reason = one_line(f"excluded: {result.error}", MESSAGE)
        ET.SubElement(case, "skipped", message=_sound(reason))
    return case


def _line(feedback: str, step: int | None) -> str:
    where = f" (step {step})" if step else ""
    return f"{one_line(feedback, MESSAGE)}{where}"


def _not_made(trial: Trial, *, several: bool) -> ET.Element:
    case = _named(trial.file.name, trial.task.id, trial.epoch, several=several)
    ET.SubElement(case, "skipped", message="not made: the run was stopped before")
    return case


def _named(file: str, task: str, epoch: int, *, several: bool) -> ET.Element:
    name = f"{task} [{epoch + 1}]" if several else task
    return ET.Element("testcase", classname=_sound(file), name=_sound(name))


def _sound(text: str) -> str:
    r"""A text as XML can hold it: control characters and halves of characters become U+FFFD.

    >>> _sound("a\x1b[2J\ud800")
    'a\ufffd[2J\ufffd'
    """
    return _NO_XML.sub("\ufffd", text)
