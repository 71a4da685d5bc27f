"""Models for the tests of the evaluation: they answer an agent by the question that it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)


def submit(**outputs: object) -> ToolCall:
    return ToolCall("submit", outputs)


def question_of(request: LMRequest) -> str:
    """The question of an agent's run, from the first message that a person wrote."""
    first = next(message for message in request.messages if message.role == "user")
    return first.content.removeprefix("question: ")


def replaying(turns: Mapping[str, Sequence[Answer | Exception]]) -> FunctionLM:
    """A model that gives, for each question, its turns in order; the last one again when they have run out.

    It keeps no state: which turn it is shows in the conversation, so that any number of threads may ask it.
    """

    def answer(request: LMRequest) -> Answer:
        mine = turns[question_of(request)]
        made = sum(message.role == "assistant" for message in request.messages)
        turn = mine[min(made, len(mine) - 1)]
        if isinstance(turn, Exception):
            raise turn
        return turn

    return FunctionLM(answer, model="replay", capabilities=NATIVE)


def always(answer: Answer | Callable[[LMRequest], Answer]) -> FunctionLM:
    """A model that gives the same answer to everything."""
    function = answer if callable(answer) else lambda request: answer
    return FunctionLM(function, model="always", capabilities=NATIVE)


class Failing:
    """Raises these errors, one for each call, and then answers; counts the calls."""

    def __init__(self, errors: Sequence[Exception], answer: Answer) -> None:
        self.calls = 0
        self._errors = list(errors)
        self._answer = answer
        self._lock = threading.Lock()

    def __call__(self, request: LMRequest) -> Answer:
        with self._lock:
            self.calls += 1
            error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error
        return self._answer
