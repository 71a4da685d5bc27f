"""Names that every provider takes, and the two that belong to the agent."""

from __future__ import annotations

import re

from .errors import ToolDefinitionError

RESERVED = frozenset({"submit", "finish"})  # how an agent ends its run
_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def legal_name(name: str, *, of: str = "") -> str:
    """The name itself when every provider takes it; else raises `ToolDefinitionError` with one that would do.

    >>> legal_name("get_order")
    'get_order'
    """
    if _LEGAL.fullmatch(name):
        return name
    if name == "<lambda>":
        raise ToolDefinitionError('a lambda has no name of its own: give one, Tool(func, name="...")')
    instead = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or "my_tool"
    whose = f" (of {of})" if of and of != name else ""
    raise ToolDefinitionError(
        f"{name!r}{whose} can't be a tool's name: providers take 1 to 64 of the letters a-z and A-Z, digits, "
        f"_ and -; use for example name={instead!r}"
    )
