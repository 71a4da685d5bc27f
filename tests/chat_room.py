"""The chat under test: a folder, real processes, real terminals, a strict server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chat_terminal import PATIENCE, Terminal
from openai_server import Behaviour, OpenAIServer, Reply, answer
from strict_server import strict

from loopwright.cli import run_command
from loopwright.tools import ToolCall

SHOP = '''"""A shop's tools."""

import asyncio
import signal
import time
from pathlib import Path

from loopwright.tools import ToolRegistry

TOOLS = ToolRegistry()
ORDERS = {17: "shipped", 18: "lost"}


@TOOLS.tool(effect="read")
def get_order(order_id: int) -> str:
    """Look an order up."""
    return ORDERS[order_id]


@TOOLS.tool(effect="irreversible")
def refund(order_id: int, amount: float) -> str:
    """Pay money back."""
    with Path("refunds.txt").open("a") as file:
        file.write(f"{order_id} {amount}\\n")
    return f"refunded {amount}"


@TOOLS.tool(effect="write")
async def wait(seconds: float) -> str:
    """Wait."""
    Path("waiting").touch()
    await asyncio.sleep(seconds)
    return "waited"


@TOOLS.tool(effect="write")
def sleep(seconds: float) -> str:
    """Sleep in a thread."""
    Path("waiting").touch()
    time.sleep(seconds)
    return "slept"


@TOOLS.tool(effect="write")
async def interrupt() -> str:
    """Do what Ctrl-C does."""
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(60)
    return "not interrupted"


@TOOLS.tool(effect="write")
async def stubborn() -> str:
    """Do what Ctrl-C does, do not care, and do it again."""
    signal.raise_signal(signal.SIGINT)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(60)
    return "still here"


@TOOLS.tool(effect="read")
async def look() -> str:
    """Look around."""
    await asyncio.sleep(0.3)
    Path("looked").touch()
    return "a shop"


@TOOLS.tool(effect="read")
def shout() -> str:
    """What a hostile page may say."""
    return "\\x1b[2J\\x1b]0;owned\\x07\\u202edlrow " + "x" * 200_000
'''


@dataclass
class Room:
    """A folder, what is in the environment there, and the chats and servers started in it."""

    folder: Path
    stack: ExitStack
    env: dict[str, str] = field(default_factory=dict)
    tools: str = "shop.py:TOOLS"

    def server(self, *behaviours: Behaviour) -> OpenAIServer:
        """A strict server that behaves so."""
        return self.stack.enter_context(OpenAIServer(*strict(*behaviours)))

    def options(self, server: OpenAIServer | None, more: Sequence[str] = ()) -> list[str]:
        asked = [] if server is None else ["-m", "openai/any", "--api-base", server.url, "-t", self.tools]
        return [*asked, *more]

    def terminal(
        self, server: OpenAIServer | None, *more: str, width: int = 100, height: int = 40
    ) -> Terminal:
        """A chat in a terminal."""
        return self.stack.enter_context(
            Terminal(self.options(server, more), self.env, folder=self.folder, width=width, height=height)
        )

    def run(
        self, server: OpenAIServer | None, *more: str, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A chat without a terminal, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "loopwright", "chat", *self.options(server, more)],
            env=self.env,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def made(folder: Path, stack: ExitStack) -> Room:
    """A room in this folder, with nothing of the developer's in its environment."""
    inside = folder / "room"
    inside.mkdir()
    (inside / "shop.py").write_text(SHOP, encoding="utf-8")
    hidden = (
        "LOOPWRIGHT_",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
    )  # the last two: the test runner's own idea of a width
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    env |= {
        "LOOPWRIGHT_CHAT": str(folder / "sessions"),
        "LOOPWRIGHT_CACHE": "off",
        "OPENAI_API_KEY": "test",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    return Room(inside, stack, env)


def call(name: str, **args: object) -> Behaviour:
    """The model calls one tool."""
    return answer(ToolCall(name, args))


@dataclass(frozen=True)
class Done:
    """What a chat printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Script:
    """Runs a chat in this process: its lines are those of a script."""

    room: Room
    capsys: pytest.CaptureFixture[str]

    def __call__(self, server: OpenAIServer | None, *lines: str, options: Sequence[str] = ()) -> Done:
        path = self.room.folder / "turns.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        return self.chat(server, "--script", str(path), *options)

    def chat(self, server: OpenAIServer | None, *options: str) -> Done:
        """A chat with these options."""
        self.capsys.readouterr()
        code = run_command(["chat", *self.room.options(server, options)])
        printed = self.capsys.readouterr()
        return Done(code, printed.out, printed.err)


def two_halves(first: str, rest: str, go_on: threading.Event) -> Behaviour:
    """A model that writes the first words, and the rest when it is told to."""

    def behave(reply: Reply) -> None:
        reply.start_events()
        for words in (first, rest):
            choice = {"index": 0, "delta": {"content": words}, "finish_reason": None}
            reply.write_event({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})
            go_on.wait(PATIENCE)
        reply.write_event({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        reply.end_events()

    return behave
