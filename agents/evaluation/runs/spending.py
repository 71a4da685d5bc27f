"""A run's budget: one ledger for all its trials, and for all sessions in which they are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

from ...ambient import current
from ...errors import BudgetError, ConfigurationError
from ...models.base import BaseLM, LMRequest, Usage
from ...runtime.budget import Bound, Budget, Reserved
from ..trials.attempt import Trial, TrialResult
from .dry_run import calls_at_most
from .manifest import Session

LIMITS = ("usd", "tokens", "calls", "seconds")


def read_limits(text: str, known: Sequence[str] = LIMITS) -> dict[str, float]:
    """The bounds that a text such as `usd=2,tokens=1e6` names; `known` are those that there are.

    >>> read_limits("usd=2, tokens=1e6")
    {'usd': 2.0, 'tokens': 1000000.0}
    >>> read_limits("dollars=2")
    Traceback (most recent call last):
    loopwright.errors.ConfigurationError: a budget has no 'dollars'; there are usd, tokens, calls, seconds, as in usd=2,tokens=1e6
    """
    limits: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, amount = (piece.strip() for piece in part.partition("="))
        if name not in known:
            raise ConfigurationError(
                f"a budget has no {name!r}; there are {', '.join(known)}, as in usd=2,tokens=1e6"
            )
        if name in limits:
            raise ConfigurationError(f"the budget says {name} twice")
        limits[name] = _amount(name, amount)
    if not limits:
        raise ConfigurationError("the budget is empty: write it as in usd=2,tokens=1e6")
    return limits


def _amount(name: str, text: str) -> float:
    try:
        amount = float(text.replace("_", ""))
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount) or amount < 0:
        raise ConfigurationError(f"a budget's {name} is a number of at least 0, not {text!r}")
    return amount


def run_budget(limits: Mapping[str, float], spent: Session | None = None) -> Budget:
    """The budget of a run of which so much is spent already; raises `ConfigurationError` where that is all of it."""
    made = Budget(**limits)  # type: ignore[arg-type]  # tokens and calls may be floats, such as 1e6
    if spent is None:
        return made
    gone = {"usd": spent.usd or 0.0, "tokens": spent.tokens, "calls": spent.calls, "seconds": spent.seconds}
    for name, limit in limits.items():
        if gone[name] >= limit:
            raise ConfigurationError(
                f"the budget of {_amount_of(name, limit)} is used up: this run has spent {gone[name]:g} already. "
                "Raise it to go on"
            )
    if "seconds" in limits:
        made.limits["seconds"] = limits["seconds"] - spent.seconds
    made.usage = Usage(prompt_tokens=spent.tokens, usd=spent.usd)
    made.calls = spent.calls
    return made


def book(budget: Budget, result: TrialResult) -> None:
    """Book what a trial cost that was made in another process; raises `OutOfBudgetError` where that was the rest."""
    budget.usage += whole_usage(result)
    budget.calls += calls_of(result)
    used = {
        "usd": budget.usage.usd or 0.0,
        "tokens": budget.usage.total_tokens,
        "calls": budget.calls,
        "seconds": budget.seconds,
    }
    for name, limit in budget.limits.items():
        if limit is not None and used[name] >= limit:
            raise OutOfBudgetError(f"the budget of {_amount_of(name, limit)} is used up", limit=name)


def calls_of(result: TrialResult) -> int:
    """How many calls of models a trial was charged for, as far as its record tells: of the agent, of users, of judges."""
    played = sum(bool(turn.user_model) for turn in result.turns)
    judged = sum(not verdict.error for verdict in result.verdicts.values())
    return max(result.steps - result.cached, 0) + played + judged


def whole_usage(result: TrialResult) -> Usage:
    """What all models of a trial took together, those that played users or judged among them."""
    return sum(result.other_usage.values(), start=result.usage)


def _amount_of(name: str, limit: float) -> str:
    return f"{limit:g} {'dollars' if name == 'usd' else name}"


class Allowance:
    """What a run's budget has room for: no trial is begun beside others that would not leave them enough to end.

    What a trial takes is what those took that are `made`, on the average; before any is, what it may take at most.
    One trial at a time may always be begun: it may need less than those before it.

    >>> allowance = Allowance(Budget(calls=9), made=1)
    >>> allowance.budget.calls = 3
    >>> [allowance.may_begin(None, under_way) for under_way in (1, 2)]
    [True, False]
    """

    def __init__(self, budget: Budget, made: int = 0) -> None:
        self.budget = budget
        self.made = made

    def may_begin(self, trial: Trial | None, under_way: int) -> bool:
        """Whether there is enough for a trial beside so many others."""
        usage = self.budget.usage
        spent = {"usd": usage.usd or 0.0, "tokens": usage.total_tokens, "calls": self.budget.calls}
        for name, used in spent.items():
            limit = self.budget.limits[cast("Bound", name)]
            if limit is None:
                continue
            each = used / self.made if self.made else None if trial is None else _at_most(trial, name)
            if each is None or used + each * (under_way + 1) > limit:
                return False
        return True


def _at_most(trial: Trial, name: str) -> float | None:
    """What a trial may take; None where nothing bounds it."""
    if name == "calls":
        return calls_at_most(trial)
    bound: float | None = trial.file.limits(trial.task).get(name)
    return bound


class OutOfBudgetError(BudgetError):
    """A trial came to its end because the run's budget did: it says nothing of the agent.

    `calls` are those that it had made.
    """

    def __init__(self, message: str, *, limit: str, calls: int = 0) -> None:
        super().__init__(message, limit=limit)
        self.calls = calls


class _Gauge(Budget):
    """A budget without bounds of its own inside the run's: it notes that the run's refused a call."""

    refused: BudgetError | None = None

    def check(self) -> None:
        """As the run's budget; remembers a refusal."""
        try:
            super().check()
        except BudgetError as error:
            self.refused = error
            raise

    def reserve(self, lm: BaseLM, request: LMRequest) -> Reserved:
        """As the run's budget; remembers a refusal."""
        try:
            return super().reserve(lm, request)
        except BudgetError as error:
            self.refused = error
            raise


def gauged(
    work: Callable[[Trial], Coroutine[Any, Any, TrialResult]],
) -> Callable[[Trial], Coroutine[Any, Any, TrialResult]]:
    """The same work, for a run with a budget: a trial that the budget cut short raises `OutOfBudgetError`.

    What the trial's own limits, or a budget in its program, cut short is a result like any other.
    """

    async def made(trial: Trial) -> TrialResult:
        outer = current().budget
        if outer is None or (isinstance(outer, Budget) and outer.unbounded):
            return await work(trial)
        with _Gauge() as gauge:
            result = await work(trial)
        if gauge.refused is not None:
            raise OutOfBudgetError(str(gauge.refused), limit=gauge.refused.limit, calls=gauge.calls)
        return result

    return made
