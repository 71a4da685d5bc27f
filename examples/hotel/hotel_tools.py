"""What an agent may do at the desk. A parameter of the world's class is filled in; no model sees it."""

from __future__ import annotations

from datetime import date

from frontdesk import Stay  # type: ignore[import-not-found]  # found since it lies beside
from world import Hotel  # type: ignore[import-not-found]  # as above

from loopwright.tools import tool


@tool(effect="read")
def free_rooms(kind: str, arrival: date, nights: int, hotel: Hotel) -> object:
    """The numbers of the rooms of a kind (single, double) that are free for so many nights."""
    return hotel.desk.free(kind, arrival, nights)


@tool(effect="read")
def find_stays(guest: str, hotel: Hotel) -> list[Stay]:
    """The stays of a guest, by the whole name or a part of it."""
    return [stay for stay in hotel.desk.stays.values() if guest.casefold() in stay.guest.casefold()]


@tool
def book_room(guest: str, kind: str, arrival: date, nights: int, hotel: Hotel) -> Stay:
    """Book a room for a guest; gives the stay with its number."""
    return hotel.desk.book(guest, kind, arrival, nights)


@tool
def move_stay(number: int, arrival: date, hotel: Hotel) -> Stay:
    """Let a stay begin on another day."""
    return hotel.desk.move(number, arrival)


@tool
def cancel_stay(number: int, hotel: Hotel) -> object:
    """Cancel a stay; gives what is paid back to the guest."""
    return hotel.desk.cancel(number)


TOOLS = [free_rooms, find_stays, book_room, move_stay, cancel_stay]
