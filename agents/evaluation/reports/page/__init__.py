"""The page of a report: one file that works offline, in a browser that lets nothing in or out of it.

write_page     the file      view   what the template shows      plots   SVG      payload   the trials inside
shell          what the pages of other things are made with too

The page holds no address of anything outside it, and its Content-Security-Policy forbids requests and every
script and style but its own two, by their hashes. What a model or a tool wrote is only ever set as text, with
control characters made visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....errors import ConfigurationError
from ....text import one_line
from ..report import Report
from .payload import payload
from .shell import allowed, part, template, write_html
from .view import view

FILE = "report.html"
SCRIPTS = ("text.js", "trial.js", "table.js", "panel.js")

# `require-trusted-types-for`: the page's own script could not make markup of a text by mistake either.
_POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)


def write_page(
    report: Report | Mapping[str, Any], path: str | Path, comparison: Mapping[str, Any] | None = None
) -> Path:
    """Write the page of a report, whole or not at all; returns its path.

    `report` is a `Report`, or what `report.json` holds. `comparison` is that with a baseline, as JSON's
    own types (`Comparison.as_json`); what `report.json` holds of one is shown without it. A folder gets a file
    `report.html`, and is made if need be.
    """
    target = Path(path)
    if target.is_dir() or not target.suffix:
        target = target / FILE
    return write_html(target, page_html(report, comparison))


def page_html(report: Report | Mapping[str, Any], comparison: Mapping[str, Any] | None = None) -> str:
    """The page as text; raises `ConfigurationError` where a report that was read from a file is no whole one."""
    from jinja2 import UndefinedError

    if isinstance(report, Report):
        return _rendered(report.as_json(), comparison)
    try:
        return _rendered(report, comparison or report.get("comparison"))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, UndefinedError) as error:
        what = f"{type(error).__name__}: {one_line(str(error))}"
        raise ConfigurationError(f"this is no whole report of an evaluation ({what})") from error


def _rendered(report: Mapping[str, Any], comparison: Mapping[str, Any] | None) -> str:
    from markupsafe import Markup

    style, script = part(__name__, "page.css"), "\n".join(part(__name__, name) for name in SCRIPTS)
    embedded = payload(report, comparison)
    return template(part(__name__, "page.html")).render(
        view(report, comparison, cut_at=embedded.cut_at),
        policy=_POLICY.format(script=allowed(script), style=allowed(style)),
        style=Markup(style),  # noqa: S704  # a file of this package
        script=Markup(script),  # noqa: S704  # as above
        blocks=[
            {"name": block.name, "packed": block.packed, "text": Markup(block.text)}  # noqa: S704  # JSON without <, or base64
            for block in embedded.blocks
        ],
    )
