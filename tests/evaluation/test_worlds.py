"""Worlds in task files: fresh for each trial, faults, the end state with blame, references, simulators of others."""

from __future__ import annotations

import json
import textwrap
import threading
from pathlib import Path

import pytest

from loopwright import Evaluate, ReAct, TaskFile, context
from loopwright.evaluation import MetricError, Report, TrialResult, plan, run_trials
from loopwright.evaluation.checks.world_record import WorldRecord
from loopwright.evaluation.file import world_format
from loopwright.evaluation.runs import trial_as_json, trial_from_json
from loopwright.evaluation.runs.manifest import digests
from loopwright.evaluation.runs.rescore import rejudged
from loopwright.example import Prediction
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall, World
from loopwright.tools.world import Change

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

FILE = """\
version: 1
agent: {signature: "request -> reply"}
defaults:
  world:
    data:
      orders: {17: {status: paid, total: 20, note: null}, 18: {status: sent, total: 5, note: null}}
      customers: {4: {name: Ann, email: a@b.example}}
      ledger: [{order: 9, amount: 1}]
      log: {seen: 0, updated_at: mon}
    tools:
      get_order: {get: "orders.{order_id}"}
      find_orders: {find: "orders.*", where: [status, total]}
      set_status: {set: "orders.{order_id}.status", value: [paid, sent, refunded]}
      set_name: {set: "customers.{customer_id}.name", value: text}
      book: {append: ledger, value: {order: integer, amount: number}}
      unbook: {remove: "ledger.{place}"}
      drop_order: {remove: "orders.{order_id}"}
      touch: {set: log.updated_at}
tasks:
- id: t
  input: {request: "Refund 17."}
"""


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name, args)


DONE = call("submit", reply="done")
REFUND, BOOK = call("set_status", order_id=17, value="refunded"), call("book", order=17, amount=20)


def saying(*turns: Answer) -> FunctionLM:
    """A model that gives these turns in every conversation, and then submits; it keeps no state."""

    def answer(request: LMRequest) -> Answer:
        made = sum(message.role == "assistant" for message in request.messages)
        return turns[made] if made < len(turns) else DONE

    return FunctionLM(answer, capabilities=Capabilities(native_tools=True))


def parsed(expect: str, task: str = "") -> TaskFile:
    return TaskFile.parse(f"{FILE}{task}  expect: {expect}\n", "t.yaml", base=HERE)


def tried(file: TaskFile, *turns: Answer, times: int = 1, workers: int = 4) -> list[TrialResult]:
    with context(lm=saying(*turns)):
        return sorted(run_trials(plan(file, epochs=times), workers), key=lambda one: one.epoch)


def tried_once(expect: str, *turns: Answer, task: str = "") -> TrialResult:
    [result] = tried(parsed(expect, task), *turns)
    assert result.error == ""
    return result


def lines(result: TrialResult) -> list[tuple[str, int | None]]:
    return [(check.feedback, check.step) for check in result.checks if not check.passed]


# ---- the tools that a file declares


def test_tools_are_declared_with_the_types_that_the_world_has() -> None:
    usages = [tool.usage for tool in parsed("{ends: submit}").tools.values()]
    assert usages == [
        "get_order(order_id: integer)",
        "find_orders(status?: string, total?: integer)",
        'set_status(order_id: integer, value: "paid" | "sent" | "refunded")',
        "set_name(customer_id: integer, value: string)",
        "book(order: integer, amount: number)",
        "unbook(place: integer)",
        "drop_order(order_id: integer)",
        "touch(value: any)",
    ]


CALLED: dict[str, tuple[ToolCall, str]] = {
    "get": (call("get_order", order_id=17), '{"status": "paid", "total": 20, "note": null}'),
    "get what is not there": (call("get_order", order_id=99), "Error: there is no orders.99: orders has 17, 18"),
    "a path is no argument": (
        call("set_name", customer_id="4.email", value="x"),
        'Error: set_name: "customer_id" must be an integer, not "4.email". '
        "Usage: set_name(customer_id: integer, value: string)",
    ),
    "find by a field": (call("find_orders", status="sent"), '{"18": {"status": "sent", "total": 5, "note": null}}'),
    "find all": (
        call("find_orders"),
        '{"17": {"status": "paid", "total": 20, "note": null}, "18": {"status": "sent", "total": 5, "note": null}}',
    ),
    "find nothing": (call("find_orders", total=1), "{}"),
    "set": (REFUND, 'orders.17.status is now "refunded"; it was "paid"'),
    "set to none of the values": (
        call("set_status", order_id=17, value="lost"),
        'Error: set_status: "value" must be one of "paid", "sent", "refunded", not "lost". '
        'Usage: set_status(order_id: integer, value: "paid" | "sent" | "refunded")',
    ),
    "append": (BOOK, "added as ledger.1"),
    "remove": (call("unbook", place=0), 'removed ledger.0: {"order": 9, "amount": 1}'),
    "remove a record": (call("drop_order", order_id=18), 'removed orders.18: {"status": "sent", "total": 5, "note": null}'),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "answer"), CALLED.values(), ids=CALLED)
def test_a_declared_tool_does_what_its_path_says(asked: ToolCall, answer: str) -> None:
    result = tried_once("{ends: submit}", asked)
    assert result.trajectory.results[0].content == answer


# ---- the end state, and who is to blame

STATE: dict[str, tuple[str, list[Answer], list[tuple[str, int | None]]]] = {
    "as wanted": ("[{path: orders.17.status, equals: refunded}]", [REFUND], []),
    "nobody did it": (
        "[{path: orders.17.status, equals: refunded}]",
        [],
        [('state orders.17.status: "paid" is not "refunded"; no call changed it', 1)],
    ),
    "another value": (
        "[{path: orders.17.status, equals: refunded}]",
        [call("get_order", order_id=17), call("set_status", order_id=17, value="sent")],
        [
            (
                'state orders.17.status: "sent" is not "refunded"; step 2, '
                'set_status(order_id=17, value="sent"), left it so',
                2,
            )
        ],
    ),
    "the last that changed it is to blame": (
        "[{path: orders.17.status, equals: refunded}]",
        [REFUND, call("set_status", order_id=17, value="sent")],
        [
            (
                'state orders.17.status: "sent" is not "refunded"; step 2, '
                'set_status(order_id=17, value="sent"), left it so',
                2,
            )
        ],
    ),
    "to the letter": (
        "[{path: customers.4.name, equals: Ann}]",
        [call("set_name", customer_id=4, value="ann")],
        [
            (
                'state customers.4.name: "ann" is not "Ann"; step 1, set_name(customer_id=4, value="ann"), left it so',
                1,
            )
        ],
    ),
    "a number with a tolerance": ("[{path: ledger.1.amount, number: 19.9, tol: 0.2}]", [BOOK], []),
    "a text that contains": (
        "[{path: customers.4.email, contains: c.example}]",
        [],
        [('state customers.4.email: "a@b.example" does not contain "c.example"; no call changed it', 1)],
    ),
    "one of": ("[{path: orders.18.status, one_of: [sent, refunded]}]", [], []),
    "a length": (
        "[{path: ledger, length: 2}]",
        [BOOK, BOOK],
        [("state ledger: it holds 3, not 2; step 2, book(order=17, amount=20), left it so", 2)],
    ),
    "a length of what has none": (
        "[{path: log.seen, length: 2}]",
        [],
        [("state log.seen: 0 is no list and no mapping: it has no length; no call changed it", 1)],
    ),
    "absent": (
        "[{path: orders.18, absent: true}]",
        [],
        [
            (
                'state orders.18: {"status": "sent", "total": 5, "note": null} is there, where nothing is wanted; '
                "no call changed it",
                1,
            )
        ],
    ),
    "absent, as wanted": ("[{path: orders.18, exists: false}]", [call("drop_order", order_id=18)], []),
    "gone": (
        "[{path: orders.18, exists: true}]",
        [call("drop_order", order_id=18)],
        [
            (
                "state orders.18: there is none; something is wanted; step 1, drop_order(order_id=18), left it so",
                1,
            )
        ],
    ),
    "a place that moved up": (
        "[{path: ledger.0.order, equals: 9}]",
        [BOOK, call("unbook", place=0)],
        [("state ledger.0.order: 17 is not 9; step 2, unbook(place=0), left it so", 2)],
    ),
    "unchanged": ('[{unchanged: [customers, "orders.*", "!orders.17"]}]', [REFUND], []),
    "something beside it changed": (
        '[{unchanged: [customers, "orders.*", "!orders.17"]}]',
        [REFUND, call("set_name", customer_id=4, value="Bea")],
        [
            (
                'unchanged customers, orders.*, !orders.17: customers.4.name changed from "Ann" to "Bea" in step 2, '
                'set_name(customer_id=4, value="Bea")',
                2,
            )
        ],
    ),
    "what was put back did not change": (
        "[{unchanged: customers}]",
        [call("set_name", customer_id=4, value="Bea"), call("set_name", customer_id=4, value="Ann")],
        [],
    ),
    "the call that took it away is to blame, not the one that changed it again": (
        "[{unchanged: customers}]",
        [call("set_name", customer_id=4, value="Bea"), call("set_name", customer_id=4, value="Cid")],
        [
            (
                'unchanged customers: customers.4.name changed from "Ann" to "Cid" in step 1, '
                'set_name(customer_id=4, value="Bea")',
                1,
            )
        ],
    ),
    "something appeared": (
        "[{unchanged: [ledger]}]",
        [BOOK, BOOK],
        [
            (
                'unchanged ledger: ledger.1 appeared as {"order": 17, "amount": 20} in step 1, '
                "book(order=17, amount=20) (and 1 more)",
                1,
            )
        ],
    ),
    "something was removed": (
        '[{unchanged: ["orders.*.status"]}]',
        [call("drop_order", order_id=18)],
        [("unchanged orders.*.status: orders.18.status was removed in step 1, drop_order(order_id=18)", 1)],
    ),
}


@pytest.mark.parametrize(("state", "turns", "wanted"), STATE.values(), ids=STATE)
def test_a_check_of_the_end_state_says_what_is_wrong_and_which_step_did_it(
    state: str, turns: list[Answer], wanted: list[tuple[str, int | None]]
) -> None:
    result = tried_once(f"{{state: {state}}}", *turns)
    assert lines(result) == wanted
    assert result.outcome == ("failed" if wanted else "passed")


GOLD = "[{tool: set_status, args: {order_id: 17, value: refunded}}, {tool: book, args: {order: 17, amount: 20}}, {tool: touch, args: {value: tue}}]"

REFERENCE: dict[str, tuple[list[Answer], list[tuple[str, int | None]]]] = {
    "by another way, and what may differ does": (
        [BOOK, call("set_status", order_id=17, value="sent"), REFUND, call("touch", value="wed")],
        [],
    ),
    "not all of it": (
        [REFUND],
        [
            (
                'reference: ledger.1 is missing, where the reference leaves {"order": 17, "amount": 20}; '
                "no call changed it",
                2,
            )
        ],
    ),
    "more than that": (
        [REFUND, BOOK, call("drop_order", order_id=18)],
        [
            (
                "reference: orders.18 is missing, where the reference leaves "
                '{"status": "sent", "total": 5, "note": null}; step 3, drop_order(order_id=18), left it so',
                3,
            )
        ],
    ),
    "the wrong one: what a call did goes before what none did": (
        [call("set_status", order_id=18, value="refunded"), BOOK],
        [
            (
                'reference: orders.18.status is "refunded", where the reference leaves "sent"; step 1, '
                'set_status(order_id=18, value="refunded"), left it so (and 1 more)',
                1,
            )
        ],
    ),
    "another amount": (
        [REFUND, call("book", order=17, amount=21)],
        [
            (
                "reference: ledger.1.amount is 21, where the reference leaves 20; step 2, "
                "book(order=17, amount=21), left it so",
                2,
            )
        ],
    ),
}


@pytest.mark.parametrize(("turns", "wanted"), REFERENCE.values(), ids=REFERENCE)
def test_a_reference_gives_the_wanted_end_state_and_nothing_more(
    turns: list[Answer], wanted: list[tuple[str, int | None]]
) -> None:
    result = tried_once(f"{{reference: {{calls: {GOLD}, ignore: '*.updated_at'}}}}", *turns)
    assert lines(result) == wanted


def test_a_reference_without_calls_wants_the_world_as_it_was() -> None:
    assert tried_once("{reference: []}").passed
    assert lines(tried_once("{reference: []}", BOOK))[0][1] == 1


def test_a_reference_that_fails_excludes_the_trial_and_fails_nobody() -> None:
    [result] = tried(parsed("{reference: [{tool: get_order, args: {order_id: 99}}]}"), REFUND)
    assert result.outcome == "excluded"
    assert result.error == "reference: what its calls leave is not known"


def test_a_programs_calls_are_blamed_in_the_turn_of_the_program() -> None:
    text = FILE.replace("agent: {signature", "agent: {module: code_act, signature")
    file = TaskFile.parse(f"{text}  expect: {{state: [{{unchanged: customers}}]}}\n", base=HERE)
    code = "find_orders(status='sent')\nset_name(customer_id=4, value='Bea')\n"
    [result] = tried(file, call("python", code=code))
    assert lines(result)[0] == (
        'unchanged customers: customers.4.name changed from "Ann" to "Bea" in step 1, '
        'set_name(customer_id=4, value="Bea")',
        1,
    )


# ---- fresh worlds


def test_no_trial_sees_what_another_did() -> None:
    results = tried(parsed("{state: [{path: ledger, length: 2}]}"), BOOK, times=40, workers=16)
    assert [result.outcome for result in results] == ["passed"] * 40


def test_a_task_finds_the_world_as_it_sets_it() -> None:
    task = (
        "  world: {set: {orders.17.status: sent, orders.19: {status: paid, total: 1, note: null}}, "
        "append: {ledger: [{order: 1, amount: 2}]}, remove: customers.4}\n"
    )
    state = (
        "[{path: orders.17.status, equals: sent}, {path: orders.19.total, equals: 1}, {path: ledger, length: 2}, "
        "{path: customers, length: 0}]"
    )
    assert tried_once(f"{{state: {state}}}", task=task).passed
    assert not tried_once("{state: [{path: orders.17.status, equals: sent}]}").passed


def test_a_worlds_data_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"stock": 3}')
    text = (
        'version: 1\nagent: {signature: "request -> reply"}\n'
        "defaults: {world: w.json}\ntasks: [{id: t, input: {request: x}, expect: {state: [{path: stock, equals: 3}]}}]\n"
    )
    [result] = tried(TaskFile.parse(text, base=tmp_path))
    assert result.passed


# ---- faults


def test_a_fault_comes_in_every_trial_at_its_call() -> None:
    task = "  faults: [{tool: get_order, call: 2, error: 503 upstream}]\n"
    look = call("get_order", order_id=17)
    for result in tried(parsed("{ends: submit}", task), look, look, look, times=6):
        contents = [one.content for one in result.trajectory.results[:3]]
        assert [one.startswith("Error: 503 upstream") for one in contents] == [False, True, False]
        assert result.trajectory.results[1].error == "raised"


def test_a_lost_answer_leaves_its_change_and_a_second_try_is_one_too_many() -> None:
    task = "  faults: [{tool: book, kind: timeout, done: true}]\n"
    result = tried_once("{state: [{path: ledger, length: 2}]}", BOOK, BOOK, task=task)
    assert result.trajectory.results[0].error == "timeout"
    assert lines(result) == [
        ("state ledger: it holds 3, not 2; step 2, book(order=17, amount=20), left it so", 2)
    ]
    assert tried_once("{state: [{path: ledger, length: 2}]}", BOOK, task=task).passed


def test_faults_need_no_world() -> None:
    text = (
        'version: 1\nagent: {signature: "request -> reply", tools: [calculate]}\n'
        "tasks: [{id: t, input: {request: x}, faults: [{tool: calculate, result: '7'}], expect: {ends: submit}}]\n"
    )
    [result] = tried(TaskFile.parse(text), call("calculate", expression="1+1"))
    assert result.trajectory.results[0].content == "7"
    assert result.world is None


# ---- what is kept


def test_what_is_kept_of_a_trial_is_plain_and_gives_the_same_checks_again() -> None:
    file = parsed(
        f"{{state: [{{unchanged: customers}}, {{path: ledger, length: 2}}], reference: {{calls: {GOLD}}}}}"
    )
    [result] = tried(file, REFUND, call("set_name", customer_id=4, value="Bea"))
    assert result.world is not None
    assert [str(one) for one in result.world.changes] == [
        'orders.17.status: "paid" → "refunded"',
        'customers.4.name: "Ann" → "Bea"',
    ]
    text = json.dumps(trial_as_json(result))
    again = trial_from_json(json.loads(text), lambda name, task: file.tasks[0])
    assert again.world == result.world
    assert [one.changes for one in again.trajectory.results] == [
        one.changes for one in result.trajectory.results
    ]
    assert rejudged(again, file, file.tasks[0]).checks == result.checks


def test_a_kept_trial_is_held_against_a_reference_that_was_changed_since() -> None:
    [result] = tried(
        parsed("{reference: [{tool: set_status, args: {order_id: 17, value: refunded}}]}"), REFUND
    )
    assert result.passed
    other = parsed("{reference: [{tool: book, args: {order: 17, amount: 20}}]}")
    assert lines(rejudged(result, other, other.tasks[0])) == [
        (
            'reference: orders.17.status is "refunded", where the reference leaves "paid"; step 1, '
            'set_status(order_id=17, value="refunded"), left it so (and 1 more)',
            1,
        )
    ]


def large(rows: int) -> TaskFile:
    return TaskFile.parse(
        f'version: 1\nagent: {{signature: "request -> reply", tools: ["world_tools.py:TOOLS"]}}\n'
        f'defaults: {{world: "world_tools.py:warehouse_{rows}"}}\n'
        "tasks: [{id: t, input: {request: x}, expect: {state: [{path: rows.7.n, equals: -1}, {unchanged: [rows, '!rows.7']}]}}]\n",
        base=HERE,
    )


def test_of_a_large_world_the_changes_are_kept_and_its_hash() -> None:
    file = large(26_000)
    [result] = tried(file, call("set_row", row=7, n=-1))
    assert result.passed
    text = json.dumps(trial_as_json(result))
    assert len(text) < 20_000
    again = trial_from_json(json.loads(text), lambda name, task: file.tasks[0])
    assert rejudged(again, file, file.tasks[0]).passed
    other = large(26_001)
    assert lines(rejudged(again, other, other.tasks[0]))[0][0] == (
        "state rows.7.n: the world was too large to be kept, and the task's is another now"
    )


def test_a_trial_that_changes_more_than_can_be_kept_says_so() -> None:
    [result] = tried(large(26_000), call("set_all", n=5))
    assert result.world is not None
    assert len(result.world.changes) == 10_000
    assert lines(result)[0][0] == "state rows.7.n: more changed than can be kept"


# ---- simulators of others

HOTEL = ROOT / "examples" / "hotel" / "tasks.yaml"


def test_a_simulator_of_others_is_a_world_with_blame_and_fresh_for_each_trial() -> None:
    file = TaskFile.load(HOTEL)
    moves = [
        call("cancel_stay", number=4711),
        call("book_room", guest="Ida Marsh", kind="double", arrival="2026-07-04", nights=2),
    ]
    task = file.select(ids=["a-day-later"])
    for result in tried(task, *moves, times=8):
        found = dict(lines(result))
        assert found['state stays.4711.arrival: "2026-07-03" is not "2026-07-04"; no call changed it'] == 3
        words = (
            "unchanged stays.*.room, stays.*.paid, stays.*.cancelled: stays.4711.paid changed from 240.0 to 0.0 "
            "in step 1, cancel_stay(number=4711) (and 4 more)"
        )
        assert found[words] == 1
    assert tried(task, call("move_stay", number=4711, arrival="2026-07-04"))[0].passed


def test_a_simulators_own_errors_are_told_to_the_model() -> None:
    [result] = tried(
        TaskFile.load(HOTEL).select(ids=["no-suites"]),
        call("free_rooms", kind="suite", arrival="2026-07-01", nights=1),
    )
    assert result.trajectory.results[0].content.startswith(
        "Error: free_rooms failed: BookingError: we have no suite rooms; we have single, double"
    )


@pytest.mark.parametrize("name", ["hotel", "library"])
def test_a_run_can_be_gone_on_with_since_its_world_is_known_again(name: str) -> None:
    known = []
    for _ in range(2):
        file = TaskFile.load(ROOT / "examples" / name / "tasks.yaml")
        known.append(digests(plan(file), {}))
    assert known[0] == known[1]


def test_a_database_is_a_world() -> None:
    file = TaskFile.load(ROOT / "examples" / "library" / "tasks.yaml")
    results = tried(file.select(ids=["lend-a-book"]), call("lend", book_id=2, member_id=1), times=6)
    assert all(check.passed for result in results for check in result.checks if check.check == "reference")
    assert all(
        [str(one) for one in result.trajectory.results[0].changes]
        == ['loans.2 added: {"book_id": 2, "member_id": 1, "due": "2026-07-22"}']
        for result in results
    )


# ---- in Python


def test_a_simulator_that_a_run_has_broken_fails_the_trial_and_says_so() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply", tools: ["world_tools.py:SHELF_TOOLS"]}\n'
        'defaults: {world: "world_tools.py:Fragile"}\n'
        "tasks: [{id: t, input: {request: x}, expect: {state: [{path: books.dune, equals: 1}]}}]\n",
        base=HERE,
    )
    [result] = tried(file, call("take", title="dune"))
    assert result.trajectory.results[0].content == "1"
    assert result.outcome == "failed"
    assert lines(result) == [("state books.dune: its end state can't be read: OSError: the shelf fell", 2)]
    again = trial_from_json(json.loads(json.dumps(trial_as_json(result))), lambda name, task: file.tasks[0])
    assert rejudged(again, file, file.tasks[0]).checks == result.checks


def test_what_a_call_changed_beyond_what_is_recorded_is_its_work_all_the_same() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply", tools: ["world_tools.py:TOOLS"]}\n'
        'defaults: {world: "world_tools.py:warehouse_500"}\n'
        "tasks: [{id: t, input: {request: x}, expect: {state: [{path: rows.400.n, equals: 400}]}}]\n",
        base=HERE,
    )
    [result] = tried(file, call("set_row", row=7, n=-1), call("set_all", n=5), call("set_row", row=8, n=-1))
    assert lines(result) == [("state rows.400.n: 5 is not 400; step 2, set_all(n=5), left it so", 2)]


def test_a_change_that_is_too_large_is_not_kept() -> None:
    record = WorldRecord.of({}, {"text": "x" * 3_000_000, "n": 1})
    assert (len(record.changes), record.lost) == (0, 2)


def test_tools_find_the_world_of_the_context_also_without_an_evaluation() -> None:
    def close(order_id: int, world: World) -> str:
        world.set(f"orders.{order_id}", "closed")
        return "closed"

    world = World({"orders": {"17": "open"}})
    with context(lm=saying(call("close", order_id=17)), world=world):
        prediction = ReAct("request -> reply", [close])(request="Close 17.")
    assert world.get("orders.17") == "closed"
    assert prediction.trajectory.results[0].changes == (Change(("orders", "17"), "open", "closed"),)


def test_runs_at_the_same_time_keep_to_the_world_of_their_context() -> None:
    def add(world: World) -> int:
        return world.append("log", 1)

    worlds = [World({"log": []}) for _ in range(6)]

    def run(world: World) -> None:
        with context(lm=saying(*[call("add")] * 5), world=world):
            ReAct("request -> reply", [add])(request="x")

    threads = [threading.Thread(target=run, args=(world,)) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(world.find("log.*")) for world in worlds] == [5] * 6


def test_a_plain_call_can_not_be_judged_by_a_task_that_has_a_world() -> None:
    file = parsed("{state: [{path: ledger, length: 2}]}")
    with pytest.raises(MetricError, match="the task t has a world: run it by"):
        file.metric(file.examples()[0], Prediction(reply="x"))


def test_the_report_shows_what_each_call_changed() -> None:
    file = parsed("{state: [{path: ledger, length: 2}]}")
    trials = plan(file)
    with context(lm=saying(BOOK)):
        report = Report.of(trials, list(run_trials(trials)))
    assert '"ledger.1"' in json.dumps(report.as_json())


# ---- with what else an evaluation has


def test_a_trial_that_is_replayed_does_to_its_world_what_it_did(tmp_path: Path) -> None:
    text = FILE.replace("defaults:\n", "defaults:\n  journal: {mode: MODE, path: run.sqlite}\n")
    text += f"  expect: {{reference: {{calls: {GOLD}, ignore: '*.updated_at'}}}}\n"
    seen = []
    for mode, turns in (("record", [REFUND, BOOK]), ("replay", []), ("replay", [])):
        file = TaskFile.parse(text.replace("MODE", mode), "t.yaml", base=tmp_path)
        with context(lm=saying(*turns)):
            [result] = run_trials(plan(file))
        assert result.passed, lines(result)
        seen.append((result.world, [str(one) for one in result.trajectory.results[0].changes]))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1] == ['orders.17.status: "paid" → "refunded"']


def test_evaluate_gives_each_task_a_world_too() -> None:
    file = parsed("{state: [{path: ledger, length: 2}]}")
    with context(lm=saying(BOOK)):
        result = Evaluate(devset=file)(file.agent())
    assert result.score == 100


def test_a_simulators_data_is_kept_once_however_many_trials_there_are() -> None:
    results = tried(TaskFile.load(HOTEL).select(ids=["no-suites"]), times=5)
    assert len({id(result.world.before) for result in results if result.world is not None}) == 1


def test_the_example_of_all_keys_is_a_task_file(tmp_path: Path) -> None:
    example = world_format.__doc__ or ""
    keys = textwrap.dedent(example.partition("\n\n")[2].rpartition("\n\n")[0])
    head = 'version: 1\nagent: {signature: "request -> reply"}\n'
    (tmp_path / "shop.yaml").write_text(
        "orders: {17: {status: paid, customer: 1, total: 3, updated_at: x}}\ncarts: {3: {}, 4: {}}\nledger: []\n"
    )
    text = head + keys.replace("  expect:", "  input: {request: x}\n  expect:")
    [task] = TaskFile.parse(text, base=tmp_path).tasks
    assert len(task.faults) == len(task.expect.state) == 4
