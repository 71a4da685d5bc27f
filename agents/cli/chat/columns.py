"""Text that fits a terminal: broken between words, cut at its edge, in two columns. Widths are in columns of the terminal."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from ...text import one_line

_WORD = re.compile(r" *[^ ]+")
_LEAST = 12  # columns of a text beside another


def terminal_width() -> int:
    """How much of a line of the terminal is used, all but its last column; 99 where there is none."""
    return max(20, shutil.get_terminal_size((100, 24)).columns - 1)


def wide(text: str) -> int:
    """How many columns a text of one line takes: two for each wide character, none for one that combines.

    >>> wide("abc"), wide("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # the first prompt does not wait for it

    return cell_len(text)


def fitted(text: str, width: int) -> str:
    r"""A text as one harmless line that takes no more columns than this.

    >>> fitted("日本語のテキスト", 9), fitted("two\n lines", 20)
    ('日本語の…', 'two ⏎ lines')
    """
    line = one_line(text, max(width, 1))
    if wide(line) <= width:
        return line
    while line and wide(line) > width - 1:
        line = line[:-1]
    return f"{line}…"


def wrapped(text: str, width: int | None = None, hanging: str | None = None) -> str:
    r"""Text whose lines are broken between words where they are wider than the terminal, or than `width`.

    What goes on in the next line begins below its first word, or after `hanging`. A longer word is left to the terminal.

    >>> wrapped("one two\n  three four five", 12)
    'one two\n  three four\n  five'
    """
    limit = terminal_width() if width is None else width
    return "\n".join(_broken(line, limit, hanging) for line in text.split("\n"))


def _broken(line: str, width: int, hanging: str | None) -> str:
    if wide(line) <= width:
        return line
    indent = " " * min(len(line) - len(line.lstrip(" ")), width // 2) if hanging is None else hanging
    lines, current, taken = [], "", 0
    for word in _WORD.findall(line):
        size = wide(word)
        if current.strip() and taken + size > width:
            lines.append(current)
            current = indent + word.lstrip(" ")
            taken = wide(current)
        else:
            current += word
            taken += size
    return "\n".join([*lines, current])


def in_columns(rows: Sequence[tuple[str, str]], width: int | None = None) -> str:
    r"""Names with what they mean: side by side where there is room, else one below the other.

    >>> print(in_columns([("a", "the first of them"), ("bcd", "the second")], 20))
    a    the first of
         them
    bcd  the second
    """
    limit = terminal_width() if width is None else width
    left = max((wide(name) for name, _ in rows), default=0) + 2
    if limit - left < max(_LEAST, limit // 3):
        return "\n".join(f"{name}\n{wrapped(f'  {meaning}', limit, '  ')}" for name, meaning in rows)
    return "\n".join(
        wrapped(f"{name}{' ' * (left - wide(name))}{meaning}", limit, " " * left) for name, meaning in rows
    )
