"""The simulated model does what its docstring says: what a prompt shows is what it can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from optimizers.simulator import BASE, HARMFUL, SAID, Shop, SimulatedLM, needed

from loopwright import Example, Module, Prediction, ReAct, Step, Trajectory, context
from loopwright.evaluation import Evaluate
from loopwright.tools import ToolCall, ToolResult

pytestmark = pytest.mark.no_cover  # the same lines thousands of times: other tests of the room measure them

SHOP = Shop(seed=1)


def score(program: Module, tasks: Sequence[Example], lm: SimulatedLM | None = None) -> float:
    with context(lm=lm or SimulatedLM(1)):
        return float(Evaluate(devset=tasks, metric=SHOP.metric, num_threads=2)(program)) / 100


def step(name: str, answer: str, **args: object) -> Step:
    call = ToolCall(name, args)
    return Step("", (call,), (ToolResult(call, answer, "raised" if answer.startswith("Error") else None),))


PROVIDES: Mapping[str, Sequence[Step]] = {
    "archive": [step("get_archive", "total 9.00 USD", order="D1")],
    "retry": [
        step("get_order", "Error: 503 busy", order="D1"),
        step("get_order", "order D1\ntotal 9.00 USD", order="D1"),
    ],
    "pages": [step("get_order", "total 9.00", order="D1"), step("list_items", "4.00", order="D1", page=2)],
    "voids": [step("get_order", "total 9.00", order="D1"), step("list_voids", "voided 4.00", order="D1")],
    "tax": [step("get_order", "total 9.00", order="D1"), step("tax_of", "tax 4.00", order="D1")],
    "convert": [
        step("get_order", "total 9.00", order="D1"),
        step("convert", "8.28 EUR", amount=9.0, to="EUR"),
    ],
}


def demo(*steps: Step) -> Example:
    return Example(question="order D1?", answer="9.00", trajectory=Trajectory(steps)).with_inputs("question")


def taught(*demos: Example) -> ReAct:
    agent = SHOP.agent()
    agent.react.demos = list(demos)
    return agent


ALL = [demo(*steps) for steps in PROVIDES.values()]


def test_what_nothing_was_shown_scores_as_the_closed_form_says() -> None:
    tasks = SHOP.testset(400)
    assert score(SHOP.agent(), tasks) == pytest.approx(SHOP.optimum(tasks, shown=()), abs=0.05)
    assert SHOP.optimum(tasks, shown=()) == pytest.approx(0.23, abs=0.03)


def test_what_all_skills_were_shown_scores_as_the_closed_form_says() -> None:
    tasks = SHOP.testset(400)
    assert score(taught(*ALL), tasks) == pytest.approx(SHOP.optimum(tasks), abs=0.04)
    assert SHOP.optimum(tasks) == pytest.approx(0.93, abs=0.01)


@pytest.mark.parametrize("skill", BASE)
def test_a_demonstration_that_exhibits_a_skill_turns_it_on(skill: str) -> None:
    tasks = [task for task in SHOP.testset(1000) if skill in needed(task) and len(needed(task)) < 3][:80]
    assert score(taught(demo(*PROVIDES[skill])), tasks) > score(SHOP.agent(), tasks) + 0.1


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(demo(), id="answers without a look"),
        pytest.param(demo(step("search_help", "nothing", text="?"), *PROVIDES["tax"]), id="detour"),
        pytest.param(demo(step("get_order", "Error: bad", number="D1"), *PROVIDES["tax"]), id="failed call"),
        pytest.param(demo(step("get_order", "line\n" * 4000 + "9.00", order="D1")), id="giant observation"),
    ],
)
def test_a_bad_demonstration_does_harm(spoilt: Example) -> None:
    tasks = SHOP.testset(300)
    spoiling = [spoilt.copy(question=f"{k}?").with_inputs("question") for k in range(4)]
    assert score(taught(*ALL, *spoiling), tasks) < score(taught(*ALL), tasks) - 0.04


def test_harmful_instructions_do_harm() -> None:
    tasks = SHOP.testset(300)
    agent = taught(*ALL)
    state = agent.states()["react"]
    agent.react.signature = agent.react.signature.with_instructions(f"{state.instructions} {HARMFUL}")
    assert score(agent, tasks) < score(taught(*ALL), tasks) - 0.2


def test_a_question_that_is_shown_solved_is_copied() -> None:
    task = SHOP.testset(1)[0]
    copied = Example(question=task.question, answer="copied").with_inputs("question")
    with context(lm=SimulatedLM(1)):
        given: Prediction = taught(copied)(question=task.question)
    assert given.answer == "copied"


def test_in_the_anti_simulator_demonstrations_do_harm() -> None:
    tasks = SHOP.testset(300)
    anti = SimulatedLM(1, anti=True)
    assert score(taught(*ALL), tasks, anti) < SHOP.optimum(tasks) - 0.3


def test_a_world_that_runs_share_fails_the_second_of_them() -> None:
    tasks = [task for task in SHOP.testset(400) if SHOP.order(task.task_id).sealed]
    agent = SHOP.agent(opened=set())
    assert score(agent, tasks) > score(agent, tasks) + 0.1


def test_the_traps_are_there() -> None:
    train = SHOP.trainset()
    assert len({row.question for row in train}) < len(train) - 20, "rows are repeated"
    assert sum("voids" in needed(row) for row in train) in range(1, 9), "a skill is rare"
    assert all(phrase in " ".join(row.question for row in train) for phrase in SAID.values())
    orders = [SHOP.order(row.task_id) for row in train]
    assert any(one.busy for one in orders)
    assert any(one.bulky for one in orders)
    assert any(row.answer in ("yes", "no") for row in train), "answers can be guessed"
    flipped = [SHOP.metric(row, Prediction(answer=row.answer)) for row in SHOP.testset(400)]
    assert 0 < flipped.count(False) < 40, "the metric is noisy"
