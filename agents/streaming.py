"""A program's events while it runs: tokens by field, tool calls, results, steps, and in the end its prediction."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from loopwright.tools.calls import ToolCall, ToolResult

from .ambient import current, entered
from .callbacks import BaseCallback
from .field_tokens import FieldTokens
from .models.base import Delta
from .trajectory import Step


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A model is asked; `turn` counts from 1 over the whole stream, and is what tokens name their turn by."""

    turn: int
    model: str


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of an answer. `field` is the output field (or an agent's "thought") that it belongs to.

    "reasoning" are a model's own thoughts where it sends them apart; "" is text outside of any field. The arguments of
    native tool calls come whole, as a `ToolCallEvent`.
    """

    text: str
    field: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """The model that was asked failed in a way that may pass; it is asked again in so many seconds."""

    seconds: float
    reason: str
    turn: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallEvent:
    """A tool is called."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolResultEvent:
    """A tool call is done."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class StepEvent:
    """An agent has taken a step; calls that were refused before they ran are in here as well."""

    step: Step


@dataclass(frozen=True, slots=True)
class EndEvent:
    """The program has returned."""

    prediction: Any


Event: TypeAlias = (
    TurnEvent | TokenEvent | RetryEvent | ToolCallEvent | ToolResultEvent | StepEvent | EndEvent
)

Start = Callable[[], Awaitable[Any]]


class _Teller(BaseCallback):
    """Turns what watchers are told into events."""

    tokens = True

    def __init__(self, put: Callable[[Event], None]) -> None:
        self._put = put
        self._turns: dict[str, tuple[int, FieldTokens]] = {}

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        turn = len(self._turns) + 1
        self._turns[call_id] = (turn, FieldTokens())
        self._put(TurnEvent(turn, instance.model))

    def on_lm_token(self, call_id: str, delta: Delta) -> None:
        turn, fields = self._turns[call_id]
        if delta.retry is not None:
            self._put(RetryEvent(delta.retry.seconds, delta.retry.reason, turn))
        if delta.reasoning:
            self._put(TokenEvent(delta.reasoning, "reasoning", turn))
        for field, text in fields.feed(delta.text):
            self._put(TokenEvent(text, field, turn))

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        turn, fields = self._turns[call_id]
        for field, text in fields.end():
            self._put(TokenEvent(text, field, turn))

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        self._put(ToolCallEvent(instance))

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        if outputs is not None:
            self._put(ToolResultEvent(outputs))

    def on_step(self, call_id: str, step: Any) -> None:
        self._put(StepEvent(step))


async def aevents(start: Start) -> AsyncGenerator[Event, None]:
    """Run a program in a task; its events as they happen. Who stops reading cancels the program."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Event | None] = asyncio.Queue()

    def put(event: Event | None) -> None:  # tools and programs may tell from threads of their own
        loop.call_soon_threadsafe(waiting.put_nowait, event)

    task = asyncio.ensure_future(_told(start, put))
    task.add_done_callback(lambda _: put(None))
    try:
        while (event := await waiting.get()) is not None:
            yield event
        yield EndEvent(task.result())
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _told(start: Start, put: Callable[[Event], None]) -> Any:
    here = current()
    with entered(replace(here, callbacks=(*here.callbacks, _Teller(put)), blocking=False)):
        return await start()


def events(start: Start) -> Generator[Event, None, None]:
    """As `aevents`, for code without an event loop: the program runs on one in a thread of its own."""
    waiting: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []
    ready = threading.Event()

    async def forward() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio.run made it
        running.append((asyncio.get_running_loop(), task))
        ready.set()
        async for event in aevents(start):
            waiting.put(event)

    def work() -> None:
        try:
            asyncio.run(forward())
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever reads
            waiting.put(error)
        finally:
            ready.set()

    thread = threading.Thread(target=copy_context().run, args=(work,), name="loopwright-stream", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, EndEvent):
                return
    finally:
        ready.wait()
        if running and thread.is_alive():
            loop, task = running[0]
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
