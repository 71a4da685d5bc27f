"""What differs between two states of a world, as a list of changes that lead from the one to the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from .paths import Key, Path, dotted
from .tree import below, child


class _Absent(Enum):
    """A type of one value, which stays that value when it is pickled."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""What stands for a value where there is none: `None` is a value of a world."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what was at a path and what is there now, `ABSENT` where there is nothing.

    In a list, an item that was put in has the place where it is now, and one that was taken out the place
    where it was.

    >>> str(Change(("orders", 17, "status"), "paid", "refunded"))
    'orders.17.status: "paid" → "refunded"'
    """

    path: Path
    before: object = ABSENT
    after: object = ABSENT

    @property
    def where(self) -> str:
        """The path as text."""
        return dotted(self.path)

    def __str__(self) -> str:
        if self.before is ABSENT:
            return f"{self.where} added: {value_text(self.after)}"
        if self.after is ABSENT:
            return f"{self.where} removed: {value_text(self.before)}"
        return f"{self.where}: {value_text(self.before)} → {value_text(self.after)}"

    def leaves(self) -> Iterator[Change]:
        """The same change, one for every value below the path that differs."""
        was, now = dict(_leaves(self.path, self.before)), dict(_leaves(self.path, self.after))
        for path in dict.fromkeys((*was, *now)):
            yield Change(path, was.get(path, ABSENT), now.get(path, ABSENT))

    def as_json(self) -> dict[str, object]:
        """The change as JSON's own types; a side that is absent is left out."""
        made: dict[str, object] = {"path": list(self.path)}
        if self.before is not ABSENT:
            made["before"] = self.before
        return made if self.after is ABSENT else {**made, "after": self.after}

    @classmethod
    def from_json(cls, given: Mapping[str, object]) -> Change:
        """The change that `as_json` wrote."""
        path = cast("Sequence[Key]", given["path"])
        return cls(tuple(path), given.get("before", ABSENT), given.get("after", ABSENT))


def value_text(value: object, width: int = 100) -> str:
    """A value of a world on one line of at most so many characters.

    >>> value_text({"a": [1, "x"]}), value_text("abcdef", 5)
    ('{"a": [1, "x"]}', '"abc…')
    """
    text = "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= width else text[: width - 1] + "…"


def _leaves(path: Path, node: object) -> Iterator[tuple[Path, object]]:
    if node is ABSENT:
        return
    todo: list[tuple[Path, object]] = [(path, node)]
    while todo:
        here, value = todo.pop()
        inner = below(value)
        if not inner:
            yield here, value
        todo.extend(((*here, key), one) for key, one in reversed(list(inner.items())))


def differences(before: object, after: object, path: Path = ()) -> Iterator[Change]:
    """The changes that lead from one tree to another, in the order of the first; what they share is not looked at.

    In a list, the items that are the same at both ends are told from those that were put in, taken out or
    changed between them.

    >>> [str(one) for one in differences({"ledger": [1, 2, 3]}, {"ledger": [1, 3], "paid": True})]
    ['ledger.1 removed: 2', 'paid added: true']
    """
    if before is after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key, one in before.items():
            other = after.get(key, ABSENT)
            if other is ABSENT:
                yield Change((*path, key), one)
            elif other is not one:  # most are, where little has changed
                yield from differences(one, other, (*path, key))
        yield from (Change((*path, key), ABSENT, one) for key, one in after.items() if key not in before)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif not same(before, after):
        yield Change(path, before, after)


def _of_lists(before: list[object], after: list[object], path: Path) -> Iterator[Change]:
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    kept = shorter - start  # of the items that both have after the start, so many may be the end of both
    end = next((i for i in range(kept) if not same(before[-1 - i], after[-1 - i])), kept)
    both = shorter - end
    for place in range(start, both):
        yield from differences(before[place], after[place], (*path, place))
    yield from (Change((*path, place), before[place]) for place in range(both, len(before) - end))
    yield from (Change((*path, place), ABSENT, after[place]) for place in range(both, len(after) - end))


def same(one: object, other: object) -> bool:
    """Whether two trees hold the same; numbers by their value, a bool only like a bool.

    >>> same({"n": 1}, {"n": 1.0}), same(True, 1)
    (True, False)
    """
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def applied(tree: object, changes: Iterable[Change]) -> object:
    """The tree after these changes, as `differences` gives them; shares what they leave as it is.

    >>> applied({"ledger": [1, 2]}, [Change(("ledger", 2), ABSENT, 3)])
    {'ledger': [1, 2, 3]}
    """
    return _applied(tree, [(change.path, change) for change in changes])


def _applied(tree: object, changes: Sequence[tuple[Path, Change]]) -> object:
    if not changes:
        return tree
    whole = next((change for path, change in changes if not path), None)
    if whole is not None:
        return whole.after
    inner: dict[Key, list[tuple[Path, Change]]] = {}
    for path, change in changes:
        inner.setdefault(path[0], []).append((path[1:], change))
    made = dict(tree) if isinstance(tree, dict) else list(cast("list[object]", tree))
    gone: list[Key] = []
    for key, several in inner.items():
        path, change = several[0]
        if not path and change.after is ABSENT:
            gone.append(key)
        elif not path and change.before is ABSENT and isinstance(made, list):
            made.insert(cast("int", key), change.after)
        elif not path:
            made[key] = change.after  # type: ignore[index]  # a list's changes are at places
        else:
            made[key] = _applied(child(made, key), several)  # type: ignore[index]  # as above
    for key in reversed(gone):
        del made[key]  # type: ignore[arg-type]  # as above
    return made


def digest(tree: object) -> str:
    """A hash of a tree, the same for equal ones on every machine; the order of keys does not count."""
    text = json.dumps(_ordered(tree), ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(node: object) -> object:
    if isinstance(node, dict):
        return {str(key): _ordered(node[key]) for key in sorted(node, key=str)}
    if isinstance(node, list):
        return [_ordered(one) for one in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node
