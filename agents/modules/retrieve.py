"""Retrieve: passages from the user's documents. It asks no model."""

from __future__ import annotations

import copy
from typing import Any, Self

from ..ambient import current
from ..errors import ConfigurationError, InputError
from ..example import Prediction
from ..module import Module
from ..retrieval import as_index


class Retrieve(Module):
    """Find the `k` passages that fit a query best.

    `documents` are a list of texts, a folder of text and Markdown files, a JSONL file, or an index of
    your own; without them, those of the context (`configure(documents=...)`). The prediction has
    `passages`, `scores` and `sources`, best first; handed to a predictor as an input, it is its passages.

    >>> retrieve = Retrieve(k=1, documents=["Paris is the capital of France.", "Rome is in Italy."])
    >>> found = retrieve("capital of France")
    >>> found.passages, found.sources
    (['Paris is the capital of France.'], ['document 1'])
    """

    def __init__(self, k: int = 3, documents: object = None) -> None:
        self.k = _checked_k(k)
        self.index = None if documents is None else as_index(documents)

    def forward(self, query: str, k: int | None = None) -> Prediction:
        """Search; `k` here goes before that of the constructor."""
        if not isinstance(query, str):
            raise InputError(f"a query is text, not {type(query).__name__}")
        index = self.index if self.index is not None else current().documents
        if index is None:
            raise ConfigurationError(
                "Retrieve has no documents: name them, as in Retrieve(k=3, documents='notes/') or "
                "configure(documents='notes/'): a list, a folder of text files, or a .jsonl file"
            )
        hits = index.search(query, self.k if k is None else _checked_k(k))
        return Prediction(
            passages=[hit.text for hit in hits],
            scores=[hit.score for hit in hits],
            sources=[hit.source for hit in hits],
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy.copy(self)  # nothing in it is learned, and an index is large


def _checked_k(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"k is how many passages to find, a whole number of at least 1; not {k!r}")
    return k
