"""Commands that go back, and from one session to another."""

from __future__ import annotations

from datetime import datetime

from ....text import counted, one_line
from ..chat import Chat
from ..columns import fitted, in_columns, terminal_width
from ..conversation import Turn
from ..store import Sessions
from .base import Command, Desk, UsageMistake, counted_turn

SHOWN = 20  # sessions in a list


async def _quit(desk: Desk, rest: str) -> None:
    desk.leaving = True


async def _clear(desk: Desk, rest: str) -> None:
    setup = desk.chat.conversation.setup
    demos = list(desk.chat.conversation.demos)
    assert setup is not None  # noqa: S101  # every chat begins with one
    desk.chat.begin(setup)
    if demos:
        desk.chat.learn(demos)
    desk.chat.say_notice("a new conversation; the one before is in /sessions")


async def _undo(desk: Desk, rest: str) -> None:
    taken = desk.chat.undo()
    if taken is None:
        raise UsageMistake("nothing was said yet")
    desk.tell(f"taken back: {one_line(taken.typed, 100)}")


async def _retry(desk: Desk, rest: str) -> Turn | None:
    desk.last_turn()
    return await desk.chat.retry()


async def _fork(desk: Desk, rest: str) -> None:
    turns = len(desk.chat.conversation.turns)
    kept = counted_turn(rest, turns) if rest else turns
    before = desk.chat.record.session
    name = desk.chat.fork(kept)
    desk.tell(
        f"session {name} shares the first {kept} turn{'' if kept == 1 else 's'} of {before}, and goes its own way"
    )


async def _sessions(desk: Desk, rest: str) -> None:
    store = desk.chat.store
    if store is None:
        raise UsageMistake("no sessions are kept here")
    if rest:
        _drop(desk, store, *rest.partition(" ")[::2])
        return
    known = store.known()
    lines = []
    for one in known[:SHOWN]:
        when = datetime.fromtimestamp(one.updated).astimezone().strftime("%Y-%m-%d %H:%M")
        here = "*" if one.id == desk.chat.record.session else " "
        origin = f" (from {one.parent})" if one.parent else ""
        row = f"{here} {one.id}  {when}  {counted(one.turns, 'turn'):>8}"
        title = fitted(one.title, max(20, terminal_width() - len(row) - len(origin) - 2))
        lines.append(in_columns([(row, f"{title}{origin}")]))
    more = [f"… and {len(known) - SHOWN} more"] if len(known) > SHOWN else []
    desk.tell("\n".join([*lines, *more]) or "no sessions yet")


def _drop(desk: Desk, store: Sessions, word: str, what: str) -> None:
    """Take one session out, or all that nobody touched for a while."""
    from ..pruning import dropped, untouched

    here = desk.chat.record.session
    if word == "drop" and what.strip():
        names = [store.found(what.strip())]
        if names == [here]:
            raise UsageMistake(f"{here} is the session that is open; /clear begins another")
    elif word == "prune" and what.strip().isdecimal():
        names = [one.id for one in untouched(store, int(what), here)]
    else:
        raise UsageMistake(
            "write /sessions, /sessions drop ID, or /sessions prune DAYS: those that nobody touched so long"
        )
    freed = dropped(store, names) if names else 0
    gone = f"{counted(len(names), 'session')} {'is' if len(names) == 1 else 'are'} gone"
    desk.tell(f"{gone}, the files are {freed / 1_000:,.0f} kB smaller")


async def _resume(desk: Desk, rest: str) -> None:
    store = desk.chat.store
    if store is None:
        raise UsageMistake("no sessions are kept here")
    wanted = rest
    if not wanted:
        others = [one.id for one in store.known() if one.id != desk.chat.record.session]
        if not others:
            raise UsageMistake("there is no other session to go on with")
        wanted = others[0]
    if store.found(wanted) == desk.chat.record.session:
        raise UsageMistake(f"{wanted} is the session that is open")
    desk.chat.resume(wanted)
    desk.tell(where(desk.chat))


def where(chat: Chat) -> str:
    """Which session goes on, and how it stands."""
    turns = chat.conversation.turns
    lines = [f"session {chat.record.session}: {len(turns)} turn{'' if len(turns) == 1 else 's'}"]
    if turns:
        last = turns[-1]
        answer = next((str(value) for value in last.outputs.values()), "")
        lines += [f"> {one_line(last.typed, 200)}", f"  {one_line(answer, 200)}"]
    return "\n".join(lines)


COMMANDS = (
    Command("/quit", "Leave.", _quit),
    Command("/clear", "Begin a new conversation; this one stays in /sessions.", _clear),
    Command("/undo", "Take the last turn back.", _undo),
    Command("/retry", "Have the last message answered again.", _retry),
    Command("/fork [K]", "Go on in a new session with the first K turns, or with all.", _fork),
    Command(
        "/sessions [drop ID|prune DAYS]", "The sessions that are kept; take some out for good.", _sessions
    ),
    Command(
        "/resume [ID]", "Go on with another session: the latest, or the one whose id begins so.", _resume
    ),
)
