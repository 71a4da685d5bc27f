"""The chat adapter: each field under a marker line, `[[ ## name ## ]]`. Any chat model can follow it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import OutputError
from ..signature import Field
from .text import TextAdapter
from .values import format_value, parse_text, parse_value

MARKER = re.compile(r"^[ \t]*\[\[[ \t]*##[ \t]*(\w+)[ \t]*##[ \t]*\]\]", re.MULTILINE)
END = "completed"


class ChatAdapter(TextAdapter):
    r"""Fields under markers, after DSPy's chat form (Khattab et al., 2024).

    >>> ChatAdapter().read("[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]")
    {'answer': '4'}
    """

    def write(self, values: Mapping[str, object]) -> str:
        """The fields in order, and the mark that ends an answer."""
        return f"{self.write_inputs(values)}\n\n[[ ## {END} ## ]]"

    def write_inputs(self, values: Mapping[str, object]) -> str:
        """Each field under its marker."""
        return "\n\n".join(f"[[ ## {name} ## ]]\n{format_value(value)}" for name, value in values.items())

    def read(self, text: str) -> dict[str, Any]:
        """The fields of the first answer in the text; a JSON object in their place is read too."""
        sections = split_sections(text)
        if sections:
            return sections
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer:
            return answer
        raise OutputError("there is no [[ ## field ## ]] marker in it")

    def read_field(self, given: Any, field: Field) -> Any:
        """A section's text as a value."""
        return parse_text(given, field) if isinstance(given, str) else parse_value(given, field)


def split_sections(text: str) -> dict[str, Any]:
    r"""Read `[[ ## name ## ]]` sections into a mapping; the first of a name wins, the end mark ends it.

    >>> split_sections("[[ ## year ## ]]\n1969")
    {'year': '1969'}
    """
    marks = list(MARKER.finditer(text))
    sections: dict[str, Any] = {}
    for mark, after in zip(marks, [*marks, None][1:], strict=True):
        if mark[1] == END:
            break
        sections.setdefault(mark[1], text[mark.end() : after.start() if after else len(text)].strip())
    return sections
