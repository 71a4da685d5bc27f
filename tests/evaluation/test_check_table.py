"""Every kind of check, on a run that passes, on one that nearly does, and on one that is far off: the exact line.

Each cell is a run of an agent whose turns are given, on real tools and a real world; a line and its step are what
report, viewer and optimizers show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from loopwright import TaskFile, context
from loopwright.evaluation import TrialResult, plan, run_trials
from loopwright.models import ScriptedLM
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

HERE = Path(__file__).parent

FILE = """
version: 1
agent:
  signature: "request -> reply, total: float, items: list[str], paid: bool"
  tools: ["shop.py:TOOLS"]
defaults:
  limits: {steps: 6}
  world:
    data:
      orders: {"17": {status: paid, amount: 20}, "18": {status: paid, amount: 5}}
      ledger: []
    tools:
      read_order: {get: "orders.{number}"}
      set_status: {set: "orders.{number}.status", value: [paid, refunded]}
      book: {append: ledger, value: {order: integer, amount: number}}
tasks:
- id: t
"""

Script = Sequence[Answer]


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name, args)


def done(
    reply: str = "Refunded 20.", total: float = 20, items: Sequence[str] = ("lamp",), paid: bool = True
) -> ToolCall:
    return call("submit", reply=reply, total=total, items=list(items), paid=paid)


GET17, GET18 = call("get_order", order_id=17), call("get_order", order_id=18)
REFUND = call("refund", order_id=17, amount=20)
STATUS = call("set_status", number="17", value="refunded")
BOOK = call("book", order=17, amount=20)


def verdict(verdict: str, reason: str) -> str:
    return f"[[ ## reason ## ]]\n{reason}\n\n[[ ## verdict ## ]]\n{verdict}"


def score(number: float, reason: str) -> str:
    return f"[[ ## reason ## ]]\n{reason}\n\n[[ ## score ## ]]\n{number}"


@dataclass(frozen=True)
class Row:
    """A check, the script of a run that passes, and of two that do not, each with (line, step)."""

    expect: str
    passes: Script
    near: Script
    near_line: tuple[str, int | None]
    far: Script
    far_line: tuple[str, int | None]
    kind: str = "answer"
    turns: str = ""


def answered(expect: str, passes: ToolCall, near: ToolCall, near_line: str, far: ToolCall, line: str) -> Row:
    return Row(f"{{answer: {expect}}}", [passes], [near], (near_line, 1), [far], (line, 1))


SCHEMA = '{json_schema: {type: array, minItems: 1, items: {type: string, pattern: "^[a-z]+$"}}}'

ANSWERS = {
    "equals": answered(
        '{reply: "The refund is 20"}',
        done("the refund is 20."),
        done("The refund was 20"),
        'reply: "The refund was 20" is not "The refund is 20"',
        done("No."),
        'reply: "No." is not "The refund is 20"',
    ),
    "equals, a number": answered(
        "{total: 20}",
        done(total=20.0),
        done(total=20.01),
        "total: 20.01 is not 20",
        done(total=-3),
        "total: -3 is not 20",
    ),
    "equals, a bool": answered(
        "{paid: true}",
        done(),
        done(paid=False),
        "paid: false is not true",
        done(paid=False),
        "paid: false is not true",
    ),
    "equals, a list": answered(
        "{items: [lamp, desk]}",
        done(items=["Lamp", "desk"]),
        done(items=["desk", "lamp"]),
        'items: ["desk", "lamp"] is not ["lamp", "desk"]',
        done(items=[]),
        'items: [] is not ["lamp", "desk"]',
    ),
    "contains": answered(
        '{reply: {contains: [refunded, "20"]}}',
        done("Refunded: 20 euros."),
        done("Refunded: 200 euros."),
        'reply: "Refunded: 200 euros." does not contain "20"',
        done("No."),
        'reply: "No." does not contain "refunded"',
    ),
    "not_contains": answered(
        "{reply: {not_contains: [sorry, sadly]}}",
        done("Refunded."),
        done("Sadly it takes a day."),
        'reply: "Sadly it takes a day." contains "sadly"',
        done("Sorry, sorry, no."),
        'reply: "Sorry, sorry, no." contains "sorry"',
    ),
    "regex": answered(
        '{reply: {regex: "[A-Z]{2}[0-9]{3}"}}',
        done("Your code is AB123."),
        done("Your code is AB12."),
        'reply: "Your code is AB12." does not match /[A-Z]{2}[0-9]{3}/',
        done("There is none."),
        'reply: "There is none." does not match /[A-Z]{2}[0-9]{3}/',
    ),
    "number": answered(
        "{total: {number: 20, tol: 0.5}}",
        done(total=20.5),
        done(total=20.6),
        "total: 20.6 is not 20 ± 0.5",
        done(total=0),
        "total: 0 is not 20 ± 0.5",
    ),
    "number, in a text": answered(
        "{reply: {number: 20}}",
        done("It comes to $20.00."),
        done("It is 20 or 25."),
        'reply: "It is 20 or 25." holds no number, or several; 20 is wanted',
        done("Twenty."),
        'reply: "Twenty." holds no number, or several; 20 is wanted',
    ),
    "one_of": answered(
        "{reply: {one_of: [refunded, paid back]}}",
        done("Paid back."),
        done("Pay back."),
        'reply: "Pay back." is none of "refunded", "paid back"',
        done("No."),
        'reply: "No." is none of "refunded", "paid back"',
    ),
    "not": answered(
        "{total: {not: 17}}",
        done(total=17.01),
        done(total=17),
        "total: 17 is what it must not be",
        done(total=17.0),
        "total: 17 is what it must not be",
    ),
    "json_schema": answered(
        f"{{items: {SCHEMA}}}",
        done(items=["lamp", "desk"]),
        done(items=["lamp", "Desk"]),
        "items: [\"lamp\", \"Desk\"] does not fit the JSON Schema: [1]: 'Desk' does not match '^[a-z]+$'",
        done(items=[]),
        "items: [] does not fit the JSON Schema: [] should be non-empty",
    ),
    "json_schema, of a text": answered(
        "{reply: {json_schema: {type: object, required: [status], properties: {status: {enum: [ok, no]}}}}}",
        done('{"status": "ok"}'),
        done('{"status": "OK"}'),
        "reply: \"{\"status\": \"OK\"}\" does not fit the JSON Schema: status: 'OK' is not one of ['ok', 'no']",
        done("It is ok."),
        "reply: \"It is ok.\" does not fit the JSON Schema: 'It is ok.' is not of type 'object'",
    ),
}

JUDGED = {
    "judge": Row(
        "{answer: {reply: {judge: {rubric: The reply says when the money comes.}}}}",
        [done("Refunded, you have it on Monday."), verdict("pass", "It says Monday.")],
        [done("Refunded, you have it soon."), verdict("fail", "Soon is no time.")],
        ("reply: scripted judged that it fails its rubric: Soon is no time.", 1),
        [done("No."), verdict("fail", "It says nothing.")],
        ("reply: scripted judged that it fails its rubric: It says nothing.", 1),
        kind="judge",
    ),
    "judge, with a threshold": Row(
        "{answer: {reply: {judge: {rubric: Kind and brief., pass: 0.8}}}}",
        [done("Gladly: refunded."), score(0.8, "Both.")],
        [done("Refunded."), score(0.75, "Brief.")],
        ("reply: scripted judged that it fails its rubric (0.75, 0.8 is wanted): Brief.", 1),
        [done("No."), score(0, "Neither.")],
        ("reply: scripted judged that it fails its rubric (0, 0.8 is wanted): Neither.", 1),
        kind="judge",
    ),
    "judge, of an answer that is not there": Row(
        "{answer: {reply: {judge: {rubric: Kind.}}}}",
        [done(), verdict("pass", "Kind.")],
        [*[GET17] * 6, "no call"],
        ("reply: there is none: the run ended with max_steps; judged by 'Kind.' is wanted", 7),
        ["no call"] * 4,
        ("reply: there is none: the run ended with parse_errors; judged by 'Kind.' is wanted", 4),
        kind="judge",
    ),
}

CALLS = {
    "required": Row(
        "{calls: {required: [{tool: refund, args: {order_id: 17, amount: {number: 20, tol: 0.01}}}]}}",
        [call("refund", order_id="17", amount=20.0), done()],
        [GET17, call("refund", order_id=71, amount=20), done()],
        (
            "required call refund(order_id=17, amount=20 ± 0.01): the closest was step 2, "
            "refund(order_id=71, amount=20): order_id 71 is not 17",
            2,
        ),
        [GET17, done()],
        ("required call refund(order_id=17, amount=20 ± 0.01): refund was never called", 2),
        kind="calls.required",
    ),
    "required, an extra argument": Row(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
        [call("get_order", order_id=17, verbose=False), done()],
        [call("get_order", order_id=17, verbose=True), done()],
        (
            "required call get_order(order_id=17): the closest was step 1, get_order(order_id=17, verbose=true): "
            "verbose was not asked for",
            1,
        ),
        [call("cancel_order", order_id=17), done()],
        ("required call get_order(order_id=17): get_order was never called", 2),
        kind="calls.required",
    ),
    "required, a text to the letter": Row(
        "{calls: {required: [{tool: refund, args: {order_id: 17, amount: 20, tags: [Vip]}}]}}",
        [call("refund", order_id=17, amount=20, tags=["Vip"]), done()],
        [call("refund", order_id=17, amount=20, tags=["vip"]), done()],
        (
            'required call refund(order_id=17, amount=20, tags=["Vip"]): the closest was step 1, '
            'refund(order_id=17, amount=20, tags=["vip"]): tags ["vip"] is not ["Vip"]',
            1,
        ),
        [REFUND, done()],
        (
            'required call refund(order_id=17, amount=20, tags=["Vip"]): the closest was step 1, '
            'refund(order_id=17, amount=20): tags null is not ["Vip"]',
            1,
        ),
        kind="calls.required",
    ),
    "required, that failed": Row(
        "{calls: {required: [{tool: get_order, args: {order_id: {not: 17}}}]}}",
        [GET18, done()],
        [call("get_order", order_id=404), done()],
        (
            "required call get_order(order_id=not 17): step 1 made it, but it failed: Error: there is no order 404",
            1,
        ),
        [done()],
        ("required call get_order(order_id=not 17): get_order was never called", 1),
        kind="calls.required",
    ),
    "required, a count": Row(
        "{calls: {required: [{tool: get_order, args: {order_id: 17}, count: 2}]}}",
        [GET17, GET18, GET17, done()],
        [GET17, GET17, GET17, done()],
        ("required call get_order(order_id=17), exactly 2×: made 3× (step 1, 2, 3)", 3),
        [GET17, done()],
        ("required call get_order(order_id=17), exactly 2×: made 1× (step 1)", 2),
        kind="calls.required",
    ),
    "forbidden": Row(
        "{calls: {forbidden: [{tool: refund, args: {order_id: {not: 17}}}]}}",
        [REFUND, done()],
        [REFUND, call("refund", order_id=18, amount=20), done()],
        ("forbidden call refund(order_id=not 17, …): step 2 made refund(order_id=18, amount=20)", 2),
        [call("refund", order_id=71, amount=1), done()],
        ("forbidden call refund(order_id=not 17, …): step 1 made refund(order_id=71, amount=1)", 1),
        kind="calls.forbidden",
    ),
    "order: subsequence": Row(
        "{calls: {order: {of: [get_order, refund]}}}",
        [GET17, GET18, REFUND, done()],
        [REFUND, GET17, done()],
        ("call order: refund is wanted after get_order(order_id=17) (step 2), but is in step 1", 1),
        [GET18, done()],
        ("call order: no refund succeeded after get_order(order_id=18) (step 1)", 2),
        kind="calls.order",
    ),
    "order: exact": Row(
        "{calls: {order: {mode: exact, of: [get_order, refund]}}}",
        [GET17, REFUND, done()],
        [GET17, GET18, REFUND, done()],
        ("call order: call 2 is get_order(order_id=18) (step 2), where refund is wanted", 2),
        [GET17, done()],
        ("call order: refund is missing after get_order(order_id=17) (step 1)", 2),
        kind="calls.order",
    ),
    "order: any": Row(
        "{calls: {order: {mode: any, of: [refund, get_order]}}}",
        [GET17, REFUND, done()],
        [GET17, call("refund", order_id="x", amount=1), done()],
        ("call order: no call that succeeded is refund", 3),
        [done()],
        ("call order: no call that succeeded is refund", 1),
        kind="calls.order",
    ),
    "max": Row(
        '{calls: {max: {"get_*": 1}}}',
        [GET17, REFUND, done()],
        [GET17, GET18, done()],
        ("at most 1 call of get_*: 2 were made, the first too many is get_order(order_id=18)", 2),
        [GET17, GET18, GET17, GET18, done()],
        ("at most 1 call of get_*: 4 were made, the first too many is get_order(order_id=18)", 2),
        kind="calls.max",
    ),
    "max: total": Row(
        "{calls: {max: {total: 1}}}",
        [REFUND, done()],
        [GET17, REFUND, done()],
        ("at most 1 call: 2 were made, the first too many is refund(order_id=17, amount=20)", 2),
        [GET17, GET18, REFUND, done()],
        ("at most 1 call: 3 were made, the first too many is get_order(order_id=18)", 2),
        kind="calls.max",
    ),
    "no_repeat": Row(
        "{calls: {no_repeat: true}}",
        [GET17, GET18, done()],
        [GET17, GET18, call("get_order", order_id="17"), done()],
        ('repeated call: step 3 makes get_order(order_id="17") again, as step 1 did', 3),
        [REFUND, REFUND, done()],
        ("repeated call: step 2 makes refund(order_id=17, amount=20) again, as step 1 did", 2),
        kind="calls.no_repeat",
    ),
    "ends": Row(
        "{ends: submit}",
        [done()],
        [*[GET17] * 6, done()],
        ("ends: the run ended with forced_submit, not with submit", 7),
        ["no call"] * 4,
        ("ends: the run ended with parse_errors, not with submit", 4),
        kind="ends",
    ),
}

STATE = {
    "state: equals": Row(
        "{state: [{path: orders.17.status, equals: refunded}]}",
        [STATUS, done()],
        [call("set_status", number="18", value="refunded"), done()],
        ('state orders.17.status: "paid" is not "refunded"; no call changed it', 2),
        [STATUS, call("set_status", number="17", value="paid"), done()],
        (
            'state orders.17.status: "paid" is not "refunded"; step 2, '
            'set_status(number="17", value="paid"), left it so',
            2,
        ),
        kind="state",
    ),
    "state: length": Row(
        "{state: [{path: ledger, length: 1}]}",
        [BOOK, done()],
        [BOOK, BOOK, done()],
        (
            "state ledger: it holds 2, not 1; step 2, book(order=17, amount=20), left it so",
            2,
        ),
        [done()],
        ("state ledger: it holds 0, not 1; no call changed it", 1),
        kind="state",
    ),
    "state: unchanged": Row(
        '{state: [{unchanged: ["orders.*", "!orders.17"]}]}',
        [STATUS, done()],
        [STATUS, call("set_status", number="18", value="refunded"), done()],
        (
            'unchanged orders.*, !orders.17: orders.18.status changed from "paid" to "refunded" in step 2, '
            'set_status(number="18", value="refunded")',
            2,
        ),
        [call("set_status", number="18", value="refunded"), done()],
        (
            'unchanged orders.*, !orders.17: orders.18.status changed from "paid" to "refunded" in step 1, '
            'set_status(number="18", value="refunded")',
            1,
        ),
        kind="state",
    ),
    "reference": Row(
        "{reference: {calls: [{tool: set_status, args: {number: '17', value: refunded}}, "
        "{tool: book, args: {order: 17, amount: 20}}]}}",
        [BOOK, STATUS, done()],
        [STATUS, call("book", order=17, amount=2), done()],
        (
            "reference: ledger.0.amount is 2, where the reference leaves 20; step 2, "
            "book(order=17, amount=2), left it so",
            2,
        ),
        [done()],
        (
            'reference: orders.17.status is "paid", where the reference leaves "refunded"; no call changed it (and 1 more)',
            1,
        ),
        kind="reference",
    ),
}

TURNS = """
  - {user: "Where is 17?", expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}]}}}
  - {user: "Refund it.", expect: {answer: {paid: true}}}
"""

WRITES = """
  - {user: "17 is broken."}
  - {user: "Refund it.", expect: {state: [{path: orders.17.status, equals: refunded}]}}
  - {user: "Thank you."}
"""

KEEPS = """
  - {user: "17 is broken.", expect: {state: [{unchanged: "*"}]}}
  - {user: "Refund it."}
  - {user: "Thank you.", expect: {state: [{unchanged: orders}]}}
"""

CONVERSATIONS = {
    "a turn's calls": Row(
        "{}",
        [GET17, done("There."), REFUND, done()],
        [GET18, done("There."), GET17, REFUND, done()],
        (
            "turn 1: required call get_order(order_id=17): the closest was step 1, get_order(order_id=18): "
            "order_id 18 is not 17",
            1,
        ),
        [done("There."), GET17, done()],
        ("turn 1: required call get_order(order_id=17): get_order was never called", 1),
        kind="calls.required",
        turns=TURNS,
    ),
    "a turn's answer": Row(
        "{}",
        [GET17, done(paid=False), done(paid=True)],
        [GET17, done(paid=True), REFUND, done(paid=False)],
        ("turn 2: paid: false is not true", 4),
        [GET17, done(), *["no call"] * 4],
        ("turn 2: paid: there is none: the run ended with parse_errors; true is wanted", 6),
        kind="answer",
        turns=TURNS,
    ),
    "what a turn leaves in the world": Row(
        "{}",
        [done("Shall I?"), STATUS, done(), done("Goodbye.")],
        [done("Shall I?"), done("Not yet."), STATUS, done()],
        ('turn 2: state orders.17.status: "paid" is not "refunded"; no call changed it', 2),
        [STATUS, done(), call("set_status", number="17", value="paid"), done(), done("Goodbye.")],
        (
            'turn 2: state orders.17.status: "paid" is not "refunded"; step 3, set_status(number="17", value="paid"), '
            "left it so",
            3,
        ),
        kind="state",
        turns=WRITES,
    ),
    "what a turn must not change": Row(
        "{}",
        [done("Shall I?"), STATUS, done(), done("Goodbye.")],
        [BOOK, done(), STATUS, done(), done("Goodbye.")],
        (
            'turn 1: unchanged *: ledger.0 appeared as {"order": 17, "amount": 20} in step 1, book(order=17, amount=20)',
            1,
        ),
        [done("Shall I?"), BOOK, done(), STATUS, done("Goodbye.")],
        (
            'turn 3: unchanged orders: orders.17.status changed from "paid" to "refunded" in step 4, '
            'set_status(number="17", value="refunded")',
            4,
        ),
        kind="state",
        turns=KEEPS,
    ),
    "a turn that is not reached": Row(
        "{}",
        [GET17, done(), done()],
        [*[GET17] * 6, done(), done()],
        ("turn 2 was not reached: the conversation ended in turn 1 with max_steps", 7),
        ["no call"] * 4,
        ("turn 2 was not reached: the conversation ended in turn 1 with parse_errors", 4),
        kind="turns",
        turns=TURNS,
    ),
}

TABLE = {**ANSWERS, **JUDGED, **CALLS, **STATE, **CONVERSATIONS}


def made(row: Row, script: Script) -> TrialResult:
    given = f"  turns:{row.turns}" if row.turns else "  input: {request: Refund 17.}\n"
    file = TaskFile.parse(f"{FILE}{given}  expect: {row.expect}\n", base=HERE)
    with context(lm=ScriptedLM(script)):
        (result,) = run_trials(plan(file))
    return result


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_run_that_does_what_is_wanted_passes(row: Row) -> None:
    result = made(row, row.passes)
    assert [check.feedback for check in result.checks if not check.passed] == []
    assert (result.outcome, result.score) == ("passed", 1.0)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_near_miss_says_how_near(row: Row) -> None:
    assert_fails(made(row, row.near), row.kind, *row.near_line)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_clear_miss_says_what_is_missing(row: Row) -> None:
    assert_fails(made(row, row.far), row.kind, *row.far_line)


def assert_fails(result: TrialResult, kind: str, line: str, step: int | None) -> None:
    found = [check for check in result.checks if check.check == kind and check.failed]
    assert [(check.feedback, check.step) for check in found] == [(line, step)]
    assert result.outcome == "failed"


def test_the_table_has_every_kind_of_check() -> None:
    from loopwright.evaluation.checks.scoring import KINDS

    assert {row.kind for row in TABLE.values()} == {*KINDS, "turns"}
