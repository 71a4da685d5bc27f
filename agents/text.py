"""Text for people: what a model or a tool wrote, made harmless for a terminal and short enough to read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

from loopwright.tools.calls import ToolCall

LINE = 300  # characters of a call on one line
PROGRAM = 4_000  # characters of a program that are shown
MAX_READ = 20_000  # characters of an answer that are looked at
ARTICLES = frozenset({"a", "an", "the"})
AROUND = ".,;:!?\"'`´‘’“”„«»()[]{}…*_"  # punctuation beside a word

# C0 and C1 controls but tab and newline, and the marks that change the direction of text: what a model
# or a tool wrote must not move the cursor, recolour the screen or reorder a line.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    r"""Text from a model or a tool, with its control characters made visible.

    >>> plain("\x1b[31mred")
    '␛[31mred'
    """
    return CONTROLS.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"<{code:04X}>"


def counted(number: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "tool"), counted(2_000, "tool")
    ('1 tool', '2,000 tools')
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def one_line(text: str, width: int = 160) -> str:
    r"""The text as one harmless line of at most `width` characters.

    >>> one_line("two\n  lines", 8), one_line("a" * 12, 8)
    ('two ⏎ l…', 'aaaaaaa…')
    """
    # Cut before the whole is searched: it may be megabytes.
    joined = " ⏎ ".join(part for line in text[: 4 * width].splitlines() if (part := line.strip()))
    shown = plain(joined.replace("\t", " "))
    return shown if len(shown) <= width and len(text) <= 4 * width else shown[: width - 1] + "…"


def call_text(call: ToolCall) -> str:
    r"""A tool call as a person reads it: on one line, or as the program that is its only argument.

    >>> call_text(ToolCall("python", {"code": "a = 1\nprint(a)"}))
    'python\n    a = 1\n    print(a)'
    """
    values = list(call.args.values())
    if len(values) == 1 and isinstance(values[0], str) and "\n" in values[0]:
        shown = values[0] if len(values[0]) <= PROGRAM else f"{values[0][:PROGRAM]}…"
        return "\n".join([call.name, *(f"    {plain(line)}" for line in shown.splitlines())])
    return one_line(str(call), LINE)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to "there is no …", with the nearest known word; empty when none is near.

    >>> did_you_mean("requird", ["required", "order"])
    "; did you mean 'required'?"
    """
    near = get_close_matches(word[:80], list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def words(text: str) -> list[str]:
    """A text's words, normalised: no case, no punctuation around them, no articles.

    >>> words("The “Mona Lisa”, by Leonardo."), words("A"), words("-1.5 °C")
    (['mona', 'lisa', 'by', 'leonardo'], ['a'], ['-1.5', '°c'])
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_READ]).casefold().split()
    bare = [word for token in folded if (word := token.strip(AROUND))]
    return [word for word in bare if word not in ARTICLES] or bare
