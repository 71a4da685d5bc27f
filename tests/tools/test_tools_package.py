from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import loopwright.tools

MODULES = [module.name for module in pkgutil.walk_packages(loopwright.tools.__path__, "loopwright.tools.")]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_is_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    "name", sorted({*loopwright.tools.__all__} - {"Effect", "ErrorKind"})
)  # two sets of words
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(loopwright.tools, name).__doc__


def test_the_import_is_light() -> None:
    heavy = "pydantic sympy pint ddgs httpx httpcore lxml numpy bm25s json_repair"
    code = f"import sys, loopwright.tools; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['pydantic']")  # pydantic alone: loopwright itself may want it
