"""What a program may learn beside instructions and demonstrations: guidance, descriptions of tools, a bank to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loopwright import KNN, CodeAct, Example, Predict, ReAct, context
from loopwright.errors import InputError, StateError
from loopwright.models import Capabilities, ScriptedLM
from loopwright.models.base import LMRequest
from loopwright.state import Nearest, State
from loopwright.tools import ToolCall, tool

LEARNED = State(
    "question -> answer",
    "Answer it.",
    guidance="Look before you answer.",
    tools={"look": "What the shelf holds; give one word."},
)


@tool(effect="pure", cache=True)
def look(query: str) -> str:
    """Look something up."""
    return query


@tool
def move(item: str) -> str:
    """Move an item."""
    return item


def agent() -> ReAct:
    return ReAct("question -> answer", tools=[look, move])


def learned() -> ReAct:
    return agent().with_state({"react": LEARNED})


def first_request(program: ReAct | CodeAct, *, native: bool) -> LMRequest:
    answer = '[[ ## tool_name ## ]]\nsubmit\n\n[[ ## tool_args ## ]]\n{"answer": "!"}'
    submitted = [ToolCall("submit", {"answer": "!"})]
    lm = ScriptedLM(submitted if native else [answer], capabilities=Capabilities(native_tools=native))
    with context(lm=lm):
        program(question="?")
    return lm.requests[0]


def test_guidance_follows_the_instructions_and_leaves_the_fixed_text_alone() -> None:
    plain = first_request(agent(), native=True).messages[0].content
    guided = first_request(learned(), native=True).messages[0].content
    start = plain.split("Given `question`")[0]
    assert guided == f"{start}Answer it.\n\nLook before you answer."


def test_a_learned_description_is_what_a_model_with_native_tools_is_sent() -> None:
    sent = {spec.name: spec.description for spec in first_request(learned(), native=True).tools}
    assert sent["look"] == "What the shelf holds; give one word."
    assert sent["move"] == "Move an item."


def test_a_learned_description_is_in_the_text_form_of_the_tools() -> None:
    text = first_request(learned(), native=False).messages[0].content
    assert "- look: What the shelf holds; give one word." in text
    assert "Look something up." not in text


def test_a_learned_description_is_in_the_functions_of_a_code_agent() -> None:
    program = CodeAct("question -> answer", tools=[look]).with_state({"codeact": LEARNED})
    assert "What the shelf holds; give one word." in first_request(program, native=True).tools[0].description


def test_a_described_tool_shares_what_it_remembers_with_the_tool() -> None:
    described = look.with_(desc="Another text.")
    assert described.memory is look.memory
    assert described.spec.parameters is look.spec.parameters
    assert (look.desc, described.desc, described.spec.description) == (
        "Look something up.",
        "Another text.",
        "Another text.",
    )


@pytest.mark.parametrize("make", [agent, lambda: Predict("question -> answer")], ids=["agent", "plain"])
def test_a_program_that_learned_nothing_of_this_is_saved_as_before(
    make: Callable[[], ReAct | Predict],
) -> None:
    (saved,) = make().dump_state().values()
    assert set(saved) == {"fields", "instructions", "demos"}


def test_a_saved_agent_asks_the_same_byte_for_byte(tmp_path: Path) -> None:
    learned().save(tmp_path / "agent.json")
    loaded = agent()
    loaded.load(tmp_path / "agent.json")
    assert loaded.states() == learned().states()
    assert first_request(loaded, native=True) == first_request(learned(), native=True)


def test_a_description_of_a_tool_that_is_gone_is_refused_by_its_name(tmp_path: Path) -> None:
    learned().save(tmp_path / "agent.json")
    other = ReAct("question -> answer", tools=[move])
    with pytest.raises(StateError, match=r"'react': the state describes a tool 'look' that this agent lacks"):
        other.load(tmp_path / "agent.json")
    assert first_request(other, native=True) == first_request(
        ReAct("question -> answer", tools=[move]), native=True
    )


def test_guidance_for_a_predictor_that_is_no_agents_is_refused() -> None:
    with pytest.raises(StateError, match="'self' is no agent's: it takes no guidance"):
        Predict("question -> answer").with_state({"self": LEARNED})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tools": {"look": 3}}, "tools.look: Input should be a valid string"),
        ({"guidance": None}, "guidance: Input should be a valid string"),
        ({"nearest": {"k": 0, "vectorizer": "x"}}, "nearest.k: Input should be greater than or equal to 1"),
    ],
    ids=["description", "guidance", "nearest"],
)
def test_a_file_with_something_else_in_these_places_is_refused(
    changes: dict[str, object], says: str, tmp_path: Path
) -> None:
    file = tmp_path / "agent.json"
    learned().save(file)
    whole = json.loads(file.read_text(encoding="utf-8"))
    whole["predictors"]["react"] |= changes
    file.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(StateError, match=says):
        agent().load(file)


# The nearest demonstrations

BANK = [
    Example(question=question, answer=answer, group=group).with_inputs("question")
    for question, answer, group in [
        ("What does a desk cost?", "150", "desk"),
        ("What do two desks cost?", "300", "desk"),
        ("When does the shop open?", "at nine", "hours"),
        ("When does the shop close?", "at six", "hours"),
        ("Who repairs lamps?", "Ada", None),
    ]
]


def shown(program: Predict, question: str) -> list[str]:
    lm = ScriptedLM(["[[ ## answer ## ]]\n!"])
    with context(lm=lm):
        program(question=question)
    return [m.content.splitlines()[1] for m in lm.requests[0].messages if m.role == "user"][:-1]


def nearest(k: int) -> Predict:
    program = Predict("question -> answer")
    program.demos, program.nearest = list(BANK), k
    return program


def test_a_prompt_shows_the_nearest_demonstrations_the_most_like_it_last() -> None:
    assert shown(nearest(2), "At what time does the shop open on Monday?") == [
        "When does the shop close?",
        "When does the shop open?",
    ]


def test_a_demonstration_is_never_shown_for_its_own_task_or_group() -> None:
    assert "desk" not in " ".join(shown(nearest(3), "What does a desk cost?"))
    assert "When does the shop close?" not in shown(nearest(4), "When does the shop open?")


def test_a_program_with_a_bank_is_saved_and_shows_the_same(tmp_path: Path) -> None:
    nearest(2).save(tmp_path / "knn.json")
    loaded = Predict("question -> answer")
    loaded.load(tmp_path / "knn.json")
    assert loaded.own_state().nearest == Nearest(2, "loopwright.modules.knn.hashed_words")
    assert shown(loaded, "Does anyone repair a lamp?") == shown(nearest(2), "Does anyone repair a lamp?")


def length(texts: list[str]) -> list[list[float]]:
    return [[1.0, float(len(text))] for text in texts]


def test_a_bank_that_another_vectorizer_chose_from_is_refused(tmp_path: Path) -> None:
    program = nearest(1)
    program.vectorizer = length
    program.save(tmp_path / "knn.json")
    loaded = Predict("question -> answer")
    with pytest.raises(StateError, match=r"are chosen by .*\.length, this program has .*hashed_words"):
        loaded.load(tmp_path / "knn.json")
    loaded.vectorizer = length
    loaded.load(tmp_path / "knn.json")
    assert shown(loaded, "Who?") == shown(program, "Who?")


def test_knn_finds_the_nearest_first_by_any_vectorizer() -> None:
    assert KNN(2, BANK)(question="Who repairs a lamp?")[0].answer == "Ada"
    by_length = KNN(5, BANK, lambda texts: [[float(len(text) < 30), 1.0] for text in texts])
    assert by_length(question="Who?")[0].question == "Who repairs lamps?"
    assert KNN(3, [])(question="Who?") == []


@pytest.mark.parametrize(
    ("vectorizer", "says"),
    [
        (lambda texts: [[1.0]], r"one vector of finite numbers for each of 5 texts; .* shape \(1, 1\)"),
        (lambda texts: [[float("nan")] for _ in texts], "finite numbers"),
    ],
    ids=["too few", "not a number"],
)
def test_a_vectorizer_that_gives_no_vectors_is_named(
    vectorizer: Callable[[list[str]], list[list[float]]], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        KNN(1, BANK, vectorizer)


def test_k_is_a_number_of_examples() -> None:
    with pytest.raises(InputError, match="k is how many examples to find"):
        KNN(0, BANK)
