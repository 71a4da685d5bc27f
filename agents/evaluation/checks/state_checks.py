"""Checks of the world that a trial left behind, each with the call to blame.

Pure functions of the record: what the world was, what changed, and what each call changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopwright.tools.world import ABSENT, Change
from loopwright.tools.world.changes import differences, same, value_text
from loopwright.tools.world.environment import MAX_KEPT
from loopwright.tools.world.paths import Key, Selection, dotted, steps_of
from loopwright.tools.world.tree import at, below, located

from ..file.world_format import Reference, StateCheck
from .matching import shown
from .record import CheckResult, Made
from .world_record import WorldRecord

_NO_WORLD = "there is no world to look at"


@dataclass(frozen=True, slots=True)
class StateJudge:
    """Judges one trial: `made` are its calls, `last` its last step."""

    world: WorldRecord | None
    made: Sequence[Made]
    last: int | None

    def checks(
        self, state: Sequence[StateCheck], reference: Reference | None = None
    ) -> Iterator[CheckResult]:
        """Every check of the end state, in the order of the file."""
        after = None if self.world is None or self._unknown else self.world.after
        for check in state:
            if self._unknown:
                yield self._failed("state", check.about, f"{self._head(check)}: {self._unknown}", None)
            elif check.unchanged is not None:
                yield self._unchanged(check.about, check.unchanged)
            else:
                yield self._at(check, after)
        if reference is not None and reference.calls is not None and (self.world is not None or state):
            yield self._reference(reference, after)

    @property
    def _unknown(self) -> str:
        """Why nothing can be said of the end state; "" where it can."""
        if self.world is None:
            return _NO_WORLD
        if self.world.before is None:
            return "the world was too large to be kept, and the task's is another now"
        if self.world.error:
            return f"its end state can't be read: {self.world.error}"
        return "more changed than can be kept" if self.world.lost else ""

    def _head(self, check: StateCheck) -> str:
        return f"state {check.path}" if check.unchanged is None else f"unchanged {', '.join(check.unchanged)}"

    def _failed(self, kind: str, about: str, line: str, step: int | None) -> CheckResult:
        return CheckResult(kind, about, False, line, step or self.last)

    # ---- one path

    def _at(self, check: StateCheck, after: object) -> CheckResult:
        assert check.path is not None  # noqa: S101  # the format has looked
        path = steps_of(check.path)
        own = located(after, path)
        value = ABSENT if own is None else at(after, own)
        problem = state_problem(check, value)
        if problem is None:
            return CheckResult("state", check.path, True)
        blamed = self._last_change(own or path)
        by = f"step {blamed.step}, {blamed}, left it so" if blamed else "no call changed it"
        return self._failed(
            "state", check.path, f"state {check.path}: {problem}; {by}", blamed.step if blamed else None
        )

    # ---- what must not change

    def _unchanged(self, about: str, patterns: Sequence[str]) -> CheckResult:
        assert self.world is not None  # noqa: S101  # the caller has looked
        chosen = Selection.of(patterns)
        found = [one for change in self.world.changes for one in covered(change, chosen)]
        if not found:
            return CheckResult("state", about, True)
        first = found[0]
        blamed = self._departure(first)
        by = f"in step {blamed.step}, {blamed}" if blamed else "by no call on record"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        line = f"unchanged {about}: {_happened(first)} {by}{more}"
        return self._failed("state", about, line, blamed.step if blamed else None)

    # ---- what the reference leaves

    def _reference(self, reference: Reference, after: object) -> CheckResult:
        about = ", ".join(call.tool for call in reference.calls or ())
        if self._unknown:
            return self._failed("reference", about, f"reference: {self._unknown}", None)
        assert self.world is not None  # noqa: S101  # just looked
        if self.world.wanted is None:
            return CheckResult(
                "reference",
                about,
                False,
                "reference: what its calls leave is not known",
                error=True,
            )
        ignored = Selection.of(reference.ignore)
        wanted = WorldRecord(self.world.before, self.world.wanted).after
        found = [one for change in differences(wanted, after) for one in without(change, ignored)]
        if not found:
            return CheckResult("reference", about, True)
        # what a call did wrong says more than what no call did
        first = next((one for one in found if self._last_change(one.path) is not None), found[0])
        blamed = self._last_change(first.path)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        line = f"reference: {_differs(first)}; {_by(blamed)}{more}"
        return self._failed("reference", about, line, blamed.step if blamed else None)

    # ---- who did it

    def _last_change(self, path: Sequence[Key]) -> Made | None:
        """The last call that changed what is at a path, or the list that it is in."""
        for near in (touches, shifts):
            for made in reversed(self.made):
                if any(near(change, path) for change in made.result.changes):
                    return made
        # of a call that changed very much, not all is on record
        return next((one for one in reversed(self.made) if len(one.result.changes) >= MAX_KEPT), None)

    def _departure(self, found: Change) -> Made | None:
        """The last call that took a value away from what it was at the start."""
        for made in reversed(self.made):
            for change in made.result.changes:
                if change.path == found.path and same(change.before, found.before):
                    return made
        return self._last_change(found.path)


def state_problem(check: StateCheck, value: object) -> str | None:
    """Why a value is not what a check wants at its path; `ABSENT` is no value at all. None where it is.

    >>> state_problem(StateCheck(path="ledger", length=1), [1, 2])
    'it holds 2, not 1'
    """
    if check.wants_nothing:
        return None if value is ABSENT else f"{shown(value)} is there, where nothing is wanted"
    if value is ABSENT:
        return f"there is none; {_wanted(check)} is wanted"
    if check.length is not None:
        if not isinstance(value, list | dict):
            return f"{shown(value)} is no list and no mapping: it has no length"
        if len(below(value)) != check.length:
            return f"it holds {len(value)}, not {check.length}"
    return check.problem(value, lambda one: one, exact=True) if check.matches else None


def _wanted(check: StateCheck) -> str:
    if check.matches:
        return str(check)
    return f"something of length {check.length}" if check.length is not None else "something"


def touches(change: Change, path: Sequence[Key]) -> bool:
    """Whether a change is of what is at a path, of a part of it, or of something around it."""
    shorter = min(len(change.path), len(path))
    return all(str(a) == str(b) for a, b in zip(change.path[:shorter], path, strict=False))


def shifts(change: Change, path: Sequence[Key]) -> bool:
    """Whether a change put an item into a list on the path, or took one out, so that places are others now."""
    parent = change.path[:-1]
    moved = ABSENT in (change.before, change.after) and isinstance((change.path or ("",))[-1], int)
    return moved and len(parent) < len(path) and touches(Change(parent), path)


def covered(change: Change, chosen: Selection) -> list[Change]:
    """The parts of a change that are chosen: the whole of it where all of it is."""
    leaves = list(change.leaves())
    inside = [one for one in leaves if chosen.covers(one.path)]
    return [change] if inside and len(inside) == len(leaves) else inside


def without(change: Change, ignored: Selection) -> list[Change]:
    """The parts of a change that are not ignored: the whole of it where nothing is."""
    leaves = list(change.leaves())
    left = [one for one in leaves if not ignored.covers(one.path)]
    return [change] if left and len(left) == len(leaves) else left


def _happened(change: Change) -> str:
    where = dotted(change.path)
    if change.before is ABSENT:
        return f"{where} appeared as {value_text(change.after)}"
    if change.after is ABSENT:
        return f"{where} was removed"
    return f"{where} changed from {value_text(change.before)} to {value_text(change.after)}"


def _differs(change: Change) -> str:
    where = dotted(change.path)
    if change.before is ABSENT:
        return f"{where} is {value_text(change.after)}, where the reference leaves nothing"
    if change.after is ABSENT:
        return f"{where} is missing, where the reference leaves {value_text(change.before)}"
    return f"{where} is {value_text(change.after)}, where the reference leaves {value_text(change.before)}"


def _by(made: Made | None) -> str:
    return f"step {made.step}, {made}, left it so" if made else "no call changed it"
