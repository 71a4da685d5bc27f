"""The options of a tool, and what they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from .calls import Effect
from .errors import ToolDefinitionError
from .wording import Schema


class ToolOptions(TypedDict, total=False):
    """The options of a `Tool`, as the decorators take them."""

    name: str | None
    desc: str | None
    args: Mapping[str, Schema] | None
    arg_types: Mapping[str, object] | None
    arg_desc: Mapping[str, str] | None
    effect: Effect
    timeout: float | None
    cache: bool
    tags: Iterable[str]
    max_chars: int


def check_options(name: str, effect: str, timeout: float | None, cache: bool, max_chars: int) -> None:
    """Raise `ToolDefinitionError` for an option that makes no sense; `name` is the function's."""
    if effect not in ("pure", "read", "write", "irreversible"):
        raise ToolDefinitionError(f"{name}: effect is pure, read, write or irreversible, not {effect!r}")
    if timeout is not None and not timeout > 0:
        raise ToolDefinitionError(f"{name}: timeout is a number of seconds above 0, not {timeout!r}")
    if cache and effect != "pure":
        raise ToolDefinitionError(f'{name}: only a tool with effect="pure" can be cached, this is {effect!r}')
    if max_chars < 200:
        raise ToolDefinitionError(f"{name}: max_chars is at least 200, not {max_chars}")
