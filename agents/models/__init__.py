"""Models: what answers a request, and what can be folded around it."""

from .base import BaseLM, Capabilities, Delta, LMRequest, LMResponse, Usage
from .scripted import FunctionLM, ScriptedLM

__all__ = [
    "BaseLM",
    "Capabilities",
    "Delta",
    "FunctionLM",
    "LMRequest",
    "LMResponse",
    "ScriptedLM",
    "Usage",
]
