"""Programs of an agent that fail: each row is one fault, in the real sandbox and over HTTP; what they called is done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from agent_runs import Said, Transport, Way, call, each_way, model, said
from openai_server import Serve

from loopwright import CodeAct, Tool, context
from loopwright.sandbox import Limits, ProcessSandbox
from loopwright.seams import HostFunctions
from loopwright.tools import ToolCall, ToolContext

DONE: list[int] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


def book(n: int) -> str:
    """Book seat n."""
    DONE.append(n)
    return f"seat {n} is yours"


def broken(why: str) -> str:
    """Fail."""
    raise ValueError(why)


def hang(waiting: ToolContext) -> str:
    """Never end."""
    waiting.cancelled.wait(60)
    return "late"


def thing() -> object:
    """Give something that has no text form."""
    return object()


def wall() -> str:
    """Give 10 MB."""
    return "x" * 10_000_000


TOOLS: list[Any] = [book, broken, thing, wall, Tool(hang, timeout=0.05)]


def quick(functions: HostFunctions) -> ProcessSandbox:
    limits = Limits(wall_seconds=60, cpu_seconds=1, memory_mb=96, output_chars=2_000)
    return ProcessSandbox(limits, tools=functions)


def program(code: str) -> ToolCall:
    return ToolCall("python", {"code": code})


END = program("submit(answer=3)")


@dataclass(frozen=True)
class Fault:
    name: str
    turns: Sequence[Said]
    results: Sequence[str | None]
    told: str = ""
    done: Sequence[int] = ()
    inner: Sequence[str | None] = ()
    ends: str = "submit"
    answer: object = 3
    transports: tuple[Transport, ...] = ("native", "text")


FAULTS = [
    Fault("no Python at all", [program("book seat 1"), END], ["raised", None], "SyntaxError"),
    Fault("an exception after a call", [program("book(1)\n1 / 0"), END], ["raised", None], "ZeroDivisionError", [1], [None]),
    Fault("an unknown function", [program("book(1)\nbuy(2)"), END], ["raised", None], "buy", [1], [None]),
    Fault("an argument of a wrong type", [program("book('one')"), END], ["raised", None], '"n"', inner=["invalid_args"]),
    Fault("a tool that raises", [program("book(1)\nbroken('no paper')\nbook(2)"), END], ["raised", None], "no paper", [1], [None, "raised"]),
    Fault(
        "a tool that raises, caught",
        [program("try:\n    broken('x')\nexcept Exception as error:\n    print('so', error)\nbook(2)"), END],
        [None, None],
        "so",
        [2],
        ["raised", None],
    ),
    Fault("a tool that hangs", [program("book(1)\nhang()"), END], ["raised", None], "0.05 s", [1], [None, "timeout"]),
    Fault("a result without a text form", [program("thing()"), END], ["raised", None], "no text form", inner=["unserialisable"]),
    Fault("a result of 10 MB", [program("print(len(wall()) > 1000)"), END], ["raised", None], "is too large", inner=[None]),
    Fault("a program that never ends", [program("book(1)\nwhile True: pass"), END], ["raised", None], "ended with timeout", [1], [None]),
    Fault("a program that eats memory", [program("book(1)\nx = 'y' * 10**9"), END], ["raised", None], "memory", [1], [None]),
    Fault("a program that prints without end", [program("while True: print('x' * 500)"), END], ["raised", None], "ended with output"),
    Fault("a program that leaves", [program("book(1)\nexit(3)"), END], ["raised", None], "exit", [1], [None]),
    Fault("half a character", [program("print('caf\\udce9')"), END], [None, None], "caf"),
    Fault("a submit of a wrong type", [program("book(1)\nsubmit(answer='many')"), END], ["raised", None], "whole number", [1], [None]),
    Fault("a submit and then an exception", [program("submit(answer=3)\n1 / 0")], ["raised"]),
    Fault("two submits", [program("submit(answer=3)\nsubmit(answer=4)")], [None]),
    Fault("two programs in a turn", [[program("x = 1\nbook(1)"), program("book(x + 1)")], END], [None] * 3, "seat 2", [1, 2], [None] * 2, transports=("native",)),
    Fault(
        "a submit of its own beside a program",
        [[program("book(1)"), call("submit", answer=3)]],
        [None, None],
        done=[1],
        inner=[None],
        transports=("native",),
    ),
    Fault(
        "one failing program again and again",
        [program("book(1)\n1 / 0")] * 3 + [END],
        ["raised"] * 3 + [None],
        "ZeroDivisionError",
        [1, 1, 1],
        [None],
        "forced_submit",
    ),
]  # fmt: skip

ROWS = [
    pytest.param(fault, transport, id=f"{fault.name}-{transport}")
    for fault in FAULTS
    for transport in fault.transports
]


def in_form(turn: Said, transport: Transport) -> Said:
    """A program as the text form has it; anything else as it is."""
    if transport == "text" and isinstance(turn, ToolCall):
        return (
            f"[[ ## thought ## ]]\nGo on.\n\n[[ ## code ## ]]\n{turn.args['code']}\n\n[[ ## completed ## ]]"
        )
    return turn


@each_way
@pytest.mark.parametrize(("fault", "transport"), ROWS)
def test_a_fault_of_a_program_is_an_observation_and_what_it_called_is_done_once(
    fault: Fault, transport: Transport, way: Way, openai_server: Serve
) -> None:
    server = openai_server(*(said(in_form(turn, transport), transport) for turn in fault.turns))
    agent = CodeAct("question -> answer: int", tools=TOOLS, interpreter=quick)
    with context(lm=model(server, transport)):
        prediction = way(agent, question="?")
    steps = prediction.trajectory.steps
    assert (prediction.termination_reason, prediction.answer) == (fault.ends, fault.answer)
    assert [result.error for step in steps for result in step.results] == list(fault.results)
    assert [result.error for result in steps[0].inner] == list(fault.inner)
    assert list(fault.done) == DONE
    assert len(server.requests) == len(fault.turns)
    if len(server.requests) > 1:
        assert fault.told in str(server.requests[1].body["messages"])
