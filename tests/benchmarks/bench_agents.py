"""Agents over HTTP: how a step's cost grows with the run, and a thousand runs on one event loop.

    python tests/benchmarks/bench_agents.py [--peer PYTHON ...] [--rounds N] [--json FILE] [--profile NAME]

A server in a process of its own answers at once ("growth") or after 50 ms ("crowd"), and reads from the
conversation how far a run has come. Each scenario runs in a process of its own, on another core where there
are two; rounds are interleaved, and medians of the client's CPU time count.

"growth": CPU a step in runs of 20 and 100 steps, and of the steps near 95 over that of the steps near 10.
"crowd": runs of 5 steps, all at once on one event loop: how many were lost, CPU and memory a run.
`--peer` names the Python of an environment with dspy, pydantic-ai or smolagents; what can be imported
beside us is measured anyway, and what can't is named.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import http.client
import json
import os
import pstats
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

QUESTION = "Add up the numbers."
SHORT, LONG = 20, 100
CROWD = {"ours": 1000, "ours, text": 1000, "dspy": 200, "pydantic-ai": 200}
LAST_TOOLS = (
    "submit",
    "final_result",
    "final_answer",
)  # how an answer is given: ours, pydantic-ai's, smolagents'

TICKS: list[float] = []  # the CPU time at which each tool call of a run was made


def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    TICKS.append(time.process_time())
    return a + b


# ---- the server


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            asked = json.loads(await reader.readexactly(int(length[1]) if length else 0))
            _, steps, milliseconds = asked["model"].split("-")
            if int(milliseconds):
                await asyncio.sleep(int(milliseconds) / 1000)
            body = json.dumps(completion(asked, int(steps))).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def completion(asked: dict[str, Any], steps: int) -> dict[str, Any]:
    """The answer to a request of a run that is to have so many steps."""
    message = tool_turn(asked, steps) if asked.get("tools") else text_turn(asked, steps)
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked["model"]}
    return {**head, "choices": [choice], "usage": usage}


def tool_turn(asked: dict[str, Any], steps: int) -> dict[str, Any]:
    """A native call: of `add`, or in the end of the tool that takes the answer."""
    turn = 1 + sum(message["role"] == "assistant" for message in asked["messages"])
    tools = {tool["function"]["name"]: tool["function"] for tool in asked["tools"]}
    name, arguments = "add", {"a": turn, "b": 1}
    if turn >= steps:
        name = next(one for one in LAST_TOOLS if one in tools)
        arguments = {next(iter(tools[name]["parameters"]["properties"])): turn}
    call = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"c{turn}", "type": "function", "function": call}],
    }


def text_turn(asked: dict[str, Any], steps: int) -> dict[str, Any]:
    """A turn in the form that the prompt asks for: ours, or DSPy's, whose turns are in one message."""
    system, last = asked["messages"][0]["content"], asked["messages"][-1]["content"]
    if "next_tool_name" not in system and "tool_name" not in system:
        fields = {"reasoning": "Done.", "answer": str(steps)}
    elif "next_tool_name" in system:
        turn = 1 + len(re.findall(r"## observation_\d+ ##", last))
        call = ("finish", {}) if turn >= steps else ("add", {"a": turn, "b": 1})
        fields = {"next_thought": "Go on.", "next_tool_name": call[0], "next_tool_args": json.dumps(call[1])}
    else:
        turn = 1 + sum(message["role"] == "assistant" for message in asked["messages"])
        name, arguments = ("submit", {"answer": turn}) if turn >= steps else ("add", {"a": turn, "b": 1})
        fields = {"thought": "Go on.", "tool_name": name, "tool_args": json.dumps(arguments)}
    shown = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())
    return {"role": "assistant", "content": f"{shown}\n\n[[ ## completed ## ]]"}


def serve() -> None:
    """Serve until the parent goes away."""

    async def main() -> None:
        server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=2**26, backlog=2048)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await server.serve_forever()

    def end_with_parent() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(main())


# ---- the agents: each is a function of the server's address, the steps and the server's delay


@dataclass(frozen=True)
class Agent:
    """An agent ready to run, plain and awaited; `run` is None where there is only the other."""

    run: Callable[[], object] | None
    arun: Callable[[], Awaitable[object]] | None = None


def ours(url: str, steps: int, delay: int, **options: Any) -> Agent:
    """ReAct."""
    from loopwright import LM, ReAct, configure

    name = f"openai/any-{steps}-{delay}"
    configure(lm=LM(name, api_base=url, api_key="x", cache=False, num_retries=0, **options))
    agent = ReAct("question -> answer: int", tools=[add], max_iters=steps)

    async def arun() -> object:
        return (await agent.acall(question=QUESTION)).answer

    return Agent(lambda: agent(question=QUESTION).answer, arun)


def dspy_agent(url: str, steps: int, delay: int) -> Agent:
    """DSPy's ReAct."""
    import dspy  # type: ignore[import-not-found,unused-ignore]  # a peer

    name = f"openai/any-{steps}-{delay}"
    dspy.configure(lm=dspy.LM(name, api_base=url, api_key="x", cache=False, num_retries=0))
    agent = dspy.ReAct("question -> answer: int", tools=[add], max_iters=steps)

    async def arun() -> object:
        return (await agent.acall(question=QUESTION)).answer

    return Agent(lambda: agent(question=QUESTION).answer, arun)


def pydantic_agent(url: str, steps: int, delay: int) -> Agent:
    """An agent of pydantic-ai with a typed output."""
    from pydantic_ai import Agent as Theirs  # type: ignore[import-not-found,unused-ignore]  # a peer
    from pydantic_ai import UsageLimits  # type: ignore[import-not-found,unused-ignore]  # a peer
    from pydantic_ai.models.openai import OpenAIChatModel  # type: ignore[import-not-found,unused-ignore]  # a peer
    from pydantic_ai.providers.openai import OpenAIProvider  # type: ignore[import-not-found,unused-ignore]  # a peer

    model = OpenAIChatModel(f"any-{steps}-{delay}", provider=OpenAIProvider(base_url=url, api_key="x"))
    agent = Theirs(model, output_type=int, tools=[add])
    limits = UsageLimits(request_limit=steps + 1)

    async def arun() -> object:
        return (await agent.run(QUESTION, usage_limits=limits)).output

    return Agent(lambda: agent.run_sync(QUESTION, usage_limits=limits).output, arun)


def smolagents_agent(url: str, steps: int, delay: int) -> Agent:
    """smolagents' agent that calls tools."""
    from smolagents import OpenAIServerModel, ToolCallingAgent  # type: ignore[import-not-found,unused-ignore]  # a peer
    from smolagents import tool as as_tool  # type: ignore[import-not-found,unused-ignore]  # a peer

    model = OpenAIServerModel(f"any-{steps}-{delay}", api_base=url, api_key="x")
    agent = ToolCallingAgent(tools=[as_tool(add)], model=model, max_steps=steps + 1, verbosity_level=0)
    return Agent(lambda: agent.run(QUESTION))


def floor(url: str, steps: int, delay: int) -> Agent:
    """A hand-written loop with nothing around it."""
    connection = http.client.HTTPConnection(url.split("/")[2])
    numbers = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    tools = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": of}}}
        for name, of in (("add", numbers), ("submit", {"answer": {"type": "integer"}}))
    ]

    def run() -> object:
        messages: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
        while True:
            body = {"model": f"any-{steps}-{delay}", "messages": messages, "tools": tools}
            connection.request("POST", "/v1/chat/completions", json.dumps(body))
            messages.append(json.loads(connection.getresponse().read())["choices"][0]["message"])
            call = messages[-1]["tool_calls"][0]
            arguments = json.loads(call["function"]["arguments"])
            if call["function"]["name"] == "submit":
                return arguments["answer"]
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(add(**arguments))})

    return Agent(run)


AGENTS: dict[str, Callable[[str, int, int], Agent]] = {
    "ours": ours,
    "ours, text": lambda url, steps, delay: ours(url, steps, delay, native_tools=False),
    "ours, by litellm": lambda url, steps, delay: ours(url, steps, delay, via="litellm"),
    "dspy": dspy_agent,
    "pydantic-ai": pydantic_agent,
    "smolagents": smolagents_agent,
    "http.client (floor)": floor,
}

Figures = dict[str, float]


def growth(name: str, url: str, runs: int = 3) -> Figures:
    """CPU milliseconds a step."""
    figures: Figures = {}
    for steps in (SHORT, LONG):
        agent = AGENTS[name](url, steps, 0).run
        assert agent is not None
        checked(agent(), steps)
        figures[f"ms a step of {steps}"] = statistics.median(run_of(agent, steps) for _ in range(runs))
    passed = [1000 * (after - before) for before, after in pairwise(TICKS)]
    early, late = statistics.median(passed[6:14]), statistics.median(passed[90:98])
    return {**figures, "ms near 10": early, "ms near 95": late, "95 / 10": late / early}


def run_of(agent: Callable[[], object], steps: int) -> float:
    """CPU milliseconds a step of one run; `TICKS` are its own then."""
    gc.collect()
    TICKS.clear()
    start = time.process_time()
    checked(agent(), steps)
    return 1000 * (time.process_time() - start) / steps


def checked(answer: object, steps: int) -> None:
    assert answer in (steps, str(steps)), f"the answer is {answer!r}, not {steps}"


def crowd(name: str, url: str) -> Figures:
    """Runs of 5 steps on one event loop, all at once."""
    count = CROWD[name]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    agent = AGENTS[name](url, 5, 50).arun
    assert agent is not None

    async def main() -> Figures:
        checked(await agent(), 5)
        gc.collect()
        before, start, cpu = resident(), time.perf_counter(), time.process_time()
        answers = await asyncio.gather(*(agent() for _ in range(count)), return_exceptions=True)
        spent, took = time.process_time() - cpu, time.perf_counter() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
        lost = sum(answer != 5 for answer in answers)
        return {
            "runs": count,
            "lost": lost,
            "CPU ms a run": 1000 * spent / count,
            "KB a run": grown / 1024 / count,
            "runs a second": count / took,
        }

    return asyncio.run(main())


def resident() -> int:
    """Bytes of memory in use."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


KINDS: dict[str, tuple[Callable[[str, str], Figures], list[str]]] = {
    "growth": (growth, list(AGENTS)),
    "crowd": (crowd, list(CROWD)),
}


# ---- running all of it


def in_process(python: str, kind: str, name: str, url: str) -> Figures | None:
    """The figures from a process of its own; None if the scenario can't run there."""
    arguments = [python, "-W", "ignore", __file__, "--one", kind, "--name", name, "--url", url]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    if ended.returncode:
        if "ModuleNotFoundError" not in ended.stderr:
            print(f"{name}, {kind}: {ended.stderr.strip()[-500:]}", file=sys.stderr)
        return None
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return figures


def pin(core: int) -> None:
    """Stay on one core, where the system lets one choose and there are two."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--peer", action="append", default=[], help="a Python with other frameworks")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", help="a file for the figures")
    options.add_argument("--profile", choices=AGENTS, help="show where a run of 100 steps spends its time")
    options.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    options.add_argument("--name", help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        pin(0)
        serve()
    elif given.one:
        pin(1)
        print(json.dumps(KINDS[given.one][0](given.name, given.url)))
    else:
        run(given)


def run(given: argparse.Namespace) -> None:
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        if given.profile:
            show_profile(given.profile, url)
        else:
            report(rounds(url, [sys.executable, *given.peer], given.rounds), given.json)
    finally:
        server.terminate()
        server.wait()


def show_profile(name: str, url: str) -> None:
    agent = AGENTS[name](url, LONG, 0).run
    assert agent is not None
    agent()
    profile = cProfile.Profile()
    profile.runcall(agent)
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)


Samples = dict[str, dict[str, list[Figures]]]


def rounds(url: str, pythons: list[str], count: int) -> Samples:
    """The figures of each kind and agent; an agent that runs in none of the environments is left out."""
    samples: Samples = {kind: {} for kind in KINDS}
    homes: dict[tuple[str, str], str] = {}
    for kind, (_, names) in KINDS.items():
        for name in names:
            for python in pythons:
                figures = in_process(python, kind, name, url)
                if figures is not None:
                    homes[kind, name], samples[kind][name] = python, [figures]
                    break
            else:
                print(f"{kind}: {name} is not installed here, and not measured", flush=True)
    for _ in range(count - 1):
        for (kind, name), python in homes.items():
            figures = in_process(python, kind, name, url)
            if figures is not None:
                samples[kind][name].append(figures)
    return samples


def report(samples: Samples, file: str | None) -> None:
    for kind, rows in samples.items():
        columns = list(next(iter(rows.values()))[0])
        print(f"\n{kind:20}" + "".join(f"{column:>18}" for column in columns))
        for name, figures in rows.items():
            medians = [statistics.median(one[column] for one in figures) for column in columns]
            print(f"{name:20}" + "".join(f"{value:18.2f}" for value in medians))
    if file:
        with Path(file).open("w", encoding="utf-8") as out:
            json.dump(samples, out, indent=1)


if __name__ == "__main__":
    main()
