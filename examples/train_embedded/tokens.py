"""The tokenizer: a small BPE with every digit, sign and line break a token of its own."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from loopwright.models.embedded.template import MARKERS, Piece

from .mixture import draw_row

_SPLIT = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]|\s"


def train_tokenizer(seed: int, size: int, rows: int = 12000) -> Tokenizer:
    """A tokenizer learnt from the rows that a training run draws."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(MARKERS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (
        piece.text
        for index in range(rows)
        for piece in draw_row(Random(f"tokens/{seed}/{index}"), 0.5)
        if not piece.marker
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode_row(tokenizer: Tokenizer, pieces: Sequence[Piece]) -> tuple[list[int], list[bool]]:
    """The ids of a row, and for each whether the model is to learn it."""
    markers = {marker: tokenizer.token_to_id(marker) or 0 for marker in MARKERS}
    ids: list[int] = []
    own: list[bool] = []
    texts = iter(tokenizer.encode_batch([piece.text for piece in pieces if not piece.marker]))
    for piece in pieces:
        new: list[int] = [markers[piece.text]] if piece.marker else next(texts).ids
        ids += new
        own += [piece.own] * len(new)
    return ids, own
