"""Models: what answers a request, and what can be folded around it.

    LM("openai/gpt-5-mini")                                  what a user writes; it folds
    Cached(Retrying(DirectLM("openai/gpt-5-mini")), store)   this, and holds defaults

`HostedLM` is the same through litellm, for every other provider. Importing this imports none of them:
litellm comes with its first call, the direct route's HTTP with its own, numpy with the embedded model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import names_of

if TYPE_CHECKING:
    from .base import NO_USAGE as NO_USAGE
    from .base import BaseLM as BaseLM
    from .base import Capabilities as Capabilities
    from .base import Delta as Delta
    from .base import FinishReason as FinishReason
    from .base import LMRequest as LMRequest
    from .base import LMResponse as LMResponse
    from .base import Retry as Retry
    from .base import Usage as Usage
    from .cache import Cached as Cached
    from .hosted import HostedLM as HostedLM
    from .lm import LM as LM
    from .lm import Exchange as Exchange
    from .lm import as_lm as as_lm
    from .openai_compatible import DirectLM as DirectLM
    from .retry import Retrying as Retrying
    from .scripted import FunctionLM as FunctionLM
    from .scripted import ScriptedLM as ScriptedLM
    from .stores import CacheSettings as CacheSettings
    from .stores import DiskStore as DiskStore
    from .stores import LayeredStore as LayeredStore
    from .stores import MemoryStore as MemoryStore
    from .stores import Store as Store
    from .stores import configure_cache as configure_cache
    from .stores import default_store as default_store

_HOME_OF = {
    "BaseLM": "base",
    "CacheSettings": "stores",
    "Cached": "cache",
    "Capabilities": "base",
    "Delta": "base",
    "DirectLM": "openai_compatible",
    "DiskStore": "stores",
    "Exchange": "lm",
    "FinishReason": "base",
    "FunctionLM": "scripted",
    "HostedLM": "hosted",
    "LM": "lm",
    "LMRequest": "base",
    "LMResponse": "base",
    "LayeredStore": "stores",
    "MemoryStore": "stores",
    "NO_USAGE": "base",
    "Retry": "base",
    "Retrying": "retry",
    "ScriptedLM": "scripted",
    "Store": "stores",
    "Usage": "base",
    "as_lm": "lm",
    "configure_cache": "stores",
    "default_store": "stores",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name
    __getattr__ = names_of(__name__, _HOME_OF)
