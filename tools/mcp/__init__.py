"""The Model Context Protocol, on the official SDK: tools of other programs, and ours for other programs.

`from_mcp` makes a server's tools into a registry; `serve_stdio` and `serve_http` offer a registry as a
server. The SDK is the extra `loopwright[mcp]`, imported at first use.
"""

from __future__ import annotations

from .client import McpTools, McpToolWarning, from_mcp
from .server import (
    Descriptors,
    listening,
    mcp_server,
    servable,
    serve_http,
    serve_stdio,
    standard_streams,
    url_of,
)

__all__ = [
    "Descriptors",
    "McpToolWarning",
    "McpTools",
    "from_mcp",
    "listening",
    "mcp_server",
    "servable",
    "serve_http",
    "serve_stdio",
    "standard_streams",
    "url_of",
]
