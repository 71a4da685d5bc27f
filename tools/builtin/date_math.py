"""`date_math`: days between dates, and dates from dates."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from ..errors import ToolFailed
from ..tool import Tool

_MAX_STEP = 10_000_000  # of any offset: beyond every date, and before any overflow
_WEEKDAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)  # in no locale but this


def date_math(
    start: date, end: date | None = None, years: int = 0, months: int = 0, weeks: int = 0, days: int = 0
) -> str:
    """Count the days from one date to another, or shift a date.

    With an end the answer is the number of days; without one it is the shifted date and its weekday.

    Args:
        start: The date to start from, as YYYY-MM-DD.
        end: The date to count the days to; give no shift then.
        years: Years to add; negative to subtract.
        months: Months to add; a day that the month does not have becomes its last.
        weeks: Weeks to add.
        days: Days to add.

    >>> date_math(date(2026, 1, 31), end=date(2026, 3, 17)), date_math(date(2026, 1, 31), months=1)
    ('45 days', '2026-02-28 (Saturday)')
    """
    shift = {"years": years, "months": months, "weeks": weeks, "days": days}
    given = [name for name, amount in shift.items() if amount]
    if end is not None:
        if given:
            raise ToolFailed(f"give either end or a shift ({', '.join(given)}), not both")
        count = (end - start).days
        return f"{count} day" if abs(count) == 1 else f"{count} days"
    for name in given:
        if abs(shift[name]) > _MAX_STEP:
            raise ToolFailed(f"{name} must be between -{_MAX_STEP:,} and {_MAX_STEP:,}")
    shifted = _shifted(start, years * 12 + months, weeks * 7 + days)
    return f"{shifted.isoformat()} ({_WEEKDAYS[shifted.weekday()]})"


def date_math_tool() -> Tool:
    """`date_math` as a tool."""
    return Tool(date_math, effect="pure")


def _shifted(start: date, months: int, days: int) -> date:
    """First the months, with the day kept inside the month, then the days."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    try:
        day = min(start.day, monthrange(year, month + 1)[1]) if 1 <= year <= 9999 else start.day
        return date(year, month + 1, day) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise ToolFailed("the date would lie outside the years 1 to 9999") from None
