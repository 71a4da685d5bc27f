"""One session with a server, from its start to its end. Everything in here runs in the keeper's loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ..errors import ToolFailed
from .cleaning import clean, one_line
from .wires import Endpoint

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult
    from mcp_types import Tool as ListedTool

_END = 7.0  # seconds for a session to end
_MAX_PAGES = 200  # of a listing
_MAX_INSTRUCTIONS = 4_000  # characters
_NOWHERE = logging.NullHandler()
_SESSION_OVER = "Session terminated"  # what the SDK makes of a 404 within a session


class ServerGone(Exception):  # noqa: N818 - says what became of it
    """There is no session; the text goes on after "the MCP server …"."""


class Life:
    """A session. `opened` waits until it can be used; `end` leaves nothing of it."""

    def __init__(self, endpoint: Endpoint, start_timeout: float, max_tools: int) -> None:
        self.tools: list[ListedTool] = []
        self.instructions = ""
        self._label, self._max_tools = endpoint.label, max_tools
        self._start_timeout = start_timeout
        self._deadline = asyncio.get_running_loop().time() + start_timeout
        self._wire = endpoint.wire()
        self._client: Client | None = None
        self._ready, self._stop = asyncio.Event(), asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    @property
    def over(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._task.done() or self._stop.is_set() or self._wire.ended.is_set()

    def how(self) -> str:
        """How it ended, in brackets; empty where that is not known."""
        words = self._wire.last_words()
        error = None if not self._task.done() or self._task.cancelled() else self._task.exception()
        if error is not None and not words:
            words = _reason(error)
        return f" ({words})" if words else ""

    async def _run(self) -> None:
        from importlib.metadata import version

        from mcp import Client
        from mcp_types import Implementation

        # what the SDK logs reaches the caller in words; with no handler at all, Python would print it on stderr
        logging.getLogger("mcp").addHandler(_NOWHERE)
        this = Implementation(name="loopwright", version=version("loopwright"))
        async with Client(self._wire.streams(), cache=None, client_info=this) as client:
            self.instructions = clean(client.instructions or "", _MAX_INSTRUCTIONS)
            self.tools = await self._listed(client)
            self._client = client
            self._ready.set()
            await _first(self._stop, self._wire.ended)

    async def _listed(self, client: Client) -> list[ListedTool]:
        if client.server_capabilities.tools is None:
            return []
        tools: list[ListedTool] = []
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if len(tools) > self._max_tools:
                raise ServerGone(
                    f"lists more than {self._max_tools:,} tools: name those you want with only=[…]"
                )
            if not cursor:
                return tools
        raise ServerGone(f"lists its tools on more than {_MAX_PAGES} pages")

    async def opened(self) -> None:
        """Wait until the session can be used; raises `ServerGone`, and then nothing of it is left."""
        ready = asyncio.ensure_future(self._ready.wait())
        left = self._deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait({ready, self._task}, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._ready.is_set():
            return
        late = not self._task.done()
        await self.end()
        if late:
            raise ServerGone(f"did not answer within {self._start_timeout:g} s{self.how()}")
        error = None if self._task.cancelled() else self._task.exception()
        if isinstance(leaf := _leaf(error), ServerGone):
            raise leaf
        words = self._wire.last_words()
        reason = "was closed" if leaf is None else _reason(leaf)
        raise ServerGone(f"{reason} ({words})" if words and words not in reason else reason)

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallToolResult:
        """One call. Raises `ServerGone` where the session ended, `ToolFailed` for another answer than a result."""
        import anyio
        from mcp import MCPError
        from mcp_types import (
            CONNECTION_CLOSED,
            CallToolRequest,
            CallToolRequestParams,
            CallToolResult,
            InputRequiredResult,
        )
        from pydantic import TypeAdapter, ValidationError

        client = cast("Client", self._client)  # `opened` was awaited
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=dict(arguments)))
        kinds: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(
            CallToolResult | InputRequiredResult
        )
        try:
            # not Client.call_tool: it tries the server's own patterns on the result, which may never end
            result = await client.session.send_request(request, kinds)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED or error.message == _SESSION_OVER:
                raise ServerGone from error
            status = f" ({self._wire.status})" if self._wire.status else ""
            raise ToolFailed(
                f"the MCP server {self._label} refused the call: {one_line(error.message, 500)}{status}"
            ) from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise ServerGone from error
        except ValidationError as error:
            raise ToolFailed(f"the MCP server {self._label} {_reason(error)}") from error
        if isinstance(result, InputRequiredResult):
            raise ToolFailed(
                f"the MCP server {self._label} wants to ask a person something, which is not possible here"
            )
        return result

    async def end(self) -> None:
        """Leave the session; a process is gone afterwards. Every wait is bounded."""
        self._stop.set()
        if not self._ready.is_set():
            self._task.cancel()
        await asyncio.wait({self._task}, timeout=_END)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _leaf(error: BaseException | None) -> BaseException | None:
    """What is inside of the groups that task groups raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _reason(error: BaseException) -> str:
    """Why there is no session, to go on after "the MCP server …"."""
    from mcp import MCPError
    from mcp_types import CONNECTION_CLOSED
    from pydantic import ValidationError

    leaf = _leaf(error)
    if isinstance(leaf, FileNotFoundError):
        return f"can't be started: there is no {leaf.filename!r}"
    if isinstance(leaf, PermissionError):
        return f"can't be started: {leaf.filename!r} may not be run"
    if isinstance(leaf, MCPError):
        if leaf.code == CONNECTION_CLOSED:
            return "ended before it could be used"
        return f"gave no session: {one_line(leaf.message, 300)}"
    if isinstance(leaf, ValidationError):
        first = leaf.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"sent an answer that is not MCP: {one_line(where, 120)}: {one_line(first['msg'], 200)}"
    return f"can't be reached: {type(leaf).__name__}: {one_line(str(leaf), 300)}"
