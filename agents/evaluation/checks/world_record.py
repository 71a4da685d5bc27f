"""What a trial did to its world: the state before it, what changed, what should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from loopwright.tools.world import ABSENT, Change
from loopwright.tools.world.changes import applied, differences, digest, same
from loopwright.tools.world.tree import size, weight

MAX_CHANGES = 10_000  # that a record holds
MAX_KEPT = 2_000_000  # characters and values in them, all together
MAX_WRITTEN = 5_000  # values of a world that are written with each trial's record


@dataclass(frozen=True, slots=True)
class WorldRecord:
    """A world before a trial, and the changes from there to its end; all of it is plain data.

    `wanted` are the changes from `before` that the task's reference makes, None where it has none. `lost`
    counts changes that are not held, since there are more than `MAX_CHANGES` or they are larger than `MAX_KEPT`: the
    end state is not known then, nor is it where `error` says why. What each call changed is in its
    `ToolResult.changes`. A world of more than `MAX_WRITTEN` values is written by its hash: such a record, read back, has
    `before` None until `of_world` gives it again.

    >>> record = WorldRecord({"ledger": []}, (Change(("ledger", 0), after=20),))
    >>> record.after
    {'ledger': [20]}
    """

    before: object
    changes: Sequence[Change] = ()
    wanted: Sequence[Change] | None = None
    lost: int = 0
    hash: str = ""
    error: str = ""

    @classmethod
    def of(cls, before: object, after: object, wanted: Sequence[Change] | None = None) -> WorldRecord:
        """The record of a trial that began and ended with these states."""
        changes = tuple(differences(before, after))
        kept = _as_far(changes)
        return cls(before, changes[:kept], wanted, len(changes) - kept)

    def of_world(self, before: object, wanted: Sequence[Change] | None) -> WorldRecord:
        """The record with what a task's reference wants by now, and with the world that only its hash was kept of.

        `before` is the world as the task has it now. Where that is another than the trial's, nothing is wanted that
        could be told.
        """
        if self.before is None:
            return replace(self, before=before, wanted=wanted) if digest(before) == self.hash else self
        return replace(self, wanted=wanted if same(before, self.before) else None)

    @property
    def after(self) -> object:
        """The world at the end of the trial."""
        return applied(self.before, self.changes)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON's own types; `from_json` reads it back."""
        kept = {"hash": self.hash or digest(self.before)} if self._is_large else {"before": self.before}
        made: dict[str, Any] = {**kept, "changes": [one.as_json() for one in self.changes]}
        if self.wanted is not None:
            made["wanted"] = [one.as_json() for one in self.wanted]
        made |= {"error": self.error} if self.error else {}
        return {**made, "lost": self.lost} if self.lost else made

    @property
    def _is_large(self) -> bool:
        return self.before is None or size(self.before) > MAX_WRITTEN

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> WorldRecord:
        """The record that `as_json` wrote."""
        return cls(
            given.get("before"),
            _changes(given["changes"]),
            _changes(given["wanted"]) if given.get("wanted") is not None else None,
            cast("int", given.get("lost", 0)),
            cast("str", given.get("hash", "")),
            cast("str", given.get("error", "")),
        )


def changes_between(before: object, after: object) -> tuple[Change, ...] | None:
    """All changes that lead from one state to another; None where there are more than a record holds."""
    changes = tuple(differences(before, after))
    return changes if _as_far(changes) == len(changes) else None


def _as_far(changes: Sequence[Change]) -> int:
    """How many of the changes can be held."""
    held = 0
    for place, change in enumerate(changes[:MAX_CHANGES]):
        held += sum(weight(side) for side in (change.before, change.after) if side is not ABSENT)
        if held > MAX_KEPT:
            return place
    return min(len(changes), MAX_CHANGES)


def _changes(given: Sequence[Mapping[str, object]]) -> tuple[Change, ...]:
    return tuple(Change.from_json(one) for one in given)
