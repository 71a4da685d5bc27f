"""What a docstring says of a function and of its parameters (Google, NumPy or reST)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

_REST = re.compile(r"^\s*:param\b", re.MULTILINE)
_NUMPY = re.compile(r"^\s*(?:Other )?Parameters\s*\n\s*-{3,}\s*$", re.MULTILINE)
_GOOGLE = re.compile(
    r"^\s*(?:Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments)\s*:\s*$", re.MULTILINE
)
_SECTION = re.compile(
    r"^(?:Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters|Returns?|Yields?"
    r"|Raises|Attributes|Examples?|Notes?|References|See Also|Warnings?|Todo)\s*(?::\s*$|\n-{3,}\s*$)"
    r"|^:(?:param|returns?|rtype|raises?|type)\b",
    re.MULTILINE,
)
_DOCTEST = re.compile(r"^[ \t]*>>> .*(?:\n(?![ \t]*$).*)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Description:
    """A function's own description, and its parameters' by name."""

    text: str
    parameters: Mapping[str, str]


def read_docstring(doc: str | None) -> Description:
    """Read a docstring's description and parameters; examples and other sections are left out.

    >>> read_docstring('''Look an order up.
    ...
    ...     Args:
    ...         order_id: The number on the receipt.
    ... ''')
    Description(text='Look an order up.', parameters={'order_id': 'The number on the receipt.'})
    """
    clean = inspect.cleandoc(doc or "")
    style = _style(clean)
    return Description(_text(clean), {} if not style else _parameters(clean, style))


def _style(doc: str) -> str:
    """The name that `docstring_parser` has for the form in which parameters are described; "" where none are."""
    if _REST.search(doc):
        return "REST"
    if _NUMPY.search(doc):
        return "NUMPYDOC"
    return "GOOGLE" if _GOOGLE.search(doc) else ""


def _text(doc: str) -> str:
    section = _SECTION.search(doc)
    text = doc[: section.start()] if section else doc
    return re.sub(r"\n{3,}", "\n\n", _DOCTEST.sub("", text)).strip()


def _parameters(doc: str, style: str) -> dict[str, str]:
    from docstring_parser import DocstringStyle, ParseError, parse

    try:
        parsed = parse(doc, DocstringStyle[style])
    except ParseError:
        return {}  # a docstring is prose: a malformed section costs the descriptions, not the tool
    found: dict[str, str] = {}
    for parameter in parsed.params:
        text = " ".join((parameter.description or "").split())
        for name in parameter.arg_name.split(","):
            if text:
                found[name.strip().lstrip("*")] = text
    return found
