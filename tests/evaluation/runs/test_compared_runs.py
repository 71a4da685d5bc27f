"""Two runs compared: what is fixed and broken, where they part, and whether it can be chance."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from kept_runs import FILE, Reckoner, Run

from loopwright import TaskFile, Trajectory
from loopwright.evaluation import Report, TrialResult, plan
from loopwright.evaluation.runs.comparison import Comparison, compare, headline, more_tasks, sign_test, table
from loopwright.tools import ToolCall, ToolResult
from loopwright.trajectory import Step


def file_of(count: int, asked: str = "q") -> TaskFile:
    tasks = "".join(
        f"- {{id: t{n}, input: {{question: {asked}{n}}}, expect: {{answer: {{answer: {n}}}}}}}\n"
        for n in range(count)
    )
    return TaskFile.parse(
        f'version: 1\nname: many\nagent: {{signature: "question -> answer: int"}}\ntasks:\n{tasks}'
    )


def step(content: str) -> Step:
    call = ToolCall("look", {"at": 1})
    return Step("hm", (call,), (ToolResult(call, content),))


def results(
    file: TaskFile, passed: str, epochs: int = 1, contents: tuple[str, ...] = ("x",)
) -> list[TrialResult]:
    """A result for each letter: p passed, f failed, x excluded; epochs go first."""
    outcomes = {"p": "passed", "f": "failed", "x": "excluded"}
    places = [(n // epochs, n % epochs) for n in range(len(passed))]
    return [
        TrialResult(
            file.name,
            file.tasks[task],
            epoch,
            outcomes[letter],  # type: ignore[arg-type]  # one of the three
            trajectory=Trajectory(tuple(step(content) for content in contents)),
            termination="submit",
        )
        for (task, epoch), letter in zip(places, passed, strict=True)
    ]


def compared(before: str, after: str, epochs: int = 1) -> Comparison:
    file = file_of(len(before) // epochs)
    report = Report.of(plan(file, epochs=epochs), results(file, after, epochs), model="m")
    return compare(results(file, before, epochs), report)


@pytest.mark.parametrize(
    ("before", "after", "epochs", "change"),
    [
        ("p", "p", 1, "unchanged"),
        ("p", "f", 1, "broken"),
        ("f", "p", 1, "fixed"),
        ("pppp", "ppff", 4, "broken"),
        ("pppp", "pppf", 4, "worse"),
        ("pfff", "fpff", 4, "unchanged"),
        ("pfff", "ppff", 4, "better"),
        ("ppff", "pppf", 4, "fixed"),
        ("p", "x", 1, "not judged"),
        ("ppxx", "xxfp", 4, "broken"),
    ],
)
def test_how_a_task_changed(before: str, after: str, epochs: int, change: str) -> None:
    assert [task.change for task in compared(before, after, epochs).tasks] == [change]


@pytest.mark.parametrize(
    ("before", "after", "verdict", "words"),
    [
        ("fffffffp", "pppppppp", "better", "7 of 8 tasks up, 0 down (p = 0.016, sign test)"),
        ("pppppp", "ffffff", "worse", "0 of 6 tasks up, 6 down (p = 0.031, sign test)"),
        ("ppppff", "pppfpp", "inconclusive", "about 133 more tasks like these would decide it"),
        ("pf", "fp", "inconclusive", "as many went up as down, so that no number of tasks would tell"),
        ("ppff", "ppff", "no difference", "no task of 4 moved"),
        ("p" * 12, "f" * 12, "worse", "(p < 0.001, sign test)"),
        ("x", "p", "no difference", "nothing can be compared"),
    ],
)
def test_the_verdict_says_whether_it_can_be_chance(before: str, after: str, verdict: str, words: str) -> None:
    found = compared(before, after)
    assert found.verdict == verdict
    assert words in found.sentence


def test_epochs_are_averaged_and_count_as_one_task() -> None:
    found = compared("pppp" * 3 + "ffff", "pppf" * 3 + "fffp", epochs=4)
    assert (found.up, found.down, found.p) == (1, 3, 0.625)
    assert "about " in found.sentence
    assert "trials)" in found.sentence
    assert (found.before.value, found.after.value) == (0.75, 0.625)


def exact(up: int, down: int) -> float:
    """The definition, summed over all outcomes of fair coins, one by one."""
    total, far = up + down, abs(up - down)
    outcomes = [bin(n).count("1") for n in range(2**total)]
    return sum(abs(2 * heads - total) >= far for heads in outcomes) / len(outcomes)


@pytest.mark.parametrize("up", range(6))
@pytest.mark.parametrize("down", range(6))
def test_the_test_is_exact(up: int, down: int) -> None:
    assert sign_test(up, down) == pytest.approx(exact(up, down))


def test_thousands_of_tasks_are_no_trouble() -> None:
    assert sign_test(2600, 2400) == pytest.approx(0.0049, abs=0.0002)


def test_as_many_more_tasks_as_it_says_decide_it() -> None:
    more = more_tasks(4, 1, 50)
    assert more is not None
    grown = (50 + more) / 50
    assert sign_test(round(4 * grown), round(1 * grown)) < 0.05


def test_tasks_that_are_not_the_same_are_not_compared() -> None:
    old, new = (
        file_of(3),
        TaskFile.parse(FILE.replace("name: sums", "name: many").replace("id: two", "id: t1")),
    )
    report = Report.of(plan(new), [TrialResult("many", task, 0, "passed") for task in new.tasks], model="m")
    found = compare(results(old, "ppp"), report)
    assert {task.id: task.change for task in found.tasks} == {
        "t1": "changed task", "three": "new", "four": "new", "five": "new", "t0": "not run", "t2": "not run",
    }  # fmt: skip
    assert found.counts()["unchanged"] == 0


def test_a_task_that_is_another_one_and_fails_now_is_named() -> None:
    old, new = file_of(3), file_of(3, asked="ask")
    new = replace(new, tasks=(new.tasks[0], *old.tasks[1:]))
    found = compare(results(old, "ppf"), Report.of(plan(new), results(new, "fpf"), model="m"))
    assert found.notes == (
        "not compared, since the task itself is another now: t0; 1 of them passed before and fails now",
    )
    assert found.sentence == (
        "no difference: pass@1 50% before, 50% now, over the 2 tasks that can be compared; no task of 2 moved"
    )


# Where two runs part


@pytest.mark.parametrize(
    ("before", "now", "step", "was", "here"),
    [
        (("x", "y"), ("x", "z"), 2, "look(at=1) → y", "look(at=1) → z"),
        (("x", "y"), ("x",), 2, "look(at=1) → y", "(ended with submit)"),
        ((), ("x",), 1, "(ended with submit)", "look(at=1) → x"),
    ],
    ids=["another result", "ended before", "no steps"],
)
def test_the_first_step_that_differs_is_shown(
    before: tuple[str, ...], now: tuple[str, ...], step: int, was: str, here: str
) -> None:
    file = file_of(1)
    report = Report.of(plan(file), results(file, "f", contents=now), model="m")
    (task,) = compare(results(file, "p", contents=before), report).tasks
    assert task.parting is not None
    assert (task.parting.step, task.parting.was, task.parting.now) == (step, was, here)


def test_the_epoch_whose_outcome_changed_is_the_one_that_is_shown() -> None:
    file = file_of(1)
    before = results(file, "ppp", 3)
    after = [*results(file, "pp", 3), *results(file, "ppf", 3, contents=("other",))[2:]]
    (task,) = compare(before, Report.of(plan(file, epochs=3), after, model="m")).tasks
    assert task.parting is not None
    assert (task.parting.epoch, task.parting.step) == (2, 1)


def test_the_same_steps_are_said_to_be_the_same() -> None:
    (task,) = compared("p", "p").tasks
    assert (task.parting, task.note) == (None, "the two runs took the same steps")


def test_programs_without_steps_part_in_what_they_gave() -> None:
    file = file_of(1)
    sides = [TrialResult("many", file.tasks[0], 0, "passed", outputs={"answer": n}) for n in (0, 1)]
    (task,) = compare(sides[:1], Report.of(plan(file), sides[1:], model="m")).tasks
    assert task.parting is not None
    assert (task.parting.step, task.parting.was, task.parting.now) == (0, "answer = 0", "answer = 1")


def test_the_terminal_names_what_changed_the_worst_first() -> None:
    found = compared("ppff", "pfpf")
    lines = list(headline(found))
    assert lines[0] == "1 fixed, 1 broken, 2 unchanged"
    assert lines[-1].startswith("Against baseline: inconclusive")
    shown = table(found)
    assert shown is not None
    assert [row[:3] for row in shown.rows] == [["broken", "t1", "1/1 → 0/1"], ["fixed", "t2", "0/1 → 1/1"]]
    assert table(compared("p", "p")) is None


# The command


def test_a_task_that_was_broken_fails_the_gate_by_its_name(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "before", lm=Reckoner("1 + 2"))
    code, out, err = run(
        tasks,
        "--baseline",
        tmp_path / "before",
        "--no-regression",
        "--out",
        tmp_path / "now",
        lm=Reckoner("2 + 2"),
    )
    assert code == 1
    assert err.splitlines()[-1] == "--no-regression: 1 task broken: four"
    assert "inconclusive: pass@1 75% before, 75% now; 1 of 4 tasks up, 1 down (p = 1.000, sign test)" in out
    assert "submit(answer=4) → Submitted. | now: submit(answer=5) → Submitted." in out
    report = json.loads((tmp_path / "now" / "report.json").read_text())
    assert report["comparison"]["counts"] == {"fixed": 1, "broken": 1, "unchanged": 2}


def test_a_gate_that_has_nothing_to_compare_does_not_hold(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "before")
    tasks.write_text(re.sub(r"id: (\w+)", r"id: other-\1", tasks.read_text()))
    code, out, err = run(tasks, "--baseline", tmp_path / "before", "--no-regression")
    assert code == 1
    assert "nothing can be compared" in out
    assert err.splitlines()[-1].startswith("--no-regression: no task was judged in both runs")


def test_without_the_gate_a_broken_task_is_only_shown(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "before")
    code, out, _ = run(tasks, "--baseline", tmp_path / "before", lm=Reckoner("2 + 2"))
    assert code == 0
    assert "1 broken" in out


def test_the_same_run_again_passes_the_gate(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "before", lm=Reckoner("1 + 2"))
    code, out, _ = run(tasks, "--baseline", tmp_path / "before", "--no-regression", lm=Reckoner("1 + 2"))
    assert code == 0
    assert "no difference" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-regression"], "--no-regression needs the run to hold against: --baseline RUN"),
        (["--baseline", "nowhere"], "nowhere holds no run: there is no run.json in it"),
    ],
    ids=["no baseline", "no run"],
)
def test_a_baseline_that_is_none_is_refused_before_anything_is_run(
    run: Run, tasks: Path, arguments: list[str], message: str
) -> None:
    model = Reckoner()
    code, _, err = run(tasks, *arguments, lm=model)
    assert (code, model.asked) == (2, [])
    assert message in err
