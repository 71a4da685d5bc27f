from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tools import Bm25Index, Document, DocumentsError, ToolCall, load_documents
from loopwright.tools.builtin.retrieve import retrieve_tool

ATLAS = [
    "Paris is the capital of France.",
    "Rome is the capital of Italy.",
    "The Seine flows through Paris, and Paris lies on it.",
    "Ferries leave for the islands.",
]


# ---- loading


def test_a_list_holds_texts_objects_and_documents() -> None:
    ready = Document("c", "mine")
    assert load_documents(["a", {"text": "b", "source": 7}, {"text": "d"}, ready]) == [
        Document("a", "document 1"),
        Document("b", "7"),
        Document("d", "document 3"),
        ready,
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "b.txt").write_text("  bee \n")
    (tmp_path / "a.md").write_text("\ufeff# Ay", encoding="utf-8")
    (tmp_path / "sub" / "c.MD").write_text("sea")
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden" / "d.txt").write_text("dee")
    return tmp_path


def test_a_folder_gives_its_text_files_in_a_stable_order(folder: Path) -> None:
    wanted = [Document("# Ay", "a.md"), Document("bee", "b.txt"), Document("sea", "sub/c.MD")]
    assert load_documents(folder) == load_documents(str(folder)) == wanted


def test_one_text_file_is_read_too(folder: Path) -> None:
    assert load_documents(folder / "b.txt") == [Document("bee", "b.txt")]


def test_a_long_file_comes_in_passages_that_name_their_line(tmp_path: Path) -> None:
    lines = [f"Paragraph {n}. " + "word " * 100 if n % 2 else "" for n in range(60)]
    (tmp_path / "long.md").write_text("\n".join(lines))
    passages = load_documents(tmp_path)
    assert len(passages) > 5
    for passage in passages:
        name, line = passage.source.split(":")
        assert name == "long.md"
        assert passage.text.startswith(lines[int(line) - 1][:12])
        assert len(passage.text) <= 2_000
    assert "".join(passage.text for passage in passages).count("Paragraph") == 30


def test_a_paragraph_without_end_is_cut_at_spaces(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("word " * 2_000)
    (tmp_path / "two.txt").write_text("x" * 5_000)
    assert {len(passage.text) for passage in load_documents(tmp_path / "one.txt")} == {1_999}
    assert [len(passage.text) for passage in load_documents(tmp_path / "two.txt")] == [2_000, 2_000, 1_000]


def test_each_line_of_a_jsonl_file_is_a_document(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"text": "a"}\n\n{"text": "b", "source": "s", "more": 1}\n"c"\n')
    assert load_documents(file) == [
        Document("a", "notes.jsonl:1"),
        Document("b", "s"),
        Document("c", "notes.jsonl:4"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", b'{"text": "a"}\n{"text": \n', "x.jsonl:2: this line is no JSON"),
        ("x.jsonl", b'{"text": 5}\n', 'x.jsonl:1: "text" must be text, found int'),
        ("x.jsonl", b'{"txt": "a"}\n', 'x.jsonl:1: "text" must be text, found only txt'),
        ("x.jsonl", b"{}\n", 'x.jsonl:1: "text" must be text, found only nothing'),
        ("x.jsonl", b"[1]\n", 'x.jsonl:1: a line is an object with a "text"'),
        ("x.jsonl", b"\n \n", "holds no document"),
        ("x.jsonl", b"[" * 100_000, "x.jsonl:1: this line is no JSON"),
        ("x.txt", b"one\ntwo\ncaf\xe9\n", "x.txt:3: this is no UTF-8 text; save the file as UTF-8"),
        ("x.pdf", b"%PDF", "documents are read from a folder, a .txt or .md file, or a .jsonl file"),
    ],
)
def test_a_file_that_can_not_be_used_is_named_with_its_line(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DocumentsError) as refused:
        load_documents(tmp_path / name)
    assert said in str(refused.value)


def test_nothing_to_read_is_an_error_that_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match=r"holds no \.txt or \.md file"):
        load_documents(tmp_path)
    with pytest.raises(DocumentsError, match="there is no file or folder"):
        load_documents(tmp_path / "nowhere")
    with pytest.raises(
        DocumentsError, match='document 2: a document is text or an object with a "text", not int'
    ):
        load_documents(["a", 5])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(folder: Path) -> None:
    (folder / "b.txt").chmod(0)
    with pytest.raises(DocumentsError, match=r"b\.txt can't be read: Permission denied"):
        load_documents(folder)


# ---- searching


def test_the_best_documents_come_first_with_score_source_and_rank() -> None:
    hits = Bm25Index(ATLAS).search("Where is Paris?", k=2)
    assert [(hit.source, hit.rank) for hit in hits] == [("document 3", 1), ("document 1", 2)]
    assert hits[0].text == ATLAS[2]
    assert hits[0].score > hits[1].score > 0


def test_plurals_and_case_do_not_matter() -> None:
    index = Bm25Index(["BOXES of matches", "two stories", "James' bus", "the analysis"])
    for query, found in [("box", 1), ("match", 1), ("story", 2), ("buses", 0), ("analysis", 4), ("james", 3)]:
        sources = [hit.source for hit in index.search(query)]
        assert sources == ([f"document {found}"] if found else []), query


def test_other_scripts_are_searched_too() -> None:
    index = Bm25Index(["東京は日本の首都です", "Москва столица России", "Αθήνα"])
    assert [index.search(query)[0].source for query in ("東京", "москва", "αθήνα")] == [
        "document 1",
        "document 2",
        "document 3",
    ]


@pytest.mark.parametrize("query", ["", "   ", "?!", "the of and", "zeppelin"])
def test_a_query_that_shares_no_word_finds_nothing(query: str) -> None:
    assert Bm25Index(ATLAS).search(query) == []


@pytest.mark.parametrize(
    "documents", [[], ["", "..."], ["the and of"]], ids=["none", "blank", "common words"]
)
def test_documents_without_words_find_nothing(documents: list[str]) -> None:
    index = Bm25Index(documents)
    assert len(index) == len(documents)
    assert index.search("anything") == []


def test_more_may_be_asked_for_than_there_is() -> None:
    assert len(Bm25Index(ATLAS).search("capital", k=1_000)) == 2
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Bm25Index(ATLAS).search("capital", k=0)


def test_equal_documents_keep_their_order() -> None:
    assert [hit.source for hit in Bm25Index(["same word"] * 50).search("word", k=50)] == [
        f"document {n}" for n in range(1, 51)
    ]


def test_indexing_prints_nothing() -> None:
    code = "from loopwright.tools import Bm25Index; Bm25Index(['a word'] * 5000).search('word')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=30), st.integers(1, 9))
def test_any_documents_and_any_query_give_at_most_k_ranked_hits(texts: list[str], query: str, k: int) -> None:
    hits = Bm25Index(texts).search(query, k)
    assert len(hits) <= k
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


# ---- as a tool


def test_the_tool_gives_passages_with_their_sources(folder: Path) -> None:
    search = retrieve_tool(folder)
    assert search.run(ToolCall("retrieve", {"query": "bees"})).content == "[1] b.txt\nbee"
    assert search.run(ToolCall("retrieve", {"query": "x"})).content == 'No document shares a word with "x".'
    assert search.run(ToolCall("retrieve", {"query": "x", "k": 99})).error == "invalid_args"
    assert retrieve_tool(Bm25Index(ATLAS)).run(ToolCall("retrieve", {"query": "Rome", "k": 1})).content == (
        "[1] document 2\nRome is the capital of Italy."
    )
