"""Asking again after a failure that may pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from random import Random

from ..errors import LMError
from .base import BaseLM, Capabilities, Delta, LMRequest, LMResponse, Retry


class Retrying(BaseLM):
    """A model that is asked up to `attempts` times, as long as the error is one that may pass.

    Between two attempts it waits `base` seconds, doubled each time up to `longest`, of which a random
    part of up to half is left out, so that many callers do not come back at once. Where the provider
    says how long to wait, that is taken instead, up to `longest`. The last error is raised as it came.

    A stream is begun again only while nothing of it has been passed on; before each wait it yields a `Delta` that
    says how long that is, and why.

    >>> from loopwright.errors import ServerError
    >>> from loopwright.models.scripted import ScriptedLM
    >>> lm = Retrying(ScriptedLM([ServerError("busy"), "done"]), sleep=lambda seconds: None)
    >>> lm.complete(LMRequest(())).text
    'done'
    """

    def __init__(
        self,
        lm: BaseLM,
        attempts: int = 3,
        *,
        base: float = 0.5,
        longest: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Random | None = None,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts is {attempts}; it must be at least 1")
        self.model = lm.model
        self._lm = lm
        self._attempts = attempts
        self._base = base
        self._longest = longest
        self._sleep = sleep
        self._asleep = asleep
        self._random = random or Random()

    @property
    def capabilities(self) -> Capabilities:
        """Those of the model inside."""
        return self._lm.capabilities

    @property
    def identity(self) -> str:
        """That of the model inside."""
        return self._lm.identity

    def check_key(self) -> None:
        """Of the model inside."""
        self._lm.check_key()

    def complete(self, request: LMRequest) -> LMResponse:
        """Ask until there is an answer."""
        attempt = 1
        while True:
            try:
                return self._lm.complete(request)
            except LMError as error:
                wait = self._wait_after(error, attempt)
            self._sleep(wait)
            attempt += 1

    async def acomplete(self, request: LMRequest) -> LMResponse:
        """As `complete`, without blocking the event loop."""
        attempt = 1
        while True:
            try:
                return await self._lm.acomplete(request)
            except LMError as error:
                wait = self._wait_after(error, attempt)
            await self._asleep(wait)
            attempt += 1

    def stream(self, request: LMRequest) -> Iterator[Delta | LMResponse]:
        """Stream; begin again after an error that came before the first piece."""
        attempt = 1
        while True:
            begun = False
            try:
                for piece in self._lm.stream(request):
                    begun = begun or isinstance(piece, LMResponse) or piece.retry is None
                    yield piece
                return
            except LMError as error:
                if begun:
                    raise
                retry = Retry(self._wait_after(error, attempt), str(error))
            yield Delta(retry=retry)
            self._sleep(retry.seconds)
            attempt += 1

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        """As `stream`, without blocking the event loop."""
        attempt = 1
        while True:
            begun = False
            try:
                async for piece in self._lm.astream(request):
                    begun = begun or isinstance(piece, LMResponse) or piece.retry is None
                    yield piece
                return
            except LMError as error:
                if begun:
                    raise
                retry = Retry(self._wait_after(error, attempt), str(error))
            yield Delta(retry=retry)
            await self._asleep(retry.seconds)
            attempt += 1

    def _wait_after(self, error: LMError, attempt: int) -> float:
        """Seconds to wait before the next attempt; raises the error where there is to be none."""
        if not error.retryable or attempt >= self._attempts:
            raise error
        if error.retry_after is not None:
            return min(error.retry_after, self._longest)
        doubled = min(self._base * 2.0 ** min(attempt - 1, 30), self._longest)
        return doubled * self._random.uniform(0.5, 1.0)
