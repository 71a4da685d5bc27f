"""A summary in the place of the turns until now."""

from __future__ import annotations

from ...adapters.values import format_value
from ...ambient import context
from ...errors import ConfigurationError
from ...modules.predict import Predict
from ...modules.recap import recap_trajectory
from ...runtime.usage import track_usage
from ...signature import Signature
from ...trajectory import Trajectory
from .chat import Chat
from .conversation import Conversation
from .events import CompactEvent
from .forms import UsageForm

_TASK = (
    "Summarise this conversation for the assistant who will go on with it: what the person wants, what was found out, "
    "with all names, numbers and decisions, what is open. Leave out what no longer matters."
)


async def summarised(chat: Chat, what_matters: str) -> CompactEvent:
    """Have the model summarise the conversation; raises where it can't."""
    here = chat.answering
    if not here.remembers:
        raise ConfigurationError(f"{here.lm.model} remembers nothing, so there is nothing to summarise")
    wish = f" The person says what matters: {what_matters}" if what_matters else ""
    summarise = Predict(Signature.of("conversation -> summary", _TASK + wish))
    with context(lm=here.lm), track_usage() as usage:
        prediction = await summarise.acall(conversation=as_text(chat.conversation))
    return CompactEvent(
        turn=chat.conversation.last, summary=str(prediction.summary), usage=UsageForm.of(usage.total)
    )


def as_text(conversation: Conversation) -> str:
    """The conversation for a model to read."""
    after = 0 if conversation.summary is None else conversation.summary.turn
    parts = (
        [] if conversation.summary is None else [f"(What was said before: {conversation.summary.summary})"]
    )
    for turn in conversation.turns:
        if turn.number > after and turn.told:
            steps = recap_trajectory(Trajectory(turn.steps))
            answer = "\n".join(format_value(value) for value in turn.outputs.values())
            parts += [
                f"Person: {turn.message}",
                *([f"Steps:\n{steps}"] if steps else []),
                f"Assistant: {answer}",
            ]
    return "\n\n".join(parts)
