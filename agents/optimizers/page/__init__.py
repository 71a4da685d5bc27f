"""The page of a compile: one file that works offline, in a browser that lets nothing in or out of it.

It shares style sheet, plots and rules with the page of an evaluation, and has no script at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError
from ...evaluation.reports import page as evaluation_page
from ...evaluation.reports.page.shell import allowed, part, template, write_html
from ...text import one_line
from .view import view

_POLICY = "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'"


def write_page(report: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page of a report, whole or not at all; returns its path.

    `report` is a `Report.to_json()`, and beside it what is known of `name`, `file`, `model` and `out`.
    """
    return write_html(Path(path), page_html(report))


def page_html(report: Mapping[str, Any]) -> str:
    """The page as text; raises `ConfigurationError` for what is no whole report of a compile."""
    from jinja2 import UndefinedError
    from markupsafe import Markup

    style = part(evaluation_page.__name__, "page.css") + part(__name__, "page.css")
    try:
        return template(part(__name__, "page.html")).render(
            view(report),
            policy=_POLICY.format(style=allowed(style)),
            style=Markup(style),  # noqa: S704  # two files of this package
        )
    except (KeyError, TypeError, ValueError, AttributeError, UndefinedError) as error:
        what = f"{type(error).__name__}: {one_line(str(error))}"
        raise ConfigurationError(f"this is no whole report of an optimizer ({what})") from error
