"""A conversation as a task: what was said becomes its turns, what was right becomes its checks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...adapters.base import with_history
from ...errors import ConfigurationError, TaskFileError
from ...text import counted, did_you_mean, one_line
from ...whole_file import write_whole
from ..options import separated
from .asking import call_pattern
from .chat import Chat
from .checks import Check, chosen_checks, expected, possible_checks
from .conversation import Turn

_FILE = re.compile(r"(?P<path>[^:]+\.py)(?P<name>:.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SavedTask:
    """A task file as it was before and after a conversation of these turns became a task of it."""

    before: str | None
    after: str
    turns: tuple[int, ...]


def saved_task(chat: Chat, path: Path, numbers: Sequence[int] = ()) -> str:
    """Write the conversation to a task file, or add it to one; returns what to tell the person.

    `numbers` choose among the checks that are possible, from 1; without them those are taken that are suggested. The
    same turns saved again, as with other checks, replace the task that they were, where nobody changed the file.
    Raises `ConfigurationError` where nothing is left to check, or the file is for another agent.
    """
    turns = [turn for turn in chat.conversation.turns if turn.told]
    possible = possible_checks(chat, turns)
    chosen = chosen_checks(possible, numbers)
    task = _task(chat, turns, chosen)
    before = _text_before(chat, path, turns)
    if before is not None:
        text, number = _added(chat, path, before, task)
    else:
        text, number = _yaml({**_head(chat, path, turns), "tasks": [task]}), 1
    _check(text, path)
    write_whole(path, text)
    chat.saved_tasks[path.absolute()] = SavedTask(before, text, tuple(turn.number for turn in turns))
    title = f"{path}: task {number}, {task['id']!r}, {counted(len(turns), 'turn')}, {counted(len(chosen), 'check')}"
    real = _irreversible(chat, turns)
    warning = (
        [f"it makes these calls for real, unless you give it a world: {', '.join(real)}"] if real else []
    )
    return "\n".join(
        [
            title,
            *_listed(turns, possible, chosen),
            f"others: /save-task {path} NUMBERS; proof: loopwright eval {path} --check",
            *warning,
        ]
    )


def _listed(turns: Sequence[Turn], possible: Sequence[Check], chosen: Sequence[Check]) -> Iterator[str]:
    """The checks with their numbers, those marked that were taken; below their turns where there are several."""
    said = -1
    for number, one in enumerate(possible, 1):
        if len(turns) > 1 and one.turn != said:
            said = one.turn
            yield f"{said + 1}. turn: {one_line(turns[said].typed, 60)}"
        yield f"  {number:2} {'✓' if one in chosen else ' '} {one.says}"


def _text_before(chat: Chat, path: Path, turns: Sequence[Turn]) -> str | None:
    """What the file holds without these turns; None where there is no file."""
    if not path.exists():
        return None
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file: name one that is, or a new one")
    text = path.read_text(encoding="utf-8")
    saved = chat.saved_tasks.get(path.absolute())
    again = saved is not None and saved.after == text and saved.turns == tuple(one.number for one in turns)
    return saved.before if saved is not None and again else text


def _check(text: str, path: Path) -> None:
    """Raise where the text is no sound task file: what we write must be one."""
    from ...evaluation.tasks import TaskFile

    try:
        TaskFile.parse(text, path.name, base=path.absolute().parent)
    except TaskFileError as error:
        raise ConfigurationError(f"no task came of it: {one_line(error.problems[0], 400)}") from error


# ---- the file


def _head(chat: Chat, path: Path, turns: Sequence[Turn]) -> dict[str, Any]:
    setup = chat.conversation.setup
    assert setup is not None  # noqa: S101  # every chat begins with one
    agent: dict[str, Any] = {"module": setup.module, "signature": setup.signature}
    if instructions := chat.answering.signature.own_instructions:
        agent["instructions"] = instructions
    if setup.module in ("react", "code_act") and setup.tools.strip():
        agent["tools"] = [_from_folder(name.strip(), path) for name in separated(setup.tools)]
    if setup.program is not None:
        agent["program"] = os.path.relpath(setup.program, path.absolute().parent)
    defaults: dict[str, Any] = {}
    if setup.module not in ("predict", "chain_of_thought"):
        defaults["limits"] = {"steps": setup.max_steps}
    if allowed := _irreversible(chat, turns):
        defaults["approve"] = dict.fromkeys(allowed, "allow")
    name = re.sub(r"[^\w-]+", "-", path.stem).strip("-") or "chat"
    return {"version": 1, "name": name, "agent": agent, **({"defaults": defaults} if defaults else {})}


def _from_folder(tool: str, path: Path) -> str:
    """A tool's name as the task file reads it: paths start at its folder.

    >>> _from_folder("calculate", Path("tasks/shop.yaml"))
    'calculate'
    """
    found = _FILE.fullmatch(tool)
    if found is None or tool.startswith("mcp"):
        return tool
    return Path(os.path.relpath(found["path"], path.absolute().parent)).as_posix() + (found["name"] or "")


def _added(chat: Chat, path: Path, text: str, task: dict[str, Any]) -> tuple[str, int]:
    """The file's text with one more task at its end, and the number of it."""
    from ...evaluation.tasks import TaskFile

    try:
        before = TaskFile.parse(text, path.name, base=path.absolute().parent)
    except TaskFileError as error:
        raise ConfigurationError(f"{path} is no task file: {one_line(error.problems[0], 300)}") from error
    asked, _ = with_history(before.signature, {})
    if str(asked) != str(chat.answering.signature):
        raise ConfigurationError(
            f"{path} is for {asked}, this chat is {chat.answering.signature}: name another file"
        )
    missing = [name for name in _tools_called([task]) if name not in before.tools]
    if missing:
        raise ConfigurationError(
            f"the agent of {path} has no tool {missing[0]!r}{did_you_mean(missing[0], before.tools)}: name another file"
        )
    taken = {one.id for one in before.tasks}
    task["id"] = next(name for name in _names(task["id"]) if name not in taken)
    indent = _indent_of_tasks(text)
    block = "".join(f"{indent}{line}\n" for line in _yaml([task]).splitlines())
    return f"{text.rstrip()}\n{block}", len(before.tasks) + 1


def _indent_of_tasks(text: str) -> str:
    """How the items of `tasks:` are indented, where that is the last key of the file."""
    after = re.split(r"^tasks:[^\n]*\n", text, maxsplit=1, flags=re.MULTILINE)
    found = re.search(r"^( *)- ", after[-1], re.MULTILINE) if len(after) == 2 else None
    if found is None or re.search(r"^[^\s#-]", after[-1], re.MULTILINE):
        raise ConfigurationError("the tasks are not the last part of that file: name another file")
    return found[1]


def _yaml(value: object) -> str:
    import yaml

    written: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return written


# ---- the task


def _task(chat: Chat, turns: Sequence[Turn], checks: Sequence[Check]) -> dict[str, Any]:
    wanted = [expected([one for one in checks if one.turn == place]) for place in range(len(turns))]
    name = next(_names(_slug(turns[0].typed)))
    question = chat.answering.question
    if len(turns) == 1:
        return {"id": name, "input": {question: turns[0].message}, "expect": wanted[0] | {"ends": "submit"}}
    said: list[dict[str, Any]] = []
    for turn, expect in zip(turns, wanted, strict=True):
        said.append({"user": turn.message, **({"expect": expect} if expect else {})})
    return {"id": name, "turns": said}


def _slug(text: str) -> str:
    r"""A name for a task.

    >>> _slug("Where is order 17?\nIt is late.")
    'where-is-order-17'
    """
    first = text.strip().splitlines()[0] if text.strip() else ""
    return "-".join(re.findall(r"\w+", first.lower())[:6])[:60] or "task"


def _names(name: str) -> Any:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _irreversible(chat: Chat, turns: Sequence[Turn]) -> list[str]:
    """Patterns of the irreversible calls that were made: nobody is asked in an evaluation."""
    made: list[str] = []
    for turn in turns:
        for result in turn.results:
            tool = chat.answering.tools.get(result.call.name)
            if tool is not None and result.ok and tool.effect == "irreversible":
                ready = tool.coerced(result.call)
                made.append(call_pattern(result.call.name, {name: ready[name] for name in result.call.args}))
    return list(dict.fromkeys(made))


def _expectations(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [task["expect"]] if "expect" in task else [turn.get("expect", {}) for turn in task["turns"]]


def _tools_called(tasks: Sequence[dict[str, Any]]) -> list[str]:
    return [
        spec["tool"]
        for task in tasks
        for expect in _expectations(task)
        for specs in expect.get("calls", {}).values()
        for spec in specs
    ]
