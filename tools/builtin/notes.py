"""`notes`: what a model wants to remember during one run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..errors import ToolFailed, nearest
from ..tool import Tool
from ..tool_context import ToolContext
from .folder import plain, shown

_MAX_NOTES = 100
_MAX_KEY = 100  # characters of a key
_MAX_NOTE = 10_000  # characters of a note
_MAX_ALL = 100_000  # characters of all notes
_GLANCE = 80  # characters of a note in the list

Action = Literal["set", "get", "list", "remove"]


def notes_tool() -> Tool:
    """A tool that keeps notes by key for as long as a run lasts.

    They live in the run's state (`ToolContext.state`): two runs never see each other's, and a call outside of a run has
    nothing to come back to. At most 100 notes of 10,000 characters, 100,000 in all.

    >>> from loopwright.tools import ToolCall, ToolRun
    >>> run, notes = ToolRun(), notes_tool()
    >>> notes.run(ToolCall("notes", {"action": "set", "key": "total", "value": "42 EUR"}), run).content
    'Noted "total"; there is 1 note.'
    >>> notes.run(ToolCall("notes", {"action": "get", "key": "total"}), run).content
    '42 EUR'
    """
    return Tool(notes, effect="write")


def notes(  # noqa: D417 - the context is filled in, and no model reads of it
    action: Action,
    context: ToolContext,
    key: Annotated[str, Field(max_length=_MAX_KEY)] = "",
    value: Annotated[str, Field(max_length=_MAX_NOTE)] = "",
) -> str:
    """Keep notes for later in this task: set one, get one back, list them all, remove one.

    Args:
        action: What to do.
        key: The note's name; "list" wants none.
        value: The text to keep, for "set".
    """
    kept: dict[str, str] = context.state.setdefault("notes", {})
    name = key.strip()
    if action == "list":
        return (
            "\n".join(f"{plain(one)}: {_glance(text)}" for one, text in kept.items()) or "There are no notes."
        )
    if not name:
        raise ToolFailed(f'"{action}" wants a key')
    if action == "set":
        _keep(kept, name, value)
        return f"Noted {shown(name)}; {_counted(kept)}."
    if name not in kept:
        raise ToolFailed(f"there is no note {shown(name)}{_hint(name, kept)}")
    if action == "remove":
        del kept[name]
        return f"Removed {shown(name)}; {_counted(kept)}."
    return kept[name]


def _keep(kept: dict[str, str], name: str, value: str) -> None:
    if not value:
        raise ToolFailed('"set" wants a value; "remove" takes a note away')
    if name not in kept and len(kept) >= _MAX_NOTES:
        raise ToolFailed(f"there are {_MAX_NOTES} notes, which is the most; remove one first")
    size = sum(map(len, kept.values())) - len(kept.get(name, "")) + len(value)
    if size > _MAX_ALL:
        raise ToolFailed(
            f"all notes together may have {_MAX_ALL:,} characters, and this would make {size:,}; remove one first"
        )
    kept[name] = value


def _counted(kept: dict[str, str]) -> str:
    return "there is 1 note" if len(kept) == 1 else f"there are {len(kept)} notes"


def _glance(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _GLANCE else line[:_GLANCE] + "…"


def _hint(name: str, kept: dict[str, str]) -> str:
    if not kept:
        return "; there are none yet"
    near = nearest(name, kept)
    return (
        f"; did you mean {shown(near)}?" if near else f"; there are {', '.join(map(plain, list(kept)[:20]))}"
    )
