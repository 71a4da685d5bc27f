"""A streamed answer, as pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ..base import Delta, LMResponse
from ..chat_api import StreamReader, read_response
from .exchange import MOST_STREAMED_BYTES, Answer, Events, UnreadableError, error_in_stream, read_json

DONE = "[DONE]"


class Streaming:
    """Reads an answer piece by piece: `next` until it gives None, then the `response`; `close` it in any case.

    A server that does not stream, and sends the whole answer as JSON, is understood as well.
    """

    def __init__(self, answer: Answer, model: str) -> None:
        self._answer = answer
        self._reader = StreamReader(model)
        self._events = Events()
        self._waiting: deque[str] = deque()
        self._whole: LMResponse | None = None
        self._ended = False
        self._model = model
        self._kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        self._is_whole = self._kind == "application/json"
        if not self._is_whole:
            answer.most = MOST_STREAMED_BYTES

    async def next(self) -> Delta | None:
        """The next piece of text or reasoning; None at the end."""
        if self._is_whole:
            return await self._all_at_once()
        while True:
            delta = self.at_hand()
            if delta is not None:
                return delta
            if self._waiting:  # at its mark of the end
                await self._finish()
            if self._ended:
                return None
            part = await self._answer.part()
            events = self._events.read(part) if part else self._events.end()
            self._waiting.extend(event.strip() for event in events)
            self._ended = not part

    def at_hand(self) -> Delta | None:
        """The next piece of what came already; None if more must come for one, or the end is reached."""
        while self._waiting and self._waiting[0] != DONE:
            event = self._waiting.popleft()
            delta = self._reader.read(_checked(read_json(event))) if event else None
            if delta:
                return delta
        return None

    def response(self) -> LMResponse:
        """The whole answer; `UnreadableError` where what came was no stream of events, but a web page, say."""
        if self._whole is None and not self._reader.begun and self._kind != "text/event-stream":
            raise UnreadableError(f"it is {self._kind[:80] or 'of no type'} and holds no events")
        return self._whole or self._reader.response()

    def close(self) -> None:
        """Close the connection, unless the answer came to its end."""
        self._answer.close()

    async def _finish(self) -> None:
        self._waiting.clear()
        self._ended = True
        await self._answer.finish()

    async def _all_at_once(self) -> Delta | None:
        if self._whole is not None:
            return None
        self._whole = read_response(_checked(read_json(await self._answer.read())), self._model)
        return Delta(self._whole.text, self._whole.reasoning)


def _checked(event: object) -> object:
    if isinstance(event, Mapping) and event.get("error") and not event.get("choices"):
        raise error_in_stream(event["error"])
    return event
