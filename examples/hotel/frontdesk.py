"""A small hotel that takes bookings: rooms by kind, stays by night, a bill for each guest.

Stands for software that was there before the agent: it knows nothing of agents, keeps its state as it likes, and
raises its own errors.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, timedelta


class BookingError(Exception):
    """The desk can't do what was asked of it."""


@dataclass
class Stay:
    number: int
    guest: str
    room: int
    arrival: date
    nights: int
    paid: float = 0.0
    cancelled: bool = False

    def covers(self, day: date) -> bool:
        return not self.cancelled and self.arrival <= day < self.arrival + timedelta(days=self.nights)


@dataclass
class FrontDesk:
    """The desk of one hotel: `rooms` are its kinds by number, `rates` what a night in each kind costs."""

    rooms: dict[int, str]
    rates: dict[str, float]
    stays: dict[int, Stay] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(5001), repr=False)

    def free(self, kind: str, arrival: date, nights: int) -> list[int]:
        """The rooms of a kind that are free for all of these nights."""
        if kind not in self.rates:
            raise BookingError(f"we have no {kind} rooms; we have {', '.join(self.rates)}")
        days = [arrival + timedelta(days=n) for n in range(nights)]
        taken = {stay.room for stay in self.stays.values() for day in days if stay.covers(day)}
        return [room for room, its_kind in self.rooms.items() if its_kind == kind and room not in taken]

    def book(self, guest: str, kind: str, arrival: date, nights: int) -> Stay:
        """Book the first free room of a kind."""
        rooms = self.free(kind, arrival, nights)
        if not rooms:
            raise BookingError(f"no {kind} room is free for {nights} nights from {arrival}")
        stay = Stay(next(self._numbers), guest, rooms[0], arrival, nights)
        self.stays[stay.number] = stay
        return stay

    def bill(self, number: int) -> float:
        """What is still to be paid for a stay."""
        stay = self._stay(number)
        return stay.nights * self.rates[self.rooms[stay.room]] - stay.paid

    def move(self, number: int, arrival: date) -> Stay:
        """Let a stay begin on another day, in the same room."""
        stay = self._stay(number)
        days = [arrival + timedelta(days=n) for n in range(stay.nights)]
        others = (one for one in self.stays.values() if one is not stay and one.room == stay.room)
        if any(one.covers(day) for one in others for day in days):
            raise BookingError(f"room {stay.room} is taken from {arrival}")
        stay.arrival = arrival
        return stay

    def cancel(self, number: int) -> float:
        """Cancel a stay; what was paid for it is given back."""
        stay = self._stay(number)
        stay.cancelled, back, stay.paid = True, stay.paid, 0.0
        return back

    def _stay(self, number: int) -> Stay:
        stay = self.stays.get(number)
        if stay is None or stay.cancelled:
            raise BookingError(f"there is no stay {number}")
        return stay
