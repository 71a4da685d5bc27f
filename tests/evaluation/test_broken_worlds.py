"""What is wrong with the worlds, faults, end states and references of a task file: each with its line."""

from __future__ import annotations

import copy
import functools
import json
import operator
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopwright import TaskFile
from loopwright.errors import TaskFileError
from loopwright.evaluation.file.locate import parse_document
from loopwright.evaluation.proofs.proving import prove

HERE = Path(__file__).parent

SOUND = """\
version: 1
agent:
  signature: "request -> reply"
  tools: [calculate]
defaults:
  world:
    data:
      orders: {17: {status: paid, total: 20}, 18: {status: sent, total: 5}}
      ledger: []
      log: {seen: 0}
    tools:
      get_order: {get: "orders.{order_id}"}
      set_status: {set: "orders.{order_id}.status", value: [paid, refunded]}
tasks:
- id: t
  input: {request: "Refund 17."}
  world: {set: {orders.17.status: paid}}
  faults: [{tool: get_order, call: 1, error: 503 upstream}]
  expect:
    state: [{path: orders.17.status, equals: refunded}, {unchanged: [log]}]
    reference: {calls: [{tool: set_status, args: {order_id: 17, value: refunded}}], ignore: "*.seen"}
"""


def problems(old: str, new: str) -> list[str]:
    assert SOUND.count(old) == 1, old
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(SOUND.replace(old, new), "t.yaml", base=HERE)
    return list(caught.value.problems)


def test_the_file_that_the_others_are_made_from_is_sound() -> None:
    assert list(TaskFile.parse(SOUND, base=HERE).tools) == ["calculate", "get_order", "set_status"]


@pytest.mark.parametrize("word", ["text", "string"])
def test_a_parameter_that_holds_text_is_text_or_string(word: str) -> None:
    text = SOUND.replace("value: [paid, refunded]", f"value: {word}, args: {{order_id: {word}}}")
    assert (
        TaskFile.parse(text, base=HERE).tools["set_status"].usage
        == "set_status(order_id: string, value: string)"
    )


DATA = SOUND[SOUND.index("    data:") : SOUND.index("    tools:")]
WORLD = SOUND[SOUND.index("  world:") : SOUND.index("tasks:")]
SET = "{set: {orders.17.status: paid}}"
FAULT = "{tool: get_order, call: 1, error: 503 upstream}"
EXPECTED = "state: [{path: orders.17.status, equals: refunded}, {unchanged: [log]}]"
GOLD = '{calls: [{tool: set_status, args: {order_id: 17, value: refunded}}], ignore: "*.seen"}'
GET = '{get: "orders.{order_id}"}'
VALUE = 'set_status: {set: "orders.{order_id}.status", value: [paid, refunded]}'

WORLDS: dict[str, tuple[str, str, list[str]]] = {
    "no source": (DATA, "", ["t.yaml:6: defaults.world: takes one of file, data and simulator"]),
    "two sources": (
        DATA, f"    file: w.yaml\n{DATA}", ["t.yaml:6: defaults.world: takes one of file, data and simulator"]
    ),
    "an unknown key": (
        DATA, f"    tool: 1\n{DATA}", ["t.yaml:7: defaults.world.tool: no such key; did you mean 'tools'?"]
    ),
    "data as it stands, without a key": (
        WORLD, "  world: {orders: {}}\n",
        [
            "t.yaml:6: defaults.world.orders: no such key; there are file, data, simulator, tools "
            "(what the world holds goes below data)"
        ],
    ),
    "a list as data": (
        WORLD, "  world: {data: [1]}\n", ["t.yaml:6: defaults.world.data: must be a mapping, not a list"]
    ),
    "no such file": (
        DATA, "    file: world_tool.yaml\n", ["t.yaml:6: defaults.world: world_tool.yaml: no such file; did you mean 'world_tools.py'?"]
    ),
    "an absolute path": (
        DATA, "    file: /etc/world.yaml\n",
        ["t.yaml:6: defaults.world: /etc/world.yaml is an absolute path: a world's file is named from the task file's folder"],
    ),
    "no such module": (
        DATA, '    simulator: "world_tool.py:Shelf"\n',
        [f"t.yaml:6: defaults.world: there is no file {HERE}/world_tool.py; did you mean world_tools.py?"],
    ),
    "no such class": (
        DATA, '    simulator: "world_tools.py:Shelv"\n',
        ['t.yaml:6: defaults.world: "world_tools.py:Shelv": there is no "Shelv"; did you mean "Shelf"?'],
    ),
    "a file without a name in it": (
        DATA, '    simulator: "world_tools.py"\n',
        ['t.yaml:6: defaults.world: "world_tools.py" names nothing: write "module:name" or "file.py:name"'],
    ),
    "a number as a world": (
        DATA, '    simulator: "world_tools.py:NOTHING"\n',
        ['t.yaml:6: defaults.world: "world_tools.py:NOTHING" is int: name a class, or a function that makes a world'],
    ),
    "a function that makes no world": (
        DATA, '    simulator: "world_tools.py:gives_a_list"\n',
        [
            't.yaml:6: defaults.world: "world_tools.py:gives_a_list" gives list: a world is a World, a mapping, or an object '
            "with snapshot() and restore()"
        ],
    ),
    "a class that can't be made": (
        DATA, '    simulator: "world_tools.py:Broken"\n',
        ['t.yaml:6: defaults.world: "world_tools.py:Broken" can\'t be made: RuntimeError: no database'],
    ),
    "a state that is no data": (
        DATA, '    simulator: "world_tools.py:Opaque"\n',
        [
            "t.yaml:6: defaults.world: snapshot() of Opaque gives bytes, and checks need a mapping: let a method view() return "
            "the state as mappings and lists"
        ],
    ),
    "tools over a simulator": (
        DATA, '    simulator: "world_tools.py:Shelf"\n',
        [
            "t.yaml:8: defaults.world.tools: are over a world's data: a simulator has tools of its own, in agent.tools",
            "t.yaml:14: task t: world.set.orders.17.status: there is no orders: the world has books",
        ],
    ),
    "tools over what the world does not have": (
        f"get_order: {GET}", 'get_order: {get: "order.{order_id}"}\n      find_bills: {find: "bills.*"}\n      spare: {set: flag, value: text}',
        [
            't.yaml:12: defaults.world.tools.get_order: there is no order; did you mean "orders"?',
            "t.yaml:13: defaults.world.tools.find_bills: there is no bills: the world has orders, ledger, log",
        ],
    ),
    "a tool for another world": (
        "tools: [calculate]", 'tools: ["world_tools.py:SHELF_TOOLS"]',
        ["t.yaml:4: agent.tools: take works on a Shelf, and defaults.world is a World"],
    ),
    "a tool for a world, and none there": (
        SOUND[SOUND.index("  tools: [calculate]") : SOUND.index("- id: t")],
        '  tools: ["world_tools.py:TOOLS"]\ntasks:\n',
        [
            "t.yaml:4: agent.tools: set_row works on a World, and there is no world: defaults.world says which",
            "t.yaml:4: agent.tools: set_all works on a World, and there is no world: defaults.world says which",
            "t.yaml:8: task t: world: there is no world: defaults.world says which",
            "t.yaml:9: task t: faults[0].tool: the agent has no tool 'get_order'; there are set_row, set_all",
            "t.yaml:11: task t: expect.state: there is no world: defaults.world says which",
            "t.yaml:12: task t: expect.reference.ignore: there is no world: defaults.world says which",
            "t.yaml:12: task t: expect.reference.calls[0].tool: the agent has no tool 'set_status'; there are set_row, set_all",
        ],
    ),
    "tools of an agent that calls none": (
        "  tools: [calculate]\n", "  module: predict\n",
        ["t.yaml:11: defaults.world.tools: the module predict calls no tools"],
    ),
    "a tool twice": (
        f"get_order: {GET}", f"calculate: {GET}\n      get_order: {GET}",
        ["t.yaml:12: defaults.world.tools.calculate: agent.tools has a tool of this name, from loopwright.tools.builtin.calculate.calculate"],
    ),
}  # fmt: skip

DECLARED: dict[str, tuple[str, str, list[str]]] = {
    "no operation": (
        GET, "{desc: x}", ["t.yaml:12: defaults.world.tools.get_order: takes one of get, find, set, append, remove, each with a path"]
    ),
    "two operations": (
        GET, "{get: log, set: log}", ["t.yaml:12: defaults.world.tools.get_order: takes one of get, find, set, append, remove, each with a path"]
    ),
    "a misspelt operation": (
        GET, "{gett: log}",
        ["t.yaml:12: defaults.world.tools.get_order.gett: no such key; did you mean 'get'?"],
    ),
    "no path": (
        GET, '{get: "orders..17"}',
        [
            "t.yaml:12: defaults.world.tools.get_order: 'orders..17' is no path: write keys with dots between them, as in "
            'orders.17.status, and a key that has dots in quotes: users."a@b.c"'
        ],
    ),
    "a pattern for one thing": (
        GET, '{get: "orders.*"}',
        ["t.yaml:12: defaults.world.tools.get_order: get takes the path of one thing, not orders.*"],
    ),
    "one thing to find": (
        GET, "{find: orders}", ["t.yaml:12: defaults.world.tools.get_order: find takes a pattern, as in orders.*, not orders"]
    ),
    "a parameter that is none": (
        GET, '{get: "orders.{order id}"}',
        ["t.yaml:12: defaults.world.tools.get_order: {order id} is no parameter: write a name in braces, as in orders.{order_id}"],
    ),
    "a parameter twice": (
        GET, '{get: "orders.{a}.{a}"}', ["t.yaml:12: defaults.world.tools.get_order: two parameters would be named 'a'"]
    ),
    "a field to find by that is a parameter": (
        GET, '{find: "orders.{a}.*", where: a}', ["t.yaml:12: defaults.world.tools.get_order: two parameters would be named 'a'"]
    ),
    "where, and nothing to find": (
        GET, '{get: "orders.{a}", where: status}', ["t.yaml:12: defaults.world.tools.get_order: where goes with find"]
    ),
    "no type": (
        VALUE, 'set_status: {set: "orders.{order_id}.status", value: str}',
        [
            't.yaml:13: defaults.world.tools.set_status: value is "str", which is no type: write one of text, integer, '
            "number, boolean, any, a list of the values that it may be, or a mapping of its fields to their types"
        ],
    ),
    "no type of a field": (
        VALUE, 'set_status: {set: "orders.{order_id}.status", value: {a: {b: c}}}',
        [
            't.yaml:13: defaults.world.tools.set_status: value.a.b is "c", which is no type: write one of text, integer, '
            "number, boolean, any, a list of the values that it may be, or a mapping of its fields to their types"
        ],
    ),
    "a type of no parameter": (
        GET, '{get: "orders.{order_id}", args: {id: text}}',
        ["t.yaml:12: defaults.world.tools.get_order: it has no parameter 'id' that args could describe"],
    ),
    "a name that no provider takes": (
        f"get_order: {GET}", f"get order: {GET}\n      get_order: {GET}",
        [
            "t.yaml:12: defaults.world.tools.get order: 'get order' can't be a tool's name: providers take 1 to 64 of the letters "
            "a-z and A-Z, digits, _ and -; use for example name='get_order'"
        ],
    ),
    "the agent's own name": (
        f"get_order: {GET}", f"submit: {GET}\n      get_order: {GET}",
        [
            "t.yaml:12: defaults.world.tools.submit: loopwright.tools.world.crud.submit can't be named 'submit': that is how an "
            "agent ends its run; give another name"
        ],
    ),
}  # fmt: skip

TASKS: dict[str, tuple[str, str, list[str]]] = {
    "setting below nothing": (
        SET, "{set: {orders.71.status: paid}}",
        ["t.yaml:17: task t: world.set.orders.71.status: there is no orders.71: orders has 17, 18"],
    ),
    "a misspelt path to set": (
        SET, "{set: {oders.17.status: paid}}",
        ['t.yaml:17: task t: world.set.oders.17.status: there is no oders; did you mean "orders"?'],
    ),
    "setting several": (
        SET, '{set: {"orders.*.status": paid}}',
        ["t.yaml:17: task t: world.set.orders.*.status: orders.*.status is a pattern of several paths, where one is wanted"],
    ),
    "adding to no list": (
        SET, "{append: {log: [1]}}",
        ["t.yaml:17: task t: world.append.log: log is no list that something could be added to"],
    ),
    "adding what is no list": (
        SET, "{append: {ledger: 1}}", ["t.yaml:17: task t: world.append.ledger: must be a list, not 1"]
    ),
    "removing nothing": (
        SET, "{remove: [orders.1]}", ["t.yaml:17: task t: world.remove[0]: there is no orders.1: orders has 17, 18"]
    ),
    "a misspelt key of a world": (
        SET, "{sett: {}}", ["t.yaml:17: task t: world.sett: no such key; did you mean 'set'?"]
    ),
    "a fault of no tool": (
        FAULT, "{tool: get_ordr, error: x}",
        ["t.yaml:18: task t: faults[0].tool: the agent has no tool 'get_ordr'; did you mean 'get_order'?"],
    ),
    "a fault that says nothing": (
        FAULT, "{tool: get_order}",
        ["t.yaml:18: task t: faults[0]: says nothing that goes wrong: give error, kind: timeout, result or delay_s"],
    ),
    "a fault with a result": (
        FAULT, "{tool: get_order, error: x, result: 1}", ["t.yaml:18: task t: faults[0]: takes one of error and result"]
    ),
    "a result that got lost": (
        FAULT, "{tool: get_order, result: 1, done: true}",
        ["t.yaml:18: task t: faults[0]: done goes with error or kind: timeout"],
    ),
    "a time-out in other words": (
        FAULT, "{tool: get_order, kind: timeout, error: x}",
        ["t.yaml:18: task t: faults[0]: kind: timeout has words of its own: leave error out"],
    ),
    "a fault of the call before the first": (
        FAULT, "{tool: get_order, call: 0, error: x}", ["t.yaml:18: task t: faults[0].call: must be at least 1, not 0"]
    ),
    "a fault without end": (
        FAULT, "{tool: get_order, delay_s: 6000}", ["t.yaml:18: task t: faults[0].delay_s: must be at most 600, not 6000"]
    ),
    "another kind": (
        FAULT, "{tool: get_order, kind: timout}",
        ["t.yaml:18: task t: faults[0].kind: \"timout\" is none of raised, timeout; did you mean 'timeout'?"],
    ),
    "two faults of one call": (
        FAULT, "{tool: get_order, error: x}, {tool: get_order, delay_s: 1}",
        ["t.yaml:18: task t: faults[1]: call 1 of get_order has a fault already, in line 18"],
    ),
    "a fault that never comes": (
        f"faults: [{FAULT}]", "limits: {tool_calls: 3}\n  faults: [{tool: get_order, call: 4, error: x}]",
        ["t.yaml:19: task t: faults[0].call: never comes: limits.tool_calls is 3"],
    ),
}  # fmt: skip

STATES: dict[str, tuple[str, str, list[str]]] = {
    "a misspelt path in a turn": (
        '  input: {request: "Refund 17."}\n', "  turns: [{user: Refund 17., expect: {state: [{path: order.17, absent: true}]}}]\n",
        ['t.yaml:16: task t: turns[0].expect.state[0].path: there is no order; did you mean "orders"?'],
    ),
    "a value where nothing is wanted": (
        EXPECTED, "state: [{path: orders.17, absent: true, equals: {}}]",
        ["t.yaml:20: task t: expect.state[0]: absent: true stands alone: nothing else can be said of nothing"],
    ),
    "a misspelt path": (
        EXPECTED, "state: [{path: order.17.status, equals: x}]",
        ['t.yaml:20: task t: expect.state[0].path: there is no order; did you mean "orders"?'],
    ),
    "a misspelt field": (
        EXPECTED, "state: [{path: orders.17.statsu, equals: x}]",
        ['t.yaml:20: task t: expect.state[0].path: there is no orders.17.statsu; did you mean "status"?'],
    ),
    "a name in a list": (
        EXPECTED, "state: [{path: ledger.first, exists: true}]",
        ["t.yaml:20: task t: expect.state[0].path: there is no ledger.first: ledger is a list of 0, counted from 0"],
    ),
    "below a leaf": (
        EXPECTED, "state: [{path: log.seen.by, exists: true}]",
        ["t.yaml:20: task t: expect.state[0].path: there is no log.seen.by: log.seen holds nothing further"],
    ),
    "a pattern": (
        EXPECTED, 'state: [{path: "orders.*", length: 2}]',
        ["t.yaml:20: task t: expect.state[0].path: orders.* is a pattern of several paths, where one is wanted"],
    ),
    "neither path nor unchanged": (
        EXPECTED, "state: [{equals: x}]", ["t.yaml:20: task t: expect.state[0]: takes one of path and unchanged"]
    ),
    "both": (
        EXPECTED, "state: [{path: log, unchanged: [log]}]", ["t.yaml:20: task t: expect.state[0]: takes one of path and unchanged"]
    ),
    "unchanged and more": (
        EXPECTED, "state: [{unchanged: [log], length: 1}]", ["t.yaml:20: task t: expect.state[0]: unchanged stands alone"]
    ),
    "a path alone": (
        EXPECTED, "state: [{path: log}]",
        ["t.yaml:20: task t: expect.state[0]: does not say what must be there: equals, length, absent: true …"],
    ),
    "a text": (EXPECTED, "state: [log]", ['t.yaml:20: task t: expect.state[0]: must be a mapping, not "log": as in {path: orders.17.status, equals: paid}']),
    "a misspelt matcher": (
        EXPECTED, "state: [{path: log.seen, equal: 1}]", ["t.yaml:20: task t: expect.state[0].equal: no such key; did you mean 'equals'?"]
    ),
    "a rubric": (
        EXPECTED, "state: [{path: log.seen, judge: {rubric: nice}}]",
        ["t.yaml:20: task t: expect.state[0]: judge and json_schema are for answers, not for the world"],
    ),
    "less than nothing": (
        EXPECTED, "state: [{path: ledger, length: -1}]", ["t.yaml:20: task t: expect.state[0].length: must be at least 0, not -1"]
    ),
    "unchanged of nothing": (
        EXPECTED, "state: [{unchanged: [logs]}]",
        ["t.yaml:20: task t: expect.state[0].unchanged[0]: 'logs' fits nothing in the world: there is no logs; did you mean \"log\"?"],
    ),
    "unchanged by a pattern of nothing": (
        EXPECTED, 'state: [{unchanged: "orders.*.paid"}]',
        ["t.yaml:20: task t: expect.state[0].unchanged: 'orders.*.paid' fits nothing in the world"],
    ),
    "taken from nothing": (
        EXPECTED, 'state: [{unchanged: ["!log"]}]',
        ["t.yaml:20: task t: expect.state[0].unchanged: '!log' takes away from nothing: first say what is to stay unchanged"],
    ),
    "changed and unchanged": (
        EXPECTED, "state: [{path: orders.17.status, equals: refunded}, {unchanged: [orders]}]",
        ['t.yaml:20: task t: expect.state[0]: must be as it was by unchanged, which is "paid": no run can meet both'],
    ),
    "a reference of nothing": (
        GOLD, "{ignore: log}", ["t.yaml:21: task t: expect.reference: takes calls, or an answer, or both"]
    ),
    "a reference with an unknown tool": (
        GOLD, "[{tool: set_statsu}]",
        ["t.yaml:21: task t: expect.reference[0].tool: the agent has no tool 'set_statsu'; did you mean 'set_status'?"],
    ),
    "a reference with an unknown argument": (
        GOLD, "[{tool: set_status, args: {order: 17, value: paid}}]",
        ["t.yaml:21: task t: expect.reference[0].args.order: set_status has no parameter 'order'; did you mean 'order_id'?"],
    ),
    "a reference that lacks an argument": (
        GOLD, "[{tool: set_status, args: {order_id: 17}}]",
        ['t.yaml:21: task t: expect.reference[0].args: set_status: "value" is missing'],
    ),
    "a reference with a wrong value": (
        GOLD, "{calls: [{tool: set_status, args: {order_id: x, value: paid}}]}",
        ['t.yaml:21: task t: expect.reference.calls[0].args: set_status: "order_id" must be an integer, not "x"'],
    ),
    "an answer of no field": (
        GOLD, "{answer: {repl: x}}", ["t.yaml:21: task t: expect.reference.answer.repl: the signature has no such output; did you mean 'reply'?"]
    ),
    "ignoring nothing": (
        GOLD, "{calls: [], ignore: [logg.seen]}",
        ["t.yaml:21: task t: expect.reference.ignore[0]: 'logg.seen' fits nothing in the world: there is no logg; did you mean \"log\"?"],
    ),
    "ignoring what is no path": (
        GOLD, '{calls: [], ignore: [".seen"]}',
        [
            "t.yaml:21: task t: expect.reference.ignore[0]: '.seen' is no path: write keys with dots between them, as in "
            'orders.17.status, and a key that has dots in quotes: users."a@b.c"'
        ],
    ),
}  # fmt: skip

TABLE = {**WORLDS, **DECLARED, **TASKS, **STATES}


@pytest.mark.parametrize(("old", "new", "wanted"), TABLE.values(), ids=TABLE)
def test_a_broken_file_is_refused_with_its_lines(old: str, new: str, wanted: list[str]) -> None:
    assert problems(old, new) == wanted


UNREAD = {
    "limits beside it": (
        "  world:\n    data",
        "  limits: {steps: eight}\n  world:\n    data",
        "limits.steps: must be",
    ),
    "a limit that is too low": (
        "  world:\n    data",
        "  limits: {steps: 0}\n  world:\n    data",
        "limits.steps: must be",
    ),
    "one of its tools": ("{get: ", "{gett: ", "world.tools.get_order.gett: no such key"),
    "its key": ("  world:\n    data", "  wrold:\n    data", "wrold: no such key"),
    "the key of the defaults": ("defaults:", "default:", "default: no such key"),
    "the world's file": (DATA, "    file: no.yaml\n", "world: "),
}


@pytest.mark.parametrize(("old", "new", "words"), UNREAD.values(), ids=UNREAD)
def test_a_world_that_can_not_be_read_is_one_problem_not_one_for_each_task(
    old: str, new: str, words: str
) -> None:
    (problem,) = problems(old, new)
    assert words in problem


def test_every_row_has_a_name_of_its_own() -> None:
    assert len(TABLE) == len(WORLDS) + len(DECLARED) + len(TASKS) + len(STATES) >= 70


def test_what_a_worlds_own_file_has_wrong_is_told_with_the_line_there(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("orders:\n  17: {a: 1}\n  17: {a: 2}\n")
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(SOUND.replace(DATA, "    file: w.yaml\n"), "t.yaml", base=tmp_path)
    assert list(caught.value.problems) == [
        "t.yaml:6: defaults.world: w.yaml:3: the key '17' stands twice; first in line 2"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "w.yaml holds nothing, not a mapping"), ("- 1", "w.yaml holds list, not a mapping")],
)
def test_a_worlds_file_holds_a_mapping(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(SOUND.replace(DATA, "    file: w.yaml\n"), "t.yaml", base=tmp_path)
    assert caught.value.problems[0] == f"t.yaml:6: defaults.world: {words}"


SHELF = """\
version: 1
agent: {signature: "request -> reply", tools: ["world_tools.py:SHELF_TOOLS"]}
defaults: {world: "world_tools.py:KIND"}
tasks:
- {id: t, input: {request: x}, world: {set: {books.dune: 5}}, expect: {state: [{path: books.dune, equals: 4}]}}
"""


def test_a_simulator_with_a_plain_state_can_be_set() -> None:
    file = TaskFile.parse(SHELF.replace("KIND", "Shelf"), base=HERE)
    environment = file.environment(file.tasks[0])
    assert environment is not None
    assert environment.before == {"books": {"dune": 5}}


def test_a_simulator_that_does_not_take_what_is_set_is_found_out() -> None:
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(SHELF.replace("KIND", "Forgetful"), "t.yaml", base=HERE)
    assert list(caught.value.problems) == [
        "t.yaml:5: task t: world: Forgetful.restore() did not take over what was set: its snapshot() gives something else"
    ]


def test_a_function_or_data_in_a_module_will_do_as_a_world() -> None:
    for name, tree in (("DATA", {"stock": {"lamp": 3}}), ("warehouse_26000", None)):
        text = (
            f'version: 1\nagent: {{signature: "request -> reply"}}\ndefaults: {{world: "world_tools.py:{name}"}}\n'
            "tasks: [{id: t, input: {request: x}, expect: {ends: submit, answer: {reply: x}}}]\n"
        )
        file = TaskFile.parse(text, base=HERE)
        environment = file.environment(file.tasks[0])
        assert environment is not None
        assert tree is None or environment.before == tree


def test_a_world_that_is_null_is_none() -> None:
    world = SOUND[SOUND.index("  world:\n") : SOUND.index("tasks:")]
    found = problems(world, "  world: null\n")
    assert found[0] == "t.yaml:10: task t: world: there is no world: defaults.world says which"


JUNK: list[Any] = [
    None, True, 0, -1, 3.5, 1e30, "", "x", "*", "orders.*", "!x", "a..b", '"', "{x}", "orders.{x}", "orders.17.status", "w.yaml",
    "world_tools.py:Shelf", "os:getcwd", "math:pi", [], {}, [1], ["!log"], ["*"], {"a": 1}, {"get": "x"}, [{"tool": "get_order"}],
    {"path": "log"}, {"equals": None},
]  # fmt: skip
KEYS = [
    "state",
    "world",
    "faults",
    "reference",
    "tools",
    "data",
    "file",
    "simulator",
    "path",
    "unchanged",
    "ignore",
    "calls",
    "where",
    "value",
    "args",
    "done",
    "result",
    "kind",
]


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_stands_in_a_file_it_is_read_or_refused(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        value = copy.deepcopy(parse_document(SOUND, "t.yaml").value)
        for _ in range(draw.choice([1, 1, 2, 3])):
            *above, last = draw.choice([path for path in places(value) if path])
            part = functools.reduce(operator.getitem, above, value)
            match draw.randrange(4):
                case 0 if isinstance(part, dict):
                    del part[last]
                case 1 if isinstance(part, dict):
                    part[draw.choice(KEYS)] = copy.deepcopy(draw.choice(JUNK))
                case _:
                    part[last] = copy.deepcopy(draw.choice(JUNK))
        text = json.dumps(value)
        try:
            file = TaskFile.parse(text, "t.json", base=HERE)
        except TaskFileError as error:
            assert error.problems  # noqa: PT017  # whichever of the two it is
        else:
            assert len(prove(file, parse_document(text, "t.json"))) == len(file.tasks)
