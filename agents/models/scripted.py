"""Models without a model: answers from a script or from a function, for tests and examples."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from loopwright.tools.calls import ToolCall

from ..errors import ConfigurationError
from .base import BaseLM, Capabilities, Delta, LMRequest, LMResponse

Answer = str | LMResponse | ToolCall | Sequence[ToolCall]


class FunctionLM(BaseLM):
    """A model whose answers a function makes from the request.

    The function returns the text of the answer, a tool call or several, or a whole `LMResponse`; what
    it raises, the call raises. It may be called from several threads at once.

    >>> from loopwright.messages import Message
    >>> shout = FunctionLM(lambda request: request.messages[-1].content.upper())
    >>> shout.complete(LMRequest((Message("user", "hello"),))).text
    'HELLO'
    """

    def __init__(
        self,
        function: Callable[[LMRequest], Answer],
        *,
        model: str = "function",
        capabilities: Capabilities | None = None,
    ) -> None:
        self.model = model
        self._function = function
        self._capabilities = capabilities or Capabilities()

    @property
    def capabilities(self) -> Capabilities:
        """What the constructor was told; by default neither native tools nor a response format."""
        return self._capabilities

    def complete(self, request: LMRequest) -> LMResponse:
        """Call the function."""
        return as_response(self._function(request), self.model)

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Answer word by word, so that what shows an answer as it comes can be tried."""
        response = self.complete(request)
        yield from (Delta(piece) for piece in _words(response.text))
        yield response


class ScriptedLM(FunctionLM):
    """A model that gives prepared answers in their order, whatever it is asked.

    A script with tool calls in it is of a model that has native ones, unless `capabilities` says otherwise. An answer
    that is an exception is raised. `requests` holds what was asked. When the answers have
    run out, the next request raises `ConfigurationError`. Safe to call from several threads: each
    answer is given once.

    >>> from loopwright.messages import Message
    >>> lm = ScriptedLM(["first", ToolCall("add", {"a": 1, "b": 2})])
    >>> ask = LMRequest((Message("user", "go"),))
    >>> lm.complete(ask).text, str(lm.complete(ask).tool_calls[0])
    ('first', 'add(a=1, b=2)')
    >>> len(lm.requests)
    2
    """

    def __init__(
        self,
        responses: Iterable[Answer | Exception],
        *,
        model: str = "scripted",
        capabilities: Capabilities | None = None,
    ) -> None:
        self._responses = tuple(responses)
        if capabilities is None and any(map(_calls_tools, self._responses)):
            capabilities = Capabilities(native_tools=True)
        super().__init__(self._next, model=model, capabilities=capabilities)
        self.requests: list[LMRequest] = []
        self._lock = threading.Lock()

    def _next(self, request: LMRequest) -> Answer:
        with self._lock:
            index = len(self.requests)
            self.requests.append(request)
        if index >= len(self._responses):
            raise ConfigurationError(
                f"{self.model!r} has {len(self._responses)} answers and was asked for one more: "
                "add an answer to the script, or find the call that was not meant to happen"
            )
        answer = self._responses[index]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _calls_tools(answer: Answer | Exception) -> bool:
    if isinstance(answer, LMResponse):
        return bool(answer.tool_calls)
    return not isinstance(answer, str | Exception)


def as_response(answer: Answer, model: str) -> LMResponse:
    """Make a whole response of a short form; tool calls without an id get one by their place.

    >>> as_response(ToolCall("now"), "m").finish_reason
    'tool_calls'
    """
    if isinstance(answer, str):
        return LMResponse(answer, model=model)
    if isinstance(answer, LMResponse):
        return answer if answer.model else replace(answer, model=model)
    calls = (answer,) if isinstance(answer, ToolCall) else tuple(answer)
    named = tuple(call if call.id else replace(call, id=f"call_{place}") for place, call in enumerate(calls))
    return LMResponse("", named, finish_reason="tool_calls", model=model)


def _words(text: str) -> Iterator[str]:
    """Cut after each space; the pieces joined are the text again."""
    start = 0
    while start < len(text):
        end = text.find(" ", start) + 1 or len(text)
        yield text[start:end]
        start = end
