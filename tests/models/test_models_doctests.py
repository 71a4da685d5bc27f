"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = """
    models.cache models.catalog models.chat_api models.deadline models.failure_chain models.hosted models.lm
    models.retry models.scripted models.stores utils
""".split()  # noqa: SIM905 (a list that is read as words)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_show_what_happens(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"loopwright.{name}"))

    assert result.attempted > 0
    assert result.failed == 0
