"""The driver and what it is made of: store, budget, progress, keys, and how one rollout is run."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loopwright import Example, Module, Predict, Prediction, ReAct, TaskFile, context
from loopwright.errors import AuthError, ConfigurationError, ContextWindowError, NetworkError
from loopwright.evaluation.metrics import Score, exact_match
from loopwright.models import Capabilities, FunctionLM, LMRequest, LMResponse
from loopwright.models.base import BaseLM, Usage
from loopwright.optimizers import (
    Batch,
    Compiled,
    CompileInterrupted,
    Optimizer,
    Outcome,
    Report,
    Rollout,
    RolloutStore,
    Search,
    Setting,
    report_of,
)
from loopwright.optimizers.driving.amounts import Amounts
from loopwright.optimizers.driving.fingerprint import Fingerprints
from loopwright.optimizers.driving.progress import Progress
from loopwright.optimizers.driving.records import read_outcome, write_outcome
from loopwright.optimizers.driving.rollouts import PredictorCall
from loopwright.optimizers.estimates import estimate, paired
from loopwright.runtime import Budget
from loopwright.tools import ToolCall


class Asking(Optimizer):
    """A search that asks for these rollouts in batches, and keeps what it is told."""

    def __init__(
        self,
        asked: Callable[[Setting], Sequence[Sequence[Rollout]]] | None = None,
        metric: Callable[..., object] | None = exact_match,
        metric_threshold: float | None = None,
    ) -> None:
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.asked = asked or (lambda setting: [[Rollout(setting.student, one) for one in setting.train]])
        self.told: list[Outcome] = []

    def search(self, setting: Setting) -> Search:
        for number, rollouts in enumerate(self.asked(setting)):
            self.told += yield Batch(f"phase {number}", rollouts)
        return Compiled(setting.student, Report("Asking"))


def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def answer(request: LMRequest) -> ToolCall:
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"answer": last.content})
    return ToolCall("double", {"n": int(last.content.split()[-1])})


class Counted(FunctionLM):
    """Answers, and counts how often it was asked."""

    def __init__(self, function: Callable[[LMRequest], Any] = answer, usage: Usage | None = None) -> None:
        super().__init__(function, capabilities=Capabilities(native_tools=True))
        self.calls = 0
        self.usage = usage
        self.lock = threading.Lock()

    def complete(self, request: LMRequest) -> LMResponse:
        with self.lock:
            self.calls += 1
        response = super().complete(request)
        return response if self.usage is None else replace(response, usage=self.usage)


ROWS = [Example(n=n, answer=2 * n).with_inputs("n") for n in range(20)]


def agent() -> ReAct:
    return ReAct("n: int -> answer: int", [double])


def compiled(
    optimizer: Asking, lm: BaseLM | None = None, rows: Sequence[Example] = ROWS, **options: Any
) -> ReAct:
    with context(lm=lm or Counted()):
        return optimizer.compile(agent(), trainset=rows, **options)


# ---- what a search is told


def test_outcomes_come_in_the_order_of_the_rollouts() -> None:
    optimizer = Asking()
    compiled(optimizer, num_threads=8)
    assert [outcome.prediction.answer for outcome in optimizer.told] == [2 * row.n for row in ROWS]
    assert all(outcome.passed and outcome.termination == "submit" for outcome in optimizer.told)
    assert [len(outcome.trajectory.steps) for outcome in optimizer.told] == [2] * 20


def test_one_rollout_that_is_asked_for_twice_is_run_and_charged_once() -> None:
    optimizer = Asking(
        lambda setting: [[Rollout(setting.student, ROWS[0])] * 3, [Rollout(setting.student, ROWS[0])]]
    )
    lm = Counted()
    report = report_of(compiled(optimizer, lm))
    assert (lm.calls, report.used.rollouts, len(optimizer.told)) == (2, 1, 4)


def test_rollouts_that_differ_in_their_number_are_drawn_apart() -> None:
    seen: list[int | None] = []

    def noting(request: LMRequest) -> ToolCall:
        seen.append(request.rollout_id)
        return answer(request)

    numbers = (0, 1, 2)
    compiled(
        Asking(lambda s: [[Rollout(s.student, ROWS[1], n, temperature=0.5) for n in numbers]]),
        Counted(noting),
    )
    assert {*seen} == {None, 1, 2}


def test_a_question_of_the_optimizers_own_is_answered_and_not_scored() -> None:
    asked = Rollout(Predict("topic -> text"), Example(topic="lamps").with_inputs("topic"), judged=False)
    optimizer = Asking(lambda setting: [[asked]])
    compiled(optimizer, FunctionLM(lambda request: "[[ ## text ## ]]\nOn lamps."), num_threads=1)
    (told,) = optimizer.told
    assert (told.prediction.text, told.score, told.problem) == ("On lamps.", None, None)


def test_the_calls_of_every_predictor_are_told_with_their_paths() -> None:
    optimizer = Asking()
    compiled(optimizer)
    (call,) = optimizer.told[3].calls
    assert (call.path, call.inputs.n, call.outputs.answer) == ("react", 3, 6)


class Raises(Module):
    """A program with a mistake in it."""

    def forward(self, n: int) -> Prediction:
        raise ValueError("a mistake in the program")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        pytest.param(NetworkError("no route"), "excluded", id="network"),
        pytest.param(AuthError("no key"), "excluded", id="key"),
        pytest.param(ContextWindowError("too long"), "program", id="too long"),
    ],
)
def test_what_a_models_error_says_of_the_program(error: Exception, problem: str) -> None:
    def failing(request: LMRequest) -> ToolCall:
        if request.messages[-1].content == "n: 3":
            raise error
        return answer(request)

    optimizer = Asking()
    report = report_of(compiled(optimizer, Counted(failing)))
    assert optimizer.told[3].problem == problem
    assert report.problems == {problem: 1}
    assert all(told.passed for place, told in enumerate(optimizer.told) if place != 3)


def test_a_program_that_raises_scores_nothing_and_the_reason_is_told() -> None:
    optimizer = Asking(lambda setting: [[Rollout(Raises(), ROWS[0])]])
    compiled(optimizer)
    (told,) = optimizer.told
    assert (told.value, told.problem) == (0.0, "program")
    assert told.feedback == "the program raised ValueError: a mistake in the program"


def test_what_was_excluded_is_tried_again_by_the_next_process(tmp_path: Path) -> None:
    def failing(request: LMRequest) -> ToolCall:
        if request.messages[-1].content == "n: 3":
            raise NetworkError("no route")
        return answer(request)

    compiled(Asking(), Counted(failing), store=tmp_path / "runs.db")
    later, lm = Asking(), Counted()
    compiled(later, lm, store=tmp_path / "runs.db")
    assert later.told[3].passed
    assert lm.calls == 2


@pytest.mark.parametrize(
    ("given", "threshold", "passed"),
    [
        pytest.param(0.6, None, False, id="below one"),
        pytest.param(0.6, 0.5, True, id="over the threshold"),
        pytest.param(0.0, 0, True, id="a threshold of zero"),
        pytest.param(Score(0.2, passed=True, feedback="fine"), None, True, id="the metric's own verdict"),
        pytest.param(Score(0.2, passed=True), 0.5, False, id="a threshold goes before it"),
    ],
)
def test_what_is_good_enough(given: object, threshold: float | None, passed: bool) -> None:
    optimizer = Asking(metric=lambda example, prediction: given, metric_threshold=threshold)
    compiled(optimizer, rows=ROWS[:1])
    assert optimizer.told[0].passed is passed


def test_an_outcome_comes_out_of_the_store_as_it_went_in() -> None:
    optimizer = Asking()
    compiled(optimizer, rows=ROWS[:3])
    told = optimizer.told[2]
    assert read_outcome(write_outcome(told)) == told
    odd = Outcome(
        Score(0.5, True, "half \ud800 of a character", 2),
        error="é",
        prediction=Prediction(answer={"a": [1, None]}),
        calls=(PredictorCall("self", Example(q="?"), Example(a=1.5)),),
        spent=Amounts(1, 0, 2, 30, None, 4, 0.5),
    )
    assert read_outcome(write_outcome(odd)) == odd


# ---- keys


def key(rollout: Rollout, metric: Callable[..., object] = exact_match) -> str:
    with context(lm=Counted()):
        return Fingerprints(metric, answer).key(rollout)


def with_demo() -> Module:
    changed = agent()
    changed.react.demos = [Example(n=100, answer=200).with_inputs("n")]
    return changed


def with_tool() -> Module:
    def double(n: int) -> int:
        """Two times a number."""
        return 2 * n

    return ReAct("n: int -> answer: int", [double])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Rollout(agent(), ROWS[2]), id="example"),
        pytest.param(Rollout(agent(), ROWS[1], 1), id="number"),
        pytest.param(Rollout(agent(), ROWS[1], temperature=0.0), id="temperature"),
        pytest.param(Rollout(agent(), ROWS[1], strict=True), id="strict"),
        pytest.param(Rollout(agent(), ROWS[1], judged=False), id="judged"),
        pytest.param(Rollout(agent(), ROWS[1], lm=FunctionLM(answer, model="another")), id="model"),
        pytest.param(Rollout(agent(), ROWS[1].copy(answer=3).with_inputs("n")), id="label"),
        pytest.param(Rollout(with_demo(), ROWS[1]), id="demonstration"),
        pytest.param(Rollout(with_tool(), ROWS[1]), id="description of a tool"),
        pytest.param(Rollout(ReAct("n: int -> answer: int", [double], max_iters=3), ROWS[1]), id="limits"),
        pytest.param(Rollout(ReAct("n: int -> answer: int", [double], top_p=0.5), ROWS[1]), id="options"),
    ],
)
def test_what_may_change_an_outcome_changes_the_key(other: Rollout) -> None:
    assert key(Rollout(agent(), ROWS[1])) == key(Rollout(agent(), ROWS[1]))
    assert key(other) != key(Rollout(agent(), ROWS[1]))


def test_another_metric_is_another_key() -> None:
    assert key(Rollout(agent(), ROWS[1]), lambda example, given: 1) != key(Rollout(agent(), ROWS[1]))


# ---- the store


def test_the_store_is_its_owners_alone_and_the_first_record_stays(tmp_path: Path) -> None:
    store = RolloutStore(tmp_path / "deep" / "runs.db")
    store.put("k", "first")
    store.put("k", "second")
    assert (store.get("k"), store.get("other"), len(store)) == ("first", None, 1)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    store.close()


def test_two_processes_may_write_one_store(tmp_path: Path) -> None:
    one, other = RolloutStore(tmp_path / "runs.db"), RolloutStore(tmp_path / "runs.db")
    for number in range(20):
        (one if number % 2 else other).put(str(number), "x")
    assert len(one) == len(other) == 20
    one.close()
    other.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, though it is long enough to look like one" * 10)
    with pytest.raises(ConfigurationError, match=r"text\.db can't be used as a store"):
        RolloutStore(tmp_path / "text.db")
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE something (a)")
    connection.close()
    with pytest.raises(ConfigurationError, match="no store of rollouts"):
        RolloutStore(tmp_path / "other.db")
    connection = sqlite3.connect(tmp_path / "later.db")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigurationError, match="version 9"):
        RolloutStore(tmp_path / "later.db")


# ---- the budget


def test_tokens_and_money_are_never_exceeded() -> None:
    lm = Counted(usage=Usage(900, 100, usd=0.01))
    optimizer = Asking()
    report = report_of(compiled(optimizer, lm, budget=Budget(usd=0.25), num_threads=4))
    assert report.used.usd is not None
    assert 0.2 <= report.used.usd <= 0.25 + 1e-9
    assert report.spent_limit == "usd"
    lm = Counted(usage=Usage(900, 100, usd=0.01))
    report = report_of(compiled(Asking(), lm, budget={"tokens": 11_000}, num_threads=4))
    assert 8_000 <= report.used.tokens <= 11_000


def test_what_there_was_no_room_for_is_skipped_and_told() -> None:
    optimizer = Asking()
    report = report_of(compiled(optimizer, budget=Budget(rollouts=7), num_threads=4))
    assert [told.skipped for told in optimizer.told] == [False] * 7 + [True] * 13
    assert all(told.value is None for told in optimizer.told[7:])
    assert (report.used.rollouts, report.spent_limit) == (7, "rollouts")


def test_a_run_that_comes_to_its_share_is_cut_off_and_not_judged() -> None:
    calls = 0

    def endless(request: LMRequest) -> ToolCall:
        nonlocal calls
        calls += 1
        return ToolCall("double", {"n": calls})

    optimizer = Asking()
    report = report_of(compiled(optimizer, Counted(endless), budget=Budget(calls=9)))
    assert optimizer.told[0].skipped
    assert optimizer.told[0].value is None
    assert calls == report.used.calls == 9


def test_time_that_is_up_starts_nothing_more() -> None:
    optimizer = Asking()
    report = report_of(compiled(optimizer, budget=Budget(seconds=0)))
    assert all(told.skipped for told in optimizer.told)
    assert (report.used.rollouts, report.spent_limit) == (0, "seconds")


def test_tool_calls_bound_how_many_rollouts_are_begun() -> None:
    optimizer = Asking()
    report = report_of(compiled(optimizer, budget={"tool_calls": 10}))
    assert report.used.tool_calls <= 10
    assert 3 <= report.used.rollouts < 20


def test_a_budget_of_an_optimizer_is_no_with_block() -> None:
    with pytest.raises(ConfigurationError, match=r"rollouts are counted by an optimizer"), Budget(rollouts=3):
        pass
    with pytest.raises(ConfigurationError, match=r"no 'money'; there are: rollouts"):
        compiled(Asking(), budget={"money": 3})
    with pytest.raises(ConfigurationError, match=r"a budget is a mapping, as in .'rollouts': 200., .* not 4"):
        compiled(Asking(), budget=4)
    with pytest.raises(ConfigurationError, match="a budget's rollouts is a number of at least 0, not '4'"):
        compiled(Asking(), budget={"rollouts": "4"})


# ---- what is shown


def test_progress_is_told_in_lines_where_no_terminal_is() -> None:
    out = io.StringIO()
    compiled(Asking(), progress=out, num_threads=1)
    lines = out.getvalue().splitlines()
    assert lines[0] == "phase 0 2/20, 4 model calls"
    assert lines[-1] == "phase 0 20/20, 40 model calls"
    assert len(lines) == 10


def test_progress_says_what_it_cost_and_what_is_best() -> None:
    out = io.StringIO()
    with Progress("any", out) as progress:
        progress.begin("select", 1, "best so far 80%")
        progress.advance(Amounts(1, calls=4, usd=0.0123))
    assert out.getvalue() == "select 1/1, best so far 80%, 4 model calls, $0.0123\n"


def test_ctrl_c_in_the_middle_of_threads_ends_the_compile() -> None:
    def interrupting(request: LMRequest) -> ToolCall:
        if request.messages[-1].content == "n: 5":
            os.kill(os.getpid(), 2)
        return answer(request)

    with pytest.raises(CompileInterrupted, match="interrupted after"):
        compiled(Asking(), Counted(interrupting), num_threads=4)


def test_ctrl_c_says_how_many_rollouts_are_in_the_store(tmp_path: Path) -> None:
    def interrupting(request: LMRequest) -> ToolCall:
        if request.messages[-1].content == "n: 5":
            raise KeyboardInterrupt
        return answer(request)

    store = tmp_path / "runs.db"
    with pytest.raises(CompileInterrupted, match="after 5 rollouts, all in the store: give the same again"):
        compiled(Asking(), Counted(interrupting), num_threads=1, store=store)
    again = Counted()
    compiled(Asking(), again, store=store)
    assert again.calls == 2 * (len(ROWS) - 5)


# ---- what is given


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"trainset": []}, "the trainset is empty", id="empty"),
        pytest.param({"trainset": [{"n": 1}]}, r"trainset\[0\] is no Example but a dict", id="a dict"),
        pytest.param(
            {"trainset": [Example(n=1)]}, r"trainset\[0\] does not say which fields", id="no inputs"
        ),
        pytest.param({"trainset": ROWS, "valset": [Example(n=1)]}, r"valset\[0\] does not say", id="valset"),
        pytest.param(
            {"trainset": ROWS, "teacher": 3}, "a teacher is a program or a model, not int", id="teacher"
        ),
    ],
)
def test_what_cannot_be_compiled_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Asking().compile(agent(), **options)


def test_a_function_is_no_program_and_a_metric_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="compile takes a program"):
        Asking().compile(answer, trainset=ROWS)  # type: ignore[type-var]  # the point of the test
    with pytest.raises(ConfigurationError, match="Asking needs a metric"):
        compiled(Asking(metric=None))


def test_a_program_that_was_never_compiled_has_no_report() -> None:
    with pytest.raises(ValueError, match="comes from no compile"):
        report_of(agent())


def test_a_teacher_may_be_a_model() -> None:
    asked: list[str] = []

    def teaching(request: LMRequest) -> ToolCall:
        asked.append(request.messages[-1].content)
        return answer(request)

    optimizer = Asking(lambda setting: [[Rollout(setting.teacher, ROWS[4])]])
    lm = Counted()
    compiled(optimizer, lm, teacher=FunctionLM(teaching, capabilities=Capabilities(native_tools=True)))
    assert (lm.calls, asked[0]) == (0, "n: 4")


TASKS = """
version: 1
agent: {signature: "n: int -> answer: int", tools: [calculate]}
tasks:
- {id: one, input: {n: 1}, expect: {answer: {answer: 2}, calls: {required: [{tool: calculate, args: {expression: "2*1"}}]}}}
- {id: two, input: {n: 2}, expect: {answer: {answer: 4}}}
"""


def test_a_task_file_is_a_trainset_and_its_metric_brings_the_way_to_run_it() -> None:
    def calculating(request: LMRequest) -> ToolCall:
        last = request.messages[-1]
        if last.role == "tool":
            return ToolCall("submit", {"answer": last.content})
        return ToolCall("calculate", {"expression": f"{last.content.split()[-1]}*2"})

    file = TaskFile.parse(TASKS)
    optimizer = Asking(metric=file.metric)
    with context(lm=Counted(calculating)):
        optimizer.compile(file.agent(), trainset=file.examples())
    assert [told.passed for told in optimizer.told] == [False, True]
    assert "required call calculate" in optimizer.told[0].feedback


# ---- estimates


def test_an_estimate_counts_tasks_and_a_difference_is_paired() -> None:
    found = estimate({"a": [1, 1, 0, 1], "b": [0, 0, 0, 1], "c": []})
    assert found is not None
    assert (found.mean, found.n, found.rollouts) == (0.5, 2, 8)
    assert found.low < 0.5 < found.high
    wide = estimate({"a": [5.0], "b": [9.0]})
    assert wide is not None
    assert wide.low < 7 < wide.high
    assert estimate({}) is None
    assert paired({"a": [1], "b": [1], "c": [0]}, {"a": [0], "b": [0], "d": [1]}).mean == 1.0
    assert paired({"a": [1]}, {"b": [1]}).n == 0


class Terminal(io.StringIO):
    """A place that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_shows_phase_rollouts_and_cost() -> None:
    out = Terminal()
    compiled(Asking(), progress=out, num_threads=1)
    assert "phase 0" in out.getvalue()
    assert "20/20" in out.getvalue()
    assert "40 model calls" in out.getvalue()
