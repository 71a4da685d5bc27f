"""Loopwright: agents as ordinary programs.

Signatures say what goes in and what must come out; modules say how; tools act; evaluations measure.
Names resolve on first use, so that importing the package costs next to nothing (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .__about__ import __version__

if TYPE_CHECKING:
    from loopwright.sandbox import PythonInterpreter as PythonInterpreter
    from loopwright.tools import Tool as Tool
    from loopwright.tools import ToolRegistry as ToolRegistry
    from loopwright.tools import tool as tool

    from . import errors as errors
    from . import evaluate as evaluate
    from . import streaming as streaming
    from . import teleprompt as teleprompt
    from . import utils as utils
    from .adapters import Adapter as Adapter
    from .adapters import ChatAdapter as ChatAdapter
    from .adapters import JSONAdapter as JSONAdapter
    from .adapters import NativeAdapter as NativeAdapter
    from .ambient import configure as configure
    from .ambient import context as context
    from .ambient import inspect_history as inspect_history
    from .ambient import settings as settings
    from .bridges import asyncify as asyncify
    from .bridges import syncify as syncify
    from .callbacks import BaseCallback as BaseCallback
    from .code import Code as Code
    from .evaluation import Evaluate as Evaluate
    from .evaluation import TaskFile as TaskFile
    from .example import Completions as Completions
    from .example import Example as Example
    from .example import Prediction as Prediction
    from .history import History as History
    from .models import LM as LM
    from .models import BaseLM as BaseLM
    from .models import configure_cache as configure_cache
    from .module import Module as Module
    from .modules import KNN as KNN
    from .modules import BestOfN as BestOfN
    from .modules import ChainOfThought as ChainOfThought
    from .modules import CodeAct as CodeAct
    from .modules import Ensemble as Ensemble
    from .modules import Limits as Limits
    from .modules import MultiChainComparison as MultiChainComparison
    from .modules import Parallel as Parallel
    from .modules import Predict as Predict
    from .modules import ProgramOfThought as ProgramOfThought
    from .modules import ReAct as ReAct
    from .modules import Refine as Refine
    from .modules import Retrieve as Retrieve
    from .modules import majority as majority
    from .optimizers import COPRO as COPRO
    from .optimizers import GEPA as GEPA
    from .optimizers import SIMBA as SIMBA
    from .optimizers import BootstrapFewShot as BootstrapFewShot
    from .optimizers import BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch
    from .optimizers import BootstrapRS as BootstrapRS
    from .optimizers import BootstrapTrajectories as BootstrapTrajectories
    from .optimizers import KNNFewShot as KNNFewShot
    from .optimizers import LabeledFewShot as LabeledFewShot
    from .optimizers import MIPROv2 as MIPROv2
    from .runtime import streamify as streamify
    from .runtime import track_usage as track_usage
    from .saving import load as load
    from .signature import InputField as InputField
    from .signature import OutputField as OutputField
    from .signature import Signature as Signature
    from .tool_calls import ToolCalls as ToolCalls
    from .trajectory import Step as Step
    from .trajectory import Trajectory as Trajectory

_HOMES = {
    "utils": ("utils",),
    "streaming": ("streaming",),
    "teleprompt": ("teleprompt",),
    "adapters": ("Adapter", "ChatAdapter", "JSONAdapter", "NativeAdapter"),
    "ambient": ("configure", "context", "inspect_history", "settings"),
    "bridges": ("asyncify", "syncify"),
    "callbacks": ("BaseCallback",),
    "code": ("Code",),
    "errors": ("errors",),
    "evaluate": ("evaluate",),
    "evaluation": ("Evaluate", "TaskFile"),
    "example": ("Completions", "Example", "Prediction"),
    "history": ("History",),
    "models": ("LM", "BaseLM", "configure_cache"),
    "module": ("Module",),
    "modules": (
        "KNN",
        "BestOfN",
        "ChainOfThought",
        "CodeAct",
        "Ensemble",
        "Limits",
        "MultiChainComparison",
        "Parallel",
        "Predict",
        "ProgramOfThought",
        "ReAct",
        "Refine",
        "Retrieve",
        "majority",
    ),
    "optimizers": (
        "BootstrapFewShot",
        "BootstrapFewShotWithRandomSearch",
        "BootstrapRS",
        "BootstrapTrajectories",
        "COPRO",
        "GEPA",
        "KNNFewShot",
        "LabeledFewShot",
        "MIPROv2",
        "SIMBA",
    ),
    "runtime": ("streamify", "track_usage"),
    "sandbox": ("PythonInterpreter",),
    "saving": ("load",),
    "signature": ("InputField", "OutputField", "Signature"),
    "tool_calls": ("ToolCalls",),
    "trajectory": ("Step", "Trajectory"),
    "tools": ("Tool", "ToolRegistry", "tool"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]  # noqa: PLE0604  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name

    def __getattr__(name: str) -> object:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(_absent(name), name=name)
        module = import_module(f"{__name__}.{home}")
        value = module if name == home else getattr(module, name)
        globals()[name] = value
        return value


def _absent(name: str) -> str:
    if name.startswith("_"):
        return f"module {__name__!r} has no attribute {name!r}"
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    there = ", ".join(sorted(_HOME_OF))
    page = "what DSPy has and this has not is in coming_from_dspy.md"
    return f"{__name__} {__version__} has no {name!r}; {hint}there are: {there} ({page})"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
