"""What a miss is told: the nearest request on record, and where the two part."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

from ...text import one_line
from .file import Entry, numbered

_SHOWN = 160  # characters of each side


def nearest(asked: str, entries: Sequence[Entry], kind: str) -> str:
    """In words: which entry of the kind comes nearest to a request, and the first thing in which it differs."""
    those = [(step, entry) for step, entry in numbered(list(entries)) if entry.kind == kind]
    if not those:
        return f"the record has no {kind} call at all"
    step, best = max(those, key=lambda one: _alike(asked, one[1].request))
    where = f"nearest on record is the one of model call {step} (entry {best.number})"
    if asked == best.request:
        return f"{where}, which is the same and was used already: the program asks more often than it did"
    try:
        return f"{where}; {difference(best.request, asked)}"
    except ValueError:
        return f"{where}, which is damaged"


def difference(recorded: str, asked: str) -> str:
    """The first place in which two requests differ, in words.

    >>> difference('{"a": {"b": 1}}', '{"a": {"b": 2}}')
    'a.b differs: recorded 1, now 2'
    """
    path, before, now = _first(json.loads(recorded), json.loads(asked), "")
    return f"{path or 'it'} differs: recorded {_shown(before, now)}, now {_shown(now, before)}"


def _alike(one: str, other: str) -> float:
    """How much two requests share: the beginning counts, since conversations grow at the end."""
    shared = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return shared + difflib.SequenceMatcher(None, one[-2000:], other[-2000:]).quick_ratio()


def _first(before: Any, now: Any, path: str) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            if before.get(key) != now.get(key):
                return _first(before.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    if isinstance(before, list) and isinstance(now, list):
        for place, (a, b) in enumerate(zip(before, now, strict=False)):
            if a != b:
                return _first(a, b, f"{path}[{place}]")
        place = min(len(before), len(now))
        missing = "nothing"
        return (
            f"{path}[{place}]",
            before[place] if place < len(before) else missing,
            now[place] if place < len(now) else missing,
        )
    return path, before, now


def _shown(value: Any, other: Any) -> str:
    """A value, around the place where it departs from the other."""
    if isinstance(value, str) and isinstance(other, str):
        start = next(
            (i for i, (a, b) in enumerate(zip(value, other, strict=False)) if a != b),
            min(len(value), len(other)),
        )
        if start > _SHOWN // 2:
            value = "…" + value[start - _SHOWN // 2 :]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, _SHOWN) if not isinstance(value, str) else repr(one_line(text, _SHOWN))
