"""The chat at a terminal: read a line, do what it says, until the person leaves."""

from __future__ import annotations

import sys

from ...errors import LoopwrightError
from ...text import one_line
from .asking import Asker
from .chat import Chat
from .commands import Desk, UsageMistake, entered
from .commands.looking import total_text, usage_text
from .echo import echoing
from .line import Line
from .offering import offers
from .running import Interrupted, cancellable


async def talk(chat: Chat, *, asks: bool = True) -> int:
    """Talk until the person leaves; returns the exit code."""
    folder = None if chat.store is None else chat.store.folder
    line = Line(folder, lambda text: offers(chat, text))
    if asks:
        chat.policy.asker = Asker(chat.show, line, chat.policy).answer
    desk = Desk(chat, line)
    warned = False
    while not desk.leaving:
        try:
            text = await line.read()
        except KeyboardInterrupt:
            if warned:
                break
            warned = True
            chat.say_notice("Ctrl-C again to leave")
            continue
        except EOFError:
            break
        warned = False
        await _one(desk, text)
    return 0


async def _one(desk: Desk, text: str) -> None:
    """Do what one line says; whatever goes wrong is one line, and the session lives."""
    chat = desk.chat
    try:
        with echoing(shown=False):
            turn = await cancellable(entered(desk, text))
    except Interrupted:
        chat.show.settle()
        chat.abandon()
        chat.say_notice("interrupted")
    except (UsageMistake, LoopwrightError, OSError) as error:
        chat.show.settle()
        chat.say_notice(one_line(str(error), 600), error=True)
    except Exception as error:  # noqa: BLE001  # a mistake of ours or of a tool's code: the session lives
        chat.show.settle()
        chat.say_notice(one_line(f"{type(error).__name__}: {error}", 600), error=True)
    else:
        if turn is not None and turn.end is not None and turn.end.usage.usage().total_tokens:
            spent = chat.conversation.spent
            session = f" · session {total_text(spent)}" if len(chat.conversation.turns) > 1 else ""
            chat.say_notice(f"{usage_text(turn.end.usage.usage())}{session}")


def at_terminal() -> bool:
    """Whether a person types, and sees what is printed."""
    return sys.stdin.isatty() and sys.stdout.isatty()
