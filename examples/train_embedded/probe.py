"""How many calls a model in training gets right to the last token, each after the right beginning.

A figure to watch a run by: it says nothing of whole questions, which only `evaluate` scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from random import Random

import torch
from tokenizers import Tokenizer

from .conventions import CONVENTIONS
from .mixture import FAMILIES, Draw, draw_episodes, render_row
from .network import Decoder
from .scene import Settings
from .tokens import encode_row

_ROWS = 14
_LONGEST = 352
Rows = list[tuple[list[int], list[bool]]]


def probe_rows(tokenizer: Tokenizer) -> dict[str, Rows]:
    """Conversations with names and numbers that training does not draw, for each kind."""
    drawn: dict[str, Rows] = {}
    held_out = Settings(names="heldout")
    for kind in (*FAMILIES, "programs", "conventions"):
        rows: Rows = []
        for number in range(_ROWS):
            rng = Random(f"probe/{kind}/{number}")
            if kind == "conventions":
                draw = Draw(convention=list(CONVENTIONS)[number % len(CONVENTIONS)])
                pieces = render_row(draw_episodes(rng, held_out, 3, draw=draw), shown=2)
            else:
                families = [kind] if kind in FAMILIES else []
                draw = Draw(programs=kind == "programs")
                pieces = render_row(draw_episodes(rng, held_out, 1, families, draw))
            row = encode_row(tokenizer, pieces)
            if len(row[0]) <= _LONGEST:
                rows.append(row)
        drawn[kind] = rows
    return drawn


def right_calls(model: Decoder, rows: Mapping[str, Rows]) -> dict[str, float]:
    """The share of calls of which every token is the likeliest, for each kind."""
    with torch.no_grad():
        return {kind: round(_right_share(model, some), 3) for kind, some in rows.items()}


def _right_share(model: Decoder, rows: Rows) -> float:
    ids = torch.zeros(len(rows), max(len(row) for row, _ in rows), dtype=torch.long)
    for number, (row, _) in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
    likeliest = model.logits(model(ids[:, :-1])).argmax(-1)
    right = total = 0
    for number, (row, own) in enumerate(rows):
        for mine, group in groupby(range(len(row)), own.__getitem__):
            if mine:
                total += 1
                right += all(int(likeliest[number, at - 1]) == row[at] for at in group)
    return right / total
