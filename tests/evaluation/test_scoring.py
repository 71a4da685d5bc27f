"""Scores: what gates, weights and a threshold make of the same run, and when a trial has passed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay import submit

from loopwright import TaskFile, context
from loopwright.evaluation import CheckResult, TrialResult, plan, run_trials
from loopwright.evaluation.checks.scoring import GROUPS, KINDS, Scored, names_of, scored
from loopwright.evaluation.file.format import ScoreSpec
from loopwright.models import ScriptedLM
from loopwright.tools import ToolCall

HERE = Path(__file__).parent

# Of its six checks, the run below passes four: not the amount and not the order.
EXPECT = """
    answer: {reply: refunded, amount: 20}
    calls:
      required: [{tool: get_order, args: {order_id: 17}}]
      forbidden: [{tool: cancel_order}]
      order: {of: [get_order, refund]}
    ends: submit
"""


def trial(score: str) -> TrialResult:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply, amount: float", tools: ["shop.py:TOOLS"]}\n'
        f"tasks:\n- id: t\n  input: {{request: Refund 17.}}\n  expect:{EXPECT}  score: {score}\n",
        base=HERE,
    )
    turns = [
        ToolCall("refund", {"order_id": 17, "amount": 2}),
        ToolCall("get_order", {"order_id": 17}),
        submit(reply="Refunded", amount=2),
    ]
    with context(lm=ScriptedLM(turns)):
        (result,) = run_trials(plan(file))
    return result


SCORES = {
    "nothing said: each check counts the same": ("{}", 4 / 6, False),
    "gates that pass count no more": ("{gates: [calls.forbidden, ends]}", 2 / 4, False),
    "a gate that fails makes it 0": ("{gates: [answer.amount]}", 0.0, False),
    "a gate of a group": ("{gates: [calls]}", 0.0, False),
    "a gate of a kind": ("{gates: [answer]}", 0.0, False),
    "weights by kind, each the part that passed": (
        "{weights: {answer: 1, calls: 1, ends: 2}}",
        (1 / 2 + 2 / 3 + 2) / 4,
        False,
    ),
    "a field goes before its kind": (
        "{weights: {answer: 1, answer.amount: 3, calls: 0, ends: 0}}",
        1 / 4,
        False,
    ),
    "a kind without a weight weighs 1": ("{weights: {calls: 4}}", (1 / 2 + 4 * 2 / 3 + 1) / 6, False),
    "a kind goes before its group": (
        "{weights: {answer: 0, calls: 1, calls.order: 1, ends: 0}}",
        1 / 2,
        False,
    ),
    "what is worth 0 is shown only": (
        "{weights: {answer.reply: 1, answer: 0, calls.order: 0, calls: 1, ends: 1}}",
        1.0,
        True,
    ),
    "a threshold that is reached": ("{pass: 0.66}", 4 / 6, True),
    "a threshold that is just reached": (
        "{weights: {answer: 1, calls.required: 1, calls: 0, ends: 1}, pass: 0.8333333333}",
        2.5 / 3,
        True,
    ),
    "a threshold that is not reached": ("{pass: 0.67}", 4 / 6, False),
    "a threshold does not help a gate": ("{gates: [calls.order], pass: 0.1}", 0.0, False),
    "the page's example": (
        "{gates: [calls.forbidden], weights: {answer: 1, calls.required: 1, calls.order: 0.5, ends: 0}}",
        (0.5 + 1) / 2.5,
        False,
    ),
}


@pytest.mark.parametrize(("score", "value", "passed"), SCORES.values(), ids=SCORES)
def test_the_score_of_one_run(score: str, value: float, passed: bool) -> None:
    result = trial(score)
    assert result.score == pytest.approx(value)
    assert result.passed is passed


def test_gates_alone_leave_nothing_to_score() -> None:
    checks = [CheckResult("ends", "submit", True)]
    assert scored(checks, ScoreSpec(gates=["ends"])) == Scored(1.0, True)


def test_no_checks_score_1() -> None:
    assert scored([]) == Scored(1.0, True)


def test_a_run_that_was_none_scores_0_whatever_has_weight() -> None:
    checks = [CheckResult("run", "", False, "the program raised"), CheckResult("answer", "a", True)]
    assert scored(checks, ScoreSpec(weights={"answer": 1})) == Scored(0.0, False)


UNDECIDED = {
    "all others pass": ([True], {}, Scored(1.0, None)),
    "another fails": ([False], {}, Scored(0.0, False)),
    "it has no weight": ([True], {"weights": {"answer": 1, "judge": 0}}, Scored(1.0, True)),
    "enough without it": ([True, True, True], {"pass": 0.75}, Scored(1.0, True)),
    "not enough without it": ([True, True, False], {"pass": 0.75}, Scored(2 / 3, None)),
    "it is a gate": ([True], {"gates": ["judge"]}, Scored(1.0, None)),
    "another gate fails": ([False], {"gates": ["judge", "answer"]}, Scored(0.0, False)),
}


@pytest.mark.parametrize(("others", "spec", "wanted"), UNDECIDED.values(), ids=UNDECIDED)
def test_a_check_that_could_not_be_made_decides_only_what_it_can_not_change(
    others: list[bool], spec: dict[str, object], wanted: Scored
) -> None:
    checks = [CheckResult("answer", str(place), passed) for place, passed in enumerate(others)]
    found = scored(
        [*checks, CheckResult("judge", "reply", False, error=True)], ScoreSpec.model_validate(spec)
    )
    assert found.value == pytest.approx(wanted.value)
    assert found.passed is wanted.passed


@pytest.mark.parametrize(
    ("check", "names"),
    [
        (CheckResult("answer", "reply", True), ("answer.reply", "answer")),
        (CheckResult("judge", "reply", True, turn=1), ("turns.1", "turns", "judge.reply", "judge")),
        (CheckResult("calls.max", "total", True), ("calls.max", "calls")),
        (CheckResult("state", "orders.17", True), ("state",)),
        (CheckResult("ends", "submit", True, turn=3), ("turns.3", "turns", "ends")),
    ],
)
def test_the_names_of_a_check(check: CheckResult, names: tuple[str, ...]) -> None:
    assert names_of(check) == names


def test_a_gate_on_one_turn() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply"}\ntasks:\n- id: t\n  turns:\n'
        "  - {user: Hi., expect: {answer: {reply: hi}}}\n  - {user: Bye., expect: {answer: {reply: bye}}}\n"
        "  score: {gates: [turns.1], weights: {turns.2: 1}, pass: 0.5}\n"
    )
    for replies, value in ((("hi", "bye"), 1.0), (("hi", "no"), 0.0), (("no", "bye"), 0.0)):
        with context(lm=ScriptedLM([submit(reply=one) for one in replies])):
            (result,) = run_trials(plan(file))
        assert (result.score, result.passed) == (value, value == 1.0)


checks = st.lists(
    st.builds(
        CheckResult,
        st.sampled_from([*KINDS, "turns", "run"]),
        st.sampled_from(["reply", "total", ""]),
        st.booleans(),
        turn=st.none() | st.integers(1, 3),
    ),
    max_size=12,
)
names = st.sampled_from([*KINDS, *GROUPS, "answer.reply", "turns.1"])
specs = st.builds(
    ScoreSpec,
    gates=st.lists(names, max_size=3),
    weights=st.dictionaries(names, st.floats(0, 10), max_size=4),
    pass_=st.floats(0.01, 1),
)


@given(checks, specs)
def test_a_score_is_between_0_and_1_and_no_failed_gate_passes(
    found: list[CheckResult], spec: ScoreSpec
) -> None:
    result = scored(found, spec)
    assert 0 <= result.value <= 1 + 1e-9
    wrong = [check for check in found if not check.passed]
    if any(check.check in ("run", "turns") or set(names_of(check)) & set(spec.gates) for check in wrong):
        assert result == Scored(0.0, False)
    if all(check.passed for check in found):
        assert result.passed


@given(checks, specs, st.integers(0, 11))
def test_a_check_that_passes_after_all_makes_no_score_worse(
    found: list[CheckResult], spec: ScoreSpec, place: int
) -> None:
    better = [replace(check, passed=check.passed or number == place) for number, check in enumerate(found)]
    assert scored(better, spec).value >= scored(found, spec).value - 1e-9
