"""The examples in this part's docstrings run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import loopwright.sandbox
from loopwright.sandbox import probe

MODULES = [
    f"loopwright.sandbox.{module.name}" for module in pkgutil.iter_modules(loopwright.sandbox.__path__)
]


@pytest.mark.skipif(probe().level == "language", reason="the examples run at the level that is the default")
@pytest.mark.parametrize("name", ["loopwright.sandbox", *MODULES])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
