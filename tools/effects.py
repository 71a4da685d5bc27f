"""What a tool's effect decides: one table, and every place that asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from .calls import Effect


@dataclass(frozen=True, slots=True)
class Rules:
    """What the framework may do with calls of a tool, on its own account.

    `remembered` says how long a result that was asked to be cached is good: for ever, until something in the
    run writes, or not at all. `concurrent`: calls of one turn run at the same time. `retried`: a call that failed
    for a passing reason is made again. `asks`: a person must approve it, where no rule says otherwise. `in_dry_run`
    and `in_replay`: it is executed in a dry run, and in a replay that has no record of it.
    """

    remembered: Literal["always", "until a write", "never"]
    concurrent: bool
    retried: bool
    asks: bool
    in_dry_run: bool
    in_replay: bool

    @property
    def writes(self) -> bool:
        """Whether a call may change the world."""
        return not self.in_dry_run


RULES: Mapping[Effect, Rules] = {
    "pure": Rules("always", concurrent=True, retried=True, asks=False, in_dry_run=True, in_replay=True),
    "read": Rules("until a write", concurrent=True, retried=True, asks=False, in_dry_run=True, in_replay=True),
    "write": Rules("never", concurrent=False, retried=False, asks=False, in_dry_run=False, in_replay=False),
    "irreversible": Rules("never", concurrent=False, retried=False, asks=True, in_dry_run=False, in_replay=False),
}  # fmt: skip

EFFECTS: tuple[Effect, ...] = get_args(Effect)
