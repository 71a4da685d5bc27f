"""An MCP server on the official SDK: `sdk.py` on standard streams, `sdk.py http [PORT]` at a port that it prints."""

from __future__ import annotations

import base64
import os
import socket
import sys
import time
from dataclasses import dataclass

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel

server = MCPServer("workshop", instructions="Add before you multiply.")
READS = ToolAnnotations(read_only_hint=True)
ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Point:
    x: int
    y: int = 0


@server.tool(annotations=READS)
def add(a: int, b: int = 2) -> int:
    """Add two whole numbers."""
    return a + b


@server.tool(annotations=READS)
def shift(point: Point, by: list[int]) -> Point:
    """Move a point."""
    return Point(point.x + by[0], point.y + by[1])


@server.tool(annotations=READS)
def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


@server.tool()
def picture() -> Image:
    """One pixel."""
    return Image(data=PIXEL, format="png")


@server.tool(annotations=ENDS)
def fail(reason: str) -> str:
    """Raise."""
    raise ToolError(reason)


class Answer(BaseModel):
    sure: bool


@server.tool()
async def confirm(context: Context) -> str:
    """Ask the user."""
    return str(await context.elicit("Are you sure?", Answer))


@server.tool()
def environment() -> list[str]:
    """The names of the server's environment variables."""
    return sorted(os.environ)


@server.tool()
def sleep(seconds: float) -> str:
    """Take a while."""
    time.sleep(seconds)
    return "slept"


@server.tool()
def end(code: int) -> str:
    """End the server in the midst of a call."""
    sys.stderr.write("out of paper\n")
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    if sys.argv[1:2] != ["http"]:
        server.run("stdio")
        return
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    app = server.streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
