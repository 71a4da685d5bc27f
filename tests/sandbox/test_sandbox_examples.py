"""The examples in this part's docstrings run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import loopwright.sandbox

MODULES = [
    f"loopwright.sandbox.{module.name}" for module in pkgutil.iter_modules(loopwright.sandbox.__path__)
]


@pytest.mark.parametrize("name", ["loopwright.sandbox", *MODULES])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
