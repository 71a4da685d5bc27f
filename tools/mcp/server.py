"""A registry as an MCP server: any client's calls go the way that every call goes here."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO, TextIOWrapper
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..approval import Approval
from ..calls import ToolCall, ToolResult
from ..errors import ToolDefinitionError
from ..registry import ToolRegistry
from ..render import plain
from ..threads import spawn
from ..tool_context import ToolRun
from .client import check_installed

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams
    from mcp_types import Tool as ListedTool

    from ..tool import Tool

PATH = "/mcp"  # of the HTTP server
_PATIENCE = 3  # seconds for calls to end when the HTTP server is stopped


def servable(registry: ToolRegistry, *, allow_irreversible: bool = False) -> tuple[ToolRegistry, list[str]]:
    """The tools that may be served, and the names of those that may not: no client can know who asked.

    >>> from loopwright.tools import Tool
    >>> def refund(order_id: int) -> str: ...
    >>> servable(ToolRegistry(Tool(refund, effect="irreversible")))
    (ToolRegistry(), ['refund'])
    """
    held = [one.name for one in registry.values() if one.effect == "irreversible" and not allow_irreversible]
    return ToolRegistry([one for one in registry.values() if one.name not in held]), held


def mcp_server(registry: ToolRegistry, name: str = "loopwright") -> Server[Any]:
    """The SDK's server for these tools. Calls that write run one at a time, all others at the same time."""
    check_installed()
    from importlib.metadata import version

    from mcp.server import Server
    from mcp_types import ListToolsResult

    # what may be served was decided before: here nobody can be asked
    run = ToolRun(approval=Approval({"*": "allow"}))
    listing = ListToolsResult(tools=[_listed(one) for one in registry.values()])
    writing = asyncio.Lock()

    async def list_tools(
        context: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return listing

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        call = ToolCall(params.name, params.arguments or {})
        found = registry.get(call.name)
        try:
            if found is None or found.rules.concurrent:
                return _answer(await registry.acall(call, run))
            async with writing:
                return _answer(await registry.acall(call, run))
        finally:
            run.records.clear()  # a server has no end at which anyone would read them

    return Server(name, version=version("loopwright"), on_list_tools=list_tools, on_call_tool=call_tool)


def _listed(tool: Tool) -> ListedTool:
    from mcp_types import Tool as ListedTool
    from mcp_types import ToolAnnotations

    reads = tool.effect in ("pure", "read")
    return ListedTool(
        name=tool.name,
        description=tool.desc or None,
        input_schema=dict(tool.spec.parameters),
        annotations=ToolAnnotations(
            read_only_hint=reads,
            destructive_hint=tool.effect == "irreversible",
            idempotent_hint=reads,
        ),
    )


def _answer(result: ToolResult) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    content = [TextContent(text=result.content)]
    if not result.ok:
        return CallToolResult(content=list(content), is_error=True)
    return CallToolResult(content=list(content), structured_content=_structured(result))


def _structured(result: ToolResult) -> object:
    """The value where it is an object, and was not cut: a client may want it as it is."""
    if result.detail or isinstance(result.value, str | int | float | None):
        return None
    shown = plain(result.value)
    return shown if isinstance(shown, dict) else None


# ---- standard streams


@dataclass(frozen=True, slots=True)
class Descriptors:
    """On which a client is spoken to: this process's own standard input and output."""

    inward: int
    outward: int


@contextmanager
def standard_streams() -> Iterator[Descriptors]:
    """Keep standard input and output for the protocol: whatever else is printed goes to stderr.

    To be entered before any tool is loaded, as a module may print while it is imported.
    """
    sys.stdout.flush()
    wire = Descriptors(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        yield wire
    finally:
        sys.stdout.flush()
        os.dup2(wire.inward, 0)
        os.dup2(wire.outward, 1)
        os.close(wire.inward)
        os.close(wire.outward)


async def serve_stdio(registry: ToolRegistry, wire: Descriptors, name: str = "loopwright") -> None:
    """Serve these tools on two descriptors until the client hangs up."""
    server = mcp_server(registry, name)
    import anyio
    from mcp.server.stdio import stdio_server

    out = TextIOWrapper(FileIO(wire.outward, "wb", closefd=False), "utf-8", write_through=True)
    lines: Any = _Lines(wire.inward)  # the SDK only iterates over it
    async with stdio_server(lines, anyio.wrap_file(out)) as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


class _Lines:
    """Lines of a descriptor. The thread that waits for one can be left behind, so that Ctrl-C ends the server."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""

    async def __aiter__(self) -> AsyncIterator[str]:
        while chunk := await asyncio.wrap_future(spawn(self._read, "stdin")):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")

    def _read(self) -> bytes:
        return os.read(self._descriptor, 65_536)


# ---- HTTP


def listening(address: str, *, public: bool = False) -> socket.socket:
    """A socket for HOST:PORT, or a port of this machine alone; port 0 is any free one.

    Raises `ToolDefinitionError` for an address that other machines reach, unless `public`.
    """
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise ToolDefinitionError(f"{address!r} is no HOST:PORT, such as 127.0.0.1:8000")
    host = host.strip("[]") or "127.0.0.1"
    if not public and not _is_loopback(host):
        raise ToolDefinitionError(
            f"{host} can be reached from other machines, and whoever reaches it can call the tools: "
            "serve on 127.0.0.1, or say --public"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise ToolDefinitionError(f"can't listen on {address}: {error.strerror or error}") from error


def url_of(listener: socket.socket) -> str:
    """The address at which clients find the server.

    >>> with listening("0") as listener:
    ...     url_of(listener).startswith("http://127.0.0.1:")
    True
    """
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


async def serve_http(
    registry: ToolRegistry,
    listener: socket.socket,
    name: str = "loopwright",
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve these tools by streamable HTTP until the task is cancelled or the process is told to end."""
    server = mcp_server(registry, name)
    import uvicorn

    host = listener.getsockname()[0]
    app = server.streamable_http_app(streamable_http_path=PATH, host=host)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_PATIENCE)
    ready()
    await uvicorn.Server(config).serve(sockets=[listener])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
