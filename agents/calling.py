"""Asking a model, under what the context puts around it: a recorder, a budget, watchers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from loopwright.tools import ToolCall, ToolResult, ToolRun
from loopwright.tools.tool_context import Record

from .ambient import Context, current, entered, warn_of_plain_thread
from .callbacks import tell
from .errors import ServerError
from .models.base import BaseLM, LMRequest, LMResponse
from .seams import Recorder
from .trace import Exchange

_numbers = count(1)


def new_call_id(kind: str) -> str:
    """A name for one call, for whoever watches it.

    >>> new_call_id("lm").startswith("lm-")
    True
    """
    return f"{kind}-{next(_numbers)}"


async def ask(lm: BaseLM, request: LMRequest) -> Exchange:
    """Ask a model, in the way that the running code waits; the context keeps the exchange."""
    start = time.perf_counter()
    warn_of_plain_thread()
    here = current()
    if here.callbacks or here.budget is not None or here.recorder is not None:
        response = await _watched(lm, request, here)
    else:
        response = lm.complete(request) if here.blocking else await lm.acomplete(request)
    exchange = Exchange(lm.model, request, response, time.perf_counter() - start)
    here.history.append(exchange)
    if here.trace is not None:
        here.trace.exchanges.append(exchange)
    return exchange


async def _watched(lm: BaseLM, request: LMRequest, here: Context) -> LMResponse:
    """Ask, and tell the watchers; what is recorded is not asked, and costs nothing."""
    call_id = new_call_id("lm")
    tell(here.callbacks, "on_lm_start", call_id, lm, {"request": request})
    try:
        response = None if here.recorder is None else here.recorder.recall(lm, request)
        if response is None:
            response = await _paid(lm, request, here, call_id)
            if here.recorder is not None:
                here.recorder.keep(lm, request, response)
    except BaseException as error:
        tell(here.callbacks, "on_lm_end", call_id, None, error)
        raise
    tell(here.callbacks, "on_lm_end", call_id, response)
    return response


async def _paid(lm: BaseLM, request: LMRequest, here: Context, call_id: str) -> LMResponse:
    if here.budget is None:
        return await _answered(lm, request, here, call_id)
    reservation = here.budget.reserve(lm, request)
    try:
        response = await _answered(lm, request, here, call_id)
    except BaseException:
        reservation.release()
        raise
    reservation.commit(response.usage, cached=response.cached)
    return response


async def _answered(lm: BaseLM, request: LMRequest, here: Context, call_id: str) -> LMResponse:
    if not any(watcher.tokens for watcher in here.callbacks):
        return lm.complete(request) if here.blocking else await lm.acomplete(request)
    if here.blocking:
        for piece in lm.stream(request):
            if isinstance(piece, LMResponse):
                return piece
            tell(here.callbacks, "on_lm_token", call_id, piece)
    else:
        async for piece in lm.astream(request):
            if isinstance(piece, LMResponse):
                return piece
            tell(here.callbacks, "on_lm_token", call_id, piece)
    raise ServerError(f"{lm.model}: the stream ended without an answer", model=lm.model)


@contextmanager
def module_call(module: object, inputs: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Tell the watchers of a module's call; what it returns goes into the list."""
    here = current()
    call_id = new_call_id("module")
    tell(here.callbacks, "on_module_start", call_id, module, dict(inputs))
    returned: list[Any] = []
    try:
        with entered(replace(here, module_call=call_id)):
            yield returned
    except BaseException as error:
        tell(here.callbacks, "on_module_end", call_id, None, error)
        raise
    tell(here.callbacks, "on_module_end", call_id, returned[0] if returned else None)


@contextmanager
def evaluation(what: object, trials: int) -> Iterator[None]:
    """Tell the watchers of an evaluation; the module calls inside are its own."""
    here = current()
    call_id = new_call_id("evaluate")
    tell(here.callbacks, "on_evaluate_start", call_id, what, {"trials": trials})
    try:
        with entered(replace(here, module_call=call_id)):
            yield
    except BaseException as error:
        tell(here.callbacks, "on_evaluate_end", call_id, None, error)
        raise
    tell(here.callbacks, "on_evaluate_end", call_id, None)


def tell_step(step: object) -> None:
    """Tell the watchers that an agent has taken a step."""
    here = current()
    if here.callbacks:
        tell(here.callbacks, "on_step", here.module_call, step)


@dataclass(slots=True)
class _Watched(Record):
    """A call with its names, the watchers' and the recorder's, and the context that is left when it is done."""

    call_id: str = ""
    key: int = 0
    inside: AbstractContextManager[None] | None = None

    def left(self) -> None:
        """Leave the context of the call."""
        inside, self.inside = self.inside, None
        if inside is not None:
            inside.__exit__(None, None, None)


def _strict(recorder: Recorder | None) -> bool:
    return recorder is not None and recorder.strict


class AgentToolRun(ToolRun):
    """A run of an agent's tools under the context: its policy, its watchers, its recorder."""

    def __init__(self) -> None:
        here = current()
        super().__init__(
            approval=here.approval,
            dry_run=here.dry_run,
            replay=_strict(here.recorder),
            environment=here.world,
        )
        self._watchers = here.callbacks
        self._recorder = here.recorder

    def began(self, call: ToolCall) -> Record:
        """Note that a call is about to be made."""
        record = _Watched(call) if self._recorder is None else _Watched(call, key=self._recorder.began(call))
        self.records.append(record)
        if self._watchers:
            record.call_id = new_call_id("tool")
            tell(self._watchers, "on_tool_start", record.call_id, call, dict(call.args))
            record.inside = entered(replace(current(), module_call=record.call_id))
            record.inside.__enter__()  # what the tool calls is below it; `ended` or `stopped` is told in the same context
        return record

    def ended(self, record: Record, result: ToolResult) -> None:
        """Note what came of it."""
        record.result = result
        if isinstance(record, _Watched):
            record.left()
            if self._recorder is not None:
                self._recorder.ended(record.key, result, self.state)
            if self._watchers:
                tell(self._watchers, "on_tool_end", record.call_id, result)

    def stopped(self, record: Record, error: BaseException) -> None:
        """Note that it was interrupted."""
        if self._watchers and isinstance(record, _Watched):
            record.left()
            tell(self._watchers, "on_tool_end", record.call_id, None, error)

    def earlier(self, call: ToolCall) -> Record | None:
        """What the recorder has of this call."""
        return None if self._recorder is None else self._recorder.earlier(call)
