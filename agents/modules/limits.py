"""What a run of an agent may use before it is ended."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigurationError
from ..models.base import Usage
from ..trajectory import TerminationReason


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run; None is no bound.

    `steps` are turns of the model; `tokens` are prompt and answer together over all turns; `usd` is
    the provider's price, and a run whose price is not known is not ended by it; `seconds` is wall time,
    looked at between turns. Of `tool_calls` none is made beyond the bound, also where one turn asks for more.

    >>> Limits(steps=3).reached(steps=3, tool_calls=0, usage=Usage(), seconds=0.0)
    'max_steps'
    """

    steps: int | None = 20
    tool_calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "tool_calls", "tokens", "usd", "seconds"):
            limit = getattr(self, name)
            whole = name not in ("usd", "seconds")
            if limit is not None and not _is_amount(limit, whole=whole):
                kind = "a whole number" if whole else "a number"
                raise ConfigurationError(f"a limit on {name} is {kind} of at least 0, or None; not {limit!r}")

    def reached(
        self, *, steps: int, tool_calls: int, usage: Usage, seconds: float
    ) -> TerminationReason | None:
        """The first bound that a run has come to, if any."""
        used: tuple[tuple[TerminationReason, float | None, float | None], ...] = (
            ("max_steps", steps, self.steps),
            ("max_calls", tool_calls, self.tool_calls),
            ("max_tokens", usage.total_tokens, self.tokens),
            ("max_cost", usage.usd, self.usd),
            ("max_seconds", seconds, self.seconds),
        )
        return next(
            (r for r, have, limit in used if limit is not None and have is not None and have >= limit), None
        )


def _is_amount(limit: object, *, whole: bool) -> bool:
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        return False
    return limit >= 0 and (isinstance(limit, int) or not whole)
