"""The calls that a careful person makes for each task of `examples/figures`; the last one gives the answer.

`$2` stands for what the second call gave, `$2.x` for the value that it found for x (the last, where there are several).
"""

from __future__ import annotations

from loopwright.tools import ToolCall


def calc(expression: str) -> ToolCall:
    return ToolCall("calculate", {"expression": expression})


def solve(equations: str) -> ToolCall:
    return ToolCall("solve", {"equations": equations})


def convert(value: float | str, from_unit: str, to_unit: str) -> ToolCall:
    return ToolCall("convert_units", {"value": value, "from_unit": from_unit, "to_unit": to_unit})


def date(start: str, **more: object) -> ToolCall:
    return ToolCall("date_math", {"start": start, **more})


NUMBERS: dict[str, list[ToolCall]] = {
    "till-receipt": [calc("2.49 + 1.79 + 0.99 + 4.35 + 12.90")],
    "cinema-evening": [calc("4 * 11.50 + 2 * 7.80"), calc("$1 / 4")],
    "change-from-fifty": [calc("3 * 3.40 + 2 * 4.25"), calc("50 - $1")],
    "flat-share-groceries": [calc("46.20 + 31.80 + 18.30"), calc("$1 / 3"), calc("$2 - 18.30")],
    "restaurant-tip": [calc("12% of 74.50"), calc("74.50 + 28.90 + $1"), calc("round($2 / 5, 2)")],
    "crates-of-water": [calc("8.64 + 3.30"), calc("7 * $1"), calc("5 * 3.30"), calc("$2 - $3")],
    "winter-coat": [calc("219 * (1 - 35%)")],
    "old-price": [calc("61.20 / 0.85")],
    "two-discounts": [calc("1290 * 0.8"), calc("$1 * 0.9")],
    "three-for-two": [calc("7 - floor(7 / 3)"), calc("$1 * 24.95"), calc("round($2 / 7, 2)")],
    "better-offer": [
        calc("149 * 0.88"),
        calc("$1 + 6.90"),
        calc("2% of 139"),
        calc("139 - $3"),
        calc("$2 - $4"),
    ],
    "gross-of-a-quote": [calc("2340 * 1.19")],
    "net-of-a-receipt": [calc("178.50 / 1.19")],
    "vat-in-a-receipt": [calc("64.20 / 1.07"), calc("64.20 - $1")],
    "early-payment": [calc("1450 * 1.19"), calc("$1 * 0.98")],
    "credit-note": [calc("12 - 5"), calc("$1 * 84.90"), calc("round($2 * 1.21, 2)")],
    "vat-return": [calc("20% of 48300"), calc("20% of 21750"), calc("$1 - $2")],
    "mixed-rates": [
        calc("40 * 12.50"),
        calc("$1 * 1.07"),
        calc("3 * 189"),
        calc("$3 * 1.19"),
        calc("$2 + $4"),
    ],
    "week-of-a-cook": [calc("38.5 * 17.40")],
    "fewer-hours": [calc("3150 / 40"), calc("$1 * 28")],
    "raise-and-thirteenth": [calc("2980 * 1.035"), calc("$1 * 13")],
    "overtime": [calc("40 * 18"), calc("6 * 18 * 1.5"), calc("$1 + $2")],
    "temp-with-holiday-pay": [calc("124 * 14.80"), calc("$1 * 1.0833"), calc("round($2 - 65, 2)")],
    "net-pay": [calc("9.3 + 7.9 + 1.3"), calc("$1% of 3400"), calc("3400 - $2"), calc("$3 * 0.86")],
    "night-and-sunday-shifts": [
        calc("5 * 8"),
        calc("$1 * 16.20 * 1.25"),
        calc("2 * 6"),
        calc("$3 * 16.20 * 1.5"),
        calc("$2 + $4"),
    ],
    "simple-interest": [calc("5000 * 3.2% * 9 / 12")],
    "instalment": [calc("4.9 / 100 / 12"), calc("round(12000 * $1 / (1 - (1 + $1)^-48), 2)")],
    "overdraft": [date("2026-03-09", end="2026-04-02"), calc("round(850 * 0.115 * $1 / 365, 2)")],
    "late-payer": [
        date("2026-01-15", end="2026-04-20"),
        calc("3200 * 0.0912 * $1 / 365"),
        calc("round($2 + 40, 2)"),
    ],
    "cost-of-credit": [
        calc("6.6 / 100 / 12"),
        calc("8500 * $1 / (1 - (1 + $1)^-36)"),
        calc("$2 * 36"),
        calc("round($3 - 8500, 2)"),
    ],
    "mortgage-after-two-months": [
        calc("240000 * 0.036 / 12"),
        calc("240000 + $1 - 1200"),
        calc("$2 * 0.036 / 12"),
        calc("$2 + $3 - 1200"),
    ],
    "lease-or-buy": [
        calc("36 * 249"),
        calc("1900 + $1"),
        calc("55% of 21400"),
        calc("21400 - $3"),
        calc("abs($2 - $4)"),
    ],
    "hot-oven": [convert(425, "degF", "degC")],
    "cups-of-milk": [convert(2.5, "cups", "ml")],
    "sticks-of-butter": [calc("3 * 4"), convert("$1", "ounces", "g")],
    "more-pancakes": [calc("260 / 4"), calc("$1 * 11")],
    "bigger-cake-tin": [calc("26 / 20"), calc("$1^2"), calc("180 * $2")],
    "summer-punch": [convert(2, "quarts", "ml"), calc("$1 + 750 + 1500"), calc("floor($2 / 180)")],
    "strawberry-jam": [
        convert(7, "pounds", "g"),
        calc("$1 * 4 / 3"),
        calc("$2 * 0.88"),
        calc("floor($3 / 340)"),
    ],
    "fast-ferry": [convert(22, "knots", "km/h")],
    "swiss-francs": [calc("400 * 1.04"), calc("$1 - 3.50")],
    "walking-time": [convert(13.5, "miles", "km"), calc("$1 / 4.2")],
    "pounds-there-and-back": [calc("600 * 1.165"), calc("$1 - 480"), calc("round($2 / 1.21, 2)")],
    "average-speed": [
        convert(90, "miles", "km"),
        calc("210 + $1"),
        calc("2.5 + 1.5"),
        calc("$2 / $3"),
    ],
    "hire-car": [convert(420, "km", "miles"), calc("$1 / 34"), convert("$2", "gallons", "litres")],
    "heavy-suitcase": [convert(61, "pounds", "kg"), calc("$1 - 23"), calc("ceil($2)"), calc("$3 * 15")],
    "petrol-for-three": [
        calc("1150 / 100"),
        calc("$1 * 6.4"),
        calc("$2 * 1.72"),
        calc("2 * 19.25"),
        calc("$3 + $4"),
        calc("round($5 / 3, 2)"),
    ],
    "carpet": [calc("4.2 * 3.6"), calc("$1 * 28.50")],
    "fan-heater": [calc("2100 / 1000 * 3.5"), calc("$1 * 30"), calc("$2 * 0.34")],
    "rent-of-a-part-month": [
        date("2026-06-12", end="2026-06-30"),
        calc("$1 + 1"),
        calc("930 / 30 * $2"),
    ],
    "rain-barrel": [calc("18 * 65"), calc("90% of $1"), convert("$2", "litres", "gallons")],
    "paint": [calc("2 * (5 + 4) * 2.5"), calc("$1 - 2 - 1.5"), calc("2 * $2"), calc("$3 / 8")],
    "water-bill": [
        calc("117 - 40 - 60"),
        calc("40 * 1.90"),
        calc("60 * 2.60"),
        calc("$1 * 3.80"),
        calc("$2 + $3 + $4 + 24"),
    ],
    "floor-tiles": [
        calc("3.6 * 2.8"),
        calc("0.3 * 0.6"),
        calc("$1 / $2"),
        calc("$3 * 1.1"),
        calc("ceil($4 / 6)"),
    ],
    "fixed-deposit": [calc("round(4000 * 1.0275^5, 2)")],
    "dearer-bread": [calc("2.40 * 1.06^3"), calc("round($1 - 2.40, 2)")],
    "years-to-double": [solve("1.045^n = 2"), calc("ceil($1.n)")],
    "monthly-saving": [calc("0.024 / 12"), calc("(1 + $1)^36 - 1"), calc("round(150 * $2 / $1, 2)")],
    "tickets-sold": [solve("a + c = 240; 9*a + 5.5*c = 1845")],
    "coffee-blend": [solve("a + b = 60; 14*a + 22*b = 17*60")],
    "vegetable-bed": [solve("w * (w + 4) = 96")],
    "break-even": [solve("12*n = 5400 + 7.20*n")],
    "brine": [solve("0.08*5 + 0.30*x = 0.15*(5 + x)")],
    "two-tariffs": [solve("9.90 + 0.08*m = 19.90 + 0.03*m"), calc("9.90 + 0.08 * $1.m")],
    "trains-meet": [solve("95*t + 70*t = 330"), calc("95 * $1.t")],
    "inheritance": [
        calc("186000 - 7400"),
        calc("$1 / 2"),
        solve("x + x + x - 5000 = $2"),
        calc("round($3.x - 5000, 2)"),
    ],
}

# Where the last call gives several values: the one that is asked for.
VALUES = {
    "tickets-sold": "$1.a",
    "coffee-blend": "$1.b",
    "vegetable-bed": "$1.w",
    "break-even": "$1.n",
    "brine": "$1.x",
}

DATES: dict[str, list[ToolCall]] = {
    "thirty-days-net": [date("2026-08-14", days=30)],
    "due-on-a-weekend": [date("2026-04-24", days=29), date("$1", days=2)],
    "appeal": [date("2026-01-30", days=3), date("$1", months=1)],
    "tax-return": [date("2026-07-31", months=7), date("$1", days=-10)],
    "reminders": [
        date("2026-03-03", days=14),
        date("$1", weeks=1),
        date("$2", days=10),
        date("$3", weeks=2),
    ],
    "project-plan": [
        date("2026-09-07", weeks=3),
        date("$1", weeks=8),
        date("$2", days=12),
        date("$3", days=5),
        date("$4", weeks=1),
    ],
    "three-months-notice": [date("2026-11-30", months=3)],
    "probation": [date("2026-10-01", months=6), date("$1", days=-1)],
    "leaving-a-phone-contract": [date("2025-05-15", months=24), date("$1", months=-1)],
    "raising-the-rent": [date("2026-03-01", months=18), date("$1", days=-45)],
    "leap-day-warranty": [date("2024-02-29", years=2), date("$1", years=1), date("$2", weeks=-2)],
    "parental-leave": [date("2026-06-11", weeks=8), date("$1", months=10), date("$2", days=23)],
    "ninety-day-visa": [date("2026-12-20", days=89)],
    "passport": [date("2027-05-08", months=-6)],
    "vaccinations": [date("2026-07-06", weeks=4), date("$1", months=6), date("$2", days=10)],
    "two-stays": [
        date("2026-02-03", end="2026-02-25"),
        calc("$1 + 1"),
        calc("90 - $2 - 1"),
        date("2026-04-10", days="$3"),
    ],
    "due-date-of-a-baby": [date("2026-01-12", days=280)],
    "last-tablets": [calc("2 * 84"), calc("$1 / 3 - 1"), date("2026-05-05", days="$2")],
    "half-way": [
        date("2026-04-01", end="2026-09-30"),
        calc("$1 / 2"),
        date("2026-04-01", days="$2"),
    ],
    "ten-working-days": [date("2026-09-17", weeks=2)],
    "thirteen-working-days": [date("2026-06-10", weeks=2), date("$1", days=5)],
    "pay-day": [date("2027-02-01", months=1, days=-1), date("$1", days=-2)],
    "papers-for-the-board": [
        date("2026-11-01", days=2),
        date("$1", days=-10),
        date("$2", days=-1),
    ],
}
