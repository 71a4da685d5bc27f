"""Worlds and tools of the tests of worlds."""

from __future__ import annotations

from functools import cache

from loopwright.tools import World


@cache
def _warehouse(rows: int) -> World:
    return World({"rows": {str(row): {"n": row} for row in range(rows)}})


def warehouse_26000() -> World:
    return World.of(_warehouse(26_000).snapshot())


def warehouse_26001() -> World:
    return World.of(_warehouse(26_001).snapshot())


def warehouse_500() -> World:
    return World.of(_warehouse(500).snapshot())


def set_row(row: int, n: int, world: World) -> None:
    """Set a row."""
    world.set(f"rows.{row}.n", n)


def set_all(n: int, world: World) -> None:
    """Set every row."""
    world.set("rows", {key: {"n": n} for key in world.get("rows")})  # type: ignore[attr-defined]  # a mapping


TOOLS = [set_row, set_all]


class Shelf:
    """A simulator that was not written for us; its state is plain."""

    def __init__(self) -> None:
        self.books = {"dune": 2}

    def snapshot(self) -> dict[str, object]:
        return {"books": dict(self.books)}

    def restore(self, state: dict[str, dict[str, int]]) -> None:
        self.books = dict(state["books"])


class Forgetful(Shelf):
    """One that does not take over what it is given."""

    def restore(self, state: dict[str, dict[str, int]]) -> None:
        self.books = {"dune": 2}


class Fragile(Shelf):
    """One that can't be looked at once it was used."""

    def view(self) -> dict[str, object]:
        if self.books["dune"] < 2:
            raise OSError("the shelf fell")
        return self.snapshot()


class Opaque(Shelf):
    """One whose state is no data."""

    def snapshot(self) -> bytes:  # type: ignore[override]  # that is the point
        return b"state"


class Broken:
    """One that can't be made."""

    def __init__(self) -> None:
        raise RuntimeError("no database")


def take(title: str, shelf: Shelf) -> int:
    """Take a book."""
    shelf.books[title] -= 1
    return shelf.books[title]


SHELF_TOOLS = [take]
NOTHING = 3
DATA = {"stock": {"lamp": 3}}


def gives_a_list() -> list[int]:
    return [1]
