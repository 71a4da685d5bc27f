"""What is learned from a turn: a demonstration, a corrected call."""

from __future__ import annotations

from typing import Any

from loopwright.tools.calls import ToolCall

from ...adapters.base import SUBMIT
from ...ambient import context
from ...calling import AgentToolRun
from ...example import Example
from ...trajectory import Step, Trajectory
from .chat import Chat
from .conversation import Turn
from .events import FixEvent
from .forms import CallForm, ResultForm
from .setup import Answering, written_demos


def demo_of(answering: Answering, turn: Turn) -> dict[str, Any]:
    """A turn as a demonstration, in the form of a saved program: the message, what was done, the answer."""
    steps = tuple(step for step in map(_without_submit, turn.steps) if step.calls)
    fields: dict[str, Any] = {answering.question: turn.message, **turn.outputs}
    if steps:
        fields["trajectory"] = Trajectory(steps)
    return written_demos([Example(fields).with_inputs(answering.question)])[0]


def _without_submit(step: Step) -> Step:
    kept = [
        (call, result)
        for call, result in zip(step.calls, step.results, strict=False)
        if call.name != SUBMIT and result.ok
    ]
    return Step(
        step.thought, tuple(call for call, _ in kept), tuple(result for _, result in kept), step.seconds
    )


async def fixed_call(chat: Chat, turn: Turn, number: int, args: dict[str, Any]) -> FixEvent:
    """Make a turn's call anew, with other arguments, under the chat's policy; `number` counts its calls from 1."""
    places = [
        (step_place, call_place)
        for step_place, step in enumerate(turn.steps)
        for call_place, call in enumerate(step.calls)
        if call.name != SUBMIT
    ]
    step_place, call_place = places[number - 1]
    old = turn.steps[step_place].calls[call_place]
    new = ToolCall(old.name, args, old.id)
    with context(approval=chat.policy, dry_run=chat.dry_run):
        result = await chat.answering.tools.acall(new, AgentToolRun())
    return FixEvent(
        turn=turn.number,
        step=step_place,
        place=call_place,
        call=CallForm.of(result.call),
        result=ResultForm(content=result.content, error=result.error, seconds=round(result.seconds, 4)),
    )
