"""Modules: ways of getting a signature's outputs from its inputs.

Names resolve on first use: an agent that calls tools does not load the sandbox.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .chain_of_thought import ChainOfThought as ChainOfThought
    from .code_act import CodeAct as CodeAct
    from .limits import Limits as Limits
    from .predict import Predict as Predict
    from .program_of_thought import ProgramOfThought as ProgramOfThought
    from .react import ReAct as ReAct
    from .retrieve import Retrieve as Retrieve

_HOME_OF = {
    "ChainOfThought": "chain_of_thought",
    "CodeAct": "code_act",
    "Limits": "limits",
    "Predict": "predict",
    "ProgramOfThought": "program_of_thought",
    "ReAct": "react",
    "Retrieve": "retrieve",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
