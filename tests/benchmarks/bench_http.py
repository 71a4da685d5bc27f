"""One structured call over HTTP: the client's CPU, beside litellm's and that of other frameworks, in one run.

    python tests/benchmarks/bench_http.py [--peer PYTHON ...] [--rounds N] [--json FILE] [--profile NAME]

A server in a process of its own answers at once. Each scenario runs in its own process as well, on another
core where there are two, and rounds are interleaved; medians of CPU time count, and ratios to "ours,
direct". "cold" is the CPU of a whole process that makes one call, from bytecode as installed packages have it. `--peer` names the Python of an
environment with dspy, pydantic-ai or smolagents; what can be imported beside us is measured anyway.
"""

# ruff: noqa: T201  # the table is what the script is for

from __future__ import annotations

import argparse
import asyncio
import cProfile
import http.client
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS = 200
QUESTION = "What is 2 + 2?"
TEXT = "[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"

Sync = Callable[[], object]
Async = Callable[[], Awaitable[object]]


class Handler(BaseHTTPRequestHandler):
    """Answers with a text of fields, or with a call of the one tool that was given."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message: dict[str, object] = {"role": "assistant", "content": TEXT}
        if asked.get("tools"):
            function = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"response": 4}'}
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        body = json.dumps({**head, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


def floor(url: str) -> Sync:
    """A hand-written call with nothing around it."""
    connection = http.client.HTTPConnection(url.split("/")[2])
    body = {"model": "any", "messages": [{"role": "user", "content": QUESTION}]}

    def call() -> object:
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"}
        )
        text = json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]
        return int(text.split("\n")[1])

    return call


def ours(url: str, via: Any) -> Sync:
    """Predict, the model reached as `via` says."""
    from loopwright import LM, Predict, context

    lm = LM("openai/any", api_base=url, api_key="x", cache=False, num_retries=0, via=via)
    predict = Predict("question -> answer: int")

    def call() -> object:
        with context(lm=lm):
            return predict(question=QUESTION).answer

    return call


def ours_awaited(url: str, via: Any) -> Async:
    """The same, awaited."""
    from loopwright import LM, Predict, context

    lm = LM("openai/any", api_base=url, api_key="x", cache=False, num_retries=0, via=via)
    predict = Predict("question -> answer: int")

    async def call() -> object:
        with context(lm=lm):
            return (await predict.acall(question=QUESTION)).answer

    return call


def transport(url: str) -> Sync:
    """The direct route alone: one request through the seam."""
    from loopwright.messages import Message
    from loopwright.models import DirectLM, LMRequest

    lm = DirectLM("openai/any", api_base=url, api_key="x")
    request = LMRequest((Message("user", QUESTION),))
    return lambda: lm.complete(request).text.split("\n")[1]


def litellm_alone(url: str) -> Sync:
    """litellm with nothing around it."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    def call() -> object:
        messages = [{"role": "user", "content": QUESTION}]
        return litellm.completion(
            model="openai/any", api_base=url, api_key="x", messages=messages, max_retries=0
        )

    return call


def dspy_predict(url: str) -> Sync:
    """DSPy's Predict."""
    import dspy  # type: ignore[import-not-found,unused-ignore]  # a peer

    dspy.configure(lm=dspy.LM("openai/any", api_base=url, api_key="x", cache=False, num_retries=0))
    predict = dspy.Predict("question -> answer: int")
    return lambda: predict(question=QUESTION).answer


def dspy_awaited(url: str) -> Async:
    """DSPy's Predict, awaited."""
    import dspy  # type: ignore[import-not-found,unused-ignore]  # a peer

    dspy.configure(lm=dspy.LM("openai/any", api_base=url, api_key="x", cache=False, num_retries=0))
    predict = dspy.Predict("question -> answer: int")
    return lambda: predict.acall(question=QUESTION)


def pydantic_agent(url: str) -> Any:
    """An agent of pydantic-ai with a typed output."""
    from pydantic_ai import Agent  # type: ignore[import-not-found,unused-ignore]  # a peer
    from pydantic_ai.models.openai import OpenAIChatModel  # type: ignore[import-not-found,unused-ignore]  # a peer
    from pydantic_ai.providers.openai import OpenAIProvider  # type: ignore[import-not-found,unused-ignore]  # a peer

    return Agent(OpenAIChatModel("any", provider=OpenAIProvider(base_url=url, api_key="x")), output_type=int)


def pydantic_call(url: str) -> Sync:
    agent = pydantic_agent(url)
    return lambda: agent.run_sync(QUESTION).output


def pydantic_awaited(url: str) -> Async:
    agent = pydantic_agent(url)
    return lambda: agent.run(QUESTION)


def smolagents_model(url: str) -> Sync:
    """A model of smolagents: a bare call, its output as text."""
    from smolagents import OpenAIServerModel  # type: ignore[import-not-found,unused-ignore]  # a peer

    model = OpenAIServerModel("any", api_base=url, api_key="x")
    return lambda: model.generate([{"role": "user", "content": QUESTION}]).content


SYNC: dict[str, Callable[[str], Sync]] = {
    "ours, direct": lambda url: ours(url, "direct"),
    "ours, by litellm": lambda url: ours(url, "litellm"),
    "direct route alone": transport,
    "litellm alone": litellm_alone,
    "dspy": dspy_predict,
    "pydantic-ai": pydantic_call,
    "smolagents": smolagents_model,
    "http.client (floor)": floor,
}
AWAITED: dict[str, Callable[[str], Async]] = {
    "ours, direct": lambda url: ours_awaited(url, "direct"),
    "ours, by litellm": lambda url: ours_awaited(url, "litellm"),
    "dspy": dspy_awaited,
    "pydantic-ai": pydantic_awaited,
}


def measure(kind: str, name: str, url: str) -> float:
    """CPU microseconds of one call in this process; for "cold" one call is made, and the parent measures."""
    if kind == "awaited":
        return asyncio.run(measure_awaited(AWAITED[name](url)))
    call = SYNC[name](url)
    call()
    if kind == "cold":
        return 0.0
    for _ in range(20):
        call()
    start = time.process_time()
    for _ in range(CALLS):
        call()
    return 1e6 * (time.process_time() - start) / CALLS


async def measure_awaited(call: Async) -> float:
    for _ in range(20):
        await call()
    start = time.process_time()
    for _ in range(CALLS):
        await call()
    return 1e6 * (time.process_time() - start) / CALLS


def in_process(python: str, kind: str, name: str, url: str) -> float | None:
    """The figure from a process of its own; None if the scenario can't run there."""
    arguments = [python, "-W", "ignore", __file__, "--one", kind, "--name", name, "--url", url]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        return None
    return 1e3 * (usage.ru_utime + usage.ru_stime) if kind == "cold" else float(said)


def serve() -> None:
    """Serve until the parent goes away."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


def pin(core: int) -> None:
    """Stay on one core, where the system lets one choose and there are two."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--peer", action="append", default=[], help="a Python with other frameworks")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", help="a file for the figures")
    options.add_argument("--profile", choices=SYNC, help="show where a scenario spends its time")
    options.add_argument("--one", choices=["sync", "awaited", "cold"], help=argparse.SUPPRESS)
    options.add_argument("--name", help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        pin(0)
        serve()
    elif given.one:
        pin(1)
        print(measure(given.one, given.name, given.url))
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PYTHONPYCACHEPREFIX"] = folder
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles what was edited
            run(given)


def run(given: argparse.Namespace) -> None:
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        if given.profile:
            call = SYNC[given.profile](url)
            call()
            profile = cProfile.Profile()
            profile.runcall(lambda: [call() for _ in range(CALLS)])
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        else:
            report(rounds(url, [sys.executable, *given.peer], given.rounds), given.json)
    finally:
        server.terminate()
        server.wait()


def rounds(url: str, pythons: list[str], count: int) -> dict[str, dict[str, list[float]]]:
    """The samples of each kind and scenario; one that can't run in any of the environments is left out."""
    plan = {
        kind: {name: find(kind, name, url, pythons) for name in names}
        for kind, names in (("sync", SYNC), ("awaited", AWAITED), ("cold", SYNC))
    }
    samples: dict[str, dict[str, list[float]]] = {kind: {} for kind in plan}
    for _ in range(count):
        for kind, found in plan.items():
            for name, python in found.items():
                figure = in_process(python, kind, name, url) if python else None
                if figure is not None:
                    samples[kind].setdefault(name, []).append(figure)
    return samples


def find(kind: str, name: str, url: str, pythons: list[str]) -> str | None:
    """The first Python in which a scenario runs."""
    return next((python for python in pythons if in_process(python, kind, name, url) is not None), None)


def report(samples: dict[str, dict[str, list[float]]], file: str | None) -> None:
    for kind, rows in samples.items():
        print(
            f"{kind + (', CPU ms a process' if kind == 'cold' else ', CPU µs a call'):28}{'median':>9}{'least':>9}{'ratio':>8}"
        )
        medians = {name: statistics.median(values) for name, values in rows.items()}
        for name, median in medians.items():
            print(f"{name:28}{median:9.0f}{min(rows[name]):9.0f}{median / medians['ours, direct']:8.2f}")
        print()
    if file:
        with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 (one line)
            json.dump(samples, out, indent=1)


if __name__ == "__main__":
    main()
