"""MIPROv2: instructions, guidance, descriptions of tools and demonstrations, chosen together.

After Opsahl-Ong et al., "Optimizing Instructions and Demonstrations for Multi-Stage Language Model Programs" (EMNLP
2024). Here all trials are on the same tasks, so that they can be compared, and the best are raced on more.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Unpack

from ...ambient import context
from ...errors import ConfigurationError
from ...evaluation.metrics import Metric
from ...example import Example
from ...models.base import BaseLM
from ...models.lm import LM
from ..base import Optimizer, Program, Setting
from ..components import Component, agent_paths, components, text_of, with_demos, with_texts
from ..conclusion import Parts, concluded, parts_of
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Search, draws
from ..few_shot.demo_sets import covering, drawn
from ..few_shot.demonstrations import Gathering, Solved, labelled_demos, shown
from ..options import CompileOptions, with_defaults
from ..racing import Arm, Board, confirm, race, rung_order
from ..report import Decision
from ..splits import is_of
from .proposing import TIPS, Grounds, asked_proposal, asked_summary, proposal_in, summary_in
from .tpe import Chooser, load_optuna

Auto = Literal["light", "medium", "heavy"]

CANDIDATES: Mapping[Auto, int] = {"light": 6, "medium": 12, "heavy": 18}
LARGEST_VAL: Mapping[Auto, int] = {"light": 100, "medium": 300, "heavy": 1000}
RESERVE = 0.25  # of the budget for the confirmation
GATHERED = 0.25  # of the budget at most for the pool of demonstrations
ROUNDS = 2  # of the teacher, the second at temperature 1: a set is no better than its pool
WORKED = 3  # examples that a proposal is shown
POOL = 2 * WORKED  # of them that are made where no demonstrations are wanted
TOOLS = 3  # whose descriptions are written anew at most: those whose calls fail most often
RACED = 6  # of the best trials that are raced on all tasks
FINALISTS = (
    2  # that are run on all tasks; the better one is confirmed, so that the confirmation chooses nothing
)


@dataclass(frozen=True, slots=True)
class Space:
    """What can be chosen: sets of demonstrations with a note each, and texts by component; place 0 is as it was."""

    sets: Sequence[tuple[str, Mapping[str, list[Example]]]]
    texts: Mapping[Component, Sequence[str]]

    @property
    def options(self) -> dict[str, int]:
        """How many there are of each kind."""
        kinds = {str(component): len(texts) for component, texts in self.texts.items()}
        return {name: count for name, count in {"demos": len(self.sets), **kinds}.items() if count > 1}

    def arm(self, setting: Setting, choice: Mapping[str, int]) -> Arm:
        """The program of a choice."""
        note, demos = self.sets[choice.get("demos", 0)]
        texts = {c: found[choice.get(str(c), 0)] for c, found in self.texts.items() if choice.get(str(c), 0)}
        program = with_texts(with_demos(setting.student, demos), texts)
        name = ", ".join(f"{kind} {place}" for kind, place in choice.items() if place) or "baseline"
        return Arm(name, program, note)


class MIPROv2(Optimizer):
    """Searches over sets of demonstrations and over texts that a model proposes, with optuna (extra `optuna`).

    The texts are a plain predictor's instructions; an agent's guidance, which follows its instructions, and the
    descriptions of the tools whose calls fail. Proposals know the program, a summary of the tasks, worked examples and
    a tip each. `auto` sets the effort, or else `num_candidates` and `compile(num_trials=...)`. Every trial is run on
    the same `minibatch_size` held-out tasks, every few trials the best on all of them; the best are raced, and
    confirmed against the student on tasks that chose nothing. `prompt_model` writes the texts, `task_model` is asked
    by the student, `teacher_settings={"lm": ...}` by the teacher. In `log_dir` finished rollouts are kept, so that a
    compile can go on where it was broken off. `max_errors`, `track_stats`, `provide_traceback` and
    `requires_permission_to_run` are taken because DSPy's programs give them, and change nothing.
    """

    def __init__(
        self,
        metric: Metric,
        prompt_model: BaseLM | str | None = None,
        task_model: BaseLM | str | None = None,
        teacher_settings: Mapping[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 4,
        auto: Auto | None = "light",
        num_candidates: int | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 9,
        init_temperature: float = 1.0,
        verbose: bool = False,
        track_stats: bool = True,
        log_dir: str | Path | None = None,
        metric_threshold: float | None = None,
    ) -> None:
        if auto is not None and auto not in CANDIDATES:
            raise ConfigurationError(f"auto is light, medium, heavy or None, not {auto!r}")
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.prompt_model = _model(prompt_model)
        self.task_model = _model(task_model)
        self.teacher_settings = teacher_settings
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.auto = auto
        self.num_candidates = num_candidates
        self.num_trials: int | None = None
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed
        self.init_temperature = init_temperature
        self.verbose = verbose
        self.track_stats = track_stats
        self.log_dir = log_dir
        self.minibatch, self.minibatch_size, self.minibatch_full_eval_steps = True, 35, 5
        self.program_aware = self.data_aware = self.tip_aware = self.fewshot_aware = True
        self.view_data_batch_size = 10

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        num_trials: int | None = None,
        max_bootstrapped_demos: int | None = None,
        max_labeled_demos: int | None = None,
        seed: int | None = None,
        minibatch: bool = True,
        minibatch_size: int = 35,
        minibatch_full_eval_steps: int = 5,
        program_aware_proposer: bool = True,
        data_aware_proposer: bool = True,
        view_data_batch_size: int = 10,
        tip_aware_proposer: bool = True,
        fewshot_aware_proposer: bool = True,
        requires_permission_to_run: bool | None = None,
        provide_traceback: bool | None = None,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with the best choice, or as it was where none is better."""
        load_optuna()  # before anything is paid for
        search = copy.copy(self)
        given = (max_bootstrapped_demos, max_labeled_demos, seed)
        for name, value in zip(("max_bootstrapped_demos", "max_labeled_demos", "seed"), given, strict=True):
            if value is not None:
                setattr(search, name, value)
        search._set_effort(num_trials)
        search.minibatch, search.minibatch_size = minibatch, minibatch_size
        search.minibatch_full_eval_steps = max(1, minibatch_full_eval_steps)
        search.program_aware, search.data_aware = program_aware_proposer, data_aware_proposer
        search.tip_aware, search.fewshot_aware = tip_aware_proposer, fewshot_aware_proposer
        search.view_data_batch_size = view_data_batch_size
        filled = with_defaults(options, num_threads=self.num_threads, teacher_settings=self.teacher_settings)
        if self.log_dir is not None:
            filled.setdefault("store", Path(self.log_dir) / "rollouts.sqlite")
        if self.verbose:
            filled.setdefault("progress", True)
        with context(lm=self.task_model) if self.task_model else context():
            return super(MIPROv2, search).compile(student, trainset=trainset, **filled)

    def _set_effort(self, num_trials: int | None) -> None:
        """Check and note how much is to be tried; as in DSPy `auto` and the numbers exclude each other."""
        if self.auto is not None:
            if self.num_candidates is not None or num_trials is not None:
                raise ConfigurationError(
                    f"auto={self.auto!r} sets the numbers of candidates and trials: give auto=None to set them yourself"
                )
            self.num_candidates = CANDIDATES[self.auto]
        elif self.num_candidates is None or num_trials is None:
            raise ConfigurationError(
                "without auto, give num_candidates, and compile a num_trials "
                f"(about {trials_of(2, self.num_candidates or 6)} for a program of one predictor)"
            )
        self.num_trials = num_trials

    def search(self, setting: Setting) -> Search:
        """Gather a pool, propose texts, let the estimator choose, race and confirm the best."""
        parts = self._parts(setting)
        gathering = self._gathering(setting, parts)
        wanted = None if self.max_bootstrapped_demos else POOL if self.fewshot_aware else 0
        solved = (yield from gathering.until(wanted, parts.train)) if wanted != 0 else []
        asker = gathering.asker
        asker.reserve, asker.exhausted = RESERVE if parts.confirm else 0.0, False
        texts = yield from self._proposed(setting, parts, gathering, solved)
        space = Space(self._sets(setting, parts.train, solved), texts)
        board, baseline = Board(asker), Arm("baseline", setting.student)
        arms = yield from self._tried(setting, board, space, parts.val)
        best = sorted(arms, key=lambda arm: -board.mean(arm))[:RACED]
        left, dropped = yield from race(board, baseline, best, parts.val, self.seed, FINALISTS)
        verdict = yield from confirm(
            board,
            baseline,
            left[:1],
            parts.confirm,
            "no run passed and no text was written: nothing to choose from",
        )
        decisions = [*gathering.decisions, *_said(texts), *dropped]
        notes = {"pool": len(solved), "trials": len(arms), "note": parts.note}
        return concluded(
            type(self).__name__, self.seed, board, baseline, arms, verdict, decisions, notes, parts=parts
        )

    def _parts(self, setting: Setting) -> Parts:
        parts = parts_of(setting.train, setting.val, self.seed)
        most = LARGEST_VAL[self.auto] if self.auto else len(parts.val)
        return replace(parts, val=rung_order(parts.val, self.seed)[:most])

    def _gathering(self, setting: Setting, parts: Parts) -> Gathering:
        teacher = setting.teacher
        if not any(predictor.demos for predictor in teacher.predictors()):
            shown_to_it = labelled_demos(teacher, parts.train, self.max_labeled_demos, self.seed)
            teacher = with_demos(teacher, shown_to_it)
        return Gathering(Asker(setting.budget, 1 - GATHERED), teacher, self.seed, ROUNDS)

    def _sets(
        self, setting: Setting, train: Sequence[Example], solved: Sequence[Solved]
    ) -> list[tuple[str, Mapping[str, list[Example]]]]:
        """Sets of demonstrations: the student's own first, labelled ones, then of the pool, drawn and covering."""
        student, most, count = setting.student, self.max_bootstrapped_demos, self.num_candidates or 0
        sets: list[tuple[str, Mapping[str, list[Example]]]] = [("the student's own", {})]
        labelled = labelled_demos(student, train, self.max_labeled_demos, self.seed)
        if labelled:
            sets.append(("labelled examples alone", labelled))
        ways: Sequence[tuple[str, Callable[..., list[Solved]]]] = (("covering", covering), ("drawn", drawn))
        ways = ways if agent_paths(student) else ways[1:]  # what a plain demonstration covers can't be seen
        for number in range(count * len(ways) if solved and most else 0):
            kind, pick = ways[number % len(ways)]
            chosen = pick(solved, most, draws(self.seed, "set", number))
            rest = [one for one in train if not any(is_of(one, other.example) for other in chosen)]
            more = labelled_demos(student, rest, self.max_labeled_demos - len(chosen), self.seed + 1 + number)
            demos = shown(student, chosen, more)
            if all(demos != other for _, other in sets):
                sets.append((f"{len(chosen)} runs of the teacher, {kind}", demos))
        return sets

    def _proposed(
        self, setting: Setting, parts: Parts, gathering: Gathering, solved: Sequence[Solved]
    ) -> Asks[dict[Component, list[str]]]:
        """Texts by component, the present one first."""
        student, asker = setting.student, gathering.asker
        summary = ""
        if self.data_aware:
            asked = asked_summary(parts.train[: self.view_data_batch_size], self.prompt_model)
            (told,) = yield from asker.ask("propose", [asked])
            summary = summary_in(told)
        grounds = Grounds.of(student, summary, failures=gathering.failures)
        if not self.program_aware:
            grounds = grounds.without_program()
        texts: dict[Component, list[str]] = {}
        wanted = []
        for component in components(student):
            count = (self.num_candidates or 0) - 1
            if component.kind == "tool":
                count = min(2, count) if component.tool in gathering.worst_tools(TOOLS) else 0
            if count > 0:
                texts[component] = [text_of(student, component)]
                wanted += [(component, number) for number in range(count)]
        rollouts = [
            asked_proposal(
                student,
                component,
                grounds.with_examples(self._worked(solved, number)),
                tip=TIPS[number % len(TIPS)] if self.tip_aware else "",
                number=number,
                temperature=self.init_temperature,
                lm=self.prompt_model,
            )
            for component, number in wanted
        ]
        outcomes = yield from asker.ask("propose", rollouts)
        for (component, _), outcome in zip(wanted, outcomes, strict=True):
            text = proposal_in(outcome)
            if text and text not in texts[component]:
                texts[component].append(text)
        return texts

    def _worked(self, solved: Sequence[Solved], number: int) -> list[Example]:
        """The worked examples of one proposal: others for each, so that each comes upon something else."""
        if not solved or not self.fewshot_aware:
            return []
        chosen = covering(solved, WORKED, draws(self.seed, "worked", number))
        return [demo for one in chosen for demo in one.demos.values()]

    def _tried(self, setting: Setting, board: Board, space: Space, val: Sequence[Example]) -> Asks[list[Arm]]:
        """The arms that were tried, each once however often the estimator asks for it."""
        options = space.options
        if not options:
            return []
        chooser, arms = Chooser(options, self.seed), dict[str, Arm]()
        order = rung_order(val, self.seed)
        few = order[: self.minibatch_size] if self.minibatch else order
        trials = self.num_trials or trials_of(len(options), self.num_candidates or 0)
        chooser.try_first(dict.fromkeys(options, 0))
        for number in range(trials):
            trial, choice = chooser.ask()
            arm = space.arm(setting, choice)
            arm = arms.setdefault(arm.name, arm)
            yield from board.measure("try", [arm], few, planned=trials * len(few))
            score = board.on(arm, few)
            chooser.tell(trial, score)
            best = max(arms.values(), key=board.mean)
            board.asker.best = f"best {board.mean(best):.1%}"
            if (number + 1) % self.minibatch_full_eval_steps == 0 and self.minibatch:
                open_ones = [one for one in arms.values() if not board.has_all(one, order)]
                top = max(open_ones, key=board.mean, default=None)
                if top is not None:
                    yield from board.measure("try on all", [top], order)
            if board.asker.exhausted:
                break
        return [arm for arm in arms.values() if arm.name != "baseline"]


def trials_of(kinds: int, candidates: int) -> int:
    """How many trials DSPy makes for so many kinds of choices."""
    return int(max(2 * kinds * math.log2(max(candidates, 2)), 1.5 * candidates))


def _model(given: BaseLM | str | None) -> BaseLM | None:
    return LM(given) if isinstance(given, str) else given


def _said(texts: Mapping[Component, Sequence[str]]) -> list[Decision]:
    return [
        Decision("propose", str(component), f"text {place}", text)
        for component, found in texts.items()
        for place, text in enumerate(found[1:], 1)
    ]
