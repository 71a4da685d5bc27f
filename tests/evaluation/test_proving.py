"""`--check`: what is proved of a task, what is found wrong with it, and what is said to be open."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright import TaskFile
from loopwright.cli import run_command
from loopwright.evaluation.checks.matching import Matcher
from loopwright.evaluation.file.locate import parse_document
from loopwright.evaluation.proofs.gold_calls import UNKNOWN, witness
from loopwright.evaluation.proofs.pattern_text import matching_text
from loopwright.evaluation.proofs.proving import Proof, prove, summary

HERE = Path(__file__).parent

FILE = """\
version: 1
agent:
  signature: "request -> reply, total: float, on: date, done: bool"
  tools: [calculate, "proving_tools.py:TOOLS"]
defaults:
  world:
    data:
      orders: {17: {status: paid, total: 20}, 18: {status: sent, total: 5}}
      ledger: []
    tools:
      get_order: {get: "orders.{order_id}"}
      set_status: {set: "orders.{order_id}.status", value: [paid, refunded]}
      book: {append: ledger, value: {order: integer, amount: number}}
tasks:
- id: t
  input: {request: "Refund 17."}
"""

REFUND = "{tool: set_status, args: {order_id: 17, value: refunded}}"
BOOK = "{tool: book, args: {order: 17, amount: 20}}"
ASKED = f"  expect: {{answer: {{done: true}}, state: [{{path: ledger, length: 1}}], reference: [{REFUND}, {BOOK}]}}"
AGAIN = "  faults: [{tool: book, call: 1, error: '503'}, {tool: book, call: 2, error: '503'}]\n"


def proof_of(task: str) -> Proof:
    text = (FILE.replace('  input: {request: "Refund 17."}\n', "") if "  turns:" in task else FILE) + task
    [proof] = prove(TaskFile.parse(text, "t.yaml", base=HERE), parse_document(text, "t.yaml"))
    return proof


PROVED: dict[str, tuple[str, int]] = {
    "a reference that is not required": (
        f"  expect: {{reference: [{REFUND}], state: [{{path: orders.17.status, equals: refunded}}]}}",
        1,
    ),
    "required calls in place of a reference": (
        f"  expect: {{calls: {{required: [{REFUND}, {{tool: get_order, args: {{order_id: 17}}}}], order: {{of: [get_order, set_status]}}}}, "
        "state: [{path: orders.17.status, equals: refunded}]}",
        2,
    ),
    "required calls beside a reference": (
        "  expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}], "
        f"order: {{mode: exact, of: [get_order, set_status]}}}}, reference: [{REFUND}]}}",
        2,
    ),
    "a required call that is the reference's": (
        f"  expect: {{calls: {{required: [{REFUND}], max: {{total: 1}}}}, reference: [{REFUND}]}}",
        1,
    ),
    "a call that is required twice": (
        "  expect: {calls: {required: [{tool: book, args: {order: 17, amount: 20}, count: 2}]}, "
        "state: [{path: ledger, length: 2}]}",
        2,
    ),
    "arguments by what they are to match": (
        "  expect: {calls: {required: [{tool: book, args: {order: {one_of: [17, 18]}, amount: {number: 20, tol: 1}}}]}}",
        1,
    ),
    "an order that names more than is required": (
        "  expect: {calls: {order: {of: [{tool: get_order, args: {order_id: 18}}, {tool: get_order, args: {order_id: 17}}]}}}",
        2,
    ),
    "answers of every kind": (
        "  expect: {answer: {reply: {contains: [refund, '17'], not_contains: sorry, regex: '(?i)refund'}, "
        "total: {number: 20, tol: 1}, on: 2026-07-01, done: true}}",
        0,
    ),
    "an answer by a pattern alone": ("  expect: {answer: {reply: {regex: '^(refunded|paid back)$'}}}", 0),
    "an answer that the reference gives": (
        "  expect: {answer: {reply: {json_schema: {type: string, pattern: '^yes'}}}, reference: {answer: {reply: yes it is}}}",
        0,
    ),
    "a world that stays as it was, and an answer": (
        "  expect: {answer: {done: true}, state: [{unchanged: ['*']}]}",
        0,
    ),
    "a world that a task sets": (
        f"  world: {{set: {{orders.17.status: sent}}}}\n  expect: {{reference: [{REFUND}]}}",
        1,
    ),
    "faults are none of the task's own doing": (
        "  faults: [{tool: set_status, error: '503'}, {tool: set_status, call: 2, error: '503'}]\n"
        f"  expect: {{reference: [{REFUND}]}}",
        1,
    ),
    "turns": (
        "  turns: [{user: My order is 17., expect: {answer: {reply: {contains: paid}}, calls: {required: "
        "[{tool: get_order, args: {order_id: 17}}]}}}, {user: Refund it.}]\n"
        f"  expect: {{answer: {{done: true}}, calls: {{order: {{of: [get_order, set_status]}}}}, reference: [{REFUND}]}}",
        2,
    ),
    "a write in the one turn in which the world may change": (
        "  turns:\n  - {user: 17 is broken., expect: {state: [{unchanged: ['*']}]}}\n"
        "  - {user: Refund it.}\n  - {user: Thanks., expect: {state: [{unchanged: orders}, {path: ledger, length: 1}]}}\n"
        f"  expect: {{reference: [{REFUND}, {{tool: book, args: {{order: 17, amount: 20}}}}]}}",
        2,
    ),
    "faults that leave room": (f"{AGAIN}  limits: {{tool_calls: 4, steps: 4}}\n{ASKED}", 2),
    "an answer that got lost": (
        f"  faults: [{{tool: book, kind: timeout, done: true}}]\n  limits: {{tool_calls: 2}}\n{ASKED}",
        2,
    ),
    "an answer that got lost of a call that is required": (
        "  faults: [{tool: book, kind: timeout, done: true}]\n  limits: {tool_calls: 2}\n"
        f"  expect: {{answer: {{done: true}}, calls: {{required: [{BOOK}]}}}}",
        1,
    ),
    "an answer in place of a write": (
        f"  faults: [{{tool: book, result: booked}}]\n  limits: {{tool_calls: 3}}\n{ASKED}",
        2,
    ),
    "a delay that is longer than the tool may take, and no wait for it": (
        "  faults: [{tool: look_slowly, delay_s: 600}]\n  limits: {seconds: 1000}\n"
        "  expect: {calls: {required: [{tool: look_slowly, args: {place: Brest}}]}}",
        1,
    ),
    "gates and weights": (
        f"  expect: {{answer: {{done: true}}, reference: [{REFUND}]}}\n  score: {{gates: [reference], weights: {{answer: 1}}}}",
        1,
    ),
}


@pytest.mark.parametrize(("task", "calls"), PROVED.values(), ids=PROVED)
def test_a_sound_task_is_proved_by_the_calls_that_it_asks_for(task: str, calls: int) -> None:
    proof = proof_of(task)
    assert (proof.wrong, proof.open, proof.calls) == ([], [], calls)


HOLDS = "say what a right answer holds, as in answer: {reply: {contains: WORDS}}"
WRONG: dict[str, tuple[str, list[str]]] = {
    "an idle agent passes it": (
        "  expect: {state: [{unchanged: ['*']}]}",
        ["t.yaml:17: task t: expect: an agent passes it that makes no call and answers nothing: " + HOLDS],
    ),
    "nothing wrong is enough": (
        "  expect:\n    answer: {reply: {not_contains: error}}",
        ["t.yaml:17: task t: expect: an agent passes it that makes no call and answers nothing: " + HOLDS],
    ),
    "no answer is one": (
        "  expect: {answer: {total: 0}}",
        [
            "t.yaml:17: task t: expect: an agent passes it that makes no call and answers what is empty: "
            + HOLDS
        ],
    ),
    "not knowing is enough": (
        "  expect: {answer: {reply: {contains: know}}}",
        [
            't.yaml:17: task t: expect: an agent passes it that makes no call and answers "I don\'t know.": say what a right answer holds, as in answer: {total: 42}'
        ],
    ),
    "half of it is enough": (
        f"  expect: {{answer: {{done: false}}, reference: [{REFUND}]}}\n  score: {{pass: 0.5}}",
        [
            "t.yaml:17: task t: expect: an agent passes it that makes no call and answers what is empty: "
            + HOLDS
        ],
    ),
    "a reference that fails": (
        "  expect:\n    reference:\n    - {tool: book, args: {order: 17, amount: 20}}\n    - {tool: set_status, args: {order_id: 99, value: refunded}}",
        [
            't.yaml:20: task t: expect.reference[1]: the reference\'s call set_status(order_id=99, value="refunded") fails: '
            "Error: there is no orders.99: orders has 17, 18"
        ],
    ),
    "a reference that changes nothing": (
        "  expect:\n    answer: {done: true}\n    reference: [{tool: get_order, args: {order_id: 17}}]",
        ["t.yaml:19: task t: expect.reference: leaves the world as it was: its calls change nothing"],
    ),
    "a reference that does not do what is expected": (
        f"  expect:\n    state:\n    - {{path: ledger, length: 1}}\n    reference: [{REFUND}]",
        [
            "t.yaml:19: task t: expect.state[0]: a run that does what the task asks for fails it: "
            "state ledger: it holds 0, not 1; no call changed it"
        ],
    ),
    "a reference that is forbidden": (
        f"  expect:\n    calls: {{forbidden: [{{tool: set_status}}]}}\n    reference: [{REFUND}]",
        [
            "t.yaml:18: task t: expect.calls.forbidden: a run that does what the task asks for fails it: "
            'forbidden call set_status(…): step 1 made set_status(order_id=17, value="refunded")'
        ],
    ),
    "a required call that the reference does not make": (
        f"  expect:\n    calls: {{required: [{{tool: book, args: {{order: 17, amount: 20}}}}]}}\n    reference: [{REFUND}]",
        [
            "t.yaml:19: task t: expect.reference: a run that does what the task asks for fails it: reference: ledger.0 is "
            '{"order": 17, "amount": 20}, where the reference leaves nothing; step 2, book(order=17, amount=20), left it so'
        ],
    ),
    "a required call that can't be made": (
        "  expect:\n    calls: {required: [{tool: get_order, args: {order_id: 71}}]}",
        [
            "t.yaml:17: task t: expect: what it asks for can't be done: the call get_order(order_id=71) fails: "
            "Error: there is no orders.71: orders has 17, 18"
        ],
    ),
    "an answer that no answer can be": (
        "  expect:\n    answer: {reply: {equals: refunded, contains: paid}}",
        [],
    ),
    "a turn's world that no turn can leave": (
        "  turns:\n  - {user: Refund 17., expect: {state: [{path: orders.17.status, equals: refunded}]}}\n"
        "  - user: Thanks.\n    expect:\n      state: [{path: orders.17.status, equals: paid}]\n"
        f"  expect: {{reference: [{REFUND}]}}",
        [
            "t.yaml:20: task t: turns[1].expect.state[0]: a run that does what the task asks for fails it: turn 2: state "
            'orders.17.status: "refunded" is not "paid"; no call changed it'
        ],
    ),
    "too few calls for its faults": (
        f"{AGAIN}  limits:\n    tool_calls: 3\n{ASKED}",
        [
            "t.yaml:19: task t: limits.tool_calls: a run that does what the task asks for makes 4 calls, 2 of them again "
            "after a fault, and limits.tool_calls is 3"
        ],
    ),
    "too few calls for its reference": (
        f"  limits: {{tool_calls: 1}}\n{ASKED}",
        [
            "t.yaml:17: task t: limits.tool_calls: a run that does what the task asks for makes 2 calls, and "
            "limits.tool_calls is 1"
        ],
    ),
    "too few steps for its faults": (
        f"{AGAIN}  limits: {{steps: 2}}\n{ASKED}",
        [
            "t.yaml:18: task t: limits.steps: a run that does what the task asks for takes 3 steps, 2 of them again after a "
            "fault, and limits.steps is 2"
        ],
    ),
    "a fault that asks for what is forbidden": (
        f"{AGAIN}  expect:\n    answer: {{done: true}}\n    reference: [{BOOK}]\n    calls: {{max: {{book: 2}}}}",
        [
            "t.yaml:21: task t: expect.calls.max: a run that does what the task asks for fails it by the task's faults: at "
            "most 2 calls of book: 3 were made, the first too many is book(order=17, amount=20)"
        ],
    ),
    "a call that must succeed, and be made once": (
        "  faults: [{tool: book, error: '503', done: true}]\n"
        f"  expect:\n    calls: {{required: [{BOOK}]}}\n    state:\n    - {{path: ledger, length: 1}}",
        [
            "t.yaml:19: task t: expect.calls.required: a run that does what the task asks for fails it by the task's faults: "
            "required call book(order=17, amount=20): step 1 made it, but it failed: Error: 503"
        ],
    ),
    "too many calls": (
        "  expect:\n    calls:\n      max: {total: 1}\n    reference: ["
        + REFUND
        + ", {tool: book, args: {order: 17, amount: 20}}]",
        [
            "t.yaml:19: task t: expect.calls.max: a run that does what the task asks for fails it: at most 1 call: 2 were "
            "made, the first too many is book(order=17, amount=20)"
        ],
    ),
}


@pytest.mark.parametrize(("task", "wrong"), WRONG.values(), ids=WRONG)
def test_a_task_that_is_no_test_is_named_with_its_line(task: str, wrong: list[str]) -> None:
    assert list(proof_of(task).wrong) == wrong


OPEN: dict[str, tuple[str, list[str]]] = {
    "a call of which not all is told": (
        "  expect: {calls: {required: [{tool: calculate, extra: allow}]}}",
        ["the required calculate(…), whose arguments are not all told"],
    ),
    "an answer that can't be made up": (
        "  expect: {answer: {reply: {json_schema: {type: string, pattern: '^yes'}}}}",
        ["reply, which is only told to be a value of the JSON Schema"],
    ),
    "an answer of two minds": (
        "  expect: {answer: {reply: {equals: refunded, contains: paid}}}",
        ['reply, which is only told to be "refunded" and with "paid"'],
    ),
    "a model's judgement": (
        "  expect: {answer: {done: true, reply: {judge: {rubric: It is polite.}}}, reference: {answer: {reply: Done.}}}",
        ["what a model says of reply"],
    ),
    "nothing but a model's judgement": (
        "  expect: {answer: {reply: {judge: {rubric: It is polite.}}}}",
        [
            "what a model says of reply",
            "that an idle run fails: that hangs on a model's judgement",
        ],
    ),
    "a tool that writes, and not to the world": (
        "  expect: {calls: {required: [{tool: send_mail, args: {to: a@b.example}}]}}",
        ["what send_mail gives: by its effect it writes, and not to a world, so it was not called"],
    ),
    "a tool that reads what is not there now": (
        "  expect: {calls: {required: [{tool: look_outside, args: {place: Brest}}]}}",
        ['what depends on the call look_outside(place="Brest") fails: Error: no connection'],
    ),
    "calls that fit into the steps only together": (
        f"{AGAIN}  limits: {{steps: 3}}\n{ASKED}",
        ["that 3 steps are enough: one call at a time takes 4"],
    ),
    "an answer that must be submitted": (
        f"  limits: {{steps: 2}}\n{ASKED.replace('expect: {', 'expect: {ends: submit, ')}",
        ["that 2 steps are enough: one call at a time takes 3"],
    ),
    "a fault that takes all the time": (
        f"  faults: [{{tool: book, delay_s: 9}}]\n  limits: {{seconds: 9}}\n{ASKED}",
        ["that 9 s are enough: the faults alone hold it up for 9 s"],
    ),
    "an ending": (
        "  expect: {answer: {done: true}, ends: max_steps}",
        ["that a run ends with max_steps"],
    ),
}


@pytest.mark.parametrize(("task", "words"), OPEN.values(), ids=OPEN)
def test_what_can_not_be_proved_is_said(task: str, words: list[str]) -> None:
    proof = proof_of(task)
    assert list(proof.wrong) == []
    assert list(proof.open) == words


def test_a_tool_that_writes_outside_of_the_world_is_never_called(tmp_path: Path) -> None:
    from loopwright.tools.resolve import resolve_object

    proof_of("  expect: {calls: {required: [{tool: send_mail, args: {to: a@b.example}}]}}")
    assert resolve_object("proving_tools.py:SENT", base=HERE) == []


def test_a_summary_says_what_was_proved_and_what_was_not() -> None:
    proofs = [
        Proof("a", 2),
        Proof("b", 1),
        Proof("c"),
        *(
            Proof(f"d{n}", 0, (), ("the required calculate(…), whose arguments are not all told",))
            for n in range(6)
        ),
    ]
    assert summary(proofs) == [
        "  2 tasks proved: calls that were made meet what is expected, and an idle run fails",
        "  1 task without calls: the expected answer passes and an idle run fails; that it can be found is not proved",
        "  6 tasks proved in part: an idle run fails; a reference with calls and an answer would prove more",
        "    not proved: the required calculate(…), whose arguments are not all told (d0, d1, d2, d3 and 2 more)",
    ]


def test_a_summary_says_no_more_of_limits_than_what_is_not_proved() -> None:
    assert summary([Proof("a", 2, (), ("that 3 steps are enough: one call at a time takes 4",))]) == [
        "  1 task proved in part: an idle run fails",
        "    not proved: that 3 steps are enough: one call at a time takes 4 (a)",
    ]


def test_the_command_names_every_task_that_is_no_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    head = 'version: 1\nagent: {signature: "question -> answer: int"}\ntasks:\n'
    good.write_text(head + "- {id: a, input: {question: x}, expect: {answer: {answer: 4}}}\n")
    bad.write_text(
        head
        + "- {id: b, input: {question: x}, expect: {answer: {answer: 0}}}\n- {id: c, input: {question: x}, expect: {answer: {answer: 4}}}\n"
    )
    assert run_command(["eval", "--check", str(good), str(bad)]) == 2
    said = capsys.readouterr()
    assert said.out.startswith(f"{good}: 1 task, nothing wrong\n")
    assert said.err == (
        f"{bad}:4: task b: expect: an agent passes it that makes no call and answers what is empty\n1 problem\n"
    )


# ---- values that are made up

WITNESSES: dict[str, tuple[object, object]] = {
    "equals": ({"equals": [1]}, [1]),
    "a plain value": (7, 7),
    "number": ({"number": 3}, 3.0),
    "one of": ({"one_of": ["a", "b"]}, "a"),
    "contains": ({"contains": ["a", "b"]}, "a b"),
    "regex": ({"regex": r"(?i)^order \d{2,}[a-c]?$"}, "order 00"),
    "a regex with a look-ahead": ({"regex": "a(?=b)"}, UNKNOWN),
    "what it is not": ({"not": 3}, "No."),
    "a schema": ({"json_schema": {"minLength": 2}}, UNKNOWN),
}


@pytest.mark.parametrize(("matcher", "value"), WITNESSES.values(), ids=WITNESSES)
def test_a_value_is_made_up_that_a_matcher_wants(matcher: object, value: object) -> None:
    assert witness(Matcher.model_validate(matcher)) == value


TEXTS = {
    r"lamp": "lamp",
    r"(?i)\bmara\s+lindqvist\b": "mara lindqvist",
    r"^(?:a|b)c{2}$": "acc",
    r"[^a]x": " x",
    r"[0-9]+\.[x-z]": "0.x",
    r"\w\W\s\S\D\d": "a  aa0",
    r"a.?b*?": "a",
    r"(?P<n>a)(?P=n)": None,
    r"(?!a)b": None,
    r"x{500}": None,
    r"[^a-z0-9 _.,:/()#@-]!": "A!",
    r"[^\x00-\xff]": "√",
    r"[^\w\W]": None,
    r"[\d\D]": "0",
    r"(?>ab)c++": "abc",
    r"$^": "",
    r"": "",
}


@pytest.mark.parametrize("pattern", TEXTS)
def test_a_text_is_found_that_a_pattern_is_in(pattern: str) -> None:
    assert matching_text(pattern) == TEXTS[pattern]


def test_every_task_file_of_the_examples_stands_the_check() -> None:
    files = sorted((HERE.parent.parent / "examples").glob("*/*.yaml"))
    names = [str(path) for path in files if path.read_text(encoding="utf-8").find("\nagent:") >= 0]
    assert len(names) >= 6
    assert run_command(["eval", "--check", *names]) == 0


TO_ADD = {
    "words of a text": ("reply", "answer: {reply: {contains: WORDS}}"),
    "a number": ("total: float", "answer: {total: 42}"),
    "a list": ("names: list[str]", "answer: {names: {contains: WORDS}}"),
}


@pytest.mark.parametrize(("field", "words"), TO_ADD.values(), ids=TO_ADD)
def test_a_task_without_tools_that_asks_too_little_is_told_what_to_add(field: str, words: str) -> None:
    file = f'version: 1\nagent: {{signature: "question -> {field}", tools: [calculate]}}\n'
    task = 'tasks:\n- {id: t, input: {question: "Who?"}, expect: {calls: {max: {total: 0}}%s}}\n'
    for added, wrong in (("", [words]), (f", {words}", [])):
        text = file + task % added
        [proof] = prove(TaskFile.parse(text, "t.yaml"), parse_document(text, "t.yaml"))
        assert [line.rpartition("as in ")[2] for line in proof.wrong] == wrong
