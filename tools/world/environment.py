"""What tools act on in a run: a world, and the faults that its calls meet."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ..errors import WorldError
from .changes import ABSENT, Change, differences, value_text
from .faults import Fault
from .tree import counted, size
from .world import World

log = logging.getLogger("loopwright.tools")

MAX_KEPT = 100  # changes of one call that are kept with its result
MAX_SHOWN = 2_000  # characters of a value in one of them


@runtime_checkable
class Simulator(Protocol):
    """What can be a world: an object whose state can be taken and put back.

    What `snapshot` gives should be plain data (mappings, lists, text, numbers): that is what checks see. Where it
    is something else, a method `view` gives the plain data in its place.
    """

    def snapshot(self) -> object:
        """The state, as a value that nothing changes any more."""

    def restore(self, state: object, /) -> None:
        """Go back to a state that `snapshot` gave."""


def is_world_type(kind: object) -> bool:
    """Whether a parameter of this type takes the run's world: `World`, or a class with `snapshot` and `restore`.

    >>> is_world_type(World), is_world_type(dict)
    (True, False)
    """
    return isinstance(kind, type) and all(
        callable(getattr(kind, name, None)) for name in ("snapshot", "restore")
    )


def view_of(world: object) -> object:
    """A world's data as it is now, not to be changed; raises `WorldError` where it has none.

    >>> view_of(World({"stock": 3}))
    {'stock': 3}
    """
    if isinstance(world, World):
        return world.tree
    own = getattr(world, "view", None)
    given = own() if callable(own) else world.snapshot()  # type: ignore[attr-defined]  # a Simulator: Environment has looked
    if not isinstance(given, Mapping):
        what = "view()" if callable(own) else "snapshot()"
        raise WorldError(
            f"{what} of {type(world).__name__} gives {type(given).__name__}, and checks need a mapping: "
            "let a method view() return the state as mappings and lists"
        )
    return counted(given)[0]


class Environment:
    """A world and the faults of one run; given by `with context(world=...)`, and by an evaluation to each trial.

    >>> world = World({"stock": 3})
    >>> environment = Environment(world, [Fault("buy", 2, error="503")])
    >>> environment.fault("buy"), environment.fault("buy").error, environment.fault("buy")
    (None, '503', None)
    >>> world.set("stock", 2)
    >>> [str(change) for change in environment.changes()], environment.changes()
    (['stock: 3 → 2'], ())
    """

    def __init__(self, world: object = None, faults: Iterable[Fault] = ()) -> None:
        if world is not None and not is_world_type(type(world)):
            raise WorldError(
                f"a world is a World, or an object with snapshot() and restore(), not {type(world).__name__}"
            )
        self.world = world
        self.before = None if world is None else view_of(world)
        self._seen = self.before
        self.unsettled = False  # whether a call that nobody waits for may still change something
        self._faults = {(fault.tool, fault.call): fault for fault in faults}
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def fault(self, tool: str) -> Fault | None:
        """Count a call of a tool that is about to be made, and say what goes wrong with it."""
        if not self._faults:
            return None
        with self._lock:
            self._calls[tool] += 1
            return self._faults.get((tool, self._calls[tool]))

    def changes(self, *, wrote: bool = True) -> tuple[Change, ...]:
        """What has changed in the world since this was last asked: the first `MAX_KEPT`, large values cut.

        A simulator is only looked at where a call `wrote`: that takes a whole snapshot.
        """
        if self.world is None or not (wrote or isinstance(self.world, World)):
            return ()
        with self._lock:
            try:
                now = view_of(self.world)
            except Exception:  # a simulator that a call has broken: what the call gave counts all the same
                log.exception("the world %s can't be read", type(self.world).__name__)
                return ()
            found = []
            for change in differences(self._seen, now):
                found.append(_cut(change))
                if len(found) == MAX_KEPT:
                    break
            self._seen = now
        return tuple(found)


def _cut(change: Change) -> Change:
    return replace(change, before=_short(change.before), after=_short(change.after))


def _short(value: object) -> object:
    if value is ABSENT or not isinstance(value, str | list | dict):
        return value
    if isinstance(value, str):
        return value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}… ({len(value):,} characters)"
    count = size(value)
    if count > MAX_SHOWN:
        return f"… ({count:,} values)"
    text = value_text(value, 4 * MAX_SHOWN)
    return value if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({count:,} values)"
