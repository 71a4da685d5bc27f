"""Loading a saved program, as a function."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from .errors import ConfigurationError
from .module import Module
from .state import refuse_pickle

Program = TypeVar("Program", bound=Module)


def load(path: str | Path, program: Program | None = None, allow_pickle: bool = False) -> Program:
    """A copy of the program with what `save` wrote to a file; raises `StateError` where that does not fit.

    A file holds what was learned and no code, so the program must be given; nothing in the file is ever run.

    >>> load("agent.json")
    Traceback (most recent call last):
    loopwright.errors.ConfigurationError: a saved program holds no code: make it as before, and load('agent.json', program)
    """
    refuse_pickle(allow_pickle)
    if program is None:
        raise ConfigurationError(
            f"a saved program holds no code: make it as before, and load({str(path)!r}, program)"
        )
    new = program.deepcopy()
    new.load(path)
    return new
