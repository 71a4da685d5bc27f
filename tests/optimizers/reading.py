"""The simulated model with a writer that reads, and a metric that says what was missed: a fair world for texts.

`SimulatedLM` heeds no text but two sentences, and writes by lot: there texts can gain little. Here each skill has a
rule as well. The student follows the rules that its prompt or a tool's description holds, less surely than what it was
shown. The writer puts down the rules that it has reason to: of what feedback says was missed nearly all, of what a text
that did well says nearly all, of what it sees done in a good run many, of what it can only guess from the tools few;
and now and then it spoils a text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimizers.simulator import (
    ASTRAY,
    BASE,
    DETOUR,
    FUMBLE,
    GUESS,
    HARMFUL,
    LOST,
    LUCK,
    SKILLS,
    Mind,
    Shop,
    SimulatedLM,
    needed,
)
from optimizers.simulator import _unit as unit

from loopwright import Example, Prediction, Trajectory
from loopwright.evaluation.metrics import Score
from loopwright.models import LMRequest
from loopwright.tools import ToolCall

TOLD = 0.85  # how often a rule is followed
RULES: Mapping[str, str] = {
    "archive": "An archived order is read with get_archive.",
    "retry": "After a 503 the same call is made again.",
    "pages": "The second page of list_items is added.",
    "voids": "Voided lines (list_voids) are subtracted.",
    "tax": "The tax (tax_of) is added.",
    "convert": "What is wanted in EUR goes through convert.",
}
MISSED: Mapping[str, str] = {
    "archive": "the order is archived: what get_order says of it is outdated",
    "retry": "the shop was busy, and it was not asked again",
    "pages": "the items of the second page are left out",
    "voids": "the voided lines are still in it",
    "tax": "the tax is left out",
    "convert": "it is in dollars",
}
TOOL: Mapping[str, str] = {
    "archive": "get_archive",
    "pages": "list_items",
    "voids": "list_voids",
    "tax": "tax_of",
    "convert": "convert",
}
READ, KEPT, SEEN, GUESSED, SPOILT = 0.9, 0.95, 0.5, 0.12, 0.15


@dataclass(frozen=True)
class FairShop(Shop):
    """The shop with a metric that says what was missed."""

    def judged(self, example: Example, prediction: Prediction, trace: object = None) -> Score:
        """Whether the answer is right; where it is not, which skills the run did not show."""
        right = self.metric(example, prediction)
        trajectory = prediction.get("trajectory")
        done = exhibited(trajectory) if isinstance(trajectory, Trajectory) else set()
        missed = [MISSED[skill] for skill in SKILLS if skill in needed(example) - done]
        return Score(float(right), feedback="" if right else "; ".join(missed) or "the amount is wrong")

    def reach(self, tasks: Sequence[Example], told: Sequence[str] = SKILLS) -> float:
        """What a prompt scores in expectation that holds these rules and shows nothing: the closed form."""
        return sum(self._told_chance(task, told) for task in tasks) / len(tasks)

    def _told_chance(self, task: Example, told: Sequence[str]) -> float:
        right = (1 - DETOUR * ASTRAY) * (1 - FUMBLE * LOST)
        for skill in needed(task):
            right *= TOLD if skill in told else BASE[skill]
        if task["answer"] in ("yes", "no"):
            right = GUESS / 2 + (1 - GUESS) * (right + (1 - right) * LUCK)
        return right * (1 - self.noise) + (1 - right) * self.noise


def exhibited(trajectory: Trajectory) -> set[str]:
    """The skills that a run shows."""
    good = [result for result in trajectory.results if result.ok]
    names = {result.call.name for result in good}
    found = {skill for skill, tool in TOOL.items() if tool in names}
    failed = [result for result in trajectory.results if "503" in result.content]
    again = any(dict(one.call.args) == dict(bad.call.args) for bad in failed for one in good)
    return found | ({"retry"} if again or not failed else set())


class ReadingLM(SimulatedLM):
    """The simulated model that follows rules, and writes those that it has read of."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.model = f"reading-{seed}"
        self._asked = threading.local()

    def _turn(self, request: LMRequest) -> tuple[ToolCall, str]:
        prompt = [request.messages[0].content, *(tool.description for tool in request.tools)]
        self._asked.told = rules_in("\n".join(prompt))
        return super()._turn(request)

    def _rate(self, skill: str, mind: Mind) -> float:
        rate = super()._rate(skill, mind)
        return max(rate, TOLD) if skill in self._asked.told else rate

    def _proposal(self, request: LMRequest) -> str:
        task = request.messages[-1].content
        reasons = dict.fromkeys(SKILLS, GUESSED)
        for skill in SKILLS:
            if TOOL.get(skill, "503") in field(task, "worked_examples", "better_run"):
                reasons[skill] = SEEN
            if MISSED[skill] in field(task, "runs"):
                reasons[skill] = READ
            if RULES[skill] in field(task, "current_text") or RULES[skill] in best_of(field(task, "tried")):
                reasons[skill] = KEPT
        place = (self.seed, "written", task, request.rollout_id)
        text = [RULES[skill] for skill in SKILLS if unit(*place, skill) < reasons[skill]]
        text += [HARMFUL] if unit(*place, "spoilt") < SPOILT else []
        asked = re.findall(r"\[\[ ## (proposal|summary|rule) ## \]\]", request.messages[0].content)
        return f"[[ ## {asked[-1]} ## ]]\n{' '.join(text) or 'You work for a shop.'}"


def rules_in(text: str) -> frozenset[str]:
    """The skills whose rules a text holds."""
    return frozenset(skill for skill, rule in RULES.items() if rule in text)


def field(message: str, *names: str) -> str:
    """What a message says in these fields."""
    parts = re.split(r"\[\[ ## (\w+) ## \]\]", message)
    return "\n".join(text for name, text in zip(parts[1::2], parts[2::2], strict=True) if name in names)


def best_of(tried: str) -> str:
    """The last of the texts that were tried, which is the one with the best score."""
    return re.split(r"Text \d+, score [\d.]+:", tried)[-1]
