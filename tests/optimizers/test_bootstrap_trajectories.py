"""BootstrapTrajectories on the simulated model: what it reaches, what it reports, and what its parts are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean

import pytest
from optimizers.simulator import Shop, SimulatedLM, needed

from loopwright import Module, context
from loopwright.evaluation import Evaluate
from loopwright.modules.agent import Agent
from loopwright.optimizers import BootstrapTrajectories, Report, Setting, report_of
from loopwright.optimizers.conclusion import Parts
from loopwright.optimizers.driving.store import MemoryStore
from loopwright.optimizers.trajectories.runs import Act, Shown

pytestmark = pytest.mark.no_cover  # the same lines thousands of times: other tests of the room measure them

SEEDS = range(5)


class SelectedOnTrain(BootstrapTrajectories):
    """Broken: what is learned from also says what was learned."""

    def parts(self, setting: Setting) -> Parts:
        own = super().parts(setting)
        return Parts(own.train, own.train, own.confirm)


class TrimmedByReplayAlone(BootstrapTrajectories):
    """Broken: any step goes whose absence a replay does not notice."""

    def loose(self, shown: Shown, acts: Sequence[Act], agent: Agent) -> list[int]:
        return [place for place, act in enumerate(acts) if act.call.name != "submit"]


class NothingDistinct(BootstrapTrajectories):
    """Broken: repeated rows and runs that show the same are all kept, and tried as they come."""

    def tasks(self, train: Sequence[object]) -> list[object]:  # type: ignore[override]  # rows of any kind, kept
        return list(train)

    def shortlist(self, bank: Sequence[Shown]) -> list[Shown]:
        return list(bank)

    def ranked(self, bank: Sequence[Shown], shown: Sequence[Shown]) -> Sequence[Shown]:
        return bank


@dataclass(frozen=True)
class Result:
    """A compile, and what its program scores on tasks that it never saw."""

    report: Report
    fresh: float
    optimum: float
    program: Module


@cache
def rollouts(seed: int, anti: bool) -> MemoryStore:
    """What was run on a model: a compile that wants the same does not run it again."""
    return MemoryStore()


@cache
def result(kind: type[BootstrapTrajectories], seed: int, anti: bool = False) -> Result:
    shop, train = Shop(seed), Shop(seed).trainset()
    lm = SimulatedLM(seed, memory={row.question: row.answer for row in train[::9]}, anti=anti)
    test = shop.testset(400)
    with context(lm=lm):
        program = kind(shop.metric, seed=seed).compile(
            shop.agent(),
            trainset=train,
            valset=shop.valset(240),
            num_threads=1,
            store=rollouts(seed, anti),
        )
        fresh = Evaluate(devset=test, metric=shop.metric, num_threads=1)(program).score / 100
    return Result(report_of(program), fresh, shop.optimum(test), program)


def test_it_comes_near_the_best_that_any_prompt_can_do() -> None:
    found = [result(BootstrapTrajectories, seed) for seed in SEEDS]
    assert mean(one.fresh for one in found) >= 0.85
    assert min(one.fresh for one in found) >= 0.78
    assert mean(one.optimum - one.fresh for one in found) < 0.06


@pytest.mark.parametrize("seed", SEEDS)
def test_what_it_reports_is_what_a_fresh_measurement_finds(seed: int) -> None:
    found = result(BootstrapTrajectories, seed)
    assert found.report.confirmed is not None
    assert found.report.confirmed.mean == pytest.approx(found.fresh, abs=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_demonstration_teaches_a_bad_habit(seed: int) -> None:
    for demo in result(BootstrapTrajectories, seed).report.demos:
        names = [call["name"] for step in demo["trajectory"] for call in step["calls"]]
        errors = [one["error"] for step in demo["trajectory"] for one in step["results"] if one["error"]]
        assert names[-1] == "submit"
        assert {"get_order", "get_archive"} & set(names), "it looks something up"
        assert "search_help" not in names, "it makes no detour"
        assert all(one == "raised" for one in errors), (
            "it calls nothing wrongly, and a busy desk is tried again"
        )
        assert all(len(one["content"]) < 1_500 for step in demo["trajectory"] for one in step["results"])


def test_demonstrations_teach_to_try_again() -> None:
    demos = result(BootstrapTrajectories, 0).report.demos
    assert any(
        one["error"] == "raised" for demo in demos for step in demo["trajectory"] for one in step["results"]
    )


def test_a_skill_that_few_tasks_need_is_found_in_a_later_round() -> None:
    shops = {seed: Shop(seed) for seed in SEEDS}
    shown = [
        {
            skill
            for demo in result(BootstrapTrajectories, seed).report.demos
            for skill in needed(shops[seed].task(demo["values"]["task_id"]))
        }
        for seed in SEEDS
    ]
    assert any("voids" in skills for skills in shown)
    assert all({"retry", "archive"} & skills for skills in shown)


@pytest.mark.parametrize(
    ("broken", "seeds", "by"),
    [
        pytest.param(SelectedOnTrain, (0, 1, 2), 0.03, id="selected on train"),
        pytest.param(TrimmedByReplayAlone, (0,), 0.4, id="trimmed by replay alone"),
        pytest.param(NothingDistinct, (0,), 0.2, id="nothing distinct"),
    ],
)
def test_what_is_broken_on_purpose_is_worse(
    broken: type[BootstrapTrajectories], seeds: Sequence[int], by: float
) -> None:
    whole = mean(result(BootstrapTrajectories, seed).fresh for seed in seeds)
    assert mean(result(broken, seed).fresh for seed in seeds) < whole - by


def test_where_demonstrations_do_harm_the_student_comes_back() -> None:
    found = result(BootstrapTrajectories, 0, anti=True)
    assert not found.report.improved
    assert "the baseline is returned" in found.report.reason
    assert all(not state.demos for state in found.program.states().values())
