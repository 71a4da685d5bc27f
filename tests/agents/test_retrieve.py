from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loopwright import ChainOfThought, Module, Prediction, ReAct, Retrieve, context
from loopwright.errors import ConfigurationError, InputError, RetrievalError
from loopwright.models import ScriptedLM
from loopwright.tools.documents import Bm25Index, Hit

CITIES = ["Paris is the capital of France.", "Rome is the capital of Italy.", "Bern lies on the Aare."]


def as_list(folder: Path) -> object:
    return CITIES


def as_objects(folder: Path) -> object:
    return [{"text": text, "source": f"atlas {number}"} for number, text in enumerate(CITIES)]


def as_folder(folder: Path) -> object:
    for number, text in enumerate(CITIES):
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    return str(folder)


def as_jsonl(folder: Path) -> object:
    file = folder / "cities.jsonl"
    file.write_text("\n".join(json.dumps({"text": text}) for text in CITIES), encoding="utf-8")
    return file


def as_index(folder: Path) -> object:
    return Bm25Index(CITIES)


Make = Callable[[Path], object]
every_kind = pytest.mark.parametrize("make", [as_list, as_objects, as_folder, as_jsonl, as_index])


@every_kind
def test_documents_are_given_or_configured(make: Make, tmp_path: Path) -> None:
    documents = make(tmp_path)
    given = Retrieve(k=2, documents=documents)("capital of France")
    with context(documents=documents):
        configured = Retrieve(k=2)("capital of France")
    assert given == configured
    assert given.passages == [CITIES[0], CITIES[1]]
    assert given.scores[0] > given.scores[1] > 0
    assert len(given.sources) == 2


def test_documents_of_its_own_go_before_the_contexts() -> None:
    with context(documents=["The capital of France is a secret."]):
        assert Retrieve(k=1, documents=CITIES)("capital of France").passages == [CITIES[0]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda retrieve: retrieve("capital of France"),
        lambda retrieve: retrieve(query="capital of France"),
        lambda retrieve: retrieve.forward("capital of France"),
        lambda retrieve: asyncio.run(retrieve.acall("capital of France")),
    ],
    ids=["positional", "named", "forward", "awaited"],
)
def test_it_is_asked_in_dspys_ways(ask: Callable[[Retrieve], Any]) -> None:
    assert ask(Retrieve(k=1, documents=CITIES)).passages == [CITIES[0]]


def test_k_of_a_call_goes_before_that_of_the_constructor() -> None:
    retrieve = Retrieve(k=1, documents=CITIES)
    assert len(retrieve("capital", k=3).passages) == 2  # only two share a word with it
    assert len(retrieve("capital").passages) == 1


def test_nothing_found_is_an_empty_prediction() -> None:
    found = Retrieve(documents=CITIES)("zebra")
    assert (found.passages, found.scores, found.sources) == ([], [], [])


def test_an_index_of_ones_own_will_do() -> None:
    @dataclass
    class Shop:
        asked: list[tuple[str, int]]

        def search(self, query: str, k: int) -> Iterable[Hit]:
            self.asked.append((query, k))
            return [Hit("A blue chair.", 1.0, "shop/1", 1)]

    shop = Shop([])
    retrieve = Retrieve(k=5, documents=shop)
    assert retrieve.deepcopy()("chair").sources == ["shop/1"]
    assert shop.asked == [("chair", 5)]


def test_without_documents_it_says_how_to_name_them() -> None:
    with (
        context(documents=None),
        pytest.raises(ConfigurationError, match=r"Retrieve\(k=3, documents='notes/'\) or configure"),
    ):
        Retrieve()("capital of France")


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Retrieve(k=0, documents=CITIES), InputError, "at least 1; not 0"),
        (lambda: Retrieve(k=True, documents=CITIES), InputError, "not True"),
        (lambda: Retrieve(documents=CITIES)("x", k="3"), InputError, "not '3'"),
        (lambda: Retrieve(documents=CITIES)(3), InputError, "a query is text, not int"),
        (lambda: Retrieve(documents="nowhere"), RetrievalError, "there is no file or folder nowhere"),
        (lambda: Retrieve(documents=[3]), RetrievalError, "document 1: a document is text"),
        (lambda: Retrieve(documents=3), RetrievalError, "documents are a list, a folder"),
    ],
    ids=["k 0", "k True", "k text", "query", "no folder", "bad list", "number"],
)
def test_what_can_not_be_searched_is_named(
    make: Callable[[], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)


def test_passages_handed_on_are_shown_as_passages() -> None:
    class RAG(Module):
        def __init__(self, num_docs: int = 2) -> None:
            self.retrieve = Retrieve(k=num_docs)
            self.generate = ChainOfThought("context, question -> answer")

        def forward(self, question: str) -> Prediction:
            docs = self.retrieve(question)
            return self.generate(context=docs, question=question)  # type: ignore[no-any-return]  # a module's call is Any

    lm = ScriptedLM(["[[ ## reasoning ## ]]\nIt says so.\n\n[[ ## answer ## ]]\nParis"])
    with context(lm=lm, documents=CITIES):
        assert RAG()(question="What is the capital of France?").answer == "Paris"
    asked = lm.requests[0].messages[-1].content
    assert f'[[ ## context ## ]]\n["{CITIES[0]}", "{CITIES[1]}"]\n\n' in asked
    assert [path for path, _ in RAG().named_predictors()] == ["generate.predict"]


def test_it_asks_no_model() -> None:
    lm = ScriptedLM([])
    with context(lm=lm):
        Retrieve(documents=CITIES)("capital")
    assert lm.requests == []


def test_an_agent_searches_the_documents_with_the_tool_of_the_same_name() -> None:
    from loopwright.tools.builtin.retrieve import retrieve_tool

    assert list(ReAct("question -> answer", tools=[retrieve_tool(CITIES)]).tools) == ["retrieve"]
