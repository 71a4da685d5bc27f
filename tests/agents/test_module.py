from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loopwright import ChainOfThought, Example, Module, Predict, Prediction, ReAct, Signature, context
from loopwright.errors import InputError, StateError
from loopwright.models import FunctionLM, LMRequest, ScriptedLM
from loopwright.state import State

ECHO = FunctionLM(lambda request: f"[[ ## answer ## ]]\n{request.messages[-1].content.splitlines()[-1]}")


def search(query: str) -> str:
    """Search."""
    return query


class Pipeline(Module):
    def __init__(self) -> None:  # no super().__init__(): it must work without
        self.draft = Predict("question -> answer")
        self.steps = [ChainOfThought("question -> answer"), Predict("question -> answer")]
        self.by_team = {
            "billing": Predict("question -> answer"),
            "shipping": {"late": Predict("question -> answer")},
        }
        self.agent = ReAct("question -> answer", tools=[search])
        self.again = self.draft
        self.limit = 3

    def forward(self, question: str) -> Prediction:
        first: Prediction = self.draft(question=question)
        second: Prediction = self.by_team["billing"](question=first.answer + "!")  # type: ignore[operator]  # a predictor
        return second


def test_predictors_are_found_in_attributes_lists_and_dicts_under_dspys_names() -> None:
    assert [path for path, _ in Pipeline().named_predictors()] == [
        "draft",
        "steps[0].predict",
        "steps[1]",
        "by_team['billing']",
        "by_team['shipping']['late']",
        "agent.react",
    ]
    assert [path for path, _ in Predict("a -> b").named_predictors()] == ["self"]
    assert [path for path, _ in ChainOfThought("a -> b").named_predictors()] == ["predict"]
    assert len(Pipeline().predictors()) == 6


def test_a_program_that_holds_itself_is_walked_once() -> None:
    class Ring(Module):
        def __init__(self) -> None:
            self.parts: list[object] = [self, Predict("a -> b")]
            self.parts.append(self.parts)

    assert [path for path, _ in Ring().named_predictors()] == ["parts[1]"]
    assert len(list(Ring().deepcopy().named_predictors())) == 1


def test_a_module_needs_no_init_of_its_parent() -> None:
    with context(lm=ECHO):
        assert Pipeline()(question="hello").answer == "hello!"


def test_a_module_may_define_its_forward_in_a_mixin() -> None:
    class Loud:
        def forward(self, text: str) -> Prediction:
            return Prediction(text=text.upper())

    class Shout(Loud, Module):
        pass

    assert Shout()(text="hey").text == "HEY"


def test_a_module_without_forward_says_so() -> None:
    class Nothing(Module):
        pass

    with pytest.raises(TypeError, match=r"Nothing defines neither forward\(\) nor aforward\(\)"):
        Nothing()()
    with pytest.raises(TypeError, match="Nothing defines neither"):
        asyncio.run(Nothing().acall())


def test_a_program_prints_its_predictors() -> None:
    assert repr(ChainOfThought("a -> b")) == "ChainOfThought(\n  predict = Predict('a -> reasoning, b')\n)"
    assert repr(Predict("a -> b")) == "Predict('a -> b')"


# Sync and async


class OnlyAsync(Module):
    def __init__(self) -> None:
        self.predict = Predict("question -> answer")
        self.threads: list[int] = []

    async def aforward(self, question: str) -> Prediction:
        self.threads.append(threading.get_ident())
        await asyncio.sleep(0)
        return await self.predict.acall(question=question)  # type: ignore[no-any-return]  # a module's call is Any


class OnlySync(Module):
    def __init__(self) -> None:
        self.inner = OnlyAsync()
        self.threads: list[int] = []

    def forward(self, question: str) -> Prediction:
        self.threads.append(threading.get_ident())
        return self.inner(question=question)  # type: ignore[no-any-return]  # as above


def test_an_async_program_runs_from_plain_code() -> None:
    with context(lm=ECHO):
        assert OnlyAsync()(question="hello").answer == "hello"


def test_an_async_program_runs_from_plain_code_inside_an_event_loop() -> None:
    async def main() -> Any:
        return OnlySync().forward("hello").answer

    with context(lm=ECHO):
        assert asyncio.run(main()) == "hello"


def test_a_blocking_forward_runs_in_a_thread_when_it_is_awaited() -> None:
    program = OnlySync()
    with context(lm=ECHO):
        assert asyncio.run(program.acall(question="hello")).answer == "hello"
    assert program.threads != [threading.get_ident()]


def test_many_calls_are_awaited_at_once() -> None:
    at_once = threading.Barrier(4)

    def answer(request: LMRequest) -> str:
        at_once.wait(60)  # breaks unless all four are asked at the same time
        return "[[ ## answer ## ]]\nyes"

    async def main() -> list[Any]:
        predict = Predict("question -> answer")
        return await asyncio.gather(*(predict.acall(question=str(i)) for i in range(4)))

    with context(lm=FunctionLM(answer)):
        assert [prediction.answer for prediction in asyncio.run(main())] == ["yes"] * 4


def test_an_awaited_call_can_be_cancelled() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(request: LMRequest) -> str:
        asked.set()
        go_on.wait(60)
        return "[[ ## answer ## ]]\nlate"

    async def main() -> None:
        task = asyncio.create_task(Predict("question -> answer").acall(question="?"))
        await asyncio.to_thread(asked.wait, 60)
        task.cancel()
        try:
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            go_on.set()

    with context(lm=FunctionLM(answer)):
        asyncio.run(main())


def test_a_subclass_that_changes_forward_changes_acall_too() -> None:
    class Polite(ChainOfThought):
        def forward(self, **inputs: Any) -> Prediction:
            return Prediction(answer=f"{inputs['question']}, please")

    assert asyncio.run(Polite("question -> answer").acall(question="tea")).answer == "tea, please"


# Models


def test_set_lm_reaches_every_predictor() -> None:
    program, lm = Pipeline(), ScriptedLM([])
    assert program.get_lm() is None
    program.set_lm(lm)
    assert program.get_lm() is lm
    assert all(predictor.lm is lm for predictor in program.predictors())
    program.draft.lm = None
    with pytest.raises(ValueError, match="the predictors ask different models"):
        program.get_lm()


def test_a_predictors_own_model_goes_before_the_contexts() -> None:
    predict = Predict("question -> answer", lm=ScriptedLM(["[[ ## answer ## ]]\nmine"]))
    with context(lm=ECHO):
        assert predict(question="?").answer == "mine"


# Copies


def test_a_deep_copy_shares_models_tools_and_what_can_not_be_copied() -> None:
    program, lm = Pipeline(), ScriptedLM([])
    program.set_lm(lm)
    program.models = [lm]  # type: ignore[attr-defined]  # a user's own attribute
    program.lock = threading.Lock()  # type: ignore[attr-defined]  # likewise
    program.draft.demos = [Example(question="?", answer="!")]
    copied = program.deepcopy()
    assert copied.get_lm() is lm
    assert copied.models == [lm]  # type: ignore[attr-defined]  # likewise
    assert copied.lock is program.lock  # type: ignore[attr-defined]  # likewise
    assert copied.agent.tools is program.agent.tools
    assert copied.again is copied.draft is not program.draft
    copied.draft.demos.append(Example(question="??", answer="!!"))
    assert len(program.draft.demos) == 1


def test_a_reset_copy_has_no_demonstrations() -> None:
    program = Pipeline()
    program.draft.demos = [Example(question="?", answer="!")]
    assert program.reset_copy().draft.demos == []
    assert len(program.draft.demos) == 1


def test_with_state_copies_only_the_way_to_what_it_changes() -> None:
    program = Pipeline()
    state = State("question -> answer", "Be brief.", (Example(question="?", answer="!"),))
    new = program.with_state({"by_team['shipping']['late']": state, "draft": state})
    late: Any = new.by_team["shipping"]
    assert late["late"].signature.instructions == "Be brief."
    assert new.again is new.draft is not program.draft
    assert new.draft.demos == [Example(question="?", answer="!")]
    assert new.by_team["billing"] is program.by_team["billing"]
    assert new.steps is program.steps
    assert new.agent is program.agent
    assert program.draft.signature.instructions != "Be brief."
    assert program.states()["draft"].demos == ()
    assert new.states()["draft"] == state


def test_with_state_keeps_the_kinds_of_containers() -> None:
    class Pair(NamedTuple):
        left: Predict
        right: Predict

    class Program(Module):
        def __init__(self) -> None:
            self.pair = Pair(Predict("a -> b"), Predict("a -> b"))
            self.ordered = OrderedDict(x=Predict("a -> b"))

    state = State("a -> b", "Be brief.")
    new = Program().with_state({"pair[1]": state, "ordered['x']": state})
    assert isinstance(new.pair, Pair)
    assert new.pair.right.signature.instructions == new.ordered["x"].signature.instructions == "Be brief."
    assert isinstance(new.ordered, OrderedDict)


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({"drat": State("question -> answer", "x")}, "no predictor at 'drat'; there are: draft, steps"),
        ({"draft": State("question -> reply", "x")}, "learned for 'question -> reply', this program has 'question -> answer'"),
    ],
)  # fmt: skip
def test_with_state_names_what_does_not_fit(states: dict[str, State], says: str) -> None:
    with pytest.raises(StateError) as caught:
        Pipeline().with_state(states)
    assert says in str(caught.value)


# Batches


def test_a_batch_keeps_the_order_of_its_examples() -> None:
    examples = [Example(question=str(i)).with_inputs("question") for i in range(20)]
    with context(lm=ECHO):
        predictions = Pipeline().batch(examples, num_threads=4)
    assert [p.answer for p in predictions] == [f"{i}!" for i in range(20)]


def test_a_batch_takes_dicts_of_inputs_and_says_what_else_it_was_given() -> None:
    examples: list[Any] = [{"question": "1"}, Example(question="2", answer="?").with_inputs("question")]
    with context(lm=ECHO):
        assert [p.answer for p in Pipeline().batch(examples)] == ["1!", "2!"]
    examples.append("2")
    with pytest.raises(
        InputError, match=r"examples\[2\] is a str: give an Example .* or a dict of the inputs"
    ):
        Pipeline().batch(examples)


def test_a_batch_says_which_examples_failed() -> None:
    def answer(request: LMRequest) -> str:
        if "2" in request.messages[-1].content:
            raise OSError("no two")
        return "[[ ## answer ## ]]\nfine"

    examples = [Example(question=str(i)).with_inputs("question") for i in range(4)]
    program = Predict("question -> answer")
    with context(lm=FunctionLM(answer)):
        done, failed, errors = program.batch(examples, return_failed_examples=True)
        assert [p.answer for p in done] == ["fine"] * 3
        assert failed == [examples[2]]
        assert [str(error) for error in errors] == ["no two"]
        with pytest.raises(OSError, match="no two"):
            program.batch(examples)
    assert program.batch([]) == []


# Saving


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    program = Pipeline()
    program.draft.signature = program.draft.signature.with_instructions("Be brief.")
    program.draft.demos = [Example(question="?", answer="!").with_inputs("question")]
    program.save(tmp_path / "new" / "program.json")
    loaded = Pipeline()
    loaded.load(tmp_path / "new" / "program.json")
    assert loaded.states() == program.states()
    assert loaded.draft.demos[0].inputs() == Example(question="?")
    assert loaded.agent.signature == Signature("question -> answer")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["program.json"]


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    program = Pipeline()
    before = program.states()
    state = program.dump_state()
    state["agent.react"]["fields"] = "question -> reply"
    state["draft"]["instructions"] = "Changed."
    with pytest.raises(StateError, match=r"predictor 'agent\.react'"):
        program.load_state(state)
    assert program.states() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("draft"), "lacks the predictor 'draft'"),
        (lambda s: s.update(extra=s["draft"]), "has a predictor 'extra' that this program lacks"),
        (lambda s: s.update(draft={"fields": "x"}), "predictor 'draft': instructions: Field required"),
        (lambda s: s["draft"].update(code="import os"), "predictor 'draft': code: Extra inputs"),
        (lambda s: s["draft"].update(demos=[{"values": {"answer": 3}, "inputs": "q"}]), "predictor 'draft': demos.0.inputs"),
    ],
    ids=["missing", "extra", "incomplete", "unknown key", "bad demo"],
)  # fmt: skip
def test_a_state_that_is_wrong_is_named(change: Any, says: str) -> None:
    program = Pipeline()
    state = program.dump_state()
    change(state)
    with pytest.raises(StateError) as caught:
        program.load_state(state)
    assert says in str(caught.value)


def test_a_program_without_predictors_is_saved_with_a_warning(tmp_path: Path) -> None:
    class Anew(Module):
        def forward(self, question: str) -> Any:
            return Predict("question -> answer")(question=question)

    with pytest.warns(UserWarning, match="Anew has no predictors, and what is saved is empty"):
        Anew().save(tmp_path / "anew.json")
    Anew().load(tmp_path / "anew.json")
