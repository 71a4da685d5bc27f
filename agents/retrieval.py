"""What searches the user's documents, and how it is made of what the user names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from loopwright.tools.documents import Bm25Index, Hit
from loopwright.tools.errors import DocumentsError

from .errors import RetrievalError


@runtime_checkable
class Index(Protocol):
    """Whatever finds documents for a query: BM25 here, embeddings or a service of the user's elsewhere."""

    def search(self, query: str, k: int) -> Sequence[Hit]:
        """The k best documents, best first."""


def as_index(documents: object) -> Index:
    """An index as it is; a list, a folder or a JSONL file as BM25 over it.

    Raises `RetrievalError` that says which document can't be read.

    >>> [hit.text for hit in as_index(["Paris is in France.", "Rome is in Italy."]).search("France", 1)]
    ['Paris is in France.']
    """
    if isinstance(documents, Index):
        return documents
    if not isinstance(documents, str | Path | Iterable):
        raise RetrievalError(
            f"documents are a list, a folder, a .jsonl file, or an index with search(query, k); "
            f"not {type(documents).__name__}"
        )
    try:
        return Bm25Index(documents)
    except DocumentsError as error:
        raise RetrievalError(str(error)) from error
