"""Modules: ways of getting a signature's outputs from its inputs."""

from .chain_of_thought import ChainOfThought
from .limits import Limits
from .predict import Predict
from .react import ReAct

__all__ = ["ChainOfThought", "Limits", "Predict", "ReAct"]
