"""Demonstrations: gathered from a teacher's runs that the metric lets pass, or taken from labelled examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigurationError
from ...example import Example
from ...module import Module
from ...signature import Signature
from ...trajectory import Trajectory
from ..components import agent_paths
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Outcome, PredictorCall, Rollout, draws
from ..report import Decision
from ..splits import distinct, of_example, task_of

MISUSES = ("invalid_args", "raised")  # failures that a better description may prevent
WAVE = 4  # tasks at least that are tried before it is looked whether there are enough demonstrations


@dataclass(frozen=True, slots=True)
class Solved:
    """A task that was solved, and what each predictor did there."""

    example: Example
    demos: Mapping[str, Example]
    value: float = 1.0


@dataclass(slots=True)
class Gathering:
    """Runs a teacher on tasks, in their order, until `wanted` are solved.

    A task is tried once a round: as the teacher is in the first, at temperature 1 in those after it. All of a run is
    kept, of an agent its whole trajectory; nothing is rewritten.
    """

    asker: Asker
    teacher: Module
    seed: int
    rounds: int = 1
    decisions: list[Decision] = field(default_factory=list)
    failures: dict[str, list[str]] = field(default_factory=dict)

    def worst_tools(self, count: int) -> list[str]:
        """The tools whose calls failed most often."""
        return sorted(self.failures, key=lambda name: (-len(self.failures[name]), name))[:count]

    def until(self, wanted: int | None, tasks: Sequence[Example]) -> Asks[list[Solved]]:
        """The first tasks that were solved, in the order of the tasks; all, where None are `wanted`."""
        solved: dict[int, Solved] = {}
        places = list(enumerate(distinct(tasks)))
        for attempt in range(self.rounds):
            left = [(place, task) for place, task in places if place not in solved]
            while left and (wanted is None or len(solved) < wanted) and not self.asker.exhausted:
                size = len(left) if wanted is None else max(wanted - len(solved), WAVE)
                wave, left = left[:size], left[size:]
                rollouts = [
                    Rollout(self.teacher, task, attempt, temperature=1.0 if attempt else None, strict=True)
                    for _, task in wave
                ]
                told = yield from self.asker.ask("bootstrap", rollouts)
                for (place, task), outcome in zip(wave, told, strict=True):
                    found = self._solved(task, outcome)
                    if found is not None:
                        solved[place] = found
        return [solved[place] for place in sorted(solved)][:wanted]

    def _solved(self, task: Example, outcome: Outcome) -> Solved | None:
        if outcome.skipped:
            return None
        for result in outcome.trajectory.results:
            if result.error in MISUSES:
                self.failures.setdefault(result.call.name, []).append(f"{result.call} -> {result.content}")
        demos = demos_in(outcome, task, self.teacher, self.seed) if outcome.passed else {}
        if demos:
            return Solved(task, demos, outcome.value or 0.0)
        why = outcome.feedback or f"the score is {outcome.value}"
        if outcome.passed:
            why = f"it ended with {outcome.termination or 'no use of a predictor'}, which is nothing to show"
        self.decisions.append(Decision("bootstrap", task_of(task), "not shown", why))
        return None


def demos_in(outcome: Outcome, task: Example, program: Module, seed: int) -> dict[str, Example]:
    """A demonstration for each predictor that was used in a run; of several uses one is drawn, of an agent's the last.

    A run of an agent that did not end with its own answer shows nothing, nor does a later turn of a conversation
    without those before it.
    """
    agents = agent_paths(program)
    found: dict[str, Example] = {}
    for path, _ in program.named_predictors():
        calls = [call for call in outcome.calls if call.path == path and not call.goes_on]
        if path in agents:
            calls = [call for call in calls if _answered(call, outcome)][-1:]
        if not calls:
            continue
        call = draws(seed, "use", path, task_of(task)).choice(calls)
        demo = Example(Example(call.inputs), **call.outputs.toDict()).with_inputs(*call.inputs.keys())
        found[path] = of_example(demo, task)
    return found if not agents or agents & found.keys() else {}


def _answered(call: PredictorCall, outcome: Outcome) -> bool:
    """Whether an agent ended a run of its own accord, with an answer."""
    outputs = [value for name, value in call.outputs.items() if name != "trajectory"]
    return outcome.termination in ("", "submit") and bool(outputs) and None not in outputs


def shown(
    program: Module, solved: Sequence[Solved], labelled: Mapping[str, Sequence[Example]] | None = None
) -> dict[str, list[Example]]:
    """The demonstrations of each predictor: those of solved tasks, then labelled ones."""
    found = {
        path: [one.demos[path] for one in solved if path in one.demos]
        for path, _ in program.named_predictors()
    }
    for path, more in (labelled or {}).items():
        found[path] += more
    return found


def labelled_demos(
    program: Module, examples: Sequence[Example], count: int, seed: int, *, sample: bool = True
) -> dict[str, list[Example]]:
    """Labelled examples as demonstrations of the plain predictors whose fields they have; agents get none."""
    agents = agent_paths(program)
    found: dict[str, list[Example]] = {}
    for path, predictor in program.named_predictors():
        fit = [of_example(one, one) for one in examples if shows(one, predictor.signature)]
        if path in agents or count <= 0 or not fit:
            continue
        found[path] = (
            draws(seed, "labelled", path).sample(fit, min(count, len(fit))) if sample else fit[:count]
        )
    return found


def shows(example: Example, signature: Signature) -> bool:
    """Whether an example has all inputs of a signature, and one of its outputs."""
    needed = [name for name, one in signature.input_fields.items() if one.required]
    return all(name in example for name in needed) and any(
        name in example for name in signature.output_fields
    )


def gold_trajectories(examples: Sequence[Example], path: str, signature: Signature) -> list[Example]:
    """Examples that hold a known good run, as demonstrations of an agent; raises where there is none.

    An agent learns nothing from an answer alone: it would be shown to submit what it can't know.
    """
    gold = [
        of_example(one, one)
        for one in examples
        if isinstance(one.get("trajectory"), Trajectory) and one.trajectory.steps and shows(one, signature)
    ]
    if not gold:
        raise ConfigurationError(
            f"predictor {path!r} is an agent's, and none of the {len(examples)} examples has a `trajectory` to show: "
            "an answer alone would teach it to guess. Give examples Example(..., trajectory=prediction.trajectory) of "
            "runs that you know to be right, or let BootstrapFewShot or BootstrapTrajectories find them"
        )
    return gold
