"""`retrieve`: passages from the user's documents."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ..documents import Bm25Index
from ..tool import Tool


def retrieve_tool(documents: Bm25Index | str | Path | Iterable[object]) -> Tool:
    """A tool that searches these documents: an index, or whatever `load_documents` reads.

    >>> from loopwright.tools import ToolCall
    >>> search = retrieve_tool(["Paris is the capital of France.", "Rome is the capital of Italy."])
    >>> print(search.run(ToolCall("retrieve", {"query": "capital of France", "k": 1})).content)
    [1] document 1
    Paris is the capital of France.
    """
    index = documents if isinstance(documents, Bm25Index) else Bm25Index(documents)

    def retrieve(query: str, k: Annotated[int, Field(ge=1, le=50)] = 3) -> str:
        """Find passages in the user's documents that share words with the query, best first.

        Args:
            query: The words to look for.
            k: How many passages at most.
        """
        hits = index.search(query, k)
        if not hits:
            return f'No document shares a word with "{query[:200]}".'
        return "\n\n".join(f"[{hit.rank}] {hit.source}\n{hit.text}" for hit in hits)

    return Tool(retrieve, effect="read")
