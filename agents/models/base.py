"""The seam to the world of models: a request goes in, a response comes out.

Whatever answers a request is an `LM`: a provider, the embedded model, a script in a test. A cache or a
retry is an `LM` around another.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from loopwright.tools.calls import ToolCall, ToolSpec

from ..messages import Message

FinishReason = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class LMRequest:
    """All that a model is told. Two equal requests to the same endpoint may share an answer.

    `tool_choice` is "auto" (the model may call), "required" (it must call one), "none", or a tool's
    name. `response_format` is a JSON Schema that the answer's text must fit, where the model can be
    held to one. None leaves a setting to the model's own default. `rollout_id` has no meaning to the
    model: requests that differ only in it are drawn, and cached, apart.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    response_format: Mapping[str, object] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    rollout_id: int | None = None

    def followed_by(self, *messages: Message) -> LMRequest:
        """The same with further messages.

        >>> LMRequest((Message("user", "2 + 2?"),), seed=7).followed_by(Message("assistant", "4")).seed
        7
        """
        return self.with_messages((*self.messages, *messages))

    def with_messages(self, messages: tuple[Message, ...]) -> LMRequest:
        """The same with these messages instead. Spelt out, since each turn of an agent asks: `replace` takes six times as long."""
        return LMRequest(
            messages,
            self.tools,
            self.tool_choice,
            self.response_format,
            self.temperature,
            self.top_p,
            self.max_tokens,
            self.stop,
            self.seed,
            self.rollout_id,
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost. `usd` is None where the price is not known (never 0 for "unknown").

    >>> (Usage(10, 2, usd=0.5) + Usage(1, 1)).usd is None
    True
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    usd: float | None = None

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
        )


NO_USAGE = Usage(usd=0.0)


@dataclass(frozen=True, slots=True)
class LMResponse:
    """A model's answer. `cached` says that no model was asked for it this time."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    finish_reason: FinishReason = "stop"
    usage: Usage = NO_USAGE
    model: str = ""
    cached: bool = False

    def priced(self, usd: float | None) -> LMResponse:
        """The same answer with what it cost, None where that is not known.

        >>> LMResponse("4", usage=Usage(10, 2)).priced(0.5).usage.usd
        0.5
        """
        used = self.usage
        return LMResponse(
            self.text,
            self.tool_calls,
            self.reasoning,
            self.finish_reason,
            Usage(used.prompt_tokens, used.completion_tokens, used.cached_tokens, usd),
            self.model,
            self.cached,
        )

    def as_cached(self) -> LMResponse:
        """The same answer, as it comes out of a cache: no tokens used, no money spent."""
        return replace(self, cached=True, usage=NO_USAGE)


@dataclass(frozen=True, slots=True)
class Retry:
    """The model failed in a way that may pass (`reason`), and is asked again in so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer while it is being written: new text, or new reasoning.

    One with a `retry` has neither: it says that there is nothing yet, and why.
    """

    text: str = ""
    reasoning: str = ""
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do.

    `chat` is false for a model that can only call tools; `context_window` counts tokens, prompt and
    answer together (None: not known).
    """

    native_tools: bool = False
    response_format: bool = False
    chat: bool = True
    context_window: int | None = None


class BaseLM(ABC):
    """A model behind the seam. A subclass has `model` and `complete`; the rest follows from these.

    `complete` blocks and may be called from several threads at once. It raises the errors below
    `loopwright.errors.LMError` and no others.
    """

    model: str

    @property
    def capabilities(self) -> Capabilities:
        """What this model can do; adapters choose by it."""
        return Capabilities()

    @property
    def identity(self) -> str:
        """What a cache tells models apart by: the model's name, and its endpoint where that matters."""
        return self.model

    @abstractmethod
    def complete(self, request: LMRequest) -> LMResponse:
        """Answer the request; blocks."""

    def check_key(self) -> None:  # noqa: B027  # a model that wants no key has nothing to check
        """Raise the `AuthError` that every call would raise for want of a key, where that is known; asks nobody."""

    def __deepcopy__(self, memo: dict[int, object]) -> BaseLM:
        return self  # copies of a program ask the same model

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """Answer the request without blocking the event loop; by default in a thread."""
        return await asyncio.to_thread(self.complete, request)

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Answer piece by piece; the last item is the whole response."""
        response = self.complete(request)
        if response.text:
            yield Delta(response.text)
        yield response

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        response = await self.acomplete(request)
        if response.text:
            yield Delta(response.text)
        yield response
