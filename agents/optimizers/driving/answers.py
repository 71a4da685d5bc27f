"""The answers of rollouts that are under way: a process that dies in the middle of one leaves them to the next.

Tools are called again, since each rollout has a world of its own that is gone with the process; models are not.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from loopwright.tools.calls import ToolCall, ToolResult
from loopwright.tools.tool_context import Record

from ...ambient import current
from ...models.base import BaseLM, LMRequest, LMResponse
from ...models.cache import request_text
from ...models.stores import read_answer, write_answer
from ...seams import Interpreter


@runtime_checkable
class AnswerStore(Protocol):
    """A store of rollouts that keeps the answers of those that are not finished as well."""

    def answers(self, rollout: str) -> list[tuple[str, str, bool]]:
        """What models said in a rollout, in order: the request's key, the answer, whether it came from a cache."""

    def put_answer(self, rollout: str, asked: str, answer: str, *, cached: bool) -> None:
        """Keep an answer; it goes when the rollout's record comes."""


class Answers:
    """A recorder of one rollout: a model is not asked again what it said before the process died.

    What is recalled counts as it did when it was asked, so that the rollout comes to the same.
    """

    strict = False

    def __init__(self, store: AnswerStore, rollout: str) -> None:
        self._store = store
        self._rollout = rollout
        self._lock = threading.Lock()
        self._said: dict[str, deque[LMResponse]] = defaultdict(deque)
        for asked, answer, cached in store.answers(rollout):
            response = read_answer(answer)
            if response is not None:
                self._said[asked].append(replace(response, cached=cached))

    def recall(self, lm: BaseLM, request: LMRequest) -> LMResponse | None:
        """The answer from before, paid from the rollout's share as it was then."""
        if not self._said:
            return None
        with self._lock:
            found = self._said.get(_asked(lm, request))
            response = found.popleft() if found else None
        here = current()
        if response is not None and here.budget is not None:
            here.budget.reserve(lm, request).commit(response.usage, cached=response.cached)
        return response

    def keep(self, lm: BaseLM, request: LMRequest, response: LMResponse) -> None:
        """Keep an answer before the program goes on with it."""
        answer = write_answer(response)
        if answer is not None:
            self._store.put_answer(self._rollout, _asked(lm, request), answer, cached=response.cached)

    def earlier(self, call: ToolCall) -> Record | None:
        """No tool call: those are made again."""

    def began(self, call: ToolCall) -> int:
        """Nothing is kept of a tool call."""
        return 0

    def ended(self, number: int, result: ToolResult, state: Mapping[str, object]) -> None:
        """Nor of what came of it."""

    def sandboxes(self, made: Interpreter) -> Interpreter:
        """Nor of programs."""
        return made


def _asked(lm: BaseLM, request: LMRequest) -> str:
    return hashlib.sha256(request_text(request, lm.identity).encode("utf-8", "surrogatepass")).hexdigest()
