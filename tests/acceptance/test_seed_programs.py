"""The programs that DSPy's users write, as they write them, with only the import changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import loopwright as dspy
from loopwright.models import Capabilities, FunctionLM, LMRequest, ScriptedLM
from loopwright.tools import ToolCall
from loopwright.utils import DummyLM

NATIVE = Capabilities(native_tools=True)


def search(query: str) -> str:
    """Search the encyclopaedia."""
    return "Ada Lovelace was born in 1815." if "Lovelace" in query else "Nothing found."


def calculator(expression: str) -> str:
    """Work out an expression."""
    left, right = expression.split("-")
    return str(int(left) - int(right))


def accuracy(example: Any, prediction: Any) -> Any:
    return example.answer == prediction.answer


def test_classify() -> None:
    with dspy.context(lm=DummyLM({"loved": {"sentiment": True}, "waste": {"sentiment": "no"}})):
        classify = dspy.Predict("sentence -> sentiment: bool")
        assert classify(sentence="I loved it.").sentiment is True
        assert classify(sentence="A waste of an evening.").sentiment is False


def test_question_answering_with_reasoning() -> None:
    with dspy.context(lm=DummyLM([{"reasoning": "The text says it.", "answer": "1815"}])):
        qa = dspy.Predict("context, question -> reasoning: str, answer: str")
        prediction = qa(context="Ada Lovelace was born in 1815.", question="When was she born?")
    assert (prediction.reasoning, prediction.answer) == ("The text says it.", "1815")


def test_predict() -> None:
    with dspy.context(lm=DummyLM([{"answer": "Paris"}])):
        predict = dspy.Predict("question -> answer")
        assert predict(question="The capital of France?").answer == "Paris"


def test_chain_of_thought() -> None:
    with dspy.context(lm=DummyLM([{"reasoning": "France's capital.", "answer": "Paris"}])):
        cot = dspy.ChainOfThought("question -> answer")
        prediction = cot(question="The capital of France?")
    assert (prediction.reasoning, prediction.answer) == ("France's capital.", "Paris")


SEARCHED = ToolCall("search", {"query": "Ada Lovelace"})
WORKED_OUT = ToolCall("calculator", {"expression": "1852 - 1815"})
ANSWERED = ToolCall("submit", {"answer": "37"})


def test_an_agent_with_tools_in_native_calls() -> None:
    lm = ScriptedLM([SEARCHED, WORKED_OUT, ANSWERED], capabilities=NATIVE)
    with dspy.context(lm=lm):
        agent = dspy.ReAct("question -> answer", tools=[search, calculator])
        prediction = agent(question="How old was Ada Lovelace in 1852?")
    assert prediction.answer == "37"
    assert prediction.trajectory["observation_0"] == "Ada Lovelace was born in 1815."
    assert prediction.trajectory["tool_name_1"] == "calculator"
    assert prediction.trajectory["observation_1"] == "37"


def test_an_agent_with_tools_in_text() -> None:
    def turn(thought: str, call: ToolCall) -> dict[str, object]:
        return {"thought": thought, "tool_name": call.name, "tool_args": json.dumps(call.args)}

    lm = DummyLM([turn("Look her up.", SEARCHED), turn("Subtract.", WORKED_OUT), turn("Done.", ANSWERED)])
    with dspy.context(lm=lm):
        agent = dspy.ReAct("question -> answer", tools=[search, calculator])
        prediction = agent(question="How old was Ada Lovelace in 1852?")
    assert prediction.answer == "37"
    assert prediction.trajectory["thought_1"] == "Subtract."


# fmt: off
class Written(dspy.Module):
    def __init__(self, num_docs=3):           # type: ignore[no-untyped-def]  # as its users write it
        self.retrieve = dspy.Retrieve(k=num_docs)
        self.generate = dspy.ChainOfThought('context, question -> answer')
    def forward(self, question):              # type: ignore[no-untyped-def]  # likewise
        docs = self.retrieve(question)
        return self.generate(context=docs, question=question)
# fmt: on


RAG: Any = Written


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "lovelace.md").write_text(
        "Ada Lovelace was born in London in 1815.", encoding="utf-8"
    )
    (tmp_path / "cities.txt").write_text("Paris is the capital of France.", encoding="utf-8")
    return tmp_path


def answer_from_context(request: LMRequest) -> str:
    """A reader that finds the year in the passages it was given."""
    asked = request.messages[-1].content
    year = "1815" if "born in London in 1815" in asked else "unknown"
    return f"[[ ## reasoning ## ]]\nI read the passages.\n\n[[ ## answer ## ]]\n{year}"


def test_retrieval_augmented_generation(notes: Path) -> None:
    with dspy.context(lm=FunctionLM(answer_from_context), documents=notes):
        rag = RAG()
        assert rag(question="When was Ada Lovelace born?").answer == "1815"
        assert rag(question="How high is the moon?").answer == "unknown"


def test_a_metric_of_two_parameters_judges_a_programs_answers(notes: Path) -> None:
    qa_examples = [
        dspy.Example(question="When was Ada Lovelace born?", answer="1815").with_inputs("question"),
        dspy.Example(question="How high is the moon?", answer="high").with_inputs("question"),
    ]
    with dspy.context(lm=FunctionLM(answer_from_context), documents=notes):
        predictions = RAG().batch(qa_examples)
    judged = [accuracy(example, p) for example, p in zip(qa_examples, predictions, strict=True)]
    assert judged == [True, False]


def test_what_a_program_learned_is_saved_and_loaded(notes: Path, tmp_path: Path) -> None:
    rag = RAG(num_docs=1)
    rag.generate.predict.demos = [
        dspy.Example(
            context=["Bern lies on the Aare."], question="Where is Bern?", reasoning="-", answer="Aare"
        )
    ]
    rag.save(tmp_path / "rag.json")
    loaded = RAG(num_docs=1)
    loaded.load(tmp_path / "rag.json")
    with dspy.context(lm=FunctionLM(answer_from_context), documents=notes):
        assert loaded(question="When was Ada Lovelace born?").answer == "1815"
    assert loaded.generate.predict.demos == rag.generate.predict.demos


@pytest.mark.parametrize(
    ("signature", "inputs", "outputs"),
    [
        (
            "notes -> summary, key_points: list",
            {"notes": "A, B."},
            {"summary": "Two.", "key_points": ["A", "B"]},
        ),
        ("mail -> tasks: list", {"mail": "Call Bob, pay."}, {"tasks": ["call Bob", "pay"]}),
        ("topic -> outline: list[str]", {"topic": "Ada"}, {"outline": ["Birth", "Work"]}),
        ("outline: list[str] -> draft", {"outline": ["Birth"]}, {"draft": "She was born."}),
    ],
)
def test_a_personal_assistants_programs(
    signature: str, inputs: dict[str, object], outputs: dict[str, object]
) -> None:
    with dspy.context(lm=DummyLM([outputs])):
        assert dspy.Predict(signature)(**inputs).toDict() == outputs


@pytest.mark.parametrize(
    "name",
    ["BootstrapFinetune", "GRPO", "BetterTogether"],
)
def test_what_comes_later_is_absent_and_says_so(name: str) -> None:
    with pytest.raises(AttributeError, match=f"has no '{name}'; .*there are: "):
        getattr(dspy, name)
