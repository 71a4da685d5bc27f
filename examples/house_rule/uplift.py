"""How much the embedded model gains from its own solved tasks, on tasks that were held back.

    python -m examples.house_rule.uplift [--seeds 0 1 2] [--test 210] [--other-houses 8] [--out FILE]

A house has two price lists, and "the price" is always one of them: neither the question nor the tools say which.
Each seed draws new prices, new splits (by item) and the optimizer's own draws. The first table is of the house of
tasks.yaml (gross_price and base_price); `--other-houses` adds houses whose two lists have drawn names, where the
model may already prefer the right list, or never try it: there is less to gain there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import loopwright as lw
from loopwright.tools import Tool, ToolFailed

from .make_tasks import MAKERS, QUESTIONS, THINGS

MORE_MAKERS = "Dunmore Elgar Foxley Garnet Hollis Ivory Juniper Keswick Larch Mercer Norton Orwell Patten Rowan Selby Thorne"
MORE_THINGS = "table sofa"
WORDS = (
    "list net gross old new base local main full last first official reported basic extra real usual plain"
)
TRAIN, VAL = 24, 56


@dataclass(frozen=True, slots=True)
class House:
    """Two price lists, by the names of their tools in the order in which the model sees them, and which counts."""

    tools: tuple[str, str]
    right: str


@dataclass(frozen=True, slots=True)
class Gain:
    """What one compile gained: right answers of `tests` before and after, by the tasks that both were asked."""

    house: House
    seed: int
    before: int
    after: int
    fixed: int
    broken: int
    tests: int
    demos: int


def house_of_the_tasks() -> House:
    """The one of tasks.yaml."""
    return House(("gross_price", "base_price"), "gross_price")


def drawn_house(number: int) -> House:
    """A house whose lists have drawn names."""
    rng = Random(f"house {number}")
    first, second = rng.sample(WORDS.split(), 2)
    tools = (f"{first}_price", f"{second}_price")
    return House(tools, rng.choice(tools))


def measured(house: House, seed: int, tests: int) -> Gain:
    """Compile on train and val, and ask the held-out tasks before and after."""
    examples, tools = scene(house, seed)
    agent = lw.ReAct("question -> answer: float", tools=tools, max_iters=4)
    optimizer = lw.BootstrapTrajectories(metric=is_right, seed=seed)
    compiled = optimizer.compile(agent, trainset=examples[:TRAIN], valset=examples[TRAIN : TRAIN + VAL])
    held_back = examples[TRAIN + VAL :][:tests]
    before, after = right_of(agent, held_back), right_of(compiled, held_back)
    pairs = list(zip(before, after, strict=True))
    return Gain(
        house,
        seed,
        sum(before),
        sum(after),
        sum(now and not then for then, now in pairs),
        sum(then and not now for then, now in pairs),
        len(held_back),
        len(compiled.react.demos),
    )


def scene(house: House, seed: int) -> tuple[list[lw.Example], list[Tool]]:
    """New prices, and a question for each item."""
    rng = Random(f"{house}/{seed}")
    makers, things = f"{MAKERS} {MORE_MAKERS}".split(), f"{THINGS} {MORE_THINGS}".split()
    items = [f"{maker} {thing}" for maker, thing in itertools.product(makers, things)]
    rng.shuffle(items)
    base = {item: float(rng.randint(20, 900)) for item in items}
    raised = {item: round(price * 1.19, 2) for item, price in base.items()}
    lists = {name: raised if name == house.right else base for name in house.tools}
    examples = [
        lw.Example(
            question=QUESTIONS[place % len(QUESTIONS)].format(item=item), answer=raised[item]
        ).with_inputs("question")
        for place, item in enumerate(items)
    ]
    return examples, [price_list(name, lists[name]) for name in house.tools]


def price_list(name: str, prices: dict[str, float]) -> Tool:
    """A tool that looks an item up, capitals or not."""
    known = {item.lower(): price for item, price in prices.items()}

    def look_up(item: str) -> float:
        if item.strip().lower() not in known:
            raise ToolFailed(f"there is no item {item!r}")
        return known[item.strip().lower()]

    return Tool(look_up, name, f"The {name.replace('_', ' ')} of an item.", effect="read")


def is_right(example: lw.Example, prediction: lw.Prediction, trace: object = None) -> bool:
    """The price, to the cent."""
    return prediction.answer is not None and math.isclose(prediction.answer, example.answer, abs_tol=0.005)


def right_of(program: Callable[..., lw.Prediction], examples: Sequence[lw.Example]) -> list[bool]:
    """Which of these a program answers rightly."""
    return [bool(score) for _, _, score in lw.Evaluate(devset=examples, metric=is_right)(program).results]


def line(name: str, gains: Sequence[Gain]) -> str:
    """A row of the table; the interval of the difference is that of paired shares (Newcombe's simplest, Wald's)."""
    tests = sum(gain.tests for gain in gains)
    fixed, broken = sum(gain.fixed for gain in gains), sum(gain.broken for gain in gains)
    gain = (fixed - broken) / tests
    spread = 1.96 * math.sqrt(max(fixed + broken - (fixed - broken) ** 2 / tests, 0.0)) / tests
    before, after = (sum(getattr(one, key) for one in gains) / tests for key in ("before", "after"))
    return (
        f"| {name} | {tests} | {before:.0%} | {after:.0%} | {100 * gain:+.0f} points "
        f"({100 * (gain - spread):+.0f} to {100 * (gain + spread):+.0f}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--test", type=int, default=210, help="held-out tasks of a seed, 220 at most")
    parser.add_argument("--other-houses", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=Path, help="keep every compile's counts in this JSON file")
    given = parser.parse_args()
    lw.configure(lm=lw.LM("embedded"), num_threads=os.cpu_count() or 1)
    print("| house | held-out tasks | before | after | gain (95 %) |\n|---|--:|--:|--:|--:|", flush=True)
    gains = []
    for seed in given.seeds:
        gains.append(measured(house_of_the_tasks(), seed, given.test))
        print(line(f"gross and base, seed {seed}", gains[-1:]), flush=True)
    if gains:
        print(line("gross and base, all seeds", gains), flush=True)
    others = []
    for number in range(given.other_houses):
        house = drawn_house(number)
        others.append(measured(house, number, 60))
        print(line(f"{' and '.join(house.tools)}, {house.right} counts", others[-1:]), flush=True)
    if others:
        print(line("houses with drawn names, all", others), flush=True)
    if given.out:
        given.out.write_text(
            json.dumps([asdict(gain) for gain in gains + others], indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
