"""A server held open: sessions in an event loop of their own, in a thread of its own.

A session must be entered and left in one task, while calls come from any thread and any loop. So `_Keeper`
has the loop and `Connection` is what callers hold: when the last holder is gone, or the program ends, the
session ends and the server's process with it.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar, cast

from ..errors import ToolFailed, ToolLookupError
from .life import Life, ServerGone

if TYPE_CHECKING:
    from mcp_types import CallToolResult
    from mcp_types import Tool as ListedTool

    from .wires import Endpoint

T = TypeVar("T")

_END = 10.0  # seconds for the thread to end; a life bounds each of its own steps
_MAX_DEATHS = 3  # in a row, before a server is not started again


class Connection:
    """A session with one server, opened again at a call that finds it ended."""

    def __init__(self, endpoint: Endpoint, start_timeout: float, max_tools: int) -> None:
        self.label = endpoint.label
        self._keeper = _Keeper(lambda: Life(endpoint, start_timeout, max_tools), endpoint.label)
        weakref.finalize(self, self._keeper.stop).atexit = False  # at exit the keeper waits as well

    def open(self) -> tuple[list[ListedTool], str]:
        """Start the server; its tools, and its instructions. Raises `ToolLookupError`."""
        try:
            life = self._keeper.submit(self._keeper.life).result()
        except BaseException as error:
            self.close()
            if isinstance(error, ServerGone):
                raise ToolLookupError(f"the MCP server {self.label} {error}") from error
            raise
        return life.tools, life.instructions

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallToolResult:
        """Make one call; raises `ToolFailed` where no result came."""
        keeper = self._keeper
        try:
            return await asyncio.wrap_future(keeper.submit(lambda: keeper.call(name, arguments)))
        except ServerGone as error:
            raise ToolFailed(f"the MCP server {self.label} {error}") from error

    def close(self) -> None:
        """End the session; a server that is a child process is gone afterwards."""
        self._keeper.shut()


class _Keeper:
    """The loop and its thread. `stop` may be called by the garbage collector, so it waits for nothing."""

    def __init__(self, new_life: Callable[[], Life], label: str) -> None:
        self._new_life = new_life
        self._loop = asyncio.new_event_loop()
        self._lock = threading.RLock()  # the collector may call `stop` in the midst of a `submit`
        self._closed = False
        self._stopping = asyncio.Event()
        self._opening = asyncio.Lock()
        self._calls: set[asyncio.Task[object]] = set()
        self._life: Life | None = None
        self._deaths = 0
        self._thread = threading.Thread(target=self._run, name=f"mcp {label}", daemon=True)
        atexit.register(self.shut)
        self._thread.start()

    # ---- from any thread

    def submit(self, work: Callable[[], Coroutine[object, object, T]]) -> Future[T]:
        with self._lock:
            if self._closed:
                raise ServerGone("was closed: its tools can't be called any more")
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def stop(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._stopping.set)

    def shut(self) -> None:
        self.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(_END)

    # ---- in the thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())
        atexit.unregister(self.shut)

    async def _until_stopped(self) -> None:
        await self._stopping.wait()
        if self._life is not None:
            await self._life.end()
        if self._calls:  # they have been answered, with an error
            await asyncio.wait(self._calls, timeout=1)

    async def life(self) -> Life:
        """The present session; a new one where it has ended. Raises `ServerGone`."""
        async with self._opening:
            life, again = self._life, ""
            if life is None or life.over:
                if life is not None:
                    await life.end()  # its process is gone before the next one starts
                    again = f"ended{life.how()} and, started again, "
                if self._deaths >= _MAX_DEATHS:
                    raise ServerGone(f"ended {self._deaths} times in a row: it is not started again")
                life = self._life = self._new_life()
            try:
                await life.opened()
            except ServerGone as error:
                self._deaths += 1
                raise ServerGone(f"{again}{error}") from error
            return life

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallToolResult:
        """One call in the present session. Raises `ServerGone` or `ToolFailed`."""
        task = cast("asyncio.Task[object]", asyncio.current_task())  # a coroutine runs in one
        self._calls.add(task)
        try:
            life = await self.life()
            try:
                result = await life.call(name, arguments)
            except ServerGone:
                self._deaths += 1
                await life.end()
                if self._closed:
                    raise ServerGone("was closed during the call") from None
                raise ServerGone(
                    f"ended during the call{life.how()}; whether the call took effect is not known"
                ) from None
            self._deaths = 0
            return result
        finally:
            self._calls.discard(task)
