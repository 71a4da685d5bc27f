"""History: the turns of a conversation that came before, as one input of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loopwright.tools.errors import with_article

from .errors import InputError
from .example import Example


@dataclass(frozen=True, slots=True)
class History:
    r"""The turns before this one: each a mapping of the signature's fields, inputs and outputs together.

    A signature's input of this type is not shown as text: its turns become turns of the conversation, between the
    demonstrations and the live inputs. An agent's prediction brings its trajectory, which is then shown as it was.
    `messages` is a plain list, to be appended to after each turn.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import ScriptedLM
    >>> chat = Predict("question, history: History -> answer")
    >>> history = History()
    >>> lm = ScriptedLM(["[[ ## answer ## ]]\nParis", "[[ ## answer ## ]]\nTwo million"])
    >>> with context(lm=lm):
    ...     for question in ("The capital of France?", "How many live there?"):
    ...         prediction = chat(question=question, history=history)
    ...         history.messages.append({"question": question, **prediction})
    >>> [message.role for message in lm.requests[1].messages]
    ['system', 'user', 'assistant', 'user']
    """

    messages: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.messages, list):
            raise InputError(
                f"a history's messages are a list of turns, not {with_article(type(self.messages).__name__)}"
            )
        for number, turn in enumerate(self.messages, 1):
            _check_turn(number, turn)

    def examples(self, inputs: Mapping[str, object], outputs: Mapping[str, object]) -> list[Example]:
        """The turns as examples of a signature with these fields; raises `InputError` for one that has no output."""
        turns = []
        for number, turn in enumerate(self.messages, 1):
            _check_turn(number, turn)
            if not any(name in outputs for name in turn):
                raise InputError(
                    f"turn {number} of the history has no output; a turn has the signature's fields "
                    f"({', '.join([*inputs, *outputs])}), this one {', '.join(map(str, turn)) or 'nothing'}"
                )
            turns.append(Example(turn))
        return turns


def _check_turn(number: int, turn: object) -> None:
    if not isinstance(turn, Mapping):
        raise InputError(
            f"turn {number} of the history must be a dict of fields, not {with_article(type(turn).__name__)}"
        )
