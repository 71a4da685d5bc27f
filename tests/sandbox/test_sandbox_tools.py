"""Tools of the host are functions inside: their values, their failures, their limits, and the clock meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from more_time import in_seconds

from loopwright.sandbox import Level, Limits, ProcessSandbox, probe

LEVEL: Level = probe().level  # what this system reaches; the tests hold it to that


def add(a: int, b: int = 1) -> int:
    return a + b


def fail(text: str) -> None:
    raise LookupError(text)


def slow() -> str:
    time.sleep(0.6)
    return "late"


TOOLS: dict[str, Callable[..., object]] = {
    "add": add,
    "fail": fail,
    "slow": slow,
    "strange": lambda: {1, 2},
    "huge": lambda: "x" * 10_000_000,
    "nested": lambda: {"a": [(1, None)]},
}


@pytest.fixture
def engine() -> Iterator[ProcessSandbox]:
    with ProcessSandbox(Limits(wall_seconds=60, tool_calls=5), tools=TOOLS, level=LEVEL) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("add(2, b=3)", 5),
        ("add(*[1], **{'b': 1})", 2),
        ("[add(n) for n in range(3)]", [1, 2, 3]),
        ("nested()", {"a": [[1, None]]}),
        ("add.__name__", "add"),
        ("callable(add)", True),
    ],
)
def test_a_tool_is_called_by_name(engine: ProcessSandbox, code: str, value: object) -> None:
    execution = engine.run(code)
    assert execution.ok, execution.error
    assert execution.value == value


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("fail('no such order')", "fail() failed: LookupError: no such order"),
        ("add('a')", "add() failed: TypeError"),
        ("add()", "missing 1 required positional argument"),
        ("strange()", "strange() gave a set"),
        ("huge()", "huge() gave a str"),
    ],
)
def test_a_tool_that_fails_raises_in_the_program(engine: ProcessSandbox, code: str, message: str) -> None:
    execution = engine.run(code)
    assert execution.error is not None
    assert (execution.end, execution.error.type) == ("error", "ToolError")
    assert message in execution.error.message


def test_a_program_can_catch_a_tool_that_fails(engine: ProcessSandbox) -> None:
    assert engine.run("try:\n    fail('x')\nexcept ToolError as e:\n    found = str(e)\nfound").value


def test_arguments_that_are_no_json_are_refused_inside(engine: ProcessSandbox) -> None:
    execution = engine.run("add({1, 2})")
    assert execution.error is not None
    assert execution.error.type == "TypeError"
    assert "takes numbers, strings, lists" in execution.error.message


def test_calls_are_counted_for_each_run(engine: ProcessSandbox) -> None:
    assert engine.run("[add(n) for n in range(5)]").ok
    execution = engine.run("[add(n) for n in range(6)]")
    assert "a program may make 5" in str(execution.error)
    assert engine.run("add(1)").ok


@in_seconds(0.5)
def test_the_clock_stands_still_while_a_tool_works(seconds: float) -> None:
    with ProcessSandbox(Limits(wall_seconds=seconds), tools=TOOLS, level=LEVEL) as engine:
        execution = engine.run("slow() + slow()")
        assert execution.value == "latelate"
        assert engine.run("slow()\nwhile True: pass").end == "timeout"


def test_a_tool_that_interrupts_the_host_ends_the_session() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with ProcessSandbox(tools={"interrupt": interrupt}, level=LEVEL) as engine:
        engine.run("x = 1")
        with pytest.raises(KeyboardInterrupt):
            engine.run("interrupt()")
        assert engine.run("x").end == "error"


def test_a_program_may_name_its_own_things_as_a_tool(engine: ProcessSandbox) -> None:
    assert engine.run("def add(a): return 'mine'\nadd(1)").value == "mine"


def test_a_tool_is_no_way_out(engine: ProcessSandbox) -> None:
    assert engine.run("add.__globals__").end == "refused"
    assert engine.run("getattr(add, '__clo' + 'sure__')").end == "error"
    assert engine.run("add.note = 1").end == "error"
