"""Modules: ways of getting a signature's outputs from its inputs.

Names resolve on first use: an agent that calls tools does not load the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import names_of

if TYPE_CHECKING:
    from .best_of_n import BestOfN as BestOfN
    from .chain_of_thought import ChainOfThought as ChainOfThought
    from .code_act import CodeAct as CodeAct
    from .ensemble import Ensemble as Ensemble
    from .knn import KNN as KNN
    from .limits import Limits as Limits
    from .multi_chain_comparison import MultiChainComparison as MultiChainComparison
    from .parallel import Parallel as Parallel
    from .parallel import ParallelError as ParallelError
    from .predict import Predict as Predict
    from .program_of_thought import ProgramOfThought as ProgramOfThought
    from .react import ReAct as ReAct
    from .refine import Refine as Refine
    from .retrieve import Retrieve as Retrieve
    from .voting import majority as majority

_HOME_OF = {
    "BestOfN": "best_of_n",
    "ChainOfThought": "chain_of_thought",
    "CodeAct": "code_act",
    "Ensemble": "ensemble",
    "KNN": "knn",
    "Limits": "limits",
    "MultiChainComparison": "multi_chain_comparison",
    "Parallel": "parallel",
    "ParallelError": "parallel",
    "Predict": "predict",
    "ProgramOfThought": "program_of_thought",
    "ReAct": "react",
    "Refine": "refine",
    "Retrieve": "retrieve",
    "majority": "voting",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name
    __getattr__ = names_of(__name__, _HOME_OF)
