"""What each optimizer comes to on the simulated model, by tasks that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import mean

import pytest
from optimizers.simulator import Shop, SimulatedLM

from loopwright import (
    COPRO,
    GEPA,
    SIMBA,
    BootstrapFewShot,
    BootstrapFewShotWithRandomSearch,
    Evaluate,
    KNNFewShot,
    MIPROv2,
    Module,
    context,
)
from loopwright.optimizers import Optimizer, Report
from loopwright.optimizers.driving.store import MemoryStore

pytestmark = pytest.mark.no_cover  # the same lines thousands of times: other tests of the room measure them

SEEDS = (0, 1, 3)

OPTIMIZERS: dict[str, Callable[[Shop, int], Optimizer]] = {
    "few-shot": lambda shop, seed: BootstrapFewShot(shop.metric, seed=seed),
    "random search": lambda shop, seed: BootstrapFewShotWithRandomSearch(shop.metric, seed=seed),
    "knn": lambda shop, seed: KNNFewShot(4, (), metric=shop.metric, seed=seed),
    "mipro": lambda shop, seed: MIPROv2(shop.metric, seed=seed),
    "gepa": lambda shop, seed: GEPA(shop.metric, max_metric_calls=300, seed=seed),
    "simba": lambda shop, seed: SIMBA(metric=shop.metric, seed=seed),
    "copro": lambda shop, seed: COPRO(metric=shop.metric, breadth=3, depth=2, seed=seed),
}


@dataclass(frozen=True)
class Found:
    """An optimizer's report, and what its program scores on other tasks."""

    report: Report
    fresh: float


@cache
def rollouts(seed: int) -> MemoryStore:
    """What was run on a model: an optimizer that wants the same does not run it again."""
    return MemoryStore()


@cache
def found(name: str, seed: int) -> Found:
    shop = Shop(seed)
    with context(lm=SimulatedLM(seed)):
        program = OPTIMIZERS[name](shop, seed).compile(
            shop.agent(),
            trainset=shop.trainset(),
            valset=shop.valset(240),
            num_threads=1,
            store=rollouts(seed),
        )
    return Found(vars(program)["compile_report"], score(seed, program))


@cache
def zero_shot(seed: int) -> float:
    """What an agent that learned nothing scores."""
    return score(seed, Shop(seed).agent())


def score(seed: int, program: Module) -> float:
    shop = Shop(seed)
    with context(lm=SimulatedLM(seed)):
        return float(Evaluate(devset=shop.testset(300), metric=shop.metric, num_threads=1)(program)) / 100


@pytest.mark.parametrize(
    ("name", "bar"),
    [("few-shot", 0.40), ("random search", 0.58), ("mipro", 0.72), ("knn", 0.45)],
    ids=str,
)
def test_what_is_learned_from_trajectories_carries_over_to_other_tasks(name: str, bar: float) -> None:
    assert mean(found(name, seed).fresh for seed in SEEDS) >= bar


def test_rules_and_trajectories_step_by_step_carry_over_to_other_tasks() -> None:
    assert found("simba", 0).fresh >= 0.72


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_program_comes_back_worse_than_the_student(name: str) -> None:
    assert found(name, 0).fresh >= zero_shot(0) - 0.03


@pytest.mark.parametrize("name", ["few-shot", "random search", "mipro", "knn"])
def test_the_confirmed_figure_is_what_other_tasks_show(name: str) -> None:
    assert abs(mean(reported(name, seed) - found(name, seed).fresh for seed in SEEDS)) <= 0.05


def reported(name: str, seed: int) -> float:
    confirmed = found(name, seed).report.confirmed
    assert confirmed is not None
    return confirmed.mean


@pytest.mark.parametrize("name", ["few-shot", "random search", "mipro", "knn"])
def test_another_seed_searches_elsewhere(name: str) -> None:
    assert found(name, 0).report.candidates != found(name, 1).report.candidates
