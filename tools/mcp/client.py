"""`from_mcp`: the tools of an MCP server, as a registry."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from ..calls import Effect
from ..errors import ToolDefinitionError, ToolFailed, ToolLookupError, nearest
from ..registry import ToolRegistry
from ..tool import Tool
from .cleaning import one_line
from .connection import Connection
from .listing import Offer, read_listing
from .results import check_output, value_of
from .wires import Endpoint, process_endpoint, split_command, url_endpoint

MAX_TOOLS = 500  # of one server, unless some are named
_MAX_LISTED = 50_000  # tools among which some are named
_EFFECTS = ("pure", "read", "write", "irreversible")


class McpToolWarning(UserWarning):
    """A server lists tools that can't be used; the text says which and why."""


class McpTools(ToolRegistry):
    """The tools of one MCP server, which lives until `close`, or until nothing holds its tools any more.

    `names` maps each tool's name to the server's own name for it; `refused` says of each tool that was left
    out why; `instructions` is what the server says of itself; `server` is how messages call it.
    """

    def __init__(
        self,
        connection: Connection,
        tools: Iterable[Tool],
        names: Mapping[str, str],
        refused: Mapping[str, str],
        instructions: str,
    ) -> None:
        super().__init__(*tools)
        self.server = connection.label
        self.names = dict(names)
        self.refused = dict(refused)
        self.instructions = instructions
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def __deepcopy__(self, memo: object) -> Self:
        return self  # a copy of an agent talks to the same server

    def close(self) -> None:
        """End the session; a server that was started is gone afterwards. Later calls say so."""
        self._connection.close()


def from_mcp(
    server: str | Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = 60,
    start_timeout: float = 60,
    effects: Mapping[str, Effect] | None = None,
    trust_annotations: bool = False,
    only: Iterable[str] = (),
) -> McpTools:
    """Connect to an MCP server, and make its tools callable like any other; blocks until they are listed.

    `server` is a command (a list, or one line as for a shell) that is started and spoken to on its standard
    streams, or an http(s) URL. A command gets a short list of environment variables (PATH, HOME and the
    like), those that stand before it in the line (`KEY=$KEY npx …`) and those of `env`; a URL is sent `headers`. `timeout` bounds a call and `start_timeout` the
    start, in seconds. Every tool has the effect "write" unless `effects` says otherwise by name, or
    `trust_annotations` believes what the server says of its tools. `only` names the tools that are wanted.

    The result is a registry and a context manager, sync and async. Starting a command runs a program with all the
    rights of this process: name servers that you trust. Tools that can't be used are left out with a `McpToolWarning`.
    Raises `ToolLookupError` where there is no server, or the `mcp` extra is not installed.

    >>> import sys
    >>> from loopwright.tools import ToolCall
    >>> with from_mcp([sys.executable, "-m", "loopwright", "tools", "serve", "calculate"]) as tools:
    ...     tools.call(ToolCall("calculate", {"expression": "6 * 7"})).content
    '42'
    """
    _check_options(timeout, start_timeout, effects or {})
    wanted = list(only)
    endpoint = _endpoint(server, env, None if cwd is None else Path(cwd), headers)
    check_installed()
    connection = Connection(endpoint, start_timeout, _MAX_LISTED if wanted else MAX_TOOLS)
    listed, instructions = connection.open()
    try:
        offers, refused = read_listing(listed)
        offers = _chosen(offers, refused, wanted, connection.label)
        by_name = _effects(offers, effects or {}, trust_annotations, connection.label)
        tools = _tools(connection, offers, by_name, timeout, refused)
    except BaseException:
        connection.close()
        raise
    _warn(connection.label, refused)
    names = {one.name: one.theirs for one in offers}
    return McpTools(connection, tools, {one.name: names[one.name] for one in tools}, refused, instructions)


def _endpoint(
    server: str | Sequence[str],
    env: Mapping[str, str] | None,
    cwd: Path | None,
    headers: Mapping[str, str] | None,
) -> Endpoint:
    if isinstance(server, str) and server.lower().startswith(("http://", "https://")):
        if env or cwd:
            raise ToolDefinitionError("env and cwd are for a server that is started, not for a URL")
        return url_endpoint(server, headers)
    if headers:
        raise ToolDefinitionError("headers are for a server at a URL, not for one that is started")
    try:
        command, variables = split_command(server) if isinstance(server, str) else (list(server), {})
    except ValueError as error:
        raise ToolDefinitionError(f"the command {server!r} can't be read: {error}") from error
    if not command or not command[0] or not all(map(_is_word, command)):
        raise ToolDefinitionError(
            f'from_mcp takes a command ("python server.py", or a list of words) or an http(s) URL, not {server!r}'
        )
    return process_endpoint(command, {**variables, **(env or {})}, cwd)


def _is_word(word: object) -> bool:
    return isinstance(word, str) and "\0" not in word


def _check_options(timeout: float | None, start_timeout: float, effects: Mapping[str, str]) -> None:
    if timeout is not None and not timeout > 0:
        raise ToolDefinitionError(f"timeout is a number of seconds above 0, or None, not {timeout!r}")
    if not start_timeout > 0:
        raise ToolDefinitionError(f"start_timeout is a number of seconds above 0, not {start_timeout!r}")
    for name, effect in effects.items():
        if effect not in _EFFECTS:
            raise ToolDefinitionError(f"effects: {name} is one of {', '.join(_EFFECTS)}, not {effect!r}")


def check_installed() -> None:
    """Raise `ToolLookupError` where the SDK is not there."""
    if find_spec("mcp") is None or find_spec("mcp_types") is None:
        raise ToolLookupError(
            "tools of an MCP server need the official SDK, version 2 or newer: pip install 'loopwright[mcp]'"
        )


def _chosen(
    offers: list[Offer], refused: Mapping[str, str], wanted: Sequence[str], label: str
) -> list[Offer]:
    known = {name for one in offers for name in (one.name, one.theirs)}
    for name in wanted:
        if name in refused:
            raise ToolLookupError(
                f'the tool "{name}" of the MCP server {label} can\'t be used: {refused[name]}'
            )
        if name not in known:
            raise ToolLookupError(_unknown(name, known, label))
    if not offers and not refused:
        raise ToolLookupError(f"the MCP server {label} offers no tools")
    return [one for one in offers if not wanted or one.name in wanted or one.theirs in wanted]


def _unknown(name: str, known: Iterable[str], label: str) -> str:
    near = nearest(name, known)
    return f'the MCP server {label} has no tool "{name}"' + (f'; did you mean "{near}"?' if near else "")


def _effects(
    offers: Iterable[Offer], given: Mapping[str, Effect], trusted: bool, label: str
) -> dict[str, Effect]:
    """The effect of each tool: what the user says, else what the server says where it is trusted, else write."""
    made: dict[str, Effect] = {}
    theirs: dict[str, str] = {}
    for one in offers:
        made[one.name] = "write"
        if trusted:
            made[one.name] = "read" if one.read_only else "irreversible" if one.destructive else "write"
        theirs[one.theirs] = one.name
    for name, effect in given.items():
        ours = name if name in made else theirs.get(name)
        if ours is None:
            raise ToolLookupError(_unknown(name, [*made, *theirs], label))
        made[ours] = effect
    return made


def _tools(
    connection: Connection,
    offers: Iterable[Offer],
    effects: Mapping[str, Effect],
    timeout: float | None,
    refused: dict[str, str],
) -> list[Tool]:
    """The offers as tools; one whose schema can't be read is refused."""
    made: list[Tool] = []
    for one in offers:
        call = _caller(connection, one)
        try:
            made.append(
                Tool(
                    call,
                    one.name,
                    one.description,
                    one.arguments,  # type: ignore[arg-type]  # the schema of an object, which is read as one
                    effect=effects[one.name],
                    timeout=timeout,
                    tags=("mcp",),
                )
            )
        except ToolDefinitionError as error:
            refused[one_line(one.theirs, 80)] = one_line(str(error), 300)
    return made


def _caller(connection: Connection, offer: Offer) -> Callable[..., Awaitable[object]]:
    async def mcp_tool(**arguments: object) -> object:
        result = await connection.call(offer.theirs, arguments)
        try:
            check_output(offer.output, result)
        except ToolFailed as error:
            raise ToolFailed(f"{offer.name} (MCP server {connection.label}): {error}") from None
        return value_of(result)

    return mcp_tool


def _warn(label: str, refused: Mapping[str, str]) -> None:
    if refused:
        first = "; ".join(f'"{name}": {why}' for name, why in list(refused.items())[:5])
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        warnings.warn(f"the MCP server {label}: left out {first}{more}", McpToolWarning, stacklevel=3)
