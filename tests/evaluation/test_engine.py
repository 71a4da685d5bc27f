"""Trials: what counts as a failure, what is excluded, and that workers change nothing but the time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from replay import NATIVE, Failing, always, question_of, replaying, submit

from loopwright import Module, Predict, Prediction, ReAct, TaskFile, Trajectory, context
from loopwright.errors import (
    AuthError,
    BadRequestError,
    ConfigurationError,
    ContextWindowError,
    LMTimeoutError,
    NetworkError,
    RateLimitError,
    ServerError,
)
from loopwright.evaluation import Report, TrialResult, plan, run_trials
from loopwright.evaluation.trials.attempt import prepared
from loopwright.models import FunctionLM, LMRequest, LMResponse, Usage
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

HERE = Path(__file__).parent


def task_file(
    count: int = 1, defaults: str = "{}", module: str = "react", expect: str = "answer: {answer: 4}"
) -> TaskFile:
    tasks = "".join(
        f"- {{id: t{n}, input: {{question: q{n}}}, expect: {{{expect}}}}}\n" for n in range(count)
    )
    tools = 'tools: ["shop.py:TOOLS"]' if module == "react" else "tools: []"
    return TaskFile.parse(
        f'version: 1\nagent: {{module: {module}, signature: "question -> answer: int", {tools}}}\n'
        f"defaults: {defaults}\ntasks:\n{tasks}",
        base=HERE,
    )


def run(file: TaskFile, lm: FunctionLM, workers: int = 1, program: Module | None = None) -> list[TrialResult]:
    with context(lm=lm):
        return list(run_trials(plan(file, program), workers))


def get(order_id: int) -> ToolCall:
    return ToolCall("get_order", {"order_id": order_id})


def test_a_trial_keeps_what_happened() -> None:
    def answer(request: LMRequest) -> Answer:
        turn = [get(17), get(404), submit(answer=4)][sum(m.role == "assistant" for m in request.messages)]
        return LMResponse("thinking", (turn,), usage=Usage(10, 2, usd=0.01), cached=turn.name == "submit")

    (result,) = run(task_file(), always(answer))
    assert (result.outcome, result.termination, result.steps, result.tool_calls) == ("passed", "submit", 3, 2)
    assert result.outputs == {"answer": 4}
    assert [made.error for made in result.trajectory.results] == [None, "raised", None]
    assert (result.usage.total_tokens, result.cached, result.attempts, result.failure) == (36, 1, 1, None)
    assert result.usage.usd == pytest.approx(0.03)
    assert result.seconds > 0


def test_a_wrong_answer_is_a_failure_with_its_reason() -> None:
    (result,) = run(task_file(), always(submit(answer=5)))
    assert result.outcome == "failed"
    assert result.failure is not None
    assert result.failure.feedback == "answer: 5 is not 4"


@pytest.mark.parametrize(
    "error",
    [
        AuthError("no key"),
        RateLimitError("slow"),
        NetworkError("down"),
        ServerError("503"),
        LMTimeoutError("late"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_model_that_fails_once_is_asked_again(error: Exception) -> None:
    model = Failing([error], submit(answer=4))
    (result,) = run(task_file(), always(model))
    assert (result.outcome, result.attempts, model.calls) == ("passed", 2, 2)


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (AuthError("no key"), 2),
        (ServerError("503"), 2),
        (BadRequestError("no"), 1),
        (ConfigurationError("set up"), 1),
    ],
    ids=["AuthError", "ServerError", "BadRequestError", "ConfigurationError"],
)
def test_a_model_that_keeps_failing_excludes_the_trial(error: Exception, calls: int) -> None:
    model = Failing([error] * 5, submit(answer=4))
    (result,) = run(task_file(), always(model))
    assert (result.outcome, result.attempts, model.calls) == ("excluded", calls, calls)
    assert result.error == f"{type(error).__name__}: {error}"
    assert result.checks == ()


def test_a_model_that_fails_in_the_middle_of_a_run_excludes_the_trial_too() -> None:
    (result,) = run(task_file(), replaying({"q0": [get(17), NetworkError("cable")]}))
    assert (result.outcome, result.termination, result.attempts) == ("excluded", "lm_error", 2)
    assert result.error == "NetworkError: cable"
    assert result.steps == 1  # what there was is kept


def test_a_prompt_that_is_too_long_is_the_agents_failure() -> None:
    first, later = run(
        task_file(2),
        replaying({"q0": [ContextWindowError("long")], "q1": [get(17), ContextWindowError("long")]}),
    )
    assert [result.outcome for result in (first, later)] == ["failed", "failed"]
    assert [result.termination for result in (first, later)] == ["context", "context"]
    assert first.failure is not None
    assert first.failure.feedback == "no answer: long"
    assert later.failure is not None
    assert later.failure.feedback == "answer: there is none: the run ended with context; 4 is wanted"


def test_an_answer_that_never_fits_is_a_failure() -> None:
    (result,) = run(task_file(module="predict"), FunctionLM(lambda request: "nonsense"))
    assert (result.outcome, result.termination) == ("failed", "parse_errors")
    assert result.failure is not None
    assert "gave no usable answer in 3 tries" in result.failure.feedback


class Fragile(Module):
    """Raises on one question, returns a text on another, and answers the rest."""

    def forward(self, question: str) -> Any:
        if question == "q1":
            raise KeyError("nothing there")
        return "just text" if question == "q2" else Prediction(answer=4)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_program_that_raises_loses_no_other_trial(workers: int) -> None:
    results = run(task_file(4), always(submit(answer=4)), workers, Fragile())
    by_id = {result.task.id: result for result in results}
    assert [by_id[f"t{n}"].outcome for n in range(4)] == ["passed", "failed", "failed", "passed"]
    assert by_id["t1"].failure is not None
    assert by_id["t1"].failure.feedback == "the program raised KeyError: 'nothing there'"
    assert by_id["t2"].failure is not None
    assert by_id["t2"].failure.feedback == "the program returned str, not a Prediction"
    assert by_id["t1"].termination == "raised"


def test_limits_come_from_the_file_and_the_task() -> None:
    file = task_file(2, defaults="{limits: {steps: 3}}")
    first = file.tasks[0].model_copy(
        update={"limits": file.tasks[0].limits.model_copy(update={"tool_calls": 1})}
    )
    trials = plan(
        TaskFile(
            file.name, file.spec, file.defaults, file.signature, file.tools, (first, file.tasks[1]), HERE
        )
    )
    with context(lm=always(get(17))):
        results = {result.task.id: result for result in run_trials(trials, 1)}
    assert (results["t0"].termination, results["t0"].tool_calls) == ("max_calls", 1)
    assert (results["t1"].termination, results["t1"].tool_calls) == ("max_steps", 3)


def test_every_trial_has_a_seed_and_every_epoch_a_rollout_of_its_own() -> None:
    seen: list[tuple[str, int | None, int | None]] = []

    def answer(request: LMRequest) -> Answer:
        seen.append((question_of(request), request.seed, request.rollout_id))
        return submit(answer=4)

    file = task_file(2, defaults="{seed: 7, epochs: 3}")
    run(file, always(answer))
    first, seen = seen, []
    assert len({seed for _, seed, _ in first}) == 6
    assert [rollout for _, _, rollout in first] == [None, None, 1, 1, 2, 2]
    run(file, always(answer))
    assert seen == first


def test_without_a_seed_none_is_sent() -> None:
    seen: list[LMRequest] = []

    def answer(request: LMRequest) -> Answer:
        seen.append(request)
        return submit(answer=4)

    run(task_file(), always(answer))
    assert (seen[0].seed, seen[0].rollout_id) == (None, None)


def test_a_program_of_ones_own_is_copied_and_keeps_its_options() -> None:
    class Two(Module):
        def __init__(self) -> None:
            self.parts = [ReAct("question -> answer: int", max_iters=9, temperature=0.5, rollout_id=10)]
            self.helper = Predict("a -> b")

        def forward(self, question: str) -> Any:
            return self.parts[0](question=question)

    own = Two()
    trials = plan(task_file(defaults="{epochs: 2, limits: {tool_calls: 4}}"), own)
    copy = prepared(trials[1])
    assert isinstance(copy, Two)
    assert copy.parts[0].react.options == {"temperature": 0.5, "rollout_id": 11}
    assert (copy.parts[0].limits.steps, copy.parts[0].limits.tool_calls) == (9, 4)
    assert own.parts[0].react.options == {"temperature": 0.5, "rollout_id": 10}
    with context(lm=always(submit(answer=4))):
        assert all(result.passed for result in run_trials(trials))


def varied(request: LMRequest) -> Answer:
    """Right on every other question, wrong on the rest, after a look-up."""
    turn = sum(message.role == "assistant" for message in request.messages)
    number = int(question_of(request)[1:])
    return get(17 if number % 3 else 404) if turn == 0 else submit(answer=4 if number % 2 else 5)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in ("seconds", "started")}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def test_one_worker_and_eight_give_the_same_report() -> None:
    reports = []
    for workers in (1, 8):
        trials = plan(task_file(30, defaults="{epochs: 2, seed: 3}"))
        with context(lm=always(varied)):
            report = Report.of(trials, run_trials(trials, workers))
        reports.append(without_times(report.as_json()))
    assert reports[0] == reports[1]
    assert reports[0]["summary"]["passed"] == 30


def test_results_come_as_they_are_done() -> None:
    slow = threading.Event()

    def answer(request: LMRequest) -> Answer:
        if question_of(request) == "q0":
            slow.wait(120)
        return submit(answer=4)

    with context(lm=always(answer)):
        results = run_trials(plan(task_file(4)), 2)
        first = [next(results).task.id for _ in range(3)]
        slow.set()
        assert first == ["t1", "t2", "t3"]
        assert [result.task.id for result in results] == ["t0"]


def test_when_no_model_is_there_it_gives_up_early() -> None:
    model = Failing([AuthError("no key")] * 1000, submit(answer=4))
    results = run(task_file(60), always(model))
    assert len(results) == 10
    assert {result.outcome for result in results} == {"excluded"}


def test_closing_the_run_begins_no_further_trial() -> None:
    model = Failing([], submit(answer=4))
    with context(lm=always(model)):
        results = run_trials(plan(task_file(20)), 1)
        next(results)
        results.close()
    assert model.calls == 1


def test_a_mistake_in_a_check_excludes_the_trial_and_says_so() -> None:
    class Odd(Module):
        def forward(self, question: str) -> Prediction:
            return Prediction(answer=Unequal())

    class Unequal:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("can't be compared")

        __hash__ = object.__hash__

    (result,) = run(task_file(), always(submit(answer=4)), program=Odd())
    assert (result.outcome, result.error) == ("excluded", "RuntimeError: can't be compared")


def test_a_trajectory_that_is_none_is_no_trouble() -> None:
    class Chatty(Module):
        def forward(self, question: str) -> Prediction:
            return Prediction(answer=4, trajectory="I thought a lot")

    (result,) = run(task_file(), always(submit(answer=4)), program=Chatty())
    assert (result.outcome, result.trajectory) == ("passed", Trajectory())


def test_the_model_may_be_a_shared_one_with_many_threads() -> None:
    busy = {"now": 0, "most": 0}
    lock, together = threading.Lock(), threading.Barrier(2, timeout=60)

    def answer(request: LMRequest) -> Answer:
        with lock:
            busy["now"] += 1
            busy["most"] = max(busy["most"], busy["now"])
        together.wait()
        with lock:
            busy["now"] -= 1
        return submit(answer=4)

    results = run(task_file(24), FunctionLM(answer, capabilities=NATIVE), 6)
    assert all(result.passed for result in results)
    assert 1 < busy["most"] <= 6
