"""Parallel: many calls at once, of one program or of several."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..ambient import current, unblocked
from ..errors import InputError, LoopwrightError, ReplayError
from ..example import Example
from ..module import Module, both_ways
from ..parallel import side_by_side
from ..text import one_line
from .attempts import checked_count

log = logging.getLogger("loopwright")

LOGGED = 5  # errors that are logged, of one call


class ParallelError(LoopwrightError):
    """So many calls failed that no further one was begun.

    `results` holds what was done until then, None for all else; `errors` each failure by the place of its pair.
    """

    def __init__(self, results: list[Any], errors: Mapping[int, Exception]) -> None:
        first = next(iter(errors.values()))
        super().__init__(
            f"stopped after {len(errors)} failed calls (max_errors); the first: {type(first).__name__}: "
            f"{one_line(str(first), 300)}. The exception's .results and .errors have the rest"
        )
        self.results = results
        self.errors = dict(errors)


class Parallel(Module):
    """Calls each (module, inputs) pair, `num_threads` at a time; results keep the order of the pairs.

    Inputs are an `Example` (its inputs; the example itself without `access_examples`), a dict, a tuple of arguments by
    place, or, for a `Parallel` in it, a list of pairs. A call that fails loses no other: its result is None, and it is
    logged. After `max_errors` of them (None: no bound) no further call is begun, and `ParallelError` has what is
    done. With `return_failed_examples` the result is (results, the failed examples, their errors).

    `timeout` and `straggler_limit` are taken because DSPy's programs give them, and change nothing: a slow call is
    never made a second time, since it may have effects. No progress bar is drawn.

    >>> from loopwright import Predict, context
    >>> from loopwright.utils import DummyLM
    >>> capital = Predict("country -> capital")
    >>> with context(lm=DummyLM({"Spain": {"capital": "Madrid"}, "Italy": {"capital": "Rome"}})):
    ...     answers = Parallel(num_threads=2)([(capital, {"country": "Spain"}), (capital, {"country": "Italy"})])
    >>> [one.capital for one in answers]
    ['Madrid', 'Rome']
    """

    def __init__(
        self,
        num_threads: int | None = None,
        max_errors: int | None = None,
        access_examples: bool = True,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: int = 120,
        straggler_limit: int = 3,
    ) -> None:
        self.num_threads = None if num_threads is None else checked_count(num_threads, "num_threads")
        self.max_errors = None if max_errors is None else checked_count(max_errors, "max_errors")
        self.access_examples = access_examples
        self.return_failed_examples = return_failed_examples
        self.provide_traceback = bool(provide_traceback)
        self.disable_progress_bar = disable_progress_bar
        self.timeout = timeout
        self.straggler_limit = straggler_limit

    async def aforward(self, exec_pairs: Sequence[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        """Call every pair; `num_threads` here goes before that of the constructor."""
        calls = [self._call_of(place, pair) for place, pair in enumerate(exec_pairs)]
        at_once = checked_count(num_threads or self.num_threads or current().num_threads, "num_threads")
        errors: dict[int, Exception] = {}

        async def one(place: int) -> Any:
            if self.max_errors is not None and len(errors) >= self.max_errors:
                return None
            try:
                return await calls[place]()
            except Exception as error:  # noqa: BLE001  # it is kept, and loses no other call
                errors[place] = error
                return None

        results = await side_by_side([partial(one, place) for place in range(len(calls))], at_once)
        errors = dict(sorted(errors.items()))
        for error in errors.values():
            if isinstance(error, ReplayError):  # a recording that does not fit is no call that failed
                raise error
        self._log(errors)
        if self.max_errors is not None and len(errors) >= self.max_errors:
            raise ParallelError(results, errors)
        if self.return_failed_examples:
            return results, [exec_pairs[place][1] for place in errors], list(errors.values())
        return results

    forward = both_ways(aforward)

    def _call_of(self, place: int, pair: object) -> Callable[[], Any]:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not callable(pair[0]):
            raise InputError(f"pair {place} must be (module, inputs), not {one_line(repr(pair), 80)}")
        module, given = pair
        if isinstance(given, Example):
            if self.access_examples:
                return partial(_called, module, (), given.inputs().toDict())
            return partial(_called, module, (given,), {})
        if isinstance(given, Mapping):
            return partial(_called, module, (), dict(given))
        if isinstance(given, tuple):
            return partial(_called, module, given, {})
        if isinstance(given, list) and isinstance(module, Parallel):
            return partial(_called, module, (given,), {})
        raise InputError(
            f"the inputs of pair {place} must be an Example, a dict or a tuple (for a Parallel, a list of pairs), "
            f"not {type(given).__name__}"
        )

    def _log(self, errors: Mapping[int, Exception]) -> None:
        for place, error in list(errors.items())[:LOGGED]:
            text = f"pair {place}: {type(error).__name__}: {one_line(str(error), 300)}"
            log.warning("%s", text, exc_info=error if self.provide_traceback else None)
        if len(errors) > LOGGED:
            log.warning("and %d more pairs failed", len(errors) - LOGGED)


async def _called(module: Callable[..., Any], args: tuple[Any, ...], inputs: Mapping[str, Any]) -> Any:
    """A module in the way that the running code waits; a plain function in a thread of its own where need be."""
    if isinstance(module, Module):
        return await module.acall(*args, **inputs)
    if inspect.iscoroutinefunction(module):
        if current().blocking:
            raise InputError("a pair has an async function: await the Parallel's acall(...)")
        return await module(*args, **inputs)
    if current().blocking:
        with unblocked():
            return module(*args, **inputs)
    return await asyncio.to_thread(module, *args, **inputs)
