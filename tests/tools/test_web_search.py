from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from loopwright.tools import ToolCall, builtin_tool
from loopwright.tools.builtin.web_search import web_search_tool

ASKED: list[tuple[str, int]] = []


def engine(query: str, count: int) -> Iterable[Mapping[str, object]]:
    """A search engine over three pages."""
    ASKED.append((query, count))
    pages = [
        {"title": "Tides", "href": "https://sea.example/tides", "body": "Water  moves\ntwice a day."},
        {"title": "Moon tides", "href": "https://moon.example/", "body": ""},
        {"title": "More tides", "href": "https://more.example/"},
    ]
    return [page for page in pages if query.lower() in page["title"].lower()]


SEARCH = web_search_tool(search=engine)


def test_results_are_titles_addresses_and_snippets() -> None:
    assert SEARCH.run(ToolCall("web_search", {"query": " tides ", "max_results": 2})).content == (
        "1. Tides\n   https://sea.example/tides\n   Water moves twice a day.\n\n2. Moon tides\n   https://moon.example/"
    )
    assert ASKED[-1] == ("tides", 2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"query": "volcano"}, 'nothing was found for "volcano"; try other words'),
        ({"query": "   "}, "the query is empty"),
        ({"query": "x", "max_results": 0}, '"max_results" must be greater than or equal to 1, not 0'),
        ({"query": "x", "max_results": 1_000}, '"max_results" must be less than or equal to 20'),
    ],
)
def test_a_search_that_finds_nothing_says_so(args: dict[str, object], said: str) -> None:
    result = SEARCH.run(ToolCall("web_search", args))
    assert not result.ok
    assert said in result.content


def test_an_endless_query_is_cut() -> None:
    SEARCH.run(ToolCall("web_search", {"query": "x" * 100_000}))
    assert ASKED[-1] == ("x" * 500, 5)


def test_without_a_network_the_answer_is_one_clear_line() -> None:
    offline = web_search_tool(proxy="http://127.0.0.1:1")
    result = offline.run(ToolCall("web_search", {"query": "tides"}))
    assert result.content == "Error: the search engine can't be reached; is there a network?"


def test_it_needs_no_key_to_be_made() -> None:
    assert builtin_tool("web_search").usage == "web_search(query: string, max_results: integer = 5)"
