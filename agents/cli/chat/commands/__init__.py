"""The commands of the chat, and what a typed line means."""

from __future__ import annotations

from difflib import get_close_matches

from ....text import one_line
from ..attach import command_output, output_block
from ..columns import in_columns, wrapped
from ..conversation import Turn
from . import agent, learning, looking, sessions, sharing
from .base import Command, Desk, UsageMistake

__all__ = ["COMMANDS", "Command", "Desk", "UsageMistake", "checked", "entered"]


async def _help(desk: Desk, rest: str) -> None:
    if rest:
        found = COMMANDS.get(rest if rest.startswith("/") else f"/{rest}")
        if found is None:
            checked(f"/{rest.removeprefix('/')}")
        else:
            desk.tell(f"{found.usage}\n  {found.help}")
        return
    commands = in_columns([(one.usage, one.help) for one in COMMANDS.values()])
    desk.tell(f"{commands}\n\n{wrapped(_KEYS)}")


_KEYS = (
    "Enter sends; \\ then Enter, or Esc then Enter, begins a new line; Ctrl-R searches what was typed before.\n"
    "@path sends a file along, !command runs in the shell and sends its output along with the next message.\n"
    "Ctrl-C stops a turn and keeps what came of it; twice on an empty line it leaves, as Ctrl-D does."
)

COMMANDS: dict[str, Command] = {
    one.name: one
    for one in (
        Command("/help [COMMAND]", "What there is.", _help),
        *sessions.COMMANDS,
        *agent.COMMANDS,
        *looking.COMMANDS,
        *learning.COMMANDS,
        *sharing.COMMANDS,
    )
}


def checked(text: str) -> None:
    """Raise `UsageMistake` for a line that begins as a command does and is none.

    >>> checked("/udno")
    Traceback (most recent call last):
    loopwright.cli.chat.commands.base.UsageMistake: no command '/udno'; did you mean /undo? (A message that begins with / is sent with a space before it.)
    """
    if not text.startswith("/"):
        return
    word = text.split(maxsplit=1)[0]
    if word not in COMMANDS:
        near = get_close_matches(word[:60], COMMANDS, 1)
        hint = f"did you mean {near[0]}?" if near else "/help lists them."
        raise UsageMistake(
            f"no command {one_line(word, 60)!r}; {hint} (A message that begins with / is sent with a space before it.)"
        )


async def entered(desk: Desk, text: str) -> Turn | None:
    """Do what a line says: a command, a shell command after `!`, or a message; returns the turn it made, if any."""
    if text.startswith("/"):
        checked(text)
        word, *rest = text.split(maxsplit=1)
        return await COMMANDS[word].run(desk, rest[0].strip() if rest else "")
    if text.startswith("!"):
        await _shell(desk, text[1:].strip())
        return None
    if not text.strip():
        return None
    return await desk.say(text.strip())


async def _shell(desk: Desk, command: str) -> None:
    if not command:
        raise UsageMistake("after ! comes a command of your shell, as in !git diff")
    output, code = await command_output(command)
    desk.print(output or "(no output)")
    if code:
        desk.tell(f"(exit code {code})")
    desk.chat.attached.append(output_block(command, output, code))
    desk.chat.say_notice("its output goes along with your next message; /attach drop forgets it")
