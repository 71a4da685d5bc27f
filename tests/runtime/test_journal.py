"""The journal: record, strict replay, resume, fork, over models, tools and sandboxes."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from loopwright import CodeAct, Predict, ProgramOfThought, ReAct, context
from loopwright.callbacks import BaseCallback
from loopwright.errors import ConfigurationError, ReplayError
from loopwright.models import Capabilities, FunctionLM, LMRequest, LMResponse, ScriptedLM
from loopwright.runtime.journal import Journal, JournalFile, redact
from loopwright.tools import Approval, Tool, ToolCall

NATIVE = Capabilities(native_tools=True)
DONE: list[int] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


def book(n: int) -> str:
    """Book seat n."""
    DONE.append(n)
    return f"booked {n}"


def seats(count: int) -> FunctionLM:
    """A model that books one seat a turn, reading from the conversation how far it has come."""

    def turn(request: LMRequest) -> LMResponse:
        done = sum(message.role == "tool" for message in request.messages)
        call = (
            ToolCall("book", {"n": done + 1})
            if done < count
            else ToolCall("submit", {"answer": f"{done} seats"})
        )
        return LMResponse("", (call,))

    return FunctionLM(turn, capabilities=NATIVE)


def silent() -> ScriptedLM:
    """A model that must not be asked; to a journal it is the same as `seats`."""
    lm = ScriptedLM([], capabilities=NATIVE)
    lm.model = seats(0).model
    return lm


def booked(lm: Any, journal: Journal, **around: Any) -> Any:
    with context(lm=lm, **around), journal:
        return ReAct("question -> answer", tools=[Tool(book)])(question="seats")


class Events(BaseCallback):
    """What happened, without the names of calls."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self.seen.append(outputs)

    def on_step(self, call_id: str, step: Any) -> None:
        self.seen.append((step.thought, step.calls, [result.content for result in step.results]))


def test_a_strict_replay_of_twenty_steps_asks_and_runs_nothing_and_tells_the_same(path: Path) -> None:
    first, second = Events(), Events()
    made = booked(seats(20), Journal(path, "a"), callbacks=[first])
    assert len(DONE) == 20
    repeated = booked(silent(), Journal(path, "a", mode="replay"), callbacks=[second])
    assert len(DONE) == 20
    assert repeated.answer == made.answer == "20 seats"
    assert repeated.trajectory == made.trajectory
    assert second.seen == first.seen


def test_a_finished_run_is_resumed_without_doing_anything(path: Path) -> None:
    booked(seats(3), Journal(path, "a"))
    assert booked(silent(), Journal(path, "a")).answer == "3 seats"
    assert DONE == [1, 2, 3]


def test_a_replay_of_something_else_names_what_comes_nearest(path: Path) -> None:
    booked(seats(2), Journal(path, "a"))
    with (
        context(lm=silent()),
        Journal(path, "a", mode="replay"),
        pytest.raises(
            ReplayError, match="has no such model call: nearest on record is the one of model call 1"
        ) as caught,
    ):
        ReAct("question -> answer", tools=[Tool(book)])(question="chairs")
    assert "seats" in str(caught.value)
    assert "chairs" in str(caught.value)


def test_a_replay_that_asks_more_often_says_so(path: Path) -> None:
    ask = Predict("a -> b")
    with context(lm=ScriptedLM(["[[ ## b ## ]]\nx"])), Journal(path, "a"):
        ask(a="1")
    with context(lm=ScriptedLM([])), Journal(path, "a", mode="replay"):
        ask(a="1")
        with pytest.raises(ReplayError, match="asks more often than it did"):
            ask(a="1")


def test_a_tool_that_is_not_on_record_is_not_run_in_a_replay(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM entries WHERE kind = 'tool'")
    with pytest.raises(ReplayError, match="has no such tool call: the record has no tool call at all"):
        booked(silent(), Journal(path, "a", mode="replay"))
    assert DONE == [1]


def test_cached_and_denied_calls_are_on_record_too(path: Path) -> None:
    looks: list[int] = []

    def look(n: int) -> str:
        """Look."""
        looks.append(n)
        return "seen"

    tools = [Tool(look, effect="read", cache=True), Tool(book, effect="irreversible")]
    turns = [
        ToolCall("look", {"n": 1}),
        ToolCall("look", {"n": 1}),
        ToolCall("book", {"n": 1}),
        ToolCall("submit", {"answer": "x"}),
    ]
    asked: list[str] = []

    def no(question: Any) -> bool:
        asked.append(question.call.name)
        return False

    def run(lm: Any, journal: Journal) -> Any:
        with context(lm=lm, approval=Approval(ask=no)), journal:
            return ReAct("question -> answer", tools=tools)(question="?")

    made = run(ScriptedLM(turns, capabilities=NATIVE), Journal(path, "a"))
    repeated = run(ScriptedLM([], capabilities=NATIVE), Journal(path, "a", mode="replay"))
    assert repeated.trajectory == made.trajectory
    assert (looks, asked, DONE) == ([1], ["book"], [])


def test_what_tools_keep_for_their_run_is_there_again_after_a_resume(path: Path) -> None:
    def run(lm: Any, journal: Journal) -> Any:
        with context(lm=lm), journal:
            return ReAct("question -> answer", tools=["notes"])(question="?")

    note = ToolCall("notes", {"action": "set", "key": "seat", "value": "12"})
    look, done = ToolCall("notes", {"action": "get", "key": "seat"}), ToolCall("submit", {"answer": "x"})
    run(ScriptedLM([note, done], capabilities=NATIVE), Journal(path, "a"))
    file = JournalFile(path)
    file.fork("a", 1, "b")
    file.close()
    resumed = run(ScriptedLM([look, done], capabilities=NATIVE), Journal(path, "b"))
    assert "12" in resumed.trajectory["observation_1"]


PROGRAM = "total = 0\nfor n in (1, 2):\n    total += len(book(n))\nprint('x' * n)\nsubmit(answer=str(total))"


@pytest.mark.parametrize("mode", ["replay", "resume"])
def test_programs_are_repeated_with_their_calls_and_their_output(path: Path, mode: Any) -> None:
    def run(lm: Any, journal: Journal) -> Any:
        with context(lm=lm), journal:
            return CodeAct("question -> answer", tools=[Tool(book)])(question="?")

    made = run(ScriptedLM([ToolCall("python", {"code": PROGRAM})], capabilities=NATIVE), Journal(path, "a"))
    assert (made.answer, DONE) == ("16", [1, 2])
    repeated = run(ScriptedLM([], capabilities=NATIVE), Journal(path, "a", mode=mode))
    assert (repeated.answer, DONE) == ("16", [1, 2])
    assert repeated.trajectory == made.trajectory
    assert len(repeated.trajectory.steps[0].inner) == 2


def test_a_replayed_program_starts_no_sandbox(path: Path) -> None:
    def none(functions: object) -> Any:
        raise AssertionError("a sandbox was made")

    lm = ScriptedLM([ToolCall("python", {"code": "sum(numbers)"})], capabilities=NATIVE)
    with context(lm=lm), Journal(path, "a"):
        ProgramOfThought("numbers: list[int] -> total: int")(numbers=[1, 2])
    with context(lm=ScriptedLM([], capabilities=NATIVE)), Journal(path, "a", mode="replay"):
        repeated = ProgramOfThought("numbers: list[int] -> total: int", interpreter=none)(numbers=[1, 2])
    assert repeated.total == 3


# ---- killed and resumed

SCRIPT = """
import os, signal, sys
from pathlib import Path
from loopwright import ReAct, context
from loopwright.models import Capabilities, FunctionLM, LMResponse
from loopwright.runtime import Journal
from loopwright.tools import Tool, ToolCall

where, kill_at = sys.argv[1], int(sys.argv[2])
asked = 0

def end():
    os.kill(os.getpid(), signal.SIGKILL)

def book(n: int) -> str:
    "Book."
    if where == "before the effect" and n == kill_at:
        end()
    with open("booked.txt", "a") as file:
        file.write(f"{n}\\n")
    if where == "after the effect" and n == kill_at:
        end()
    return f"booked {n}"

def turn(request):
    global asked
    asked += 1
    done = sum(message.role == "tool" for message in request.messages)
    if where == "in the model call" and done + 1 == kill_at:
        end()
    call = ToolCall("book", {"n": done + 1}) if done < 4 else ToolCall("submit", {"answer": f"{done} seats"})
    return LMResponse("", (call,))

lm = FunctionLM(turn, capabilities=Capabilities(native_tools=True))
with context(lm=lm), Journal("runs.sqlite", "job"):
    prediction = ReAct("question -> answer", tools=[Tool(book)])(question="seats")
print(prediction.answer, asked, prediction.trajectory, sep="\\n")
"""


def script(folder: Path, where: str = "", kill_at: int = 0) -> tuple[int, list[str], list[str]]:
    """Exit code, what was printed, what was booked."""
    (folder / "job.py").write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "job.py", where, str(kill_at)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    booked_file = folder / "booked.txt"
    done = booked_file.read_text(encoding="utf-8").split() if booked_file.exists() else []
    return ended.returncode, ended.stdout.splitlines(), done


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a run prints that nobody kills."""
    return script(tmp_path_factory.mktemp("whole"))[1]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_a_run_killed_in_a_model_call_goes_on_as_if_nothing_had_happened(
    step: int, tmp_path: Path, whole: list[str]
) -> None:
    code, _, done = script(tmp_path, "in the model call", step)
    assert (code, len(done)) == (-9, step - 1)
    code, resumed, done = script(tmp_path)
    assert (code, done) == (0, ["1", "2", "3", "4"])
    assert (resumed[0], resumed[2:]) == (whole[0], whole[2:])
    assert int(resumed[1]) == 5 - (step - 1)  # what was on record was not asked again


@pytest.mark.parametrize(
    ("where", "booked_once"),
    [("before the effect", ["1", "3", "4"]), ("after the effect", ["1", "2", "3", "4"])],
)
def test_a_call_that_was_under_way_is_not_made_again_and_the_agent_is_told(
    where: str, booked_once: list[str], tmp_path: Path
) -> None:
    assert script(tmp_path, where, 2)[0] == -9
    code, resumed, done = script(tmp_path)
    assert (code, done) == (0, booked_once)
    assert any("not known" in line for line in resumed)


# ---- fork


def test_a_fork_shares_the_first_steps_and_goes_its_own_way(path: Path) -> None:
    booked(seats(5), Journal(path, "a"))
    file = JournalFile(path)
    assert file.fork("a", 2, "b") == "b"
    file.close()
    DONE.clear()
    assert booked(seats(3), Journal(path, "b")).answer == "3 seats"
    assert DONE == [3]
    runs = {one.id: one for one in JournalFile(path).runs()}
    assert (runs["b"].parent, runs["b"].steps, runs["a"].model_calls, runs["b"].model_calls) == ("a", 2, 6, 4)


@pytest.mark.parametrize("steps", [-1, 7])
def test_a_fork_beyond_the_run_is_refused(path: Path, steps: int) -> None:
    booked(seats(5), Journal(path, "a"))
    with pytest.raises(ConfigurationError, match="has 6 model calls"):
        JournalFile(path).fork("a", steps)


def test_a_fork_of_nothing_and_one_under_a_taken_name_are_refused(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    file = JournalFile(path)
    with pytest.raises(ConfigurationError, match="has no run 'b'"):
        file.fork("b", 0)
    with pytest.raises(ConfigurationError, match="has a run 'a' already: take another name"):
        file.fork("a", 1, "a")
    assert [run.id for run in file.runs()] == ["a"]


# ---- what is written


SECRETS = {
    "an OpenAI key": "sk-proj-abcdefghijklmnopqrstuvwx",
    "a GitHub token": "ghp_abcdefghijklmnopqrstuvwxyz012345",
    "a bearer token": "Bearer abcdefghijklmnopqrst",
    "a web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijkl",
    "a password in an address": "postgres://me:hunter2secret@db/x",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    "a variable's value": "correct horse battery staple",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secrets_are_not_written_and_the_run_still_repeats(
    secret: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "correct horse battery staple")

    def peek(what: str) -> str:
        """Look."""
        return f"it is {secret}!"

    def run(lm: Any, journal: Journal) -> Any:
        with context(lm=lm), journal:
            return ReAct("question -> answer", tools=[peek])(question=f"what is {secret}?")

    turns = [ToolCall("peek", {"what": secret}), ToolCall("submit", {"answer": "a"})]
    run(ScriptedLM(turns, capabilities=NATIVE), Journal(path, "a"))
    assert run(ScriptedLM([], capabilities=NATIVE), Journal(path, "a", mode="replay")).answer == "a"
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    core = (
        secret.removeprefix("Bearer ").removeprefix("postgres://").removesuffix("@db/x").splitlines()[-2:][0]
    )
    assert core.encode() not in written
    assert json.dumps(core).encode() not in written


@pytest.mark.parametrize("secret", ['say "friend" and enter', "a\\b\\c\\d\\e", "grüne Äpfel"])
def test_a_secret_that_json_writes_in_another_way_is_found(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", secret)
    for escaped in (True, False):
        assert redact(json.dumps({"a": secret}, ensure_ascii=escaped)) == '{"a": "[redacted]"}'


@pytest.mark.parametrize(
    "text", ["an ordinary text", "sk-short", "task-force-of-many-long-words", "http://host/path"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_its_files_are_their_owners_alone(path: Path) -> None:
    with Journal(path):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("runs.sqlite*")}
    held = {name: mode for name, mode in modes.items() if not name.endswith(".lock")}  # a lock holds nothing
    assert set(held.values()) == {0o600}
    assert len(held) > 1  # the log too


def test_threads_may_race(path: Path) -> None:
    ask = Predict("a -> b")

    def echo(request: LMRequest) -> LMResponse:
        return LMResponse(f"[[ ## b ## ]]\n{request.messages[-1].content.split()[-4:]}")

    from loopwright import Example

    examples = [Example(a=f"n{n % 5}").with_inputs("a") for n in range(40)]
    with context(lm=FunctionLM(echo)), Journal(path, "a"):
        made = [one.b for one in ask.batch(examples, num_threads=8)]
    lm = ScriptedLM([])
    lm.model = FunctionLM(echo).model
    with context(lm=lm), Journal(path, "a", mode="replay"):
        assert [one.b for one in ask.batch(examples, num_threads=8)] == made


def test_runs_are_listed_with_how_they_ended(path: Path) -> None:
    booked(seats(2), Journal(path, "fine", title="seats"))
    with pytest.raises(ZeroDivisionError), Journal(path, "broken"):
        _ = 1 / 0
    runs = {one.id: one for one in JournalFile(path).runs()}
    assert (runs["fine"].status, runs["fine"].title, runs["fine"].tool_calls) == ("done", "seats", 2)
    assert runs["broken"].status == "ended by ZeroDivisionError"


# ---- what is refused

REFUSED: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "a mode that is none": (lambda path: Journal(path, mode="again"), "auto, record, resume, replay"),  # type: ignore[arg-type]  # what is tested
    "a replay of nothing": (lambda path: Journal(path, mode="replay"), "needs the run"),
    "a run that is not there": (
        lambda path: Journal(path, "x", mode="resume"),
        "has no run 'x'; it has none",
    ),
    "a folder": (lambda path: Journal(path.parent), "can't be used as a journal"),
    "a text file": (lambda path: Journal(_written(path)), "can't be used as a journal"),
    "another database": (lambda path: Journal(_database(path)), "no journal: give another path"),
    "a later version": (lambda path: Journal(_later(path)), "written by a later loopwright"),
}


def _written(path: Path) -> Path:
    path.write_text("shopping list\n" * 100, encoding="utf-8")
    return path


def _database(path: Path) -> Path:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE x (y)")
    return path


def _later(path: Path) -> Path:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 9")
    return path


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_a_journal_is_refused(make: Callable[[Path], object], words: str, path: Path) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(path)


DAMAGED: Mapping[str, tuple[str, str]] = {
    "an answer that is no JSON": ("model", "response = '{nonsense'"),
    "an answer that is another's": ("model", "response = '{}'"),
    "a result that is no JSON": ("tool", "response = '['"),
    "a result that is another's": ("tool", "response = '{}'"),
    "a result of bytes": ("tool", "response = x'ff00fe'"),
}


def damage(path: Path, kind: str, change: str) -> None:
    """Change the first entry of a kind."""
    first = f"(SELECT MIN(number) FROM entries WHERE kind = '{kind}')"  # noqa: S608  # the kinds are the tests' own
    with sqlite3.connect(path) as file:
        file.execute(f"UPDATE entries SET {change} WHERE number = {first}")  # noqa: S608  # so are the changes


@pytest.mark.parametrize("mode", ["replay", "resume"])
@pytest.mark.parametrize(("kind", "change"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_entry_is_named_and_nothing_is_done(kind: str, change: str, mode: Any, path: Path) -> None:
    booked(seats(2), Journal(path, "a"))
    damage(path, kind, change)
    with pytest.raises(
        ConfigurationError, match=r"entry [01] of run 'a' can't be read: the journal is damaged"
    ):
        booked(silent(), Journal(path, "a", mode=mode))
    assert DONE == [1, 2]


def test_a_miss_beside_a_damaged_request_is_a_miss(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    damage(path, "tool", "request = '[', key = 'x'")
    with pytest.raises(ReplayError, match=r"nearest on record is .* which is damaged"):
        booked(silent(), Journal(path, "a", mode="replay"))


def test_a_replay_of_a_model_call_that_never_ended_asks_nobody(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    damage(path, "model", "response = NULL")
    with pytest.raises(ReplayError, match="was stopped before the model answered"):
        booked(silent(), Journal(path, "a", mode="replay"))


def test_a_journal_whose_entries_can_not_be_read_lets_its_run_go(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    journal = Journal(path, "a")
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE entries")
    with pytest.raises(ConfigurationError, match="can't be read: no such table"):
        booked(silent(), journal)
    assert not list(path.parent.glob("*.lock"))


@pytest.mark.parametrize("run", [5, "caf\udce9"])
def test_what_can_not_be_a_runs_name_is_refused(run: Any, path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a run's name is text, not"):
        Journal(path, run)


def test_half_a_letter_is_recorded_and_repeated(path: Path) -> None:
    half = "caf\udce9"  # as Python gives the names of files that are no UTF-8

    def named(text: str) -> str:
        """Give the name."""
        return text + half

    def run(lm: Any, journal: Journal) -> Any:
        with context(lm=lm), journal:
            return ReAct("question -> answer", tools=[named])(question=half)

    turns = [ToolCall("named", {"text": half}), ToolCall("submit", {"answer": "x"})]
    made = run(ScriptedLM(turns, capabilities=NATIVE), Journal(path, "a", title=half))
    assert made.termination_reason == "submit"
    repeated = run(ScriptedLM([], capabilities=NATIVE), Journal(path, "a", mode="replay"))
    assert repeated.trajectory == made.trajectory


def test_a_run_whose_journal_is_full_does_nothing_that_is_not_on_record(path: Path) -> None:
    program = f"""
        import resource
        from loopwright import ReAct, context
        from loopwright.errors import ConfigurationError
        from loopwright.models import Capabilities, FunctionLM, LMResponse
        from loopwright.runtime import Journal
        from loopwright.tools import ToolCall

        done = []
        def note(n: int, text: str) -> str:
            "Note."
            done.append(n)
            return "noted"

        turn = iter(range(10_000))
        lm = FunctionLM(
            lambda request: LMResponse("", (ToolCall("note", {{"n": next(turn), "text": "x" * 9000}}),)),
            capabilities=Capabilities(native_tools=True),
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            with context(lm=lm), Journal({str(path)!r}, "a"):
                ReAct("question -> answer", tools=[note], max_iters=200)(question="?")
        except ConfigurationError as error:
            print(len(done), error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "can't be written" in ended.stdout, ended.stderr
    begun = [entry for entry in JournalFile(path).entries("a") if entry.kind == "tool"]
    assert len(begun) >= int(ended.stdout.split()[0]) >= 1


def test_a_journal_inside_another_is_refused(path: Path) -> None:
    with Journal(path), pytest.raises(ConfigurationError, match="one inside another"), Journal(path):
        pass


def test_a_name_is_not_recorded_twice(path: Path) -> None:
    booked(seats(1), Journal(path, "a"))
    with pytest.raises(ConfigurationError, match="has a run 'a' already"):
        Journal(path, "a", mode="record")


def test_a_run_is_written_by_one_at_a_time(path: Path) -> None:
    holds = JournalFile(path).taken("a")
    with pytest.raises(ConfigurationError, match="is being written by another process"):
        booked(seats(1), Journal(path, "a"))
    holds.close()
    booked(seats(1), Journal(path, "b"))
    booked(silent(), Journal(path, "b"))
    assert not list(path.parent.glob("*.lock"))
