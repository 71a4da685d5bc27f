"""From a pattern to a question: alternatives in brackets, slots in braces, and the noise of real typing.

A pattern such as `[How much|What] [do|would] {n} {item} cost[?|]` stands for all its readings. The last
pattern of every list of four or more is held out: no training question is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

Wording = Literal["train", "heldout"]

OPENINGS = [
    "Hi, ",
    "Hello, ",
    "Hey, ",
    "Quick question: ",
    "Please tell me: ",
    "I need to know: ",
    "Question: ",
    "Help me out: ",
    "Hi there! ",
    "Good morning. ",
    "One more thing: ",
    "Could you check this? ",
    "For my report: ",
    "Just curious, ",
    "My boss asks: ",
    "I was wondering, ",
    "Homework: ",
    "So, ",
    "OK, ",
    "Can you help? ",
    "Small task for you. ",
]
CONTEXTS = [
    "I am planning a trip.",
    "We run a small shop.",
    "It is for school.",
    "My sister asked me this.",
    "I am filling in a form.",
    "This is about last month.",
    "I lost my notes.",
    "We are in a hurry.",
    "It's for the budget.",
    "I have to write an offer.",
    "The office is closed today.",
    "I'm preparing a party.",
    "The customer is on the phone.",
    "My calculator is broken.",
    "We had a meeting yesterday.",
    "I'm not good at this.",
    "There was a long queue.",
    "It rained all day.",
    "I'm at work.",
]
CLOSINGS = [
    " Thanks!",
    " Thank you.",
    " Please.",
    " Thx",
    " I need it today.",
    " Just the number, please.",
    " Any help is welcome.",
    " Be quick.",
    " Give only the answer.",
]


def choose_pattern(rng: Random, patterns: Sequence[str], wording: Wording) -> str:
    """A pattern that the wording may use."""
    if len(patterns) < 4:
        return rng.choice(patterns)
    return patterns[-1] if wording == "heldout" else rng.choice(patterns[:-1])


def expand(rng: Random, pattern: str, slots: Mapping[str, str]) -> str:
    """Choose one of each bracket's alternatives (brackets may nest), then fill the slots.

    >>> expand(Random(1), "[a|a] {b} c", {"b": "[x]"})
    'a [x] c'
    """
    chosen, rest = _sequence(rng, pattern, 0)
    if rest != len(pattern):
        raise ValueError(f"unbalanced bracket in {pattern!r}")
    return " ".join(chosen.format_map(slots).split(" ")).strip()


def _sequence(rng: Random, pattern: str, start: int) -> tuple[str, int]:
    """Read up to the end of the pattern or an unopened `|` or `]`."""
    parts: list[str] = []
    at = start
    while at < len(pattern) and pattern[at] not in "|]":
        if pattern[at] == "[":
            options: list[str] = []
            while pattern[at] != "]":
                option, at = _sequence(rng, pattern, at + 1)
                options.append(option)
            parts.append(rng.choice(options))
            at += 1
        else:
            parts.append(pattern[at])
            at += 1
    return "".join(parts), at


def dress(rng: Random, question: str, names: Sequence[str] = ()) -> str:
    """Add greetings, drop capitals or the question mark, misspell a word: what people do.

    `names` must come through unchanged.
    """
    question = question[:1].upper() + question[1:]
    if rng.random() < 0.12:
        question = _misspelt(rng, question, names)
    draw = rng.random()
    if draw < 0.14:
        opening = rng.choice(OPENINGS)
        kept = any(question.startswith(name) for name in names)
        question = opening + (question if kept else question[:1].lower() + question[1:])
    elif draw < 0.24 and not any(question.startswith(name) for name in names):
        question = question[:1].lower() + question[1:]
    elif draw < 0.31:
        question = f"{rng.choice(CONTEXTS)} {question}"
    elif draw < 0.33:
        question = question.upper() if not names else question
    if rng.random() < 0.1:
        question = question.rstrip("?.")
    if rng.random() < 0.08:
        question += rng.choice(CLOSINGS)
    return question


def _misspelt(rng: Random, question: str, names: Sequence[str]) -> str:
    words = question.split(" ")
    named = {part for name in names for part in name.split(" ")}
    places = [
        at
        for at, word in enumerate(words)
        if word.isalpha() and word.islower() and len(word) > 4 and word not in named
    ]
    if not places:
        return question
    at = rng.choice(places)
    word = words[at]
    cut = rng.randrange(1, len(word) - 1)
    words[at] = rng.choice(
        (
            word[:cut] + word[cut + 1 :],
            word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :],
            word[:cut] + word[cut] + word[cut:],
        )
    )
    return " ".join(words)
