"""`loopwright eval`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from replay import Failing, always, question_of, submit

from loopwright import Example, ReAct, Trajectory, context
from loopwright.cli import run_command
from loopwright.errors import AuthError
from loopwright.models import BaseLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall, ToolResult
from loopwright.tools.calls import ErrorKind
from loopwright.trajectory import Step

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"

FILE = """
version: 1
name: sums
agent: {signature: "question -> answer: int", tools: [calculate]}
tasks:
- {id: two, tags: [even], split: test, input: {question: "1 + 1?"}, expect: {answer: {answer: 2}}}
- {id: three, tags: [odd], split: train, input: {question: "1 + 2?"}, expect: {answer: {answer: 3}}}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "sums.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process, with the model that answers 2 to everything or another."""

    def command(*arguments: object, lm: BaseLM | None = None) -> tuple[int, str, str]:
        with context(lm=lm or always(submit(answer=2))):
            code = run_command(["eval", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def test_the_report_is_printed(run: Run, tasks: Path) -> None:
    code, out, err = run(tasks)
    assert code == 0
    assert out.startswith("always: 2 tasks, 1 passed, 1 failed in ")
    assert "pass@1  50% (9.5% to 90.5%)" in out
    assert "three  0/1     1     answer: 2 is not 3" in out
    assert out.endswith("-v shows every step; --out DIR keeps the report\n")
    assert err.splitlines()[-1].startswith("2/2, 1/2 passed, ")


def test_verbose_shows_every_step(run: Run, tasks: Path) -> None:
    _, out, _ = run(tasks, "-v")
    assert "✓ sums/two: passed" in out
    assert "✗ sums/three: failed" in out
    assert "  1. → submit(answer=2)\n       Submitted.\n     ⚠ answer: 2 is not 3\n" in out


@pytest.mark.parametrize(("least", "code"), [("0.5", 0), ("0.51", 1), ("1", 1)])
def test_the_gate_is_at_min_pass(run: Run, tasks: Path, least: str, code: int) -> None:
    given, _, err = run(tasks, "--min-pass", least)
    assert given == code
    assert ("below --min-pass" in err) == (code == 1)


def test_json_is_all_that_stdout_holds(run: Run, tasks: Path) -> None:
    code, out, _ = run(tasks, "--json")
    assert code == 0
    report = json.loads(out)
    assert [task["id"] for task in report["tasks"]] == ["two", "three"]
    assert report["summary"]["passed"] == 1


def test_out_keeps_the_report(run: Run, tasks: Path, tmp_path: Path) -> None:
    code, out, _ = run(tasks, "--out", tmp_path / "kept")
    written = tmp_path / "kept" / "report.json"
    assert code == 0
    assert out.endswith(f"\n{written}\n{tmp_path / 'kept' / 'report.html'}\n")
    assert json.loads(written.read_text())["model"] == "always"


def test_a_report_that_can_not_be_written_loses_nothing_of_what_is_printed(run: Run, tasks: Path) -> None:
    kept = tasks.parent / "kept"
    (kept / "report.json").mkdir(parents=True)
    code, out, err = run(tasks, "--out", kept)
    assert code == 2
    assert "pass@1" in out
    assert f"error: the report can't be written to {kept}: Is a directory; the trials in it are safe" in err


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--split", "test"], ["two"]),
        (["--tag", "odd"], ["three"]),
        (["--tag", "odd", "--tag", "even"], ["two", "three"]),
        (["--task", "three"], ["three"]),
        (["--limit", "1"], ["two"]),
    ],
    ids=" ".join,
)
def test_tasks_are_chosen(run: Run, tasks: Path, options: list[str], ids: list[str]) -> None:
    _, out, _ = run(tasks, "--json", *options)
    assert [task["id"] for task in json.loads(out)["tasks"]] == ids


def test_epochs_and_workers(run: Run, tasks: Path) -> None:
    _, out, _ = run(tasks, "--epochs", "3", "--workers", "2", "--json")
    report = json.loads(out)
    assert [trial["epoch"] for trial in report["tasks"][0]["trials"]] == [0, 1, 2]
    assert report["summary"]["pass_power"]["3"]["value"] == 0.5


def test_a_saved_program_replaces_what_the_agent_has_learned(run: Run, tasks: Path, tmp_path: Path) -> None:
    learned = ReAct("question -> answer: int")
    learned.react.signature = learned.react.signature.with_instructions("Say two.")
    learned.save(tmp_path / "learned.json")
    seen: list[str] = []

    def answer(request: LMRequest) -> Answer:
        seen.append(request.messages[0].content)
        return submit(answer=2)

    code, _, _ = run(tasks, "--program", tmp_path / "learned.json", lm=always(answer))
    assert code == 0
    assert all("Say two." in text for text in seen)


def shown(name: str, error: ErrorKind | None = None) -> Example:
    call = ToolCall(name, {})
    told = ToolResult(call, "done") if error is None else ToolResult.failed(call, error, "no such tool")
    steps = (Step("", (call,), (told,)), Step("", (ToolCall("submit", {"answer": 2}),), ()))
    return Example(question="1 + 1?", answer=2, trajectory=Trajectory(steps)).with_inputs("question")


@pytest.mark.parametrize("options", [["--check"], []], ids=["checked", "run"])
def test_demonstrations_that_call_what_the_agent_has_not_are_named(
    run: Run, tasks: Path, tmp_path: Path, options: list[str]
) -> None:
    learned = ReAct("question -> answer: int", tools=["calculate"])
    learned.react.demos = [shown("send_mail"), shown("calculate"), shown("calclate", "unknown_tool")]
    learned.save(tmp_path / "learned.json")
    code, _, err = run(tasks, "--program", tmp_path / "learned.json", *options)
    assert code == 0
    assert err.startswith("warning: the demonstrations of the agent call send_mail, which it does not have\n")


def test_a_file_that_names_its_saved_program_is_looked_at_too(run: Run, tasks: Path, tmp_path: Path) -> None:
    learned = ReAct("question -> answer: int", tools=["calculate"])
    learned.react.demos = [shown("send_mail")]
    learned.save(tmp_path / "learned.json")
    tasks.write_text(FILE.replace("agent: {", "agent: {program: learned.json, "))
    assert "call send_mail, which it does not have" in run(tasks)[2]
    learned.react.demos = [shown("calculate")]
    learned.save(tmp_path / "learned.json")
    assert "warning" not in run(tasks)[2]


def test_check_refuses_a_program_that_does_not_fit(run: Run, tasks: Path, tmp_path: Path) -> None:
    ReAct("question -> reply").save(tmp_path / "other.json")
    code, _, err = run(tasks, "--check", "--program", tmp_path / "other.json")
    assert code == 2
    assert "question -> reply" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a task file, such as examples/tasks/arithmetic.yaml"),
        (["nowhere.yaml"], "nowhere.yaml: no such file"),
        (["{tasks}", "--task", "thre"], "there is no task 'thre'; did you mean 'three'?"),
        (["{tasks}", "--tag", "od"], "no task has the tag 'od'; did you mean 'odd'?"),
        (["{tasks}", "--split", "dev"], "no task is of that split, tag and id: there is nothing to run"),
        (["{tasks}", "{tasks}"], "two of the files are named 'sums': give one of them another name"),
        (["{tasks}", "--program", "nowhere.json"], "nowhere.json: no such file"),
        (["{tasks}", "--epochs", "0"], "0 is not in the range x>=1"),
        (["{tasks}", "--modle", "x"], "No such option"),
        (["{tasks}", "--model", "nonsense"], "the model 'nonsense' names no provider"),
    ],
    ids=[
        "no file",
        "no such file",
        "no such task",
        "no such tag",
        "nothing left",
        "one name",
        "no program",
        "epochs",
        "option",
        "model",
    ],
)
def test_bad_options_exit_with_2(run: Run, tasks: Path, arguments: list[str], message: str) -> None:
    code, out, err = run(*(argument.format(tasks=tasks) for argument in arguments))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""


def test_every_problem_of_every_file_is_printed(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(FILE.replace("input:", "imput:"))
    second.write_text(FILE.replace("calculate", "calcualte\u202e"))
    code, _, err = run(first, second)
    lines = err.splitlines()
    assert code == 2
    assert len(lines) == 4
    assert lines[0] == f"{first}:6: task two: imput: no such key; did you mean 'input'?"
    assert lines[-1] == "3 problems: nothing was run"
    assert "\u202e" not in err


def test_check_asks_no_model(run: Run, tasks: Path) -> None:
    model = Failing([], submit(answer=2))
    code, out, err = run(tasks, "--check", lm=always(model))
    first, _, rest = out.partition("\n")
    assert (code, first, err, model.calls) == (0, f"{tasks}: 2 tasks, nothing wrong", "", 0)
    assert "an idle run fails" in rest


def test_schema_needs_no_file(run: Run) -> None:
    code, out, _ = run("--schema")
    assert code == 0
    assert json.loads(out)["required"] == ["version", "agent", "tasks"]


def test_too_many_excluded_trials_exit_with_3(run: Run, tasks: Path) -> None:
    model = Failing([AuthError("the key is wrong")] * 100, submit(answer=2))
    code, out, err = run(tasks, "--min-pass", "0.9", lm=always(model))
    assert code == 3
    assert "2 excluded" in out
    assert "AuthError: the key is wrong" in out
    assert err.splitlines()[-1] == "2 of 2 trials could not be made"


def test_ctrl_c_prints_what_is_done_and_exits_with_130(run: Run, tasks: Path) -> None:
    def answer(request: LMRequest) -> Answer:
        if question_of(request) == "1 + 2?":
            raise KeyboardInterrupt
        return submit(answer=2)

    code, out, err = run(tasks, "--workers", "1", lm=always(answer))
    assert code == 130
    assert "1 task, 1 passed, 0 failed" in out
    assert "not complete: 1 of 2 trials were made" in out
    assert "interrupted: the report is of what was done" in err


def test_hostile_tool_output_can_not_touch_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(
        'def read_mail() -> str:\n    """Read the mail."""\n    return "\\x1b[2J\\x1b]0;owned\\x07" + "x" * 100_000\nTOOLS = [read_mail]\n'
    )
    path = tmp_path / "evil.yaml"
    path.write_text(FILE.replace("[calculate]", '["evil:TOOLS"]'))

    def answer(request: LMRequest) -> Answer:
        made = any(message.role == "assistant" for message in request.messages)
        return submit(answer=2) if made else ToolCall("read_mail")

    code, out, _ = run(path, "-v", lm=always(answer))
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "␛[2J␛]0;owned" in out
    assert len(out) < 5_000


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "loopwright", "eval", *map(str, arguments)]


def test_from_outside_a_broken_file_gives_its_line_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "sums.yaml"
    path.write_text(FILE.replace("calculate", "calcualte"))
    done = subprocess.run(command(path), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f'{path}:4: agent.tools[0]: there is no tool "calcualte"; did you mean "calculate"?'
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_from_outside_the_examples_are_sound() -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    done = subprocess.run(
        command("--check", *files),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("nothing wrong") == len(files) > 0


SLOW = """
import os, time
from loopwright.tools import tool
@tool
def wait() -> str:
    "Wait."
    os.write(1, b"waiting ")  # in one piece: both workers come by here
    time.sleep(600)
    return "done"
"""


def test_from_outside_ctrl_c_ends_a_run_whose_tools_hang(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "sums.yaml").write_text(FILE.replace("[calculate]", '["slow.py"]'))
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it\n"
        "import sys; from loopwright import context; from loopwright.cli import run_command\n"
        "from loopwright.models import FunctionLM, Capabilities; from loopwright.tools import ToolCall\n"
        "lm = FunctionLM(lambda request: ToolCall('wait'), capabilities=Capabilities(native_tools=True))\n"
        f"with context(lm=lm): sys.exit(run_command(['eval', {str(tmp_path / 'sums.yaml')!r}, '--workers', '2']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.read(8) == "waiting "
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert "not complete: 0 of 2 trials were made" in out
    assert time.monotonic() - started < 300


def test_a_folder_that_can_not_be_written_is_refused_before_anything_is_run(
    run: Run, tasks: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    model = Failing([], submit(answer=2))
    out = tmp_path / "file" / "reports"
    code, printed, err = run(tasks, "--out", out, lm=always(model))
    assert (code, printed) == (2, "")
    assert err == f"error: --out {out} can't be written: Not a directory; nothing was run\n"
    assert model.calls == 0
