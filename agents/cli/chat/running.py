"""Ctrl-C while something runs: the first cancels it and lets it end well, the second waits for it no longer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):  # noqa: N818  # no error: a person wanted it
    """What ran was cancelled, and had nothing to say about it."""


async def cancellable(work: Coroutine[Any, Any, T]) -> T:
    """Run something that Ctrl-C cancels; raises `Interrupted` where that is how it ended."""
    task = asyncio.ensure_future(work)
    given_up = asyncio.get_running_loop().create_future()

    def pressed() -> None:
        if task.cancelling() and not given_up.done():
            given_up.set_result(None)
        task.cancel()

    with _on_interrupt(pressed):
        await asyncio.wait({task, given_up}, return_when=asyncio.FIRST_COMPLETED)
    given_up.cancel()
    if not task.done() or task.cancelled():
        raise Interrupted
    return task.result()


@contextmanager
def _on_interrupt(pressed: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, pressed)
    except (NotImplementedError, RuntimeError):  # Windows, or no main thread: Ctrl-C ends the program there
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def leaving_well() -> Iterator[None]:
    """End as one should where the system says so (`kill`): the turn kept as far as it came, the terminal as it was.

    It is heard between two steps of the event loop, and not in the middle of one, which may be writing to the screen.
    """
    loop, talk = asyncio.get_running_loop(), asyncio.current_task()
    told = False

    def leave() -> None:
        nonlocal told
        told = True
        if talk is not None:
            talk.cancel()

    try:
        loop.add_signal_handler(signal.SIGTERM, leave)
    except (NotImplementedError, RuntimeError):  # Windows, or no main thread
        yield
        return
    try:
        yield
    except asyncio.CancelledError:
        if told:
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def interrupt_from_here() -> None:
    """Do what Ctrl-C does, from inside of what it cancels: where a terminal gives it as a key and not as a signal."""
    signal.raise_signal(signal.SIGINT)
    await asyncio.get_running_loop().create_future()
