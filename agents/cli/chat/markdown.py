"""Markdown as lines for a terminal, with nothing in it that could steer one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES = {"markdown.code": "bold cyan", "markdown.code_block": "cyan"}  # rich's are on black


def rendered(text: str, console: Console) -> Text:
    """A text as Markdown, as wide as the console, without empty lines around it.

    Tags and comments are shown as they were written, and links with their addresses.
    """
    from markdown_it import MarkdownIt
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.text import Text
    from rich.theme import Theme

    as_told = MarkdownIt("commonmark", {"html": False})
    markdown = Markdown(text, hyperlinks=False, code_theme=code_theme(os.environ))
    markdown.parsed = as_told.enable("strikethrough").enable("table").parse(text)
    written = StringIO()
    aside = Console(
        file=written,
        width=console.width,
        force_terminal=True,
        color_system=console.color_system or "standard",  # type: ignore[arg-type]  # a name that it has itself
        highlight=False,
        theme=Theme(_STYLES),
    )
    aside.print(markdown)
    shown = [Text.from_ansi(line) for line in written.getvalue().splitlines()]
    while shown and not shown[0].plain.strip():
        del shown[0]
    while shown and not shown[-1].plain.strip():
        del shown[-1]
    return Text("\n").join(shown)


def code_theme(env: Mapping[str, str]) -> str:
    """Colours for code that can be read on the terminal's background, where it says which that is.

    >>> code_theme({"COLORFGBG": "0;15"}), code_theme({})
    ('ansi_light', 'ansi_dark')
    """
    return "ansi_light" if env.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else "ansi_dark"
