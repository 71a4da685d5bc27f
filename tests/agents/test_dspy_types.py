"""The types and functions that DSPy's programs use beside modules."""

from __future__ import annotations

import asyncio
import copy
import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopwright import (
    ChatAdapter,
    Code,
    Completions,
    Example,
    InputField,
    JSONAdapter,
    Module,
    NativeAdapter,
    OutputField,
    Predict,
    Prediction,
    Signature,
    Tool,
    ToolCalls,
    asyncify,
    configure_cache,
    context,
    load,
    settings,
    syncify,
)
from loopwright.errors import ConfigurationError, LoopwrightError, OutputError, SignatureError, StateError
from loopwright.models import FunctionLM, LMRequest, ScriptedLM, default_store, stores
from loopwright.tools import ToolCall
from loopwright.utils import DummyLM

# Code

LANGUAGES: Any = Code  # a checker takes the language in brackets for a type
JAVA: Any = LANGUAGES["java"]


class Write(Signature):
    """Write a program."""

    task: str = InputField(description="what it should do")
    program: Code["java"] = OutputField()  # type: ignore[type-arg,name-defined]  # noqa: F821, UP037  # DSPy's notation


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("print(1)", "print(1)"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("Here:\n```\na = 1\nprint(a)\n```\nThat is it.", "a = 1\nprint(a)"),
        ("```java\nint x;\n```\n```java\nint y;\n```", "int x;"),
        ("x = '```'", "x = '```'"),
    ],
)
def test_code_is_what_is_in_the_fence(text: str, code: str) -> None:
    assert Code(text).code == str(Code(text)) == code


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (ChatAdapter(), "[[ ## program ## ]]\n```java\nint x;\n```"),
        (JSONAdapter(), '{"program": "int x;"}'),
        (NativeAdapter(), ToolCall("submit", {"program": "int x;"})),
        (NativeAdapter(), ToolCall("submit", {"program": {"code": "int x;"}})),
    ],
    ids=["chat", "json", "native", "object"],
)
def test_a_model_answers_with_code(adapter: Any, said: Any) -> None:
    lm = ScriptedLM([said])
    with context(lm=lm, adapter=adapter):
        program = Predict(Write)(task="declare x").program
    assert (program.code, program.language) == ("int x;", "java")
    assert "java code, and nothing else" in lm.requests[0].messages[0].content


def test_what_is_no_code_is_refused() -> None:
    lm = ScriptedLM([ToolCall("submit", {"program": 3})])
    with context(lm=lm, adapter=NativeAdapter()), pytest.raises(OutputError, match="java code, and nothing"):
        Predict(Write, max_repairs=0)(task="?")


def test_code_is_shown_as_it_is_and_compared_by_text_and_language() -> None:
    lm = DummyLM([{"answer": "2"}])
    with context(lm=lm):
        Predict("program: Code -> answer")(program=Code("print(2)\nprint(3)"))
    assert "print(2)\nprint(3)" in lm.history[0].request.messages[-1].content
    assert Code("a") == Code("a") != JAVA("a")
    assert len({Code("a"), Code("a"), Code("b")}) == 2
    assert repr(JAVA("a")) == "Code_java('a')"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301  # our own bytes
@pytest.mark.parametrize("kind", [Code, JAVA])
def test_code_is_copied_with_its_language(duplicate: Any, kind: Any) -> None:
    assert duplicate(kind("a")) == kind("a")


# ToolCalls


def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def broken() -> None:
    raise ValueError("no luck")


CALL = {"name": "double", "args": {"n": 21}}


@pytest.mark.parametrize(
    "given",
    [
        {"tool_calls": [CALL]},
        [CALL],
        CALL,
        [{"name": "double", "arguments": {"n": 21}}],
        [{"id": "c1", "type": "function", "function": {"name": "double", "arguments": '{"n": 21}'}}],
    ],
    ids=["object", "list", "one", "arguments", "chat API"],
)
def test_calls_are_read_in_every_form(given: Any) -> None:
    lm = DummyLM([{"calls": given}])
    signature = Signature("question, tools: list[Tool] -> calls: ToolCalls")
    with context(lm=lm):
        calls = Predict(signature)(question="twice 21?", tools=[Tool(double)]).calls
    assert calls == ToolCalls.from_dict_list([CALL])
    assert calls.tool_calls[0].execute([double]) == 42
    asked = lm.history[0].request.messages
    assert "double(n: integer)" in asked[-1].content
    assert "tool_calls" in asked[0].content


@pytest.mark.parametrize(
    "functions",
    [
        [double],
        [Tool(double)],
        {"double": double},
        {"double": Tool(double, name="twice")},
        (one for one in [double]),
    ],
    ids=["functions", "tools", "by name", "renamed", "generator"],
)
def test_a_call_is_run_with_the_functions_given(functions: Any) -> None:
    call = ToolCalls.ToolCall(name="double", args={"n": "21"})
    assert call.execute(functions) == 42


@pytest.mark.parametrize(
    ("call", "functions", "error", "says"),
    [
        ({"name": "triple"}, [double], ValueError, "no tool 'triple' to run; there are: double"),
        ({"name": "triple"}, [], ValueError, "there are: none"),
        ({"name": "double", "args": {"n": "x"}}, [double], RuntimeError, '"n" must be an integer'),
        ({"name": "broken"}, [broken], RuntimeError, "no luck"),
    ],
    ids=["unknown", "none", "arguments", "raises"],
)
def test_a_call_that_can_not_be_run_says_why(
    call: Any, functions: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ToolCalls.from_dict_list([call]).tool_calls[0].execute(functions)


@pytest.mark.parametrize("given", ["call double", [3], [{"args": {}}], [{"name": "a", "args": "{"}]])
def test_what_is_no_call_is_asked_for_again(given: Any) -> None:
    with context(lm=DummyLM([{"calls": given}, {"calls": [CALL]}])):
        assert len(Predict("question -> calls: ToolCalls")(question="?").calls.tool_calls) == 1


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(SignatureError, match="did you mean 'ToolCalls'"):
        Signature("question -> calls: ToolCall")


# Completions and predictions that are scores


def test_completions_are_read_one_by_one_and_field_by_field() -> None:
    drawn = Prediction.from_completions({"city": ["Bern", "Basel"], "rank": [1, 2]}, signature=None)
    assert drawn == Prediction(city="Bern", rank=1)
    completions = drawn.completions
    assert completions == Completions([Prediction(city="Bern", rank=1), Prediction(city="Basel", rank=2)])
    assert [one.city for one in completions] == completions.city == completions["city"] == ["Bern", "Basel"]
    assert completions.items() == [("city", ["Bern", "Basel"]), ("rank", [1, 2])]
    with pytest.raises(AttributeError, match="no field 'town' in these answers; there are: city, rank"):
        _ = completions.town
    with pytest.raises(ValueError, match="as many values as the others"):
        Prediction.from_completions({"city": ["Bern"], "rank": []})


def test_several_draws_are_completions() -> None:
    with context(lm=DummyLM([{"city": "Bern"}, {"city": "Basel"}])):
        assert Predict("question -> city", n=2)(question="?").completions.city == ["Bern", "Basel"]


def test_a_prediction_with_a_score_counts_as_it() -> None:
    low, high = Prediction(score=0.25, feedback="so so"), Prediction(score=1)
    assert (low < high, low <= 0.25, high > low, high >= 1.5) == (True, True, True, False)
    assert sum([low, high]) / 2 == 0.625
    assert (high / 2, 2 / high, low + 1, 1 + low) == (0.5, 2.0, 1.25, 1.25)
    with pytest.raises(ValueError, match="a prediction without a field `score` is no number; it has answer"):
        float(Prediction(answer="4"))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301  # our own bytes
def test_notes_are_copied_and_are_no_fields(duplicate: Any) -> None:
    noted = Prediction(answer="4").with_notes(attempts=3)
    again = duplicate(noted)
    assert (again.attempts, again.keys(), again == Prediction(answer="4")) == (3, ["answer"], True)
    assert noted.with_notes(votes={}).attempts == 3
    with pytest.raises(AttributeError):
        _ = Prediction(answer="4").attempts


def test_a_field_can_be_deleted() -> None:
    example = Example(question="?", answer="4")
    del example["answer"]
    assert example.keys() == ["question"]


# asyncify and syncify


async def later(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n


def test_a_module_and_a_function_can_be_awaited() -> None:
    async def main() -> list[Any]:
        with context(num_threads=3, lm=DummyLM([{"answer": "4"}])):
            predicted = await asyncify(Predict("question -> answer"))(question="2 + 2?")
            return [predicted.answer, await asyncify(lambda: settings.num_threads)()]

    assert asyncio.run(main()) == ["4", 3]


def test_an_async_function_is_called_from_plain_code_and_inside_an_event_loop() -> None:
    async def main() -> int:
        twice: int = syncify(later)(21)
        return twice

    assert syncify(later)(21) == 42
    assert asyncio.run(main()) == 42


def test_a_module_is_for_plain_code_already() -> None:
    class Async(Module):
        async def aforward(self, n: int) -> int:
            return await later(n)

    program = Async()
    assert syncify(program) is syncify(program, in_place=False) is program
    assert program(n=21) == 42


@pytest.mark.parametrize(("function", "given"), [(asyncify, 3), (syncify, 3), (syncify, double)])
def test_what_is_neither_is_refused(function: Any, given: Any) -> None:
    with pytest.raises(ConfigurationError, match="takes a module or"):
        function(given)


# load, batch, map_named_predictors


class Pair(Module):
    def __init__(self) -> None:
        self.first = Predict("question -> answer")
        self.rest = [Predict("question -> answer")]

    def forward(self, question: str) -> Any:
        if question == "bad":
            raise ValueError("bad question")
        return self.first(question=question)


def test_a_saved_program_is_loaded_into_a_copy(tmp_path: Path) -> None:
    program = Pair()
    program.first.demos = [Example(question="2 + 2?", answer="4")]
    program.save(tmp_path / "pair.json")
    fresh = Pair()
    loaded = load(tmp_path / "pair.json", fresh)
    assert loaded.first.demos == program.first.demos
    assert fresh.first.demos == []
    with pytest.raises(ConfigurationError, match="a saved program holds no code"):
        load(tmp_path / "pair.json")
    with pytest.raises(ConfigurationError, match="reads no pickle"):
        load(tmp_path / "pair.json", fresh, allow_pickle=True)
    with pytest.raises(StateError, match="no such file"):
        load(tmp_path / "none.json", fresh)


def test_a_batch_ends_after_so_many_errors() -> None:
    questions = ["good", "bad", "bad", "good", "good"]
    examples = [Example(question=question).with_inputs("question") for question in questions]
    with context(lm=DummyLM([{"answer": "4"}] * 9)):
        done, failed, errors = Pair().batch(
            examples, num_threads=1, max_errors=2, return_failed_examples=True
        )
        with pytest.raises(ValueError, match="bad question"):
            Pair().batch(examples, 1, 1, provide_traceback=True, disable_progress_bar=True, timeout=9)
    assert len(done) == 1
    assert failed == examples[1:]
    assert [type(error) for error in errors] == [ValueError, ValueError, LoopwrightError, LoopwrightError]
    assert "not run: 2 examples had failed before" in str(errors[-1])


def test_predictors_are_replaced_in_place() -> None:
    program = Pair()
    same = program.map_named_predictors(lambda predictor: Predict(predictor.signature, temperature=0.5))
    assert same is program
    assert [one.options for one in program.predictors()] == [{"temperature": 0.5}] * 2
    with pytest.raises(ValueError, match="a predictor can't replace itself"):
        Predict("question -> answer").map_named_predictors(lambda one: one)


# configure_cache


@pytest.fixture
def cache_defaults() -> Iterator[None]:
    before = stores._Process.settings
    yield
    stores._Process.settings = before


@pytest.mark.usefixtures("cache_defaults")
def test_the_cache_is_configured_for_models_to_come(tmp_path: Path) -> None:
    assert default_store() is None  # the tests' environment says so
    configure_cache(disk_cache_dir=str(tmp_path / "answers"))
    store = default_store()
    assert store is not None
    assert store is default_store()
    store.put("key", FunctionLM(lambda request: "4").complete(LMRequest(())))
    assert (tmp_path / "answers" / "answers-1.sqlite").exists()
    configure_cache(enable_disk_cache=False, memory_max_entries=math.inf)
    assert default_store() is not store
    configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    assert default_store() is None


@pytest.mark.usefixtures("cache_defaults")
@pytest.mark.parametrize("name", ["disk_size_limit_bytes", "memory_max_entries"])
def test_sizes_that_are_none_are_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a number of at least 1, not 0"):
        configure_cache(**{name: 0})  # type: ignore[arg-type]  # the names are those of numbers
