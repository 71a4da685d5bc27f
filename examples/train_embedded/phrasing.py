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
SYNONYMS: dict[str, tuple[str, ...]] = {
    "buy": ("purchase", "get", "pick up", "take"),
    "buys": ("purchases", "gets", "picks up"),
    "bought": ("purchased", "got", "picked up"),
    "order": ("request", "ask for"),
    "need": ("want", "require", "would like"),
    "needs": ("wants", "requires"),
    "find": ("work out", "figure out", "determine", "tell me"),
    "calculate": ("compute", "work out", "figure out"),
    "total": ("sum", "grand total", "overall total"),
    "together": ("altogether", "in all", "combined", "all told", "in total"),
    "altogether": ("in total", "all told", "overall"),
    "each": ("apiece", "a piece", "per piece"),
    "apiece": ("each", "a piece"),
    "between": ("among", "amongst"),
    "people": ("persons", "folks", "friends", "colleagues"),
    "left": ("remaining", "over", "left over"),
    "remains": ("is left", "is left over"),
    "costs": ("is", "goes for", "sells for"),
    "cost": ("come to", "set me back"),
    "earn": ("make", "get", "take home"),
    "earns": ("makes", "gets", "takes home"),
    "about": ("roughly", "on"),
    "long": ("much time",),
    "fast": ("quick",),
    "give": ("tell", "show"),
    "difference": ("gap",),
    "average": ("mean", "average value"),
    "split": ("divide", "share"),
    "add": ("sum up", "put together"),
    "convert": ("change", "turn", "express"),
    "days": ("calendar days",),
    "date": ("calendar date", "day"),
    "starts": ("begins", "opens"),
    "begins": ("starts",),
    "ends": ("finishes", "closes"),
    "please": ("pls", "kindly", ""),
    "how": ("and how", "so how", "exactly how"),
    "what's": ("whats", "what is", "what would be"),
    "what": ("and what", "so what", "exactly what"),
}
"""What a word may be exchanged for without changing the sum; a few readings come out clumsy, as people's do."""

_DROPPED = frozenset({"the", "a", "an", "of", "do", "does", "is", "please", "me", "at", "for", "it", "that"})
_FILLERS = [
    "just",
    "actually",
    "now",
    "then",
    "well",
    "really",
    "roughly speaking",
    "in the end",
    "by the way",
    "exactly",
    "though",
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
    if rng.random() < 0.35:
        question = _reworded(rng, question, names)
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


def _reworded(rng: Random, question: str, names: Sequence[str]) -> str:
    """Exchange some words for others of like meaning, drop a small word, put in one that says nothing."""
    named = {part.strip(".,?!'s") for name in names for part in name.split(" ")}
    words = question.split(" ")
    for at, whole in enumerate(words):
        bare = whole.rstrip(".,?!;:")
        if bare in named or not bare:
            continue
        if (others := SYNONYMS.get(bare.lower())) and rng.random() < 0.4:
            words[at] = rng.choice(others) + whole[len(bare) :]
        elif bare in _DROPPED and rng.random() < 0.08:
            words[at] = whole[len(bare) :]
    if rng.random() < 0.12:
        at = rng.randrange(len(words))
        if words[at].rstrip(".,?!'s") not in named:  # a name keeps its words together
            words.insert(at, rng.choice(_FILLERS))
    return " ".join(word for word in words if word)


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
