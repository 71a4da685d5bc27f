"""The page about the sandbox: its example runs, and its table agrees with the levels."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from loopwright.sandbox import probe

PAGE = Path(__file__).parents[2] / "sandbox" / "README.md"


@pytest.mark.skipif(probe().level == "language", reason="the example runs at the level that is the default")
def test_the_example_of_the_page_runs() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "README.md", "exec"), {})  # noqa: S102 - our own example
    assert printed.getvalue().split() == ["ok", "total", "7", "14"]
