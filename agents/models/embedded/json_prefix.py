"""Whether a text is the beginning of a JSON value, read character by character."""

from __future__ import annotations

import json
import re

_SCALAR = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null")
_SCALAR_START = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|(0|[1-9]\d*)(\.\d+)?[eE][+-]?\d*)?")
_WORDS = ("true", "false", "null")
_FIRST = {"list": "[", "obj": "{"}


def is_json(text: str, kind: str = "any") -> bool:
    """Whether the text is a whole JSON value, a list or an object where `kind` is `list` or `obj`.

    >>> is_json('[1, "a"]', "list"), is_json("[1", "list")
    (True, False)
    """
    if kind in _FIRST and not text.startswith(_FIRST[kind]):
        return False
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(word: str) -> object:
    raise ValueError(word)


def starts_json(text: str, kind: str = "any") -> bool:
    """Whether the text can grow into a JSON value of the kind.

    >>> starts_json('{"a": [1, tr'), starts_json("[1 2")
    (True, False)
    """
    if not text:
        return True
    if kind in _FIRST and text[0] != _FIRST[kind]:
        return False
    return _Reader(text).read()


class _Reader:
    """A pushdown reader: `closing` holds the brackets that are open, `want` what may come next.

    `want` is value, first (a value or the end of a list), key, first key (or the end of an object),
    colon, or after (a comma or a closing bracket; nothing but blanks at the top).
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.closing: list[str] = []
        self.want = "value"

    def read(self) -> bool:
        while self.at < len(self.text):
            if self.text[self.at] in " \n\t\r":
                self.at += 1
            elif not self._step(self.text[self.at]):
                return False
        return True

    def _step(self, char: str) -> bool:
        if self.closing and char == self.closing[-1] and self.want in ("after", "first", "first key"):
            self.closing.pop()
            self.want, self.at = "after", self.at + 1
            return True
        if self.want == "after":
            return self._separator(char)
        if self.want == "colon":
            self.want, self.at = "value", self.at + 1
            return char == ":"
        if self.want in ("key", "first key"):
            return char == '"' and self._string("colon")
        return self._value(char)

    def _separator(self, char: str) -> bool:
        if char != "," or not self.closing:
            return False
        self.want, self.at = "key" if self.closing[-1] == "}" else "value", self.at + 1
        return True

    def _value(self, char: str) -> bool:
        if char in "[{":
            self.closing.append("]" if char == "[" else "}")
            self.want, self.at = "first" if char == "[" else "first key", self.at + 1
            return True
        if char == '"':
            return self._string("after")
        end = next(
            (i for i in range(self.at, len(self.text)) if self.text[i] in ",]} \n\t\r"), len(self.text)
        )
        scalar, self.at, self.want = self.text[self.at : end], end, "after"
        if end < len(self.text):
            return _SCALAR.fullmatch(scalar) is not None
        return _SCALAR_START.fullmatch(scalar) is not None or any(word.startswith(scalar) for word in _WORDS)

    def _string(self, want: str) -> bool:
        """Read a string that begins here; one that the text cuts off is fine."""
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char < " ":
                return False
            if char == '"':
                self.at, self.want = self.at + 1, want
                return True
            if char != "\\":
                self.at += 1
                continue
            if not self._escape():
                return False
        return True

    def _escape(self) -> bool:
        escaped = self.text[self.at + 1 : self.at + 2]
        digits = self.text[self.at + 2 : self.at + 6] if escaped == "u" else ""
        self.at += 2 + len(digits)
        if digits and len(digits) < 4 and self.at < len(self.text):
            return False
        return (not escaped or escaped in '"\\/bfnrtu') and all(c in "0123456789abcdefABCDEF" for c in digits)
