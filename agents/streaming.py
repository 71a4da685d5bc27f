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
Teller = Callable[[Callable[[Any], None]], BaseCallback]
"""Makes what puts events of the function that takes them."""


# ---- what listens, and is told, under DSPy's names


@dataclass(frozen=True, slots=True)
class StreamListener:
    """Which output field a stream is to give the text of, piece by piece: `streamify(stream_listeners=[...])`.

    The predictor is found by the field's name where only one of the program's has it, else it is named by `predict` (a
    module of the program) or `predict_name` (its path, as `named_predictors` gives it). An agent's predictor has the
    field `thought` beside its outputs. Without `allow_reuse` the first time that the predictor is asked is heard, with
    it every time.
    """

    signature_field_name: str
    predict: Any = None
    predict_name: str | None = None
    allow_reuse: bool = False


@dataclass(frozen=True, slots=True)
class StreamResponse:
    """A piece of a field that somebody listens to; the last one of a field may be empty."""

    predict_name: str
    signature_field_name: str
    chunk: str
    is_last_chunk: bool = False


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """What a program is about, in words for its user."""

    message: str


class StatusMessageProvider:
    """Words for what a program does; a subclass overrides what it has words for, and None says nothing.

    >>> class Calls(StatusMessageProvider):
    ...     def tool_start_status_message(self, instance, inputs):
    ...         return f"looking up {inputs['item']}"
    >>> Calls().tool_start_status_message(ToolCall("price", {"item": "desk"}), {"item": "desk"})
    'looking up desk'
    """

    def tool_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str | None:
        """A tool is called; `instance` is the `ToolCall`."""
        return f"Calling tool {instance.name}..."

    def tool_end_status_message(self, outputs: Any) -> str | None:
        """A tool has returned this value, or this text of an error."""
        return "Tool calling finished! Querying the LLM with tool calling results..."

    def module_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str | None:
        """A module is called."""

    def module_end_status_message(self, outputs: Any) -> str | None:
        """A module has returned this."""

    def lm_start_status_message(self, instance: Any, inputs: Mapping[str, Any]) -> str | None:
        """A model is asked; `inputs["request"]` is the `LMRequest`."""

    def lm_end_status_message(self, outputs: Any) -> str | None:
        """A model has answered with this `LMResponse`."""


# ---- events


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


async def aevents(start: Start, teller: Teller = _Teller) -> AsyncGenerator[Any, None]:
    """Run a program in a task; its events as they happen. Who stops reading cancels the program.

    They are `Event`s, the `EndEvent` last, or what another `teller` puts before it.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Any] = asyncio.Queue()

    def put(event: Any) -> None:  # tools and programs may tell from threads of their own
        loop.call_soon_threadsafe(waiting.put_nowait, event)

    task = asyncio.ensure_future(_told(start, teller(put)))
    task.add_done_callback(lambda _: put(None))
    try:
        while (event := await waiting.get()) is not None:
            yield event
        yield EndEvent(task.result())
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _told(start: Start, watcher: BaseCallback) -> Any:
    here = current()
    with entered(replace(here, callbacks=(*here.callbacks, watcher), blocking=False)):
        return await start()


def events(start: Start, teller: Teller = _Teller) -> Generator[Any, None, None]:
    """As `aevents`, for code without an event loop: the program runs on one in a thread of its own."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []
    ready = threading.Event()

    async def forward() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio.run made it
        running.append((asyncio.get_running_loop(), task))
        ready.set()
        async for event in aevents(start, teller):
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
