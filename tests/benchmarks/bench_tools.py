"""What tools cost on the framework's own side, in microseconds of CPU; run it as a script.

    python tests/benchmarks/bench_tools.py [--peer PYTHON] [--json FILE]

Beside peers: building a tool of five arguments, and checking arguments and calling it, by loopwright, dspy,
pydantic-ai and smolagents, each in a process of its own, round by round in turn. `--peer` names the Python of an
environment that has them; one that it does not have is left out, and told. Each is called in the shortest way in
which its own agents would. The bars: at most half of the next best that checks values to call, and not above the
next best to build. (smolagents checks names and the types of the top level, no values: shown, but no bar.)

Then what else tools do, for loopwright alone. Each figure is the median of nine rounds.
"""

# ruff: noqa: T201  # the tables are what the script is for

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

ROUNDS = 9
TIMES = {"build": 40, "call": 400}  # in one round, beside peers
ARGUMENTS = {"flight": "LW 17", "seats": 2, "price": 99.5, "cabin": "business", "hold": True}
CHECKS_NO_VALUES = "smolagents"

Work = Callable[[], object]
Repeated = Callable[[int], None]


def book(
    flight: str,
    seats: int,
    price: float = 0.0,
    cabin: Literal["economy", "business"] = "economy",
    hold: bool = False,
) -> str:
    """Book seats on a flight.

    Args:
        flight: The flight number.
        seats: How many seats.
        price: The most that may be paid for one.
        cabin: The class.
        hold: Hold the seats without paying.
    """
    return f"{seats} on {flight}"


# ---- one framework, in a process of its own


def repeated(work: Work) -> Repeated:
    def repeat(times: int) -> None:
        for _ in range(times):
            work()

    return repeat


def loopwright() -> tuple[Repeated, Repeated]:
    from loopwright.tools import Tool, ToolCall, ToolRegistry

    registry = ToolRegistry(Tool(book, effect="read"))
    call = ToolCall("book", ARGUMENTS)
    return repeated(lambda: Tool(book, effect="read")), repeated(lambda: registry.call(call))


def dspy() -> tuple[Repeated, Repeated]:
    peer = import_module("dspy")
    tool = peer.Tool(book)
    return repeated(lambda: peer.Tool(book)), repeated(lambda: tool(**ARGUMENTS))


def smolagents() -> tuple[Repeated, Repeated]:
    peer = import_module("smolagents.tools")
    tool = peer.tool(book)

    def call() -> object:
        peer.validate_tool_arguments(tool, ARGUMENTS)
        return tool(**ARGUMENTS)

    return repeated(lambda: peer.tool(book)), repeated(call)


def pydantic_ai() -> tuple[Repeated, Repeated]:
    peer = import_module("pydantic_ai")
    model = import_module("pydantic_ai.models.test").TestModel()
    context = peer.RunContext(deps=None, model=model, usage=peer.RunUsage())
    schema = peer.Tool(book).function_schema

    async def calls(times: int) -> None:
        for _ in range(times):
            await schema.call(schema.validator.validate_python(ARGUMENTS), context)

    return repeated(lambda: peer.Tool(book)), lambda times: asyncio.run(calls(times))


FRAMEWORKS: dict[str, Callable[[], tuple[Repeated, Repeated]]] = {
    "loopwright": loopwright,
    "dspy": dspy,
    "pydantic-ai": pydantic_ai,
    "smolagents": smolagents,
}


def work_for_lines(name: str) -> None:
    """Tell the version, then answer lines such as `build 40` with microseconds of CPU for one."""
    build, call = FRAMEWORKS[name]()
    build(1)
    call(1)
    print(version("pydantic-ai-slim" if name == "pydantic-ai" else name), flush=True)
    for line in sys.stdin:
        what, times = line.split()
        started = time.process_time()
        (build if what == "build" else call)(int(times))
        print((time.process_time() - started) / int(times) * 1e6, flush=True)


# ---- all of them, in turn


@dataclass
class Worker:
    """A framework at work."""

    process: subprocess.Popen[str]
    version: str

    def cost(self, what: str) -> float:
        """Microseconds of CPU for one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(what, TIMES[what], file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


@contextmanager
def working(python: str, name: str) -> Iterator[Worker | None]:
    """The framework, at work; None where that Python does not have it."""
    process = subprocess.Popen(
        [python, __file__, "--worker", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    known = process.stdout.readline().strip()
    try:
        yield Worker(process, known) if known else None
    finally:
        process.communicate()


def beside_peers(python: str) -> dict[str, dict[str, float]]:
    """Medians by framework and work; prints what is left out."""
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in FRAMEWORKS:
            worker = stack.enter_context(working(sys.executable if name == "loopwright" else python, name))
            if worker is None:
                print(f"{name} is not installed in {python}: left out; name a Python that has it with --peer")
            else:
                workers[name] = worker
        costs: dict[str, dict[str, list[float]]] = {name: {what: [] for what in TIMES} for name in workers}
        for _ in range(ROUNDS):
            for what in TIMES:
                for name, worker in workers.items():
                    costs[name][what].append(worker.cost(what))
    return {
        f"{name} {workers[name].version}": {what: statistics.median(rounds) for what, rounds in one.items()}
        for name, one in costs.items()
    }


def print_comparison(medians: dict[str, dict[str, float]]) -> None:
    """A table, and the ratios that count."""
    print(f"\n{'µs of CPU':<24}{'build':>10}{'check and call':>16}")
    for name, one in medians.items():
        note = "  (no values checked)" if name.startswith(CHECKS_NO_VALUES) else ""
        print(f"{name:<24}{one['build']:10.1f}{one['call']:16.1f}{note}")
    (_, ours), *peers = medians.items()
    if peers:
        print(f"build: {ours['build'] / min(one['build'] for _, one in peers):.2f} of the next best (bar: 1)")
    if checking := [one["call"] for name, one in peers if not name.startswith(CHECKS_NO_VALUES)]:
        print(f"call: {ours['call'] / min(checking):.2f} of the next best that checks values (bar: 0.5)")
    print()


# ---- loopwright alone


def typical_cost(work: Work, number: int) -> float:
    """Microseconds of CPU for one go at the work."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(number):
            work()
        rounds.append((time.process_time() - started) / number * 1e6)
    return statistics.median(rounds)


def scenarios() -> dict[str, tuple[Work, int]]:
    """Each with how often it is done in a round."""
    from loopwright.tools import Bm25Index, Tool, ToolCall, ToolRegistry, builtin_tool

    tool = Tool(book, effect="read")
    timed = Tool(book, effect="read", timeout=30)
    args = {**ARGUMENTS, "seats": "2"}
    call, wrong = ToolCall("book", args), ToolCall("book", {**args, "seats": "two"})
    registry = ToolRegistry(tool)
    calculate = builtin_tool("calculate").func
    index = Bm25Index([f"Note {n}: ferry {n % 97} leaves from pier {n % 31}" for n in range(1_000)])
    fresh = count()

    def build_with_a_new_type() -> object:
        func = FunctionType(book.__code__, book.__globals__, "book", book.__defaults__)
        cabins: Any = Literal["economy", f"class {next(fresh)}"]  # a type that no cache has seen
        func.__annotations__ = {**book.__annotations__, "cabin": cabins}
        func.__doc__ = book.__doc__
        return Tool(func, effect="read")

    return {
        "build a tool of 5 arguments": (lambda: Tool(book, effect="read"), 200),
        "the same, one of a type never seen before": (build_with_a_new_type, 200),
        "the function itself": (lambda: tool(flight="LW 17", seats=2), 20_000),
        "coerce 5 arguments": (lambda: tool.coerced(call), 10_000),
        "validate and call (Tool.run)": (lambda: tool.run(call), 10_000),
        "the same through the registry": (lambda: registry.call(call), 10_000),
        "a call that is refused, in words": (lambda: registry.call(wrong), 2_000),
        "a call with a timeout (its own thread)": (lambda: timed.run(call), 500),
        "8 reading calls of one turn, together": (lambda: registry.call_all([call] * 8), 100),
        "calculate, rational": (lambda: calculate("15% of 80 + 2 ^ 10 / 3"), 1_000),
        "search 1,000 documents": (lambda: index.search("ferry pier 7"), 200),
    }


def main() -> None:
    """Print the tables, and write the figures to a file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--peer", default=sys.executable, metavar="PYTHON", help="a Python that has the peers"
    )
    parser.add_argument("--worker", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work_for_lines(options.worker)
        return
    compared = beside_peers(options.peer)
    print_comparison(compared)
    figures = {name: typical_cost(work, number) for name, (work, number) in scenarios().items()}
    for name, cost in figures.items():
        print(f"{name:<42} {cost:9.1f} µs")
    if options.json:
        options.json.write_text(json.dumps({"beside peers": compared, "alone": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
