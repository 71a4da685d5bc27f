"""Every exception of the tools.

    ValueError
    ├── ToolDefinitionError    a function can't be made into a tool as it stands
    ├── ToolLookupError        no tool where one was asked for
    ├── ArgumentsError         arguments that do not fit a tool's parameters
    └── DocumentsError         documents that can't be read
    Exception
    └── ToolFailed             raised by a tool: exact words for the model
        ├── ModelRetry         the same, asking for another try
        └── WorldError         what a tool asked of its world is not there, or can't be done

The first four are for a person. What goes wrong while a tool runs never leaves `Tool.run` as an
exception: it is a `ToolResult` with an error kind.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ToolDefinitionError(ValueError):
    """A function can't be made into a tool as it stands; the text says what to change."""


class ToolLookupError(ValueError):
    """There is no tool where one was asked for; the text says what there is."""


class ArgumentsError(ValueError):
    """Arguments do not fit a tool's parameters; the text names the parameter and what is wanted."""


class DocumentsError(ValueError):
    """Documents can't be read; the text names the file and the line."""


class ToolFailed(Exception):  # noqa: N818 - a tool says "it failed", which reads as a sentence where it is raised
    """Raised inside a tool to tell the model, in exactly these words, what went wrong.

    >>> from loopwright.tools import Tool, ToolCall
    >>> def refund(order_id: int) -> str:
    ...     raise ToolFailed("order 17 is already refunded")
    >>> Tool(refund).run(ToolCall("refund", {"order_id": 17})).content
    'Error: order 17 is already refunded'
    """


class ModelRetry(ToolFailed):
    """Raised inside a tool to ask the model, in exactly these words, to call again in another way."""


class WorldError(ToolFailed):
    """What was asked of a world is not there or can't be done; the text says what there is."""


def with_article(noun: str) -> str:
    """A noun with its article.

    >>> with_article("int"), with_article("dict")
    ('an int', 'a dict')
    """
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, None when none is like it.

    >>> nearest("calcuate", ["calculate", "convert_units"])
    'calculate'
    """
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word[:80].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
