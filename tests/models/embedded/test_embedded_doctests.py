from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "loopwright.models.embedded",
    "loopwright.models.embedded.forms",
    "loopwright.models.embedded.grammar",
    "loopwright.models.embedded.json_prefix",
    "loopwright.models.embedded.template",
    "examples.train_embedded.evaluate",
    "examples.train_embedded.families.asking",
    "examples.train_embedded.families.problem",
    "examples.train_embedded.phrasing",
    "examples.train_embedded.programs",
    "examples.train_embedded.simulation",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
