"""The interpreter with DSPy's surface, and the sandbox from asynchronous code."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from more_time import in_seconds

from loopwright.sandbox import (
    CodeInterpreterError,
    FinalOutput,
    Level,
    Limits,
    ProcessSandbox,
    PythonInterpreter,
    StopProgram,
    probe,
)

LEVEL: Level = probe().level


@pytest.fixture
def interpreter() -> Iterator[PythonInterpreter]:
    with PythonInterpreter(sandbox=ProcessSandbox(level=LEVEL)) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("1 + 1", 2),
        ("print('hi')", "hi"),
        ("print('hi')\n7", 7),
        ("{1, 2}", "{1, 2}"),
        ("x = 1", ""),
        ("[n for n in range(3)]", [0, 1, 2]),
    ],
)
def test_execute_gives_the_value_or_what_was_printed(
    interpreter: PythonInterpreter, code: str, answer: object
) -> None:
    assert interpreter.execute(code) == answer
    assert interpreter(code) == answer


def test_variables_are_handed_in_and_stay(interpreter: PythonInterpreter) -> None:
    assert interpreter.execute("total = sum(prices)\ntotal", {"prices": [1, 2]}) == 3
    assert interpreter.execute("total + 1") == 4


def test_tools_may_be_added_between_calls(interpreter: PythonInterpreter) -> None:
    interpreter.tools["double"] = lambda n: 2 * n
    assert interpreter.execute("double(4)") == 8


def test_a_tool_may_be_replaced_between_calls(interpreter: PythonInterpreter) -> None:
    for answer in ("first", "second"):
        interpreter.tools["ask"] = lambda answer=answer: answer
        assert interpreter.execute("ask()") == answer


def test_submit_ends_the_program_with_its_value(interpreter: PythonInterpreter) -> None:
    assert interpreter.execute("kept = 1\nSUBMIT({'a': 1})\nkept = 2") == FinalOutput({"a": 1})
    assert interpreter.execute("kept") == 1


@pytest.mark.parametrize("call", ["SUBMIT('x', 2)", "SUBMIT(n=2, text='x')", "SUBMIT('x', n=2)"])
def test_submit_takes_the_output_fields(call: str) -> None:
    fields = [{"name": "text", "type": "str"}, {"name": "n"}]
    with PythonInterpreter(output_fields=fields, sandbox=ProcessSandbox(level=LEVEL)) as interpreter:
        assert interpreter.execute(call) == FinalOutput({"text": "x", "n": 2})


@pytest.mark.parametrize("call", ["SUBMIT()", "SUBMIT(1, 2, 3)", "SUBMIT(text='x')", "SUBMIT(1, other=2)"])
def test_a_wrong_submit_says_what_it_takes(call: str) -> None:
    fields = [{"name": "text"}, {"name": "n"}]
    interpreter = PythonInterpreter(output_fields=fields, sandbox=ProcessSandbox(level=LEVEL))
    with interpreter, pytest.raises(CodeInterpreterError, match="SUBMIT takes text, n"):
        interpreter.execute(call)


def test_submit_without_fields_takes_one_value(interpreter: PythonInterpreter) -> None:
    with pytest.raises(CodeInterpreterError, match="SUBMIT takes one value; 2 were given"):
        interpreter.execute("SUBMIT(1, 2)")


def test_errors_are_raised_with_the_programs_own_lines(interpreter: PythonInterpreter) -> None:
    with pytest.raises(SyntaxError, match="was never closed"):
        interpreter.execute("print((")
    with pytest.raises(CodeInterpreterError, match="line 2\n    1 / 0"):
        interpreter.execute("x = 1\n1 / 0")
    with pytest.raises(CodeInterpreterError, match="was not run"):
        interpreter.execute("f.__globals__")


@in_seconds(0.2)
def test_limits_are_the_sandboxes(seconds: float) -> None:
    engine = ProcessSandbox(Limits(wall_seconds=seconds), level=LEVEL)
    with PythonInterpreter(sandbox=engine) as interpreter, pytest.raises(CodeInterpreterError) as caught:
        interpreter.execute("while True: pass")
    assert "TimeLimit" in str(caught.value)


def test_a_tool_may_end_the_program() -> None:
    def stop() -> None:
        raise StopProgram

    with ProcessSandbox(tools={"stop": stop}, level=LEVEL) as engine:
        execution = engine.run("print('a')\nstop()\nprint('b')")
        assert (execution.end, execution.stdout, execution.session_kept) == ("ok", "a\n", True)


@in_seconds(0.2)
def test_arun_does_not_block_the_loop(seconds: float) -> None:
    async def both() -> tuple[object, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        with ProcessSandbox(level=LEVEL) as engine:
            ticking = asyncio.create_task(tick())
            execution = await engine.arun("import time\ntime.sleep(n)\n2", {"n": seconds})
            ticking.cancel()
        return execution.value, ticks

    value, ticks = asyncio.run(both())
    assert value == 2
    assert ticks >= 3


def test_cancelling_arun_ends_the_program() -> None:
    async def cancelled() -> float:
        with ProcessSandbox(Limits(wall_seconds=60, cpu_seconds=60), level=LEVEL) as engine:
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(engine.arun("while True: pass"), 0.2)
            assert engine.run("1").value == 1
            return time.monotonic() - began

    assert asyncio.run(cancelled()) < 60


def test_another_thread_may_interrupt_a_program() -> None:
    begun = threading.Event()
    limits = Limits(wall_seconds=60, cpu_seconds=60)
    with ProcessSandbox(limits, tools={"begun": begun.set}, level=LEVEL) as engine:
        engine.run("kept = 1")
        engine.interrupt()  # nothing runs: nothing happens
        assert engine.run("kept").value == 1

        def interrupt() -> None:
            begun.wait(60)
            engine.interrupt()

        threading.Thread(target=interrupt).start()
        execution = engine.run("begun()\nwhile True: pass")
        assert (execution.end, execution.session_kept) == ("killed", False)
