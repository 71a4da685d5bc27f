"""Where values come from: which words and numbers of an observation are used later, and what rests on nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from ...adapters.values import to_plain

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_][\w.@-]{2,}")
_COMMON = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "that",
        "this",
        "not",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "its",
        "but",
        "you",
        "your",
        "his",
        "her",
        "their",
        "they",
        "there",
        "then",
        "than",
        "into",
        "onto",
        "over",
        "what",
        "which",
        "who",
        "whom",
        "how",
        "when",
        "where",
        "why",
        "all",
        "any",
        "can",
        "could",
        "should",
        "would",
        "will",
        "may",
        "might",
        "must",
        "yes",
    ]
)
MANY = 60  # numbers seen, beyond which nearly every number is a sum or a product of two of them
LONG = 8  # words of a text, beyond which it is written in the agent's own words
CLOSE = 1e-6  # relative


def tokens(text: str) -> frozenset[str]:
    """The numbers and the words of a text, in a form in which they can be found again.

    >>> sorted(tokens("Order A17: total 1,083.20 USD"))
    ['1083.2', 'a17', 'order', 'total', 'usd']
    """
    numbers = {f"{value:g}" if abs(value) < 1e6 else repr(value) for value in numbers_in(text)}
    words = {word.strip(".-").lower() for word in _WORD.findall(text)}
    return frozenset(numbers | {word for word in words - _COMMON if not _NUMBER.fullmatch(word)})


def numbers_in(text: str) -> list[float]:
    """The numbers in a text.

    >>> numbers_in("from 1,000 to 2.5, on A17")
    [1000.0, 2.5]
    """
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text)]


def leaves(value: object) -> Iterator[object]:
    """The single values in a nested one."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def tokens_of(values: Iterable[object]) -> frozenset[str]:
    """The tokens of all single values in these."""
    return frozenset().union(*(tokens(str(leaf)) for value in values for leaf in leaves(to_plain(value))))


@dataclass(slots=True)
class Seen:
    """What an agent has read until now."""

    words: set[str] = field(default_factory=set)
    numbers: set[float] = field(default_factory=set)

    def add(self, text: str) -> None:
        """It has read this."""
        self.words |= tokens(text)
        self.numbers |= set(numbers_in(text))

    def has_number(self, number: float) -> bool:
        """Whether a number was read, or is one step of arithmetic from two that were, or from one and a percentage."""
        if any(_close(number, one) for one in self.numbers):
            return True
        if len(self.numbers) > MANY:
            return False
        return any(
            _close(number, made) for a, b in combinations(sorted(self.numbers), 2) for made in _made(a, b)
        )

    def unsupported(self, value: object, most: int = LONG) -> str:
        """The first part of a value that rests on nothing read; "" where all of it does.

        Yes and no, and what stands for them, rest on anything. A text of more than `most` words is in the agent's own
        words: of that only the numbers are looked at.
        """
        for leaf in leaves(to_plain(value)):
            text = "" if leaf is None or isinstance(leaf, bool) else str(leaf)
            missing = [n for n in numbers_in(text) if not self.has_number(n)]
            if missing:
                return f"{missing[0]:g}"
            words = [word for word in tokens(text) if not _NUMBER.fullmatch(word)]
            known = sum(word in self.words for word in words)
            if 0 < len(words) <= most and known * 2 < len(words) and text.lower() not in VERDICTS:
                return next(word for word in sorted(words) if word not in self.words)
        return ""


VERDICTS = frozenset({"yes", "no", "true", "false", "none", "unknown", "pass", "fail"})


def _made(a: float, b: float) -> Iterator[float]:
    """What one step of arithmetic makes of two numbers."""
    yield from (a + b, a - b, b - a, a * b, a * b / 100)
    if b:
        yield a / b
    if a:
        yield b / a


def _close(given: float, made: float) -> bool:
    """Whether a number is another one, or that one rounded to as many places as people write."""
    return abs(given - made) <= CLOSE * abs(made) or any(round(made, places) == given for places in (0, 1, 2))
