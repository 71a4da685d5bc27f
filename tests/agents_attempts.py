"""Models for the tests of modules that try several times: they answer by the attempt that is asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from loopwright.models import BaseLM, Capabilities, FunctionLM, LMRequest, LMResponse, Usage
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)
COST = Usage(10, 2, usd=0.5)


def called(program: Any, *args: Any, **inputs: Any) -> Any:
    return program(*args, **inputs)


def awaited(program: Any, *args: Any, **inputs: Any) -> Any:
    return asyncio.run(program.acall(*args, **inputs))


def answer(text: object, field: str = "answer") -> str:
    return f"[[ ## {field} ## ]]\n{text}"


class Rollouts(FunctionLM):
    """A model whose attempts answer in turn: the first rollout id it sees gets the first answer, and so on."""

    def __init__(self, answers: Sequence[object], capabilities: Capabilities | None = None) -> None:
        super().__init__(self._answer, model="rollouts", capabilities=capabilities)
        self.answers = answers
        self.requests: list[LMRequest] = []
        self.seen: list[int | None] = []

    def _answer(self, request: LMRequest) -> LMResponse:
        self.requests.append(request)
        if request.rollout_id not in self.seen:
            self.seen.append(request.rollout_id)
        said = self.answers[self.seen.index(request.rollout_id)]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, ToolCall):
            return LMResponse("", (said,), usage=COST, finish_reason="tool_calls")
        return LMResponse(answer(said), usage=COST)


class Hanging(BaseLM):
    """A model that never answers, unless the function has one for the request."""

    model = "hanging"

    def __init__(self, function: Callable[[LMRequest], str | None] = lambda request: None) -> None:
        self.function = function
        self.asked = 0
        self.cancelled = 0

    def complete(self, request: LMRequest) -> LMResponse:
        raise AssertionError("it is only awaited")

    async def acomplete(self, request: LMRequest) -> LMResponse:
        self.asked += 1
        given = self.function(request)
        if given is not None:
            return LMResponse(given, usage=COST)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("it waits for ever")
