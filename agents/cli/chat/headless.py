"""The chat without a person at a terminal: one message, a script of them, or lines from a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import LoopwrightError
from ...text import one_line
from .chat import Chat
from .commands import Desk, UsageMistake, checked, entered
from .running import Interrupted, cancellable

FINE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


async def run_lines(chat: Chat, lines: Iterable[str]) -> int:
    """Do what each line says, until one fails; returns the exit code."""
    desk = Desk(chat)
    for line in lines:
        code = await _one(desk, line)
        if code != FINE or desk.leaving:
            return code
    return FINE


async def _one(desk: Desk, line: str) -> int:
    chat = desk.chat
    try:
        turn = await cancellable(entered(desk, line))
    except Interrupted:
        chat.abandon()
        chat.say_notice("interrupted", error=True)
        return INTERRUPTED
    except UsageMistake as error:
        chat.say_notice(one_line(str(error), 600), error=True)
        return USAGE
    except BrokenPipeError:  # whoever read us has gone: there is nobody to tell
        raise
    except (LoopwrightError, OSError) as error:
        chat.say_notice(one_line(str(error), 600), error=True)
        return FAILED
    if turn is None or turn.end is None or turn.end.answered:
        return FINE
    return INTERRUPTED if turn.end.reason == "cancelled" else FAILED


def joined(lines: Iterable[str]) -> Iterator[str]:
    r"""Lines as they are meant: a `\` at the end goes on in the next one; empty lines are left out.

    >>> list(joined(["a \\", "b", "", "c"]))
    ['a \nb', 'c']
    """
    held: list[str] = []
    for line in lines:
        bare = line.rstrip("\r\n")
        if bare.endswith("\\"):
            held.append(bare[:-1])
            continue
        whole = "\n".join([*held, bare])
        held = []
        if whole.strip():
            yield whole
    if held:
        yield "\n".join(held)


def checked_script(text: str, name: str) -> list[str]:
    """The lines of a script; raises `UsageMistake` that names the file for a command that there is not.

    >>> checked_script("/udno", "turns.txt")
    Traceback (most recent call last):
    loopwright.cli.chat.commands.base.UsageMistake: turns.txt: no command '/udno'; did you mean /undo? (A message that begins with / is sent with a space before it.)
    """
    lines = list(joined(text.splitlines()))
    for line in lines:
        try:
            checked(line)
        except UsageMistake as error:
            raise UsageMistake(f"{name}: {error}") from None
    return lines
