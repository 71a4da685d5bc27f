"""Task files as sets of examples: run in a fresh world with their turns and limits, by Evaluate and by optimizers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from replay import always, submit

from loopwright import BootstrapFewShot, Evaluate, Example, Module, Prediction, TaskFile, context
from loopwright.errors import AuthError, ConfigurationError
from loopwright.evaluation import (
    MetricError,
    Score,
    exact_match,
    file_of,
    plan,
    rollout,
    run_example,
    run_trials,
)
from loopwright.models import FunctionLM, LMRequest, ScriptedLM
from loopwright.models.scripted import Answer
from loopwright.runtime import Budget
from loopwright.tools import ToolCall
from loopwright.trace import Trace

HERE = Path(__file__).parent

WORLD = """
version: 1
name: desk
agent: {signature: "request -> reply"}
defaults:
  limits: {steps: 4}
  approve: {"read_*": allow, "pay": allow, "*": deny}
  world:
    data: {orders: {"17": {status: open, amount: 20}}, ledger: []}
    tools:
      read_order: {get: "orders.{number}"}
      pay: {append: ledger, value: number}
      wipe: {remove: "orders.{number}"}
tasks:
- id: pay
  split: train
  input: {request: Pay 20.}
  expect: {answer: {reply: paid}, state: [{path: ledger, length: 1}], calls: {required: [{tool: pay, args: {value: 20}}]}}
- id: talk
  split: test
  turns:
  - {user: Pay., expect: {answer: {reply: {contains: how much}}}}
  - {user: "20.", expect: {calls: {required: [{tool: pay, args: {value: 20}}]}}}
  expect: {state: [{path: ledger, length: 1}]}
"""

PAY = ToolCall("pay", {"value": 20})


def desk() -> TaskFile:
    return TaskFile.parse(WORLD, base=HERE)


def paying(request: LMRequest) -> Answer:
    """A model that asks how much, and pays what it is told."""
    said = [message for message in request.messages if message.role == "user"]
    if "20" not in said[-1].content:
        return submit(reply="How much?")
    paid = any("pay" in call.name for message in request.messages for call in message.tool_calls)
    return submit(reply="paid") if paid else PAY


def test_examples_have_their_task_and_the_file_their_metric() -> None:
    file = desk()
    pay, talk = file.examples()
    assert (pay.inputs().toDict(), pay.labels().toDict()) == (
        {"request": "Pay 20."},
        {"reply": "paid", "task_id": "pay"},
    )
    assert (talk.inputs().toDict(), talk.task_id) == ({"request": "Pay."}, "talk")
    assert [example.task_id for example in file.examples("test")] == ["talk"]
    assert file_of(file.metric) is file
    assert [file_of(other) for other in (exact_match, file.task, None, partial(file.metric))] == [None] * 4


def test_a_rollout_runs_the_task_in_a_fresh_world_each_time() -> None:
    file = desk()
    for _ in range(2):
        with context(lm=always(paying)):
            prediction, score = rollout(file, file.agent(), file.examples("train")[0])
        assert (prediction.reply, score.value, score.passed, score.feedback) == ("paid", 1.0, True, "")


def test_a_rollout_says_what_was_wrong_and_where() -> None:
    file = desk()
    with context(lm=ScriptedLM([PAY, PAY, submit(reply="paid")])):
        _, score = rollout(file, file.agent(), file.examples("train")[0])
    assert score.value == pytest.approx(2 / 3)
    assert (score.feedback, score.step) == (
        "state ledger: it holds 2, not 1; step 2, pay(value=20), left it so",
        2,
    )


def test_a_rollout_has_the_conversation() -> None:
    file = desk()
    with context(lm=always(paying)):
        made = rollout(file, file.agent(), file.examples("test")[0])
    assert made.score.passed
    assert [call.name for call in made.prediction.trajectory.calls] == ["submit", "pay", "submit"]
    assert len(made.trace.calls) == 2


def test_a_rollout_is_under_the_files_limits_and_approvals() -> None:
    file = desk()
    lm = ScriptedLM(
        [
            ToolCall("wipe", {"number": "17"}),
            *[ToolCall("read_order", {"number": "17"})] * 3,
            submit(reply="no"),
        ]
    )
    with context(lm=lm):
        prediction, _ = rollout(file, file.agent(), file.examples("train")[0])
    assert prediction.termination_reason == "forced_submit"
    assert prediction.trajectory.results[0].error == "denied"


def test_the_program_itself_is_not_changed() -> None:
    file = desk()
    agent: Any = file.agent()
    with context(lm=always(paying)):
        rollout(file, agent, file.examples("train")[0], rollout_id=3)
    assert (agent.limits.steps, agent.react.options) == (20, {})


def test_rollouts_are_drawn_apart_by_their_id() -> None:
    drawn: list[int | None] = []

    def answer(request: LMRequest) -> Answer:
        drawn.append(request.rollout_id)
        return submit(reply="paid")

    file = desk()
    with context(lm=FunctionLM(answer, capabilities=always("").capabilities)):
        for number in (0, 1, 2):
            rollout(file, file.agent(), file.examples("train")[0], rollout_id=number)
        rollout(
            None,
            file.agent(),
            Example(request="x").with_inputs("request"),
            rollout_id=5,
            metric=lambda e, p: 1,
        )
        Evaluate(devset=file.select(split="train"))(file.agent())
    assert drawn == [None, 1, 2, 5, None]


def test_an_example_of_ones_own_beside_a_file_is_a_plain_call() -> None:
    file = desk()
    example = Example(request="Pay 20.").with_inputs("request")
    with context(lm=always(submit(reply="paid"))):
        made = rollout(file, file.agent(), example, metric=lambda e, p: p.reply == "paid")
        assert run_example(file, file.agent(), example).reply == "paid"
    assert made.score.passed
    assert getattr(made.prediction, "task_run", None) is None


def test_a_rollout_scores_as_the_trial_of_its_epoch_does() -> None:
    file = desk()
    with context(lm=ScriptedLM([PAY, submit(reply="done")])):
        _, score = rollout(file, file.agent(), file.examples("train")[0])
    with context(lm=ScriptedLM([PAY, submit(reply="done")])):
        (result,) = run_trials(plan(file.select(split="train")))
    assert result.failure is not None
    assert (score.value, score.feedback) == (result.score, result.failure.feedback)


def test_a_program_that_raises_scores_0_and_says_so() -> None:
    def broken(request: str) -> Prediction:
        raise RuntimeError("no luck")

    file = desk()
    made = rollout(file, broken, file.examples("train")[0])
    assert (made.score.value, made.score.feedback) == (0.0, "the program raised RuntimeError: no luck")
    assert isinstance(made.error, RuntimeError)


def test_what_says_nothing_of_the_program_is_raised() -> None:
    file = desk()
    example = file.examples("train")[0]
    with context(lm=ScriptedLM([AuthError("no key")])), pytest.raises(AuthError):
        rollout(file, file.agent(), example)
    with context(lm=always(paying)), Budget(calls=0), pytest.raises(Exception, match="budget"):
        rollout(file, file.agent(), example)


def test_without_a_file_it_is_the_plain_call() -> None:
    def double(n: int) -> Prediction:
        return Prediction(answer=2 * n)

    example = Example(n=2, answer=4).with_inputs("n")
    assert rollout(None, double, example, metric=exact_match).score == Score(1.0)
    with pytest.raises(ConfigurationError, match="without a task file needs metric="):
        rollout(None, double, example)


def test_a_metric_of_ones_own_may_judge_a_task() -> None:
    file = desk()
    with context(lm=always(paying)):
        made = rollout(file, file.agent(), file.examples("train")[0], metric=lambda e, p: 0.25)
    assert made.score.value == 0.25


def test_a_program_that_is_the_runs_own_keeps_its_predictors_in_the_trace() -> None:
    file = desk()
    agent: Any = file.agent()
    trace = Trace()
    with context(lm=always(paying), trace=trace):
        prediction = run_example(file, agent, file.examples("train")[0])
    assert [call.predictor is agent.react for call in trace.calls] == [True]
    assert agent.limits.steps == 4
    assert file.metric(file.examples("train")[0], prediction).passed


def test_a_simulated_users_exchanges_are_in_the_trace_and_no_calls() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply"}\n'
        "tasks: [{id: t, turns: [{simulate: {persona: a, goal: Greet.}}], expect: {answer: {reply: hi}}}]"
    )
    assert file.examples()[0].request == "Greet."
    said = "[[ ## done ## ]]\n{}\n\n[[ ## message ## ]]\nHello."
    trace = Trace()
    with context(lm=ScriptedLM([said.format("false"), submit(reply="Hi"), said.format("true")]), trace=trace):
        run_example(file, file.agent(), file.examples()[0])
    assert (len(trace.calls), len(trace.exchanges)) == (1, 3)


@pytest.mark.parametrize(("split", "what"), [("test", "is a conversation"), ("train", "has a world")])
def test_a_plain_prediction_can_not_be_judged_for_what_it_does_not_hold(split: Any, what: str) -> None:
    file = desk()
    with pytest.raises(MetricError, match=f"{what}: run it by loopwright.evaluation.rollout"):
        file.metric(file.examples(split)[0], Prediction(reply="paid"))


# Evaluate


def test_evaluate_takes_a_task_file() -> None:
    file = desk()
    with context(lm=always(paying)):
        result = Evaluate(devset=file)(file.agent())
    assert (result.score, len(result.results), result.errors) == (100.0, 2, [])


def test_evaluate_runs_a_files_examples_as_the_command_does() -> None:
    file = desk()
    with context(lm=ScriptedLM([submit(reply="How much?"), PAY, PAY, submit(reply="paid")])):
        result = Evaluate(devset=file.examples("test"), metric=file.metric, num_threads=1)(file.agent())
    with context(lm=ScriptedLM([submit(reply="How much?"), PAY, PAY, submit(reply="paid")])):
        (trial,) = run_trials(plan(file.select(split="test")))
    score = result.results[0][2]
    assert trial.failure is not None
    assert (score.value, score.feedback, score.step) == (
        trial.score,
        trial.failure.feedback,
        trial.failure.step,
    )


def test_a_task_that_a_model_can_not_judge_is_an_error_of_the_metric() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "q -> a"}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: {judge: {rubric: Kind.}}}}}]"
    )
    with context(lm=ScriptedLM([submit(a="hi"), "?", "?", "?"])):
        result = Evaluate(devset=file)(file.agent())
    assert [error.kind for error in result.errors] == ["metric"]
    assert "could not be judged" in str(result.errors[0])


def test_a_judge_is_asked_by_the_metric_too() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "q -> a"}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: {judge: {rubric: Kind.}}}}}]"
    )
    with context(lm=ScriptedLM(["[[ ## reason ## ]]\nKind.\n\n[[ ## verdict ## ]]\npass"])):
        assert file.metric(file.examples()[0], Prediction(a="hi")).passed


def test_a_program_of_ones_own_is_run_by_evaluate_with_its_limits() -> None:
    class Twice(Module):
        def __init__(self, inner: Module) -> None:
            self.inner = inner

        def forward(self, request: str, history: Any = None) -> Any:
            self.inner(request=request)
            return self.inner(request=request)

    file = desk().select(split="train")
    with context(lm=always(paying)):
        result = Evaluate(devset=file)(Twice(file.agent()))
    assert result.results[0][2].feedback.startswith("state ledger: it holds 2, not 1")


def test_a_demonstration_of_a_conversation_is_its_first_turn() -> None:
    file = desk().select(split="test")
    with context(lm=always(paying)):
        made = BootstrapFewShot(metric=file.metric, max_labeled_demos=0).compile(
            file.agent(), trainset=file.examples()
        )
    (demo,) = made.predictors()[0].demos
    assert (demo.request, demo.reply) == ("Pay.", "How much?")
