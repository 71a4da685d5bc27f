"""For each task of `examples/research_desk`: what a careful person looks for, opens, computes and answers."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.tools import ToolCall

from .playing import Play, Turn


@dataclass(frozen=True)
class Look:
    """One task: the words to look for, the documents that are opened, the sum over what they say, the answer."""

    query: str
    answer: str
    documents: tuple[str, ...] = ()
    expression: str = ""

    @property
    def play(self) -> Play:
        calls = [ToolCall("retrieve", {"query": self.query})]
        calls += [ToolCall("read_file", {"path": path}) for path in self.documents]
        calls += [ToolCall("calculate", {"expression": self.expression})] if self.expression else []
        return (Turn(tuple(calls), {"answer": self.answer, "sources": list(self.documents)}),)


LOOKS: dict[str, Look] = {
    "carry-over": Look("leave days carried over", "31 March", ("handbook/leave.md",)),
    "leave-of-tom": Look(
        "days of paid leave a year", "$4", ("handbook/leave.md", "people/directory.md"), "27 + 2"
    ),
    "hotel-in-the-capital": Look("hotel night capital", "165 euros", ("handbook/travel.md",)),
    "meals-abroad": Look("meals abroad breakfast", "$3 euros", ("handbook/travel.md",), "4 * 42 - 3 * 6"),
    "own-car-and-two-nights": Look(
        "own car kilometre hotel", "$3 euros", ("handbook/travel.md",), "340 * 0.30 + 2 * 130"
    ),
    "quotes-for-a-machine": Look("three quotes to buy", "no", ("handbook/purchasing.md",)),
    "tuesday-at-home": Look("work from home Tuesday", "no", ("handbook/remote-work.md",)),
    "own-telephone": Look("telephone of their own month", "$3 euros", ("handbook/equipment.md",), "12 * 15"),
    "gym": Look("gym membership", "not in the documents"),
    "length-of-the-outage": Look(
        "data service down 9 January",
        "$3 minutes",
        ("incidents/2026-01-09-data-service-down.md",),
        "4 * 60 + 20",
    ),
    "hubs-of-other-customers": Look(
        "hubs counted rain twice", "$3", ("incidents/2025-11-18-rain-counted-twice.md",), "212 - 140"
    ),
    "on-call-in-january": Look(
        "outage on call January",
        "$4 euros",
        ("incidents/2026-01-09-data-service-down.md", "handbook/on-call.md"),
        "180 + 4 * 45",
    ),
    "writer-of-the-report": Look(
        "data service down report written by",
        "40",
        ("incidents/2026-01-09-data-service-down.md", "people/directory.md"),
    ),
    "second-printer": Look(
        "label printer second parcels",
        "Tom Askew, 50",
        ("incidents/2026-04-21-parcels-mixed-up.md", "handbook/purchasing.md", "people/directory.md"),
    ),
    "mast-under-warranty": Look(
        "mast broken Skarrow Ridge",
        "no",
        ("incidents/2026-03-02-broken-mast.md", "products/mast-m3.md", "service/warranty.md"),
    ),
    "insurance-of-the-mast": Look("insurance paid broken mast", "not in the documents"),
    "storm-mode": Look("storm mode firmware current", "17 m/s", ("products/firmware-3.5.md",)),
    "firmware-that-put-it-right": Look(
        "firmware rain counting put right", "3.4, released on 2025-12-02", ("products/firmware-3.4.md",)
    ),
    "twelve-rain-gauges": Look(
        "price list Brook 2", "$3", ("products/price-list-2026.md",), "12 * 189 * 0.92"
    ),
    "set-or-parts": Look(
        "Larch station set of parts",
        "$4 euros",
        ("products/larch-station.md", "products/price-list-2026.md"),
        "189 + 245 + 145 + 310 - 830",
    ),
    "supply-for-the-heater": Look(
        "Gale 5 heating hub H2 supply",
        "the supply unit S24, for 96 euros",
        ("products/gale-5.md", "products/price-list-2026.md"),
    ),
    "windy-site": Look(
        "mast M3 gusts guyed",
        "the kit G3, for 54 euros",
        ("products/mast-m3.md", "products/price-list-2026.md"),
    ),
    "longer-warranty": Look(
        "Gale 5 successor of the Gale 4 warranty",
        "$4 months",
        ("products/gale-5.md", "products/gale-4.md"),
        "36 - 24",
    ),
    "weight-on-the-van": Look(
        "mast M3 weight",
        "$5 kg",
        ("products/mast-m3.md", "products/gale-5.md", "products/brook-2.md"),
        "14.5 + 1.7 + 2.1",
    ),
    "colours-of-the-hub": Look("hub H2 colours", "not in the documents"),
    "warehouse-move": Look("move new warehouse", "2026-08-15", ("minutes/2026-05-19-management.md",)),
    "launch-of-the-gale-5": Look("Gale 5 launched", "2026-05-12", ("minutes/2026-05-19-management.md",)),
    "prototypes-of-the-m4": Look("mast M4 prototypes", "2026-11-30", ("minutes/2026-06-02-product.md",)),
    "returns": Look("Gale 5 returns", "$3%", ("minutes/2026-06-02-product.md",), "3 / 112 * 100"),
    "money-left-of-the-launch": Look(
        "launch Gale 5 budget cost",
        "$4 euros",
        ("minutes/2026-03-17-management.md", "minutes/2026-05-19-management.md"),
        "41000 - 39400",
    ),
    "head-of-the-m4": Look(
        "mast M4 lead development", "Jonas Feld, 33", ("minutes/2026-06-02-product.md", "people/directory.md")
    ),
    "people-after-hiring": Look(
        "departments people as of June 2026",
        "$4",
        ("people/departments.md", "minutes/2026-05-19-management.md"),
        "2 + 9 + 17 + 8 + 11 + 6 + 3",
    ),
    "order-of-the-m4": Look("mast M4 order", "not in the documents"),
    "answer-to-skarrow": Look(
        "Skarrow council service contract",
        "the next working day",
        ("customers/skarrow-council.md", "service/service-levels.md"),
    ),
    "service-of-norfell": Look(
        "Norfell Water service contract stations",
        "$4 euros",
        ("customers/norfell-water.md", "service/service-levels.md"),
        "140 * 60",
    ),
    "norfell-may-leave": Look(
        "Norfell Water contract until",
        "2026-09-30",
        ("customers/norfell-water.md", "service/service-levels.md"),
    ),
    "twenty-stations-for-norfell": Look(
        "Norfell Water framework contract price list",
        "$4 euros",
        ("customers/norfell-water.md", "products/price-list-2026.md"),
        "20 * 830 * 0.85",
    ),
    "calibration-for-ansel": Look(
        "Port of Ansel wind sensors",
        "$4 euros",
        ("customers/port-of-ansel.md", "service/calibration.md"),
        "9 * 85",
    ),
    "new-sensors-for-ansel": Look(
        "Port of Ansel heated sensors",
        "$5 euros",
        ("customers/port-of-ansel.md", "products/gale-5.md", "products/price-list-2026.md"),
        "9 * (329 + 96)",
    ),
    "loans-for-skarrow": Look(
        "Skarrow council stations",
        "$5 euros",
        ("customers/skarrow-council.md", "products/larch-station.md", "service/calibration.md"),
        "6 * (40 + 25)",
    ),
    "mobile-of-bram-oakes": Look("Bram Oakes telephone", "not in the documents"),
}
