"""The options of a tool, and what they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from .calls import Effect
from .effects import EFFECTS, RULES
from .errors import ToolDefinitionError
from .wording import Schema

RETRIES = 2  # of a call that changes nothing and failed for a passing reason
RETRY_ON: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)


class ToolOptions(TypedDict, total=False):
    """The options of a `Tool`, as the decorators take them."""

    name: str | None
    desc: str | None
    args: Mapping[str, Schema] | None
    arg_types: Mapping[str, object] | None
    arg_desc: Mapping[str, str] | None
    effect: Effect
    timeout: float | None
    isolate: bool
    cache: bool
    retries: int | None
    retry_on: tuple[type[Exception], ...]
    tags: Iterable[str]
    max_chars: int


def check_options(
    name: str, effect: str, timeout: float | None, cache: bool, retries: int | None, max_chars: int
) -> None:
    """Raise `ToolDefinitionError` for an option that makes no sense; `name` is the function's."""
    if effect not in EFFECTS:
        raise ToolDefinitionError(
            f"{name}: effect is {', '.join(EFFECTS[:-1])} or {EFFECTS[-1]}, not {effect!r}"
        )
    rules = RULES[effect]
    if timeout is not None and not _is_above_0(timeout):
        raise ToolDefinitionError(f"{name}: timeout is a number of seconds above 0, not {timeout!r}")
    if cache and rules.remembered == "never":
        raise ToolDefinitionError(
            f'{name}: only a tool with effect="pure" or "read" can be cached, this is {effect!r}'
        )
    if retries is not None and retries < 0:
        raise ToolDefinitionError(f"{name}: retries is a number of at least 0, not {retries}")
    if retries and not rules.retried:
        raise ToolDefinitionError(
            f'{name}: a call with effect={effect!r} is never made twice; only "pure" and "read" are retried'
        )
    if max_chars < 200:
        raise ToolDefinitionError(f"{name}: max_chars is at least 200, not {max_chars}")


def _is_above_0(given: object) -> bool:
    return isinstance(given, int | float) and given > 0
