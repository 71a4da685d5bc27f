"""Programs of one's own, and what is none, for the tests of task files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from loopwright import Module, Predict, Prediction, ReAct
from loopwright.tools.resolve import resolve

NUMBER = 3
SHOP = resolve("shop.py:TOOLS", base=Path(__file__).parent)


class Two(Module):
    """Two agents, one after the other; what it is given and answers it does not say."""

    def __init__(self) -> None:
        self.first = ReAct("question -> note", tools=[SHOP["get_order"]])
        self.second = ReAct("question, note -> answer: float", tools=[SHOP["get_order"], SHOP["refund"]])

    def forward(self, question: str) -> Any:
        return self.second(question=question, note=self.first(question=question).note)


def build() -> Module:
    return ReAct("question -> answer: float", tools=SHOP)


def build_two() -> Module:
    return Two()


def build_plain() -> Module:
    return Predict("question -> answer: float")


def build_with_history() -> Module:
    return Predict("request, history: History -> reply")


def build_text() -> str:
    return "program"


def build_broken() -> Module:
    return Predict(os.environ["MODEL"])


class Silent(Module):
    def forward(self, question: str) -> Prediction:
        return Prediction(answer=len(question))


def build_silent() -> Module:
    return Silent()


MADE = build()
