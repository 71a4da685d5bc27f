"""What may stand where a person types: commands, and what each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ...text import one_line
from .chat import Chat
from .commands import COMMANDS
from .setup import MODEL_OPTIONS

_TITLE = 40  # characters of what an offer means, beside it


@dataclass(frozen=True, slots=True)
class Offer:
    """A word, and what it means."""

    word: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """What may stand in the place of `part`, the end of the line; `files` says that a path may, too."""

    part: str
    words: tuple[Offer, ...] = ()
    files: bool = False


def offers(chat: Chat, line: str) -> Offers:
    """What may come at the end of a line; `line` is what stands before the cursor."""
    part = line.rsplit(" ", 1)[-1]
    if line.startswith("/"):
        before = line[: len(line) - len(part)].split()
        if not before:
            return _fitting(part, (Offer(name, one.help) for name, one in COMMANDS.items()))
        if before[0] in _PATHS and len(before) > _PATHS[before[0]]:
            rest = line.split(" ", _PATHS[before[0]] + 1)[-1]  # a path may hold blanks
            return _fitting(rest, _words(chat, before) if rest == part else (), files=True)
        return _fitting(part, _models(part) if before == ["/model"] else _words(chat, before))
    if part.startswith("@"):
        return Offers(part.removeprefix("@"), files=True)
    return Offers(part)


_PATHS = {"/attach": 0, "/save": 0, "/save-task": 0, "/optimize": 0, "/export": 1}  # words before the path


def _fitting(part: str, words: Iterable[Offer], *, files: bool = False) -> Offers:
    return Offers(part, tuple(one for one in words if one.word.startswith(part)), files)


def _words(chat: Chat, before: list[str]) -> Iterable[Offer]:
    """What may come after these words of a command."""
    found = _AFTER.get(" ".join(before))
    if found is None:
        return ()
    return found(chat) if callable(found) else map(Offer, found)


def _models(part: str) -> list[Offer]:
    """The model that is here, and those of the table: thousands, so that a beginning is wanted of their names."""
    from ...models.catalog import names_beginning

    return [Offer("embedded"), *(map(Offer, names_beginning(part)) if part else ())]


def _tools(chat: Chat) -> list[Offer]:
    return [Offer(name, one_line(tool.desc, _TITLE)) for name, tool in chat.answering.tools.items()]


def _sessions(chat: Chat) -> list[Offer]:
    known = [] if chat.store is None else chat.store.known()
    return [Offer(one.id, one_line(one.title, _TITLE)) for one in known if one.id != chat.record.session]


def _turns(chat: Chat) -> list[Offer]:
    turns = chat.conversation.turns
    return [Offer(str(place), one_line(turn.typed, _TITLE)) for place, turn in enumerate(turns, 1)]


def _demos(chat: Chat) -> list[Offer]:
    question = chat.answering.question
    said = [str(demo["values"].get(question, "")) for demo in chat.conversation.demos]
    return [Offer(str(place), one_line(text, _TITLE)) for place, text in enumerate(said, 1)]


def _forms(chat: Chat) -> list[Offer]:
    from .export import FORMS  # the first prompt does not wait for it

    return list(map(Offer, FORMS))


def _commands(chat: Chat) -> list[Offer]:
    return [Offer(name.removeprefix("/"), one.help) for name, one in COMMANDS.items()]


_SETTINGS = (*MODEL_OPTIONS, "max_steps")
_AFTER: Mapping[str, tuple[str, ...] | Callable[[Chat], list[Offer]]] = {
    "/help": _commands,
    "/resume": _sessions,
    "/sessions": ("drop", "prune"),
    "/sessions drop": _sessions,
    "/fork": _turns,
    "/good": _turns,
    "/system": ("none",),
    "/set": _SETTINGS,
    **{f"/set {name}": ("none",) for name in _SETTINGS},
    "/tools": lambda chat: [Offer("use", "take others"), *_tools(chat)],
    "/approve": ("allow", "deny", "ask", "forget"),
    **{f"/approve {word}": _tools for word in ("allow", "deny", "ask")},
    "/demos": ("add", "drop", "clear"),
    "/demos add": _turns,
    "/demos drop": _demos,
    "/fix": ("call",),
    "/attach": ("drop",),
    "/export": _forms,
}
