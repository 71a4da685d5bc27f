"""Commands that bring things in and take things out: files, a program, a task, a page."""

from __future__ import annotations

from pathlib import Path

from ....errors import LoopwrightError
from ....whole_file import write_whole
from ..attach import file_block
from ..conversation import Turn
from .base import Command, Desk, UsageMistake


async def _attach(desk: Desk, rest: str) -> None:
    chat = desk.chat
    if rest == "drop":
        chat.attached = []
        desk.tell("nothing goes along with the next message")
        return
    if rest:
        try:
            chat.attached.append(file_block(Path(rest).expanduser()))
        except (ValueError, RuntimeError) as error:
            raise UsageMistake(str(error)) from error
    sizes = ", ".join(f"{len(one):,} characters" for one in chat.attached) or "nothing"
    desk.tell(f"with the next message goes: {sizes}")


async def _edit(desk: Desk, rest: str) -> Turn | None:
    from ..editing import edited

    if desk.person is None:
        raise UsageMistake("/edit needs a terminal")
    text = await edited(rest)
    return await desk.say(text) if text.strip() else None


async def _save(desk: Desk, rest: str) -> None:
    if not rest:
        session = desk.chat.record.session
        desk.tell(f"session {session} is saved as it goes; /save FILE writes the program that it has become")
        return
    path = Path(rest).expanduser()
    desk.chat.answering.plain.save(path)
    count = len(desk.chat.conversation.demos)
    desk.tell(f"{path}: the instructions and {count} demonstration{'' if count == 1 else 's'}")


async def _export(desk: Desk, rest: str) -> None:
    from ..export import FORMS, exported

    form, _, name = rest.partition(" ")
    if form not in FORMS:
        raise UsageMistake(f"write /export {'|'.join(FORMS)} [FILE]")
    text = exported(form, desk.chat.conversation, desk.chat.record.session)
    if not name.strip():
        desk.print(text)
        return
    path = Path(name.strip()).expanduser()
    write_whole(path, text)
    desk.tell(f"{path}: {len(desk.chat.conversation.turns)} turns")


async def _save_task(desk: Desk, rest: str) -> None:
    from ..task import saved_task

    *words, last = rest.split() or [""]
    numbers: list[int] = []
    while words and last.isdecimal():
        numbers.insert(0, int(last))
        last = words.pop()
    name = " ".join([*words, last])
    if not name:
        raise UsageMistake("/save-task wants a file, as in /save-task tasks.yaml")
    desk.last_turn()
    desk.tell(saved_task(desk.chat, Path(name).expanduser(), numbers))


async def _compact(desk: Desk, rest: str) -> None:
    from ..compacting import summarised

    desk.last_turn()
    try:
        event = await summarised(desk.chat, rest)
    except LoopwrightError as error:
        raise UsageMistake(f"nothing was changed: {error}") from error
    desk.chat.tell(event)


async def _optimize(desk: Desk, rest: str) -> None:
    from ..optimizing import optimized

    if not rest:
        raise UsageMistake("/optimize wants a file of tasks, as in /optimize tasks.yaml")
    await optimized(desk, rest)


COMMANDS = (
    Command(
        "/attach PATH", "Send a file along with the next message; drop forgets what is attached.", _attach
    ),
    Command("/edit [TEXT]", "Write a message in $EDITOR.", _edit),
    Command("/save [FILE]", "Save the program: its instructions and demonstrations.", _save),
    Command(
        "/save-task FILE [NUMBERS]",
        "Make the conversation a task with checks, for loopwright eval; NUMBERS choose among the checks.",
        _save_task,
    ),
    Command("/export md|json|html [FILE]", "The conversation as text or as a page.", _export),
    Command(
        "/compact [WHAT MATTERS]",
        "Have the turns until now summarised; the model is told the summary alone.",
        _compact,
    ),
    Command("/optimize FILE", "Make the program better on a file of tasks, and go on with it.", _optimize),
)
