"""Checks: what passes, what fails narrowly and plainly, with the exact line and the step that it blames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from loopwright import Step, TaskFile, Trajectory
from loopwright.evaluation import CheckResult, Run, judge
from loopwright.tools import ToolCall, ToolResult

HERE = Path(__file__).parent


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name, args)


def failed(made: ToolCall, content: str = "Error: 503 upstream") -> ToolResult:
    return ToolResult.failed(made, "raised", content)


Item = ToolCall | ToolResult


def trajectory(*steps: Item | Sequence[Item]) -> Trajectory:
    """Steps of the calls given, each of which succeeded unless it is a result."""
    made = []
    for step in steps:
        items = [step] if isinstance(step, ToolCall | ToolResult) else step
        results = tuple(item if isinstance(item, ToolResult) else ToolResult(item, "ok") for item in items)
        made.append(Step("", tuple(result.call for result in results), results))
    return Trajectory(tuple(made))


SUBMIT = call("submit", answer="done")


@dataclass(frozen=True)
class Case:
    """Expectations, what the run did, and the failed checks as (feedback, step)."""

    expect: str
    did: Trajectory = field(default_factory=lambda: trajectory(SUBMIT))
    answer: object = "done"
    wrong: tuple[tuple[str, int | None], ...] = ()
    output: str = "str"
    ended: str = "submit"


def judged(case: Case) -> list[CheckResult]:
    file = TaskFile.parse(
        f"""
version: 1
agent: {{signature: "question -> answer: {case.output}", tools: ["shop.py:TOOLS"]}}
tasks:
- id: t
  input: {{question: x}}
  expect: {case.expect}
""",
        base=HERE,
    )
    run = Run({"answer": case.answer}, case.did, case.ended)
    return judge(file.tasks[0], run, file.signature, file.tools)


GET17 = call("get_order", order_id=17)
REFUND17 = call("refund", order_id=17, amount=20)

ANSWERS = {
    "equals, but for the form": Case("{answer: {answer: The Refund}}", answer="refund."),
    "equals, another word": Case(
        "{answer: {answer: refund}}", answer="refunded", wrong=(('answer: "refunded" is not "refund"', 1),)
    ),
    "equals, a number in a text": Case("{answer: {answer: 42}}", answer="42.0"),
    "equals, a number in a text, not near": Case(
        "{answer: {answer: 42}}", answer="42.5", wrong=(('answer: "42.5" is not "42"', 1),)
    ),
    "equals, a number": Case("{answer: {answer: 0.3}}", answer=0.1 + 0.2, output="float"),
    "equals, another number": Case(
        "{answer: {answer: 0.3}}", answer=0.31, output="float", wrong=(("answer: 0.31 is not 0.3", 1),)
    ),
    "equals, a bool": Case("{answer: {answer: true}}", answer=True, output="bool"),
    "equals, the other bool": Case(
        "{answer: {answer: true}}", answer=False, output="bool", wrong=(("answer: false is not true", 1),)
    ),
    "equals, a list": Case("{answer: {answer: [1, 2]}}", answer=[1, 2], output="list[int]"),
    "equals, a list in another order": Case(
        "{answer: {answer: [1, 2]}}",
        answer=[2, 1],
        output="list[int]",
        wrong=(("answer: [2, 1] is not [1, 2]", 1),),
    ),
    "equals, a mapping": Case(
        "{answer: {answer: {equals: {a: 1}}}}", answer={"a": 1}, output="dict[str, int]"
    ),
    "equals, a date": Case(
        "{answer: {answer: 2026-01-31}}",
        answer=date(2026, 2, 1),
        output="date",
        wrong=(("answer: 2026-02-01 is not 2026-01-31", 1),),
    ),
    "nothing where a value is wanted": Case(
        "{answer: {answer: 4}}",
        answer=None,
        output="int",
        ended="max_steps",
        wrong=(("answer: there is none: the run ended with max_steps; 4 is wanted", 1),),
    ),
    "contains all": Case(
        "{answer: {answer: {contains: [refund, '17']}}}", answer="The REFUND for 17 is done."
    ),
    "contains only a longer word": Case(
        "{answer: {answer: {contains: [refund, '17']}}}",
        answer="The refund for 170",
        wrong=(('answer: "The refund for 170" does not contain "17"', 1),),
    ),
    "contains in a list": Case(
        "{answer: {answer: {contains: Red}}}", answer=["red", "blue"], output="list[str]"
    ),
    "contains, not in the list": Case(
        "{answer: {answer: {contains: green}}}",
        answer=["red", "blue"],
        output="list[str]",
        wrong=(('answer: ["red", "blue"] does not contain "green"', 1),),
    ),
    "not_contains": Case("{answer: {answer: {not_contains: sorry}}}", answer="done"),
    "not_contains, but it does": Case(
        "{answer: {answer: {not_contains: sorry}}}",
        answer="Sorry, no.",
        wrong=(('answer: "Sorry, no." contains "sorry"', 1),),
    ),
    "regex": Case("{answer: {answer: {regex: '^#[0-9]{3}'}}}", answer="#123 it is"),
    "regex, no answer": Case(
        "{answer: {answer: {regex: '[a-z]'}}}",
        answer=None,
        wrong=(("answer: there is none; /[a-z]/ is wanted", 1),),
    ),
    "regex, no match": Case(
        "{answer: {answer: {regex: '^#[0-9]{3}$'}}}",
        answer="#1234",
        wrong=(('answer: "#1234" does not match /^#[0-9]{3}$/', 1),),
    ),
    "number within its tolerance": Case("{answer: {answer: {number: 3.5, tol: 0.1}}}", answer="about 3.6 km"),
    "number just outside": Case(
        "{answer: {answer: {number: {value: 3.5, tol: 0.1}}}}",
        answer="3.61",
        wrong=(("answer: 3.61 is not 3.5 ± 0.1", 1),),
    ),
    "number among several": Case(
        "{answer: {answer: {number: 3}}}",
        answer="3 or 4",
        wrong=(('answer: "3 or 4" holds no number, or several; 3 is wanted', 1),),
    ),
    "one_of": Case("{answer: {answer: {one_of: [red, blue]}}}", answer="Blue"),
    "none of these": Case(
        "{answer: {answer: {one_of: [red, blue]}}}",
        answer="green",
        wrong=(('answer: "green" is none of "red", "blue"', 1),),
    ),
    "not": Case("{answer: {answer: {not: red}}}", answer="blue"),
    "not, but it is": Case(
        "{answer: {answer: {not: red}}}", answer="Red", wrong=(('answer: "Red" is what it must not be', 1),)
    ),
    "several at once, the first that fails is told": Case(
        "{answer: {answer: {contains: a, not_contains: b, regex: z}}}",
        answer="a b",
        wrong=(('answer: "a b" contains "b"', 1),),
    ),
    "what is hostile is shown harmlessly": Case(
        "{answer: {answer: x}}",
        answer="\x1b[2J\nbye" + "x" * 200,
        wrong=((f'answer: "␛[2J ⏎ bye{"x" * 89}…" is not "x"', 1),),
    ),
}

REQUIRED = {
    "made": Case("{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}", trajectory(GET17, SUBMIT)),
    "made with text for a number": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(call("get_order", order_id="17"), SUBMIT),
    ),
    "made with a default spelt out": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(call("get_order", order_id=17, verbose="false"), SUBMIT),
    ),
    "wanted with the default, made without": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17, verbose: false}}]}}",
        trajectory(GET17, SUBMIT),
    ),
    "made twice where once is enough": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}", trajectory(GET17, GET17, SUBMIT)
    ),
    "a date as text": Case(
        "{calls: {required: [{tool: ship, args: {order_id: 17, on: 2026-01-31}}]}}",
        trajectory(call("ship", order_id=17, on="2026-01-31"), SUBMIT),
    ),
    "any call of the tool": Case(
        "{calls: {required: [{tool: refund, extra: allow}]}}", trajectory(REFUND17, SUBMIT)
    ),
    "a number within its tolerance": Case(
        "{calls: {required: [{tool: refund, args: {order_id: 17, amount: {number: 20, tol: 0.01}}}]}}",
        trajectory(call("refund", order_id=17, amount=20.005), SUBMIT),
    ),
    "two requirements, the calls in the other order": Case(
        "{calls: {required: [{tool: get_order, extra: allow}, {tool: get_order, args: {order_id: 17}}]}}",
        trajectory(GET17, call("get_order", order_id=18), SUBMIT),
    ),
    "never called": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(SUBMIT),
        wrong=(("required call get_order(order_id=17): get_order was never called", 1),),
    ),
    "a wrong argument": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(call("cancel_order", order_id=1), call("get_order", order_id=71), SUBMIT),
        wrong=(
            (
                "required call get_order(order_id=17): the closest was step 2, "
                "get_order(order_id=71): order_id 71 is not 17",
                2,
            ),
        ),
    ),
    "the closest of several": Case(
        "{calls: {required: [{tool: refund, args: {order_id: 17, amount: {number: 20, tol: 0.01}}}]}}",
        trajectory(call("refund", order_id=71, amount=3), call("refund", order_id=17, amount=21), SUBMIT),
        wrong=(
            (
                "required call refund(order_id=17, amount=20 ± 0.01): the closest was step 2, "
                "refund(order_id=17, amount=21): amount 21 is not 20 ± 0.01",
                2,
            ),
        ),
    ),
    "an argument that was not asked for": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(call("get_order", order_id=17, verbose=True), SUBMIT),
        wrong=(
            (
                "required call get_order(order_id=17): the closest was step 1, "
                "get_order(order_id=17, verbose=true): verbose was not asked for",
                1,
            ),
        ),
    ),
    "an argument that was not asked for, but is allowed": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}, extra: allow}]}}",
        trajectory(call("get_order", order_id=17, verbose=True), SUBMIT),
    ),
    "arguments of an unreadable call": Case(
        "{calls: {required: [{tool: refund, args: {order_id: 17, amount: 20}}]}}",
        trajectory(ToolResult.failed(call("refund", order_id=17, why="x"), "invalid_args", "Error"), SUBMIT),
        wrong=(
            (
                'required call refund(order_id=17, amount=20): the closest was step 1, refund(order_id=17, why="x"): '
                "amount is missing; why was not asked for",
                1,
            ),
        ),
    ),
    "made, but it failed": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(failed(GET17), SUBMIT),
        wrong=(
            ("required call get_order(order_id=17): step 1 made it, but it failed: Error: 503 upstream", 1),
        ),
    ),
    "failed first, then made": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        trajectory(failed(GET17), GET17, SUBMIT),
    ),
    "one call for two requirements": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}, {tool: get_order, args: {order_id: 17}}]}}",
        trajectory(GET17, SUBMIT),
        wrong=(("required call get_order(order_id=17): step 1 made it once, for another required call", 1),),
    ),
    "one call of two, the other serves": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}, {tool: get_order, args: {order_id: 18}}]}}",
        trajectory(GET17, SUBMIT),
        wrong=(
            (
                "required call get_order(order_id=18): the closest was step 1, "
                "get_order(order_id=17): order_id 17 is not 18",
                1,
            ),
        ),
    ),
    "so many times": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}, count: 2}]}}",
        trajectory(GET17, GET17, SUBMIT),
    ),
    "too few times": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}, count: 2}]}}",
        trajectory(GET17, SUBMIT),
        wrong=(("required call get_order(order_id=17), exactly 2×: made 1× (step 1)", 2),),
    ),
    "too many times": Case(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}, count: 1}]}}",
        trajectory(GET17, SUBMIT, GET17),
        wrong=(("required call get_order(order_id=17), exactly 1×: made 2× (step 1, 3)", 3),),
    ),
    "extra allowed, in words": Case(
        "{calls: {required: [{tool: get_order, extra: allow}, {tool: refund, args: {order_id: 3}, extra: allow}]}}",
        trajectory(SUBMIT),
        wrong=(
            ("required call get_order(…): get_order was never called", 1),
            ("required call refund(order_id=3, …): refund was never called", 1),
        ),
    ),
    "nothing was done at all": Case(
        "{calls: {required: [{tool: get_order, extra: allow}]}}",
        trajectory(),
        wrong=(("required call get_order(…): get_order was never called", None),),
    ),
}

FORBIDDEN = {
    "not called": Case("{calls: {forbidden: [{tool: cancel_order}]}}", trajectory(GET17, SUBMIT)),
    "called": Case(
        "{calls: {forbidden: [{tool: cancel_order}]}}",
        trajectory(GET17, call("cancel_order", order_id=17), SUBMIT),
        wrong=(("forbidden call cancel_order(…): step 2 made cancel_order(order_id=17)", 2),),
    ),
    "tried in vain": Case(
        "{calls: {forbidden: [{tool: cancel_order}]}}",
        trajectory(failed(call("cancel_order", order_id=17)), SUBMIT),
        wrong=(("forbidden call cancel_order(…): step 1 made cancel_order(order_id=17)", 1),),
    ),
    "with other arguments": Case(
        "{calls: {forbidden: [{tool: refund, args: {order_id: {not: 17}}}]}}", trajectory(REFUND17, SUBMIT)
    ),
    "with these arguments and more": Case(
        "{calls: {forbidden: [{tool: refund, args: {order_id: {not: 17}}}]}}",
        trajectory(call("refund", order_id="71", amount=5), SUBMIT),
        wrong=(
            ('forbidden call refund(order_id=not 17, …): step 1 made refund(order_id="71", amount=5)', 1),
        ),
    ),
}

ORDER = {
    "subsequence": Case(
        "{calls: {order: {of: [get_order, refund]}}}",
        trajectory(GET17, call("cancel_order", order_id=1), REFUND17, SUBMIT),
    ),
    "subsequence, the wrong way round": Case(
        "{calls: {order: {of: [get_order, refund]}}}",
        trajectory(REFUND17, GET17, SUBMIT),
        wrong=(("call order: refund is wanted after get_order(order_id=17) (step 2), but is in step 1", 1),),
    ),
    "subsequence, one is missing": Case(
        "{calls: {order: {of: [get_order, refund]}}}",
        trajectory(GET17, SUBMIT),
        wrong=(("call order: no refund succeeded after get_order(order_id=17) (step 1)", 2),),
    ),
    "subsequence, one only failed": Case(
        "{calls: {order: {of: [get_order]}}}",
        trajectory(failed(GET17), SUBMIT),
        wrong=(("call order: no get_order succeeded", 2),),
    ),
    "subsequence, of calls with arguments": Case(
        "{calls: {order: {of: [{tool: get_order, args: {order_id: 17}}, {tool: get_order, args: {order_id: 18}}]}}}",
        trajectory(call("get_order", order_id=18), GET17, SUBMIT),
        wrong=(
            (
                "call order: get_order(order_id=18, …) is wanted after get_order(order_id=17) (step 2), "
                "but is in step 1",
                1,
            ),
        ),
    ),
    "exact": Case(
        "{calls: {order: {mode: exact, of: [get_order, refund]}}}", trajectory([GET17, REFUND17], SUBMIT)
    ),
    "exact, failures do not count": Case(
        "{calls: {order: {mode: exact, of: [get_order]}}}", trajectory(failed(GET17), GET17, SUBMIT)
    ),
    "exact, another call": Case(
        "{calls: {order: {mode: exact, of: [get_order, refund]}}}",
        trajectory(GET17, call("cancel_order", order_id=1), REFUND17, SUBMIT),
        wrong=(("call order: call 2 is cancel_order(order_id=1) (step 2), where refund is wanted", 2),),
    ),
    "exact, one too many": Case(
        "{calls: {order: {mode: exact, of: [get_order]}}}",
        trajectory(GET17, REFUND17, SUBMIT),
        wrong=(("call order: refund(order_id=17, amount=20) (step 2) is one call too many", 2),),
    ),
    "exact, one too few": Case(
        "{calls: {order: {mode: exact, of: [get_order, refund]}}}",
        trajectory(GET17, SUBMIT),
        wrong=(("call order: refund is missing after get_order(order_id=17) (step 1)", 2),),
    ),
    "exact, none at all": Case(
        "{calls: {order: {mode: exact, of: [get_order]}}}",
        trajectory(SUBMIT),
        wrong=(("call order: get_order is missing after the start", 1),),
    ),
    "any": Case(
        "{calls: {order: {mode: any, of: [get_order, refund]}}}", trajectory(REFUND17, GET17, SUBMIT)
    ),
    "any, one is missing": Case(
        "{calls: {order: {mode: any, of: [get_order, get_order]}}}",
        trajectory(GET17, SUBMIT),
        wrong=(("call order: no call that succeeded is get_order", 2),),
    ),
}

OTHER = {
    "max": Case('{calls: {max: {total: 2, "get_*": 1}}}', trajectory(GET17, REFUND17, SUBMIT)),
    "max of all": Case(
        "{calls: {max: {total: 1}}}",
        trajectory(GET17, failed(REFUND17), SUBMIT),
        wrong=(("at most 1 call: 2 were made, the first too many is refund(order_id=17, amount=20)", 2),),
    ),
    "max of a pattern": Case(
        '{calls: {max: {"get_*": 1}}}',
        trajectory(GET17, REFUND17, GET17, GET17, SUBMIT),
        wrong=(("at most 1 call of get_*: 3 were made, the first too many is get_order(order_id=17)", 3),),
    ),
    "max, a call that was denied does not count": Case(
        "{calls: {max: {total: 1}}}",
        trajectory(GET17, ToolResult.failed(REFUND17, "denied", "Error"), SUBMIT),
    ),
    "no_repeat": Case(
        "{calls: {no_repeat: true}}", trajectory(GET17, call("get_order", order_id=17, verbose=True), SUBMIT)
    ),
    "no_repeat, tried again after a failure": Case(
        "{calls: {no_repeat: true}}", trajectory(failed(GET17), GET17, SUBMIT)
    ),
    "no_repeat, the same in another form": Case(
        "{calls: {no_repeat: true}}",
        trajectory(GET17, call("get_order", order_id="17"), SUBMIT),
        wrong=(('repeated call: step 2 makes get_order(order_id="17") again, as step 1 did', 2),),
    ),
    "ends": Case("{ends: submit}"),
    "ends in one of two ways": Case("{ends: [submit, forced_submit]}", ended="forced_submit"),
    "ends otherwise": Case(
        "{ends: [submit, forced_submit]}",
        ended="max_steps",
        wrong=(("ends: the run ended with max_steps, not with submit or forced_submit", 1),),
    ),
    "calls of no tool and of unknown ones are no trouble": Case(
        "{calls: {max: {total: 1}, forbidden: [{tool: refund}]}}",
        trajectory(
            ToolResult.failed(ToolCall(""), "unparsed", "Error"),
            ToolResult.failed(call("refnd", x=1), "unknown_tool", "Error"),
            SUBMIT,
        ),
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("answer", ANSWERS),
        ("required", REQUIRED),
        ("forbidden", FORBIDDEN),
        ("order", ORDER),
        ("other", OTHER),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_check_says_what_is_wrong_and_where(case: Case) -> None:
    assert tuple((r.feedback, r.step) for r in judged(case) if not r.passed) == case.wrong


def test_every_expectation_gives_a_result_of_its_kind() -> None:
    results = judged(
        Case(
            "{answer: {answer: done}, ends: submit, calls: {required: [{tool: get_order, extra: allow}], "
            "forbidden: [{tool: refund}], order: {of: [get_order]}, max: {total: 1}, no_repeat: true}}",
            trajectory(GET17, SUBMIT),
        )
    )
    kinds = [
        "answer",
        "calls.required",
        "calls.forbidden",
        "calls.order",
        "calls.max",
        "calls.no_repeat",
        "ends",
    ]
    assert [result.check for result in results] == kinds
    assert all(result.passed and not result.feedback and result.step is None for result in results)


def test_judging_a_stored_trajectory_calls_no_tool() -> None:
    results = judged(
        Case(
            "{calls: {required: [{tool: cancel_order, args: {order_id: 404}}]}}",
            trajectory(call("cancel_order", order_id=404)),
        )
    )
    assert results[0].passed  # the tool itself was never asked whether there is an order 404
