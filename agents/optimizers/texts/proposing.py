"""Proposals: new texts for a program, written by a model that knows the program, its tasks and what was tried.

After Opsahl-Ong et al., "Optimizing Instructions and Demonstrations for Multi-Stage Language Model Programs" (EMNLP
2024): proposals are grounded in a summary of the data, an outline of the program, demonstrations and a tip each. A
proposal is a rollout as any other, of a program of one predictor: it is paid from the same budget and kept in the same
store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...adapters.base import scaffold
from ...adapters.values import format_value
from ...example import Example
from ...models.base import BaseLM
from ...module import Module
from ...modules.predict import Predict
from ...signature import Signature
from ...text import one_line
from ..components import Component, outline, text_of
from ..driving.rollouts import Outcome, Rollout

MAX_TEXT = 4_000  # characters of a proposal that are kept: a longer one has lost its thread, and every call pays for it
SHOWN = 300  # characters of one value of an example
FAILED_CALLS = 5  # of a tool that its proposal is shown
SUMMARIZED = 24  # examples that a summary is made from

TIPS = (
    "",
    "Be concrete: name the tools, fields and forms that matter.",
    "Keep it short: a few plain sentences, each of which changes what is done.",
    "Write it as steps, in the order in which they are taken.",
    "Say what is easily done wrong with such tasks, and what to do instead.",
    "Say who does this work well, and have the model work as they do.",
    "Say how to check the result before it is given.",
)

_SUMMARY = Signature("tasks -> summary", scaffold("tasks_summary").template)
_INPUTS = "program, tasks_summary, worked_examples, text_of, current_text, tip -> proposal"
_PROPOSALS = {
    kind: Signature(_INPUTS, scaffold(f"proposal_{kind}").template)
    for kind in ("instructions", "guidance", "tool")
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a proposal is based on: an outline of the program, a summary of the tasks, worked examples as text.

    `failures` are calls of a tool that failed, with what was said of them, by the tool's name.
    """

    program: str
    summary: str = ""
    worked: str = ""
    failures: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        program: Module,
        summary: str = "",
        failures: Mapping[str, Sequence[str]] | None = None,
    ) -> Grounds:
        """On a program, without worked examples."""
        return cls(outline(program), summary, failures=failures or {})

    def with_examples(self, demos: Sequence[Example]) -> Grounds:
        """The same with these worked examples."""
        return replace(self, worked="\n\n".join(map(example_text, demos)))

    def without_program(self) -> Grounds:
        """The same for a proposer that is not shown the program."""
        return replace(self, program="")

    def examples_for(self, component: Component) -> str:
        """What is shown as examples: of a tool the calls that failed, else whole worked examples."""
        failed = self.failures.get(component.tool, ())[:FAILED_CALLS]
        if component.kind == "tool" and failed:
            return "Calls that failed:\n" + "\n".join(one_line(call, SHOWN) for call in failed)
        return self.worked


def asked_summary(examples: Sequence[Example], lm: BaseLM | None) -> Rollout:
    """A rollout that says what tasks have in common; `summary_in` reads it."""
    tasks = "\n\n".join(example_text(example) for example in examples[:SUMMARIZED])
    return Rollout(Predict(_SUMMARY), Example(tasks=tasks).with_inputs("tasks"), lm=lm, judged=False)


def summary_in(outcome: Outcome) -> str:
    """The summary that was asked for; "" where the model gave none."""
    return cleaned(outcome.prediction.get("summary", ""))


def asked_proposal(
    program: Module,
    component: Component,
    grounds: Grounds,
    *,
    tip: str,
    number: int,
    temperature: float,
    lm: BaseLM | None,
) -> Rollout:
    """A rollout that writes a component anew; `proposal_in` reads it."""
    asked = Example(
        program=grounds.program or "(not shown)",
        tasks_summary=grounds.summary or "(none)",
        worked_examples=grounds.examples_for(component) or "(none)",
        text_of=str(component),
        current_text=text_of(program, component) or "(empty)",
        tip=tip or "(none)",
    )
    return Rollout(
        Predict(_PROPOSALS[component.kind]),
        asked.with_inputs(*asked.keys()),
        number,
        temperature=temperature,
        lm=lm,
        judged=False,
    )


def proposal_in(outcome: Outcome) -> str:
    """The text that was asked for; "" where the model gave none."""
    return cleaned(outcome.prediction.get("proposal", ""))


def cleaned(given: object) -> str:
    r"""A model's text without the fence or the quotes around it, and not longer than `MAX_TEXT`.

    >>> cleaned('```\nBe brief.\n```'), cleaned('"Be brief."')
    ('Be brief.', 'Be brief.')
    """
    text = str(given or "").strip()
    fenced = re.fullmatch(r"```[\w-]*\n(.*)\n?```", text, re.DOTALL)
    if fenced:
        text = fenced[1].strip()
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        text = text[1:-1].strip()
    return text[:MAX_TEXT]


def example_text(example: Example) -> str:
    """An example for a prompt: its inputs, the steps of its trajectory if it has one, and what is right.

    >>> print(example_text(Example(question="2 + 2?", answer=4, task_id="sum").with_inputs("question")))
    question: 2 + 2?
    answer: 4
    """
    hidden = {"task_id", "group", "trajectory"}
    inputs = example.inputs().keys() if example.has_inputs else []
    names = [*inputs, *(name for name in example.keys() if name not in inputs)]  # noqa: SIM118  # a record, no dict
    lines = [
        f"{name}: {one_line(format_value(example[name]), SHOWN)}" for name in names if name not in hidden
    ]
    if "trajectory" in example:
        place = len([name for name in inputs if name not in hidden])
        steps = (one_line(line, SHOWN) for line in str(example.trajectory).splitlines())
        lines[place:place] = [f"    {line}" for line in steps]
    return "\n".join(lines)
