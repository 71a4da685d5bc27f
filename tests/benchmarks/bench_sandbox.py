"""What running a program in the sandbox costs, beside other ways to run one; run it as a script.

    python tests/benchmarks/bench_sandbox.py [--json FILE]

Peers take part where they are installed: `make bench-peers` makes an environment that has them
(smolagents' LocalPythonExecutor, pydantic-monty, DSPy's interpreter in Deno). What does not take part is told, with
the reason. The last column is the design's target for loopwright: loops at most 1.5 times plain Python, 2 where
they read and write attributes all the time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loopwright.sandbox import Limits, ProcessSandbox

Run = Callable[[str], object]
LIMITS = Limits(wall_seconds=600, cpu_seconds=600, tool_calls=1_000_000)
STARTS, WARM_RUNS, TOOL_CALLS, ROUNDS = 50, 2_000, 150, 15
START_SECONDS = 20.0  # spent on starts at most: a slow one is started less often

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


# What DSPy's runner imports from deno.land is one function; where that site is not reached, this stands in for it.
DENO_LAND = "https://deno.land/std@0.186.0/io/mod.ts"
READ_LINES = """
export async function* readLines(reader) {
  const decoder = new TextDecoder(), part = new Uint8Array(65536);
  let rest = "";
  for (let count; (count = await reader.read(part)) !== null;) {
    rest += decoder.decode(part.subarray(0, count), { stream: true });
    const lines = rest.split("\\n");
    rest = lines.pop();
    yield* lines;
  }
}
"""


@contextmanager
def dspy() -> Iterator[Run]:
    from dspy.primitives.python_interpreter import (  # type: ignore[import-not-found,unused-ignore]  # a peer
        CodeInterpreterError,
        PythonInterpreter,
    )

    tools = {"echo": lambda n: n}
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(PythonInterpreter(tools=tools))
            engine.start()
        except CodeInterpreterError:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            (folder / "lines.js").write_text(READ_LINES, encoding="ascii")
            imports = {"imports": {DENO_LAND: (folder / "lines.js").as_uri()}}
            (folder / "map.json").write_text(json.dumps(imports), encoding="ascii")
            deno, run, *rest = PythonInterpreter().deno_command
            command = [deno, run, f"--import-map={folder / 'map.json'}", *rest]
            engine = stack.enter_context(PythonInterpreter(deno_command=command, tools=tools))
        yield engine.execute


PEERS = {
    "smolagents": ("smolagents", smolagents),
    "monty": ("pydantic_monty", monty),
    "DSPy (Deno)": ("dspy", dspy),
}
TARGETS = {
    "first start": 150,
    "start p99": 10,
    "1 + 1 p50": 0.2,
    "1 + 1 p99": 1,
    "tool call": 0.15,
    "  times plain Python (arithmetic)": 1.5,
    "  times plain Python (attribute)": 2,
    "  times plain Python (private)": 2,
}


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
    starts = [start() for _ in range(max(3, min(STARTS, int(START_SECONDS * 1000 / found["first start"]))))]
    found |= {"start p50": at(0.5, starts), "start p99": at(0.99, starts)}
    with engine() as run:
        warm = timed(lambda: run("1 + 1"), WARM_RUNS)
        found |= {"1 + 1 p50": at(0.5, warm), "1 + 1 p99": at(0.99, warm)}
        calls = timed(lambda: run(f"for i in range({TOOL_CALLS}):\n    echo(i)"), 3)
        found["tool call"] = min(calls) * 1000 / TOOL_CALLS
        for name, source in LOOPS.items():
            found |= beside_plain(name, source, run)
    return found


def beside_plain(name: str, source: str, run: Run) -> dict[str, float]:
    """A loop's best time, and how often plain Python's goes into it: the two in turns, since machines vary."""
    ours, others = [], []
    with plain() as run_plain:
        for each in (run, run_plain):
            each(source)
        for _ in range(ROUNDS):
            ours += timed(lambda: run("work()"), 1)
            others += timed(lambda: run_plain("work()"), 1)
    return {name: min(ours) * 1000, f"  times plain Python ({name.split()[0]})": min(ours) / min(others)}


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each scenario, a column for each engine, and at the end loopwright's target."""
    lines = [f"{'milliseconds':<36}" + "".join(f"{name:>14}" for name in (*results, "target"))]
    for scenario in results["loopwright"]:
        most = TARGETS.get(scenario)
        met = most is not None and results["loopwright"][scenario] <= most
        verdict = "" if most is None else f"{most:>14} {'met' if met else 'missed'}"
        cells = "".join(f"{found[scenario]:>14.3f}" for found in results.values())
        lines.append(f"{scenario:<36}{cells}{verdict}")
    return "\n".join(lines)


def main() -> None:
    """Measure every engine that is there, and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    target = parser.parse_args().json
    engines: dict[str, Callable[[], Any]] = {"plain Python": plain, "loopwright": ours}
    absent = {name: "not installed" for name, (package, _) in PEERS.items() if not find_spec(package)}
    engines |= {name: engine for name, (_, engine) in PEERS.items() if name not in absent}
    results: dict[str, dict[str, float]] = {}
    for name, engine in engines.items():
        try:
            results[name] = measured(engine)
        except Exception as error:
            if name not in PEERS:
                raise
            absent[name] = f"{type(error).__name__}: {error}"[:300]
    print(table(results))  # noqa: T201 - a script
    for name, reason in absent.items():
        print(f"{name} takes no part: {reason}")  # noqa: T201 - a script
    if target is not None:
        target.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
