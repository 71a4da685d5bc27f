"""Modules: ways of getting a signature's outputs from its inputs."""

from .chain_of_thought import ChainOfThought
from .limits import Limits
from .predict import Predict
from .react import ReAct
from .retrieve import Retrieve

__all__ = ["ChainOfThought", "Limits", "Predict", "ReAct", "Retrieve"]
