"""The gate: which successes may become demonstrations. A pass alone is no reason to imitate a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loopwright.tools import ToolRegistry

from ...adapters.base import CODE, SUBMIT
from ...adapters.values import to_plain
from ...evaluation.tasks import TASK_ID
from ...example import Example
from ...modules.agent import Agent
from ..splits import GROUP
from .flow import VERDICTS, Seen, leaves, numbers_in, tokens
from .runs import Act, Shown, acts_of, tools_of

UNSOUND = ("invalid_args", "unknown_tool", "unparsed")
MOSTLY = 0.5  # of a task's attempts that must pass, where an answer may have been guessed
FEW_ANSWERS = 4  # different right answers in a trainset of at least MANY_TASKS: a guess may hit one
MANY_TASKS = 20
A_NAME = 2  # words of an argument that names something; more are a text of the agent's own


@dataclass(frozen=True, slots=True)
class Gate:
    """What successes are held against: the agents, what may be guessed, and how often each task was passed.

    `passed` is the share of a task's attempts that passed.
    """

    agents: Mapping[str, Agent]
    guessable: frozenset[str] = frozenset()
    passed: Mapping[str, float] = field(default_factory=dict)

    def refusal(self, shown: Shown, example: Example) -> str:
        """Why a run is no demonstration; "" where it may be one."""
        tools = tools_of(self.agents[shown.path])
        acts = acts_of(shown.trajectory)
        return (
            _unfinished(acts)
            or _unsound(acts)
            or self._lucky(shown, acts, tools)
            or self._unsupported(shown, example, acts, tools)
            or self._leaking(shown, example, acts, tools)
        )

    def _lucky(self, shown: Shown, acts: Sequence[Act], tools: ToolRegistry) -> str:
        """Luck: a small answer, and nothing looked up for it, or a task that mostly fails."""
        answer = _answer(shown, acts)
        small = [leaf for leaf in leaves(to_plain(answer)) if _is_guessable(leaf, self.guessable)]
        if not small:
            return ""
        if tools and not any(act.result.ok for act in acts if act.call.name != SUBMIT):
            return f"luck: {small[0]!r} was answered without looking anything up"
        share = self.passed.get(shown.task, 1.0)
        return (
            f"luck: {small[0]!r} can be guessed, and {share:.0%} of the attempts passed"
            if share < MOSTLY
            else ""
        )

    def _unsupported(self, shown: Shown, example: Example, acts: Sequence[Act], tools: ToolRegistry) -> str:
        """Support: the answer, and what is written anywhere, come of what was read.

        An output without a known right answer, a reply for instance, is in the agent's own words but for its numbers.
        """
        if not tools or any(act.call.name == CODE for act in acts):
            return ""  # there is nothing to read, or it was worked out in a program
        seen = self._told(shown, tools)
        for act in acts:
            if act.call.name == SUBMIT:
                for name, value in act.call.args.items():
                    missing = seen.unsupported(value) if name in example else seen.unsupported(value, most=0)
                    if missing:
                        return f"support: {missing} in the answer was read nowhere"
            elif act.result.ok and _writes(act, tools):
                missing = seen.unsupported(dict(act.call.args), most=A_NAME)
                if missing:
                    return f"support: {missing} was given to {act.call.name} and read nowhere"
            if act.result.ok:
                seen.add(act.result.content)
        return ""

    def _leaking(self, shown: Shown, example: Example, acts: Sequence[Act], tools: ToolRegistry) -> str:
        """Leak: a right answer is thought of, whole, before it could be known."""
        seen = self._told(shown, tools)
        outputs = [name for name in self.agents[shown.path].signature.output_fields if name in example]
        secrets = [
            tokens(str(leaf)) - seen.words - VERDICTS
            for name in outputs
            for leaf in leaves(to_plain(example[name]))
        ]
        for place, step in enumerate(shown.trajectory.steps):
            thought = tokens(step.thought)
            for secret in filter(None, secrets):
                if secret <= thought and not all(_is_known(token, seen) for token in secret):
                    return f"leak: {' '.join(sorted(secret))} is thought of before it was read"
            for act in acts:
                if act.step == place and act.result.ok:
                    seen.add(act.result.content)
        return ""

    def _told(self, shown: Shown, tools: ToolRegistry) -> Seen:
        """What is known before the first step: the inputs, the instructions, and what is said of the tools."""
        seen = Seen()
        for name in shown.demo.input_keys:
            for leaf in leaves(to_plain(shown.demo[name])):
                seen.add(str(leaf))
        seen.add(self.agents[shown.path].signature.instructions)
        seen.add("\n".join(f"{spec.description} {to_plain(dict(spec.parameters))}" for spec in tools.specs()))
        return seen


def guessable(examples: Sequence[Example], outputs: Sequence[str]) -> frozenset[str]:
    """Right answers of which there are so few that a guess may hit them.

    >>> rows = [Example(q=n, good=n % 2 == 0, size=n).with_inputs("q") for n in range(30)]
    >>> sorted(guessable(rows, ["good", "size"]))
    ['False', 'True']
    """
    few: set[str] = set()
    for name in outputs:
        answers = {str(example[name]) for example in examples if name in example}
        if len(examples) >= MANY_TASKS and len(answers) <= FEW_ANSWERS:
            few |= answers
    return frozenset(few)


def _is_guessable(leaf: object, few: frozenset[str]) -> bool:
    return isinstance(leaf, bool) or str(leaf) in few or str(leaf).strip().lower() in VERDICTS


def _writes(act: Act, tools: ToolRegistry) -> bool:
    """Whether a call changed something. Where no tool says that it only reads, nobody has said which of them write."""
    told = any(tool.effect in ("pure", "read") for tool in tools.values())
    return told and act.call.name in tools and tools[act.call.name].effect in ("write", "irreversible")


def _unfinished(acts: Sequence[Act]) -> str:
    last = acts[-1] if acts else None
    if last is None or last.call.name not in (SUBMIT, CODE) or not last.result.ok:
        return "it did not end by submitting"
    return ""


def _unsound(acts: Sequence[Act]) -> str:
    bad = next((act for act in acts if act.result.error in UNSOUND), None)
    return "" if bad is None else f"{bad.call.name} was called wrongly ({bad.result.error})"


def _answer(shown: Shown, acts: Sequence[Act]) -> object:
    if acts and acts[-1].call.name == SUBMIT:
        return dict(acts[-1].call.args)
    hidden = {*shown.demo.input_keys, "trajectory", GROUP, TASK_ID}
    return {name: value for name, value in shown.demo.items() if name not in hidden}


def _is_known(token: str, seen: Seen) -> bool:
    if token in seen.words:
        return True
    numbers = numbers_in(token)
    return bool(numbers) and all(map(seen.has_number, numbers))
