"""A call of a model as a person reads it."""

from __future__ import annotations

from .base import LMRequest, LMResponse


def describe_call(model: str, request: LMRequest, answer: LMResponse, seconds: float | None = None) -> str:
    """Every message, the tools' names, the answer, and what it cost.

    >>> from loopwright.messages import Message
    >>> print(describe_call("m", LMRequest((Message("user", "2 + 2?"),)), LMResponse("4")))
    ── m
    [user] 2 + 2?
    [answer] 4
    (0 + 0 tokens)
    """
    lines = [f"── {model}" if seconds is None else f"── {model}, {seconds:.2f} s"]
    for message in request.messages:
        lines.append(f"[{message.role}] {message.content}".rstrip())
        lines.extend(f"    → {call}" for call in message.tool_calls)
    if request.tools:
        lines.append(f"(tools: {', '.join(tool.name for tool in request.tools)})")
    lines.append(f"[answer] {answer.text}".rstrip())
    lines.extend(f"    → {call}" for call in answer.tool_calls)
    used = answer.usage
    lines.append(
        f"({used.prompt_tokens} + {used.completion_tokens} tokens{', from the cache' if answer.cached else ''})"
    )
    return "\n".join(lines)
