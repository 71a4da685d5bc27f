"""Every module can be imported on its own name, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import os
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import loopwright

RUNS_ON_IMPORT = {"loopwright.__main__"}  # `python -m loopwright`


FOUND = [found.name for found in pkgutil.walk_packages(loopwright.__path__, "loopwright.")]
MODULES = ["loopwright", *(name for name in FOUND if name not in RUNS_ON_IMPORT)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert list(tmp_path.iterdir()) == [], "an example leaves files behind"


def test_no_module_is_left_out() -> None:
    names = set()
    for folder, below, files in os.walk(loopwright.__path__[0], followlinks=True):
        below[:] = [name for name in below if name != "__pycache__"]
        parts = Path(folder).relative_to(loopwright.__path__[0]).parts
        names |= {".".join(("loopwright", *parts, file[:-3])) for file in files if file.endswith(".py")}
    assert set(MODULES) | RUNS_ON_IMPORT == {name.removesuffix(".__init__") for name in names}
