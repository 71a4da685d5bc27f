"""`web_search`: the web, by DuckDuckGo and the other engines that ddgs asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

from pydantic import Field

from ..errors import ToolFailed
from ..tool import Tool

Search = Callable[[str, int], Iterable[Mapping[str, object]]]

_MAX_QUERY = 500
_SECONDS = 10


def web_search_tool(*, search: Search | None = None, proxy: str | None = None) -> Tool:
    """A tool that searches the web.

    `search` takes a query and a number of results and gives mappings with `title`, `href` and `body`: your own engine in
    place of ddgs. `proxy` is for ddgs, such as `socks5h://127.0.0.1:9050`. It needs no key.
    """
    engine = search or _ddgs(proxy)

    def web_search(query: str, max_results: Annotated[int, Field(ge=1, le=20)] = 5) -> str:
        """Search the web; gives titles, addresses and snippets.

        Args:
            query: What to search for.
            max_results: How many results at most.
        """
        text = " ".join(query.split())
        if not text:
            raise ToolFailed("the query is empty")
        results = list(engine(text[:_MAX_QUERY], max_results))[:max_results]
        if not results:
            raise ToolFailed(f'nothing was found for "{text[:100]}"; try other words')
        return "\n\n".join(_shown(number, result) for number, result in enumerate(results, 1))

    return Tool(web_search, effect="read", timeout=3 * _SECONDS)


def _shown(number: int, result: Mapping[str, object]) -> str:
    title, address, snippet = (
        " ".join(str(result.get(key, "")).split()) for key in ("title", "href", "body")
    )
    return "\n".join([f"{number}. {title}", *(f"   {line}" for line in (address, snippet) if line)])


def _ddgs(proxy: str | None) -> Search:
    def search(query: str, count: int) -> Iterable[Mapping[str, object]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

        try:
            found: Iterable[Mapping[str, object]] = DDGS(proxy=proxy, timeout=_SECONDS).text(
                query, max_results=count
            )
        except RatelimitException:
            raise ToolFailed("the search engine refuses more searches for now; try again later") from None
        except TimeoutException:
            raise ToolFailed(f"the search engine did not answer within {_SECONDS} s") from None
        except DDGSException as error:
            if "No results" in str(error):
                return []
            raise ToolFailed("the search engine can't be reached; is there a network?") from error
        return found

    return search
