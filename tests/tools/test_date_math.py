from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tools import ToolCall, ToolResult, builtin_tool

DATE_MATH = builtin_tool("date_math")


def ask(**args: object) -> ToolResult:
    return DATE_MATH.run(ToolCall("date_math", args))


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        ({"start": "2026-01-31", "end": "2026-03-17"}, "45 days"),
        ({"start": "2026-03-17", "end": "2026-01-31"}, "-45 days"),
        ({"start": "2026-01-01", "end": "2026-01-02"}, "1 day"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "-1 day"),
        ({"start": "2026-01-01", "end": "2026-01-01"}, "0 days"),
        ({"start": "2026-01-31", "days": 45}, "2026-03-17 (Tuesday)"),
        ({"start": "2026-01-31", "days": "45", "end": None}, "2026-03-17 (Tuesday)"),
        ({"start": "2026-01-31", "months": 1}, "2026-02-28 (Saturday)"),
        ({"start": "2024-02-29", "years": 1}, "2025-02-28 (Friday)"),
        ({"start": "2026-03-31", "months": -1}, "2026-02-28 (Saturday)"),
        ({"start": "2026-11-30", "months": 3, "days": 1}, "2027-03-01 (Monday)"),
        ({"start": "2026-01-01", "weeks": -2}, "2025-12-18 (Thursday)"),
        ({"start": "2026-01-01"}, "2026-01-01 (Thursday)"),
        ({"start": "0001-01-01", "years": 9998}, "9999-01-01 (Friday)"),
    ],
)
def test_dates_are_counted_and_shifted(args: dict[str, object], shown: str) -> None:
    assert ask(**args).content == shown


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            {"start": "2026-01-31", "end": "2026-02-01", "days": 3},
            "give either end or a shift (days), not both",
        ),
        ({"start": "9999-12-31", "days": 1}, "outside the years 1 to 9999"),
        ({"start": "0001-01-01", "months": -1}, "outside the years 1 to 9999"),
        ({"start": "2026-01-01", "days": 10**7}, "outside the years 1 to 9999"),
        ({"start": "2026-01-01", "years": 10**7}, "outside the years 1 to 9999"),
        ({"start": "2026-01-01", "weeks": 10**30}, "weeks must be between -10,000,000 and 10,000,000"),
        ({"start": "31/01/2026"}, '"start" must be a date like 2026-01-31, not "31/01/2026"'),
        ({"start": "2026-02-30"}, '"start" must be a date like 2026-01-31'),
        ({"end": "2026-02-01"}, '"start" is missing'),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(args: dict[str, object], said: str) -> None:
    result = ask(**args)
    assert not result.ok
    assert said in result.content


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-9_999, 9_999))
def test_days_added_are_days_counted(start: date, days: int) -> None:
    shifted = ask(start=start, days=days).content.split(" ")[0]
    assert shifted == (start + timedelta(days=days)).isoformat()
    assert ask(start=start, end=shifted).content.split(" ")[0] == str(days)
