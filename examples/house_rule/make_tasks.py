"""Writes prices.csv and tasks.yaml: python -m examples.house_rule.make_tasks

Every item belongs to one split, so that no price that is learned from is asked for again.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

MAKERS = "Marlow Corvid Ashen Tessel Brindle Quarry Lumen Harrow Pinder Sable Osprey Wicket Fennel Cobalt"
THINGS = "desk lamp chair shelf stool bench cabinet mirror"
QUESTIONS = (
    "What is the price of the {item}?",
    "How much is the {item}?",
    "Find the price of the {item}.",
    "Tell me the price of the {item}.",
)
SPLITS = {"train": 24, "dev": 28, "test": 60}

HEAD = """\
# Made by make_tasks.py. "The price" is the gross one in this house, which neither the tools nor the questions say:
# an agent can only learn it from solved tasks. train and dev are for learning, test is held back.
version: 1
name: house-rule
agent:
  module: react
  signature: "question -> answer: float"
  tools: ["prices.py:registry"]
defaults:
  seed: 1
  limits: {steps: 4}
tasks:
"""


def main() -> None:
    """Write both files beside this one."""
    rng = Random("house rule")
    items = [f"{maker} {thing}" for maker in MAKERS.split() for thing in THINGS.split()]
    rng.shuffle(items)
    base = {item: rng.randint(20, 900) for item in items}
    gross = {item: round(price * 1.19, 2) for item, price in base.items()}
    here = Path(__file__).parent
    with (here / "prices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["item", "base_price", "gross_price"])
        writer.writerows([item, base[item], gross[item]] for item in sorted(items))
    splits = [split for split, count in SPLITS.items() for _ in range(count)]
    lines = [HEAD]
    for number, (item, split) in enumerate(zip(items, splits, strict=True)):
        question = QUESTIONS[number % len(QUESTIONS)].format(item=item)
        lines.append(
            f"  - id: {item.lower().replace(' ', '-')}\n"
            f"    split: {split}\n"
            f'    input: {{question: "{question}"}}\n'
            f"    expect:\n"
            f"      answer: {{answer: {{number: {gross[item]}}}}}\n"
            f"      calls: {{required: [{{tool: gross_price, args: {{item: {item}}}}}]}}\n"
        )
    (here / "tasks.yaml").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
