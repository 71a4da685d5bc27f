"""What DSPy's programs look for in `dspy.utils`: a model that gives prepared answers, and the base of watchers."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise

from .adapters.text import TextAdapter
from .callbacks import BaseCallback
from .messages import Message
from .models.base import LMRequest, LMResponse
from .models.lm import CallableLM

__all__ = ["BaseCallback", "DummyLM", "render_fields"]

NO_MORE = "No more responses"

Fields = Mapping[str, object]


class DummyLM(CallableLM):
    """A model with prepared answers, each given as a mapping of output fields to values.

    A list is given in its order. A mapping is searched: the first key that occurs in the last message
    has the answer. With `follow_examples`, a demonstration in the prompt whose input begins as the
    last message does is answered with first. What no answer is left for gets the field `answer`,
    "No more responses". `adapter` is the text adapter whose form the answers have, the chat markers unless told; with
    `reasoning` each answer has some reasoning beside it, as models have that think natively.

    >>> lm = DummyLM([{"reasoning": "Two and two.", "answer": 4}])
    >>> print(lm("What is 2 + 2?")[0])
    [[ ## reasoning ## ]]
    Two and two.
    <BLANKLINE>
    [[ ## answer ## ]]
    4
    <BLANKLINE>
    [[ ## completed ## ]]
    >>> lm = DummyLM({"France": {"answer": "Paris"}})
    >>> "Paris" in lm("The capital of France?")[0], "Paris" in lm("And of Italy?")[0]
    (True, False)
    """

    def __init__(
        self,
        answers: Sequence[Fields] | Mapping[str, Fields],
        follow_examples: bool = False,
        reasoning: bool = False,
        adapter: TextAdapter | None = None,
    ) -> None:
        super().__init__("dummy")
        self._write = render_fields if adapter is None else adapter.write
        self._reasoning = "Some reasoning" if reasoning else ""
        self._answers = answers
        self._follow_examples = follow_examples
        self._given = 0
        self._lock = threading.Lock()

    def complete(self, request: LMRequest) -> LMResponse:
        """The next answer, or the one that fits."""
        text = _demonstrated(request.messages) if self._follow_examples else ""
        answer = text or self._prepared(request.messages)
        return self.remember(request, LMResponse(answer, reasoning=self._reasoning, model=self.model))

    def get_convo(self, index: int) -> tuple[list[dict[str, str]], list[str]]:
        """The messages of one call, and the answer in a list, as DSPy's tests look at them."""
        request, response = self.history[index]
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        return messages, [response.text]

    def _prepared(self, messages: Sequence[Message]) -> str:
        if isinstance(self._answers, Mapping):
            last = messages[-1].content if messages else ""
            fitting = (fields for key, fields in self._answers.items() if key in last)
            return self._write(next(fitting, {"answer": NO_MORE}))
        with self._lock:
            place = self._given
            self._given += 1
        return self._write(self._answers[place] if place < len(self._answers) else {"answer": NO_MORE})


def render_fields(fields: Fields) -> str:
    r"""The fields as an answer in chat markers: text as it is, everything else as JSON.

    >>> render_fields({"ok": True})
    '[[ ## ok ## ]]\ntrue\n\n[[ ## completed ## ]]'
    """
    sections = [f"[[ ## {name} ## ]]\n{_render(value)}\n\n" for name, value in fields.items()]
    return "".join(sections) + "[[ ## completed ## ]]"


def _render(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump else str(value)


def _demonstrated(messages: Sequence[Message]) -> str:
    """The answer of the last demonstration whose question holds the first section of the last message."""
    if not messages:
        return ""
    first_section = messages[-1].content.split("\n\n")[0]
    for question, answer in reversed(list(pairwise(messages[:-1]))):
        if question.role == "user" and answer.role == "assistant" and first_section in question.content:
            return answer.content
    return ""
