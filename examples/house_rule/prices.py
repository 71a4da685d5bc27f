"""The shop's two price lists. Which one "the price" means is a rule of the house that no description tells."""

from __future__ import annotations

import csv
from pathlib import Path

from loopwright.tools import ToolFailed, ToolRegistry

with (Path(__file__).parent / "prices.csv").open(encoding="utf-8", newline="") as file:
    PRICES = {
        row["item"].lower(): (float(row["base_price"]), float(row["gross_price"]))
        for row in csv.DictReader(file)
    }

registry = ToolRegistry()


@registry.tool(effect="read")
def gross_price(item: str) -> float:
    """The gross price of an item."""
    return _prices(item)[1]


@registry.tool(effect="read")
def base_price(item: str) -> float:
    """The base price of an item."""
    return _prices(item)[0]


def _prices(item: str) -> tuple[float, float]:
    found = PRICES.get(item.strip().lower())
    if found is None:
        raise ToolFailed(f"there is no item {item!r}")
    return found
