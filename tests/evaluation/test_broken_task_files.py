"""What is wrong with a task file: every problem at once, each with its line and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright import TaskFile
from loopwright.errors import TaskFileError
from loopwright.tools import BUILTIN_NAMES

HERE = Path(__file__).parent

SOUND = """\
version: 1
agent: {signature: "question -> answer: float", tools: [calculate, "shop.py:TOOLS"]}
tasks:
- id: t
  input: {question: "2 + 2?"}
  expect:
    answer: {answer: 4}
"""


def problems(text: str, name: str = "t.yaml") -> tuple[str, ...]:
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(text, name, base=HERE)
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) == 1, old
    return SOUND.replace(old, new)


def expecting(line: str, rest: str = "") -> str:
    return changed("answer: {answer: 4}\n", f"{line}\n{rest}")


def test_the_file_that_the_others_are_made_from_is_sound() -> None:
    assert [task.id for task in TaskFile.parse(SOUND, base=HERE).tasks] == ["t"]


WHOLE = {
    "nothing at all": ("", ["t.yaml: empty"]),
    "a list": ("- a", ["t.yaml: no mapping of version, agent and tasks"]),
    "a mapping of something else": (
        "a: 1",
        [
            "t.yaml:1: version: is missing: write version: 1",
            't.yaml:1: agent: is missing: as in agent: {signature: "question -> answer", tools: [calculate]}',
            "t.yaml:1: tasks: is missing",
            "t.yaml:1: a: no such key; there are version, name, agent, defaults, tasks",
        ],
    ),
    "keys that stand in the wrong place": (
        changed(
            "tasks:\n", "limits: {steps: 3}\ntools: [calculate]\nprogram: 'shop.py:build'\ntasks:\n"
        ).replace("answer: {answer: 4}", "required: [{tool: calculate}]\n    equals: 4"),
        [
            "t.yaml:3: limits: no such key; it goes below defaults or below a task; there are version, name, agent, defaults, tasks",
            "t.yaml:4: tools: no such key; it goes below agent or below defaults.world; there are version, name, agent, "
            "defaults, tasks",
            "t.yaml:5: program: no such key; it goes below agent; there are version, name, agent, defaults, tasks",
            "t.yaml:10: task t: expect.required: no such key; it goes below expect.calls; there are answer, calls, ends, "
            "state, reference",
            "t.yaml:11: task t: expect.equals: no such key; there are answer, calls, ends, state, reference",
        ],
    ),
    "a model": (
        changed("agent: {", "agent: {model: openai/gpt-5-mini, "),
        ["t.yaml:2: agent.model: no such key: the model is the command's, as in --model openai/gpt-5-mini"],
    ),
    "a text with braces that are no mapping": (
        changed('"2 + 2?"', "what is {x}?"),
        [
            "t.yaml:5: no valid YAML: while parsing a flow mapping, expected ',' or '}', but got '{' (is a bracket open, or "
            "a text with : , [ ] { } in it not in quotes?)"
        ],
    ),
    "an indent of its own": (
        changed("  expect:", "   expect:"),
        [
            "t.yaml:6: no valid YAML: while parsing a block mapping, expected <block end>, but found "
            "'<block mapping start>' (is it indented as what stands beside it?)"
        ],
    ),
    "a mapping where a list of names was meant": (
        changed("answer: {answer: 4}", "calls: [calculate]"),
        [
            "t.yaml:7: task t: expect.calls: must be a mapping, not a list: as in calls: {required: [{tool: NAME, args: {…}}]}"
        ],
    ),
    "a list of names where an order was meant": (
        changed("answer: {answer: 4}", "calls: {order: [calculate]}"),
        [
            "t.yaml:7: task t: expect.calls.order: must be a mapping, not a list: as in order: {of: [NAME, NAME]}"
        ],
    ),
    "a name where a call was meant": (
        changed("answer: {answer: 4}", "calls: {forbidden: [calculate]}"),
        [
            't.yaml:7: task t: expect.calls.forbidden[0]: must be a mapping, not "calculate": as in {tool: NAME}'
        ],
    ),
    "a module that is nothing": (
        changed("{signature:", "{module: null, signature:"),
        [
            "t.yaml:2: agent.module: is empty; there are react, code_act, program_of_thought, chain_of_thought, predict, "
            "multi_chain"
        ],
    ),
    "an approval for no tool": (
        changed(
            "tasks:\n", "defaults: {approve: {refund_all: allow, 'get_*': allow, 'pay_*': deny}}\ntasks:\n"
        ),
        [
            't.yaml:3: defaults.approve.refund_all: fits no tool; did you mean "refund"?',
            "t.yaml:3: defaults.approve.pay_*: fits no tool; there are calculate, get_order, refund, cancel_order, ship",
        ],
    ),
    "no closing bracket": (
        expecting("answer: {answer: [4}"),
        [
            "t.yaml:7: no valid YAML: while parsing a flow sequence, expected ',' or ']', but got '}' (is a bracket open, or a text with : , [ ] { } in it not in quotes?)"
        ],
    ),
    "a tab": (
        "\tversion: 1",
        [
            "t.yaml:1: no valid YAML: while scanning for the next token, "
            "found character '\\t' that cannot start any token (indent with spaces, not with tabs)"
        ],
    ),
    "two documents": (
        "version: 1\n---\nversion: 1\n",
        ["t.yaml:2: no valid YAML: expected a single document in the stream, but found another document"],
    ),
    "an unknown alias": ("version: *w\n", ["t.yaml:1: no valid YAML: found undefined alias 'w'"]),
    "a control character": (
        "version: \x01",
        ["t.yaml:1: no valid YAML: the character U+0001 may not stand there"],
    ),
    "half a character": (
        'a: "\\ud83d"',
        ["t.yaml:1: no valid YAML: found invalid Unicode character escape code"],
    ),
    "a tag that makes objects": (
        expecting("answer: {answer: !!python/object:os.system {}}"),
        ["t.yaml:7: the tag !!python/object:os.system is not allowed here: plain values only"],
    ),
    "a tag of one's own": (
        "version: !one 1",
        ["t.yaml:1: the tag !one is not allowed here: plain values only"],
    ),
    "a tag that does not fit": (
        "version: !!int one",
        ["t.yaml:1: the tag !!int is not allowed here: plain values only"],
    ),
    "a key twice": (SOUND + "  id: u\n", ["t.yaml:8: the key 'id' stands twice; first in line 4"]),
    "a key that is no text": ("? [1]\n: 2", ["t.yaml:1: a key must be text"]),
    "a merge of no mapping": ("<<: 3", ["t.yaml:1: << merges a mapping, as in <<: *name"]),
    "a merge with itself": ("a: &a\n  <<: *a", ["t.yaml:1: nested too deeply: << merges itself"]),
    "a list in itself": ("a: &a [*a]", ["t.yaml:1: nested too deeply (are aliases (*name) multiplied?)"]),
    "brackets without end": ("[" * 100_000, ["t.yaml:1: nested too deeply"]),
    "too large a number": ("version: 1e999", ["t.yaml:1: 1e999… is too large for a number"]),
    "too long a number": (
        "version: " + "9" * 5000,
        ["t.yaml:1: 99999999999999999999… is too large for a number"],
    ),
}

TOP = {
    "another version": (
        changed("version: 1", "version: 2"),
        ["t.yaml:1: version: must be 1, the version that this loopwright reads, not 2"],
    ),
    "a version in quotes": (
        changed("version: 1", 'version: "1"'),
        ['t.yaml:1: version: must be 1, the version that this loopwright reads, not "1"'],
    ),
    "a misspelt key": (
        changed("version: 1", "nmae: x\nversion: 1"),
        ["t.yaml:1: nmae: no such key; did you mean 'name'?"],
    ),
    "no agent": (
        changed("agent:", "agnet:"),
        [
            "t.yaml:2: agnet: no such key; did you mean 'agent'?",
        ],
    ),
    "no signature": (
        changed("signature:", "signatur:"),
        [
            "t.yaml:2: agent.signatur: no such key; did you mean 'signature'?",
        ],
    ),
    "no arrow": (
        changed("question -> answer: float", "question answer"),
        [
            "t.yaml:2: agent.signature: a signature has one '->' between inputs and outputs, "
            "as in 'question -> answer'; got 'question answer'"
        ],
    ),
    "a module that is none": (
        changed("agent: {", "agent: {module: raect, "),
        [
            't.yaml:2: agent.module: "raect" is none of react, code_act, program_of_thought, chain_of_thought, '
            "predict, multi_chain; did you mean 'react'?"
        ],
    ),
    "tools for a module that calls none": (
        changed("agent: {", "agent: {module: predict, "),
        ["t.yaml:2: agent.tools: the module predict calls no tools; react and code_act do"],
    ),
    "no such built-in tool": (
        changed("[calculate", "[calculat"),
        [
            't.yaml:2: agent.tools[0]: there is no tool "calculat"; did you mean "calculate"? Write a built-in '
            f'({", ".join(BUILTIN_NAMES)}), "module:name", "file.py:name" or "mcp:command"'
        ],
    ),
    "no such attribute": (
        changed(":TOOLS", ":TOOL"),
        ['t.yaml:2: agent.tools[1]: "shop.py:TOOL": there is no "TOOL"; did you mean "TOOLS"?'],
    ),
    "no such program": (
        changed("agent: {", "agent: {program: x.json, "),
        ["t.yaml:2: agent.program: x.json: no such file"],
    ),
    "a misspelt key of the agent": (
        changed("agent: {", "agent: {modul: react, "),
        ["t.yaml:2: agent.modul: no such key; did you mean 'module'?"],
    ),
    "no signature at all": (
        changed('signature: "question -> answer: float", ', ""),
        ['t.yaml:2: agent.signature: is missing: as in signature: "question -> answer"'],
    ),
    "defaults": (
        changed(
            "version: 1",
            "version: 1\ndefaults: {epochs: 0, seed: x, journal: {mode: all, paht: x}, limit: {}}",
        ),
        [
            "t.yaml:2: defaults.epochs: must be at least 1, not 0",
            't.yaml:2: defaults.seed: must be a whole number, not "x"',
            't.yaml:2: defaults.journal.mode: "all" is none of off, record, replay, auto',
            "t.yaml:2: defaults.journal.paht: no such key; did you mean 'path'?",
            "t.yaml:2: defaults.limit: no such key; did you mean 'limits'?",
        ],
    ),
    "approval": (
        changed(
            "version: 1",
            'version: 1\ndefaults: {approve: {calculate: ask, "f(": allow, "calc(2)": allow, "refnd": deny, "*": deny}}',
        ),
        ['t.yaml:2: defaults.approve.calculate: "ask" is none of allow, deny'],
    ),
    "patterns of calls": (
        changed(
            "version: 1",
            'version: 1\ndefaults: {approve: {"f(": allow, "f(2)": allow, calculat: deny, "*": deny}}',
        ),
        [
            "t.yaml:2: defaults.approve.f(: 'f(' is no pattern of a call; write a tool's name, with patterns for its "
            'arguments where they matter: "read_*", "refund(order_id=17*)"',
            "t.yaml:2: defaults.approve.f(2): in 'f(2)', what stands in brackets must be name=pattern or name<=number, "
            "with commas between",
            't.yaml:2: defaults.approve.calculat: fits no tool; did you mean "calculate"?',
        ],
    ),
    "no tasks": (SOUND.split("tasks:")[0], ["t.yaml:1: tasks: is missing"]),
    "an empty list of tasks": (SOUND.split("tasks:")[0] + "tasks: []", ["t.yaml:3: tasks: is empty"]),
    "tasks that are no list": (
        SOUND.split("tasks:")[0] + "tasks: 3",
        ["t.yaml:3: tasks: must be a list, not 3: as in tasks: [{id: …, input: {…}, expect: {…}}]"],
    ),
    "a task that is no mapping": (
        SOUND.split("tasks:")[0] + "tasks: [3]",
        ["t.yaml:3: tasks[0]: must be a mapping, not 3: as in {id: …, input: {…}, expect: {…}}"],
    ),
}

TASKS = {
    "no id": (changed("- id: t\n", "- tags: []\n"), ["t.yaml:4: tasks[0]: id: is missing"]),
    "an id that is a number": (changed("id: t", "id: 17"), ["t.yaml:4: tasks[0]: id: must be text, not 17"]),
    "an id with a space": (
        changed("id: t", "id: a b"),
        ['t.yaml:4: task a b: id: "a b" can\'t be an id: letters, digits and signs without spaces or /'],
    ),
    "an id twice": (
        SOUND + "- id: t\n  input: {question: x}\n  expect: {answer: {answer: 1}}\n",
        ["t.yaml:8: task t: id: another task has this id, in line 4"],
    ),
    "a misspelt key": (
        SOUND + "  splt: test\n",
        ["t.yaml:8: task t: splt: no such key; did you mean 'split'?"],
    ),
    "an unknown split": (
        SOUND + "  split: tset\n",
        ["t.yaml:8: task t: split: \"tset\" is none of train, dev, test; did you mean 'test'?"],
    ),
    "tags that are no list": (
        SOUND + "  tags: a\n",
        ['t.yaml:8: task t: tags: must be a list, not "a": as in tags: [refund]'],
    ),
    "limits": (
        SOUND + "  limits: {steps: 0, usd: -1, tokens: 1.5, seconds: no, calls: 3}\n",
        [
            "t.yaml:8: task t: limits.steps: must be at least 1, not 0",
            "t.yaml:8: task t: limits.tokens: must be a whole number, not 1.5",
            "t.yaml:8: task t: limits.usd: must be more than 0, not -1",
            't.yaml:8: task t: limits.seconds: must be a number, not "no"',
            "t.yaml:8: task t: limits.calls: no such key; did you mean 'tool_calls'?",
        ],
    ),
    "neither an input nor turns": (
        changed('  input: {question: "2 + 2?"}\n', ""),
        ["t.yaml:4: task t: input: is missing: the signature's inputs, as in input: {question: …}; or turns"],
    ),
    "a misspelt input": (
        changed("question:", "qestion:"),
        [
            "t.yaml:5: task t: input.qestion: the signature has no such input; did you mean 'question'?",
        ],
    ),
    "no inputs": (
        changed('{question: "2 + 2?"}', "{}"),
        ["t.yaml:5: task t: input: lacks 'question'; the signature's inputs are question"],
    ),
    "an input that is no mapping": (
        changed('{question: "2 + 2?"}', "3"),
        ["t.yaml:5: task t: input: must be a mapping, not 3: as in input: {FIELD: …}"],
    ),
    "an input of the wrong type": (
        changed("question -> answer: float", "n: int -> answer: float").replace('question: "2 + 2?"', "n: x"),
        ['t.yaml:5: task t: input.n: `n` must be a whole number, not "x"'],
    ),
    "no expectations": (
        changed("expect:", "expcet:"),
        [
            "t.yaml:6: task t: expcet: no such key; did you mean 'expect'?",
        ],
    ),
    "no expectations at all": (
        SOUND.split("  expect:")[0],
        ["t.yaml:4: task t: expect: is missing: as in expect: {answer: {answer: 42}}"],
    ),
    "expectations that are empty": (
        expecting("answer: {}"),
        ["t.yaml:6: task t: expect: expects nothing, so that every run would pass"],
    ),
    "ends in no known way": (
        expecting("ends: sumbit"),
        [
            't.yaml:7: task t: expect.ends[0]: "sumbit" is none of submit, forced_submit, max_steps, max_calls, '
            "max_tokens, max_cost, max_seconds, parse_errors, loop, context, cancelled, lm_error; "
            "did you mean 'submit'?"
        ],
    ),
}

TURN = changed('  input: {question: "2 + 2?"}\n', "  turns: [{user: Hi.}, {user: Bye.}]\n")


def turns(given: str) -> str:
    return TURN.replace("[{user: Hi.}, {user: Bye.}]", given)


def scoring(given: str) -> str:
    return SOUND + f"  score: {given}\n"


TURNS = {
    "no turn": (turns("[]"), ["t.yaml:5: task t: turns: is empty"]),
    "turns that are no list": (
        turns("3"),
        ['t.yaml:5: task t: turns: must be a list, not 3: as in turns: [{user: "…"}]'],
    ),
    "a turn that is text": (
        turns("[Hi.]"),
        ['t.yaml:5: task t: turns[0]: must be a mapping, not "Hi.": as in {user: "…"}'],
    ),
    "a turn of nobody": (
        turns("[{user: Hi.}, {expect: {answer: {answer: 4}}}]"),
        ['t.yaml:5: task t: turns[1]: takes one of user: "…" and simulate: {persona, goal}'],
    ),
    "a turn of two": (
        turns("[{user: Hi., simulate: {persona: a, goal: b}}]"),
        ['t.yaml:5: task t: turns[0]: takes one of user: "…" and simulate: {persona, goal}'],
    ),
    "a misspelt turn": (
        turns("[{usr: Hi.}]"),
        ["t.yaml:5: task t: turns[0].usr: no such key; did you mean 'user'?"],
    ),
    "a user without a goal": (
        turns("[{simulate: {persona: Ann}}]"),
        ["t.yaml:5: task t: turns[0].simulate.goal: is missing"],
    ),
    "a misspelt key of a user": (
        turns("[{simulate: {personna: Ann, goal: b}}]"),
        ["t.yaml:5: task t: turns[0].simulate.personna: no such key; did you mean 'persona'?"],
    ),
    "a user of no turns": (
        turns("[{simulate: {persona: a, goal: b, max_turns: 0}}]"),
        ["t.yaml:5: task t: turns[0].simulate.max_turns: must be at least 1, not 0"],
    ),
    "a user with an empty goal": (
        turns("[{simulate: {persona: a, goal: ''}}]"),
        ["t.yaml:5: task t: turns[0].simulate.goal: is empty"],
    ),
    "what the user says as an input too": (
        TURN + "  input: {question: x}\n",
        ["t.yaml:8: task t: input.question: is what the user says in turns: leave it out here"],
    ),
    "an input that is missing beside turns": (
        TURN.replace("question ->", "question, customer: int ->"),
        ["t.yaml:4: task t: input: lacks 'customer'; the signature's inputs are question, customer"],
    ),
    "an unknown output in a turn": (
        turns("[{user: Hi., expect: {answer: {anwser: 4}}}]"),
        [
            "t.yaml:5: task t: turns[0].expect.answer.anwser: the signature has no such output; "
            "did you mean 'answer'?"
        ],
    ),
    "an unknown tool in a turn": (
        turns("[{user: Hi., expect: {calls: {required: [{tool: refnd}]}}}]"),
        [
            "t.yaml:5: task t: turns[0].expect.calls.required[0].tool: the agent has no tool 'refnd'; "
            "did you mean 'refund'?"
        ],
    ),
    "a state in a turn": (
        turns("[{user: Hi., expect: {state: [{path: orders, length: 1}]}}]"),
        ["t.yaml:5: task t: turns[0].expect.state: there is no world: defaults.world says which"],
    ),
    "turns for a signature without text": (
        TURN.replace("question ->", "n: int ->") + "  input: {n: 3}\n",
        ["t.yaml:5: task t: turns: the signature has no text input for what the user says"],
    ),
    "an unknown input for turns": (
        TURN.replace("agent: {", "agent: {turn_input: qestion, "),
        ["t.yaml:2: agent.turn_input: the signature has no input 'qestion'; did you mean 'question'?"],
    ),
    "an input for turns that is no text": (
        TURN.replace("agent: {", "agent: {turn_input: n, ").replace("question ->", "question, n: int ->")
        + "  input: {question: x, n: 3}\n",
        ["t.yaml:2: agent.turn_input: 'n' is no text, and what a user says is one"],
    ),
    "a call that a turn requires and the task forbids": (
        turns(
            "[{user: Hi., expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}]}}}]"
        ).replace("answer: {answer: 4}", "calls: {forbidden: [{tool: get_order}]}"),
        ["t.yaml:5: task t: turns[0].expect.calls.required[0]: get_order is forbidden in the same task"],
    ),
    "more calls in the turns than the task allows": (
        turns(
            "[{user: Hi., expect: &e {calls: {order: {of: [get_order, refund]}}}}, {user: Bye., expect: *e}]"
        ).replace("answer: {answer: 4}", "calls: {max: {total: 3}}"),
        ["t.yaml:7: task t: expect.calls.max.total: 3 are too few: 4 calls are asked for"],
    ),
    "more calls in the turns than the limit": (
        turns(
            "[{user: Hi., expect: &e {calls: {order: {of: [get_order, refund]}}}}, {user: Bye., expect: *e}]"
        )
        + "  limits: {tool_calls: 3}\n",
        ["t.yaml:6: task t: expect.calls: 4 calls are asked for, but limits.tool_calls is 3"],
    ),
    "an exact order without a turn's call": (
        turns(
            "[{user: Hi., expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}]}}}]"
        ).replace("answer: {answer: 4}", "calls: {order: {mode: exact, of: [refund]}}"),
        ["t.yaml:7: task t: expect.calls.order: exactly these calls, but get_order is required too"],
    ),
    "turns that expect nothing": (
        TURN.split("  expect:")[0],
        ["t.yaml:4: task t: expect: is missing: as in expect: {answer: {answer: 42}}"],
    ),
}

SCORES = {
    "a misspelt key": (
        scoring("{gate: [answer]}"),
        ["t.yaml:8: task t: score.gate: no such key; did you mean 'gates'?"],
    ),
    "an unknown gate": (
        scoring("{gates: [anwser]}"),
        ["t.yaml:8: task t: score.gates[0]: there is no check 'anwser'; did you mean 'answer'?"],
    ),
    "a gate like no check": (
        scoring("{gates: [zzz]}"),
        [
            "t.yaml:8: task t: score.gates[0]: there is no check 'zzz'; there are answer, judge, state, reference, "
            "calls.required, calls.forbidden, calls.order, calls.max, calls.no_repeat, ends"
        ],
    ),
    "a gate that is not checked": (
        scoring("{gates: [calls.required]}"),
        [
            "t.yaml:8: task t: score.gates[0]: the task expects nothing of calls.required; it has answer.answer, answer"
        ],
    ),
    "an unknown weight": (
        scoring("{weights: {answer: 1, answer.repy: 2}}"),
        [
            "t.yaml:8: task t: score.weights.answer.repy: there is no check 'answer.repy'; did you mean 'answer'?"
        ],
    ),
    "a negative weight": (
        scoring("{weights: {answer: -1}}"),
        ["t.yaml:8: task t: score.weights.answer: must be at least 0, not -1"],
    ),
    "weights that are all 0": (
        scoring("{weights: {answer: 0}}"),
        ["t.yaml:8: task t: score.weights: all are 0, so that every run would pass"],
    ),
    "a score that no run can reach": (
        scoring("{pass: 1.5}"),
        ["t.yaml:8: task t: score.pass: must be at most 1, not 1.5"],
    ),
    "a score that every run reaches": (
        scoring("{pass: 0}"),
        ["t.yaml:8: task t: score.pass: must be more than 0, not 0"],
    ),
    "a turn that there is not": (
        scoring("{gates: [turns]}"),
        ["t.yaml:8: task t: score.gates[0]: the task expects nothing of turns; it has answer.answer, answer"],
    ),
}

OWN = 'version: 1\nagent: {program: "PROGRAM"}\n' + SOUND[SOUND.index("tasks:") :]


def own(program: str, more: str = "") -> str:
    return OWN.replace('"PROGRAM"', f'"{program}"{more}')


PROGRAMS = {
    "no such module": (
        own("no_such_module:build"),
        [
            't.yaml:2: agent.program: there is no module "no_such_module": no no_such_module.py in '
            f"{HERE}, and nothing installed by that name"
        ],
    ),
    "no such function": (
        own("own_programs.py:biuld"),
        ['t.yaml:2: agent.program: "own_programs.py:biuld": there is no "biuld"; did you mean "build"?'],
    ),
    "no name": (
        own("own_programs"),
        [
            't.yaml:2: agent.program: "own_programs" is no program: write a saved program\'s .json, "module:name" or "file.py:name"'
        ],
    ),
    "something that can't be called": (
        own("own_programs.py:NUMBER"),
        [
            't.yaml:2: agent.program: "own_programs.py:NUMBER" is int: name a function without arguments that '
            "returns a module"
        ],
    ),
    "a function that returns something else": (
        own("own_programs.py:build_text"),
        ['t.yaml:2: agent.program: "own_programs.py:build_text" returns str, not a module'],
    ),
    "a function that raises": (
        own("own_programs.py:build_broken"),
        ["t.yaml:2: agent.program: \"own_programs.py:build_broken\" can't be built: KeyError: 'MODEL'"],
    ),
    "a program that does not say what it takes": (
        own("own_programs.py:build_silent"),
        [
            "t.yaml:2: agent.signature: is missing: the program does not say what it takes and answers; "
            'as in signature: "question -> answer"'
        ],
    ),
    "a signature that is not the program's": (
        own("own_programs.py:build", ', signature: "question -> anwser: float"').replace(
            "{answer: 4}", "{anwser: 4}"
        ),
        ["t.yaml:2: agent.signature: the program has no field 'anwser'; did you mean 'answer'?"],
    ),
    "tools, a module and instructions beside a program": (
        own("own_programs.py:build", ", tools: [calculate], module: react, instructions: Add."),
        [
            "t.yaml:2: agent.module: the program own_programs.py:build brings its own; leave module out",
            "t.yaml:2: agent.tools: the program own_programs.py:build brings its own; leave tools out",
            "t.yaml:2: agent.instructions: the program own_programs.py:build brings its own; leave instructions out",
        ],
    ),
    "turns for a program that remembers nothing": (
        own("own_programs.py:build").replace('input: {question: "2 + 2?"}', "turns: [{user: Hi.}]"),
        [
            "t.yaml:5: task t: turns: the program can't be told what was said before: give its signature an input of "
            "the type History, as in 'request, history: History -> reply'"
        ],
    ),
    "calls of a program without tools": (
        own("own_programs.py:build_plain").replace("answer: {answer: 4}", "calls: {max: {total: 1}}"),
        ["t.yaml:7: task t: expect.calls: the program own_programs.py:build_plain makes no calls"],
    ),
    "a tool that the program has not": (
        own("own_programs.py:build").replace("answer: {answer: 4}", "calls: {max: {refnd: 1}}"),
        ["t.yaml:7: task t: expect.calls.max.refnd: matches no tool of the agent; did you mean 'refund'?"],
    ),
}

ANSWERS = {
    "a misspelt output": (
        "{anwser: 4}",
        "expect.answer.anwser: the signature has no such output; did you mean 'answer'?",
    ),
    "a value of the wrong type": (
        "{answer: four}",
        'expect.answer.answer: `answer` must be a number, not "four"',
    ),
    "one of several of the wrong type": (
        "{answer: {one_of: [4, five]}}",
        'expect.answer.answer.one_of[1]: `answer` must be a number, not "five"',
    ),
    "a misspelt matcher": (
        "{answer: {equal: 4}}",
        "expect.answer.answer.equal: no such key; did you mean 'equals'? "
        "(to compare with a mapping, write equals: {…})",
    ),
    "a matcher that says nothing": (
        "{answer: {}}",
        "expect.answer.answer: says nothing: give a value, or one of its keys",
    ),
    "a matcher without its value": ("{answer: {regex: }}", "expect.answer.answer: regex is empty"),
    "text to find that is a number": (
        "{answer: {contains: 4}}",
        "expect.answer.answer.contains: must be a list, not 4",
    ),
    "text to find in a number": (
        '{answer: {contains: "4"}}',
        "expect.answer.answer: contains: a number contains nothing; use equals or number",
    ),
    "an unfinished regular expression": (
        '{answer: {regex: "("}}',
        "expect.answer.answer.regex: is no regular expression: missing ), unterminated subpattern at position 0",
    ),
    "a number that is none": (
        "{answer: {number: {value: x}}}",
        'expect.answer.answer.number.value: must be a number, not "x"',
    ),
    "a negative tolerance": (
        "{answer: {number: {value: 4, tol: -1}}}",
        "expect.answer.answer.number.tol: must be at least 0, not -1",
    ),
    "a rubric that is missing": (
        "{answer: {judge: {model: m}}}",
        "expect.answer.answer.judge.rubric: is missing",
    ),
    "a judge that is no mapping": (
        "{answer: {judge: kind}}",
        'expect.answer.answer.judge: must be a mapping, not "kind": as in judge: {rubric: "…"}',
    ),
    "a misspelt key of a judge": (
        "{answer: {judge: {rubric: Kind., modle: m}}}",
        "expect.answer.answer.judge.modle: no such key; did you mean 'model'?",
    ),
    "a threshold that nothing reaches": (
        "{answer: {judge: {rubric: Kind., pass: 2}}}",
        "expect.answer.answer.judge.pass: must be at most 1, not 2",
    ),
    "a JSON Schema of no type": (
        "{answer: {json_schema: {type: nubmer}}}",
        "expect.answer.answer.json_schema: is no JSON Schema: type: 'nubmer' is not valid under any of the given schemas",
    ),
    "a JSON Schema that refers to nothing": (
        '{answer: {json_schema: {$ref: "#/$defs/order"}}}',
        "expect.answer.answer.json_schema: is no JSON Schema: $ref: there is no #/$defs/order in it",
    ),
    "a JSON Schema from elsewhere": (
        '{answer: {json_schema: {$ref: "https://example.com/a.json"}}}',
        "expect.answer.answer.json_schema: is no JSON Schema: $ref: there is no https://example.com/a.json in it",
    ),
    "a tolerance alone": (
        "{answer: {tol: 3}}",
        "expect.answer.answer: tol goes with a plain number, as in number: 20, tol: 0.01",
    ),
}

CALLS = {
    "a misspelt key": ("{requird: []}", "expect.calls.requird: no such key; did you mean 'required'?"),
    "an unknown tool": (
        "{required: [{tool: refnd}]}",
        "expect.calls.required[0].tool: the agent has no tool 'refnd'; did you mean 'refund'?",
    ),
    "a tool like no other": (
        "{forbidden: [{tool: zzz}]}",
        "expect.calls.forbidden[0].tool: the agent has no tool 'zzz'; "
        "there are calculate, get_order, refund, cancel_order, ship",
    ),
    "an unknown tool in the order": (
        "{order: {of: [get_ordr]}}",
        "expect.calls.order.of[0]: the agent has no tool 'get_ordr'; did you mean 'get_order'?",
    ),
    "no tool": ("{required: [{args: {}}]}", "expect.calls.required[0].tool: is missing"),
    "no list": (
        "{required: {tool: refund}}",
        "expect.calls.required: must be a list, not a mapping: as in required: [{tool: NAME, args: {…}}]",
    ),
    "arguments that no call can leave out": (
        "{required: [{tool: refund}]}",
        "expect.calls.required[0]: refund can't be called without 'order_id', 'amount': "
        "name it in args, or write extra: allow",
    ),
    "an argument of the wrong type": (
        "{required: [{tool: refund, args: {order_id: x, amount: 3}}]}",
        'expect.calls.required[0].args.order_id: refund: "order_id" must be an integer, not "x"',
    ),
    "an argument of the wrong type in a matcher": (
        "{forbidden: [{tool: refund, args: {order_id: {not: x}}}]}",
        'expect.calls.forbidden[0].args.order_id.not: refund: "order_id" must be an integer, not "x"',
    ),
    "an unknown argument": (
        "{required: [{tool: refund, args: {order: 3}, extra: allow}]}",
        "expect.calls.required[0].args.order: refund has no parameter 'order'; did you mean 'order_id'?",
    ),
    "an argument like no other": (
        "{forbidden: [{tool: cancel_order, args: {why: x}}]}",
        "expect.calls.forbidden[0].args.why: cancel_order has no parameter 'why': cancel_order(order_id: integer)",
    ),
    "a call that is required and forbidden": (
        "{required: [{tool: get_order, args: {order_id: 17}}], forbidden: [{tool: get_order}]}",
        "expect.calls.required[0]: get_order is forbidden in the same task",
    ),
    "an exact order that leaves a required call out": (
        "{order: {mode: exact, of: [refund]}, required: [{tool: get_order, args: {order_id: 1}}]}",
        "expect.calls.order: exactly these calls, but get_order is required too",
    ),
    "fewer calls of a tool than are required": (
        "{max: {get_order: 1}, required: [{tool: get_order, args: {order_id: 1}, count: 2}]}",
        "expect.calls.max.get_order: 1 are too few: 2 calls are asked for",
    ),
    "fewer calls than the order has": (
        "{max: {total: 1}, order: {of: [get_order, refund]}}",
        "expect.calls.max.total: 1 are too few: 2 calls are asked for",
    ),
    "a pattern that matches no tool": (
        '{max: {"gt_*": 3}}',
        "expect.calls.max.gt_*: matches no tool of the agent; there are calculate, get_order, refund, cancel_order, ship",
    ),
    "a bound that is no number": (
        "{max: {refund: x}}",
        'expect.calls.max.refund: must be a whole number, not "x"',
    ),
    "no_repeat that is no bool": ("{no_repeat: 1}", "expect.calls.no_repeat: must be true or false, not 1"),
    "an empty order": ("{order: {of: []}}", "expect.calls.order.of: is empty"),
    "a judge of an argument": (
        "{forbidden: [{tool: refund, args: {tags: {judge: {rubric: Kind.}}}}]}",
        "expect.calls.forbidden[0].args.tags.judge: a model judges answers, not arguments",
    ),
}


FILES = (WHOLE, TOP, TASKS, TURNS, SCORES, PROGRAMS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [case for group in FILES for case in group.values()],
    ids=[name for group in FILES for name in group],
)
def test_a_broken_file_is_refused_with_its_lines(text: str, wanted: list[str]) -> None:
    assert list(problems(text)) == wanted


@pytest.mark.parametrize(("answer", "wanted"), ANSWERS.values(), ids=ANSWERS)
def test_a_broken_answer_is_refused(answer: str, wanted: str) -> None:
    assert problems(expecting(f"answer: {answer}")) == (f"t.yaml:7: task t: {wanted}",)


@pytest.mark.parametrize(("calls", "wanted"), CALLS.values(), ids=CALLS)
def test_broken_calls_are_refused(calls: str, wanted: str) -> None:
    assert problems(expecting(f"calls: {calls}")) == (f"t.yaml:7: task t: {wanted}",)


def test_more_calls_than_the_limit_are_refused() -> None:
    text = expecting(
        "calls: {required: [{tool: get_order, args: {order_id: 1}, count: 3}]}", "  limits: {tool_calls: 2}\n"
    )
    assert problems(text) == (
        "t.yaml:7: task t: expect.calls: 3 calls are asked for, but limits.tool_calls is 2",
    )


def test_a_number_of_a_bool_is_refused() -> None:
    text = expecting("answer: {answer: {number: 1}}").replace("answer: float", "answer: bool")
    assert problems(text) == (
        "t.yaml:7: task t: expect.answer.answer: number: a bool is no number; use equals",
    )


def test_predict_has_no_calls_no_ending_and_no_limits() -> None:
    text = """\
version: 1
agent: {module: predict, signature: "question -> answer"}
tasks:
- id: t
  input: {question: x}
  expect: {answer: {answer: x}, ends: submit, calls: {max: {total: 1}}}
  limits: {steps: 3}
"""
    assert problems(text) == (
        "t.yaml:6: task t: expect.calls: the module predict makes no calls: only react and code_act do",
        "t.yaml:6: task t: expect.ends: the module predict has no steps to end",
        "t.yaml:7: task t: limits: the module predict has no steps to limit: react, code_act, program_of_thought have",
    )


def test_all_problems_of_all_tasks_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        SOUND.replace("[calculate", "[calculat")
        + "  splt: a\n- {id: u, input: {question: 3}, expect: {answer: {answr: 1}}}\n"
    )
    lines = [problem.split(":")[1] for problem in problems(text)]
    assert lines == ["2", "8", "9"]


def test_a_file_with_a_hundred_problems_names_fifty() -> None:
    tasks = "".join(f"- {{id: t{n}, input: {{question: x}}, expect: {{}}}}\n" for n in range(100))
    found = problems(SOUND.split("- id")[0] + tasks)
    assert len(found) == 51
    assert found[-1] == "t.yaml: and 50 more"


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]" for n in range(9)]
    (found,) = problems("\n".join(lines))
    assert found.endswith(
        "more than 200,000 values, the most that one file may hold (are aliases (*name) multiplied?)"
    )


def test_a_json_file_is_held_to_json() -> None:
    assert problems("version: 1", "t.json") == ("t.json:1: no valid JSON: Expecting value",)
    assert problems('{"a": 1,\n"b": }', "t.json") == ("t.json:2: no valid JSON: Expecting value",)
    assert problems('{"a":\n1,\n\t"a": 2}', "t.json") == (
        "t.json:3: the key 'a' stands twice; first in line 1",
    )
    assert problems("[" * 100_000, "t.json") == ("t.json: nested too deeply",)
    assert problems('{"a": "\\udc00"}', "t.json") == (
        "t.json:1: no valid JSON: found invalid Unicode character escape code",
    )
    assert problems('{"a": ' + "9" * 5000 + "}", "t.json")[0].startswith(
        "t.json: no valid JSON: Exceeds the limit"
    )


def test_a_file_that_is_not_there_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "tasks.yaml").write_text(SOUND)
    with pytest.raises(TaskFileError, match=r"taks.yaml: no such file; did you mean 'tasks.yaml'"):
        TaskFile.load(tmp_path / "taks.yaml")
    with pytest.raises(TaskFileError, match=r"no such file$"):
        TaskFile.load(tmp_path / "nowhere" / "taks.yaml")


FOLDERS = {
    "no file": ([], ", a .yaml or .json; it has none"),
    "one": (["tasks.yaml", "tools.py"], ": it has tasks.yaml"),
    "many": ([f"{n}.json" for n in range(7)], ": it has 0.json, 1.json, 2.json, 3.json, 4.json and 2 more"),
}


@pytest.mark.parametrize(("names", "words"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_is_no_file_and_its_files_are_named(tmp_path: Path, names: list[str], words: str) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(TaskFileError) as caught:
        TaskFile.load(tmp_path)
    assert caught.value.problems == (f"{tmp_path}: is a folder, and a task file is wanted{words}",)


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_bytes(b"version: 1\nname: \xff\n")
    with pytest.raises(TaskFileError, match=r"tasks.yaml:2: not UTF-8 text \(byte 0xff\)"):
        TaskFile.load(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "tasks.yaml"
    with path.open("wb") as file:
        file.truncate(6_000_000)
    with pytest.raises(TaskFileError, match="larger than 5 MB, the most that one file may be"):
        TaskFile.load(path)
