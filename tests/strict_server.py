"""A server that takes only conversations which OpenAI's API takes: roles in order, every call answered, no empty message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

from openai_server import Behaviour, Json, Reply, fail


def strict(*behaviours: Behaviour) -> list[Behaviour]:
    """The behaviours, each after a look at the request; one that breaks the rules gets a 400 that says which."""
    return [_checked(one) for one in behaviours]


def _checked(behave: Behaviour) -> Behaviour:
    def checked(reply: Reply) -> None:
        problem = complaint(cast("list[Json]", reply.received.body["messages"]))
        (fail(400, problem) if problem else behave)(reply)

    return checked


def complaint(messages: Sequence[Mapping[str, object]]) -> str:
    """What is wrong with a conversation; "" where nothing is.

    >>> complaint([{"role": "user", "content": "hi"}, {"role": "user", "content": "ho"}])
    'message 1: user after user'
    """
    waiting: set[str] = set()
    before = ""
    for place, message in enumerate(messages):
        role = str(message["role"])
        calls = cast("list[Mapping[str, object]]", message.get("tool_calls") or [])
        if role == "tool":
            if message["tool_call_id"] not in waiting:
                return f"message {place}: a result of no call that waits for one"
            waiting.discard(str(message["tool_call_id"]))
        elif waiting:
            return f"message {place}: the calls {', '.join(sorted(waiting))} have no result"
        if role == "system" and place:
            return f"message {place}: a system message in the middle"
        if role in ("user", "assistant") and before == role:
            return f"message {place}: {role} after {role}"
        if role != "assistant" and not message.get("content") and role != "tool":
            return f"message {place}: it is empty"
        if role == "assistant" and not calls and not message.get("content"):
            return f"message {place}: it is empty"
        for call in calls:
            problem = _wrong_call(cast("Mapping[str, str]", call["function"]))
            if problem:
                return f"message {place}: {problem}"
        waiting |= {str(call["id"]) for call in calls}
        before = "" if role == "system" else role
    return f"the calls {', '.join(sorted(waiting))} have no result" if waiting else ""


def _wrong_call(function: Mapping[str, str]) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function["name"]):
        return f"the name {function['name']!r} does not match the pattern"
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return "arguments that are no JSON"
    return "" if isinstance(arguments, dict) else "arguments that are no object"
