"""Models behind an API, hosted or local, through litellm."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any, cast

from loopwright.tools.render import encodable

from ..errors import AuthError, LMError
from .base import Delta, LMRequest, LMResponse, Usage
from .chat_api import Body, StreamReader, read_response, write_request
from .deadline import pieces_within, result_within
from .failures import as_lm_error
from .remote import CONNECT_TIMEOUT, RemoteLM

# providers whose only way in is a key
_KEYED = frozenset({"anthropic", "deepseek", "gemini", "groq", "mistral", "openai", "openrouter", "xai"})


class HostedLM(RemoteLM):
    """A model that litellm reaches, named "provider/model".

    `timeout` is in seconds and for the whole answer, the connection made within 10 of them. `options`
    go to `litellm.completion` as they are (`reasoning_effort`, `extra_headers`, `api_version` ...).
    `native_tools`, `json_schema` and `context_window` say what the model can do, where litellm's table
    does not know it or is wrong.

    A call is made once: fold `Retrying` around for more. It blocks no longer than `timeout`, whatever
    the server does, and raises errors below `LMError` only; no text of theirs holds a key.

    >>> HostedLM("openai/gpt-4o-mini").capabilities.native_tools
    True
    """

    def complete(self, request: LMRequest) -> LMResponse:
        """Ask once, and wait for the whole answer."""
        try:
            litellm = load_litellm()
            sent = self._parameters(request)
            raw = result_within(self.timeout, lambda: litellm.completion(**sent))
            return self._read(raw)
        except Exception as error:  # noqa: BLE001 (a provider's code raises anything)
            raise self._failed(error) from None

    def check_key(self) -> None:
        """Raise `AuthError` where a provider that wants a key will not get one; others may have other ways in."""
        provider = self.model.partition("/")[0]
        if provider not in _KEYED or self.api_base or self._api_key or "extra_headers" in self._options:
            return
        missing = load_litellm().validate_environment(self.model)["missing_keys"]
        if missing:
            raise AuthError(
                f"{self.model}: there is no key: set {' or '.join(missing)}, or pass api_key=",
                model=self.model,
            )

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """Ask once, without blocking the event loop."""
        try:
            litellm = await _load_without_blocking()
            async with asyncio.timeout(self.timeout):
                raw = await litellm.acompletion(**self._parameters(request))
            return self._read(raw)
        except Exception as error:  # noqa: BLE001 (a provider's code raises anything)
            raise self._failed(error) from None

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Ask once, and yield the answer as it comes."""
        reader = StreamReader(self.model)
        try:
            litellm = load_litellm()
            sent = self._parameters(request, stream=True)
            arrived = _Arrived()
            for chunk in pieces_within(self.timeout, lambda: arrived.watch(litellm.completion(**sent))):
                delta = reader.read(_plain(chunk))
                if delta:
                    yield delta
            response = self._streamed(reader, arrived)
        except Exception as error:  # noqa: BLE001 (a provider's code raises anything)
            raise self._failed(error) from None
        yield response

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        reader = StreamReader(self.model)
        ends = asyncio.get_running_loop().time() + self.timeout
        try:
            litellm = await _load_without_blocking()
            async with asyncio.timeout_at(ends):
                raw = await litellm.acompletion(**self._parameters(request, stream=True))
            arrived = _Arrived()
            async for chunk in arrived.awatch(raw, ends):
                delta = reader.read(_plain(chunk))
                if delta:
                    yield delta
            response = self._streamed(reader, arrived)
        except Exception as error:  # noqa: BLE001 (a provider's code raises anything)
            raise self._failed(error) from None
        yield response

    def _parameters(self, request: LMRequest, *, stream: bool = False) -> dict[str, object]:
        from httpx import Timeout

        parameters: dict[str, object] = {
            "drop_params": True,
            **self._options,
            **_encodable(write_request(request)),
            "model": self.model,
            "timeout": Timeout(self.timeout, connect=min(CONNECT_TIMEOUT, self.timeout)),
            "num_retries": 0,
            "max_retries": 0,
        }
        if (
            request.tools
        ):  # else litellm looks for tools of its own gateway, which needs packages that it does not require
            parameters["_skip_mcp_handler"] = True
        if self.api_base:
            parameters["api_base"] = self.api_base
        key = _key_to_send(self.model, self.api_base, self._api_key)
        if key:
            parameters["api_key"] = key
        if stream:
            parameters |= {"stream": True, "stream_options": {"include_usage": True}}
        forced = self._forced(request)
        if forced:
            parameters["allowed_openai_params"] = forced
        return parameters

    def _forced(self, request: LMRequest) -> list[str]:
        """The parameters that litellm must not drop, because the constructor was told that the model takes them."""
        tools, schema, _ = self._given
        names = ["tools", "tool_choice"] if tools and request.tools else []
        return names + (["response_format"] if schema and request.response_format is not None else [])

    def _read(self, raw: object) -> LMResponse:
        response = read_response(_plain(raw), self.model)
        return self._priced(response, getattr(raw, "usage", None))

    def _streamed(self, reader: StreamReader, arrived: _Arrived) -> LMResponse:
        if not arrived.finished:
            raise reader.broken_off()
        return self._priced(reader.response(), arrived.usage)

    def _priced(self, response: LMResponse, usage: object) -> LMResponse:
        return response.priced(self._price(response.usage, usage))

    def _price(self, counted: Usage, usage: object) -> float | None:
        """US dollars by litellm's table; None where the table does not know the model."""
        if self._facts is None or not self._facts.priced:
            return None
        if self._facts.free:
            return 0.0
        if (
            self._facts.provider == "openai"
        ):  # the table's own figures; litellm takes ten times as long to the same
            return self._facts.usd(counted.prompt_tokens, counted.cached_tokens, counted.completion_tokens)
        try:
            prompt, completion = load_litellm().cost_per_token(
                model=self.model,
                prompt_tokens=counted.prompt_tokens,
                completion_tokens=counted.completion_tokens,
                usage_object=usage,
            )
        except Exception:  # noqa: BLE001 (a price that can't be reckoned is one that is not known)
            return None
        return float(prompt) + float(completion)

    def _failed(self, error: Exception) -> LMError:
        return as_lm_error(error, self._endpoint)


def _encodable(body: Body) -> Body:
    """The body with whole letters only: half a surrogate pair, which models write now and then, no client of litellm's sends."""
    for message in cast("list[Body]", body["messages"]):
        if "content" in message:
            message["content"] = encodable(str(message["content"]))
    return body


class _Arrived:
    """What a stream tells besides its chunks: the usage object, and whether the answer came to its end.

    litellm ends every stream with a finish reason, one of its own where the server sent none; only its
    `received_finish_reason` tells a whole answer from one that was cut off.
    """

    def __init__(self) -> None:
        self.usage: object = None
        self.finished = False

    def watch(self, stream: Any) -> Iterator[object]:
        for chunk in stream:
            self.usage = getattr(chunk, "usage", None) or self.usage
            yield chunk
        self._end(stream)

    async def awatch(self, stream: Any, ends: float) -> AsyncIterator[object]:
        chunks = aiter(stream)
        try:
            while True:
                async with asyncio.timeout_at(ends):
                    try:
                        chunk = await anext(chunks)
                    except StopAsyncIteration:
                        break
                self.usage = getattr(chunk, "usage", None) or self.usage
                yield chunk
            self._end(stream)
        finally:
            close: Callable[[], Any] | None = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    def _end(self, stream: object) -> None:
        reasons = [
            getattr(stream, name, None) for name in ("received_finish_reason", "intermittent_finish_reason")
        ]
        self.finished = any(reasons) or not hasattr(stream, "received_finish_reason")


@cache
def load_litellm() -> Any:
    """Import litellm, which takes seconds, so that it makes no request and prints nothing of its own."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it fetches its price list
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True  # else it fetches tokenizers to count tokens with
    if "LITELLM_LOG" not in os.environ:
        logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


async def _load_without_blocking() -> Any:
    if not load_litellm.cache_info().currsize:
        await asyncio.to_thread(load_litellm)
    return load_litellm()


def _plain(raw: object) -> object:
    """An object of litellm's as JSON values."""
    dump = getattr(raw, "model_dump", None)
    return dump(warnings=False) if dump else raw


def _key_to_send(model: str, api_base: str, api_key: str) -> str:
    """The key, or a stand-in for a server of one's own that needs none: the client refuses to send nothing."""
    if api_key or not api_base or not model.startswith("openai/") or os.environ.get("OPENAI_API_KEY"):
        return api_key
    return "no-key"
