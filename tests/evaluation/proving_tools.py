"""Tools of the tests of proofs."""

from __future__ import annotations

from loopwright.tools import ToolFailed, tool

SENT: list[str] = []


@tool
def send_mail(to: str) -> str:
    """Send a mail."""
    SENT.append(to)
    return "sent"


@tool(effect="read")
def look_outside(place: str) -> str:
    """The weather somewhere."""
    raise ToolFailed("no connection")


@tool(effect="pure", timeout=30)
def look_slowly(place: str) -> str:
    """The weather somewhere, by a slow system."""
    return "rain"


TOOLS = [send_mail, look_outside, look_slowly]
