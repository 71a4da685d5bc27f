"""SIMBA: steps on small batches, led by the tasks on which runs differ most.

After DSPy's "stochastic introspective mini-batch ascent". Here what is appended is a whole trajectory, or a rule that
contrasts the best run of a task with its worst, and the final pick is made on held-out tasks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Unpack

from ...evaluation.metrics import Metric
from ...example import Example
from ...models.base import BaseLM
from ...models.lm import LM
from ...module import Module
from ..base import Optimizer, Program, Setting
from ..components import Component, components, text_of, with_demos, with_texts
from ..conclusion import concluded, parts_of
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Rollout, Search, draws
from ..few_shot.demonstrations import demos_in
from ..options import CompileOptions, with_defaults
from ..racing import Arm, Board, confirm, race
from ..report import Decision
from .proposing import cleaned
from .reflecting import Seen, asked_rule

RESERVE = 0.25  # of the budget for the final pick and the confirmation
STEP_IDS = 1_000  # rollout ids that a step has for itself
FINALISTS = 2


@dataclass(slots=True)
class Bucket:
    """A task with several runs of it, the best first."""

    task: Example
    runs: list[Seen] = field(default_factory=list)

    @property
    def rank(self) -> tuple[float, float, float]:
        """What says most comes first: how far the runs lie apart, how good the best is, how far above the mean."""
        values = [_value(run) for run in self.runs]
        mean = math.fsum(values) / len(values)
        return (values[0] - values[-1], values[0], values[0] - mean)


@dataclass(slots=True)
class Pool:
    """The programs so far, with their scores on the batches that they were run on."""

    arms: list[Arm]
    scores: dict[str, list[float]] = field(default_factory=dict)

    def mean(self, arm: Arm) -> float:
        """An arm's mean score; 0 for one that was not run."""
        found = self.scores.get(arm.name, [])
        return math.fsum(found) / len(found) if found else 0.0

    def drawn(self, count: int, temperature: float, chance: Random) -> Arm:
        """One of the `count` best and the student, each as likely as its score says at this temperature."""
        best = sorted(self.arms, key=lambda arm: -self.mean(arm))[:count]
        if self.arms[0] not in best:
            best[-1] = self.arms[0]
        top = max(map(self.mean, best))
        weights = [math.exp((self.mean(arm) - top) / max(temperature, 1e-6)) for arm in best]
        return chance.choices(best, weights)[0]


class SIMBA(Optimizer):
    """Appends demonstrations and rules, step by step, learned from tasks that sometimes go well and sometimes do not.

    In each of `max_steps` a batch of `bsize` tasks is run `num_candidates` times at temperature 1 by the programs so
    far. From the tasks whose runs differ most, new candidates are made: one more demonstration (of an agent the whole
    trajectory), at most `max_demos`; or one more rule, in which `prompt_model` contrasts the best and the worst run.
    They are run on the batch; the best of every step race on held-out tasks, and one is confirmed against the student
    on tasks that chose nothing. `teacher_settings={"lm": ...}` names a model that makes one run of every task.
    `demo_input_field_maxlen` is where a demonstration's inputs are cut.
    """

    def __init__(
        self,
        *,
        metric: Metric,
        bsize: int = 32,
        num_candidates: int = 6,
        max_steps: int = 8,
        max_demos: int = 4,
        prompt_model: BaseLM | str | None = None,
        teacher_settings: Mapping[str, Any] | None = None,
        demo_input_field_maxlen: int = 100_000,
        num_threads: int | None = None,
        temperature_for_sampling: float = 0.2,
        temperature_for_candidates: float = 0.2,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.seed = seed
        self.bsize, self.num_candidates, self.max_steps = bsize, max(2, num_candidates), max_steps
        self.max_demos = max_demos
        self.prompt_model = LM(prompt_model) if isinstance(prompt_model, str) else prompt_model
        self.teacher_settings = teacher_settings
        self.demo_input_field_maxlen = demo_input_field_maxlen
        self.num_threads = num_threads
        self.temperature_for_sampling = temperature_for_sampling
        self.temperature_for_candidates = temperature_for_candidates

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        seed: int = 0,
        **options: Unpack[CompileOptions],
    ) -> Program:
        """A copy of the student with what was appended, or as it was where that does not help."""
        search = copy.copy(self)
        search.seed = seed or self.seed
        filled = with_defaults(options, num_threads=self.num_threads, teacher_settings=self.teacher_settings)
        return super(SIMBA, search).compile(student, trainset=trainset, **filled)

    def search(self, setting: Setting) -> Search:
        """Take the steps, then pick on held-out tasks and confirm."""
        parts = parts_of(setting.train, setting.val, self.seed)
        asker = Asker(setting.budget, RESERVE if parts.confirm else 0.0)
        baseline = Arm("baseline", setting.student)
        pool, winners, decisions = Pool([baseline]), list[Arm](), list[Decision]()
        for step in range(self.max_steps):
            if asker.exhausted:
                break
            batch = self._batch(parts.train, step)
            buckets = yield from self._sampled(setting, asker, pool, batch, step)
            born = yield from self._born(setting, asker, pool, buckets, step)
            yield from self._scored(asker, pool, born, batch, step)
            decisions += [Decision(f"step {step}", a.name, f"{pool.mean(a):.2f}", a.note) for a in born]
            if born:
                winners.append(max(born, key=pool.mean))
                asker.best = f"best {max(map(pool.mean, pool.arms)):.1%}"
        asker.reserve, asker.exhausted = RESERVE / 2 if parts.confirm else 0.0, False
        board = Board(asker)
        left, dropped = yield from race(board, baseline, winners, parts.val, self.seed, FINALISTS)
        verdict = yield from confirm(
            board,
            baseline,
            left[:1],
            parts.confirm,
            "no run passed or was better than another: nothing to learn",
        )
        decisions += dropped
        notes = {"steps": len(winners), "note": parts.note}
        return concluded(
            type(self).__name__, self.seed, board, baseline, winners, verdict, decisions, notes, parts=parts
        )

    def _batch(self, train: Sequence[Example], step: int) -> list[Example]:
        """The step's tasks: the trainset is gone through in a drawn order, and again in another."""
        size = min(self.bsize, len(train))
        rounds = len(train) // size
        order = list(train)
        draws(self.seed, "order", step // rounds).shuffle(order)
        return order[(step % rounds) * size :][:size]

    def _sampled(
        self, setting: Setting, asker: Asker, pool: Pool, batch: Sequence[Example], step: int
    ) -> Asks[list[Bucket]]:
        """Every task run several times, by programs drawn from the pool; what tells most comes first."""
        rollouts: list[Rollout] = []
        for sample in range(self.num_candidates):
            for place, task in enumerate(batch):
                chance = draws(self.seed, "sample", step, sample, place)
                arm = pool.drawn(self.num_candidates, self.temperature_for_sampling, chance)
                teaches = setting.has_teacher and sample == 0
                lm = setting.teacher.get_lm() if teaches else None
                number = 1 + step * STEP_IDS + sample
                rollouts.append(Rollout(arm.program, task, number, temperature=1.0, lm=lm, strict=True))
        told = yield from asker.ask("sample", rollouts)
        buckets = [Bucket(task) for task in batch]
        for place, outcome in enumerate(told):
            bucket = buckets[place % len(batch)]
            if outcome.value is not None:
                bucket.runs.append(Seen(bucket.task, outcome))
        for bucket in buckets:
            bucket.runs.sort(key=_value, reverse=True)
        return sorted((b for b in buckets if b.runs), key=lambda b: b.rank, reverse=True)

    def _born(
        self, setting: Setting, asker: Asker, pool: Pool, buckets: Sequence[Bucket], step: int
    ) -> Asks[list[Arm]]:
        """New candidates, one from each of the buckets that tell most."""
        plans: list[tuple[Arm, Bucket, str]] = []
        for place, bucket in enumerate(buckets[: self.num_candidates]):
            chance = draws(self.seed, "born", step, place)
            source = pool.drawn(self.num_candidates, self.temperature_for_candidates, chance)
            ways = ["demo"] if self.max_demos > 0 and bucket.runs[0].outcome.passed else []
            ways += ["rule"] if bucket.rank[0] > 0 else []
            if ways:
                plans.append((source, bucket, chance.choice(ways)))
        asked = [
            asked_rule(
                source.program,
                bucket.runs[0],
                bucket.runs[-1],
                number=step * STEP_IDS + place,
                lm=self.prompt_model,
            )
            for place, (source, bucket, way) in enumerate(plans)
            if way == "rule"
        ]
        told = iter((yield from asker.ask("write rules", asked)))
        born: list[Arm] = []
        for place, (source, bucket, way) in enumerate(plans):
            lean = self._with_fewer(source.program, draws(self.seed, "drop", step, place))
            if way == "rule":
                made = _with_rule(lean, cleaned(next(told).prediction.get("rule", "")), bucket)
                note = f"{source.name} and a rule"
            else:
                made = self._with_demo(lean, bucket)
                note = f"{source.name} and a demonstration"
            if made is not None:
                born.append(Arm(f"{step}.{place}", made, note))
        return born

    def _with_fewer(self, program: Module, chance: Random) -> Module:
        """The program without one of its demonstrations, where it has as many as it may."""
        demos = {path: list(state.demos) for path, state in program.states().items()}
        for path, found in demos.items():
            while len(found) >= max(self.max_demos, 1):
                found.pop(chance.randrange(len(found)))
            demos[path] = found
        return with_demos(program, demos)

    def _with_demo(self, program: Module, bucket: Bucket) -> Module | None:
        """The program with the best run of a task as one more demonstration; None where that shows nothing new."""
        shown = demos_in(bucket.runs[0].outcome, bucket.task, program, self.seed)
        demos = {path: list(state.demos) for path, state in program.states().items()}
        known = [demo for found in demos.values() for demo in found]
        new = {path: self._cut(demo) for path, demo in shown.items()}
        if not new or any(demo in known for demo in new.values()):
            return None
        return with_demos(program, {path: [*demos[path], demo] for path, demo in new.items()})

    def _cut(self, demo: Example) -> Example:
        most = self.demo_input_field_maxlen
        long = {n: f"{v[:most]}…" for n, v in demo.inputs().items() if isinstance(v, str) and len(v) > most}
        return demo.copy(**long)

    def _scored(
        self, asker: Asker, pool: Pool, born: Sequence[Arm], batch: Sequence[Example], step: int
    ) -> Asks[None]:
        """Run the new candidates on the batch, all under the same rollout ids, and put them into the pool."""
        first = pool.arms[:1] if step == 0 else []
        number = step * STEP_IDS
        asked = [(arm, Rollout(arm.program, task, number)) for task in batch for arm in [*first, *born]]
        told = yield from asker.ask("try", [rollout for _, rollout in asked])
        for (arm, _), outcome in zip(asked, told, strict=True):
            if outcome.value is not None:
                pool.scores.setdefault(arm.name, []).append(outcome.value)
        pool.arms += [arm for arm in born if arm.name in pool.scores]


def _with_rule(program: Module, rule: str, bucket: Bucket) -> Module | None:
    """The program with a rule after the texts of the predictors that the task used; None without a new rule."""
    used = {call.path for run in bucket.runs for call in run.outcome.calls}
    texts: dict[Component, str] = {}
    for component in components(program):
        if component.kind != "tool" and component.path in used:
            now = text_of(program, component)
            if rule and rule not in now:
                texts[component] = f"{now}\n{rule}".strip()
    return with_texts(program, texts) if texts else None


def _value(run: Seen) -> float:
    return run.outcome.value or 0.0
