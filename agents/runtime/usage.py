"""What model and tool calls cost, counted by who made them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..ambient import current, entered
from ..callbacks import BaseCallback
from ..models.base import NO_USAGE, LMResponse, Usage
from ..module import Module
from ..text import counted, plain


class UsageTracker(BaseCallback):
    """Counts tokens, money and calls: by model, by the module that asked, by tool.

    `by_module` names each module as its program does ("triage.predict") where the program is given to `track_usage`, and
    by its class otherwise. Answers from a cache count as calls that cost nothing. Safe to use from several threads.
    """

    def __init__(self, program: Module | None = None) -> None:
        self.by_model: dict[str, Usage] = {}
        self.by_module: dict[str, Usage] = {}
        self.model_calls: Counter[str] = Counter()
        self.tool_calls: Counter[str] = Counter()
        self.tool_errors: Counter[str] = Counter()
        self.tool_seconds: Counter[str] = Counter()
        self._paths = {} if program is None else {id(one): path for path, one in program.named_sub_modules()}
        self._modules: dict[str, str] = {}
        self._asked: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    @property
    def total(self) -> Usage:
        """All models together."""
        return sum(self.by_model.values(), start=NO_USAGE)

    def __repr__(self) -> str:
        return f"UsageTracker({_told(self.total)})"

    def __str__(self) -> str:
        calls = sum(self.model_calls.values())
        lines = [f"{counted(calls, 'model call')}, {_told(self.total)}"]
        for kind, table in (("model", self.by_model), ("module", self.by_module)):
            lines += [f"  {kind} {plain(name)}: {_told(usage)}" for name, usage in table.items()]
        for name, number in self.tool_calls.items():
            failed = f", {self.tool_errors[name]:,} failed" if self.tool_errors[name] else ""
            lines.append(
                f"  tool {plain(name)}: {counted(number, 'call')}{failed}, {self.tool_seconds[name]:.1f} s"
            )
        return "\n".join(lines)

    def get_total_tokens(self) -> dict[str, dict[str, Any]]:
        """Tokens and dollars by model, under the names that DSPy gives them."""
        return {
            model: {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "total_tokens": usage.total_tokens,
                "usd": usage.usd,
            }
            for model, usage in self.by_model.items()
        }

    def on_module_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """Remember which module a call is of."""
        name = self._paths.get(id(instance)) or type(instance).__name__
        with self._lock:
            self._modules[call_id] = name

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Forget it."""
        with self._lock:
            self._modules.pop(call_id, None)

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """Remember who asks which model."""
        with self._lock:
            self._asked[call_id] = (instance.model, self._modules.get(current().module_call, ""))

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Count what the answer cost."""
        with self._lock:
            model, module = self._asked.pop(call_id)
            if not isinstance(outputs, LMResponse):
                return
            self.model_calls[model] += 1
            for table, key in ((self.by_model, model), (self.by_module, module)):
                if key:
                    table[key] = table.get(key, NO_USAGE) + outputs.usage

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Count a tool call."""
        if outputs is None:
            return
        with self._lock:
            self.tool_calls[outputs.call.name] += 1
            self.tool_errors[outputs.call.name] += not outputs.ok
            self.tool_seconds[outputs.call.name] += outputs.seconds


def _told(usage: Usage) -> str:
    price = "price unknown" if usage.usd is None else f"{usage.usd:.4f} USD"
    return f"{usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out, {price}"


@contextmanager
def track_usage(program: Module | None = None) -> Iterator[UsageTracker]:
    r"""Count what is spent inside a `with`.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import LMResponse, ScriptedLM, Usage
    >>> answer = LMResponse("[[ ## capital ## ]]\nParis", usage=Usage(20, 4, usd=0.0))
    >>> with context(lm=ScriptedLM([answer])), track_usage() as usage:
    ...     prediction = Predict("country -> capital")(country="France")
    >>> usage.total.total_tokens, usage.by_module["Predict"].prompt_tokens
    (24, 20)
    >>> print(usage)
    1 model call, 20 tokens in, 4 out, 0.0000 USD
      model scripted: 20 tokens in, 4 out, 0.0000 USD
      module Predict: 20 tokens in, 4 out, 0.0000 USD
    """
    tracker = UsageTracker(program)
    here = current()
    with entered(replace(here, callbacks=(*here.callbacks, tracker))):
        yield tracker
