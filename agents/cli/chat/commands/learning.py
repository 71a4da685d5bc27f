"""Commands that turn a conversation into something to learn from: demonstrations, corrections, marks."""

from __future__ import annotations

import json
from typing import Any

from ....adapters.base import SUBMIT, parse_outputs
from ....adapters.values import to_plain
from ....errors import LoopwrightError
from ....text import one_line
from ..conversation import Turn
from ..events import EndEvent, MarkEvent
from ..forms import UsageForm
from ..learned import demo_of, fixed_call
from .base import Command, Desk, UsageMistake, counted, counted_turn


async def _good(desk: Desk, rest: str) -> None:
    turn = _chosen(desk, rest)
    _add(desk, turn)
    desk.chat.tell(MarkEvent(turn=turn.number, mark="good"))
    count = len(desk.chat.conversation.demos)
    desk.tell(f"demonstration {count}: {one_line(turn.typed, 60)}\n/save FILE keeps it in a program")


async def _bad(desk: Desk, rest: str) -> None:
    turn = desk.last_turn()
    kept = [one for one in desk.chat.conversation.demos if one not in _forms(desk, turn)]
    if len(kept) < len(desk.chat.conversation.demos):
        desk.chat.learn(kept)
    desk.chat.tell(MarkEvent(turn=turn.number, mark="bad", why=rest))
    desk.tell("noted. /fix TEXT says what the answer should have been, /fix call N {…} a call's arguments")


def _forms(desk: Desk, turn: Turn) -> list[dict[str, Any]]:
    return [demo_of(desk.chat.answering, turn)] if turn.end is not None and turn.end.outputs else []


async def _fix(desk: Desk, rest: str) -> None:
    turn = desk.last_turn()
    if not rest:
        raise UsageMistake("/fix wants the right answer, or: /fix call N {arguments as JSON}")
    word, _, after = rest.partition(" ")
    if word == "call":
        await _fix_call(desk, turn, after.strip())
        return
    outputs = _corrected(desk, turn, rest)
    end = EndEvent(turn=turn.number, outputs=outputs, reason="submit", usage=UsageForm())
    desk.chat.tell(MarkEvent(turn=turn.number, mark="fixed"))
    desk.chat.tell(end)
    desk.tell("the answer is put right; /good makes the turn a demonstration")


def _corrected(desk: Desk, turn: Turn, text: str) -> dict[str, Any]:
    """The outputs with what the person wrote: the one output, or some of several as a JSON object."""
    signature = desk.chat.answering.signature
    names = list(desk.chat.answering.outputs)
    given: dict[str, Any] = {names[0]: text}
    if len(names) > 1:
        given = _object(text) or {}
        if not given or not set(given) <= set(names):
            raise UsageMistake(f"write the right values as a JSON object with some of: {', '.join(names)}")
    try:
        whole = parse_outputs(signature, {**turn.outputs, **given})
    except LoopwrightError as error:
        raise UsageMistake(str(error)) from error
    return {name: to_plain(value) for name, value in whole.items()}


async def _fix_call(desk: Desk, turn: Turn, text: str) -> None:
    place, _, written = text.partition(" ")
    calls = [result for step in turn.steps for result in step.results if result.call.name != SUBMIT]
    number = counted(place, len(calls), "call", "the turn made no call") if place else 0
    args = _object(written)
    if number == 0 or args is None:
        raise UsageMistake('write the call\'s number and its arguments: /fix call 1 {"order_id": 17}')
    event = await fixed_call(desk.chat, turn, number, args)
    desk.chat.tell(event)
    desk.tell(f"{number}. {event.call.call()}\n{event.result.content}")


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object that a person wrote; None where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _demos(desk: Desk, rest: str) -> None:
    chat = desk.chat
    word, _, place = rest.partition(" ")
    demos = list(chat.conversation.demos)
    if word == "add":
        _add(desk, _chosen(desk, place.strip()))
    elif word == "drop":
        number = counted(place.strip(), len(demos), "demonstration", "/good makes one of the last turn")
        del demos[number - 1]
        chat.learn(demos)
    elif word == "clear":
        chat.learn([])
    elif rest:
        raise UsageMistake("write /demos, /demos add K (a turn), /demos drop N or /demos clear")
    question = chat.answering.question
    lines = [
        f"{number}. {one_line(str(demo['values'].get(question, '')), 60)}"
        f" -> {one_line(str(next((demo['values'].get(n) for n in chat.answering.outputs), '')), 60)}"
        for number, demo in enumerate(chat.conversation.demos, 1)
    ]
    desk.tell("\n".join(lines) or "no demonstrations; /good makes one of the last turn")


def _chosen(desk: Desk, place: str) -> Turn:
    turns = desk.chat.conversation.turns
    return turns[counted_turn(place, len(turns)) - 1] if place else desk.last_turn()


def _add(desk: Desk, turn: Turn) -> None:
    if turn.end is None or not turn.end.answered:
        raise UsageMistake("that turn has no answer to learn from; /fix TEXT gives it one")
    demo = demo_of(desk.chat.answering, turn)
    if demo in desk.chat.conversation.demos:
        raise UsageMistake("that turn is a demonstration already")
    desk.chat.learn([*desk.chat.conversation.demos, demo])


COMMANDS = (
    Command("/good [K]", "The last turn, or the K-th, becomes a demonstration.", _good),
    Command("/bad [WHY]", "The last turn was not good; what it taught is dropped.", _bad),
    Command("/fix TEXT", "The right answer to the last message; /fix call N {…} makes a call anew.", _fix),
    Command("/demos [add K|drop N|clear]", "The demonstrations that the model is shown.", _demos),
)
