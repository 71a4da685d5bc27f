"""Results of a tool, remembered."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from .calls import ToolCall, ToolResult
from .render import NoTextForm, plain

_MAX_RESULTS = 1024


class CallMemory:
    """The latest results of one tool by its coerced arguments; safe to use from several threads.

    Only results that succeeded are kept, and arguments that have no JSON form are never remembered.
    """

    def __init__(self) -> None:
        self._results: OrderedDict[str, ToolResult] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, call: ToolCall, ready: Mapping[str, object]) -> ToolResult | None:
        """The remembered result, as the answer to this call."""
        key = key_of(ready)
        with self._lock:
            result = self._results.get(key) if key else None
            if result is None:
                return None
            self._results.move_to_end(key)
        return replace(result, call=call, seconds=0.0)

    def keep(self, ready: Mapping[str, object], result: ToolResult) -> None:
        """Remember a result, in place of the one unused for longest when there are too many."""
        if not result.ok or not (key := key_of(ready)):
            return
        with self._lock:
            self._results[key] = result
            if len(self._results) > _MAX_RESULTS:
                self._results.popitem(last=False)


def key_of(ready: Mapping[str, object]) -> str:
    """Arguments as a key; "" where they have no JSON form."""
    try:
        return json.dumps({name: _typed(value) for name, value in ready.items()}, sort_keys=True)
    except (NoTextForm, ValueError, TypeError, RecursionError):
        return ""


def _typed(value: object) -> object:
    """A value with its type beside it, so that 1, 1.0 and True are told apart, and a date from its text."""
    return [type(value).__qualname__, plain(value)]
