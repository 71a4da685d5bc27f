"""Names of a package that are loaded at their first use (PEP 562), so that importing the package costs little."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """A `__getattr__` for a package whose names are at home in these modules of its own.

    A name is looked up once: after that it is an attribute of the package like any other.

    >>> load = names_of("loopwright", {"Limits": "modules"})
    >>> load("Limits").__name__
    'Limits'
    """

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        value: object = getattr(import_module(f".{homes[name]}", package), name)
        vars(sys.modules[package])[name] = value
        return value

    return load
