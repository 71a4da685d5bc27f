"""The page of a compile: one file that works offline, in a browser that lets nothing in or out of it.

It shares style sheet, plots and rules with the page of an evaluation, and has no script at all.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError
from ...evaluation.reports import page as evaluation_page
from ...evaluation.reports.page.view import shown
from ...text import one_line
from .view import view

_POLICY = "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'"


def write_page(report: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page of a report, whole or not at all; returns its path.

    `report` is a `Report.to_json()`, and beside it what is known of `name`, `file`, `model` and `out`.
    """
    target = Path(path)
    text = page_html(report)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{threading.get_ident()}.partial")
    try:
        # half a character is shown by its number: a file of UTF-8 can't hold it
        partial.write_bytes(text.encode("utf-8", "replace"))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def page_html(report: Mapping[str, Any]) -> str:
    """The page as text; raises `ConfigurationError` for what is no whole report of a compile."""
    from jinja2 import Environment, StrictUndefined, UndefinedError, select_autoescape
    from markupsafe import Markup

    style = _part(evaluation_page.__name__, "page.css") + _part(__name__, "page.css")
    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    template = environment.from_string(_part(__name__, "page.html"))
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    try:
        return template.render(
            view(report),
            policy=_POLICY.format(style=f"'sha256-{hashed}'"),
            style=Markup(style),  # noqa: S704  # two files of this package
        )
    except (KeyError, TypeError, ValueError, AttributeError, UndefinedError) as error:
        what = f"{type(error).__name__}: {one_line(str(error))}"
        raise ConfigurationError(f"this is no whole report of an optimizer ({what})") from error


def _part(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8").replace("\r\n", "\n")
