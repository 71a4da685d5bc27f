"""Optimizers that have a model write texts: instructions, an agent's guidance, descriptions of tools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

import pytest
from optimizers.prices import NATIVE, RULE, agent, price_of, right, tasks, teachable, written

from loopwright import COPRO, GEPA, SIMBA, Example, MIPROv2, Module, Predict, Prediction, ReAct, Tool, context
from loopwright.errors import ConfigurationError
from loopwright.evaluation.metrics import Score
from loopwright.models import FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.optimizers import Optimizer, Report
from loopwright.optimizers.components import Component, components, with_texts
from loopwright.optimizers.texts.pareto import front
from loopwright.optimizers.texts.proposing import MAX_TEXT, cleaned
from loopwright.tools import ToolCall


def report_of(program: Module) -> Report:
    found: Report = vars(program)["compile_report"]
    return found


def undemonstrable(request: LMRequest) -> Answer:
    """A model that demonstrations do not teach: only the rule in the system message does."""
    if not any(tool.name == "price_of" for tool in request.tools):
        return written(request)
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"price": int(last.content)})
    item = last.content.removeprefix("item: ")
    lucky = (len(item) + (request.rollout_id or 0)) % 3 == 0
    looks = RULE in request.messages[0].content or lucky
    return ToolCall("price_of", {"item": item}) if looks else ToolCall("submit", {"price": 0})


WRITERS: dict[str, Callable[[], Optimizer]] = {
    "mipro": lambda: MIPROv2(right, max_bootstrapped_demos=0, max_labeled_demos=0),
    "gepa": lambda: GEPA(right, max_metric_calls=120),
    "simba": lambda: SIMBA(metric=right, max_demos=0, bsize=8, num_candidates=3, max_steps=2),
    "copro": lambda: COPRO(metric=right, breadth=3, depth=2),
}


@pytest.mark.parametrize("make", WRITERS.values(), ids=WRITERS)
def test_guidance_that_teaches_is_kept_and_the_instructions_stay(make: Callable[[], Optimizer]) -> None:
    program = ReAct(agent().signature.with_instructions("You work for a shop."), [price_of])
    with context(lm=FunctionLM(undemonstrable, capabilities=NATIVE)):
        compiled = make().compile(program, trainset=tasks(), num_threads=2)
        assert compiled(item="teapot").price == 6
    assert RULE in compiled.react.guidance
    assert compiled.signature.instructions == "You work for a shop."
    assert report_of(compiled).notes["learned"] == {"react: guidance": compiled.react.guidance}


@pytest.mark.parametrize("make", WRITERS.values(), ids=WRITERS)
def test_the_same_seed_writes_the_same(make: Callable[[], Optimizer]) -> None:
    def dumped(threads: int) -> str:
        with context(lm=FunctionLM(undemonstrable, capabilities=NATIVE)):
            return report_of(make().compile(agent(), trainset=tasks(), num_threads=threads)).dumps()

    assert dumped(1) == dumped(4)


def stubborn(request: LMRequest) -> Answer:
    """Answers wrongly as soon as anything was added to its system message, or shown."""
    if not any(tool.name == "price_of" for tool in request.tools):
        return written(request)
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"price": int(last.content)})
    if RULE in request.messages[0].content or len(last.content) % 2:
        return ToolCall("submit", {"price": 0})
    return ToolCall("price_of", {"item": last.content.removeprefix("item: ")})


@pytest.mark.parametrize("make", WRITERS.values(), ids=WRITERS)
def test_a_text_that_does_harm_is_not_kept(make: Callable[[], Optimizer]) -> None:
    with context(lm=FunctionLM(stubborn, capabilities=NATIVE)):
        compiled = make().compile(agent(), trainset=tasks(), num_threads=2)
    assert compiled.states() == agent().states()
    assert not report_of(compiled).improved


@pytest.mark.parametrize("make", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("limit", [3, 40])
def test_a_budget_ends_it_exactly(make: Callable[[], Optimizer], limit: int) -> None:
    calls: list[LMRequest] = []

    def counted(request: LMRequest) -> Answer:
        calls.append(request)
        return undemonstrable(request)

    with context(lm=FunctionLM(counted, capabilities=NATIVE)):
        compiled = make().compile(agent(), trainset=tasks(), budget={"calls": limit})
    assert report_of(compiled).used.calls == len(calls) <= limit


@pytest.mark.parametrize("make", WRITERS.values(), ids=WRITERS)
def test_the_instructions_of_a_plain_predictor_are_what_is_written(make: Callable[[], Optimizer]) -> None:
    def answer(request: LMRequest) -> Answer:
        text = request.messages[-1].content
        if "[[ ## word ## ]]" not in text:
            return written(request)
        size = len(text.split()[-1])
        knows = RULE in request.messages[0].content or (size + (request.rollout_id or 0)) % 2
        return f"[[ ## size ## ]]\n{size if knows else 0}"

    trainset = [Example(word="x" * n, size=n).with_inputs("word") for n in range(1, 61)]

    def same(example: Example, prediction: Prediction, trace: object = None) -> bool:
        return bool(example["size"] == prediction.get("size"))

    optimizer = make()
    optimizer.metric = same
    with context(lm=FunctionLM(answer)):
        compiled = optimizer.compile(Predict("word -> size: int"), trainset=trainset)
    assert RULE in compiled.signature.instructions


# Components


def test_a_tools_own_description_is_no_change() -> None:
    program = agent()
    tool = Component("react", "tool", "price_of")
    assert components(program) == [Component("react", "guidance"), tool]
    changed = with_texts(program, {tool: "Another."})
    assert changed.react.own_state().tools == {"price_of": "Another."}
    assert with_texts(changed, {tool: "The price of an item."}).states() == program.states()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (" Be brief.\n", "Be brief."),
        ("```text\nBe brief.\n```", "Be brief."),
        ('"Be brief."', "Be brief."),
        ('Say "yes" or "no"', 'Say "yes" or "no"'),
        (None, ""),
        ("x" * 9_000, "x" * MAX_TEXT),
    ],
    ids=["spaces", "fence", "quotes", "quotes inside", "nothing", "endless"],
)
def test_a_proposal_is_cleaned(given: object, text: str) -> None:
    assert cleaned(given) == text


# MIPROv2


def failing_tool(item: str) -> int:
    """A price."""
    if not item.isupper():
        raise ValueError("write the item in capitals")
    return len(item)


def test_the_description_of_a_tool_whose_calls_fail_is_written_anew() -> None:
    seen: list[str] = []

    def answer(request: LMRequest) -> Answer:
        told = request.messages[-1].content
        if not request.tools:
            seen.append(told)
            return f"[[ ## proposal ## ]]\n{RULE}\n\n[[ ## summary ## ]]\n{RULE}"
        if request.messages[-1].role == "tool" and not told.startswith("Error"):
            return ToolCall("submit", {"price": int(told)})
        item = next(m for m in request.messages[::-1] if m.role == "user").content.removeprefix("item: ")
        knows = any(tool.description == RULE for tool in request.tools)
        if request.messages[-1].role == "tool":
            return ToolCall("submit", {"price": 0})
        return ToolCall("price_of", {"item": item.upper() if knows else item})

    program = ReAct("item -> price: int", [Tool(failing_tool, "price_of")])
    with context(lm=FunctionLM(answer, capabilities=NATIVE)):
        compiled = MIPROv2(right).compile(program, trainset=tasks())
    assert compiled.react.descriptions == {"price_of": RULE}
    assert any("Calls that failed:" in told and "write the item in capitals" in told for told in seen)
    assert any("[[ ## tip ## ]]\nBe concrete" in told for told in seen)


@pytest.mark.parametrize(
    ("options", "compiling", "says"),
    [
        ({"num_candidates": 3}, {}, "auto='light' sets the numbers of candidates and trials"),
        ({}, {"num_trials": 3}, "auto='light' sets the numbers of candidates and trials"),
        ({"auto": None}, {}, "without auto, give num_candidates, and compile a num_trials"),
        ({"auto": "huge"}, {}, "auto is light, medium, heavy or None, not 'huge'"),
    ],
    ids=["candidates", "trials", "nothing", "auto"],
)
def test_the_effort_is_said_in_one_way(
    options: Mapping[str, object], compiling: Mapping[str, object], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        MIPROv2(right, **options).compile(agent(), trainset=tasks(), **compiling)  # type: ignore[arg-type]  # wrong on purpose


def test_without_optuna_it_says_what_to_install_before_anything_is_asked() -> None:
    program = """
import sys
sys.modules["optuna"] = None  # as where it is not installed
from loopwright import Example, MIPROv2, Predict, context
from loopwright.errors import ConfigurationError
from loopwright.models import ScriptedLM
lm = ScriptedLM([])
try:
    with context(lm=lm):
        MIPROv2(lambda e, p: 1).compile(Predict("a -> b"), trainset=[Example(a="x", b="y").with_inputs("a")])
except ConfigurationError as error:
    print(error, len(lm.requests))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() == (
        "MIPROv2 searches with optuna, which is not installed: pip install 'loopwright[optuna]' 0"
    )


# GEPA


def test_reflection_sees_steps_and_feedback() -> None:
    seen: list[str] = []

    def metric(example: Example, prediction: Prediction, trace: object = None) -> Score:
        good = prediction.get("price") == example["price"]
        return Score(float(good), feedback="" if good else "the price is made up", step=None if good else 1)

    def answer(request: LMRequest) -> Answer:
        if not any(tool.name == "price_of" for tool in request.tools):
            seen.append(request.messages[-1].content)
        return undemonstrable(request)

    with context(lm=FunctionLM(answer, capabilities=NATIVE)):
        compiled = GEPA(metric, max_metric_calls=80).compile(agent(), trainset=tasks())
    assert RULE in compiled.react.guidance
    assert "-> score 0: the price is made up (step 1)" in seen[0]
    assert "submit(price=0)" in seen[0]


def test_a_metric_of_five_arguments_and_a_score_with_feedback_will_do() -> None:
    def metric(
        gold: Example, pred: Prediction, trace: object, pred_name: str, pred_trace: object
    ) -> Prediction:
        return Prediction(score=float(pred.get("price") == gold["price"]), feedback="look it up")

    with context(lm=FunctionLM(undemonstrable, capabilities=NATIVE)):
        compiled = GEPA(metric, max_metric_calls=80).compile(agent(), trainset=tasks())
    assert RULE in compiled.react.guidance


def test_an_own_proposer_writes_in_place_of_the_model() -> None:
    asked: list[Sequence[str]] = []

    def propose(
        current: dict[str, str], runs: Mapping[str, Sequence[Mapping[str, object]]], names: list[str]
    ) -> dict[str, str]:
        asked.append(names)
        assert set(runs) == set(names) == set(current)
        return dict.fromkeys(names, RULE)

    with context(lm=FunctionLM(undemonstrable, capabilities=NATIVE)):
        compiled = GEPA(right, max_metric_calls=80, instruction_proposer=propose).compile(
            agent(), trainset=tasks()
        )
    assert compiled.react.guidance == RULE
    assert asked[0] == ["react: guidance"]
    assert not any(use.phase == "reflect" for use in report_of(compiled).phases)


class Two(Module):
    """Two predictors, each with a text of its own to learn; what one learns does a little harm where the other counts."""

    def __init__(self) -> None:
        self.first = Predict("word -> told")
        self.second = Predict("word -> told")

    def forward(self, word: str) -> Prediction:
        return Prediction(first=self.first(word=word).told, second=self.second(word=word).told)


def own_rule_counts(example: Example, prediction: Prediction, trace: object = None) -> float:
    learned = {"first": prediction["first"] == "yes", "second": prediction["second"] == "yes"}
    wanted = "first" if len(example["word"]) % 2 else "second"
    if learned.pop(wanted):
        return 1.0
    return 0.2 if any(learned.values()) else 0.3


def test_two_candidates_that_learned_apart_are_joined() -> None:
    def propose(
        current: dict[str, str], runs: Mapping[str, Sequence[Mapping[str, object]]], names: list[str]
    ) -> dict[str, str]:
        return dict.fromkeys(names, RULE)

    def answer(request: LMRequest) -> Answer:
        return f"[[ ## told ## ]]\n{'yes' if RULE in request.messages[0].content else 'no'}"

    trainset = [Example(word="x" * n).with_inputs("word") for n in range(1, 61)]
    with context(lm=FunctionLM(answer)):
        compiled = GEPA(own_rule_counts, max_metric_calls=500, instruction_proposer=propose).compile(
            Two(), trainset=trainset
        )
    report = report_of(compiled)
    assert [p.signature.instructions for p in compiled.predictors()] == [RULE, RULE]
    assert any(one.stage == "merge" and one.verdict == "joins" for one in report.decisions)
    assert report.confirmed is not None
    assert report.confirmed.mean == 1.0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"auto": "light", "max_full_evals": 2}, "one of auto, max_full_evals, max_metric_calls"),
        ({"use_wandb": True}, "there is no wandb here"),
        ({"component_selector": "best"}, "component_selector is 'round_robin' or 'all'"),
        (
            {"candidate_selection_strategy": "best"},
            "candidate_selection_strategy is 'pareto' or 'current_best'",
        ),
        ({"auto": "huge"}, "auto is light, medium, heavy or None"),
    ],
    ids=["effort", "wandb", "selector", "strategy", "auto"],
)
def test_options_that_can_not_be_are_refused(options: Mapping[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        GEPA(right, **options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "options",
    [
        {"candidate_selection_strategy": "current_best"},
        {"component_selector": "all"},
        {"max_full_evals": 4, "use_merge": False},
        {"auto": "light", "seed": 4},
    ],
    ids=["current best", "all components", "full evaluations", "auto"],
)
def test_other_ways_to_evolve_learn_the_rule_too(options: dict[str, object]) -> None:
    if not {"auto", "max_full_evals"} & set(options):
        options = {**options, "max_metric_calls": 90}
    with context(lm=FunctionLM(undemonstrable, capabilities=NATIVE)):
        compiled = GEPA(right, **options).compile(agent(), trainset=tasks())  # type: ignore[arg-type]  # from the table
    assert RULE in compiled.react.guidance


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ({"a": {"x": 1.0}, "b": {"x": 1.0}}, {"a": 1}),
        ({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 1.0, "y": 1.0}}, {"b": 2}),
        ({"a": {}, "b": {"x": 0.0}}, {"b": 1}),
        ({}, {}),
    ],
    ids=["equal", "dominated", "not measured", "nobody"],
)
def test_the_front_holds_who_is_best_somewhere(
    scores: dict[str, dict[str, float]], wanted: dict[str, int]
) -> None:
    assert front(scores) == wanted


# SIMBA and COPRO


def test_a_step_appends_whole_trajectories_and_never_more_than_may_be() -> None:
    with context(lm=teachable()):
        compiled = SIMBA(metric=right, max_demos=2, bsize=8, num_candidates=3, max_steps=4).compile(
            agent(), trainset=tasks(), seed=2
        )
    report = report_of(compiled)
    assert report.improved
    assert all(len(candidate.demos) <= 2 for candidate in report.candidates)
    assert any("demonstration" in candidate.note for candidate in report.candidates)


def test_a_teacher_makes_one_run_of_every_task() -> None:
    asked: list[str] = []

    def wise(request: LMRequest) -> Answer:
        asked.append(request.messages[-1].content)
        return ToolCall("submit", {"price": len(request.messages[-1].content) - len("item: ")})

    def ignorant(request: LMRequest) -> Answer:
        return ToolCall("submit", {"price": 0}) if request.tools else written(request)

    with context(lm=FunctionLM(ignorant, capabilities=NATIVE)):
        compiled = SIMBA(
            metric=right,
            bsize=6,
            num_candidates=2,
            max_steps=1,
            teacher_settings={"lm": FunctionLM(wise, capabilities=NATIVE)},
        ).compile(agent(), trainset=tasks())
    assert len(asked) == 6
    assert any(one.stage == "step 0" for one in report_of(compiled).decisions)


def test_long_inputs_of_a_demonstration_are_cut() -> None:
    optimizer = SIMBA(metric=right, demo_input_field_maxlen=2, bsize=8, num_candidates=3, max_steps=2)
    with context(lm=teachable()):
        compiled = optimizer.compile(agent(), trainset=tasks())
    assert all(len(demo["values"]["item"]) <= 3 for demo in report_of(compiled).demos)


def test_later_rounds_see_what_was_tried_with_its_score() -> None:
    seen: list[str] = []

    def answer(request: LMRequest) -> Answer:
        if not any(tool.name == "price_of" for tool in request.tools):
            seen.append(request.messages[-1].content)
            return f"[[ ## proposal ## ]]\nText {len(seen)}."
        return undemonstrable(request)

    with context(lm=FunctionLM(answer, capabilities=NATIVE), num_threads=1):
        COPRO(metric=right, breadth=3, depth=2).compile(agent(), trainset=tasks())
    assert "[[ ## tried ## ]]" not in seen[0]
    assert "Text 1, score 0." in seen[-1]


def test_a_breadth_of_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 2"):
        COPRO(metric=right, breadth=1)
