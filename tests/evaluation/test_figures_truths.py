"""The answers of `examples/figures`, worked out again from the question's figures: decimals, fractions and dates of
Python, and none of the tools that the agent has."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest

from loopwright import TaskFile
from loopwright.evaluation.file.format import Task

FOLDER = Path(__file__).parents[2] / "examples" / "figures"

POUND = Fraction("0.45359237")  # kg, by the agreement of 1959
OUNCE = POUND / 16
MILE = Fraction("1.609344")  # km
GALLON = 231 * Fraction("2.54") ** 3 / 1000  # litres: 231 cubic inches
QUART = GALLON / 4
CUP = QUART / 4
KNOT = Fraction("1.852")  # km/h


def n(text: str) -> Fraction:
    return Fraction(text)


def cents(amount: Fraction) -> Fraction:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return Fraction(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


def annuity(principal: str, yearly: str, months: int) -> Fraction:
    """What is paid back each month, by adding up what each instalment is worth today."""
    rate = n(yearly) / 100 / 12
    return n(principal) / sum(1 / (1 + rate) ** month for month in range(1, months + 1))


def owed(principal: str, yearly: str, paid: str, months: int) -> Fraction:
    left = n(principal)
    for _ in range(months):
        left += left * n(yearly) / 100 / 12 - n(paid)
    return left


def saved(monthly: str, yearly: str, months: int) -> Fraction:
    held = Fraction(0)
    for _ in range(months):
        held += held * n(yearly) / 100 / 12 + n(monthly)
    return held


def years_until(factor: int, yearly: str) -> int:
    held, years = Fraction(1), 0
    while held < factor:
        held, years = held * (1 + n(yearly) / 100), years + 1
    return years


def interest(amount: str, yearly: str, first: date, last: date) -> Fraction:
    return n(amount) * n(yearly) / 100 * (last - first).days / 365


NUMBERS: dict[str, Fraction | int] = {
    "till-receipt": n("2.49") + n("1.79") + n("0.99") + n("4.35") + n("12.90"),
    "cinema-evening": (4 * n("11.50") + 2 * n("7.80")) / 4,
    "change-from-fifty": 50 - 3 * n("3.40") - 2 * n("4.25"),
    "flat-share-groceries": (n("46.20") + n("31.80") + n("18.30")) / 3 - n("18.30"),
    "restaurant-tip": cents((n("74.50") * n("1.12") + n("28.90")) / 5),
    "crates-of-water": 7 * n("8.64") + (7 - 5) * n("3.30"),
    "winter-coat": 219 * n("0.65"),
    "old-price": n("61.20") / n("0.85"),
    "two-discounts": 1290 * n("0.8") * n("0.9"),
    "three-for-two": cents((7 - 7 // 3) * n("24.95") / 7),
    "better-offer": (149 * n("0.88") + n("6.90")) - 139 * n("0.98"),
    "gross-of-a-quote": 2340 * n("1.19"),
    "net-of-a-receipt": n("178.50") / n("1.19"),
    "vat-in-a-receipt": n("64.20") * 7 / 107,
    "early-payment": 1450 * n("1.19") * n("0.98"),
    "credit-note": cents(7 * n("84.90") * n("1.21")),
    "vat-return": (n("48300") - n("21750")) / 5,
    "mixed-rates": 40 * n("12.50") * n("1.07") + 3 * 189 * n("1.19"),
    "week-of-a-cook": n("38.5") * n("17.40"),
    "fewer-hours": 3150 * Fraction(28, 40),
    "raise-and-thirteenth": 2980 * n("1.035") * 13,
    "overtime": 18 * (46 + Fraction(46 - 40, 2)),
    "temp-with-holiday-pay": cents(124 * n("14.80") * n("1.0833") - 65),
    "net-pay": 3400 * (1 - n("0.093") - n("0.079") - n("0.013")) * n("0.86"),
    "night-and-sunday-shifts": n("16.20") * (5 * 8 * n("1.25") + 2 * 6 * n("1.5")),
    "simple-interest": 5000 * n("0.032") * Fraction(9, 12),
    "instalment": cents(annuity("12000", "4.9", 48)),
    "overdraft": cents(interest("850", "11.5", date(2026, 3, 9), date(2026, 4, 2))),
    "late-payer": cents(interest("3200", "9.12", date(2026, 1, 15), date(2026, 4, 20)) + 40),
    "cost-of-credit": annuity("8500", "6.6", 36) * 36 - 8500,
    "mortgage-after-two-months": owed("240000", "3.6", "1200", 2),
    "lease-or-buy": abs((1900 + 36 * 249) - 21400 * n("0.45")),
    "hot-oven": Fraction(425 - 32) * 5 / 9,
    "cups-of-milk": n("2.5") * CUP * 1000,
    "sticks-of-butter": 3 * 4 * OUNCE * 1000,
    "more-pancakes": Fraction(260 * 11, 4),
    "bigger-cake-tin": 180 * Fraction(26, 20) ** 2,
    "summer-punch": floor((2 * QUART * 1000 + 750 + 1500) / 180),
    "strawberry-jam": floor(7 * POUND * 1000 * Fraction(4, 3) * n("0.88") / 340),
    "fast-ferry": 22 * KNOT,
    "swiss-francs": 400 * n("1.04") - n("3.50"),
    "walking-time": n("13.5") * MILE / n("4.2"),
    "pounds-there-and-back": cents((600 * n("1.165") - 480) / n("1.21")),
    "average-speed": (210 + 90 * MILE) / (n("2.5") + n("1.5")),
    "hire-car": 420 / MILE / 34 * GALLON,
    "heavy-suitcase": 15 * ceil(61 * POUND - 23),
    "petrol-for-three": cents((n("11.5") * n("6.4") * n("1.72") + 2 * n("19.25")) / 3),
    "carpet": n("4.2") * n("3.6") * n("28.50"),
    "fan-heater": n("2.1") * n("3.5") * 30 * n("0.34"),
    "rent-of-a-part-month": 930 * Fraction((date(2026, 6, 30) - date(2026, 6, 12)).days + 1, 30),
    "rain-barrel": 18 * 65 * n("0.9") / GALLON,
    "paint": (2 * (5 + 4) * n("2.5") - 2 - n("1.5")) * 2 / 8,
    "water-bill": 40 * n("1.90") + 60 * n("2.60") + (117 - 100) * n("3.80") + 24,
    "floor-tiles": ceil(n("3.6") * n("2.8") / (n("0.3") * n("0.6")) * n("1.1") / 6),
    "fixed-deposit": cents(4000 * n("1.0275") ** 5),
    "dearer-bread": cents(n("2.40") * n("1.06") ** 3 - n("2.40")),
    "years-to-double": years_until(2, "4.5"),
    "monthly-saving": saved("150", "2.4", 36),
    "tickets-sold": next(a for a in range(241) if 9 * a + n("5.5") * (240 - a) == 1845),
    "coffee-blend": Fraction(60 * (17 - 14), 22 - 14),
    "vegetable-bed": next(w for w in range(1, 96) if w * (w + 4) == 96),
    "break-even": 5400 / (12 - n("7.20")),
    "brine": 5 * (n("0.15") - n("0.08")) / (n("0.30") - n("0.15")),
    "two-tariffs": n("9.90") + (n("19.90") - n("9.90")) / (n("0.08") - n("0.03")) * n("0.08"),
    "trains-meet": Fraction(330, 95 + 70) * 95,
    "inheritance": cents((Fraction(186000 - 7400, 2) + 5000) / 3 - 5000),
}


def months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days(count: int) -> timedelta:
    return timedelta(days=count)


def next_monday_if_weekend(day: date) -> date:
    while day.isoweekday() > 5:
        day += days(1)
    return day


def friday_before_if_weekend(day: date) -> date:
    while day.isoweekday() > 5:
        day -= days(1)
    return day


def working_days_on(day: date, count: int) -> date:
    while count:
        day += days(1)
        count -= day.isoweekday() <= 5
    return day


def first_tuesday(year: int, month: int) -> date:
    return next(date(year, month, day) for day in range(1, 8) if date(year, month, day).isoweekday() == 2)


def last_allowed(total: int, first: tuple[date, date], back: date) -> date:
    used = {first[0] + days(i) for i in range((first[1] - first[0]).days + 1)}
    day = back - days(1)
    while len(used) < total:
        day += days(1)
        used.add(day)
    return day


def last_dose(tablets: int, daily: int, first: date) -> date:
    day = first - days(1)
    while tablets > 0:
        day, tablets = day + days(1), tablets - daily
    return day


DATES: dict[str, date] = {
    "thirty-days-net": date(2026, 8, 14) + days(30),
    "due-on-a-weekend": next_monday_if_weekend(date(2026, 4, 24) + days(29)),
    "appeal": months_on(date(2026, 1, 30) + days(3), 1),
    "tax-return": months_on(date(2026, 7, 31), 7) - days(10),
    "reminders": date(2026, 3, 3) + days(14 + 7 + 10 + 14),
    "project-plan": date(2026, 9, 7) + days(3 * 7 + 8 * 7 + 12 + 5 + 7),
    "three-months-notice": months_on(date(2026, 11, 30), 3),
    "probation": months_on(date(2026, 10, 1), 6) - days(1),
    "leaving-a-phone-contract": months_on(date(2025, 5, 15), 24 - 1),
    "raising-the-rent": months_on(date(2026, 3, 1), 18) - days(45),
    "leap-day-warranty": months_on(months_on(date(2024, 2, 29), 24), 12) - days(14),
    "parental-leave": months_on(date(2026, 6, 11) + days(56), 10) + days(23),
    "ninety-day-visa": date(2026, 12, 20) + days(90 - 1),
    "passport": months_on(date(2027, 5, 8), -6),
    "vaccinations": months_on(date(2026, 7, 6) + days(28), 6) + days(10),
    "two-stays": last_allowed(90, (date(2026, 2, 3), date(2026, 2, 25)), date(2026, 4, 10)),
    "due-date-of-a-baby": date(2026, 1, 12) + days(280),
    "last-tablets": last_dose(2 * 84, 3, date(2026, 5, 5)),
    "half-way": date(2026, 4, 1) + (date(2026, 9, 30) - date(2026, 4, 1)) / 2,
    "ten-working-days": working_days_on(date(2026, 9, 17), 10),
    "thirteen-working-days": working_days_on(date(2026, 6, 10), 13),
    "pay-day": friday_before_if_weekend(date(2027, 3, 1) - days(1)),
    "papers-for-the-board": friday_before_if_weekend(first_tuesday(2026, 11) - days(10)),
}

WEEKDAYS_SAID = {date(2026, 9, 17): 4, date(2026, 6, 10): 3}  # in the questions: Thursday, Wednesday


@pytest.fixture(scope="module")
def numbers() -> dict[str, Task]:
    files = [TaskFile.load(FOLDER / f"{name}.yaml") for name in ("money", "measures", "equations")]
    return {task.id: task for file in files for task in file.tasks}


@pytest.fixture(scope="module")
def dates() -> dict[str, Task]:
    return {task.id: task for task in TaskFile.load(FOLDER / "dates.yaml").tasks}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_the_one_that_python_finds(name: str, numbers: dict[str, Task]) -> None:
    matcher = numbers[name].expect.answer["answer"]
    truth = float(NUMBERS[name])
    wanted = matcher.equals if matcher.number is None else matcher.number.value
    slack = 0.0 if matcher.number is None else matcher.number.tol
    assert wanted == pytest.approx(truth, abs=max(slack / 2, 1e-9))
    assert slack < max(abs(truth) / 100, 0.0051), "a tolerance that lets a wrong answer pass"


@pytest.mark.parametrize("name", DATES)
def test_a_date_is_the_one_that_python_finds(name: str, dates: dict[str, Task]) -> None:
    assert str(dates[name].expect.answer["day"].equals) == DATES[name].isoformat()


def test_every_task_of_figures_has_a_truth(numbers: dict[str, Task], dates: dict[str, Task]) -> None:
    assert sorted(NUMBERS) == sorted(numbers)
    assert sorted(DATES) == sorted(dates)


@pytest.mark.parametrize(("day", "weekday"), WEEKDAYS_SAID.items(), ids=str)
def test_a_weekday_that_a_question_names_is_that_day(day: date, weekday: int) -> None:
    assert day.isoweekday() == weekday
