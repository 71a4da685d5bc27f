"""Commands that look: at what was sent, what came back, what it cost."""

from __future__ import annotations

from loopwright.tools.calls import ToolResult

from ....adapters.base import SUBMIT
from ....adapters.values import format_value
from ....ambient import describe_exchange
from ....models.base import Usage
from .base import Command, Desk, UsageMistake, counted

LONGEST = 100_000  # characters of one look


async def _usage(desk: Desk, rest: str) -> None:
    chat = desk.chat
    turns = chat.conversation.turns
    lines = []
    if turns and turns[-1].end is not None:
        last = turns[-1].end
        lines.append(f"last turn: {usage_text(last.usage.usage())}, {last.seconds:.1f} s")
    lines.append(f"session:   {usage_text(chat.conversation.spent)}, {len(turns)} turns")
    desk.tell("\n".join(lines))


def usage_text(usage: Usage) -> str:
    """Tokens and money; a price that is not known is said to be so.

    >>> usage_text(Usage(1200, 34)), usage_text(Usage(10, 2, usd=0.5))
    ('1,200 tokens in, 34 out, price unknown', '10 tokens in, 2 out, $0.5')
    """
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"{usage.prompt_tokens:,} tokens in{cached}, {usage.completion_tokens:,} out, {_price(usage)}"


def total_text(usage: Usage) -> str:
    """As `usage_text`, in a few words.

    >>> total_text(Usage(1200, 34, usd=0.5))
    '1,234 tokens, $0.5'
    """
    return f"{usage.total_tokens:,} tokens, {_price(usage)}"


def _price(usage: Usage) -> str:
    return "price unknown" if usage.usd is None else f"${usage.usd:.4g}"


async def _trace(desk: Desk, rest: str) -> None:
    exchanges = desk.chat.trace.exchanges
    if not exchanges:
        raise UsageMistake("no model was asked since the chat was opened")
    number = counted(rest, len(exchanges), "model call", "no model was asked") if rest else 0
    chosen = [exchanges[number - 1]]
    lines = [describe_exchange(one) for one in chosen]
    lines.append(
        f"(the last of {len(exchanges)} model calls of the turn; /trace N shows another)" if not rest else ""
    )
    desk.tell("\n".join(lines)[:LONGEST].rstrip())


async def _last(desk: Desk, rest: str) -> None:
    turn = desk.last_turn()
    lines = []
    for number, step in enumerate(turn.steps, 1):
        if step.thought:
            lines.append(f"{number}. {step.thought}")
        lines += [
            f"{number}. {result.call}\n{result.content}" for result in step.made if not _is_answer(result)
        ]
    lines += [f"{name}: {format_value(value)}" for name, value in turn.outputs.items()]
    desk.tell("\n".join(lines)[:LONGEST] or "nothing came of it")


def _is_answer(result: ToolResult) -> bool:
    """Whether a call is the answer, which is shown below."""
    return result.call.name == SUBMIT and result.ok


COMMANDS = (
    Command("/usage", "Tokens and money, of the last turn and of the session.", _usage),
    Command("/last", "The last turn whole: every call with its whole result, the answer.", _last),
    Command("/trace [N]", "What the model was sent in the last turn, and what it said.", _trace),
)
