"""What a trial did to its world: the state before it, what changed, what should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from loopwright.tools.world import Change
from loopwright.tools.world.changes import applied, differences

MAX_CHANGES = 10_000  # that a record holds


@dataclass(frozen=True, slots=True)
class WorldRecord:
    """A world before a trial, and the changes from there to its end; all of it is plain data.

    `wanted` are the changes from `before` that the task's reference makes, None where it has none. `lost`
    counts changes beyond `MAX_CHANGES`, which are not held: the end state is not known then. What each call
    changed is in its `ToolResult.changes`.

    >>> record = WorldRecord({"ledger": []}, (Change(("ledger", 0), after=20),))
    >>> record.after
    {'ledger': [20]}
    """

    before: object
    changes: Sequence[Change] = ()
    wanted: Sequence[Change] | None = None
    lost: int = 0

    @classmethod
    def of(cls, before: object, after: object, wanted: Sequence[Change] | None = None) -> WorldRecord:
        """The record of a trial that began and ended with these states."""
        changes = tuple(differences(before, after))
        return cls(before, changes[:MAX_CHANGES], wanted, max(len(changes) - MAX_CHANGES, 0))

    @property
    def after(self) -> object:
        """The world at the end of the trial."""
        return applied(self.before, self.changes)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON's own types; `from_json` reads it back."""
        made: dict[str, Any] = {"before": self.before, "changes": [one.as_json() for one in self.changes]}
        if self.wanted is not None:
            made["wanted"] = [one.as_json() for one in self.wanted]
        return {**made, "lost": self.lost} if self.lost else made

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> WorldRecord:
        """The record that `as_json` wrote."""
        return cls(
            given["before"],
            _changes(given["changes"]),
            _changes(given["wanted"]) if given.get("wanted") is not None else None,
            cast("int", given.get("lost", 0)),
        )


def _changes(given: Sequence[Mapping[str, object]]) -> tuple[Change, ...]:
    return tuple(Change.from_json(one) for one in given)
