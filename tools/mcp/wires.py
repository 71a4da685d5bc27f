"""Where a server is, and the two ways to it: a child process, and a URL."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from .cleaning import one_line
from .http_wire import HttpWire
from .process_wire import ProcessWire

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?:\$\{?(?P<of>[A-Za-z_]\w*)\}?|(?P<value>.*))", re.DOTALL)


class Wire(Protocol):
    """One connection to a server. `ended` is set when the server hung up; `status` is that of an HTTP error."""

    ended: asyncio.Event
    status: str

    def streams(self) -> AbstractAsyncContextManager[TransportStreams]:
        """Connect; on exit everything of it is gone."""

    def last_words(self) -> str:
        """How it ended, as far as is known: an exit code, a line of stderr, an HTTP status."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is: `label` is how messages call it, without secrets; `wire` makes a new connection."""

    label: str
    wire: Callable[[], Wire]


def process_endpoint(
    command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Endpoint:
    """A server that is started as a child process.

    Its environment is the SDK's short list (PATH, HOME, …) with `env` on top.

    >>> process_endpoint(["/usr/bin/python3", "-u", "/srv/shop.py", "--key", "secret"]).label
    'python3 shop.py'
    """
    words = [Path(command[0]).name, *(word for word in command[1:] if not word.startswith("-"))][:2]
    label = " ".join(Path(word).name if Path(word).is_absolute() else word for word in words)
    return Endpoint(one_line(label, 60), lambda: ProcessWire(command, env, cwd))


def url_endpoint(url: str, headers: Mapping[str, str] | None = None) -> Endpoint:
    """A server that is reached by streamable HTTP.

    >>> url_endpoint("https://user:secret@example.com/mcp?key=1").label
    'https://example.com/mcp'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return Endpoint(one_line(f"{parts.scheme}://{host}{parts.path}", 100), lambda: HttpWire(url, headers))


def split_command(text: str) -> tuple[list[str], dict[str, str]]:
    """A command line as words, and the variables that stand before it; quotes as in a shell.

    A variable's value may be `$NAME`, that of a variable of this process. Raises `ValueError`.

    >>> split_command("MODE=strict npx -y 'my server'")
    (['npx', '-y', 'my server'], {'MODE': 'strict'})
    """
    if sys.platform == "win32":
        words = [word.strip("\"'") for word in shlex.split(text, posix=False)]
    else:
        words = shlex.split(text)
    variables: dict[str, str] = {}
    while words and (found := _ASSIGNED.fullmatch(words[0])):
        variables[found["name"]] = found["value"] if found["of"] is None else _own_variable(found["of"])
        words.pop(0)
    return words, variables


def _own_variable(name: str) -> str:
    if name not in os.environ:
        raise ValueError(f"the environment variable {name} is not set")
    return os.environ[name]
