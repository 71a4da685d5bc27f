"""What a run gives back: values, text, errors, and the variables of a session."""

from __future__ import annotations

import math
import threading
import time

import pytest

from loopwright.sandbox import Execution, Failure, Level, Limits, ProcessSandbox, Sandbox, probe

LEVEL: Level = probe().level  # what this system reaches; the tests hold it to that


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", 2),
        ("'a' * 3", "aaa"),
        ("[1, 2.5, None, True]", [1, 2.5, None, True]),
        ("{'a': {'b': [1]}}", {"a": {"b": [1]}}),
        ("(1, (2,))", [1, [2]]),
        ("2 ** 100", 2**100),
        ("x = 5\nx", 5),
        ("x = 5", None),
        ("def f():\n    return 4\nf()", 4),
        ("# only a comment", None),
        ("", None),
        ("'\\ud800'", "\ud800"),
    ],
)
def test_the_value_of_the_last_expression_comes_back(
    sandbox: ProcessSandbox, code: str, value: object
) -> None:
    execution = sandbox.run(code)
    assert execution.ok, execution.error
    assert execution.value == value
    assert type(execution.value) is type(value)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("{1, 2}", "{1, 2}"),
        ("{1: 'a'}", "{1: 'a'}"),
        ("b'ab'", "b'ab'"),
        ("3 + 4j", "(3+4j)"),
        ("float('nan')", "nan"),
        ("from decimal import Decimal\nDecimal('1.50')", "Decimal('1.50')"),
        ("class A:\n    def __repr__(self): return 'an A'\n[A()]", "[an A]"),
        ("import math\nmath", "<module 'math'>"),
        ("l = [1]\nl.append(l)\nl", "[1, [...]]"),
        ("(1,), {}, [], set(), ''", "((1,), {}, [], set(), '')"),
        ("1 << 100_000", "<an int of 100001 bits>"),
        ("type(5), type(len), type", "(<class 'int'>, <class 'builtin_function_or_method'>, <class 'type'>)"),
    ],
)
def test_a_value_that_is_no_json_comes_as_text(sandbox: ProcessSandbox, code: str, shown: str) -> None:
    execution = sandbox.run(code)
    assert execution.value_repr == shown


def test_a_long_value_is_shown_in_part_and_not_copied() -> None:
    with ProcessSandbox(Limits(value_chars=100, repr_chars=20), level=LEVEL) as engine:
        execution = engine.run("list(range(1000))")
    assert execution.value is None
    assert execution.value_repr == "[0, 1, 2, 3, 4, 5, …"


def test_printed_text_comes_back_with_stderr_in_its_place(sandbox: ProcessSandbox) -> None:
    execution = sandbox.run("import sys\nprint('a', 1)\nprint('b', file=sys.stderr)\nprint('c', end='')")
    assert execution.stdout == "a 1\nb\nc"


def test_variables_functions_and_imports_live_from_run_to_run(sandbox: ProcessSandbox) -> None:
    sandbox.run("import math\ndef area(r):\n    return math.pi * r * r\nradius = 2")
    assert sandbox.run("area(radius)").value == pytest.approx(4 * math.pi)


def test_printed_text_and_value_belong_to_one_run_only(sandbox: ProcessSandbox) -> None:
    sandbox.run("print('first')\n41")
    second = sandbox.run("y = 1")
    assert (second.stdout, second.value, second.value_repr) == ("", None, "")


def test_two_sessions_share_nothing(sandbox: ProcessSandbox) -> None:
    sandbox.run("x = 'mine'")
    with ProcessSandbox(level=LEVEL) as other:
        assert other.run("x").end == "error"


def test_two_sessions_draw_different_random_numbers() -> None:
    drawn = set()
    for _ in range(3):
        with ProcessSandbox(level=LEVEL) as engine:
            drawn.add(engine.run("import random\nrandom.random()").value_repr)
    assert len(drawn) == 3


def test_inputs_are_variables_and_never_source(sandbox: ProcessSandbox) -> None:
    text = "'); import os; print('"
    execution = sandbox.run(
        "(len(text), numbers[1], table['k'])", {"text": text, "numbers": [1, 2], "table": {"k": None}}
    )
    assert execution.value == [len(text), 2, None]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a b": 1}, "'a b' can't name an input"),
        ({"class": 1}, "'class' can't name an input"),
        ({"__builtins__": {}}, "'__builtins__' can't name an input"),
        ({"f": print}, r"the input 'f' \(builtin_function_or_method\) can't be handed in"),
        ({"s": {1, 2}}, "the input 's'"),
    ],
)
def test_an_input_that_can_not_be_handed_in_says_which(
    sandbox: ProcessSandbox, inputs: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        sandbox.run("1", inputs)


def test_an_error_shows_the_lines_of_the_program_and_nothing_else(sandbox: ProcessSandbox) -> None:
    execution = sandbox.run("def average(xs):\n    return sum(xs) / len(xs)\n\nprint('start')\naverage([])\n")
    assert execution == Execution(
        "error",
        stdout="start\n",
        error=Failure(
            "ZeroDivisionError",
            "division by zero",
            2,
            "Traceback (most recent call last):\n  line 5\n    average([])\n  line 2, in average\n"
            "    return sum(xs) / len(xs)\nZeroDivisionError: division by zero",
        ),
    )


@pytest.mark.parametrize(
    ("code", "kind", "line", "text"),
    [
        ("x = (1,\ny = 2", "SyntaxError", 1, "'(' was never closed"),
        ("def f():\nreturn 1", "IndentationError", 2, "expected an indented block"),
        ("\n\nundefined", "NameError", 3, "name 'undefined' is not defined"),
        ("import numpy.linalg.nothing", "ModuleNotFoundError", 1, "there are abc, array"),
        ("from math import nothing", "ImportError", 1, "cannot import name 'nothing' from 'math'"),
        ("import math\nmath.nothing", "AttributeError", 2, "module 'math' has no 'nothing' in the sandbox"),
        ("class E(Exception): pass\nraise E('own')", "E", 2, "own"),
        ("raise SystemExit(3)", "SystemExit", 1, "3"),
        ("open('x')", "PermissionError", 1, "files can't be opened in the sandbox"),
        ("int('x')", "ValueError", 1, "invalid literal"),
    ],
)
def test_an_error_names_its_type_and_line(
    sandbox: ProcessSandbox, code: str, kind: str, line: int, text: str
) -> None:
    execution = sandbox.run(code)
    assert execution.error is not None
    assert (execution.end, execution.error.type, execution.error.line) == ("error", kind, line)
    assert text in execution.error.message
    assert "/" not in execution.error.traceback


def test_an_error_in_a_function_of_an_earlier_run_shows_that_source(sandbox: ProcessSandbox) -> None:
    sandbox.run("\n\ndef half(x):\n    return x / 0")
    execution = sandbox.run("half(2)")
    assert execution.error is not None
    assert execution.error.line == 1
    assert "line 4 of an earlier program, in half\n    return x / 0" in execution.error.traceback


def test_a_chained_error_tells_of_its_cause(sandbox: ProcessSandbox) -> None:
    execution = sandbox.run("try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('bad') from e")
    assert "(while dealing with KeyError: 'k')" in str(execution.error)


def test_a_deep_recursion_is_told_in_few_lines(sandbox: ProcessSandbox) -> None:
    execution = sandbox.run("def f(n):\n    return f(n + 1)\nf(0)")
    assert execution.error is not None
    assert execution.error.type == "RecursionError"
    assert "more calls ..." in execution.error.traceback
    assert len(execution.error.traceback.splitlines()) < 40


def test_a_program_that_the_policy_refuses_is_not_run_at_all(sandbox: ProcessSandbox) -> None:
    execution = sandbox.run("print('started')\nx = 1\n().__class__.__base__.__globals__\nf.gi_frame")
    assert (execution.end, execution.stdout) == ("refused", "")
    assert execution.error is not None
    assert (execution.error.type, execution.error.line) == ("PolicyError", 3)
    assert (
        "line 4: the attribute 'gi_frame' is not available here\n    f.gi_frame" in execution.error.traceback
    )


def test_a_program_that_is_too_long_is_refused() -> None:
    execution = ProcessSandbox(Limits(code_chars=10), level=LEVEL).run("x = 1 + 1 + 1")
    assert execution.end == "refused"
    assert "13 characters; at most 10" in str(execution.error)


def test_leaving_by_exit_is_a_normal_end(sandbox: ProcessSandbox) -> None:
    assert sandbox.run("print('a')\nexit()\nprint('b')").stdout == "a\n"
    assert sandbox.run("import sys\nsys.exit()").ok


def test_a_sandbox_starts_at_its_first_run_and_again_after_close() -> None:
    engine = ProcessSandbox(level=LEVEL)
    assert engine.run("x = 1\nx").value == 1
    engine.close()
    engine.close()
    assert engine.run("x").end == "error"
    engine.close()


def test_a_process_sandbox_is_a_sandbox() -> None:
    def total(engine: Sandbox) -> object:
        with engine:
            return engine.run("sum(xs)", {"xs": [1, 2]}).value

    assert total(ProcessSandbox(level=LEVEL)) == 3


def test_threads_may_share_a_sandbox_and_take_turns(sandbox: ProcessSandbox) -> None:
    sandbox.run("count = 0")

    def work() -> None:
        for _ in range(20):
            assert sandbox.run("count += 1").ok

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.run("count").value == 80


def test_many_threads_may_each_have_a_sandbox() -> None:
    values: list[object] = []

    def work(n: int) -> None:
        with ProcessSandbox(level=LEVEL) as engine:
            values.append(engine.run("n * n", {"n": n}).value)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, values)) == sorted(str(n * n) for n in range(12))


def test_an_execution_reads_as_what_was_printed_and_what_came_of_it(sandbox: ProcessSandbox) -> None:
    assert str(sandbox.run("print('a')\n5")) == "a\n5"
    assert str(sandbox.run("1/0")).endswith("ZeroDivisionError: division by zero")


def test_the_time_that_a_run_took_is_told(sandbox: ProcessSandbox) -> None:
    began = time.monotonic()
    execution = sandbox.run("import time\ntime.sleep(0.05)")
    assert 0.05 <= execution.seconds <= time.monotonic() - began
