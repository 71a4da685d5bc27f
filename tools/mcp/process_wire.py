"""A server as a child process that speaks on its standard streams.

The SDK has such a transport too. This one says more when a server dies (its exit code, its last words),
bounds a message, and ends the server's own children as well; messages and session stay the SDK's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .cleaning import one_line

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

MAX_MESSAGE = 32 * 1024 * 1024  # bytes of one message of a server
_KEPT_WORDS = 20  # lines of a server's stderr
_LINE = 2_000  # characters of one such line that are kept
_GRACE = 1.5  # seconds for a server to end by itself when its input is closed
_TERM, _KILL = 1.0, 2.0  # seconds for each signal to show effect
_KILLED = 0.3  # seconds to see it in the whole group, where what is dead may be listed until somebody asks
_TICK = 0.01  # seconds between two looks at a process that is ending


class ProcessWire:
    """A child process, one JSON message a line on its standard streams."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None) -> None:
        self.ended, self.status = asyncio.Event(), ""
        self._command, self._env, self._cwd = list(command), env, cwd
        self._words: deque[str] = deque(maxlen=_KEPT_WORDS)
        self._why = ""
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def streams(self) -> AsyncGenerator[TransportStreams]:
        """Start the process; on exit it is gone, and what it started in its process group too."""
        import anyio
        from mcp.client.stdio import get_default_environment
        from mcp.shared.message import SessionMessage

        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=get_default_environment() | dict(self._env or {}),
            cwd=self._cwd,
            limit=MAX_MESSAGE,
            start_new_session=True,
        )
        inbox, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        sent, outbox = anyio.create_memory_object_stream[SessionMessage](0)
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._read(process, inbox), self._write(process, outbox), self._listen(process))
        ]
        try:
            yield received, sent
        finally:
            for stream in (received, sent):
                stream.close()
            await self._end(process)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for inner in (inbox, outbox):
                inner.close()

    async def _read(
        self,
        process: asyncio.subprocess.Process,
        inbox: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        import anyio

        try:
            async for message in self._messages(process):
                await inbox.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            await _drain(process.stdout)  # we are leaving: the server must not block on a full pipe
        finally:
            self.ended.set()
            inbox.close()

    async def _messages(self, process: asyncio.subprocess.Process) -> AsyncIterator[SessionMessage]:
        from mcp.shared.message import SessionMessage
        from mcp_types import JSONRPCNotification, jsonrpc_message_adapter

        stdout = cast("asyncio.StreamReader", process.stdout)  # a pipe was asked for
        while True:
            try:
                line = await stdout.readline()
            except ValueError:
                self._why = f"it sent a message of more than {MAX_MESSAGE:,} bytes"
                return
            except OSError:
                return
            if not line:
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:  # what a server prints beside the protocol
                self._remember(line)
                continue
            if not isinstance(
                message, JSONRPCNotification
            ):  # of these none is needed, and a server may flood us
                yield SessionMessage(message)

    async def _write(
        self, process: asyncio.subprocess.Process, outbox: MemoryObjectReceiveStream[SessionMessage]
    ) -> None:
        stdin = cast("asyncio.StreamWriter", process.stdin)  # a pipe was asked for
        with suppress(OSError):  # it has gone: the reader sees that too
            async for one in outbox:
                text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(text.encode() + b"\n")
                await stdin.drain()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Keep the last lines of stderr; bytes and not lines are read, as a line may never end."""
        stderr = cast("asyncio.StreamReader", process.stderr)  # a pipe was asked for
        rest = b""
        while chunk := await stderr.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._remember(line)
            rest = rest[-4 * _LINE :]
        self._remember(rest)

    def _remember(self, line: bytes) -> None:
        if text := one_line(line[: 4 * _LINE].decode(errors="replace"), _LINE):
            self._words.append(text)

    def last_words(self) -> str:
        """The exit code, and the last line that was no message."""
        code = None if self._process is None else self._process.returncode
        told = [self._why] if self._why else []
        if code is not None and not self._why:
            told.append(f"killed by signal {-code}" if code < 0 else f"exit code {code}")
        if self._words:
            told.append(f'its last words: "{self._words[-1][:300]}"')
        return "; ".join(told)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Close its input, wait a little, then end its process group; every wait is bounded."""
        cast("asyncio.StreamWriter", process.stdin).close()  # a pipe was asked for
        await _until(lambda: process.returncode is not None, _GRACE)
        if sys.platform == "win32":
            if process.returncode is None:
                process.kill()
                await _until(lambda: process.returncode is not None, _KILL)
        else:
            for number, patience in ((signal.SIGTERM, _TERM), (signal.SIGKILL, _KILLED)):
                if process.returncode is None or _group_is_alive(process.pid):
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, number)
                    await _until(
                        lambda: process.returncode is not None and not _group_is_alive(process.pid), patience
                    )
            await _until(lambda: process.returncode is not None, _KILL)
        # asyncio keeps the pipes open while a survivor holds an end of them; nothing public closes them
        close = getattr(getattr(process, "_transport", None), "close", None)
        if callable(close):
            with suppress(PermissionError):  # it tries to kill a process of another user once more
                close()


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def _until(done: Callable[[], bool], patience: float) -> None:
    end = asyncio.get_running_loop().time() + patience
    while not done() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_TICK)


async def _drain(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(65_536):
        pass
