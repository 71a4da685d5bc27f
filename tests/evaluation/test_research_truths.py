"""The answers of `examples/research_desk`, found again in its documents by plain Python; and what is not in them, is not."""

from __future__ import annotations

import re
from datetime import date, datetime
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from loopwright import TaskFile

FOLDER = Path(__file__).parents[2] / "examples" / "research_desk"
DOCUMENTS = {
    path.relative_to(FOLDER / "documents").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((FOLDER / "documents").rglob("*.md"))
}
NOW, OLD = "products/price-list-2026.md", "products/price-list-2025.md"
NORFELL, ANSEL, SKARROW = (
    f"customers/{name}.md" for name in ("norfell-water", "port-of-ansel", "skarrow-council")
)


def said(document: str, pattern: str) -> str:
    """What a pattern's group finds in a document, line breaks aside; it must be there once."""
    found = re.findall(pattern, " ".join(DOCUMENTS[document].split()))
    assert len(set(found)) == 1, (document, pattern, found)
    return str(found[0])


def number(document: str, pattern: str) -> Fraction:
    return Fraction(said(document, pattern).replace(",", ""))


def row(document: str, name: str) -> list[str]:
    """The cells of a table's row that begins with this."""
    lines = [line for line in DOCUMENTS[document].splitlines() if line.startswith(f"| {name}")]
    assert len(lines) == 1, (document, name)
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


def price(item: str, document: str = NOW) -> Fraction:
    return Fraction(row(document, item)[1])


def minutes(start: str, end: str) -> Fraction:
    spent = datetime.fromisoformat(f"2026-01-09 {end}") - datetime.fromisoformat(f"2026-01-09 {start}")
    return Fraction(int(spent.total_seconds()), 60)


def day(text: str) -> date:
    return datetime.strptime(text, "%d %B %Y").date()  # noqa: DTZ007  # a day has no zone


def outage(pattern: str) -> str:
    return said("incidents/2026-01-09-data-service-down.md", pattern)


def parts(document: str) -> Fraction:
    return sum((price(item, document) for item in ("Gale 4", "Brook 2", "mast M3", "hub H2")), Fraction(0))


TRAVEL, DEPARTMENTS, RETURNS = "handbook/travel.md", "people/departments.md", "minutes/2026-06-02-product.md"
NUMBERS: dict[str, Fraction | int] = {
    "leave-of-tom": number("handbook/leave.md", r"(\d+) days of paid leave")
    + number("handbook/leave.md", r"get (\d+) more days")
    * (2026 - int(row("people/directory.md", "Tom Askew")[4]) >= 10),
    "hotel-in-the-capital": number(TRAVEL, r"in the capital up to (\d+)"),
    "meals-abroad": 4 * number(TRAVEL, r"(\d+) euros a day abroad") - 3 * number(TRAVEL, r"takes (\d+) euros off"),
    "own-car-and-two-nights": 340 * number(TRAVEL, r"Own car: ([\d.]+)") + 2 * number(TRAVEL, r"up to (\d+) euros a night"),
    "own-telephone": 12 * number("handbook/equipment.md", r"gets (\d+) euros a month"),
    "length-of-the-outage": minutes(outage(r"from (\d\d:\d\d) to \d"), outage(r"from \d\d:\d\d to (\d\d:\d\d)")),
    "hubs-of-other-customers": number("incidents/2025-11-18-rain-counted-twice.md", r"(\d+) hubs were affected")
    - number("incidents/2025-11-18-rain-counted-twice.md", r"(\d+) of them at Norfell"),
    "on-call-in-january": number("handbook/on-call.md", r"a week gets (\d+) euros")
    + number("handbook/on-call.md", r"and (\d+) euros for each hour")
    * ceil(minutes(outage(r"on it from (\d\d:\d\d)"), outage(r"until (\d\d:\d\d)")) / 60),
    "writer-of-the-report": int(row("people/directory.md", outage(r"Written by ([\w ]+)\."))[3]),
    "storm-mode": number("products/firmware-3.5.md", r"it is (\d+) m/s unless set"),
    "twelve-rain-gauges": 12 * price("Brook 2") * (1 - number(NOW, r"From 10 pieces of one item: (\d+)%") / 100),
    "set-or-parts": parts(NOW) - price("Larch station"),
    "longer-warranty": number("products/gale-5.md", r"Warranty: (\d+)") - number("products/gale-4.md", r"Warranty: (\d+)"),
    "weight-on-the-van": sum(
        (number(f"products/{name}.md", r"weight: ([\d.]+) kg") for name in ("mast-m3", "gale-5", "brook-2")),
        Fraction(0),
    ),
    "returns": number(RETURNS, r"first returns, (\d+) of") / number(RETURNS, r"returns, \d+ of (\d+)") * 100,
    "money-left-of-the-launch": number("minutes/2026-03-17-management.md", r"cut to ([\d,]+) euros")
    - number("minutes/2026-05-19-management.md", r"launch has cost ([\d,]+) euros"),
    "people-after-hiring": 3 + sum(int(row(DEPARTMENTS, name)[1]) for name in ("Management", "Sales", "Development", "Data", "Logistics", "Support")),
    "service-of-norfell": number(NORFELL, r"(\d+) Larch stations") * Fraction(row("service/service-levels.md", "gold")[2].split()[0]),
    "twenty-stations-for-norfell": 20 * price("Larch station") * (1 - number(NORFELL, r"(\d+)% off") / 100),
    "calibration-for-ansel": number(ANSEL, r"(\d+) wind sensors Gale 4") * Fraction(row("service/calibration.md", "Gale 4")[2].split()[0]),
    "new-sensors-for-ansel": number(ANSEL, r"(\d+) wind sensors") * (price("Gale 5 ") + price("supply unit S24")),
    "loans-for-skarrow": number(SKARROW, r"(\d+) Larch stations")
    * (Fraction(row("service/calibration.md", "Brook 2")[2].split()[0]) + number("service/calibration.md", r"costs (\d+) euros")),
}  # fmt: skip

DAYS = {
    "warehouse-move": day(said("minutes/2026-05-19-management.md", r"The move is on (\d+ \w+ \d+)")),
    "launch-of-the-gale-5": day(
        said("minutes/2026-05-19-management.md", r"launched on (\d+ \w+)\.") + " 2026"
    ),
    "prototypes-of-the-m4": day(said(RETURNS, r"come by (\d+ \w+ \d+)")),
    "norfell-may-leave": date(2026, day(said(NORFELL, r"gold, until (\d+ \w+ \d+)")).month - 3, 30),
}

# What else must be in an answer, and the document that says it.
WORDS = {
    "second-printer": [("Tom Askew", DEPARTMENTS), ("50", "people/directory.md")],
    "firmware-that-put-it-right": [("3.4", "products/firmware-3.4.md")],
    "supply-for-the-heater": [("S24", "products/gale-5.md"), ("96", NOW)],
    "windy-site": [("G3", "products/mast-m3.md"), ("54", NOW)],
    "head-of-the-m4": [("Jonas Feld", RETURNS), ("33", "people/directory.md")],
    "answer-to-skarrow": [("next working day", "service/service-levels.md")],
}

# What nothing in the documents tells, by words that would have to be there.
ABSENT = {
    "gym": r"gym|membership|sport",
    "insurance-of-the-mast": r"insur",
    "colours-of-the-hub": r"colou?r|white|grey|green",
    "order-of-the-m4": r"M4[^.]*(?:on sale|can be ordered|available)",
    "mobile-of-bram-oakes": r"Oakes[^|\n]*\d",
}

# Where an older document says something else: what it says, and what that would make of the answer.
SUPERSEDED = {
    "carry-over": "30 June" in DOCUMENTS["handbook/leave-2023.md"],
    "leave-of-tom": number("handbook/leave-2023.md", r"(\d+) days of paid leave") != 27,
    "storm-mode": "above 20 m/s" in DOCUMENTS["products/firmware-3.3.md"],
    "firmware-that-put-it-right": "counted by a new routine" in DOCUMENTS["products/firmware-3.3.md"],
    "twelve-rain-gauges": price("Brook 2", OLD) != price("Brook 2"),
    "set-or-parts": parts(OLD) - price("Larch station", OLD) != NUMBERS["set-or-parts"],
    "warehouse-move": "1 April 2026" in DOCUMENTS["minutes/2025-10-14-management.md"],
    "launch-of-the-gale-5": "in April 2026" in DOCUMENTS["minutes/2025-10-14-management.md"],
    "prototypes-of-the-m4": "30 September 2026" in DOCUMENTS["minutes/2026-03-10-product.md"],
    "money-left-of-the-launch": "48,000" in DOCUMENTS["minutes/2025-10-14-management.md"],
    "head-of-the-m4": "Lead: Ilse Brandt" in DOCUMENTS["minutes/2026-03-10-product.md"],
    "twenty-stations-for-norfell": price("Larch station", OLD) != price("Larch station"),
}


@pytest.fixture(scope="module")
def file() -> TaskFile:
    return TaskFile.load(FOLDER / "tasks.yaml")


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_follows_from_the_documents(name: str, file: TaskFile) -> None:
    wanted = file.task(name).expect.answer["answer"].number
    assert wanted is not None
    assert wanted.value == pytest.approx(float(NUMBERS[name]), abs=max(wanted.tol, 1e-9))


@pytest.mark.parametrize("name", DAYS)
def test_a_day_follows_from_the_documents(name: str, file: TaskFile) -> None:
    assert file.task(name).expect.answer["answer"].contains == [DAYS[name].isoformat()]


@pytest.mark.parametrize("name", WORDS)
def test_the_words_of_an_answer_are_in_the_documents(name: str, file: TaskFile) -> None:
    wanted = file.task(name).expect.answer["answer"].contains
    for words, document in WORDS[name]:
        assert words in wanted
        assert re.search(rf"\b{re.escape(words)}\b", DOCUMENTS[document]), (words, document)


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_said_not_to_be_there_is_not(name: str, file: TaskFile) -> None:
    assert "not-there" in file.task(name).tags
    assert [path for path, text in DOCUMENTS.items() if re.search(ABSENT[name], text, re.IGNORECASE)] == []


@pytest.mark.parametrize("name", SUPERSEDED)
def test_an_older_document_says_otherwise(name: str, file: TaskFile) -> None:
    assert "superseded" in file.task(name).tags
    assert SUPERSEDED[name]


def test_tags_and_sources_are_told_apart_by_tests(file: TaskFile) -> None:
    tagged = {
        tag: sorted(task.id for task in file.tasks if tag in task.tags) for tag in ("superseded", "not-there")
    }
    assert tagged == {"superseded": sorted(SUPERSEDED), "not-there": sorted(ABSENT)}
    told = {*NUMBERS, *DAYS, *WORDS, *ABSENT}
    plain = {"carry-over", "quotes-for-a-machine", "tuesday-at-home", "mast-under-warranty"}  # yes, no, a day
    assert sorted(told | plain) == sorted(task.id for task in file.tasks)


def test_every_document_that_a_task_names_is_there(file: TaskFile) -> None:
    for task in file.tasks:
        for call in task.expect.calls.required:
            if call.tool == "read_file":
                assert call.args["path"].equals in DOCUMENTS


def test_a_document_is_short_enough_to_come_whole_from_a_search() -> None:
    assert [path for path, text in DOCUMENTS.items() if len(text) > 2_000] == []
    assert len(DOCUMENTS) >= 25
