"""Contexts stay where they were made: many threads, tasks and half-read runs at once, each with a model of its own.

Every model, tool and watcher notes in which context it finds itself; any name that is not its own is a leak.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, cast

import pytest
from awaiting import awaited

from loopwright import Example, Predict, Prediction, ReAct, Step, Tool, context
from loopwright.ambient import current
from loopwright.callbacks import BaseCallback
from loopwright.errors import ServerError
from loopwright.models import BaseLM, Capabilities, LMRequest, LMResponse
from loopwright.runtime import Budget
from loopwright.streaming import EndEvent, Event, StepEvent
from loopwright.tools import ToolCall
from loopwright.trace import Trace

MANY = 64
STEPS = 4


class Own(BaseLM):
    """A model with a name of its own, that gives way to others before it answers."""

    def __init__(self, number: int) -> None:
        self.model = f"own/{number}"
        self.number = number
        self.found: list[object] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_tools=True)

    def complete(self, request: LMRequest) -> LMResponse:
        time.sleep(0)
        return self.answered(request)

    async def acomplete(self, request: LMRequest) -> LMResponse:
        await asyncio.sleep(0)
        return self.answered(request)

    def answered(self, request: LMRequest) -> LMResponse:
        self.found.append(here())
        if not request.tools:
            return LMResponse(f"[[ ## answer ## ]]\n{self.model}")
        turn = 1 + sum(message.role == "assistant" for message in request.messages)
        if turn == STEPS:
            return LMResponse("", (ToolCall("submit", {"answer": self.model}),))
        return LMResponse("", (ToolCall("where"), ToolCall("nested"), ToolCall("where")))


class Watcher(BaseCallback):
    """Notes the models that it is told of."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.steps = 0

    def on_lm_start(self, call_id: str, instance: Any, inputs: Any) -> None:
        self.models.add(instance.model)

    def on_step(self, call_id: str, step: Any) -> None:
        self.steps += 1


def here() -> str:
    lm = current().lm
    return "none" if lm is None else lm.model


def where() -> str:
    """The model of the context that this tool is called in."""
    time.sleep(0)
    return here()


def nested() -> str:
    """Ask another model, inside a context of its own; then say where we are."""
    mine = here()
    inner = Own(-1)
    with context(lm=inner):
        assert Predict("question -> answer")(question="?").answer == inner.model == here()
        with pytest.raises(ServerError), context(lm=Own(-2)):
            raise ServerError("out of the innermost")
        assert here() == inner.model
    assert here() == mine
    return here()


AGENT = ReAct("question -> answer", tools=[Tool(where, effect="read"), Tool(nested, effect="read")])


class World:
    """A context with everything of its own, and what must be found in it afterwards."""

    def __init__(self, number: int) -> None:
        self.lm = Own(number)
        self.trace = Trace()
        self.watcher = Watcher()
        self.budget = Budget(calls=1000)

    def entered(self) -> AbstractContextManager[object]:
        return context(lm=self.lm, trace=self.trace, callbacks=[self.watcher])

    def check(self, prediction: Prediction) -> None:
        name = self.lm.model
        assert prediction.answer == name
        assert {result.content for step in prediction.trajectory.steps[:-1] for result in step.results} == {
            name
        }
        self.check_own()
        assert len(self.lm.found) == STEPS
        assert self.watcher.steps == STEPS
        assert [call.prediction for call in self.trace if call.predictor is AGENT.react] == [prediction]

    def check_own(self) -> None:
        name = self.lm.model
        assert set(self.lm.found) == {name}
        assert self.watcher.models == {name, "own/-1"}  # and that of the tool, asked on behalf of this run
        assert {exchange.model for exchange in self.trace.exchanges} == {name, "own/-1"}


def budgeted(world: World, run: Callable[[], Prediction]) -> Prediction:
    with world.entered(), world.budget:
        prediction = run()
    assert world.budget.calls == STEPS + STEPS - 1  # its own, and that of the tool in each turn but the last
    return prediction


def ask() -> Prediction:
    return cast(Prediction, AGENT(question="?"))


def test_sixty_four_threads_with_models_of_their_own_do_not_mix() -> None:
    together = threading.Barrier(MANY, timeout=60)

    def thread(number: int) -> None:
        world = World(number)
        together.wait()
        world.check(budgeted(world, ask))
        assert here() == "none"

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(thread, range(MANY)))


@awaited
async def test_sixty_four_tasks_with_models_of_their_own_do_not_mix() -> None:
    async def task(number: int) -> None:
        world = World(number)
        with world.entered(), world.budget:
            prediction = await AGENT.acall(question="?")
            await asyncio.sleep(0)
            assert here() == world.lm.model
        world.check(prediction)
        assert world.budget.calls == STEPS + STEPS - 1
        assert here() == "outer"

    outer = Own(0)
    outer.model = "outer"
    with context(lm=outer):
        await asyncio.gather(*(task(number) for number in range(1, MANY + 1)))
    assert outer.found == []


def test_threads_with_event_loops_of_their_own_do_not_mix() -> None:
    async def task(number: int) -> None:
        world = World(number)
        with world.entered():
            prediction = await AGENT.acall(question="?")
        world.check(prediction)

    async def several(number: int) -> None:
        await asyncio.gather(*(task(4 * number + place) for place in range(4)))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: asyncio.run(several(number)), range(16)))


def test_the_threads_of_a_batch_are_in_their_callers_context() -> None:
    def thread(number: int) -> None:
        world = World(number)
        with world.entered():
            predictions = AGENT.batch([Example(question="?").with_inputs("question")] * 4, 2)
        assert {one.answer for one in predictions} == {world.lm.model}
        world.check_own()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(thread, range(8)))


# ---- runs that are read a step at a time


def opened(world: World) -> Generator[Step | Prediction, None, None]:
    with world.entered():
        return AGENT.run(question="?")


def test_runs_that_are_read_in_turns_keep_the_contexts_they_were_opened_in() -> None:
    worlds = [World(number) for number in range(MANY)]
    runs = [opened(world) for world in worlds]
    reader = World(MANY)
    with reader.entered():
        for _ in range(STEPS):
            for run in runs:
                assert isinstance(next(run), Step)
                assert here() == reader.lm.model
        for world, run in zip(worlds, runs, strict=True):
            prediction = next(run)
            assert isinstance(prediction, Prediction)
            world.check(prediction)
    assert (reader.lm.found, reader.watcher.models, list(reader.trace)) == ([], set(), [])


@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_a_run_that_is_left_half_read_is_noted_where_it_was_opened(way: str) -> None:
    worlds, other = [World(number) for number in range(MANY)], World(MANY)
    runs = [opened(world) for world in worlds]
    with other.entered():
        for run in runs:
            assert isinstance(next(run), Step)
            if way == "closed":
                run.close()
            assert here() == other.lm.model
        runs.clear()
        del run
        gc.collect()
    assert list(other.trace) == []
    for world in worlds:
        (made,) = [call for call in world.trace if call.predictor is AGENT.react]
        assert isinstance(made.prediction, Prediction)
        assert made.prediction.termination_reason == "cancelled"
        world.check_own()


def test_a_run_may_be_read_in_another_thread() -> None:
    world, other = World(1), World(2)
    run = opened(world)
    assert isinstance(next(run), Step)

    def rest() -> list[Step | Prediction]:
        with other.entered():
            return list(run)

    with ThreadPoolExecutor(1) as pool:
        *_, prediction = pool.submit(rest).result()
    assert isinstance(prediction, Prediction)
    world.check(prediction)
    assert (other.lm.found, list(other.trace)) == ([], [])


@awaited
async def test_awaited_runs_that_are_read_in_turns_keep_the_contexts_they_were_opened_in() -> None:
    worlds, reader = [World(number) for number in range(MANY)], World(MANY)
    runs = []
    for world in worlds:
        with world.entered():
            runs.append(AGENT.arun(question="?"))
    with reader.entered():
        for _ in range(STEPS):
            for run in runs:
                assert isinstance(await anext(run), Step)
                assert here() == reader.lm.model
        for world, run in zip(worlds, runs, strict=True):
            prediction = await anext(run)
            assert isinstance(prediction, Prediction)
            world.check(prediction)
            await run.aclose()
    assert (reader.lm.found, list(reader.trace)) == ([], [])


@awaited
async def test_an_awaited_run_that_is_left_half_read_is_noted_where_it_was_opened() -> None:
    worlds, other = [World(number) for number in range(MANY)], World(MANY)
    with other.entered():
        for world in worlds:
            with world.entered():
                run = AGENT.arun(question="?")
            assert isinstance(await anext(run), Step)
            assert here() == other.lm.model
            await run.aclose()
    assert list(other.trace) == []
    for world in worlds:
        (made,) = [call for call in world.trace if call.predictor is AGENT.react]
        assert isinstance(made.prediction, Prediction)
        assert made.prediction.termination_reason == "cancelled"
        world.check_own()


# ---- streams


def streamed(world: World) -> Generator[Event, None, None]:
    with world.entered():
        return AGENT.stream(question="?")


def test_streams_that_are_read_in_turns_keep_the_contexts_they_were_opened_in() -> None:
    worlds, reader = [World(number) for number in range(16)], World(16)
    streams = {world.lm.model: streamed(world) for world in worlds}
    ended: dict[str, Any] = {}
    with reader.entered():
        while streams:
            for name, stream in list(streams.items()):
                event = next(stream)
                assert here() == reader.lm.model
                if isinstance(event, EndEvent):
                    ended[name] = event.prediction
                    assert list(streams.pop(name)) == []
    for world in worlds:
        world.check(ended[world.lm.model])
    assert (reader.lm.found, list(reader.trace)) == ([], [])


def test_a_stream_that_is_left_half_read_is_noted_where_it_was_opened() -> None:
    worlds, other = [World(number) for number in range(16)], World(16)
    with other.entered():
        for world in worlds:
            stream = streamed(world)
            while not isinstance(next(stream), StepEvent):
                pass
            stream.close()
            assert here() == other.lm.model
    assert (other.lm.found, list(other.trace)) == ([], [])
    for world in worlds:
        assert [call for call in world.trace if call.predictor is AGENT.react]
        assert set(world.lm.found) == {world.lm.model}


@awaited
async def test_awaited_streams_that_are_read_in_turns_keep_the_contexts_they_were_opened_in() -> None:
    async def read(world: World) -> None:
        with world.entered():
            stream = AGENT.astream(question="?")
        with reader.entered():
            async for event in stream:
                assert here() == reader.lm.model
                if isinstance(event, EndEvent):
                    world.check(event.prediction)
                    return

    reader = World(MANY)
    await asyncio.gather(*(read(World(number)) for number in range(MANY)))
    assert (reader.lm.found, list(reader.trace)) == ([], [])
