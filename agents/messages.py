"""Messages: what a conversation with a model is made of, free of any provider's form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    _written: str = field(default="", init=False, repr=False, compare=False)

    def written(self, write: Callable[[Message], str]) -> str:
        """The message as `write` writes it, kept: a conversation is sent again with every turn.

        There is one form that is kept, the chat completions API's in JSON.
        """
        if not self._written:
            object.__setattr__(self, "_written", write(self))
        return self._written
