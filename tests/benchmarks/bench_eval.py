"""An evaluation of many trials at once: how near it comes to the rate that the model's waiting alone would allow.

    python tests/benchmarks/bench_eval.py [--trials N] [--workers N] [--milliseconds N] [--loop] [--json FILE] [--profile]

An agent of five steps on a model in this process that answers after 50 ms, 64 trials at once, in threads or
(--loop) as tasks on an event loop: the ideal rate is workers / (steps x latency). The run goes through the
engine and into a folder, as `loopwright eval --out` does. Printed: trials a second and their part of the ideal,
CPU a trial, memory before, at its peak while trials are made, and after the report; the time that the report
takes, and its size.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loopwright import context
from loopwright.evaluation import TaskFile, plan
from loopwright.evaluation.reports.page import write_page
from loopwright.evaluation.runs.folder import RunFolder
from loopwright.evaluation.runs.junit import write_junit
from loopwright.evaluation.runs.spending import run_budget
from loopwright.evaluation.trials.engine import TrialExecutor, UnderWay, amake_trial, make_trial
from loopwright.evaluation.workers import Loop, Threads
from loopwright.models import BaseLM, Capabilities, LMRequest, LMResponse, Usage
from loopwright.tools import ToolCall

STEPS = 5

TOOLS = '''
def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return a + b

TOOLS = [add]
'''


class Waiting(BaseLM):
    """A model that calls `add` until its last step, each answer after so many seconds."""

    model = "waiting"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @property
    def capabilities(self) -> Capabilities:
        """It calls tools."""
        return Capabilities(native_tools=True)

    def complete(self, request: LMRequest) -> LMResponse:
        """Answer after a while; blocks."""
        time.sleep(self.seconds)
        return self._answer(request)

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """Answer after a while."""
        await asyncio.sleep(self.seconds)
        return self._answer(request)

    def _answer(self, request: LMRequest) -> LMResponse:
        turn = 1 + sum(message.role == "assistant" for message in request.messages)
        made = ToolCall("submit", {"answer": 9}, f"c{turn}")
        call = ToolCall("add", {"a": turn, "b": 4}, f"c{turn}") if turn < STEPS else made
        return LMResponse(f"Step {turn}.", (call,), usage=Usage(200 * turn, 20, usd=0.0001))


def task_file(folder: Path, count: int) -> TaskFile:
    """A file of so many tasks."""
    (folder / "adding.py").write_text(TOOLS)
    tasks = "".join(
        f"- {{id: t{n}, input: {{question: 'What is {n}?'}}, expect: {{answer: {{answer: 9}},"
        " calls: {required: [{tool: add, args: {a: 1, b: 4}}], max: {total: 8}}, ends: submit}}\n"
        for n in range(count)
    )
    head = 'version: 1\nagent: {signature: "question -> answer: int", tools: ["adding.py:TOOLS"]}\ntasks:\n'
    return TaskFile.parse(head + tasks, "adding.yaml", base=folder)


def peak_memory() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory() -> float:
    """What it holds now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def threaded(workers: int) -> TrialExecutor:
    """Trials in threads."""
    return Threads(make_trial, workers)


def looped(workers: int) -> TrialExecutor:
    """Trials as tasks on an event loop."""
    return Loop(amake_trial, workers)


def measure(
    trials: int,
    workers: int,
    seconds: float,
    make: Callable[[int], TrialExecutor],
    profile: cProfile.Profile | None,
) -> dict[str, Any]:
    """Make the trials into a folder, then the report."""
    model = Waiting(seconds)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        planned = plan(task_file(folder, trials))
        began = memory()
        middle = 0.0
        with RunFolder.begin(folder / "run", planned, model) as run:
            run.start()
            budget = run_budget({})
            started, cpu = time.perf_counter(), time.process_time()
            if profile is not None:
                profile.enable()
            with context(lm=model), budget, UnderWay(planned, make(workers)) as work:
                for done, result in enumerate(work, 1):
                    assert result.passed, result.failure
                    run.add(result)
                    middle = memory() if done == trials // 2 else middle
            took, used = time.perf_counter() - started, time.process_time() - cpu
            if profile is not None:
                profile.disable()
            during = memory()
            run.finish("complete", budget)
            started = time.perf_counter()
            report = run.report()
            written = report.write(folder / "run")
            write_junit(report, folder / "run")
            page = write_page(json.loads(written.read_bytes()), folder / "run")
            reporting = time.perf_counter() - started
            ideal = workers / (STEPS * seconds)
            return {
                "trials": trials,
                "rate": trials / took,
                "part of ideal": trials / took / ideal,
                "CPU ms a trial": 1000 * used / trials,
                "MiB at the start": began,
                "MiB halfway": middle,
                "MiB at the end": during,
                "MiB at the peak, with the report": peak_memory(),
                "report, seconds": reporting,
                "report.html, MB": page.stat().st_size / 1e6,
            }


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--milliseconds", type=float, default=50)
    parser.add_argument(
        "--loop", action="store_true", help="as tasks on an event loop, rather than in threads"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--profile", action="store_true", help="print where the time of the loop's thread goes"
    )
    options = parser.parse_args()
    seconds = options.milliseconds / 1000
    profile = cProfile.Profile() if options.profile else None
    make = looped if options.loop else threaded
    figures = measure(options.trials, options.workers, seconds, make, profile)
    for name, value in figures.items():
        print(f"{name:>34}  {value:,.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
