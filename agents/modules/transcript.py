"""A run's conversation, and what is left out of it when it outgrows what its model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from loopwright.tools.render import cut

from ..messages import Message
from ..models.base import LMRequest, LMResponse
from ..text import call_text, one_line
from ..trajectory import Step

_SHORT = 300  # characters that are left of an observation which is shortened
_LINE = 160  # characters of a call, and of a result, in the note on steps that were folded
_ROOM = 0.7  # of the window that a conversation is brought down to: it is not rewritten at every step then
_CHARS_A_TOKEN = 4.0  # until the model has said how many it counts

NOTE = "(The beginning of this conversation was folded to save room. The steps that are left out, in short:"


@dataclass
class Transcript:
    """Messages that are only added to, until there are too many for the model's window.

    Then the oldest observations are shortened, and after that the oldest steps are folded into one note; the latest
    step stays whole as long as that is possible. The trajectory keeps everything.
    """

    opening: LMRequest
    window: int | None
    turns: list[tuple[Message, ...]] = field(default_factory=list)
    folded: int = 0
    note: list[str] = field(default_factory=list)
    chars_a_token: float = _CHARS_A_TOKEN
    chars: int = field(init=False)

    def __post_init__(self) -> None:
        tools = sum(len(tool.description) + len(str(tool.parameters)) for tool in self.opening.tools)
        self.chars = tools + _size(self.opening.messages)

    def add(self, *messages: Message) -> None:
        """Add what a turn said and was told."""
        self.turns.append(messages)
        self.chars += _size(messages)

    def amend(self, message: Message) -> None:
        """Put another message in the place of the last one, which has not been sent."""
        *others, last = self.turns[-1] if self.turns else self.opening.messages
        self.chars += _size((message,)) - _size((last,))
        if self.turns:
            self.turns[-1] = (*others, message)
        else:
            self.opening = self.opening.with_messages((*others, message))

    def messages(self) -> tuple[Message, ...]:
        """The conversation as the model gets it."""
        kept = (message for turn in self.turns[self.folded :] for message in turn)
        if not self.note:
            return (*self.opening.messages, *kept)
        *before, last = self.opening.messages  # the note goes into it: some servers want turns to alternate
        return (*before, replace(last, content=f"{last.content}\n\n{self._note()}"), *kept)

    def _note(self) -> str:
        return "\n".join([NOTE, *self.note]) + ")" if self.note else ""

    def learn(self, response: LMResponse) -> None:
        """Take the model's own count of the conversation for the measure of what comes."""
        counted = response.usage.prompt_tokens
        if counted > 0:
            self.chars_a_token = max(0.5, self.chars / counted)

    @property
    def fits(self) -> bool:
        """Whether the conversation and an answer fit into the window, as far as that can be known beforehand."""
        return self.window is None or self._tokens() <= self.window

    def _tokens(self) -> float:
        answer = self.opening.max_tokens or min(1_024, (self.window or 0) // 8)
        return self.chars / self.chars_a_token + answer

    def leave_out(self, steps: Sequence[Step]) -> bool:
        """Leave out as much as it takes to come well below the window; False where nothing can be left out."""
        now = self._tokens()
        target = _ROOM * min(now, self.window or now)
        progress = True
        while progress and self._tokens() > target:
            progress = self._leave_out(steps)
        return self._tokens() < now

    def _leave_out(self, steps: Sequence[Step]) -> bool:
        """Shorten one turn's observations, or fold one step; False where that is no longer possible."""
        latest = len(self.turns) - 1
        for place in range(self.folded, latest):
            if self._shorten(place):
                return True
        if self.folded < min(latest, len(steps)):
            before = len(self._note()) + _size(self.turns[self.folded])
            self.note += _lines(self.folded + 1, steps[self.folded])
            self.folded += 1
            self.chars += len(self._note()) - before
            return True
        return latest >= self.folded and (self._shorten(latest) or self._shorten(latest, said=True))

    def _shorten(self, place: int, *, said: bool = False) -> bool:
        """Shorten what a turn was told; with `said`, where nothing else is left, also what it said beside calls."""
        turn = self.turns[place]
        short = tuple(
            replace(message, content=cut(message.content, _SHORT))
            if (said or message.role != "assistant") and len(message.content) > _SHORT
            else message
            for message in turn
        )
        saved = _size(turn) - _size(short)
        self.turns[place] = short
        self.chars -= saved
        return saved > 0


def _size(messages: Sequence[Message]) -> int:
    """Characters, about as a model gets them."""
    size = 0
    for message in messages:
        size += len(message.content) + 12
        for call in message.tool_calls:
            size += len(call.name) + len(call.malformed) + _length(call.args) + 40
    return size


def _length(args: Mapping[str, object]) -> int:
    try:
        return len(str(args))
    except (RecursionError, ValueError):  # nested without end, a number of thousands of digits
        return 0


def _lines(number: int, step: Step) -> list[str]:
    return [
        f"{number}. {one_line(call_text(result.call), _LINE)} -> {one_line(result.content, _LINE)}"
        for result in step.results
    ]
