"""The exact messages of modules that try several times, and of a conversation, so that a changed prompt is a diff.

`LOOPWRIGHT_WRITE_SNAPSHOTS=1 make test ARGS=tests/agents/test_attempt_prompts.py` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from agents_attempts import NATIVE

from loopwright import (
    ChatAdapter,
    History,
    MultiChainComparison,
    NativeAdapter,
    Prediction,
    ReAct,
    Refine,
    context,
)
from loopwright.evaluate import Score
from loopwright.models import FunctionLM, LMRequest, ScriptedLM
from loopwright.tools import ToolCall

SNAPSHOTS = Path(__file__).parent / "snapshots"
WRITE = "LOOPWRIGHT_WRITE_SNAPSHOTS" in os.environ


def price(item: str) -> float:
    """The price of an item."""
    return {"desk": 149.5}[item]


SHOP = ReAct("question -> answer: float", tools=[price])


def judged(inputs: dict[str, Any], prediction: Prediction) -> Score:
    return Score(0.25, feedback="the delivery is missing")


def refining() -> list[LMRequest]:
    """A run of an agent, the advice that follows it, and the first request of the next run."""
    seen: list[LMRequest] = []

    def model(request: LMRequest) -> Any:
        seen.append(request)
        if "to blame" in request.messages[0].content:
            return ToolCall("submit", {"discussion": "-", "advice": {"react": "Add the delivery, 20 euros."}})
        if request.messages[-1].role == "user":
            return ToolCall("price", {"item": "desk"})
        return ToolCall("submit", {"answer": 149.5})

    with context(lm=FunctionLM(model, capabilities=NATIVE), adapter=NativeAdapter()):
        Refine(SHOP, 2, judged, 1.0)(question="The desk, delivered?")
    return seen[2:4]


def comparing() -> list[LMRequest]:
    def chain(reasoning: str, answer: float) -> Prediction:
        return Prediction(reasoning=reasoning, answer=answer)

    lm = ScriptedLM(["[[ ## rationale ## ]]\n-\n\n[[ ## answer ## ]]\n169.5"])
    chains = [chain("The desk alone.\nSo 149.5.", 149.5), chain("With the delivery.", 169.5)]
    with context(lm=lm, adapter=ChatAdapter()):
        MultiChainComparison("question -> answer: float", M=2)(chains, question="The desk, delivered?")
    return lm.requests


def conversing() -> list[LMRequest]:
    lm = ScriptedLM(
        [ToolCall("price", {"item": "desk"}), *(ToolCall("submit", {"answer": n}) for n in (149.5, 299.0))],
        capabilities=NATIVE,
    )
    agent, history = ReAct("question, before: History -> answer: float", tools=[price]), History()
    with context(lm=lm, adapter=NativeAdapter()):
        first = agent(question="The desk?", before=history)
        history.messages.append({"question": "The desk?", **first})
        agent(question="And two of them?", before=history)
    return lm.requests[-1:]


def rendered(requests: list[LMRequest]) -> str:
    lines = []
    for request in requests:
        lines.append("════ request")
        for message in request.messages:
            answers = f" {message.name} {message.tool_call_id}" if message.role == "tool" else ""
            lines += [f"──── {message.role}{answers}", message.content]
            lines += [f"→ {call} {call.id}" for call in message.tool_calls]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("requests", [refining, comparing, conversing])
def test_the_prompt_is_the_one_on_file(requests: Any) -> None:
    file = SNAPSHOTS / f"{requests.__name__}.txt"
    text = rendered(requests())
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "LOOPWRIGHT_WRITE_SNAPSHOTS=1 accepts it"
