"""A run in its folder: what it holds, when it is gone on with, and when that is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kept_runs import FILE, Reckoner, Run, report_of
from replay import Failing, always

from loopwright import ReAct, TaskFile
from loopwright.errors import ConfigurationError, NetworkError
from loopwright.evaluation import plan
from loopwright.evaluation.runs.folder import KeptRun, RunFolder
from loopwright.models import LM, LMRequest, ScriptedLM
from loopwright.models.scripted import Answer


class Interrupting(Reckoner):
    """Is interrupted, as by Ctrl-C, when it is asked this the first time."""

    def __init__(self, at: str) -> None:
        super().__init__("1 + 2")
        self.at = at

    def __call__(self, request: LMRequest) -> Answer:
        answer = super().__call__(request)
        if self.asked[-1] == self.at:
            self.at = ""
            raise KeyboardInterrupt
        return answer


def test_a_folder_holds_all_that_a_run_is(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    code, _, _ = run(tasks, "--out", out, "--epochs", "2", lm=Reckoner("1 + 2"))
    assert code == 0
    assert {path.name for path in out.iterdir()} == {
        "run.json", "tasks.json", "trials.jsonl", "report.json", "report.html", "junit.xml",
    }  # fmt: skip
    manifest = json.loads((out / "run.json").read_text())
    assert (manifest["status"], manifest["planned"], manifest["epochs"]) == ("complete", 8, 2)
    assert (manifest["model"], manifest["files"]["sums"]["seed"]) == ("always", 7)
    assert set(manifest["files"]["sums"]["tools"]) == {"calculate"}
    assert set(manifest["files"]["sums"]["tasks"]) == {"two", "three", "four", "five"}
    assert manifest["packages"]["pydantic"]
    assert manifest["options"] == {"epochs": 2}
    assert [session["calls"] for session in manifest["sessions"]] == [16]
    kept = KeptRun(out)
    assert [(one.task.id, one.epoch, one.outcome) for one in kept.results][:4] == [
        ("two", 0, "passed"), ("two", 1, "passed"), ("three", 0, "failed"), ("three", 1, "failed"),
    ]  # fmt: skip
    assert kept.results[0].task.expect.answer["answer"].equals == 2


def test_a_run_that_was_interrupted_is_gone_on_with(run: Run, tasks: Path, tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    model = Interrupting(at="2 + 2")
    code, out, _ = run(tasks, "--out", broken, "--workers", "1", lm=model)
    assert code == 130
    assert "not complete: 2 of 4 trials were made" in out
    assert json.loads((broken / "run.json").read_text())["status"] == "interrupted"
    done = len(model.asked)
    code, _, err = run(tasks, "--out", broken, "--workers", "1", "--resume", lm=model)
    assert code == 0
    assert "going on: 2 of 4 trials are made" in err
    assert set(model.asked[done:]) == {"2 + 2", "2 + 3"}
    run(tasks, "--out", whole, lm=Reckoner("1 + 2"))
    assert report_of(broken) == report_of(whole)
    assert report_of(broken)["interrupted"] is False


def test_a_run_that_is_complete_asks_nothing_more(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    first = report_of(tmp_path / "kept")
    model = Reckoner()
    code, _, _ = run(tasks, "--out", tmp_path / "kept", "--resume", lm=model)
    assert (code, model.asked) == (0, [])
    assert report_of(tmp_path / "kept") == first


def test_more_epochs_are_made_without_those_that_are_there(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    model = Reckoner()
    run(tasks, "--out", tmp_path / "kept", "--resume", "--epochs", "3", lm=model)
    assert len(model.asked) == 16  # two calls for each of four tasks, twice
    run(tasks, "--out", tmp_path / "whole", "--epochs", "3")
    assert report_of(tmp_path / "kept") == report_of(tmp_path / "whole")


def test_trials_that_were_excluded_are_made_again(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    code, _, _ = run(tasks, "--out", out, lm=always(Failing([NetworkError("down")] * 100, "")))
    assert code == 3
    code, _, _ = run(tasks, "--out", out, "--resume")
    assert code == 0
    assert report_of(out)["summary"]["passed"] == 4


LIMITED = """
import resource, sys
from kept_runs import Reckoner
from replay import always
from loopwright import context
from loopwright.cli import run_command
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
with context(lm=always(Reckoner())):
    sys.exit(run_command(["eval", *sys.argv[1:]]))
"""


def test_a_full_disk_ends_a_run_with_a_word_and_loses_nothing(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    options = [str(tasks), "--out", str(out), "--epochs", "10", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *options],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        f"error: {out / 'trials.jsonl'} can't be written: File too large; the "
    )
    made = len((out / "trials.jsonl").read_text().splitlines())
    assert 1 < made < 40
    model = Reckoner()
    code, _, err = run(*options, "--resume", lm=model)
    assert code == 0
    assert f"going on: {made} of 40 trials are made" in err
    assert len(model.asked) == 2 * (40 - made)
    run(tasks, "--out", tmp_path / "whole", "--epochs", "10")
    assert report_of(out) == report_of(tmp_path / "whole")


def test_a_run_that_finds_no_model_says_so_and_can_be_gone_on_with(
    run: Run, tasks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    lm = always(Failing([NetworkError("down")] * 1000, ""))
    code, _, err = run(tasks, "--out", out, "--epochs", "20", "--workers", "1", lm=lm)
    assert code == 3
    assert "10 of 10 trials could not be made" in err
    assert json.loads((out / "run.json").read_text())["status"] == "gave up"
    code, _, _ = run(tasks, "--out", out, "--epochs", "20", "--resume")
    assert code == 0
    assert report_of(out)["summary"]["passed"] == 80


def test_resume_begins_where_there_is_nothing_yet(run: Run, tasks: Path, tmp_path: Path) -> None:
    assert run(tasks, "--out", tmp_path / "new", "--resume")[0] == 0
    assert report_of(tmp_path / "new")["summary"]["trials"] == 4


def test_a_folder_that_holds_a_run_is_not_written_over(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    before = (tmp_path / "kept" / "trials.jsonl").read_bytes()
    model = Reckoner()
    code, out, err = run(tasks, "--out", tmp_path / "kept", lm=model)
    assert (code, out, model.asked) == (2, "", [])
    assert "holds a run already (complete, 4 trials planned): --resume goes on with it" in err
    assert (tmp_path / "kept" / "trials.jsonl").read_bytes() == before


def test_a_run_that_is_under_way_is_left_alone(run: Run, tasks: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "kept", Reckoner()
    with RunFolder.begin(out, plan(TaskFile.load(tasks)), always(model)) as under_way:
        under_way.start()
        code, _, err = run(tasks, "--out", out, lm=model)
        assert (code, "holds a run already (under way, or killed, 4 trials planned)" in err) == (2, True)
        code, _, err = run(tasks, "--out", out, "--resume", lm=model)
        assert (code, "is being written by another process" in err) == (2, True)
    assert model.asked == []
    assert run(tasks, "--out", out, "--resume", lm=model)[0] == 0


CHANGES = {
    "task": (("answer: 3", "answer: 33"), "sums: the task three is another"),
    "new task": (("tasks:", 'tasks:\n- {id: six, input: {question: "3 + 3"}, expect: {answer: {answer: 6}}}'), "sums: the task six is new"),
    "lost task": (('- {id: two, input: {question: "1 + 1"}, expect: {answer: {answer: 2}}}\n', ""), "sums: the task two is not there any more"),
    "seed": (("seed: 7", "seed: 8"), "sums: the seed was 7, now it is 8"),
    "limits": (("{seed: 7}", "{seed: 7, limits: {steps: 3}}"), "sums: the defaults are others"),
    "tools": (("[calculate]", "[calculate, date_math]"), "sums: the tool date_math is new"),
    "agent": (("tools:", "instructions: Be quick., tools:"), "sums: the agent (module, signature, instructions) is another"),
    "name": (("name: sums", "name: total"), "the file sums was part of the run; the file total was not part of the run"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES)
def test_what_differs_from_the_run_is_named(
    run: Run, tasks: Path, tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    run(tasks, "--out", tmp_path / "kept")
    assert change[0] in FILE
    tasks.write_text(FILE.replace(*change))
    model = Reckoner()
    code, _, err = run(tasks, "--out", tmp_path / "kept", "--resume", lm=model)
    assert (code, model.asked) == (2, [])
    assert "can't be gone on with, since it is of something else: " in err
    assert named in err
    assert "Nothing was run" in err


OWN_CODE = {
    "a tool": (
        FILE.replace("[calculate]", '[calculate, "own.py:twice"]'),
        'def twice(n: int) -> int:\n    """Twice a number."""\n    return 2 * n\n',
    ),
    "a simulator": (
        FILE.replace("{seed: 7}", '{world: "own.py:Shelf"}'),
        "class Shelf:\n    def snapshot(self):\n        return {'books': 2}\n\n    def restore(self, state):\n        pass\n",
    ),
    "a program": (
        FILE.replace(
            '{signature: "question -> answer: int", tools: [calculate]}', '{program: "own.py:build"}'
        ),
        "from loopwright import ReAct\n\n\ndef build():\n    return ReAct('question -> answer: int', tools=['calculate'])\n",
    ),
    "a program's module": (
        FILE.replace(
            '{signature: "question -> answer: int", tools: [calculate]}', '{program: "built.py:build"}'
        ),
        "from loopwright import ReAct\n\n\nclass Own(ReAct):\n    pass\n",
    ),
}
BUILT = """
from pathlib import Path

from loopwright.tools.resolve import resolve_object


def build():
    return resolve_object("own.py:Own", base=Path(__file__).parent)("question -> answer: int", tools=["calculate"])
"""


@pytest.mark.parametrize(("text", "code"), OWN_CODE.values(), ids=OWN_CODE)
def test_code_that_has_changed_is_said_when_a_run_is_gone_on_with(
    run: Run, tasks: Path, tmp_path: Path, text: str, code: str
) -> None:
    tasks.write_text(text)
    (tmp_path / "own.py").write_text(code)
    (tmp_path / "built.py").write_text(BUILT)
    out = tmp_path / "kept"
    assert run(tasks, "--out", out)[0] == 0
    assert "warning" not in run(tasks, "--out", out, "--resume", "--epochs", "2")[2]
    (tmp_path / "own.py").write_text(f"{code}\n\nBETTER = True\n")
    done, _, err = run(tasks, "--out", out, "--resume", "--epochs", "3")
    assert done == 0
    assert err.startswith(
        "warning: own.py has changed since trials of this run were made: they ran other code\n"
    )


TYPED = """
import sys
from pathlib import Path

from loopwright import ReAct, TaskFile
from loopwright.evaluation import plan
from loopwright.evaluation.runs.folder import RunFolder
from loopwright.models import ScriptedLM
from loopwright.tools import tool


class Own(ReAct):
    pass


@tool
def twice(n: int) -> int:
    "Twice a number."
    return 2 * n


file = TaskFile.load(sys.argv[1])
with RunFolder.begin(Path(sys.argv[2]), plan(file, Own("question -> answer: int", tools=[twice])), ScriptedLM([])) as run:
    run.start()
"""


def test_code_that_is_in_no_file_has_no_digest(tasks: Path, tmp_path: Path) -> None:
    # a program of its own, given to Python as text
    command = [sys.executable, "-c", TYPED, str(tasks), str(tmp_path / "kept")]
    subprocess.run(command, check=True, timeout=120, cwd=tmp_path)
    manifest = json.loads((tmp_path / "kept" / "run.json").read_text())
    assert manifest["files"]["sums"]["sources"] == {}


def test_another_version_is_said_when_a_run_is_gone_on_with(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    manifest = json.loads((tmp_path / "kept" / "run.json").read_text())
    del manifest["files"]["sums"]["sources"]  # as versions before wrote it
    (tmp_path / "kept" / "run.json").write_text(json.dumps({**manifest, "loopwright": "0.0.1"}))
    code, _, err = run(tasks, "--out", tmp_path / "kept", "--resume")
    assert code == 0
    assert err.startswith("warning: loopwright was 0.0.1, now it is ")


def test_a_comment_in_the_file_changes_nothing(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    tasks.write_text("# a word\n" + FILE)
    assert run(tasks, "--out", tmp_path / "kept", "--resume")[0] == 0


def test_another_model_another_program_and_fewer_epochs_are_named(
    run: Run, tasks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    run(tasks, "--out", out, "--epochs", "2")
    code, _, err = run(tasks, "--out", out, "--resume", "--epochs", "2", lm=ScriptedLM([]))
    assert code == 2
    assert "the model was always, now it is scripted" in err
    _, _, err = run(tasks, "--out", out, "--resume", "--epochs", "1")
    assert "there were 2 epochs, now 1 is asked for" in err
    learned = ReAct("question -> answer: int", tools=["calculate"])
    learned.react.signature = learned.react.signature.with_instructions("Add.")
    learned.save(tmp_path / "learned.json")
    _, _, err = run(tasks, "--out", out, "--resume", "--epochs", "2", "--program", tmp_path / "learned.json")
    assert "sums: the program's state is another" in err


def test_a_setting_of_the_model_is_named_and_no_key_is_written(run: Run, tasks: Path, tmp_path: Path) -> None:
    # nobody listens there: every trial is excluded
    lm = LM("openai/any", api_base="http://127.0.0.1:9/v1", api_key="sk-secret", num_retries=0)
    run(tasks, "--out", tmp_path / "kept", lm=lm)
    assert "sk-secret" not in (tmp_path / "kept" / "run.json").read_text()
    _, _, err = run(tasks, "--out", tmp_path / "kept", "--resume", lm=lm.copy(temperature=0.5))
    assert "the model's setting temperature is new" in err


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("run.json", "{", "run.json is damaged"),
        ("run.json", '{"format": 99, "loopwright": "9.9"}', "was written by another version of loopwright (9.9)"),
        ("run.json", "[]", "run.json is damaged"),
        ("trials.jsonl", "nonsense\n", "damaged at byte 0"),
    ],
    ids=["no JSON", "later format", "a list", "no trial"],
)  # fmt: skip
def test_a_folder_that_is_damaged_is_named(
    run: Run, tasks: Path, tmp_path: Path, file: str, content: str, message: str
) -> None:
    run(tasks, "--out", tmp_path / "kept")
    (tmp_path / "kept" / file).write_text(content)
    code, _, err = run(tasks, "--out", tmp_path / "kept", "--resume")
    assert code == 2
    assert message in err


def test_trials_without_a_run_are_not_added_to(run: Run, tasks: Path, tmp_path: Path) -> None:
    run(tasks, "--out", tmp_path / "kept")
    (tmp_path / "kept" / "run.json").unlink()
    code, _, err = run(tasks, "--out", tmp_path / "kept", "--resume")
    assert code == 2
    assert "holds trials, but no run.json that says of what" in err


def test_resume_needs_a_folder(run: Run, tasks: Path) -> None:
    code, _, err = run(tasks, "--resume")
    assert code == 2
    assert "--resume needs the folder of the run: --out DIR" in err


def test_what_is_no_run_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no run: there is no run\.json in it"):
        KeptRun(tmp_path)
