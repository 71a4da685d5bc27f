"""GEPA: texts that evolve by reflection, from a front of candidates that are each the best at something.

After Agrawal et al., "GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning" (arXiv 2507.19457).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Unpack

from ...errors import ConfigurationError
from ...evaluation.metrics import Metric, wants
from ...example import Example
from ...models.base import BaseLM
from ...models.lm import LM
from ...text import counted
from ..base import Optimizer, Program, Setting
from ..components import Component, components, text_of, with_texts
from ..conclusion import concluded, parts_of
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Rollout, Search, draws
from ..options import CompileOptions, with_defaults
from ..racing import PERFECT, UNSCORED, Arm, Board, confirm, rung_order, unchanged
from ..report import Decision
from .mipro import CANDIDATES, Auto, trials_of
from .pareto import drawn_from, front
from .proposing import proposal_in
from .reflecting import Seen, asked_reflection

RESERVE = 0.2  # of the budget for the confirmation
BORN = 8  # candidates at least that a small effort should do for
LEAST = 12  # held-out tasks of the front
MERGED_ON = 5  # held-out tasks that a merged candidate must do as well on as its parents

Proposer = Callable[
    [dict[str, str], Mapping[str, Sequence[Mapping[str, object]]], list[str]], Mapping[str, str]
]
"""A reflection of the user's own: (texts by component, runs by component, components to write) -> new texts."""


@dataclass(slots=True)
class Family:
    """The candidates so far: their arms in the order of birth, the texts of each, and from whom each comes."""

    board: Board
    arms: dict[str, Arm] = field(default_factory=dict)
    texts: dict[str, dict[Component, str]] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    def add(self, arm: Arm, texts: dict[Component, str], *parents: str) -> None:
        """A candidate is born."""
        self.arms[arm.name], self.texts[arm.name], self.parents[arm.name] = arm, texts, parents

    def front(self) -> dict[str, int]:
        """Those on the Pareto front over the held-out tasks."""
        values = self.board.values
        means = {
            name: {str(task): sum(found) / len(found) for task, found in values.get(name, {}).items()}
            for name in self.arms
        }
        return front(means)


class GEPA(Optimizer):
    """Evolves instructions, an agent's guidance and the descriptions of its tools, by reflection on its own runs.

    A candidate is drawn from the Pareto front over held-out tasks, run on a few training tasks, and a model
    (`reflection_lm`, else the program's) reads the steps and what the metric said, and writes one text anew. A child
    that does better on these tasks is run on the held-out ones and joins. `metric` says most where it returns a `Score`
    or a `Prediction(score=, feedback=)`; DSPy's form with five arguments does as well. Effort: `auto`, or
    `max_full_evals` of the held-out tasks, or `max_metric_calls`; "light" unless told. `use_merge` also joins what two
    candidates have learned apart from each other. The best is confirmed against the student on tasks that chose
    nothing.

    `component_selector` is "round_robin" or "all"; `instruction_proposer` writes the texts in place of the model (its
    own calls are in no budget). In `log_dir` finished rollouts are kept. The arguments after it are taken because DSPy's
    programs give them, and change nothing; wandb, mlflow and code proposals there are none.
    """

    def __init__(
        self,
        metric: Metric,
        *,
        auto: Auto | None = None,
        max_full_evals: int | None = None,
        max_metric_calls: int | None = None,
        reflection_minibatch_size: int = 3,
        candidate_selection_strategy: Literal["pareto", "current_best"] = "pareto",
        reflection_lm: BaseLM | str | None = None,
        skip_perfect_score: bool = True,
        add_format_failure_as_feedback: bool = False,
        instruction_proposer: Proposer | None = None,
        code_proposer: None = None,
        component_selector: Literal["round_robin", "all"] = "round_robin",
        use_merge: bool = True,
        max_merge_invocations: int | None = 5,
        num_threads: int | None = None,
        failure_score: float = 0.0,
        perfect_score: float = 1.0,
        log_dir: str | Path | None = None,
        track_stats: bool = False,
        use_wandb: bool = False,
        wandb_api_key: str | None = None,
        wandb_init_kwargs: dict[str, Any] | None = None,
        track_best_outputs: bool = False,
        warn_on_score_mismatch: bool = True,
        use_mlflow: bool = False,
        seed: int | None = 0,
        gepa_kwargs: dict[str, Any] | None = None,
    ) -> None:
        efforts = {"auto": auto, "max_full_evals": max_full_evals, "max_metric_calls": max_metric_calls}
        given = [name for name, value in efforts.items() if value is not None]
        if len(given) > 1:
            raise ConfigurationError(
                f"the effort is set by one of auto, max_full_evals, max_metric_calls; not {given}"
            )
        if auto is not None and auto not in CANDIDATES:
            raise ConfigurationError(f"auto is light, medium, heavy or None, not {auto!r}")
        for name, wanted in {
            "wandb": use_wandb,
            "mlflow": use_mlflow,
            "code proposals": code_proposer,
        }.items():
            if wanted:
                raise ConfigurationError(
                    f"there is no {name} here: the report of a compile is its compile_report"
                )
        if component_selector not in ("round_robin", "all"):
            raise ConfigurationError("component_selector is 'round_robin' or 'all'")
        if candidate_selection_strategy not in ("pareto", "current_best"):
            raise ConfigurationError("candidate_selection_strategy is 'pareto' or 'current_best'")
        self.metric = _of_two_or_three(metric)
        self.auto, self.max_full_evals, self.max_metric_calls = auto, max_full_evals, max_metric_calls
        self.minibatch = max(1, reflection_minibatch_size)
        self.strategy = candidate_selection_strategy
        self.reflection_lm = LM(reflection_lm) if isinstance(reflection_lm, str) else reflection_lm
        self.skip_perfect_score, self.perfect_score = skip_perfect_score, perfect_score
        self.instruction_proposer = instruction_proposer
        self.component_selector = component_selector
        self.merges = (5 if max_merge_invocations is None else max_merge_invocations) if use_merge else 0
        self.num_threads = num_threads
        self.log_dir = log_dir
        self.seed = seed or 0

    def compile(
        self, student: Program, *, trainset: Sequence[Example], **options: Unpack[CompileOptions]
    ) -> Program:
        """A copy of the student with the best texts, or as it was where none are better."""
        filled = with_defaults(options, num_threads=self.num_threads)
        if self.log_dir is not None:
            filled.setdefault("store", Path(self.log_dir) / "rollouts.sqlite")
        return super().compile(student, trainset=trainset, **filled)

    def search(self, setting: Setting) -> Search:
        """Let candidates evolve until the effort is spent; confirm the best."""
        parts = parts_of(setting.train, setting.val, self.seed)
        family = Family(Board(Asker(setting.budget, RESERVE if parts.confirm else 0.0)))
        board, baseline = family.board, Arm("baseline", setting.student)
        family.add(baseline, {c: text_of(setting.student, c) for c in components(setting.student)})
        effort, merges, number = self._effort(setting, len(parts.val)), self.merges, 0
        held_out = self._held_out(parts.val, min(effort, board.asker.room()))
        yield from board.measure("held out", [baseline], held_out)
        while board.asker.asked < effort and not board.asker.exhausted and not self._done(family):
            before, born = board.asker.asked, len(family.arms)
            if merges and number % 3 == 2 and (yield from self._merged(setting, family, held_out, number)):
                merges -= 1
            else:
                yield from self._evolved(setting, family, parts.train, held_out, number)
            number += 1
            if board.asker.asked == before and len(family.arms) == born and number > effort:
                break  # nothing is left to improve
        arms = [arm for arm in family.arms.values() if arm is not baseline]
        best = sorted(arms, key=lambda arm: -board.mean(arm))[:1]
        verdict = yield from confirm(board, baseline, best, parts.confirm, _none_joined(family))
        if not arms and self._done(family):
            verdict = unchanged(baseline, PERFECT if board.is_perfect(baseline) else UNSCORED)
        notes = {"iterations": number, "front": family.front(), "note": parts.note}
        return concluded(
            type(self).__name__,
            self.seed,
            board,
            baseline,
            arms,
            verdict,
            family.decisions,
            notes,
            parts=parts,
        )

    def _done(self, family: Family) -> bool:
        """Whether a candidate has all that can be had on the held-out tasks, or the student has no score on any."""
        board = family.board
        unscored = board.score(family.arms["baseline"]) is None
        return unscored or any(map(board.is_perfect, family.arms.values()))

    def _held_out(self, val: Sequence[Example], effort: float) -> list[Example]:
        """The tasks of the front: few enough that several candidates can be run on all of them (n_pareto in the paper)."""
        order = rung_order(val, self.seed)
        if self.max_full_evals is not None or effort >= BORN * len(order):
            return order
        return order[: max(LEAST, int(effort / BORN))]

    def _effort(self, setting: Setting, val: int) -> int:
        """How many rollouts the search may ask for."""
        if self.max_metric_calls is not None:
            return self.max_metric_calls
        if self.max_full_evals is not None:
            return self.max_full_evals * (val + len(setting.train))
        count = CANDIDATES[self.auto or "light"]
        kinds = min(len(components(setting.student)), 4)
        return val + count * val + trials_of(kinds, count) * (2 * self.minibatch + 1)

    def _evolved(
        self, setting: Setting, family: Family, train: Sequence[Example], val: Sequence[Example], number: int
    ) -> Asks[None]:
        """One candidate is run on a few tasks, reflected on, and its child joins where it does better on them."""
        asker, chance = family.board.asker, draws(self.seed, "evolve", number)
        parent = family.arms[self._parent(family, number)]
        tasks = chance.sample(list(train), min(self.minibatch, len(train)))
        told = yield from asker.ask("reflect on", [Rollout(parent.program, task, number) for task in tasks])
        seen = [Seen(task, one) for task, one in zip(tasks, told, strict=True) if one.value is not None]
        if not seen or (self.skip_perfect_score and all(_value(one) >= self.perfect_score for one in seen)):
            return
        chosen = self._chosen(setting, seen, number)
        new = yield from self._written(parent, chosen, seen, asker, number)
        texts = {**family.texts[parent.name], **new}
        if not new or texts in family.texts.values():
            return
        name = f"{len(family.arms)}: {', '.join(map(str, new))}"
        child = Arm(name, with_texts(setting.student, texts), f"from {parent.name}")
        tried = yield from asker.ask("try", [Rollout(child.program, one.task, number) for one in seen])
        gain = sum(one.value or 0.0 for one in tried) - sum(_value(one) for one in seen)
        verdict = "joins" if gain > 0 else "dropped"
        family.decisions.append(
            Decision("evolve", name, verdict, f"{gain:+g} on {len(seen)} tasks, {child.note}")
        )
        if gain > 0:
            family.add(child, texts, parent.name)
            yield from family.board.measure("held out", [child], val)
            asker.best = f"best {max(map(family.board.mean, family.arms.values())):.1%}"

    def _parent(self, family: Family, number: int) -> str:
        if self.strategy == "current_best":
            return max(family.arms.values(), key=family.board.mean).name
        chances = family.front() or {"baseline": 1}
        return drawn_from(chances, draws(self.seed, "parent", number))

    def _chosen(self, setting: Setting, seen: Sequence[Seen], number: int) -> list[Component]:
        """The components to write anew: texts of predictors, and of the tools whose calls failed in these runs."""
        failed = {r.call.name for one in seen for r in one.outcome.trajectory.results if not r.ok}
        found = [c for c in components(setting.student) if c.kind != "tool" or c.tool in failed]
        return found if self.component_selector == "all" else [found[number % len(found)]]

    def _written(
        self, parent: Arm, chosen: Sequence[Component], seen: Sequence[Seen], asker: Asker, number: int
    ) -> Asks[dict[Component, str]]:
        """The new texts, without those that say the same."""
        if self.instruction_proposer is not None:
            runs: list[Mapping[str, object]] = [
                {"Inputs": one.given(), "Generated Outputs": one.did(), "Feedback": one.outcome.feedback}
                for one in seen
            ]
            names = {str(component): component for component in chosen}
            current = {name: text_of(parent.program, component) for name, component in names.items()}
            given = self.instruction_proposer(current, dict.fromkeys(names, runs), list(names))
            written = {names[name]: str(text) for name, text in given.items() if name in names}
        else:
            rollouts = [
                asked_reflection(parent.program, component, seen, number=number, lm=self.reflection_lm)
                for component in chosen
            ]
            told = yield from asker.ask("reflect", rollouts)
            written = {c: proposal_in(one) for c, one in zip(chosen, told, strict=True)}
        return {c: text for c, text in written.items() if text and text != text_of(parent.program, c)}

    def _merged(self, setting: Setting, family: Family, val: Sequence[Example], number: int) -> Asks[bool]:
        """Join two candidates of the front that changed different texts; whether there were such two."""
        student = family.texts["baseline"]
        names = sorted(family.front())
        pairs = [(a, b) for a in names for b in names if a < b]
        draws(self.seed, "merge", number).shuffle(pairs)
        for a, b in pairs:
            own = {c: text for c, text in family.texts[b].items() if text != student[c]}
            texts = {**family.texts[a], **{c: t for c, t in own.items() if family.texts[a][c] == student[c]}}
            if texts in family.texts.values():
                continue
            name = f"{len(family.arms)}: merge of {a.split(':')[0]} and {b.split(':')[0]}"
            child = Arm(name, with_texts(setting.student, texts), f"from {a} and {b}")
            few = draws(self.seed, "merge on", number).sample(list(val), min(MERGED_ON, len(val)))
            yield from family.board.measure("merge", [child], few)
            board = family.board
            theirs = [found for one in (a, b) if (found := board.on(family.arms[one], few)) is not None]
            good = (board.on(child, few) or 0.0) >= max(theirs, default=0.0)
            family.decisions.append(Decision("merge", name, "joins" if good else "dropped", child.note))
            if good:
                family.add(child, texts, a, b)
                yield from board.measure("held out", [child], val)
            return True
        return False


def _none_joined(family: Family) -> str:
    tried = sum(one.stage == "evolve" for one in family.decisions)
    if not tried:
        return "no text was written that says anything else"
    return f"{counted(tried, 'text')} written, and none did better on the tasks that it was written from"


def _value(seen: Seen) -> float:
    return seen.outcome.value or 0.0


def _of_two_or_three(metric: Metric) -> Metric:
    """A metric of DSPy's five arguments (and the name and trace of a predictor) as one of three."""
    if wants(metric) <= 3:
        return metric

    def judged(example: Example, prediction: object, trace: object = None) -> object:
        return metric(example, prediction, trace, None, None)

    return judged
