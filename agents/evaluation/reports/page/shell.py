"""What every page of ours is made with: a template, and a policy that lets nothing in or out of the browser."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ....whole_file import write_whole
from .view import shown

if TYPE_CHECKING:
    from jinja2 import Template


def part(package: str, name: str) -> str:
    """The text of a file of a package: a template, a style sheet, a script."""
    return files(package).joinpath(name).read_text("utf-8").replace("\r\n", "\n")


def template(text: str) -> Template:
    """A template that escapes whatever it is given, and fails on a name that it is not given."""
    from jinja2 import Environment, StrictUndefined, select_autoescape

    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment.from_string(text)


def allowed(text: str) -> str:
    """How a Content-Security-Policy names the one style or script that is allowed, by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write_html(path: Path, text: str) -> Path:
    """Write a page, whole or not at all; half a character is shown as a question mark: HTML can't hold it."""
    return write_whole(path, text.encode("utf-8", "replace"))
