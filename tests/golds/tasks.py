"""The calls that a person would make for each task of `examples/tasks`, and what the last of them gives.

`$2` stands for what the second call gave, `$2.salary` for that part of it.
"""

from __future__ import annotations

from loopwright.tools import ToolCall


def calculate(expression: str) -> ToolCall:
    return ToolCall("calculate", {"expression": expression})


def convert(value: float | str, from_unit: str, to_unit: str) -> ToolCall:
    return ToolCall("convert_units", {"value": value, "from_unit": from_unit, "to_unit": to_unit})


def date(start: str, **more: object) -> ToolCall:
    return ToolCall("date_math", {"start": start, **more})


def price(item: str) -> ToolCall:
    return ToolCall("get_price", {"item": item})


def stock(item: str) -> ToolCall:
    return ToolCall("get_stock", {"item": item})


def program(expression: str) -> ToolCall:
    """A program whose last line is the expression."""
    head = "from datetime import *\n" if "date(" in expression else ""
    return ToolCall("python", {"code": f"{head}{expression}"})


def employee(name: str) -> ToolCall:
    return ToolCall("find_employee", {"name": name})


def people(town: str) -> ToolCall:
    return ToolCall("get_population", {"town": town})


# By task: the calls, and what the last of them must give; its value is the answer.
CALLS: dict[str, tuple[list[ToolCall], str]] = {
    "bakery-takings": ([calculate("38 + 27"), calculate("$1 * 3.20")], "208"),
    "stationery": ([calculate("4 * 2.75"), calculate("$1 + 1.90")], "12.9"),
    "reduced-jacket": ([calculate("129 * 0.7")], "90.3"),
    "plain-average": ([calculate("(17 + 23 + 31 + 45) / 4")], "29"),
    "split-bill": ([calculate("86.40 * 1.15"), calculate("$1 / 4")], "24.84"),
    "empty-seats": ([calculate("82% of 1250"), calculate("1250 - $1")], "225"),
    "rent-increase": ([calculate("6.5% of 840"), calculate("$1 * 12")], "655.2"),
    "sum-then-divide": ([calculate("348 + 577"), calculate("$1 / 25")], "37"),
    "class-trip": ([calculate("24 * 13.50"), calculate("$1 - 297")], "27"),
    "square-then-more": ([calculate("7^2"), calculate("$1 - 13"), calculate("$2 * 5")], "180"),
    "phone-contract": ([calculate("18.99 * 24"), calculate("$1 + 39.90")], "495.66"),
    "percent-of-number": ([calculate("12.5% of 6400")], "800"),
    "slowest-runner": ([calculate("mean(52.4, 54.1, 55.8)"), calculate("55.8 - $1")], "1.7"),
    "taxed-laptop": ([calculate("950 * 1.19"), calculate("$1 - 75")], "1055.5"),
    "fence": ([calculate("2 * (64 + 37)"), calculate("$1 - 4")], "198"),
    "parcels-on-time": ([calculate("360 - 45"), calculate("$1 / 360 * 100")], "87.5"),
    "savings": ([calculate("250 * 36"), calculate("$1 * 0.6")], "5400"),
    "root-and-cube": ([calculate("6^3"), calculate("sqrt(1764)"), calculate("$1 + $2")], "258"),
    "lamps-and-keyboards": ([price("desk lamp"), price("keyboard"), calculate("3 * $1 + 2 * $2")], "204.6"),
    "value-of-headsets": ([price("headsets"), stock("headsets"), calculate("$1 * $2")], "1977.8"),
    "monthly-pay": ([employee("Mara Lindqvist"), calculate("$1.salary / 12")], "4300"),
    "bigger-town": ([people("Norhaven"), people("Elmsford"), calculate("$1 - $2")], "30750"),
    "discounted-chair": ([price("office chair"), calculate("$1 * 0.85")], "160.65"),
    "monitor-or-webcam": ([price("monitor"), price("webcam"), calculate("$1 - $2")], "165.5"),
    "whiteboards-left": ([stock("whiteboards"), calculate("$1 - 5")], "4"),
    "raise": ([employee("Tomas Reyes"), calculate("$1.salary * 1.04")], "37960"),
    "average-salary": (
        [employee("Mara Lindqvist"), employee("Ines Okafor"), calculate("($1.salary + $2.salary) / 2")],
        "60250",
    ),
    "change-from-500": ([price("bookshelf"), price("headset"), calculate("500 - $1 - 2 * $2")], "201.2"),
    "mouse-pads-for-66": ([price("mouse pads"), calculate("66 / $1")], "8"),
    "shredder-price": ([price("paper shredder")], "58.4"),
    "boxes-of-keyboards": ([stock("keyboard"), calculate("$1 / 8")], "5"),
    "both-villages": ([people("Castle Bay"), people("Old Mill"), calculate("$1 + $2")], "8605"),
    "moving-away": ([people("Elmsford"), calculate("$1 * 0.88")], "15356"),
    "taxed-mouse-pads": ([price("mouse pad"), calculate("10 * $1 * 1.2")], "99"),
    "hours-of-a-clerk": ([employee("Jonas Petri"), calculate("$1.salary / 1880")], "18"),
    "empty-the-lamp-shelf": ([price("desk lamp"), stock("desk lamp"), calculate("$1 * $2")], "418.8"),
    "marathon": ([convert(26.2, "miles", "km")], "42.1648128 km"),
    "two-runs": ([convert(5, "miles", "km"), calculate("$1 + 7.5")], "15.54672"),
    "oven": ([convert(350, "degF", "degC")], "176.6666667 degC"),
    "eight-parcels": ([convert(3, "pounds", "kg"), calculate("$1 * 8")], "10.88621688"),
    "water-tank": (
        [convert(55, "gallons", "litres"), calculate("$1 / 12")],
        "2081976481/120000000 ≈ 17.34980401",
    ),
    "suitcase": ([convert(54, "pounds", "kg"), calculate("$1 - 23")], "1.49398798"),
    "building-plot": ([calculate("40 * 25"), convert("$1", "m^2", "ft^2")], "10763.91042 ft^2"),
    "flight": ([calculate("880 * 3"), convert("$1", "km", "miles")], "1640.419948 miles"),
    "seconds-to-hours": ([convert(10000, "seconds", "hours")], "2.777777778 hours"),
    "dripping-tap": ([calculate("45 * 24 * 7"), convert("$1", "millilitres", "litres")], "7.56 litres"),
    "spring-to-summer": ([date("2025-03-03", end="2025-07-19")], "138 days"),
    "hundred-days": ([date("2026-02-10", days=100)], "2026-05-21 (Thursday)"),
    "library-book": ([date("2025-11-17", weeks=4)], "2025-12-15 (Monday)"),
    "warranty": ([date("2024-09-30", months=18)], "2026-03-30 (Monday)"),
    "weeks-of-summer": ([date("2025-06-01", end="2025-08-24"), calculate("$1 / 7")], "12"),
    "exam-date": ([date("2026-09-14", weeks=6), date("$1", days=10)], "2026-11-05 (Thursday)"),
    "invoice": ([date("2025-10-08", days=45)], "2025-11-22 (Saturday)"),
    "baby": ([date("2025-04-02", end="2025-12-24")], "266 days"),
    "rented-bike": ([date("2026-05-04", end="2026-05-18"), calculate("$1 * 9.50")], "133"),
    "hours-to-deadline": ([date("2026-03-09", end="2026-03-27"), calculate("$1 * 24")], "432"),
}

# Where the answer is the weekday that the last call names, and not the date.
WEEKDAYS = ("hundred-days", "invoice")

# By task: the program, what it gives, and the answer.
PROGRAMS: dict[str, tuple[list[ToolCall], str, object]] = {
    "two-ticket-prices": ([program("214*11.50+86*8")], "3149.0", 3149),
    "share-of-votes": ([program("17/100*2350")], "399.50000000000006", 399.5),
    "mean-of-four-tests": ([program("(71+88+64+93)/4")], "79.0", 79),
    "flour-for-more-guests": ([program("320*14/8")], "560.0", 560),
    "ride-in-miles": ([program("round(75/1.609344, 3)")], "46.603", 46.603),
    "jug-in-litres": ([program("round(2.5*3.785411784, 3)")], "9.464", 9.464),
    "flour-in-pounds": ([program("round(900*0.001/0.45359237, 4)")], "1.9842", 1.9842),
    "valentine-to-july": ([program("(date(2026,7,1)-date(2026,2,14)).days")], "137", 137),
    "ninety-days-on": ([program("str(date(2026,1,20)+timedelta(90))")], "'2026-04-20'", "2026-04-20"),
    "weekday-of-a-launch": ([program('date(2027,3,8).strftime("%A")')], "'Monday'", "Monday"),
}
