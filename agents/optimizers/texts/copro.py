"""COPRO: one text after another, each by rounds of proposals that see what was tried and how it scored.

After DSPy's coordinate prompt optimizer; what it tries races on held-out tasks.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ...adapters.base import scaffold
from ...errors import ConfigurationError
from ...evaluation.metrics import Metric
from ...example import Example
from ...models.base import BaseLM
from ...models.lm import LM
from ...module import Module
from ...modules.predict import Predict
from ...signature import Signature
from ...text import counted
from ..base import Optimizer, Program, Setting
from ..components import Component, components, outline, text_of, with_texts
from ..conclusion import concluded, parts_of
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Outcome, Rollout, Search
from ..options import CompileOptions, with_defaults
from ..racing import Arm, Board, confirm, race
from ..report import Decision
from .proposing import TIPS, Grounds, asked_proposal, proposal_in

RESERVE = 0.25  # of the budget for the confirmation
SHOWN = 10  # texts with their scores that a proposal sees
KEPT = 2

_BETTER = Signature("program, text_of, tried -> proposal", scaffold("better_instructions").template)


class COPRO(Optimizer):
    """Writes each predictor's instructions anew (an agent's guidance), in `depth` rounds of `breadth` proposals.

    `prompt_model` writes, at `init_temperature`; from the second round on it sees what was tried with its scores. The
    best of all is confirmed against the student on tasks that chose nothing. Of `compile`'s `eval_kwargs` the
    `num_threads` counts; the others, and `track_stats`, are taken because DSPy's programs give them.
    """

    def __init__(
        self,
        prompt_model: BaseLM | str | None = None,
        metric: Metric | None = None,
        breadth: int = 10,
        depth: int = 3,
        init_temperature: float = 1.4,
        track_stats: bool = False,
        *,
        seed: int = 0,
        **_kwargs: Any,
    ) -> None:
        if breadth <= 1:
            raise ConfigurationError("breadth is how many texts are tried in a round, at least 2")
        self.prompt_model = LM(prompt_model) if isinstance(prompt_model, str) else prompt_model
        self.metric = metric
        self.breadth, self.depth, self.init_temperature = breadth, depth, init_temperature
        self.seed = seed

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        eval_kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with the best texts, or as it was where none are better."""
        filled = with_defaults(options, num_threads=(eval_kwargs or {}).get("num_threads"))
        return super(COPRO, copy.copy(self)).compile(student, trainset=trainset, **filled)

    def search(self, setting: Setting) -> Search:
        """Go through the texts, one after the other."""
        parts = parts_of(setting.train, setting.val, self.seed)
        board = Board(Asker(setting.budget, RESERVE if parts.confirm else 0.0))
        baseline = Arm("baseline", setting.student)
        best, arms, decisions = baseline, list[Arm](), list[Decision]()
        for component in components(setting.student):
            if component.kind == "tool":
                continue
            tried: dict[str, Arm] = {text_of(best.program, component): best}
            for depth in range(self.depth):
                if board.asker.exhausted:
                    break
                new = yield from self._proposed(board, best.program, component, tried, depth)
                tried |= new
                arms += new.values()
                left, dropped = yield from race(
                    board, baseline, [*new.values(), best], parts.val, self.seed, KEPT
                )
                decisions += [Decision("propose", arm.name, "tried", text) for text, arm in new.items()]
                decisions += dropped
                best = left[0]
                board.asker.best = f"best {board.mean(best):.1%}"
        finalists = [] if best is baseline else [best]
        verdict = yield from confirm(
            board,
            baseline,
            finalists,
            parts.confirm,
            f"{counted(len(arms), 'text')} written, and none did better" if arms else "no text was written",
        )
        notes = {"note": parts.note}
        return concluded(
            type(self).__name__, self.seed, board, baseline, arms, verdict, decisions, notes, parts=parts
        )

    def _proposed(
        self, board: Board, program: Module, component: Component, tried: Mapping[str, Arm], depth: int
    ) -> Asks[dict[str, Arm]]:
        """New texts, each with its arm."""
        if depth == 0:
            grounds = Grounds.of(program)
            rollouts = [
                asked_proposal(
                    program,
                    component,
                    grounds,
                    tip=TIPS[number % len(TIPS)],
                    number=number,
                    temperature=self.init_temperature,
                    lm=self.prompt_model,
                )
                for number in range(self.breadth - 1)
            ]
        else:
            rollouts = [self._asked_better(board, program, component, tried, n) for n in range(self.breadth)]
        told: Sequence[Outcome] = yield from board.asker.ask("propose", rollouts)
        new: dict[str, Arm] = {}
        for number, outcome in enumerate(told):
            text = proposal_in(outcome)
            if text and text not in tried and text not in new:
                made = with_texts(program, {component: text})
                new[text] = Arm(f"{component} {depth}.{number}", made, f"round {depth + 1}")
        return new

    def _asked_better(
        self, board: Board, program: Module, component: Component, tried: Mapping[str, Arm], number: int
    ) -> Rollout:
        ranked = sorted(tried.items(), key=lambda pair: board.mean(pair[1]))[-SHOWN:]
        told = "\n\n".join(
            f"Text {place}, score {max(board.mean(arm), 0):.3f}:\n{text or '(empty)'}"
            for place, (text, arm) in enumerate(ranked, 1)
        )
        asked = Example(program=outline(program), text_of=str(component), tried=told)
        return Rollout(
            Predict(_BETTER),
            asked.with_inputs(*asked.keys()),
            number,
            temperature=self.init_temperature,
            lm=self.prompt_model,
            judged=False,
        )
