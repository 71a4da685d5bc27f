"""What the model may write next: a call of a listed tool with arguments of the listed types.

The grammar keeps the output well-formed and leaves every choice to the model: which tool, which
arguments, which values, when to stop. It reads characters, so it does not depend on how a tokenizer
cuts them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .json_prefix import is_json, starts_json
from .template import Argument

_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_NUMBER_START = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?)?")
_WHOLE_START = re.compile(r"-?(0|[1-9]\d*)?")
_DATE_SHAPE = " 0000-00-00"
_LONGEST_NUMBER = 30


def may_start(argument: Argument, text: str) -> bool:
    """Whether the text can grow into a value of the argument.

    >>> may_start(Argument("n", "int", True), "-12"), may_start(Argument("n", "int", True), "1.5")
    (True, False)
    """
    if argument.options:
        return any(written.startswith(text) for written in _written_options(argument))
    if argument.kind == "str":
        return text.startswith(" ")
    if argument.kind == "date":
        return _has_date_shape(text)
    if argument.kind in ("int", "num"):
        pattern = _WHOLE_START if argument.kind == "int" else _NUMBER_START
        return len(text) <= _LONGEST_NUMBER and pattern.fullmatch(text) is not None
    if argument.kind == "bool":
        return "true".startswith(text) or "false".startswith(text)
    return starts_json(text, argument.kind) or (argument.kind == "any" and text.startswith(" "))


def is_complete(argument: Argument, text: str) -> bool:
    """Whether the text is a value of the argument as it stands."""
    if argument.options:
        return text in _written_options(argument)
    if argument.kind == "str":
        return text.startswith(" ")
    if argument.kind == "date":
        return len(text) == len(_DATE_SHAPE) and _has_date_shape(text)
    if argument.kind in ("int", "num"):
        return (_WHOLE if argument.kind == "int" else _NUMBER).fullmatch(text) is not None
    if argument.kind == "bool":
        return text in ("true", "false")
    return is_json(text, argument.kind) or (argument.kind == "any" and text.startswith(" "))


def _written_options(argument: Argument) -> tuple[str, ...]:
    return tuple(f" {option}" for option in argument.options) if argument.is_text else argument.options


def _has_date_shape(text: str) -> bool:
    if len(text) > len(_DATE_SHAPE):
        return False
    return all(
        c.isascii() and c.isdigit() if wanted == "0" else c == wanted
        for c, wanted in zip(text, _DATE_SHAPE, strict=False)
    )


@dataclass(frozen=True, slots=True)
class Call:
    """A call as far as it is written. Every change makes a new one.

    `tool` is the text of the tool's name while `at` is "tool"; then `done` holds the finished
    arguments, `text` the name or the value being written, as `at` says.
    """

    tools: dict[str, tuple[Argument, ...]]
    tool: str = ""
    at: str = "tool"
    done: tuple[tuple[str, str], ...] = ()
    argument: Argument | None = None
    text: str = ""

    @property
    def _open(self) -> tuple[Argument, ...]:
        """Arguments of the tool that are not yet written."""
        taken = {name for name, _ in self.done} | ({self.argument.name} if self.argument else set())
        return tuple(each for each in self.tools.get(self.tool, ()) if each.name not in taken)

    @property
    def _at_seam(self) -> bool:
        """Whether what is being written may end here."""
        if self.at == "tool":
            return self.tool in self.tools
        return self.argument is not None and is_complete(self.argument, self.text)

    @property
    def may_go_on(self) -> bool:
        """Whether another argument may begin."""
        return self._at_seam and bool(self._open)

    @property
    def may_end(self) -> bool:
        """Whether the call is complete."""
        return self._at_seam and not any(each.required for each in self._open)

    def next_argument(self) -> Call:
        """Begin another argument."""
        done = self.done if self.argument is None else (*self.done, (self.argument.name, self.text))
        return replace(self, at="argument", done=done, argument=None, text="")

    def write(self, text: str) -> Call | None:
        """The call with more text, or None where that can't become a call."""
        if self.at == "tool":
            name = self.tool + text
            return replace(self, tool=name) if any(each.startswith(name) for each in self.tools) else None
        if self.at == "argument":
            return self._write_name(self.text + text)
        if self.argument is not None and may_start(self.argument, self.text + text):
            return replace(self, text=self.text + text)
        return None

    def _write_name(self, text: str) -> Call | None:
        name, equals, value = text.partition("=")
        if not equals:
            return (
                replace(self, text=text) if any(each.name.startswith(name) for each in self._open) else None
            )
        argument = next((each for each in self._open if each.name == name), None)
        if argument is None or (value and not may_start(argument, value)):
            return None
        return replace(self, at="value", argument=argument, text=value)

    @property
    def forced(self) -> str:
        """The text that must come next, where there is only one: the rest of the only possible name."""
        if self.at == "tool":
            return _only_rest(self.tool, list(self.tools))
        if self.at == "argument":
            return _only_rest(self.text, [f"{each.name}=" for each in self._open])
        return ""

    def finished(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The tool's name and its arguments as they were written."""
        last = () if self.argument is None else ((self.argument.name, self.text),)
        return self.tool, (*self.done, *last)


def _only_rest(text: str, names: Sequence[str]) -> str:
    possible = [name for name in names if name.startswith(text)]
    return possible[0][len(text) :] if len(possible) == 1 else ""
