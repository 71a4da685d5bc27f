"""What running a program in the sandbox costs, beside other ways to run one; run it as a script.

    python tests/benchmarks/bench_sandbox.py [--json FILE]

Milliseconds. Peers take part where they are installed (`pip install smolagents pydantic-monty`). The design's
targets: first start 150, start p99 10, `1 + 1` p50 0.2 and p99 1, tool call p50 0.15, loops at most 1.5 times
plain Python (2 where they read and write attributes all the time).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from loopwright.sandbox import Limits, ProcessSandbox

Run = Callable[[str], object]
LIMITS = Limits(wall_seconds=600, cpu_seconds=600, tool_calls=1_000_000)
STARTS, WARM_RUNS, TOOL_CALLS, ROUNDS = 50, 2_000, 150, 7

LOOPS = {
    "arithmetic loop": """
def work():
    total = 0
    for i in range(100000):
        total = (total * 31 + i) % 1000003
    return total
""",
    "attribute loop": """
class Counter:
    def __init__(self):
        self.total = 0
    def step(self, n):
        self.total += n
        return self.total
counter = Counter()
def work():
    for i in range(100000):
        counter.step(i)
    return counter.total
""",
    "private attribute loop": """
class Counter:
    def __init__(self):
        self._total = 0
    def step(self, n):
        self._total += n
        return self._total
counter = Counter()
def work():
    for i in range(100000):
        counter.step(i)
    return counter.step(0)
""",
}


@contextmanager
def ours() -> Iterator[Run]:
    with ProcessSandbox(LIMITS, tools={"echo": lambda n: n}) as sandbox:
        yield lambda code: checked(sandbox.run(code))


def checked(execution: Any) -> object:
    if not execution.ok:
        raise RuntimeError(str(execution))
    return execution.value


@contextmanager
def plain() -> Iterator[Run]:
    space: dict[str, Any] = {"echo": lambda n: n}
    yield lambda code: exec(code, space)  # noqa: S102 - our own programs, for comparison


@contextmanager
def smolagents() -> Iterator[Run]:
    from smolagents.local_python_executor import LocalPythonExecutor  # type: ignore[import-not-found,unused-ignore]  # a peer

    executor = LocalPythonExecutor([])
    executor.send_tools({"echo": lambda n: n})
    yield executor


@contextmanager
def monty() -> Iterator[Run]:
    from pydantic_monty import Monty  # type: ignore[import-not-found,unused-ignore]  # a peer, where it is installed

    with Monty() as pool, pool.checkout() as session:
        yield lambda code: session.feed_run(code, external_lookup={"echo": lambda n: n})


PEERS = {"smolagents": ("smolagents", smolagents), "monty": ("pydantic_monty", monty)}


def at(share: float, times: list[float]) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000


def timed(work: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times


def measured(engine: Callable[[], Any]) -> dict[str, float]:
    def start_and_stop() -> None:
        with engine():
            pass

    def start() -> float:
        began = time.perf_counter()
        with engine():
            return time.perf_counter() - began

    found = {"first start": at(0, timed(start_and_stop, 1))}
    starts = [start() for _ in range(STARTS)]
    found |= {"start p50": at(0.5, starts), "start p99": at(0.99, starts)}
    with engine() as run:
        warm = timed(lambda: run("1 + 1"), WARM_RUNS)
        found |= {"1 + 1 p50": at(0.5, warm), "1 + 1 p99": at(0.99, warm)}
        calls = timed(lambda: run(f"for i in range({TOOL_CALLS}):\n    echo(i)"), 3)
        found["tool call"] = min(calls) * 1000 / TOOL_CALLS
        for name, source in LOOPS.items():
            run(source)
            found[name] = min(timed(lambda: run("work()"), ROUNDS)) * 1000
    return found


def main() -> None:
    """Measure every engine that is there, and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    target = parser.parse_args().json
    engines: dict[str, Callable[[], Any]] = {"plain Python": plain, "loopwright": ours}
    engines |= {name: engine for name, (package, engine) in PEERS.items() if find_spec(package)}
    results: Mapping[str, dict[str, float]] = {name: measured(engine) for name, engine in engines.items()}
    print(f"{'milliseconds':<24}" + "".join(f"{name:>14}" for name in results))  # noqa: T201 - a script
    for scenario in next(iter(results.values())):
        print(f"{scenario:<24}" + "".join(f"{found[scenario]:>14.3f}" for found in results.values()))  # noqa: T201 - a script
    if target is not None:
        target.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
