"""`loopwright tools serve`, seen from the SDK's own client, over standard streams and HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from loopwright.tools import Tool, ToolCall, ToolDefinitionError, ToolRegistry
from loopwright.tools.mcp import (
    Descriptors,
    from_mcp,
    listening,
    servable,
    serve_http,
    serve_stdio,
    standard_streams,
    url_of,
)

T = TypeVar("T")

SHOP = '''
import os
import subprocess
import time
from loopwright.tools import ToolContext, ToolFailed, ToolRegistry

print("the shop opens")
os.system("echo a child of the shop")
registry = ToolRegistry()

@registry.tool(effect="read")
def price(item: str, pieces: int = 1) -> dict[str, float]:
    """What so many pieces cost.

    Args:
        item: As the catalogue has it.
        pieces: How many.
    """
    print("looking", item)
    subprocess.run(["echo", "a child of a tool"])
    return {"euros": 2.5 * pieces}

@registry.tool(effect="pure")
def shout(text: str) -> str:
    """The text in capitals."""
    return text.upper()

@registry.tool
def order(item: str) -> str:
    """Order a piece."""
    raise ToolFailed(f"there is no {item} left")

@registry.tool
def count(context: ToolContext) -> int:
    """How often this was called."""
    context.state["n"] = context.state.get("n", 0) + 1
    return context.state["n"]

@registry.tool(timeout=0.2)
def wait() -> str:
    """Wait."""
    time.sleep(30)

@registry.tool(effect="irreversible")
def burn() -> str:
    """Burn the shop down."""
    return "it is gone"
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.py"
    path.write_text(SHOP)
    return path


def served(*arguments: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "loopwright", "tools", "serve", *arguments],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )


@contextmanager
def served_by_http(*arguments: str) -> Iterator[str]:
    """The address of a server; it is told to end, and does."""
    server = served(*arguments, "--http", "127.0.0.1:0")
    process = subprocess.Popen(
        [server.command, *server.args],
        env={**os.environ, **(server.env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if " at http://" in line)
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130


def ask(server: StdioServerParameters | str, work: Callable[[Client], Awaitable[T]]) -> T:
    async def talk() -> T:
        async with Client(server) as client:
            return await work(client)

    return asyncio.run(talk())


def text(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.fixture(scope="module", params=["stdio", "http"])
def server(request: pytest.FixtureRequest, shop: Path) -> Iterator[StdioServerParameters | str]:
    if request.param == "stdio":
        yield served(str(shop))
    else:
        with served_by_http(str(shop)) as url:
            yield url


def test_the_tools_are_listed_with_schema_and_annotations(server: StdioServerParameters | str) -> None:
    async def listed(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["price", "shout", "order", "count", "wait"]
        price = tools["price"]
        assert price.description == "What so many pieces cost."
        assert price.input_schema["required"] == ["item"]
        assert price.input_schema["properties"]["pieces"] == {
            "type": "integer",
            "description": "How many.",
            "default": 1,
        }
        assert price.annotations is not None
        assert tools["order"].annotations is not None
        assert (price.annotations.read_only_hint, price.annotations.destructive_hint) == (True, False)
        assert tools["order"].annotations.read_only_hint is False

    ask(server, listed)


def test_calls_go_the_way_of_every_call(server: StdioServerParameters | str) -> None:
    async def calls(client: Client) -> None:
        fine = await client.call_tool("price", {"item": "oak", "pieces": "4"})
        assert (fine.is_error, text(fine)) == (False, '{"euros": 10.0}')
        assert fine.structured_content == {"euros": 10.0}
        plain = await client.call_tool("shout", {"text": "tea"})
        assert (text(plain), plain.structured_content) == ("TEA", None)
        wrong = await client.call_tool("price", {"items": "oak"})
        assert wrong.is_error
        assert 'there is no parameter "items"; did you mean "item"?' in text(wrong)
        failed = await client.call_tool("order", {"item": "oak"})
        assert (failed.is_error, text(failed)) == (True, "Error: there is no oak left")
        late = await client.call_tool("wait", {})
        assert late.is_error
        assert text(late).startswith("Error: wait did not finish within 0.2 s; it may have been done")
        missing = await client.call_tool("pric", {"item": "oak"})
        assert missing.is_error
        assert 'did you mean "price"?' in text(missing)

    ask(server, calls)


def test_calls_at_the_same_time_are_all_answered(server: StdioServerParameters | str) -> None:
    async def calls(client: Client) -> list[str]:
        results = await asyncio.gather(*(client.call_tool("shout", {"text": f"a{n}"}) for n in range(20)))
        return [text(result) for result in results]

    assert ask(server, calls) == [f"A{n}" for n in range(20)]


def test_the_state_of_tools_lasts_as_long_as_the_server(shop: Path) -> None:
    async def calls(client: Client) -> list[str]:
        return [text(await client.call_tool("count", {})) for _ in range(3)]

    assert ask(served(str(shop)), calls) == ["1", "2", "3"]


def test_what_can_not_be_undone_is_served_only_when_it_is_allowed(shop: Path) -> None:
    async def burn(client: Client) -> str:
        return text(await client.call_tool("burn", {}))

    assert 'there is no tool "burn"' in ask(served(str(shop)), burn)
    assert ask(served(str(shop), "--allow-irreversible"), burn) == "it is gone"


def test_our_own_client_understands_our_own_server(shop: Path) -> None:
    command = [sys.executable, "-m", "loopwright", "tools", "serve", str(shop), "calculate"]
    with from_mcp(command, env={"PYTHONPATH": os.pathsep.join(sys.path)}, trust_annotations=True) as tools:
        assert [tools[name].effect for name in ("price", "order", "calculate")] == ["read", "write", "read"]
        assert tools.call(ToolCall("price", {"item": "oak"})).value == {"euros": 2.5}


def test_the_protocol_has_standard_output_for_itself(shop: Path) -> None:
    """What modules, tools and their children print goes to stderr."""
    server = served(str(shop))
    asked = (
        '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18",'
        ' "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}\n'
        '{"jsonrpc": "2.0", "method": "notifications/initialized"}\n'
        '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "price", "arguments": {"item": "oak"}}}\n'
    )
    process = subprocess.Popen(
        [server.command, *server.args],
        env={**os.environ, **(server.env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(asked)
    process.stdin.flush()
    answers = [process.stdout.readline(), process.stdout.readline()]
    rest, errors = process.communicate(timeout=120)
    assert ['"id":1' in answers[0], '"id":2' in answers[1], rest] == [True, True, ""]
    for printed in ("the shop opens", "a child of the shop", "looking oak", "a child of a tool"):
        assert printed in errors
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_a_server_whose_client_says_nothing(shop: Path, number: signal.Signals) -> None:
    server = served(str(shop))
    process = subprocess.Popen(
        [server.command, *server.args],
        env={**os.environ, **(server.env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
    process.stdin.flush()
    process.stdout.readline()  # it serves
    process.send_signal(number)
    assert process.wait(timeout=120) in (130, -number)
    process.communicate()


def test_standard_streams_are_kept_for_the_protocol_and_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    with standard_streams() as streams:
        subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
        os.write(streams.outward, b"a message\n")
        assert os.read(0, 10) == b""
    subprocess.run([sys.executable, "-c", "print('afterwards')"], check=True)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("a message\nafterwards\n", "a child\n")


def test_a_registry_is_served_on_any_two_descriptors() -> None:
    def double(n: int) -> int:
        """Twice a number."""
        return 2 * n

    (inward, asking), (answering, outward) = os.pipe(), os.pipe()
    messages: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {},
         "clientInfo": {"name": "t", "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "double", "arguments": {"n": "4"}}},
    ]  # fmt: skip

    async def serve() -> list[dict[str, Any]]:
        task = asyncio.ensure_future(serve_stdio(ToolRegistry(Tool(double)), Descriptors(inward, outward)))
        os.write(asking, b"".join(json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in messages))
        with os.fdopen(answering) as lines:
            answers = [json.loads(await asyncio.to_thread(lines.readline)) for _ in range(2)]
        os.close(asking)  # the client hangs up
        await asyncio.wait_for(task, 60)
        return answers

    first, second = asyncio.run(serve())
    os.close(inward)
    os.close(outward)
    assert first["result"]["serverInfo"]["name"] == "loopwright"
    assert second["result"]["content"] == [{"type": "text", "text": "8"}]


def test_a_registry_is_served_in_a_programs_own_loop() -> None:
    def double(n: int) -> int:
        """Twice a number."""
        return 2 * n

    async def serve_and_ask() -> str:
        with listening("127.0.0.1:0") as listener:
            task = asyncio.ensure_future(serve_http(ToolRegistry(Tool(double)), listener))
            async with Client(url_of(listener)) as client:
                answer = text(await client.call_tool("double", {"n": "4"}))
            task.cancel()
            await asyncio.wait({task})
        return answer

    assert asyncio.run(serve_and_ask()) == "8"


def test_a_page_of_another_site_can_not_call_tools(shop: Path) -> None:
    """DNS rebinding: a browser's Host and Origin are not ours."""
    import httpx

    with served_by_http(str(shop)) as url:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            answer = httpx.post(
                url,
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
                headers={"Accept": "application/json, text/event-stream", **headers},
            )
            assert answer.status_code in (403, 421)


def test_irreversible_tools_are_named_when_they_are_held_back() -> None:
    def refund(order_id: int) -> str:
        return ""

    kept, held = servable(ToolRegistry(Tool(refund, effect="irreversible")))
    assert (list(kept), held) == ([], ["refund"])
    kept, held = servable(ToolRegistry(Tool(refund, effect="irreversible")), allow_irreversible=True)
    assert (list(kept), held) == (["refund"], [])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("0.0.0.0:8000", "0.0.0.0 can be reached from other machines"),
        ("example.com:80", "example.com can be reached from other machines"),
        ("127.0.0.1:http", "is no HOST:PORT"),
        ("127.0.0.1:99999", "is no HOST:PORT"),
        ("", "is no HOST:PORT"),
    ],
)
def test_an_address_must_be_one_of_this_machine_alone(address: str, told: str) -> None:
    with pytest.raises(ToolDefinitionError, match=told):
        listening(address)


def test_a_port_alone_is_one_of_this_machine() -> None:
    with listening("0") as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_an_address_may_be_public_when_that_is_said() -> None:
    with listening("0.0.0.0:0", public=True) as listener:
        assert url_of(listener).startswith("http://0.0.0.0:")


def test_an_address_in_use_is_named() -> None:
    with listening("localhost:0") as listener:
        address = "{}:{}".format(*listener.getsockname()[:2])
        with pytest.raises(ToolDefinitionError, match=f"can't listen on {address}"):
            listening(address)
