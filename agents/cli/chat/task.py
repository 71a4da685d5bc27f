"""A conversation as a task: what was said becomes its turns, what was right becomes its checks."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...adapters.base import SUBMIT, with_history
from ...errors import ConfigurationError, TaskFileError
from ...text import counted, did_you_mean, one_line, words
from ...whole_file import write_whole
from ..options import separated
from .asking import call_pattern
from .chat import Chat
from .conversation import Turn
from .forms import plain_args

_SHORT = 60  # characters of an answer that must be given as it is
_FACTS = 4  # words that a longer answer must hold
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
_FILE = re.compile(r"(?P<path>[^:]+\.py)(?P<name>:.*)?", re.DOTALL)


def saved_task(chat: Chat, path: Path) -> str:
    """Write the conversation to a task file, or add it to one; returns what to tell the person.

    Raises `ConfigurationError` where nothing in it can be checked, or the file is for another agent.
    """
    turns = [turn for turn in chat.conversation.turns if turn.told]
    task = _task(chat, turns)
    if path.exists():
        text, number = _added(chat, path, task)
    else:
        text, number = _yaml({**_head(chat, path, turns), "tasks": [task]}), 1
    _check(text, path)
    write_whole(path, text)
    checks = sum(len(_checks_of(spec)) for spec in _expectations(task))
    real = _irreversible(chat, turns)
    warning = (
        f"\nit makes these calls for real, unless you give it a world: {', '.join(real)}" if real else ""
    )
    return (
        f"{path}: task {number}, {task['id']!r}, {counted(len(turns), 'turn')}, {counted(checks, 'check')}"
        f"\nloopwright eval {path} --check proves it{warning}"
    )


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


def _added(chat: Chat, path: Path, task: dict[str, Any]) -> tuple[str, int]:
    """The file's text with one more task at its end, and the number of it."""
    from ...evaluation.tasks import TaskFile

    try:
        before = TaskFile.load(path)
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
    text = path.read_text(encoding="utf-8")
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


def _task(chat: Chat, turns: Sequence[Turn]) -> dict[str, Any]:
    expected = [_expected(chat, turn) for turn in turns]
    if not any(expected):
        raise ConfigurationError(
            "nothing in this conversation can be checked: its answers hold no facts and it calls no tools that matter. "
            "/fix TEXT says what the answer should be"
        )
    name = next(_names(_slug(turns[0].typed)))
    question = chat.answering.question
    if len(turns) == 1:
        return {"id": name, "input": {question: turns[0].message}, "expect": expected[0] | {"ends": "submit"}}
    said: list[dict[str, Any]] = []
    for turn, expect in zip(turns, expected, strict=True):
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


def _expected(chat: Chat, turn: Turn) -> dict[str, Any]:
    """What must be true of a turn: nothing where a person called it bad, and did not put it right."""
    if turn.end is None or turn.mark == "bad":
        return {}
    expect: dict[str, Any] = {}
    if turn.end.answered:
        answer = {
            name: matcher
            for name in chat.answering.outputs
            if (matcher := _matcher(turn, turn.outputs.get(name))) is not None
        }
        if answer:
            expect["answer"] = answer
    calls = _calls(chat, turn)
    if calls:
        expect["calls"] = calls
    return expect


def _calls(chat: Chat, turn: Turn) -> dict[str, Any]:
    """The calls that were made and mattered, and those that the person refused."""
    required: list[dict[str, Any]] = []
    forbidden: list[dict[str, Any]] = []
    for result in turn.results:
        tool = chat.answering.tools.get(result.call.name)
        if result.call.name == SUBMIT or tool is None:
            continue
        spec = {"tool": result.call.name, "args": _matched(plain_args(result.call))}
        if result.ok and tool.effect != "pure" and spec not in required:
            required.append(spec)
        elif result.error == "denied" and spec not in forbidden:
            forbidden.append(spec)
    forbidden = [spec for spec in forbidden if spec not in required]
    return ({"required": required} if required else {}) | ({"forbidden": forbidden} if forbidden else {})


def _matched(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments as matchers: what could be read as a matcher is written as a value that must be equal."""
    return {
        name: {"equals": value} if isinstance(value, dict | list) or value is None else value
        for name, value in args.items()
    }


def _matcher(turn: Turn, value: object) -> object:
    """What an answer must be: a short one as it is, of a longer one the facts that it states."""
    if value is None:
        return None
    if not isinstance(value, str):
        return value if isinstance(value, int | float | bool) else {"equals": value}
    text = value.strip()
    if len(text) <= _SHORT and "\n" not in text and (turn.mark == "fixed" or len(text.split()) <= 3):
        return text
    found = facts(text, " ".join(result.content for result in turn.results if result.ok))
    return {"contains": found} if found else None


def facts(answer: str, observed: str) -> list[str]:
    """The words of an answer that a check can hold on to: its numbers, and what it took from the tools' results.

    >>> facts("Order **17** is shipped, I am glad to say.", "shipped")
    ['17', 'shipped']
    """
    bare = re.sub(r"[*_`#>|]", " ", answer)
    numbers = [found for found in _NUMBER.findall(bare) if found.strip(",")]
    seen = set(words(observed))
    copied = [word for word in words(bare) if word in seen and len(word) > 2 and not _NUMBER.fullmatch(word)]
    return list(dict.fromkeys([*numbers, *copied]))[:_FACTS]


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


def _checks_of(expect: dict[str, Any]) -> list[object]:
    calls = expect.get("calls", {})
    return [*expect.get("answer", {}), *calls.get("required", []), *calls.get("forbidden", [])]


def _tools_called(tasks: Sequence[dict[str, Any]]) -> list[str]:
    return [
        spec["tool"]
        for task in tasks
        for expect in _expectations(task)
        for specs in expect.get("calls", {}).values()
        for spec in specs
    ]
