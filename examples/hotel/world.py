"""A hotel's front desk as the world of an evaluation: its state can be taken, put back and looked at."""

from __future__ import annotations

import copy
from datetime import date

from frontdesk import FrontDesk, Stay  # type: ignore[import-not-found]  # found since it lies beside


class Hotel:
    """The desk of a small hotel with one guest: what every trial begins with."""

    def __init__(self) -> None:
        self.desk = FrontDesk({11: "single", 12: "double", 21: "double"}, {"single": 80.0, "double": 120.0})
        self.desk.stays[4711] = Stay(4711, "Ida Marsh", 12, date(2026, 7, 3), 2, paid=240.0)

    def snapshot(self) -> FrontDesk:
        return copy.deepcopy(self.desk)

    def restore(self, state: FrontDesk) -> None:
        self.desk = copy.deepcopy(state)

    def view(self) -> dict[str, object]:
        return {
            "stays": {n: {**vars(stay), "arrival": str(stay.arrival)} for n, stay in self.desk.stays.items()}
        }
