"""A budget: what all model calls inside a `with` may cost together."""

from __future__ import annotations

import threading
import time
from contextvars import Token
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self

from ..ambient import Context, current, reset, set_context
from ..errors import BudgetError, ConfigurationError
from ..models.base import NO_USAGE, BaseLM, LMRequest, Usage

_CHARS_A_TOKEN = 4
_ANSWER_TOKENS = 256  # of an answer, where neither the request nor earlier answers say how long it gets

Limit = Literal["usd", "tokens", "calls", "seconds"]
Bound = Literal["usd", "tokens", "calls", "seconds", "rollouts", "tool_calls"]


class Budget:
    r"""A bound on what the code inside a `with` may spend on models; it holds for threads and tasks started there too.

    `usd` is the provider's price, `tokens` are prompt and answer together, `calls` model calls, `seconds` wall time
    since the `with` began. Before a call what it may cost is set aside, after it what it did cost is booked; a call that
    does not fit any more raises `BudgetError` and is not made. An agent that is under way then ends with what it has
    (`termination_reason` "max_cost", "max_tokens", "max_calls" or "max_seconds"). Answers from a cache or a journal cost
    nothing. What a call will cost is an estimate, so the last one may go beyond `usd` or `tokens` by the error of its
    estimate; `calls` are exact. A budget inside another is bound by both.

    `rollouts` and `tool_calls` are counted by an optimizer alone: such a budget goes to `compile(budget=...)`, which
    reads the bounds and enters no `with`.

    >>> from loopwright import Predict, context
    >>> from loopwright.errors import BudgetError
    >>> from loopwright.models import FunctionLM, LMResponse
    >>> lm = FunctionLM(lambda request: LMResponse("[[ ## capital ## ]]\nParis"))
    >>> with context(lm=lm), Budget(calls=1) as budget:
    ...     print(Predict("country -> capital")(country="France").capital, budget.calls)
    ...     Predict("country -> capital")(country="Italy")
    Traceback (most recent call last):
    loopwright.errors.BudgetError: the budget of 1 calls is used up
    """

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        calls: int | None = None,
        seconds: float | None = None,
        rollouts: int | None = None,
        tool_calls: int | None = None,
    ) -> None:
        self.limits: dict[Bound, float | None] = {
            "usd": usd,
            "tokens": tokens,
            "calls": calls,
            "seconds": seconds,
            "rollouts": rollouts,
            "tool_calls": tool_calls,
        }
        for name, limit in self.limits.items():
            if limit is not None and not _is_amount(limit):
                raise ConfigurationError(f"a budget's {name} is a number of at least 0, not {limit!r}")
        self.usage: Usage = NO_USAGE
        self.calls = 0
        self._held = _Held()
        self._longest_answer = 0
        self._dollars_a_token: dict[str, float] = {}
        self._lock = threading.Lock()
        self._started: float | None = None
        self._outer: Budget | None = None
        self._token: Token[Context | None] | None = None

    def __enter__(self) -> Self:
        if self._token is not None:
            raise ConfigurationError("this budget is in use already: make another one for the code inside")
        counted_elsewhere = [name for name in ("rollouts", "tool_calls") if self.limits[name] is not None]
        if counted_elsewhere:
            raise ConfigurationError(
                f"{counted_elsewhere[0]} are counted by an optimizer: give this budget to compile(budget=...)"
            )
        here = current()
        self._outer = here.budget if isinstance(here.budget, Budget) else None
        self._started = time.monotonic()
        self._token = set_context(replace(here, budget=self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            reset(self._token)
            self._token = None

    @property
    def seconds(self) -> float:
        """Wall time since the `with` began."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    @property
    def unbounded(self) -> bool:
        """Whether it only counts: neither this budget nor one around it has a bound.

        >>> Budget().unbounded, Budget(calls=3).unbounded
        (True, False)
        """
        bounded = any(limit is not None for limit in self.limits.values())
        return not bounded and (self._outer is None or self._outer.unbounded)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={limit:g}" for name, limit in self.limits.items() if limit is not None)
        usd = "?" if self.usage.usd is None else f"{self.usage.usd:.4f}"
        return f"<Budget({shown}): {self.calls} calls, {self.usage.total_tokens} tokens, {usd} dollars used>"

    # ---- for whoever asks a model

    def check(self) -> None:
        """Raise `BudgetError` where the time is up."""
        limit = self.limits["seconds"]
        if limit is not None and self.seconds >= limit:
            raise BudgetError(f"the budget of {limit:g} seconds is used up", limit="seconds")
        if self._outer is not None:
            self._outer.check()

    def reserve(self, lm: BaseLM, request: LMRequest) -> Reserved:
        """Set aside what a call may cost; raises `BudgetError` where that is not there."""
        self.check()
        outer = None if self._outer is None else self._outer.reserve(lm, request)
        try:
            with self._lock:
                return self._set_aside(lm, self._tokens_of(request), outer)
        except BudgetError:
            if outer is not None:
                outer.release()
            raise

    def _tokens_of(self, request: LMRequest) -> int:
        """What a request and its answer may come to, in tokens."""
        prompt = sum(len(message.content) + 8 for message in request.messages) // _CHARS_A_TOKEN
        tools = sum(len(tool.description) + 100 for tool in request.tools) // _CHARS_A_TOKEN
        answer = max(self._longest_answer, 1) if self._longest_answer else _ANSWER_TOKENS
        return prompt + tools + (answer if request.max_tokens is None else min(answer, request.max_tokens))

    def _set_aside(self, lm: BaseLM, tokens: int, outer: Reserved | None) -> Reserved:
        usd = tokens * self._dollars_a_token.get(lm.model, 0.0)
        if self.limits["usd"] is not None and self.usage.usd is None:
            raise BudgetError(
                f"a budget in dollars needs prices, and that of {lm.model} is not known: limit tokens or calls instead",
                limit="usd",
            )
        wanted: dict[Limit, tuple[float, float]] = {
            "calls": (self.calls + self._held.calls, 1),
            "tokens": (self.usage.total_tokens + self._held.tokens, tokens),
            "usd": ((self.usage.usd or 0.0) + self._held.usd, usd),
        }
        for name, (used, more) in wanted.items():
            limit = self.limits[name]
            if limit is not None and (used + more > limit or used >= limit):
                raise BudgetError(_used_up(name, limit, used, more), limit=name)
        self._held += _Held(1, tokens, usd)
        return Reserved(self, lm.model, _Held(1, tokens, usd), outer)

    def _book(self, held: _Held, model: str, usage: Usage | None, *, cached: bool) -> None:
        with self._lock:
            self._held -= held
            if usage is None or cached:
                return
            self.calls += 1
            self.usage += usage
            self._longest_answer = max(self._longest_answer, usage.completion_tokens)
            if usage.usd and usage.total_tokens:
                self._dollars_a_token[model] = usage.usd / usage.total_tokens


@dataclass(frozen=True, slots=True)
class _Held:
    """What calls that are under way may still cost."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: _Held) -> _Held:
        return _Held(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: _Held) -> _Held:
        return _Held(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


@dataclass(slots=True)
class Reserved:
    """What was set aside for one model call; booked or given back once."""

    budget: Budget
    model: str
    held: _Held
    outer: Reserved | None

    def commit(self, usage: Usage, *, cached: bool = False) -> None:
        """The call is done, and cost this."""
        self._close(usage, cached=cached)

    def release(self) -> None:
        """The call failed: nothing is booked."""
        self._close(None, cached=False)

    def _close(self, usage: Usage | None, *, cached: bool) -> None:
        self.budget._book(self.held, self.model, usage, cached=cached)  # its own reservation
        if self.outer is not None:
            self.outer._close(usage, cached=cached)


def _is_amount(given: object) -> bool:
    return isinstance(given, int | float) and given >= 0


def _used_up(name: Limit, limit: float, used: float, more: float) -> str:
    amount = f"{limit:g} dollars" if name == "usd" else f"{limit:g} {name}"
    if used >= limit:
        return f"the budget of {amount} is used up"
    return (
        f"the budget of {amount} is nearly used up: {used:g} are spent, and the next call may cost {more:g}"
    )
