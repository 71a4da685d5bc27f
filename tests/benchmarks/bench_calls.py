"""The framework's own CPU: microseconds a Predict call and a ReAct step, with a model that costs nothing.

    python tests/benchmarks/bench_calls.py [--rounds N] [--profile NAME]

Steps are measured at 20 and 100 a run: a step must not cost more because others came before it.
`--profile` prints where one of the scenarios spends its time.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable

from loopwright import ChainOfThought, ChatAdapter, Example, JSONAdapter, Predict, ReAct, context
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)
CHAT = FunctionLM(
    lambda request: "[[ ## reasoning ## ]]\nso\n\n[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"
)
JSON = FunctionLM(lambda request: '{"answer": 4}')


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def agent_lm(steps: int, *, native: bool) -> FunctionLM:
    """A model that calls a tool `steps - 1` times, and then submits."""
    adapter = ChatAdapter()

    def answer(request: LMRequest) -> Answer:
        turn = sum(message.role == "assistant" for message in request.messages) + 1
        call = ToolCall("submit", {"answer": turn}) if turn >= steps else ToolCall("add", {"a": turn, "b": 1})
        return call if native else adapter.write_turn("Add.", [call]).content

    return FunctionLM(answer, capabilities=NATIVE if native else None)


def predicting(
    program: Predict | ChainOfThought, lm: FunctionLM, adapter: ChatAdapter | JSONAdapter
) -> float:
    with context(lm=lm, adapter=adapter):
        return per_unit(lambda: program(question="What is 2 + 2?"), 300)


def awaiting(program: Predict) -> float:
    async def many() -> None:
        for _ in range(300):
            await program.acall(question="What is 2 + 2?")

    with context(lm=CHAT):
        return per_unit(lambda: asyncio.run(many()), 1) / 300


def stepping(steps: int, *, native: bool) -> float:
    agent = ReAct("question -> answer: int", tools=[add], max_iters=steps)
    with context(lm=agent_lm(steps, native=native)):
        return per_unit(lambda: agent(question="?"), max(1, 200 // steps)) / steps


def per_unit(work: Callable[[], object], times: int) -> float:
    """CPU microseconds of one unit of work."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return 1e6 * (time.process_time() - start) / times


def with_demos() -> Predict:
    predict = Predict("question -> answer: int")
    predict.demos = [Example(question=f"{i} + {i}?", answer=2 * i) for i in range(16)]
    return predict


PREDICT = Predict("question -> answer: int")
SCENARIOS: dict[str, Callable[[], float]] = {
    "Predict, chat": lambda: predicting(PREDICT, CHAT, ChatAdapter()),
    "Predict, JSON": lambda: predicting(PREDICT, JSON, JSONAdapter()),
    "Predict, chat, 16 demonstrations": lambda: predicting(with_demos(), CHAT, ChatAdapter()),
    "ChainOfThought, chat": lambda: predicting(
        ChainOfThought("question -> answer: int"), CHAT, ChatAdapter()
    ),
    "Predict, awaited": lambda: awaiting(PREDICT),
    "ReAct step, native, 20 a run": lambda: stepping(20, native=True),
    "ReAct step, native, 100 a run": lambda: stepping(100, native=True),
    "ReAct step, chat, 20 a run": lambda: stepping(20, native=False),
    "ReAct step, chat, 100 a run": lambda: stepping(100, native=False),
}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--profile", choices=SCENARIOS)
    given = options.parse_args()
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(SCENARIOS[given.profile])
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        return
    samples: dict[str, list[float]] = {name: [] for name in SCENARIOS}
    for _ in range(given.rounds):
        for name, scenario in SCENARIOS.items():
            samples[name].append(scenario())
    print(f"{'CPU µs of our own':36}{'median':>9}{'least':>9}")
    for name, values in samples.items():
        print(f"{name:36}{statistics.median(values):9.1f}{min(values):9.1f}")


if __name__ == "__main__":
    main()
