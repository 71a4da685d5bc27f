"""Matching one to one: each requirement gets a call of its own, as many requirements as can be served."""

from __future__ import annotations

from collections.abc import Sequence


def assign(fits: Sequence[Sequence[int]]) -> list[int | None]:
    """For each row one of the numbers that fit it, none used twice, with as many rows served as possible.

    A row that can't be served has None. Rows are served in order, so that the outcome does not depend
    on chance (augmenting paths; Kuhn, 1955).

    >>> assign([[0, 1], [0]]), assign([[0], [0]])
    ([1, 0], [0, None])
    """
    row_of: dict[int, int] = {}
    for row in range(len(fits)):
        _augment(row, fits, row_of)
    served: list[int | None] = [None] * len(fits)
    for number, row in row_of.items():
        served[row] = number
    return served


def _augment(start: int, fits: Sequence[Sequence[int]], row_of: dict[int, int]) -> None:
    """Find a free number for a row, moving rows that were served before where they can be moved."""
    came_from: dict[int, int] = {}  # number -> the row that wants it
    rows = [start]
    for row in rows:  # grows while it is walked: breadth first
        for number in fits[row]:
            if number in came_from:
                continue
            came_from[number] = row
            if number not in row_of:
                _shift(number, came_from, row_of, start)
                return
            rows.append(row_of[number])


def _shift(number: int, came_from: dict[int, int], row_of: dict[int, int], start: int) -> None:
    while True:
        row = came_from[number]
        given_up = next((n for n, r in row_of.items() if r == row), None)
        row_of[number] = row
        if row == start or given_up is None:
            return
        number = given_up
