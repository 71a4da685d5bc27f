"""What tools cost on the framework's own side, in microseconds of CPU; run it as a script.

    python tests/benchmarks/bench_tools.py [--json FILE]

Each figure is the median of nine rounds. The design's first bars: 400 to build a tool of five arguments, 25 to
validate its arguments and call it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from loopwright.tools import Bm25Index, Tool, ToolCall, ToolRegistry, builtin_tool

ROUNDS = 9


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


def typical_cost(work: Callable[[], object], number: int) -> float:
    """Microseconds of CPU for one go at the work."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(number):
            work()
        rounds.append((time.process_time() - started) / number * 1e6)
    return statistics.median(rounds)


def scenarios() -> dict[str, tuple[Callable[[], object], int]]:
    """Each with how often it is done in a round."""
    tool = Tool(book, effect="read")
    timed = Tool(book, effect="read", timeout=30)
    args = {"flight": "LW 17", "seats": "2", "price": 99.5, "cabin": "business", "hold": True}
    call, wrong = ToolCall("book", args), ToolCall("book", {**args, "seats": "two"})
    registry = ToolRegistry(tool)
    calculate = builtin_tool("calculate").func
    index = Bm25Index([f"Note {n}: ferry {n % 97} leaves from pier {n % 31}" for n in range(1_000)])
    return {
        "build a tool of 5 arguments": (lambda: Tool(book, effect="read"), 200),
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
    """Print a table, and write the figures to a file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    options = parser.parse_args()
    figures = {name: typical_cost(work, number) for name, (work, number) in scenarios().items()}
    for name, cost in figures.items():
        print(f"{name:<42} {cost:9.1f} µs")  # noqa: T201 - the table is what the script is for
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
