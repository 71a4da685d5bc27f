"""Messages: what a conversation with a model is made of, free of any provider's form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loopwright.tools.calls import ToolCall

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    An assistant's message may hold tool calls; a message of role "tool" is one call's result and
    names the call it answers (`tool_call_id`) and its tool (`name`).

    >>> Message("user", "What is 2 + 2?").role
    'user'
    """

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
