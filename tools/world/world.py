"""A world: declared data that tools read and change, with snapshots, differences and a hash."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import overload

from ..errors import WorldError
from .changes import Change, differences, digest, same
from .paths import PathLike, Pattern, dotted, steps_of
from .tree import MAX_NODES, at, below, copied, counted, key_in, located, matching, removed, replaced, size


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state that a world was in, to be restored or compared; it costs nothing to take and to keep."""

    tree: object
    size: int


class _Required:
    """The type of the mark for "no default was given"."""


_REQUIRED = _Required()


class World:
    """Data that tools read and change: a tree of mappings and lists.

    A path is text with dots (`orders.17.status`; a key that has dots in quotes), or the keys themselves. Keys
    are text; one that is a whole number may be given as such. A list's items are reached by their place, the
    last by -1. What `get` hands out is a copy: a world is changed by `set`, `append` and `remove` alone. Safe to
    use from several threads. What is not there raises `WorldError`, whose words a model may read.

    A tool gets the world of its run by a parameter that is annotated `World`; the model never sees it.

    >>> from loopwright.tools import Tool, ToolCall
    >>> def refund(order_id: int, world: World) -> str:
    ...     world.set(f"orders.{order_id}.status", "refunded")
    ...     return "done"
    >>> world = World({"orders": {"17": {"status": "paid"}}})
    >>> before = world.snapshot()
    >>> refund(17, world), world.get("orders.17.status"), [str(one) for one in world.diff(before)]
    ('done', 'refunded', ['orders.17.status: "paid" → "refunded"'])
    """

    def __init__(self, data: Mapping[str, object] | Mapping[int, object] | None = None) -> None:
        if data is not None and not isinstance(data, Mapping):
            raise WorldError(f"a world is made from a mapping, not from {type(data).__name__}")
        tree, count = counted({} if data is None else data)
        self._lock = threading.RLock()
        self._now = Snapshot(tree, count)
        self._mark = self._now

    @classmethod
    def of(cls, state: Snapshot) -> World:
        """A world of its own that starts in this state; it shares all data that neither changes."""
        made = cls()
        made._now = made._mark = state
        return made

    # ---- reading

    @overload
    def get(self, path: PathLike = ()) -> object: ...

    @overload
    def get(self, path: PathLike, default: object) -> object: ...

    def get(self, path: PathLike = (), default: object = _REQUIRED) -> object:
        """What is at a path; `default` where there is nothing, if one is given."""
        tree, steps = self._now.tree, steps_of(path)
        if default is not _REQUIRED and located(tree, steps) is None:
            return default
        return copied(at(tree, steps))

    def __contains__(self, path: PathLike) -> bool:
        """Whether there is something at a path."""
        return located(self._now.tree, steps_of(path)) is not None

    def find(
        self, pattern: str | Pattern, where: Mapping[str, object] | None = None, limit: int | None = None
    ) -> dict[str, object]:
        """What a pattern fits, by path: `orders.*`, `*.status`; with `where`, only what has these values.

        >>> World({"orders": {"4": {"paid": True}, "5": {"paid": False}}}).find("orders.*", {"paid": True})
        {'orders.4': {'paid': True}}
        """
        found: dict[str, object] = {}
        for path, node in matching(
            self._now.tree, Pattern.of(pattern) if isinstance(pattern, str) else pattern
        ):
            if all(_has(node, name, wanted) for name, wanted in (where or {}).items()):
                found[dotted(path)] = copied(node)
            if limit is not None and len(found) >= limit:
                break
        return found

    # ---- changing

    def set(self, path: PathLike, value: object) -> None:
        """Put a value at a path. Its last key may be new; what stands above it must be there."""
        steps = steps_of(path)
        with self._lock:
            tree = self._now.tree
            old = located(tree, steps)
            made, count = counted(value, left=MAX_NODES - self._now.size)
            gone = 0 if old is None else size(at(tree, old))
            if not steps and not isinstance(made, dict):
                raise WorldError("the whole of a world is a mapping")
            self._now = Snapshot(replaced(tree, steps, made), self._now.size + count - gone)

    def append(self, path: PathLike, value: object) -> int:
        """Put a value at the end of the list at a path; its place is returned."""
        steps = steps_of(path)
        with self._lock:
            tree = self._now.tree
            items = at(tree, steps)
            if not isinstance(items, list):
                raise WorldError(
                    f"{dotted(steps) or 'the world'} is no list that something could be added to"
                )
            made, count = counted(value, left=MAX_NODES - self._now.size)
            self._now = Snapshot(replaced(tree, steps, [*items, made]), self._now.size + count)
            return len(items)

    def remove(self, path: PathLike) -> object:
        """Take away what is at a path, and return it; what follows in a list moves up."""
        steps = steps_of(path)
        if not steps:
            raise WorldError("the whole of a world can't be removed")
        with self._lock:
            tree = self._now.tree
            gone = at(tree, steps)
            self._now = Snapshot(removed(tree, steps), self._now.size - size(gone))
            return copied(gone)

    # ---- states

    @property
    def tree(self) -> object:
        """The data itself, without a copy: for those who only look."""
        return self._now.tree

    def snapshot(self) -> Snapshot:
        """The state as it is now; `rollback` goes back to the latest that was taken."""
        with self._lock:
            self._mark = self._now
            return self._now

    def restore(self, state: Snapshot) -> None:
        """Go back to a state that was taken."""
        if not isinstance(state, Snapshot):
            raise WorldError(f"a world goes back to what snapshot() gave, not to {type(state).__name__}")
        with self._lock:
            self._now = state

    def rollback(self) -> None:
        """Undo everything since the latest snapshot; where none was taken, since the world was made."""
        self.restore(self._mark)

    @contextmanager
    def undone_on_error(self) -> Iterator[World]:
        """Several changes that are made all or, where one raises, not at all.

        >>> world = World({"stock": 1})
        >>> try:
        ...     with world.undone_on_error():
        ...         world.set("stock", 0)
        ...         world.set("orders.1", "lamp")
        ... except WorldError as error:
        ...     print(error, world.get("stock"))
        there is no orders: the world has stock 1
        """
        with self._lock:
            before = self._now
            try:
                yield self
            except BaseException:
                self._now = before
                raise

    def diff(self, since: Snapshot) -> list[Change]:
        """What has changed since a state; the time it takes goes by what has changed, not by the whole."""
        return list(differences(since.tree, self._now.tree))

    def hash(self) -> str:
        """A text that is the same for equal data, on every machine."""
        return digest(self._now.tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, World) and same(self._now.tree, other._now.tree)

    __hash__ = None  # type: ignore[assignment]  # it changes: hash() names its state

    def __deepcopy__(self, memo: object) -> World:
        return World.of(self._now)

    def __repr__(self) -> str:
        parts = [
            f"{key}: {len(below(one))}" if below(one) else str(key)
            for key, one in below(self._now.tree).items()
        ]
        return f"World({', '.join(parts[:12])}{', …' if len(parts) > 12 else ''})"


def _has(node: object, name: str, wanted: object) -> bool:
    key = key_in(node, name)
    return key is not None and same(below(node)[key], wanted)
