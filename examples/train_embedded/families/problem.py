"""What word problems are made of: slots that draw a value, and a problem with its wordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ..words import ADJECTIVES, NOUNS, Split, draw_decimal, draw_name, draw_number, draw_whole

Slot = Callable[[Random, Split], str]


def whole(low: int, high: int) -> Slot:
    return lambda rng, split: draw_whole(rng, low, high, split)


def number(low: float, high: float, decimals: float = 0.4) -> Slot:
    return lambda rng, split: draw_number(rng, low, high, split, decimals)


def money(low: float, high: float) -> Slot:
    return lambda rng, split: (
        draw_decimal(rng, low, high, split, 2)
        if rng.random() < 0.6
        else draw_whole(rng, int(low) + 1, int(high), split)
    )


def pluralise(name: str) -> str:
    """The name of several; one that ends in no letter stays.

    >>> pluralise("oak shelf"), pluralise("glass box"), pluralise("X 20")
    ('oak shelves', 'glass boxes', 'X 20')
    """
    if not name[-1].isalpha():
        return name
    for ending, plural_ending in (("fe", "ves"), ("lf", "lves"), ("battery", "batteries"), ("man", "men")):
        if name.endswith(ending):
            return name.removesuffix(ending) + plural_ending
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")


def plural(rng: Random, split: Split) -> str:
    name = draw_name(rng, "item", split) if rng.random() < 0.5 else rng.choice(NOUNS)
    if name[-1].isdigit():
        name = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return pluralise(name)


def person(rng: Random, split: Split) -> str:
    return draw_name(rng, "person", split)


def place(rng: Random, split: Split) -> str:
    return draw_name(rng, "place", split)


def percent(rng: Random, split: Split) -> str:
    return (
        str(rng.choice((5, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, rng.randint(1, 99), rng.randint(1, 99))))
        if rng.random() < 0.85
        else draw_decimal(rng, 1, 40, split, 1)
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of word problem: its slots, the expression over them, and its wordings."""

    expression: str
    slots: Mapping[str, Slot]
    patterns: Sequence[str]
