"""The exact messages of each adapter, so that a changed prompt is a visible diff.

`LOOPWRIGHT_WRITE_SNAPSHOTS=1 make test ARGS=tests/agents/test_snapshots.py` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from loopwright import (
    Adapter,
    ChatAdapter,
    Example,
    InputField,
    JSONAdapter,
    NativeAdapter,
    OutputField,
    Signature,
    Step,
    ToolRegistry,
    Trajectory,
)
from loopwright.adapters import Prompt
from loopwright.adapters.base import submit_spec
from loopwright.tools import ToolCall, ToolResult

SNAPSHOTS = Path(__file__).parent / "snapshots"
WRITE = "LOOPWRIGHT_WRITE_SNAPSHOTS" in os.environ
ADAPTERS: dict[str, Adapter] = {"chat": ChatAdapter(), "json": JSONAdapter(), "native": NativeAdapter()}


class Triage(Signature):
    """Sort a support mail."""

    mail: str = InputField()
    received: date = InputField(desc="when it came in")
    urgent: bool = OutputField(desc="whether someone must look today")
    team: Literal["billing", "shipping"] = OutputField()
    score: int = OutputField(ge=1, le=5)
    tags: list[str] = OutputField()


def get_order(order_id: int) -> str:
    """Look an order up.

    Args:
        order_id: The number on the parcel.
    """
    return f"order {order_id}"


def refund(order_id: int, amount: float | None = None) -> str:
    """Give the money back."""
    return f"refunded {order_id} {amount}"


ANSWERED = Example(
    mail="Where is my parcel?",
    received=date(2026, 1, 31),
    urgent=False,
    team="shipping",
    score=2,
    tags=["late"],
)
INPUTS = {"mail": 'Charged twice!\nPlease help, "now".', "received": date(2026, 2, 1)}
LOOKED_UP = (ToolCall("get_order", {"order_id": 17}), ToolCall("get_order", {"order_id": 18}))
RUN = Trajectory(
    (Step("Both orders.", LOOKED_UP, tuple(ToolResult(c, f"order {c.args['order_id']}") for c in LOOKED_UP)),)
)


def plain(adapter: Adapter) -> Prompt:
    return adapter.format(Signature.of(Triage), [ANSWERED], INPUTS)


def agent(adapter: Adapter) -> Prompt:
    signature = Signature.of(Triage)
    tools = [*ToolRegistry(get_order, refund).specs(), submit_spec(signature)]
    return adapter.format_agent(signature, [ANSWERED.copy(trajectory=RUN)], INPUTS, tools)


def rendered(prompt: Prompt) -> str:
    lines = []
    for message in prompt.messages:
        answers = f" {message.name} {message.tool_call_id}" if message.role == "tool" else ""
        lines += [f"──── {message.role}{answers}", message.content]
        lines += [f"→ {call} {call.id}" for call in message.tool_calls]
    for tool in prompt.tools:
        lines += [f"──── tool {tool.name}: {tool.description}", json.dumps(tool.parameters, indent=1)]
    if prompt.tools:
        lines += [f"──── tool_choice {prompt.tool_choice}"]
    if prompt.response_format is not None:
        lines += ["──── response_format", json.dumps(prompt.response_format, indent=1)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", [plain, agent], ids=["predict", "agent"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_the_prompt_is_the_one_on_file(
    name: str, kind: Callable[[Adapter], Prompt], request: pytest.FixtureRequest
) -> None:

    file = SNAPSHOTS / f"{name}_{'agent' if kind is agent else 'predict'}.txt"
    text = rendered(kind(ADAPTERS[name]))
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), (
        f"{request.node.name}: LOOPWRIGHT_WRITE_SNAPSHOTS=1 accepts it"
    )
