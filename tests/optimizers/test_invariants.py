"""What holds of every compile, however it is run. Each of these has broken in some optimizer somewhere."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from optimizers.simulator import Shop, SimulatedLM

from loopwright import Example, Module, Prediction, ReAct, context
from loopwright.callbacks import BaseCallback
from loopwright.errors import ConfigurationError, NetworkError, StateError
from loopwright.models import LMRequest, LMResponse
from loopwright.optimizers import BootstrapTrajectories, CompileInterrupted, Report, RolloutStore, report_of
from loopwright.optimizers.driving.execution import Execution, call_program
from loopwright.optimizers.driving.rollouts import Rollout
from loopwright.optimizers.driving.store import MemoryStore
from loopwright.optimizers.splits import group_of, of_example, split, task_of
from loopwright.optimizers.trajectories.gate import Gate
from loopwright.optimizers.trajectories.runs import Shown, agents_in
from loopwright.runtime import Budget

SHOP = Shop(seed=3)
TRAIN = SHOP.trainset(12, repeated=4)
VAL = SHOP.valset(20)


def small(metric: Callable[..., object] = SHOP.metric, **options: Any) -> BootstrapTrajectories:
    """An optimizer that is done in a second."""
    return BootstrapTrajectories(metric, **{"max_demos": 3, "width": 2, "attempts": 3, "seed": 0, **options})


def compiled(
    lm: SimulatedLM | None = None,
    optimizer: BootstrapTrajectories | None = None,
    train: Sequence[Example] = TRAIN,
    **options: Any,
) -> ReAct:
    with context(lm=lm or SimulatedLM(3)):
        return (optimizer or small()).compile(
            SHOP.agent(), trainset=train, **{"valset": VAL, "num_threads": 1, **options}
        )


def everything(program: Module) -> str:
    """A compile's whole result, as bytes would be compared."""
    return json.dumps(program.dump_state()) + report_of(program).dumps()


@cache
def undisturbed() -> tuple[ReAct, int]:
    """What comes of a compile that nothing disturbs, and how often its model is asked."""
    lm = SimulatedLM(3)
    return compiled(lm), lm.calls


def plain() -> ReAct:
    return undisturbed()[0]


def whole() -> str:
    return everything(plain())


def calls() -> int:
    return undisturbed()[1]


# ---- the same bytes, however it is run


class Hasty(SimulatedLM):
    """Takes another time for every answer, so that rollouts end in another order each time."""

    def complete(self, request: LMRequest) -> LMResponse:
        time.sleep(int.from_bytes(os.urandom(1), "big") / 255 / 500)
        return super().complete(request)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_any_number_of_workers_gives_the_same_bytes(workers: int) -> None:
    assert everything(compiled(num_threads=workers)) == whole()


def test_rollouts_that_end_in_any_order_give_the_same_bytes() -> None:
    assert everything(compiled(Hasty(3), num_threads=8)) == whole()


@pytest.mark.parametrize("budget", [Budget(rollouts=150), Budget(calls=400), Budget(tokens=60_000)], ids=repr)
def test_a_budget_ends_at_the_same_place_with_any_number_of_workers(budget: Budget) -> None:
    assert (
        everything(compiled(budget=budget)) == everything(compiled(budget=budget, num_threads=8)) != whole()
    )


def test_another_seed_decides_otherwise() -> None:
    other = compiled(optimizer=small(seed=1))
    assert report_of(plain()).decisions != report_of(other).decisions


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Dying:
    """A store whose process dies when it has written so many records."""

    store: RolloutStore
    left: int

    def get(self, key: str) -> str | None:
        return self.store.get(key)

    def put(self, key: str, record: str) -> None:
        self.store.put(key, record)
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.mark.parametrize("every", [23, 60])
def test_killed_at_every_kth_write_it_goes_on_to_the_same_bytes_and_asks_nothing_twice(
    every: int, tmp_path: Path
) -> None:
    asked, deaths = 0, 0
    while True:
        lm, store = SimulatedLM(3), RolloutStore(tmp_path / "runs.db")
        try:
            program = compiled(lm, store=Dying(store, every))
        except Killed:
            deaths += 1
            continue
        finally:
            asked += lm.calls
            store.close()
        break
    assert everything(program) == whole()
    assert asked == calls()
    assert deaths > 3


class Deadly(SimulatedLM):
    """A model whose process dies when it is asked once more than so often."""

    def __init__(self, left: int) -> None:
        super().__init__(3)
        self.left = left

    def complete(self, request: LMRequest) -> LMResponse:
        if self.calls == self.left:
            raise Killed
        return super().complete(request)


@pytest.mark.parametrize("budget", [Budget(calls=300), Budget(tokens=40_000)], ids=repr)
def test_killed_in_the_middle_of_a_rollout_it_asks_no_model_twice(budget: Budget, tmp_path: Path) -> None:
    whole = SimulatedLM(3)
    wanted = everything(compiled(whole, budget=budget))
    asked, deaths = 0, 0
    while True:
        lm, store = Deadly(61), RolloutStore(tmp_path / "runs.db")
        try:
            program = compiled(lm, budget=budget, store=store)
        except Killed:
            deaths += 1
            continue
        finally:
            asked += lm.calls
            store.close()
        break
    assert everything(program) == wanted
    assert (asked, deaths) == (whole.calls, (whole.calls - 1) // 61)


def test_a_finished_rollout_leaves_none_of_its_answers_behind(tmp_path: Path) -> None:
    store = RolloutStore(tmp_path / "runs.db")
    compiled(store=store, budget=Budget(rollouts=30))
    with sqlite3.connect(tmp_path / "runs.db") as file:
        assert file.execute("SELECT COUNT(*) FROM answers").fetchone() == (0,)
    file.close()
    store.close()


SCRIPT = """
import os, sys
from optimizers.test_invariants import SHOP, TRAIN, VAL, compiled, everything
from optimizers.simulator import SimulatedLM
from loopwright.optimizers import RolloutStore

lm = SimulatedLM(3)

class Dying(RolloutStore):
    written = 0

    def put(self, key, record):
        super().put(key, record)
        Dying.written += 1
        if Dying.written == int(sys.argv[2]):
            print(lm.calls, flush=True)
            os._exit(9)

program = compiled(lm, store=Dying(sys.argv[1]))
print(lm.calls)
print(everything(program))
"""


def test_a_process_that_dies_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "compile_it.py"
    script.write_text(SCRIPT)

    def process(dies_at: int) -> tuple[int, str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, str(script), str(tmp_path / "runs.db"), str(dies_at)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode in (0, 9), done.stderr
        asked, _, rest = done.stdout.partition("\n")
        return int(asked), rest.rstrip("\n")

    first, nothing = process(dies_at=100)
    second, told = process(dies_at=10_000)
    assert not nothing
    assert told == whole().rstrip("\n")
    assert first + second == calls()


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    class Interrupted(SimulatedLM):
        def complete(self, request: LMRequest) -> LMResponse:
            if self.calls == 200:
                raise KeyboardInterrupt
            return super().complete(request)

    with pytest.raises(CompileInterrupted, match="all in the store: give the same again to go on"):
        compiled(Interrupted(3), store=tmp_path / "runs.db")
    rest = SimulatedLM(3)
    assert everything(compiled(rest, store=tmp_path / "runs.db")) == whole()
    assert rest.calls <= calls() - 190
    with pytest.raises(CompileInterrupted, match="give compile a store="):
        compiled(Interrupted(3))


# ---- what is held out stays held out


def test_no_held_out_task_is_seen_while_runs_are_collected() -> None:
    collected: list[str] = []

    def metric(example: Example, prediction: Prediction, trace: object = None) -> bool:
        if trace is not None:  # asked for a strict verdict: while demonstrations are gathered
            collected.append(example.task_id)
        return SHOP.metric(example, prediction)

    demos = report_of(compiled(optimizer=small(metric))).demos
    assert collected
    assert set(collected) <= {row.task_id for row in TRAIN}
    assert {demo["values"]["task_id"] for demo in demos} <= {row.task_id for row in TRAIN}


def test_a_demonstration_is_never_in_its_own_tasks_prompt() -> None:
    class Watching(SimulatedLM):
        shown = 0

        def complete(self, request: LMRequest) -> LMResponse:
            questions = [m.content for m in request.messages if m.role == "user"]
            Watching.shown += len(questions) - 1
            assert questions[-1] not in questions[:-1]
            return super().complete(request)

    agent = compiled(Watching(3), num_threads=1)
    assert Watching.shown > 100
    # and not when the compiled agent is run on the trainset by whoever compiles it further
    with context(lm=Watching(3)):
        for row in TRAIN:
            Execution(SHOP.metric).execute(Rollout(agent, row), {})


def test_a_run_of_ones_own_gives_each_rollout_a_world_of_its_own() -> None:
    def own_world(program: Module, example: Example) -> Any:
        vars(program)["tools"] = SHOP.tools(opened=set())
        return call_program(program, example)

    with context(lm=SimulatedLM(3)):
        shared = SHOP.agent(opened=set())
        program = small().compile(shared, trainset=TRAIN, valset=VAL, run=own_world, num_threads=1)
        leaking = small().compile(SHOP.agent(opened=set()), trainset=TRAIN, valset=VAL, num_threads=1)
    assert everything(program) == whole()
    assert everything(leaking) != whole(), "what one run left behind was in the way of the next"


def test_what_belongs_together_is_in_one_part() -> None:
    rows = [Example(n=n, group=n % 7).with_inputs("n") for n in range(60)]
    parts = split(rows, {"train": 0.5, "val": 0.3, "confirm": 0.2}, seed=2)
    groups = [{group_of(row) for row in part} for part in parts.values()]
    assert sum(map(len, groups)) == 7 == len(set.union(*groups))
    assert sum(map(len, parts.values())) == 60


def test_a_train_row_of_a_held_out_group_is_not_learned_from() -> None:
    leaking = [*TRAIN, *VAL[:6]]
    demos = report_of(compiled(train=leaking)).demos
    assert demos
    assert not {demo["values"]["task_id"] for demo in demos} & {row.task_id for row in VAL}


# ---- what is emitted holds


def test_every_emitted_demonstration_passes_gate_and_metric_again() -> None:
    program = plain()
    agent = SHOP.agent()
    examples = {task_of(row): row for row in TRAIN}
    demos = [demo for state in program.states().values() for demo in state.demos]
    assert demos
    for demo in demos:
        inputs = demo.with_inputs("question")
        example = examples[demo["task_id"]]
        shown = Shown("react", of_example(inputs, example), "emitted")
        assert Gate(agents_in(agent)).refusal(shown, example) == ""
        replayed = Execution(SHOP.metric).execute(
            Rollout(agent, example, script=shown.trajectory, strict=True), {}
        )
        assert replayed.passed
        assert replayed.spent.calls == 0


def test_student_and_teacher_are_not_changed() -> None:
    student, teacher = SHOP.agent(), SHOP.agent()
    teacher.react.demos = [Example(question="Order Q1?", answer="1.00").with_inputs("question")]
    before = [json.dumps(one.dump_state()) + repr(vars(one.react)) for one in (student, teacher)]
    with context(lm=SimulatedLM(3)):
        program = small().compile(student, trainset=TRAIN, valset=VAL, teacher=teacher, num_threads=2)
    assert [json.dumps(one.dump_state()) + repr(vars(one.react)) for one in (student, teacher)] == before
    assert program is not student


# ---- what is charged is what was done


@dataclass
class Counting(BaseCallback):
    """Counts what is executed."""

    tools: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        with self.lock:
            self.tools += instance.name != "submit"


@pytest.mark.parametrize("budget", [None, Budget(rollouts=90), Budget(calls=333)], ids=repr)
def test_what_is_charged_is_what_was_executed(budget: Budget | None) -> None:
    ran: list[str] = []
    lm, counting = SimulatedLM(3), Counting()

    def run(program: Module, example: Example) -> Any:
        ran.append(example.task_id)
        return call_program(program, example)

    with context(callbacks=[counting]):
        report = report_of(compiled(lm, budget=budget, run=run, num_threads=4))
    used = report.used
    assert used.rollouts + used.replays == len(ran)
    assert used.calls == lm.calls
    assert used.tool_calls == counting.tools
    for unit in ("rollouts", "calls", "tool_calls", "tokens"):
        assert sum(getattr(phase.used, unit) for phase in report.phases) == getattr(used, unit)


@pytest.mark.parametrize("limit", [40, 90, 250])
def test_a_budget_in_rollouts_is_used_to_the_last_and_never_exceeded(limit: int) -> None:
    report = report_of(compiled(budget=Budget(rollouts=limit), num_threads=4))
    assert report.used.rollouts <= limit
    assert report.used.rollouts >= 0.74 * limit, "but for what was kept for a confirmation that never came"


@pytest.mark.parametrize("limit", [5, 100, 400])
def test_a_budget_in_model_calls_is_never_exceeded(limit: int) -> None:
    lm = SimulatedLM(3)
    report = report_of(compiled(lm, budget=Budget(calls=limit), num_threads=8))
    assert lm.calls == report.used.calls <= limit


def test_a_budget_that_ends_early_gives_the_best_so_far_and_says_so() -> None:
    report = report_of(compiled(budget=Budget(rollouts=150)))
    assert report.spent_limit in ("", "rollouts")
    assert report.confirmed_baseline is not None, "some of the budget was kept for the confirmation"
    none_left = report_of(compiled(budget=Budget(rollouts=0)))
    assert (none_left.improved, none_left.used.rollouts, none_left.spent_limit) == (False, 0, "rollouts")


def test_collecting_leaves_a_small_budget_room_to_choose_and_to_confirm() -> None:
    report = report_of(compiled(budget=Budget(rollouts=40)))
    taken = {use.phase: use.used.rollouts for use in report.phases}
    assert min(taken["collect"], taken["select"], taken["confirm"]) > 0
    assert report.used.rollouts <= 40


def test_a_budget_that_leaves_no_room_for_an_attempt_says_so() -> None:
    report = report_of(compiled(budget=Budget(rollouts=20)))
    assert not report.improved
    assert report.reason.endswith("the budget left no room for an attempt; give it more")


def test_a_larger_budget_goes_on_from_what_a_smaller_one_left(tmp_path: Path) -> None:
    first, second = SimulatedLM(3), SimulatedLM(3)
    compiled(first, budget=Budget(rollouts=200), store=tmp_path / "runs.db")
    assert everything(compiled(second, store=tmp_path / "runs.db")) == whole()
    assert second.calls < calls() - first.calls / 2


def test_a_budget_in_dollars_needs_prices() -> None:
    with pytest.raises(ConfigurationError, match="prices"):
        compiled(budget=Budget(usd=5))


# ---- metrics and models that fail


def test_a_metric_that_raises_stops_nothing_and_is_no_zero() -> None:
    failed: set[str] = set()

    def metric(example: Example, prediction: Prediction, trace: object = None) -> float:
        if example.task_id[-1] in "12":
            failed.add(example.task_id)
            raise KeyError("a mistake in the metric")
        if example.task_id[-1] == "3":
            failed.add(example.task_id)
            return math.nan
        return 0.25

    report = report_of(compiled(optimizer=small(metric, attempts=1)))
    held_out = {name for name in failed if name.startswith("V")}
    assert report.problems == {"metric": len(failed)}
    assert report.baseline is not None
    assert report.baseline.mean == 0.25
    assert report.baseline.n == report.notes["tasks"]["val"] - len(held_out) < report.notes["tasks"]["val"]


@pytest.mark.parametrize("value", [True, False, 0.5, 0])
def test_a_metric_that_is_always_the_same_returns_the_baseline(value: float) -> None:
    report = report_of(compiled(optimizer=small(lambda example, prediction: value)))
    assert not report.improved
    assert report.reason.startswith("the baseline is returned")


def test_a_teacher_that_always_fails_returns_the_baseline_and_says_so() -> None:
    class Clueless(SimulatedLM):
        def complete(self, request: LMRequest) -> LMResponse:
            answer = super().complete(request)
            calls = tuple(one for one in answer.tool_calls if one.name == "submit")
            return LMResponse("", calls, model=self.model) if calls else answer

    def never(example: Example, prediction: Prediction, trace: object = None) -> bool:
        return False

    report = report_of(compiled(Clueless(3), small(never)))
    assert not report.improved
    assert "none of" in report.reason
    assert "passed" in report.reason


def test_a_threshold_of_zero_is_a_threshold() -> None:
    def metric(example: Example, prediction: Prediction, trace: object = None) -> float:
        return 0.0

    everything_passes = report_of(compiled(optimizer=small(metric, metric_threshold=0)))
    assert everything_passes.notes["headroom"]["pass@1"] == 1.0
    assert report_of(compiled(optimizer=small(metric))).notes["headroom"]["pass@1"] == 0.0


def test_a_model_that_cannot_be_reached_is_told_of_and_loses_nothing(tmp_path: Path) -> None:
    class Down(SimulatedLM):
        def complete(self, request: LMRequest) -> LMResponse:
            raise NetworkError("no route", model=self.model)

    compiled(budget=Budget(rollouts=100), store=tmp_path / "runs.db")
    with pytest.raises(ConfigurationError, match=r"no rollout reached its model .*no route"):
        compiled(Down(3), store=tmp_path / "runs.db")
    assert everything(compiled(store=tmp_path / "runs.db")) == whole()


# ---- saved programs


PROMPTS = """
import hashlib, sys
from optimizers.test_invariants import prompts
from optimizers.simulator import Shop
agent = Shop(seed=3).agent()
agent.load(sys.argv[1])
print(prompts(agent))
"""


def prompts(agent: Module) -> str:
    """Every prompt of a few runs, byte for byte."""
    told: list[str] = []

    class Listening(SimulatedLM):
        def complete(self, request: LMRequest) -> LMResponse:
            told.append(repr((request.messages, request.tools)))
            return super().complete(request)

    with context(lm=Listening(3)):
        for task in SHOP.testset(3):
            agent(question=task.question)
    return json.dumps(told)


def test_a_saved_program_gives_the_same_prompts_in_a_fresh_process(tmp_path: Path) -> None:
    program = plain()
    program.save(tmp_path / "agent.json")
    script = tmp_path / "prompts_of_it.py"
    script.write_text(PROMPTS)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(script), str(tmp_path / "agent.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.rstrip("\n") == prompts(program)


def test_a_loaded_program_can_be_compiled_further(tmp_path: Path) -> None:
    plain().save(tmp_path / "agent.json")
    again = SHOP.agent()
    again.load(tmp_path / "agent.json")
    with context(lm=SimulatedLM(3)):
        further = small().compile(again, trainset=TRAIN, valset=VAL, num_threads=1)
    report = report_of(further)
    assert report.baseline is not None
    assert report_of(plain()).baseline is not None
    assert report.baseline.mean > 0.4, "it starts from what was learned"


def test_a_stale_program_is_refused_with_the_field_named(tmp_path: Path) -> None:
    plain().save(tmp_path / "agent.json")
    other = ReAct("question, today -> answer: str", tools=SHOP.tools())
    with pytest.raises(StateError, match=r"'react'.*question -> answer.*question, today -> answer"):
        other.load(tmp_path / "agent.json")


def test_the_report_is_json_and_says_what_was_learned() -> None:
    report: Report = report_of(plain())
    read = json.loads(report.dumps())
    assert {use["phase"] for use in read["phases"]} == {"baseline", "collect", "replay", "select", "confirm"}
    planned = {use["phase"]: use["planned"] for use in read["phases"]}
    used = {use["phase"]: use["rollouts"] for use in read["phases"]}
    assert planned["baseline"] == used["baseline"]
    assert planned["confirm"] >= used["confirm"]
    assert 0 < used["select"] < 2 * planned["select"]
    assert len(read["demos"]) == len({demo["values"]["task_id"] for demo in read["demos"]}) > 0
    assert "BootstrapTrajectories: better" in str(report)


def test_records_in_memory_are_gone_with_the_store() -> None:
    store, lm = MemoryStore(), SimulatedLM(3)
    compiled(store=store)
    assert everything(compiled(lm, store=store)) == whole()
    assert lm.calls == 0
