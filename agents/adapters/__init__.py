"""Adapters: how a signature becomes messages, and an answer becomes values."""

from .base import SUBMIT, Adapter, Prompt, Turn
from .chat import ChatAdapter
from .json import JSONAdapter
from .native import NativeAdapter

__all__ = ["SUBMIT", "Adapter", "ChatAdapter", "JSONAdapter", "NativeAdapter", "Prompt", "Turn"]
