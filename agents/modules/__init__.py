"""Modules: ways of getting a signature's outputs from its inputs."""

from .chain_of_thought import ChainOfThought
from .code_act import CodeAct
from .limits import Limits
from .predict import Predict
from .program_of_thought import ProgramOfThought
from .react import ReAct
from .retrieve import Retrieve

__all__ = ["ChainOfThought", "CodeAct", "Limits", "Predict", "ProgramOfThought", "ReAct", "Retrieve"]
