"""Models: what answers a request, and what can be folded around it.

    LM("openai/gpt-5-mini")                                  what a user writes; it folds
    Cached(Retrying(DirectLM("openai/gpt-5-mini")), store)   this, and holds defaults

`HostedLM` is the same through litellm, for every other provider. Importing this imports no client:
litellm comes with its first call, the direct route's HTTP with its own, numpy with the embedded model.
"""

from .base import NO_USAGE, BaseLM, Capabilities, Delta, FinishReason, LMRequest, LMResponse, Usage
from .cache import Cached
from .hosted import HostedLM
from .lm import LM, Exchange, as_lm
from .openai_compatible import DirectLM
from .retry import Retrying
from .scripted import FunctionLM, ScriptedLM
from .stores import CacheSettings, DiskStore, LayeredStore, MemoryStore, Store, configure_cache, default_store

__all__ = [
    "LM",
    "NO_USAGE",
    "BaseLM",
    "CacheSettings",
    "Cached",
    "Capabilities",
    "Delta",
    "DirectLM",
    "DiskStore",
    "Exchange",
    "FinishReason",
    "FunctionLM",
    "HostedLM",
    "LMRequest",
    "LMResponse",
    "LayeredStore",
    "MemoryStore",
    "Retrying",
    "ScriptedLM",
    "Store",
    "Usage",
    "as_lm",
    "configure_cache",
    "default_store",
]
