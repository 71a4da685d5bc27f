"""Paths into a world: `orders.17.status`, and patterns of them: `orders.*`, `*.updated_at`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from ..errors import WorldError

Key = str | int
Path = tuple[Key, ...]
"""Where something is in a world, from the top: the keys of mappings, the places in lists."""

PathLike = str | Sequence[Key]

MAX_PATH = 1_000  # characters of a path as text

_STEP = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^."]+))(?P<end>\.|$)')
_PLAIN = re.compile(r'[^."*?\[\]\s]+')


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path or of a pattern; `wild` where its `*` stand for something."""

    text: str
    wild: bool = False

    def fits(self, key: Key) -> bool:
        """Whether the key is meant."""
        if not self.wild:
            return str(key) == self.text
        return self.text == "*" or fnmatchcase(str(key), re.sub(r"[\[?]", r"[\g<0>]", self.text))


@lru_cache(maxsize=4096)
def parts_of(text: str) -> tuple[Step, ...]:
    """The steps of a path or a pattern; raises `WorldError` where the text is neither."""
    if len(text) > MAX_PATH:
        raise WorldError(f"{text[:40]}… is too long for a path")
    made: list[Step] = []
    place = 0
    while True:
        found = _STEP.match(text, place)
        if found is None:
            raise WorldError(
                f"{text[:80]!r} is no path: write keys with dots between them, as in orders.17.status, "
                'and a key that has dots in quotes: users."a@b.c"'
            )
        if found["quoted"] is None:
            made.append(Step(found["plain"].strip(), "*" in found["plain"]))
        else:
            made.append(Step(str(json.loads(f'"{found["quoted"]}"', strict=False))))
        place = found.end()
        if not found["end"]:
            return tuple(made)


def steps_of(path: PathLike) -> Path:
    """A path as its keys; raises `WorldError` for a text that is none, and for a pattern.

    >>> steps_of('users."a@b.c".orders.17')
    ('users', 'a@b.c', 'orders', '17')
    """
    if not isinstance(path, str):
        return tuple(path)
    steps = parts_of(path)
    if any(step.wild for step in steps):
        raise WorldError(f"{path} is a pattern of several paths, where one is wanted")
    return tuple(step.text for step in steps)


def dotted(path: Iterable[Key]) -> str:
    """Keys as the text of a path; what `steps_of` reads back.

    >>> dotted(("users", "a@b.c", 17))
    'users."a@b.c".17'
    """
    return ".".join(
        text if _PLAIN.fullmatch(text := str(key)) else json.dumps(text, ensure_ascii=False) for key in path
    )


def is_pattern(path: str) -> bool:
    """Whether a text stands for several paths.

    >>> is_pattern("orders.*.status"), is_pattern("orders.17")
    (True, False)
    """
    return any(step.wild for step in parts_of(path))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Paths by a text with `*` in it; a `*` stands for one key, or for part of one (`tmp_*`).

    At the start, before a dot, it stands for any way down: `*.updated_at` is found at every depth.

    >>> Pattern.of("orders.*").covers(("orders", 17, "status")), Pattern.of("*.at").covers(("a", "b", "at"))
    (True, True)
    """

    text: str
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern; raises `WorldError` where it is no path."""
        return cls(text, parts_of(text))

    @property
    def path(self) -> Path:
        """The one path that it is, where nothing in it is wild."""
        return tuple(step.text for step in self.steps)

    @property
    def anywhere(self) -> bool:
        """Whether it is found at every depth."""
        return len(self.steps) > 1 and self.steps[0].wild and self.steps[0].text == "*"

    def fits(self, path: Sequence[Key]) -> bool:
        """Whether it is a pattern of this path."""
        if self.anywhere:
            rest = self.steps[1:]
            return len(path) > len(rest) and _fit(rest, path[-len(rest) :])
        return len(path) == len(self.steps) and _fit(self.steps, path)

    def covers(self, path: Sequence[Key]) -> bool:
        """Whether it is a pattern of this path, or of one above it."""
        if self.anywhere:
            rest = self.steps[1:]
            starts = range(1, len(path) - len(rest) + 1)
            return any(_fit(rest, path[start : start + len(rest)]) for start in starts)
        return len(path) >= len(self.steps) and _fit(self.steps, path[: len(self.steps)])


def _fit(steps: Sequence[Step], path: Sequence[Key]) -> bool:
    return all(step.fits(key) for step, key in zip(steps, path, strict=True))


@dataclass(frozen=True, slots=True)
class Selection:
    """Parts of a world by a list of patterns; one that starts with `!` takes away again what it covers.

    The last that covers a path decides.

    >>> chosen = Selection.of(["orders", "!orders.17"])
    >>> chosen.covers(("orders", 4, "status")), chosen.covers(("orders", 17, "status"))
    (True, False)
    """

    rules: tuple[tuple[bool, Pattern], ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Selection:
        """Read the patterns; raises `WorldError` where one is no path."""
        return cls(tuple((not text.startswith("!"), Pattern.of(text.removeprefix("!"))) for text in texts))

    def covers(self, path: Sequence[Key]) -> bool:
        """Whether the path is in a part that is meant."""
        return next((chosen for chosen, rule in reversed(self.rules) if rule.covers(path)), False)
