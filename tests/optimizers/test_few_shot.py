"""Demonstrations: labelled ones, and a teacher's successes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from optimizers.prices import agent, harmed, price_of, right, tasks, teachable

from loopwright import (
    BootstrapFewShot,
    BootstrapFewShotWithRandomSearch,
    BootstrapRS,
    ChainOfThought,
    Example,
    KNNFewShot,
    LabeledFewShot,
    MIPROv2,
    Module,
    Predict,
    Prediction,
    ReAct,
    Step,
    Trajectory,
    context,
)
from loopwright.errors import ConfigurationError
from loopwright.models import FunctionLM, LMRequest, ScriptedLM
from loopwright.optimizers import Optimizer, Report
from loopwright.optimizers.page import page_html
from loopwright.tools import ToolCall, ToolResult

COUNTRIES = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Peru": "Lima", "Cuba": "Havana"}
CAPITALS = [Example(country=c, capital=t).with_inputs("country") for c, t in COUNTRIES.items()]


def report_of(program: Module) -> Report:
    found: Report = vars(program)["compile_report"]
    return found


def knows(*countries: str) -> FunctionLM:
    """A model that knows some capitals, and says so of the others."""

    def answer(request: LMRequest) -> str:
        asked = next(c for c in COUNTRIES if f"]]\n{c}" in request.messages[-1].content)
        return f"[[ ## reasoning ## ]]\nI think.\n\n[[ ## capital ## ]]\n{COUNTRIES[asked] if asked in countries else '?'}"

    return FunctionLM(answer)


def same_capital(example: Example, prediction: Prediction, trace: object = None) -> bool:
    return bool(example["capital"] == prediction["capital"])


# Labelled examples


def test_labelled_examples_are_shown_as_they_are_and_no_model_is_asked() -> None:
    program = LabeledFewShot(k=2).compile(Predict("country -> capital"), trainset=CAPITALS, sample=False)
    assert [demo.capital for demo in program.demos] == ["Paris", "Rome"]
    assert "nothing was measured" in report_of(program).reason


def test_labelled_examples_are_drawn_by_the_seed() -> None:
    def drawn(seed: int) -> list[str]:
        program = LabeledFewShot(k=3, seed=seed).compile(Predict("country -> capital"), trainset=CAPITALS)
        return [demo.capital for demo in program.demos]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(8)}) > 1


def test_an_agent_is_not_shown_an_answer_without_the_way_to_it() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'react' is an agent's, and none of the 72 examples has a `trajectory`"
    ):
        LabeledFewShot().compile(agent(), trainset=tasks())


def test_an_agent_is_shown_runs_that_are_known_to_be_right() -> None:
    call = ToolCall("price_of", {"item": "lamp"})
    gold = tasks(["lamp"])[0].copy(trajectory=Trajectory((Step("Look.", (call,), (ToolResult(call, "4"),)),)))
    program = LabeledFewShot(metric=right).compile(
        agent(), trainset=[gold.with_inputs("item")], valset=None, sample=False
    )
    assert program.react.demos[0].trajectory.calls[0] == call
    with context(lm=teachable()):
        assert program(item="sofa").price == 4


def test_labelled_examples_that_do_not_help_are_not_kept() -> None:
    lm = FunctionLM(
        lambda request: (
            f"[[ ## capital ## ]]\n{'?' if len(request.messages) > 2 else COUNTRIES[request.messages[-1].content.split()[-1]]}"
        )
    )
    many = [e.copy(group=str(n)).with_inputs("country") for n, e in enumerate(CAPITALS * 3)]
    with context(lm=lm):
        program = LabeledFewShot(k=2, metric=same_capital).compile(
            Predict("country -> capital"), trainset=many
        )
    assert program.demos == []
    assert not report_of(program).improved


UNMEASURED: dict[str, Callable[[], Optimizer]] = {
    "labelled": lambda: LabeledFewShot(k=2),
    "labelled, with a metric": lambda: LabeledFewShot(k=2, metric=same_capital),
    "nearest": lambda: KNNFewShot(2, CAPITALS),
    "a teacher's": lambda: BootstrapFewShot(same_capital, max_bootstrapped_demos=2),
}


@pytest.mark.parametrize("make", UNMEASURED.values(), ids=UNMEASURED)
def test_demonstrations_that_nothing_was_measured_of_are_not_called_better(
    make: Callable[[], Optimizer],
) -> None:
    with context(lm=knows(*COUNTRIES)):
        program = make().compile(ChainOfThought("country -> capital"), trainset=CAPITALS)
    report = report_of(program)
    assert report.verdict == report.to_json()["verdict"] == "changed, not measured"
    assert str(report).startswith(f"{report.optimizer}: changed, not measured (")
    assert "Changed, not measured" in page_html(report.to_json())


# A teacher's successes


def test_a_plain_program_is_shown_the_runs_that_passed_with_what_was_between() -> None:
    program = ChainOfThought("country -> capital")
    optimizer = BootstrapFewShot(same_capital, max_bootstrapped_demos=2, max_labeled_demos=0)
    with context(lm=knows("Italy", "Peru", "Cuba")):
        compiled = optimizer.compile(program, trainset=CAPITALS)
    assert [(demo.country, demo.reasoning) for demo in compiled.predict.demos] == [
        ("Italy", "I think."),
        ("Peru", "I think."),
    ]
    assert program.predict.demos == []


def test_labelled_examples_fill_up_what_was_not_bootstrapped() -> None:
    optimizer = BootstrapFewShot(same_capital, max_bootstrapped_demos=1, max_labeled_demos=3)
    with context(lm=knows("Italy")):
        compiled = optimizer.compile(ChainOfThought("country -> capital"), trainset=CAPITALS)
    demos = compiled.predict.demos
    assert demos[0].country == "Italy"
    assert len(demos) == 3
    assert all("reasoning" not in demo for demo in demos[1:])


def test_the_teacher_is_shown_labelled_examples_but_never_its_own_task() -> None:
    seen: list[tuple[str, list[str]]] = []

    def answer(request: LMRequest) -> str:
        users = [m.content.split()[-1] for m in request.messages if m.role == "user"]
        seen.append((users[-1], users[:-1]))
        return "[[ ## capital ## ]]\n?"

    with context(lm=FunctionLM(answer)):
        BootstrapFewShot(same_capital).compile(Predict("country -> capital"), trainset=CAPITALS)
    assert len(seen) == len(CAPITALS)
    assert all(len(shown) == len(CAPITALS) - 1 and asked not in shown for asked, shown in seen)


def test_a_threshold_of_zero_is_a_threshold() -> None:
    with context(lm=knows()):
        compiled = BootstrapFewShot(same_capital, metric_threshold=0, max_labeled_demos=0).compile(
            ChainOfThought("country -> capital"), trainset=CAPITALS
        )
    assert len(compiled.predict.demos) == 4


def test_another_model_may_teach() -> None:
    optimizer = BootstrapFewShot(
        same_capital, teacher_settings={"lm": knows(*COUNTRIES)}, max_labeled_demos=0
    )
    with context(lm=knows()):
        compiled = optimizer.compile(ChainOfThought("country -> capital"), trainset=CAPITALS)
    assert [demo.capital for demo in compiled.predict.demos] == ["Paris", "Rome", "Madrid", "Lima"]
    assert compiled.get_lm() is None


def test_a_second_round_tries_again_what_failed() -> None:
    answers = [f"[[ ## capital ## ]]\n{c}" for c in ("?", "?", "Madrid", "?", "?", "Paris", "?", "?", "?")]
    lm = ScriptedLM(answers)
    optimizer = BootstrapFewShot(same_capital, max_rounds=2, max_labeled_demos=0)
    with context(lm=lm, num_threads=1):
        compiled = optimizer.compile(Predict("country -> capital"), trainset=CAPITALS)
    assert [demo.country for demo in compiled.demos] == ["France", "Spain"]
    assert [request.temperature for request in lm.requests] == [None] * 5 + [1.0] * 4


def test_an_agent_is_shown_whole_trajectories() -> None:
    with context(lm=teachable()):
        program = BootstrapFewShot(right, max_bootstrapped_demos=2).compile(agent(), trainset=tasks())
        assert program(item="teapot").price == 6
    demos = program.react.demos
    assert len(demos) == 2
    assert all([c.name for c in d.trajectory.calls] == ["price_of", "submit"] for d in demos)
    report = report_of(program)
    assert report.improved
    assert report.confirmed is not None
    assert report.confirmed.mean == 1.0
    assert not {d["values"]["task_id"] for d in report.demos} & _confirmed_tasks(report)


def _confirmed_tasks(report: Report) -> set[str]:
    gathered = {one.subject for one in report.decisions if one.stage == "bootstrap"}
    return {task["task_id"] for task in tasks()} - gathered


def test_a_run_that_ended_at_a_limit_is_no_demonstration() -> None:
    lm = FunctionLM(
        lambda request: ToolCall("price_of", {"item": "x"}), capabilities=teachable().capabilities
    )
    with context(lm=lm):
        program = BootstrapFewShot(metric=None).compile(
            ReAct("item -> price: int", [price_of], max_iters=2), trainset=tasks(["lamp", "bed"])
        )
    assert program.react.demos == []
    assert "no run passed" in report_of(program).reason


def test_a_teacher_that_never_passes_leaves_the_student_and_says_so() -> None:
    lm = FunctionLM(lambda request: ToolCall("submit", {"price": -1}), capabilities=teachable().capabilities)
    with context(lm=lm):
        program = BootstrapFewShot(right).compile(agent(), trainset=tasks())
    assert program.states() == agent().states()
    assert not report_of(program).improved
    assert "no run passed" in report_of(program).reason


# Searches over sets, and a bank

SEARCHES: dict[str, Callable[[], Optimizer]] = {
    "few-shot": lambda: BootstrapFewShot(right),
    "random search": lambda: BootstrapRS(right, num_candidate_programs=4),
    "knn": lambda: KNNFewShot(2, (), metric=right),
    "mipro": lambda: MIPROv2(right),
}


@pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
def test_demonstrations_that_teach_are_kept(make: Callable[[], Optimizer]) -> None:
    with context(lm=teachable()):
        program = make().compile(agent(), trainset=tasks(), num_threads=2)
        assert program(item="teapot").price == 6
    assert report_of(program).improved


@pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
def test_where_demonstrations_do_harm_the_student_comes_back(make: Callable[[], Optimizer]) -> None:
    with context(lm=harmed()):
        program = make().compile(agent(), trainset=tasks(), num_threads=2)
    assert program.states() == agent().states()
    assert "the baseline is returned" in report_of(program).reason


@pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
@pytest.mark.parametrize("limit", [0, 1, 7, 30])
def test_a_budget_of_rollouts_is_kept_to_exactly(make: Callable[[], Optimizer], limit: int) -> None:
    runs: list[str] = []

    def counted(program: Module, example: Example) -> Prediction:
        runs.append(example["task_id"])
        found: Prediction = program(**example.inputs().toDict())
        return found

    with context(lm=teachable()):
        program = make().compile(
            agent(), trainset=tasks(), budget={"rollouts": limit}, run=counted, num_threads=2
        )
    report = report_of(program)
    assert report.used.rollouts <= limit
    written = sum(use.used.rollouts for use in report.phases if use.phase == "propose")
    assert len(runs) + written == report.used.rollouts
    assert sum(use.used.rollouts for use in report.phases) == report.used.rollouts


@pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
def test_one_worker_and_eight_give_the_same_bytes(make: Callable[[], Optimizer], tmp_path: Path) -> None:
    def bytes_of(threads: int) -> tuple[bytes, str]:
        with context(lm=teachable()):
            program = make().compile(agent(), trainset=tasks(), num_threads=threads)
        program.save(tmp_path / "agent.json")
        return (tmp_path / "agent.json").read_bytes(), report_of(program).dumps()

    assert bytes_of(1) == bytes_of(8)


@pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
def test_what_was_compiled_goes_on_from_its_store_without_a_call(
    make: Callable[[], Optimizer], tmp_path: Path
) -> None:
    calls: list[LMRequest] = []
    model = teachable()

    def counted(request: LMRequest) -> object:
        calls.append(request)
        return model.complete(request)

    lm = FunctionLM(counted, capabilities=model.capabilities)  # type: ignore[arg-type]  # an LMResponse is an answer

    def compiled() -> str:
        with context(lm=lm):
            return report_of(make().compile(agent(), trainset=tasks(), store=tmp_path / "runs.db")).dumps()

    first, made = compiled(), len(calls)
    assert made > 0
    assert compiled() == first
    assert len(calls) == made


def test_random_sets_are_of_what_was_solved_and_of_the_numbers_asked_for() -> None:
    with context(lm=teachable()):
        program = BootstrapFewShotWithRandomSearch(
            right, num_candidate_programs=6, max_bootstrapped_demos=2
        ).compile(agent(), trainset=tasks(), restrict=[-1, 2, 3])
    candidates = report_of(program).candidates
    assert [c.name for c in candidates if c.name != "baseline"] == ["set -1", "set 2", "set 3"]
    solved = {t["task_id"] for t in tasks() if t["item"][-1] in "pk" or len(t["item"]) == 3}
    assert all(set(c.demos) <= solved and len(c.demos) <= 2 for c in candidates)


def test_a_search_may_stop_at_a_score() -> None:
    def tried(stop: float | None) -> int:
        with context(lm=teachable()):
            program = BootstrapRS(right, num_candidate_programs=12, stop_at_score=stop).compile(
                agent(), trainset=tasks()
            )
        return sum(c.score is not None for c in report_of(program).candidates)

    assert tried(0.9) < tried(None)


def test_a_bank_shows_each_question_what_is_nearest_to_it(tmp_path: Path) -> None:
    trainset = [Example(question=q, answer=a).with_inputs("question") for q, a in QUESTIONS.items()]
    program = KNNFewShot(1, trainset).compile(Predict("question -> answer"))
    program.save(tmp_path / "knn.json")
    loaded = Predict("question -> answer")
    loaded.load(tmp_path / "knn.json")
    assert [shown(one, "Do the lamps have bulbs?") for one in (program, loaded)] == [
        ["Is a bulb in the lamp?"]
    ] * 2


QUESTIONS = {"What does a desk cost?": "150", "Is a bulb in the lamp?": "yes", "When do you open?": "at nine"}


def shown(program: Predict, question: str) -> Sequence[str]:
    lm = ScriptedLM(["[[ ## answer ## ]]\n!"])
    with context(lm=lm):
        program(question=question)
    return [m.content.splitlines()[1] for m in lm.requests[0].messages if m.role == "user"][:-1]


def test_a_bank_of_an_agent_holds_a_run_of_every_task_that_was_solved() -> None:
    with context(lm=teachable()):
        program = KNNFewShot(3, tasks()).compile(agent())
    assert program.react.nearest == 3
    assert len(program.react.demos) > 3
    assert all(demo.trajectory.steps for demo in program.react.demos)


def test_teacher_settings_name_a_model_and_nothing_else() -> None:
    with pytest.raises(ConfigurationError, match="teacher_settings has no 'temperature'; there is: lm"):
        BootstrapFewShot(right, teacher_settings={"temperature": 1}).compile(agent(), trainset=tasks())


@pytest.mark.parametrize(
    ("trained", "valued", "note", "confirmed"),
    [
        (3, None, "less than 4 groups: selected on what was learned from", False),
        (8, None, "less than 10 groups: nothing is confirmed", False),
        (30, None, "", True),
        (8, 6, "the valset has less than 10 groups: nothing is confirmed", False),
        (8, 20, "", True),
    ],
    ids=["three tasks", "eight", "thirty", "a small valset", "a valset"],
)
def test_tasks_are_kept_apart_as_far_as_they_go(
    trained: int, valued: int | None, note: str, confirmed: bool
) -> None:
    valset = None if valued is None else tasks()[trained : trained + valued]
    with context(lm=teachable()):
        program = BootstrapRS(right, num_candidate_programs=2).compile(
            agent(), trainset=tasks()[:trained], valset=valset
        )
    report = report_of(program)
    assert note in report.notes["note"]
    assert bool(report.notes["note"]) == bool(note)
    assert (report.confirmed is not None) == confirmed


def test_a_valset_that_is_the_trainset_is_split() -> None:
    with context(lm=teachable()):
        program = BootstrapRS(right, num_candidate_programs=2).compile(
            agent(), trainset=tasks(), valset=tasks()
        )
    report = report_of(program)
    gathered = {task for candidate in report.candidates for task in candidate.demos}
    assert report.confirmed is not None
    assert report.baseline is not None
    assert report.baseline.n + report.confirmed.n + len(gathered) <= len(tasks())
