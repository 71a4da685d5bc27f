"""Which field of an answer a piece of text belongs to, told while the answer is being written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_MARKER = re.compile(r"\[\[ ## (\w+) ## \]\]\n?")
_LONGEST = 80  # characters of text at the end that may yet turn out to be a marker

Piece = tuple[str, str]  # field, text


class FieldTokens:
    r"""Splits an answer that comes in pieces into text by field.

    It reads the two forms that adapters ask for: `[[ ## name ## ]]` before each field, and one JSON object. Text
    before the first field, and answers in no such form, belong to the field "". A value in JSON that is no string
    comes as its JSON.

    >>> tokens = FieldTokens()
    >>> [*tokens.feed("[[ ## answer ##"), *tokens.feed(" ]]\nPar"), *tokens.feed("is"), *tokens.end()]
    [('answer', 'Par'), ('answer', 'is')]
    >>> tokens = FieldTokens()
    >>> [*tokens.feed('{"answer": "Par'), *tokens.feed('is"}'), *tokens.end()]
    [('answer', 'Par'), ('answer', 'is')]
    """

    def __init__(self) -> None:
        self._reader: _Marked | _Json | None = None
        self._start = ""

    def feed(self, text: str) -> Iterator[Piece]:
        """What a new piece adds to which field."""
        if self._reader is None:
            self._start += text
            found = self._start.lstrip()
            if not found:
                return
            self._reader = _Json() if found[0] == "{" else _Marked()
            text = self._start
        yield from self._reader.feed(text)

    def end(self) -> Iterator[Piece]:
        """What was held back, once the answer is whole."""
        if self._reader is not None:
            yield from self._reader.end()


class _Marked:
    def __init__(self) -> None:
        self._field = ""
        self._held = ""

    def feed(self, text: str) -> Iterator[Piece]:
        self._held += text
        while (marker := _MARKER.search(self._held)) is not None and marker.end() < len(self._held):
            yield from self._out(self._held[: marker.start()].rstrip("\n"))
            self._field = marker[1]
            self._held = self._held[marker.end() :]
        safe = self._safe()
        ready, self._held = self._held[:safe], self._held[safe:]
        yield from self._out(ready)

    def _safe(self) -> int:
        """How much of what is held can't be the beginning of a marker, or of the line break before one."""
        start = self._held.rfind("[[", max(0, len(self._held) - _LONGEST))
        end = start if start >= 0 else len(self._held) - self._held.endswith("[")
        return len(self._held[:end].rstrip("\n"))

    def end(self) -> Iterator[Piece]:
        marker = _MARKER.search(self._held)
        yield from self._out((self._held if marker is None else self._held[: marker.start()]).rstrip("\n"))
        self._held = ""

    def _out(self, text: str) -> Iterator[Piece]:
        if text and self._field != "completed":
            yield self._field, text


class _Json:
    """The values of the outermost object's keys, as they come."""

    def __init__(self) -> None:
        self._field = ""
        self._depth = 0
        self._string = ""  # of a string that is being read: its text so far that was not told, with its quote
        self._inside = False  # a string
        self._escaped = False
        self._key: str | None = None
        self._reads_key = False

    def feed(self, text: str) -> Iterator[Piece]:
        plain = ""
        for sign in text:
            if self._inside:
                yield from self._in_string(sign)
            elif sign == '"':
                self._inside, self._string = True, ""
                self._reads_key = self._depth == 1 and self._key is None
                if self._depth > 1:
                    yield self._field, sign
            else:
                plain = self._structure(sign)
                if plain:
                    yield self._field, plain
        if self._inside and not self._reads_key and self._string and not self._escaped:
            yield from self._told()

    def _in_string(self, sign: str) -> Iterator[Piece]:
        if self._escaped or sign == "\\":
            self._string += sign
            self._escaped = not self._escaped
        elif sign == '"':
            self._inside = False
            if self._reads_key:
                self._field = self._key = _unescaped(self._string)
            else:
                yield from self._told()
                if self._depth > 1:
                    yield self._field, sign
            self._string = ""
        else:
            self._string += sign

    def _told(self) -> Iterator[Piece]:
        """The part of a string that is certain: half an escape waits for its other half."""
        half = re.search(
            r"\\u[0-9a-fA-F]{0,3}$|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?$", self._string
        )
        ready = self._string if half is None or not self._inside else self._string[: half.start()]
        self._string = self._string[len(ready) :]
        if ready:
            yield self._field, ready if self._depth > 1 else _unescaped(ready)

    def _structure(self, sign: str) -> str:
        """A sign outside of strings: what it adds to a value that is no string."""
        opens, closes = sign in "{[", sign in "}]"
        self._depth += opens - closes
        if self._depth == 1 and sign == ",":
            self._key = None
            return ""
        if self._key is None or self._depth == 0 or (self._depth == 1 and (sign == ":" or sign.isspace())):
            return ""
        return sign

    def end(self) -> Iterator[Piece]:
        return iter(())


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
