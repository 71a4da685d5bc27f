"""Whether an answer of the embedded model may be beside the question: it answers everything as if it were of its kinds."""

from __future__ import annotations

import re

from ...adapters.base import SUBMIT
from ...text import words
from .conversation import Turn
from .forms import plain_args

DOUBT = "this may be beside the question: the embedded model knows sums, units and dates; /model NAME takes another"

_KIND = (  # compiled with the first answer: the first prompt does not wait for it
    r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|\w+teen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|halves|third|quarter|twice|double|triple|percent"
    r"|squared?|cubed?|root|sum|pi|today|tomorrow|yesterday|now|date|days?|weeks?|weekday|months?|years?|hours?|minutes?"
    r"|seconds?|leap|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july"
    r"|august|september|october|november|december)\b"
)
_LONGEST = 5_000  # characters of a message that are looked at


def is_doubtful(turn: Turn) -> bool:
    """Whether nothing in the message is a number or a date, and nothing of it went into a call.

    >>> is_doubtful(Turn(1, "hello")), is_doubtful(Turn(1, "What is 15% of 240?"))
    (True, False)
    """
    message = turn.message[:_LONGEST]
    if (turn.end is not None and not turn.end.answered) or re.search(_KIND, message, re.IGNORECASE):
        return False
    asked = set(words(message))
    used = " ".join(
        str(value)
        for result in turn.results
        if result.call.name != SUBMIT
        for value in plain_args(result.call).values()
    )
    return asked.isdisjoint(words(used[:_LONGEST]))
