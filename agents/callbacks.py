"""Watchers: what a program does, told as it happens."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .models.base import Delta

log = logging.getLogger("loopwright")


class BaseCallback:
    r"""Told of every module, model and tool call; a subclass overrides what it wants to hear of.

    The names and arguments are DSPy's: `call_id` is the same at the start and the end of one call, `inputs` holds
    what went in, `exception` is None where all went well. `on_lm_token` and `on_step` are Loopwright's own; a model
    is only asked to stream where some watcher has `tokens` set. A watcher that raises is logged, and stops nothing.
    Given by `configure(callbacks=[...])` or `context(callbacks=[...])`; it may be called from several threads.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import ScriptedLM
    >>> class Count(BaseCallback):
    ...     def on_lm_end(self, call_id, outputs, exception=None):
    ...         print("model said:", outputs.text.splitlines()[-1])
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"]), callbacks=[Count()]):
    ...     prediction = Predict("country -> capital")(country="France")
    model said: Paris
    """

    tokens: bool = False

    def on_module_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """A module is called."""

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """A module has returned or raised."""

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """A model is asked; `inputs["request"]` is the `LMRequest`."""

    def on_lm_token(self, call_id: str, delta: Delta) -> None:
        """A model has written a piece of its answer; one with a `retry` says that it is asked again, and when."""

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """A model has answered; `outputs` is the `LMResponse`, None where it failed."""

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """A tool is called; `instance` is the `ToolCall`."""

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """A tool call is done; `outputs` is the `ToolResult`, whose `error` says what went wrong."""

    def on_evaluate_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """An evaluation begins; `inputs` has how many trials it will make."""

    def on_evaluate_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """An evaluation has ended; `outputs` is None, its results are told one by one to whoever reads them."""

    def on_step(self, call_id: str, step: Any) -> None:
        """An agent has taken a step; `call_id` is that of the agent's module call."""


def tell(watchers: tuple[BaseCallback, ...], what: str, *args: Any) -> None:
    """Call a method of every watcher; one that raises is logged and loses nothing for the others."""
    for watcher in watchers:
        try:
            getattr(watcher, what)(*args)
        except Exception:
            log.exception("%s.%s raised; the program goes on", type(watcher).__name__, what)
