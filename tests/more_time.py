"""Tests of time limits that a busy machine does not fail: what has to fit into the limit gets more time then."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def in_seconds(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with this limit, its argument `seconds`; where it fails, with six times as much, and once more so.

    >>> tried = []
    >>> @in_seconds(0.5)
    ... def test(seconds):
    ...     tried.append(seconds)
    ...     assert seconds > 1
    >>> test()
    >>> tried
    [0.5, 3.0]
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **given: Any) -> None:
            for limit in (seconds, 6 * seconds):
                with suppress(AssertionError):
                    return test(*args, **given, seconds=limit)
            return test(*args, **given, seconds=36 * seconds)

        asked = [one for name, one in inspect.signature(test).parameters.items() if name != "seconds"]
        run.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]  # what pytest takes for fixtures
        return run

    return decorate
