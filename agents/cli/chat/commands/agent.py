"""Commands that change what answers: its model, its tools, what it may do."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from loopwright.tools.approval import Rule
from loopwright.tools.errors import ToolDefinitionError, ToolLookupError

from ....text import did_you_mean, one_line
from ...options import json_text
from ..columns import in_columns
from ..setup import MODEL_OPTIONS, checked_option
from .base import Command, Desk, UsageMistake

_DECISIONS = ("allow", "deny", "ask")


async def _model(desk: Desk, rest: str) -> None:
    chat = desk.chat
    if not rest:
        desk.tell(
            repr(chat.answering.lm) if chat.conversation.setup is None else chat.conversation.setup.model
        )
        return
    if rest == "embedded":  # it takes neither an address nor options
        chat.change(model=rest, api_base=None, options={})
    else:
        chat.change(model=rest)
    desk.tell(f"{rest} answers from here on")


async def _set(desk: Desk, rest: str) -> None:
    chat = desk.chat
    setup = chat.conversation.setup
    assert setup is not None  # noqa: S101  # every chat begins with one
    options = dict(setup.options)
    if not rest:
        lines = [f"{name} = {json_text(options[name])}" for name in MODEL_OPTIONS if name in options]
        desk.tell("\n".join([*lines, f"max_steps = {setup.max_steps}"]))
        return
    name, _, given = rest.partition(" ")
    name = checked_option(name.removesuffix("="))
    if not given.strip():
        raise UsageMistake(
            f"/set {name} wants a value, as in /set temperature 0; none puts the model's own back"
        )
    value = _value(given.strip().removeprefix("=").strip())
    if name == "max_steps":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageMistake(f"max_steps is a whole number of at least 1, not {one_line(given, 40)!r}")
        chat.change(max_steps=value)
    else:
        options = {key: held for key, held in options.items() if key != name}
        chat.change(options=options if value is None else {**options, name: value})
    desk.tell(f"{name} = {json_text(value)}")


def _value(text: str) -> Any:
    """What was written, as JSON where it is JSON.

    >>> _value("0"), _value("low"), _value("none")
    (0, 'low', None)
    """
    if text.lower() in ("none", "null"):
        return None
    if text.lower() in ("on", "off"):
        return text.lower() == "on"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


async def _system(desk: Desk, rest: str) -> None:
    chat = desk.chat
    if not rest:
        desk.tell(chat.answering.signature.own_instructions or "(none of your own)")
        return
    chat.change(system="" if rest == "none" else rest)
    desk.tell("the model is told so from here on" if rest != "none" else "back to the words it had")


async def _tools(desk: Desk, rest: str) -> None:
    chat = desk.chat
    tools = chat.answering.tools
    if rest.startswith("use ") or rest == "use":
        names = rest.removeprefix("use").strip()
        names = "" if names in ("none", "''", '""') else names
        try:
            chat.change(tools=names)
        except (ToolLookupError, ToolDefinitionError) as error:
            raise UsageMistake(str(error)) from error
        desk.tell(f"tools: {', '.join(chat.answering.tools) or 'none'}")
    elif rest:
        if rest not in tools:
            raise UsageMistake(f"no tool {one_line(rest, 60)!r}{did_you_mean(rest, tools)}")
        desk.tell(f"{tools[rest]}\n{json_text(tools[rest].spec.parameters, 2)}")
    else:
        width = max((len(name) for name in tools), default=0)
        rows = [(f"{name:{width}}  {tool.effect}", one_line(tool.desc, 90)) for name, tool in tools.items()]
        desk.tell(in_columns(rows) or "no tools; /tools use calculate,web_search gives it some")


async def _approve(desk: Desk, rest: str) -> None:
    policy = desk.chat.policy
    if not rest:
        rules = [f"{rule.decision:5} {rule}" for rule in (*policy.remembered, *policy.rules)]
        others = (
            "ask   irreversible calls" if policy.asker else "deny  irreversible calls, as nobody can be asked"
        )
        desk.tell("\n".join([*rules, others, "allow all others"]))
        return
    decision, _, pattern = rest.partition(" ")
    if rest == "forget":
        policy.remembered.clear()
        policy.rules = desk.chat.given_rules
        desk.tell("what was allowed or denied in this chat is forgotten")
        return
    if decision not in _DECISIONS or not pattern.strip():
        raise UsageMistake(
            'write /approve allow PATTERN, deny PATTERN, ask PATTERN, as in "refund(order_id=17*)", or forget'
        )
    try:
        rule = Rule.parse(pattern.strip(), decision)  # type: ignore[arg-type]  # one of the words of a Decision
    except ToolDefinitionError as error:
        raise UsageMistake(str(error)) from error
    known = list(desk.chat.answering.tools)
    if not any(fnmatchcase(name, rule.tool) for name in known):
        raise UsageMistake(f"{one_line(rule.tool, 60)!r} fits no tool{did_you_mean(rule.tool, known)}")
    policy.rules = (rule, *policy.rules)
    policy.remembered[:] = [one for one in policy.remembered if not fnmatchcase(one.tool, rule.tool)]
    desk.tell(f"{rule.decision} {rule}")


COMMANDS = (
    Command("/model [NAME]", "Which model answers; take another.", _model),
    Command("/set [NAME VALUE]", f"Settings: {', '.join(MODEL_OPTIONS)}, max_steps.", _set),
    Command("/system [TEXT]", "What the model is told first; none for its usual words.", _system),
    Command("/tools [NAME]", "The tools, or one of them; /tools use NAMES takes others.", _tools),
    Command(
        "/approve [allow|deny|ask PATTERN]",
        "What may be called without a question; forget begins anew.",
        _approve,
    ),
)
