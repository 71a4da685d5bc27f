"""Bridges between plain and async code, under DSPy's names. Every module here is both; functions are not."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from loopwright.tools.errors import with_article

from .errors import ConfigurationError
from .module import Module


def asyncify(program: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A program as an async function: a module's own `acall`, a plain function in a thread that inherits the context.

    >>> async def main():
    ...     return await asyncify(len)("four")
    >>> asyncio.run(main())
    4
    """
    if isinstance(program, Module):
        return program.acall
    if not callable(program):
        raise ConfigurationError(
            f"asyncify takes a module or a function, not {with_article(type(program).__name__)}"
        )

    @functools.wraps(program)
    async def awaited(*args: Any, **inputs: Any) -> Any:
        return await asyncio.to_thread(program, *args, **inputs)

    return awaited


def syncify(program: Any, in_place: bool = True) -> Any:
    """A program for plain code: a module is one already, and is given back; an async function is wrapped.

    `in_place` is taken because DSPy's programs give it: there is nothing to change in the module. It works inside
    an event loop too, where the call blocks it.

    >>> async def double(n):
    ...     return 2 * n
    >>> syncify(double)(21)
    42
    """
    if isinstance(program, Module):
        return program
    if not asyncio.iscoroutinefunction(program):
        raise ConfigurationError(f"syncify takes a module or an async function, not {program!r:.60}")
    awaiting = _Awaited(program)

    @functools.wraps(program)
    def called(*args: Any, **inputs: Any) -> Any:
        return awaiting(*args, **inputs)

    return called


class _Awaited(Module):
    def __init__(self, function: Callable[..., Awaitable[Any]]) -> None:
        self.function = function

    async def aforward(self, *args: Any, **inputs: Any) -> Any:
        return await self.function(*args, **inputs)
