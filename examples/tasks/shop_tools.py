"""The records that the look-up tasks are about: a small shop, its people, and the towns around it.

Plain typed functions; a task file names them with `shop_tools:TOOLS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, TypeVar

from loopwright.tools import Tool

V = TypeVar("V")

_PRICES = {
    "desk lamp": 34.90,
    "office chair": 189.00,
    "monitor": 229.50,
    "keyboard": 49.95,
    "mouse pad": 8.25,
    "webcam": 64.00,
    "bookshelf": 119.00,
    "whiteboard": 75.50,
    "headset": 89.90,
    "paper shredder": 58.40,
}

_STOCK = {
    "desk lamp": 12,
    "office chair": 7,
    "monitor": 15,
    "keyboard": 40,
    "mouse pad": 120,
    "webcam": 0,
    "bookshelf": 4,
    "whiteboard": 9,
    "headset": 22,
    "paper shredder": 3,
}


class Employee(TypedDict):
    role: str
    salary: int
    hired: str


_EMPLOYEES: Mapping[str, Employee] = {
    "mara lindqvist": {"role": "buyer", "salary": 51_600, "hired": "2018-03-12"},
    "tomas reyes": {"role": "driver", "salary": 36_500, "hired": "2021-09-01"},
    "ines okafor": {"role": "manager", "salary": 68_900, "hired": "2016-06-20"},
    "jonas petri": {"role": "clerk", "salary": 33_840, "hired": "2023-01-16"},
}

_TOWNS = {"norhaven": 48_200, "elmsford": 17_450, "castle bay": 6_125, "old mill": 2_480}


def get_price(item: str) -> float:
    """Look up the price of an item in euros.

    Args:
        item: The item's name.
    """
    return _found(item, _PRICES, "item")


def get_stock(item: str) -> int:
    """Look up how many pieces of an item are in stock.

    Args:
        item: The item's name.
    """
    return _found(item, _STOCK, "item")


def find_employee(name: str) -> Employee:
    """Look up an employee: role, salary for a year in euros, date of hiring.

    Args:
        name: The full name.
    """
    return _found(name, _EMPLOYEES, "employee")


def get_population(town: str) -> int:
    """Look up how many people live in a town.

    Args:
        town: The town's name.
    """
    return _found(town, _TOWNS, "town")


def _found(name: str, records: Mapping[str, V], kind: str) -> V:
    """The record of a name, also in capitals or in the plural."""
    key = " ".join(name.lower().split())
    for spelling in (key, key.removesuffix("s"), key.removesuffix("es"), key.removesuffix("ves") + "f"):
        if spelling in records:
            return records[spelling]
    raise LookupError(f"there is no {kind} {name!r}; there are {', '.join(records)}")


TOOLS = [Tool(one, effect="read") for one in (get_price, get_stock, find_employee, get_population)]
