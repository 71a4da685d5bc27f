"""The cache: what counts as the same request, one call for many askers, and what is not kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from lm_calls import Way, asking, each_way, run
from openai_server import Serve, answer, fail

from loopwright.errors import RateLimitError, ServerError
from loopwright.messages import Message
from loopwright.models import (
    NO_USAGE,
    Cached,
    FunctionLM,
    HostedLM,
    LMRequest,
    LMResponse,
    MemoryStore,
    ScriptedLM,
    Usage,
)
from loopwright.tools.calls import ToolCall, ToolSpec

FULL = LMRequest(
    messages=(
        Message("user", "Add 1 and 2."),
        Message("assistant", "", (ToolCall("add", {"a": 1, "b": 2}, "c1"),)),
        Message("tool", "3", tool_call_id="c1", name="add"),
    ),
    tools=(ToolSpec("add", "Add.", {"type": "object", "properties": {"a": {"type": "integer"}}}),),
    tool_choice="auto",
    response_format={"type": "object"},
    temperature=0.5,
    top_p=0.9,
    max_tokens=100,
    stop=("END",),
    seed=1,
    rollout_id=1,
)

CHANGES: dict[str, Callable[[LMRequest], LMRequest]] = {
    "text": lambda one: replace(one, messages=(Message("user", "Add 1 and 3."), *one.messages[1:])),
    "role": lambda one: replace(one, messages=(Message("system", "Add 1 and 2."), *one.messages[1:])),
    "order": lambda one: replace(one, messages=one.messages[::-1]),
    "arguments": lambda one: replace(
        one, messages=(one.messages[0], Message("assistant", "", (ToolCall("add", {"a": 1, "b": 3}, "c1"),)))
    ),
    "no tools": lambda one: replace(one, tools=()),
    "description": lambda one: replace(one, tools=(replace(one.tools[0], description="Sum."),)),
    "parameters": lambda one: replace(one, tools=(replace(one.tools[0], parameters={"type": "object"}),)),
    "tool choice": lambda one: replace(one, tool_choice="required"),
    "format": lambda one: replace(one, response_format=None),
    "temperature": lambda one: replace(one, temperature=0.6),
    "no temperature": lambda one: replace(one, temperature=None),
    "top_p": lambda one: replace(one, top_p=0.8),
    "length": lambda one: replace(one, max_tokens=101),
    "stop": lambda one: replace(one, stop=()),
    "seed": lambda one: replace(one, seed=2),
    "rollout": lambda one: replace(one, rollout_id=2),
}


class Counting(FunctionLM):
    """Answers with the number of the call."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        super().__init__(self._count)
        self.calls = 0
        self.asked = threading.Event()
        self._gate = gate
        self._lock = threading.Lock()

    def _count(self, request: LMRequest) -> LMResponse:
        with self._lock:
            self.calls += 1
            number = self.calls
        self.asked.set()
        if self._gate:
            assert self._gate.wait(60)
        return LMResponse(f"answer {number}", usage=Usage(5, 2, usd=0.1))


@each_way
def test_the_same_request_is_asked_once(ask: Way) -> None:
    counting = Counting()
    lm = Cached(counting, MemoryStore())

    first, second = ask(lm, FULL), ask(lm, FULL)

    assert (first.text, second.text, counting.calls) == ("answer 1", "answer 1", 1)
    assert (first.cached, first.usage) == (False, Usage(5, 2, usd=0.1))
    assert (second.cached, second.usage) == (True, NO_USAGE)


def test_what_one_way_of_asking_brought_serves_the_others() -> None:
    lm = Cached(Counting(), MemoryStore())

    texts = [
        list(lm.stream(FULL))[-1],
        lm.complete(FULL),
        run(_acomplete(lm)),
    ]

    assert {response.text for response in texts if isinstance(response, LMResponse)} == {"answer 1"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_request_that_differs_in_anything_is_another(change: Callable[[LMRequest], LMRequest]) -> None:
    counting = Counting()
    lm = Cached(counting, MemoryStore())

    lm.complete(FULL)
    lm.complete(change(FULL))

    assert counting.calls == 2


def test_the_order_of_keys_in_arguments_makes_no_difference() -> None:
    counting = Counting()
    lm = Cached(counting, MemoryStore())
    one = replace(FULL, messages=(Message("assistant", "", (ToolCall("add", {"a": 1, "b": 2}),)),))
    other = replace(FULL, messages=(Message("assistant", "", (ToolCall("add", {"b": 2, "a": 1}),)),))

    lm.complete(one)
    lm.complete(other)

    assert counting.calls == 1


def test_models_that_share_a_store_share_no_answers(openai_server: Serve) -> None:
    store = MemoryStore()
    here, there = openai_server(answer("here")), openai_server(answer("there"))

    texts = [
        Cached(HostedLM("openai/any", api_base=server.url), store).complete(asking()).text
        for server in (here, there, here)
    ]

    assert texts == ["here", "there", "here"]
    assert len(here.requests) == 1


@each_way
def test_an_error_is_not_kept(ask: Way) -> None:
    lm = Cached(ScriptedLM([ServerError("busy"), "done"]), MemoryStore())

    with pytest.raises(ServerError):
        ask(lm, asking())

    assert ask(lm, asking()).text == "done"


def test_threads_that_ask_the_same_at_once_share_one_call() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    lm = Cached(counting, MemoryStore())
    responses: list[LMResponse] = []
    threads = [threading.Thread(target=lambda: responses.append(lm.complete(FULL))) for _ in range(8)]

    for thread in threads:
        thread.start()
    assert counting.asked.wait(60)
    gate.set()
    for thread in threads:
        thread.join(60)

    assert counting.calls == 1
    assert [response.text for response in responses] == ["answer 1"] * 8
    assert sorted(response.cached for response in responses) == [False] + [True] * 7


def test_tasks_that_ask_the_same_at_once_share_one_call() -> None:
    counting = Counting()
    lm = Cached(counting, MemoryStore())

    async def main() -> list[LMResponse]:
        return await asyncio.gather(*(lm.acomplete(FULL) for _ in range(8)))

    assert {response.text for response in asyncio.run(main())} == {"answer 1"}
    assert counting.calls == 1


def test_a_task_waits_for_the_call_of_a_thread() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    lm = Cached(counting, MemoryStore())
    thread = threading.Thread(target=lm.complete, args=(FULL,))

    async def main() -> LMResponse:
        thread.start()
        assert await asyncio.to_thread(counting.asked.wait, 60)
        waiting = asyncio.create_task(lm.acomplete(FULL))
        await asyncio.sleep(0.05)
        gate.set()
        return await waiting

    response = asyncio.run(main())
    thread.join(60)

    assert (response.text, response.cached, counting.calls) == ("answer 1", True, 1)


def test_when_the_call_that_others_wait_for_fails_each_asks_for_itself() -> None:
    gate = threading.Event()
    asked = threading.Event()
    calls: list[int] = []

    def first_fails(request: LMRequest) -> str:
        calls.append(1)
        if len(calls) > 1:
            return "done"
        asked.set()
        assert gate.wait(60)
        raise RateLimitError("slow down")

    lm = Cached(FunctionLM(first_fails), MemoryStore())
    outcomes: list[str] = []

    def ask() -> None:
        try:
            outcomes.append(lm.complete(FULL).text)
        except RateLimitError:
            outcomes.append("failed")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert asked.wait(60)
    for thread in threads[1:]:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(60)

    assert sorted(outcomes) == ["done", "done", "done", "failed"]
    assert lm.complete(FULL).text == "done"


def test_a_task_that_is_cancelled_while_it_waits_disturbs_no_other() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    lm = Cached(counting, MemoryStore())

    async def main() -> LMResponse:
        leader = asyncio.create_task(lm.acomplete(FULL))
        assert await asyncio.to_thread(counting.asked.wait, 60)
        impatient, patient = (asyncio.create_task(lm.acomplete(FULL)) for _ in range(2))
        await asyncio.sleep(0.05)
        impatient.cancel()
        await asyncio.sleep(0.05)
        gate.set()
        assert (await leader).text == "answer 1"
        return await patient

    assert asyncio.run(main()).text == "answer 1"
    assert counting.calls == 1


def test_a_leader_that_is_cancelled_leaves_the_way_free() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    lm = Cached(counting, MemoryStore())

    async def main() -> LMResponse:
        leader = asyncio.create_task(lm.acomplete(FULL))
        assert await asyncio.to_thread(counting.asked.wait, 60)
        follower = asyncio.create_task(lm.acomplete(FULL))
        await asyncio.sleep(0.05)
        leader.cancel()
        gate.set()
        return await follower

    assert asyncio.run(main()).text.startswith("answer")


def test_a_blocking_call_amid_a_running_one_of_the_same_thread_does_not_deadlock() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    lm = Cached(counting, MemoryStore())

    async def main() -> str:
        leader = asyncio.create_task(lm.acomplete(FULL))
        assert await asyncio.to_thread(counting.asked.wait, 60)
        gate.set()
        blocked = lm.complete(FULL)  # blocks this loop: the leader can't go on meanwhile
        await leader
        return blocked.text

    assert asyncio.run(asyncio.wait_for(main(), 60)) == "answer 2"


def test_a_kept_stream_shows_the_reasoning_too() -> None:
    lm = Cached(ScriptedLM([LMResponse("4", reasoning="two and two")]), MemoryStore())
    lm.complete(FULL)

    delta, response = lm.stream(FULL)

    assert (delta.text, delta.reasoning) == ("4", "two and two")
    assert isinstance(response, LMResponse)


def test_a_bad_request_is_asked_again_each_time(openai_server: Serve) -> None:
    server = openai_server(fail(400, "no"))
    lm = Cached(HostedLM("openai/any", api_base=server.url), MemoryStore())

    for _ in range(2):
        with pytest.raises(Exception, match="refused the request"):
            lm.complete(asking())

    assert len(server.requests) == 2


async def _acomplete(lm: Cached) -> LMResponse:
    return await lm.acomplete(FULL)
