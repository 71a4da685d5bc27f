"""`loopwright optimize`: what it learns, prints and writes, where it stops, and how it goes on."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openai_server import OpenAIServer, Reply, from_lm
from optimizers.prices import ITEMS, NATIVE, harmed, teachable

from loopwright import context
from loopwright.cli import run_command
from loopwright.errors import AuthError
from loopwright.models import BaseLM, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

HOUSE_RULE = Path(__file__).parents[2] / "examples" / "house_rule" / "tasks.yaml"
TOOLS = '''
def price_of(item: str) -> int:
    """The price of an item."""
    return len(item)
'''

Run = Callable[..., tuple[int, str, str]]


def task_lines(splits: Sequence[tuple[str, Sequence[str]]]) -> str:
    return "\n".join(
        f"- {{id: {item.replace(' ', '-')}, split: {split}, input: {{item: {item}}}, expect: {{answer: {{price: {len(item)}}}}}}}"
        for split, items in splits
        for item in items
    )


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    (tmp_path / "price_tools.py").write_text(TOOLS)
    path = tmp_path / "prices.yaml"
    head = 'version: 1\nname: prices\nagent: {signature: "item -> price: int", tools: ["price_tools.py:price_of"]}\ntasks:\n'
    path.write_text(head + task_lines([("train", ITEMS[:24]), ("dev", ITEMS[24:48]), ("test", ITEMS[48:])]))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, with the model that learns from what it is shown or another."""

    def command(name: str, *arguments: object, lm: BaseLM | None = None) -> tuple[int, str, str]:
        with context(lm=lm or teachable()):
            code = run_command([name, *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def test_the_better_agent_is_saved_and_an_evaluation_uses_it(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "learned" / "agent.json"
    code, before, _ = run("eval", tasks, "--split", "test", "--json")
    assert code == 0
    code, shown, err = run("optimize", tasks, "--with", "few-shot", "--out", out)
    assert code == 0
    assert "the agent is better" in shown
    assert "baseline, confirmed" in shown
    assert "4 demonstrations" in shown
    assert "bootstrap " in err
    code, after, _ = run("eval", tasks, "--split", "test", "--program", out, "--json")
    assert code == 0
    assert json.loads(before)["summary"]["pass_at_1"]["value"] < 0.6
    assert json.loads(after)["summary"]["pass_at_1"]["value"] == 1.0


@pytest.mark.parametrize("tested", [True, False], ids=["tasks for testing", "none"])
def test_the_last_line_is_a_command_that_runs_what_was_made(
    tested: bool, run: Run, tasks: Path, tmp_path: Path
) -> None:
    if not tested:
        tasks.write_text(tasks.read_text().replace("split: test", "split: dev"))
    _, shown, _ = run(
        "optimize",
        tasks,
        "--with",
        "few-shot",
        "--budget",
        "rollouts=30",
        "--out",
        tmp_path / "my agent.json",
    )
    said, _, line = shown.splitlines()[-1].partition(": ")
    program, command, *arguments = shlex.split(line)
    assert (said, program, command) == ("try it", "loopwright", "eval")
    assert ("test" in arguments) == tested
    code, after, _ = run(command, *arguments, "--limit", 1, "--json")
    assert code == 0
    assert json.loads(after)["summary"]["trials"] == 1


def test_the_report_and_the_page_say_the_same(run: Run, tasks: Path, tmp_path: Path) -> None:
    code, shown, _ = run("optimize", tasks, "--with", "random-search", "--out", tmp_path / "a.json", "--json")
    report = json.loads(shown)
    assert code == 0
    assert report == json.loads((tmp_path / "a.report.json").read_text())
    assert report["improved"]
    assert (report["name"], report["model"], report["seed"]) == ("prices", "function", 0)
    page = (tmp_path / "a.html").read_text()
    assert all(candidate["name"] in page for candidate in report["candidates"])
    assert "<script" not in page


@pytest.mark.parametrize(
    "way", ["trajectories", "few-shot", "random-search", "knn", "mipro", "gepa", "simba", "copro"]
)
def test_every_optimizer_can_be_asked_for(way: str, run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "agent.json"
    code, shown, _ = run("optimize", tasks, "--with", way, "--budget", "rollouts=150", "--out", out)
    assert code == 0
    taken = json.loads((tmp_path / "agent.report.json").read_text())
    assert taken["used"]["rollouts"] <= 150
    assert sum(phase["rollouts"] for phase in taken["phases"]) == taken["used"]["rollouts"]
    assert "Score" in shown
    code, _, _ = run("eval", tasks, "--split", "test", "--program", out)
    assert code == 0


def test_references_of_tasks_are_runs_that_are_known_to_be_right(
    run: Run, tasks: Path, tmp_path: Path
) -> None:
    text = tasks.read_text()
    for item in ITEMS[:24]:
        known = f"reference: {{calls: [{{tool: price_of, args: {{item: {item}}}}}]}}"
        text = text.replace(f"{{price: {len(item)}}}}}}}", f"{{price: {len(item)}}}, {known}}}}}", 1)
    text = text.replace("args: {item: sofa}", "args: {item: sofas}")  # one that is wrong, and does not pass
    tasks.write_text(text)
    code, shown, err = run(
        "optimize", tasks, "--with", "labeled", "--demos", "3", "--out", tmp_path / "a.json"
    )
    assert code == 0, err
    assert "the agent is better" in shown
    report = json.loads((tmp_path / "a.report.json").read_text())
    assert len(report["demos"]) == 3
    assert report["phases"][0]["phase"] == "replay"
    assert (report["phases"][0]["calls"], report["phases"][0]["rollouts"]) == (0, 0)


def test_tasks_for_testing_are_never_run(run: Run, tasks: Path, tmp_path: Path) -> None:
    model, asked = teachable(), set[str]()

    def answer(request: LMRequest) -> Answer:
        asked.update(m.content.removeprefix("item: ") for m in request.messages if m.role == "user")
        return model.complete(request)

    run(
        "optimize",
        tasks,
        "--with",
        "few-shot",
        "--out",
        tmp_path / "a.json",
        lm=FunctionLM(answer, capabilities=NATIVE),
    )
    assert asked & set(ITEMS[:24])
    assert not asked & set(ITEMS[48:])


def test_an_agent_that_learns_nothing_good_is_saved_as_it_was(run: Run, tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "agent.json"
    code, shown, _ = run("optimize", tasks, "--with", "few-shot", "--out", out, lm=harmed())
    assert code == 0
    assert "the agent is as it was" in shown
    assert "the baseline is returned" in shown
    saved = json.loads(out.read_text())["predictors"]["react"]
    assert saved["demos"] == []


def test_the_budget_ends_it_and_says_so(run: Run, tasks: Path, tmp_path: Path) -> None:
    calls: list[LMRequest] = []
    model = teachable()

    def answer(request: LMRequest) -> Answer:
        calls.append(request)
        return model.complete(request)

    code, _, err = run(
        "optimize",
        tasks,
        "--with",
        "random-search",
        "--budget",
        "calls=60",
        "--out",
        tmp_path / "a.json",
        lm=FunctionLM(answer, capabilities=NATIVE),
    )
    assert code == 0
    assert len(calls) <= 60
    assert json.loads((tmp_path / "a.report.json").read_text())["used"]["calls"] == len(calls)
    assert "the budget ended it: no more calls" in err


def test_a_saved_agent_may_be_where_it_begins(run: Run, tasks: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    run("optimize", tasks, "--with", "few-shot", "--out", first)
    code, shown, _ = run("optimize", tasks, "--with", "few-shot", "--program", first, "--out", second)
    assert code == 0
    assert "the agent is as it was" in shown
    assert json.loads((tmp_path / "second.report.json").read_text())["confirmed_baseline"]["mean"] == 1.0
    assert json.loads(second.read_text())["predictors"]["react"]["demos"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--with", "magic"], "Invalid value for '--with'"),
        (["--auto", "light"], "--auto is of mipro and gepa; trajectories has no such effort"),
        (["--with", "few-shot", "--writer", "openai/x"], "--writer is of mipro, gepa, simba and copro"),
        (["--with", "gepa", "--teacher", "openai/x"], "gepa has no teacher: --teacher is of trajectories"),
        (["--teacher-api-base", "http://x"], "is the server of a --teacher: name that too"),
        (["--with", "gepa", "--demos", "3"], "gepa shows no demonstrations"),
        (["--budget", "dollars=3"], "a budget has no 'dollars'; there are rollouts, calls, tokens, usd"),
        (["--with", "labeled"], "none of the 24 examples has a `trajectory`"),
        (["--program", "gone.json"], "gone.json: no such file"),
        (["--with", "gepa", "--model", "embedded"], "which the embedded model can't do: name one that can"),
    ],
    ids=[
        "optimizer",
        "effort",
        "writer",
        "teacher",
        "server",
        "demos",
        "budget",
        "labels",
        "program",
        "embedded",
    ],
)
def test_what_can_not_be_done_is_said(
    arguments: list[str], says: str, run: Run, tasks: Path, tmp_path: Path
) -> None:
    code, _, err = run("optimize", tasks, "--out", tmp_path / "a.json", *arguments)
    assert code == 2
    assert says in err


def test_a_file_without_tasks_to_learn_from_is_refused(run: Run, tasks: Path, tmp_path: Path) -> None:
    tasks.write_text(
        tasks.read_text().replace("split: train", "split: test").replace("split: dev", "split: test")
    )
    code, _, err = run("optimize", tasks, "--out", tmp_path / "a.json")
    assert code == 2
    assert "no task of the file is of the split train" in err


def test_a_file_that_is_not_sound_is_refused_with_its_problems(run: Run, tasks: Path, tmp_path: Path) -> None:
    tasks.write_text(tasks.read_text().replace("expect:", "expects:", 1))
    code, _, err = run("optimize", tasks, "--out", tmp_path / "a.json")
    assert code == 2
    assert "prices.yaml:" in err
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("name", ["prices.yaml", "price_tools.py", "page.html"])
def test_no_file_of_the_users_is_written_over(name: str, run: Run, tasks: Path, tmp_path: Path) -> None:
    before = (tmp_path / name).read_text() if (tmp_path / name).exists() else None
    code, _, err = run("optimize", tasks, "--with", "few-shot", "--out", tmp_path / name)
    assert code == 2
    assert "holds something else than a saved agent" in err or "where the page goes" in err
    assert ((tmp_path / name).read_text() if before else None) == before


def test_a_model_without_a_key_is_refused_before_anything_is_run(
    run: Run, tasks: Path, tmp_path: Path
) -> None:
    class Keyless(FunctionLM):
        def check_key(self) -> None:
            raise AuthError("no key")

    code, _, err = run(
        "optimize", tasks, "--out", tmp_path / "a.json", lm=Keyless(lambda request: "", model="keyless")
    )
    assert code == 2
    assert "no key; nothing was run" in err


# In a process of its own


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "loopwright", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"OPENAI_API_KEY": "test"}


def test_it_learns_from_a_model_on_the_wire(tasks: Path, tmp_path: Path) -> None:
    with OpenAIServer(from_lm(teachable())) as server:
        done = subprocess.run(
            command_line(
                "optimize",
                tasks,
                "--with",
                "few-shot",
                "--model",
                "openai/any",
                "--api-base",
                server.url,
                "--no-cache",
                "--out",
                tmp_path / "a.json",
            ),
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(),
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "the agent is better" in done.stdout


def clueless(request: LMRequest) -> Answer:
    """Looks nothing up before it is shown how."""
    shown = any(message.role == "tool" for message in request.messages)
    return teachable().complete(request) if shown else ToolCall("submit", {"price": 0})


def able(request: LMRequest) -> Answer:
    """Looks everything up."""
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"price": int(last.content)})
    return ToolCall("price_of", {"item": last.content.removeprefix("item: ")})


@pytest.mark.parametrize("way", ["trajectories", "few-shot", "simba"])
def test_a_teacher_on_a_server_of_its_own_shows_what_the_model_never_does(
    way: str, run: Run, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    out = tmp_path / "a.json"
    teachers = ["--teacher", "openai/teacher", "--no-cache", "--teacher-api-base"]
    with OpenAIServer(from_lm(FunctionLM(able, capabilities=NATIVE))) as server:
        code, shown, err = run(
            *("optimize", tasks, "--with", way, "--budget", "rollouts=400", "--out", out),
            *(*teachers, server.url),
            lm=FunctionLM(clueless, capabilities=NATIVE),
        )
    assert code == 0, err
    assert "the agent is better" in shown
    report = json.loads((tmp_path / "a.report.json").read_text())
    assert (report["confirmed_baseline"]["mean"], report["confirmed"]["mean"]) == (0.0, 1.0)
    assert 0 < len(server.requests) < report["used"]["calls"]
    assert {str(one.body["model"]) for one in server.requests} == {"teacher"}
    assert "teacher" not in out.read_text(), "the agent that is saved asks its own model"


def test_a_writer_on_a_server_of_its_own_writes_the_texts(
    run: Run, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def reads_only(request: LMRequest) -> Answer:
        assert any(tool.name == "price_of" for tool in request.tools), "asked for a text"
        return teachable().complete(request)

    with OpenAIServer(from_lm(teachable())) as server:
        code, shown, err = run(
            *("optimize", tasks, "--with", "gepa", "--budget", "rollouts=200", "--out", tmp_path / "a.json"),
            *("--writer", "openai/writer", "--writer-api-base", server.url, "--no-cache"),
            lm=FunctionLM(reads_only, capabilities=NATIVE),
        )
    assert code == 0, err
    assert "react: guidance" in shown
    assert all(not one.body.get("tools") for one in server.requests)
    assert server.requests


def test_a_command_that_was_stopped_goes_on_where_it_was(tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    answer, asked, ended = from_lm(teachable()), itertools.count(1), threading.Event()
    waiting = threading.Semaphore(0)

    def behave(reply: Reply) -> None:
        if next(asked) > 30 and not ended.is_set():  # both workers wait for an answer until they are stopped
            waiting.release()
            ended.wait(300)
        answer(reply)

    with OpenAIServer(behave) as server:
        wanted = command_line(
            "optimize",
            tasks,
            "--with",
            "few-shot",
            "--model",
            "openai/any",
            "--api-base",
            server.url,
            "--no-cache",
            "--workers",
            2,
            "--out",
            out,
        )
        first = subprocess.Popen(wanted, stderr=subprocess.PIPE, text=True, env=environment())
        for _ in range(2):
            assert waiting.acquire(timeout=180)
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=180)
        ended.set()
        assert first.returncode == 130
        assert "all in the store: give the same again to go on" in err
        before = len(server.requests)
        done = subprocess.run(
            wanted, capture_output=True, text=True, timeout=300, env=environment(), check=False
        )
        assert done.returncode == 0, done.stderr
        again = len(server.requests) - before
        calls = json.loads((tmp_path / "a.report.json").read_text())["used"]["calls"]
    assert again < calls
    assert before + again <= calls + 8  # what was under way at Ctrl-C is asked for again


def test_the_embedded_model_learns_a_rule_that_only_demonstrations_show(tmp_path: Path) -> None:
    done = subprocess.run(
        command_line(
            "optimize",
            HOUSE_RULE,
            "--with",
            "few-shot",
            "--budget",
            "rollouts=70",
            "--out",
            tmp_path / "a.json",
        ),
        capture_output=True,
        text=True,
        timeout=600,
        env={name: value for name, value in os.environ.items() if name != "LOOPWRIGHT_MODEL"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "a.report.json").read_text())
    assert report["used"]["rollouts"] <= 70
    assert report["improved"], report["reason"]
    assert report["confirmed"]["mean"] > report["confirmed_baseline"]["mean"]


def test_help_names_every_optimizer(run: Run) -> None:
    code, shown, _ = run("optimize", "--help")
    assert code == 0
    assert "[trajectories|few-shot|random-search|knn|mipro|gepa|simba|copro|labeled]" in "".join(
        shown.split("\n")
    )
