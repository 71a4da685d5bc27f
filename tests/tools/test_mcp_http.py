"""`from_mcp` against HTTP servers that come and go, and against hostile ones on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bombs import bomb

from loopwright.tools import ToolCall, ToolLookupError
from loopwright.tools.mcp import from_mcp

SDK = [sys.executable, str(Path(__file__).parent / "servers" / "sdk.py"), "http"]
LISTED = {"tools": [{"name": "look", "description": "Look.", "inputSchema": {"type": "object"}}]}

Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]
Serve = Callable[[Answer], str]


@contextmanager
def workshop(port: int = 0) -> Iterator[int]:
    """The SDK's own server in a process of its own, and its port."""
    process = subprocess.Popen(
        [*SDK, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, /, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def reply(handler: BaseHTTPRequestHandler, request: dict[str, Any], result: object, **headers: str) -> None:
    send(handler, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode(), **headers)


def hello(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    """What every session begins with, in the way of servers before 2026."""
    if request["method"] == "initialize":
        this = {"name": "raw", "version": "1"}
        agreed = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": this}
        reply(handler, request, agreed, Mcp_Session_Id=f"session-{time.monotonic_ns()}")
    elif request["method"] == "tools/list":
        reply(handler, request, LISTED)
    elif "id" not in request:
        send(handler, b"", 202)
    else:
        send(handler, b"", 400)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers calls of tools as told; the rest it does as it should."""
    with ExitStack() as stack:

        def start(call: Answer) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                    try:
                        (call if request["method"] == "tools/call" else hello)(self, request)
                    except OSError:
                        self.close_connection = True  # the client has had enough

                def do_GET(self) -> None:
                    send(self, b"", 405)

                def do_DELETE(self) -> None:
                    if call is mute:
                        time.sleep(120)
                    send(self, b"")

                def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name for it
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}/mcp"

        yield start


def test_a_server_that_comes_back_is_found_again() -> None:
    with workshop() as port:
        tools = from_mcp(f"http://127.0.0.1:{port}/mcp")
        assert tools.call(ToolCall("add", {"a": 1})).content == "3"
    with tools:
        gone = tools.call(ToolCall("add", {"a": 1}))
        assert gone.error == "raised"
        assert f"the MCP server http://127.0.0.1:{port}/mcp ended during the call" in gone.content
        with workshop(port):
            assert tools.call(ToolCall("add", {"a": 2})).content == "4"


def endless(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 1_000_000)


def squeezed(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    send(handler, bomb(100_000_000), Content_Encoding="gzip")


def mute(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    time.sleep(3)


def elsewhere(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    send(handler, b"", 307, Location="http://127.0.0.2:9/mcp")


CALLS: dict[str, tuple[Answer, str]] = {
    "an answer without end": (endless, "more than 33,554,432 bytes"),
    "a compressed answer": (squeezed, "compresses its answers"),
    "no answer": (mute, "did not finish within 1 s"),
    "no JSON": (lambda it, _: send(it, b"<html>"), "refused the call"),
    "another site": (elsewhere, "not followed"),
    "a server error": (
        lambda it, _: send(it, b"oops", 500),
        "refused the call: Server returned an error response (HTTP 500",
    ),
}


@pytest.mark.parametrize(("call", "told"), CALLS.values(), ids=CALLS)
def test_an_answer_that_can_not_be_used_is_an_observation(serve: Serve, call: Answer, told: str) -> None:
    with from_mcp(serve(call), timeout=1 if call is mute else 60) as tools:
        result = tools.call(ToolCall("look"))
    assert result.error in ("raised", "timeout")
    assert told in result.content


def test_what_is_wrong_with_an_answer_is_not_printed_as_well(serve: Serve) -> None:
    url = serve(lambda it, _: send(it, b"<html>"))
    code = (
        "from loopwright.tools import ToolCall, from_mcp\n"
        f"with from_mcp({url!r}) as tools:\n    print(tools.call(ToolCall('look')).error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("raised\n", "")


def test_a_server_that_never_answers_keeps_nobody(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        with pytest.raises(ToolLookupError, match="did not answer within 1 s"):
            from_mcp(url, start_timeout=1)
    tools = from_mcp(serve(mute), timeout=1)
    assert tools.call(ToolCall("look")).error == "timeout"
    started = time.monotonic()
    tools.close()
    assert time.monotonic() - started < 100  # a guard: the server would take 120 s


def test_a_session_that_the_server_forgot_is_opened_again(serve: Serve) -> None:
    seen: list[str] = []

    def call(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        seen.append(handler.headers["Mcp-Session-Id"])
        if len(seen) == 1:
            send(handler, b"", 404)
        else:
            reply(handler, request, {"content": [{"type": "text", "text": "seen"}]})

    with from_mcp(serve(call)) as tools:
        first, second = (tools.call(ToolCall("look")) for _ in range(2))
    assert (first.error, second.content) == ("raised", "seen")
    assert seen[0] != seen[1]


def test_headers_are_sent_with_every_request(serve: Serve) -> None:
    seen: list[str] = []

    def call(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        seen.append(handler.headers["Authorization"])
        reply(handler, request, {"content": []})

    with from_mcp(serve(call), headers={"Authorization": "Bearer secret"}) as tools:
        tools.call(ToolCall("look"))
    assert seen == ["Bearer secret"]


def test_secrets_in_an_address_are_not_shown(serve: Serve) -> None:
    url = serve(lambda it, _: send(it, b"", 500)).replace("127.0.0.1", "user:secret@127.0.0.1")
    with from_mcp(f"{url}?key=hidden") as tools:
        told = tools.call(ToolCall("look")).content + tools.server
    assert "secret" not in told
    assert "hidden" not in told


def test_an_address_where_no_server_is_gives_the_status(site: str) -> None:
    with pytest.raises(ToolLookupError, match="HTTP 501"):
        from_mcp(f"{site}/nothing-here")
