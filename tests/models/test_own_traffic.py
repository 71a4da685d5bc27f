"""What importing and calling costs besides the call: no heavy import, no request of litellm's own, no output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from openai_server import Serve, answer, raw_events

GUARDED = """
import sys

strangers = []


def guard(event, args):
    if event == "socket.connect":
        address = args[1]
    elif event == "socket.getaddrinfo":
        address = args[:2]
    else:
        return
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", None):
        strangers.append(repr(address))
        raise PermissionError(f"a test forbids to connect to {address!r}")


sys.addaudithook(guard)

import asyncio

from loopwright.messages import Message
from loopwright.models import HostedLM, LMRequest

base, base_without_usage = sys.argv[1:]
request = LMRequest((Message("user", "What is 2 + 2?"),))
for name in ("openai/gpt-4o-mini", "openai/llama-2-7b", "openai/any"):
    lm = HostedLM(name, api_base=base)
    lm.capabilities
    assert lm.complete(request).text == "4"
    assert list(lm.stream(request))[-1].text == "4"

# What a server does not count, litellm counts: with tokenizers that it would fetch.
for name in ("openai/llama-2-7b", "openai/llama-3-8b", "openai/command-r"):
    assert list(HostedLM(name, api_base=base_without_usage).stream(request))[-1].text == "4"


async def main():
    assert (await lm.acomplete(request)).text == "4"
    assert [piece async for piece in lm.astream(request)][-1].text == "4"


asyncio.run(main())
print(strangers)
"""


def test_litellm_connects_to_nothing_but_the_models_server_and_prints_nothing(
    openai_server: Serve, tmp_path: Path
) -> None:
    chunks = [
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "4"}, "finish_reason": None}]},
        {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    server, without_usage = openai_server(answer("4")), openai_server(raw_events(*chunks))

    done = subprocess.run(
        [sys.executable, "-c", GUARDED, server.url, without_usage.url],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert done.returncode == 0
    assert len(server.requests) == 8
    assert len(without_usage.requests) == 3


@pytest.mark.parametrize("module", ["loopwright.models", "loopwright.utils"])
def test_importing_models_imports_no_client_and_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in sys.argv[1:] if name in sys.modules])"
    heavy = [
        "litellm",
        "openai",
        "httpx",
        "aiohttp",
        "h11",
        "certifi",
        "numpy",
        "tokenizers",
        "torch",
        "safetensors",
        "platformdirs",
    ]

    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, timeout=300, check=False
    )

    assert done.stdout == "[]\n", done.stderr
