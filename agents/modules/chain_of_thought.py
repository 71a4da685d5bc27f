"""ChainOfThought: reason first, then answer."""

from __future__ import annotations

from typing import Any

from ..example import Prediction
from ..module import Module, both_ways
from ..signature import OutputField, Signature, SignatureLike
from .predict import PREDICT_OPTIONS, Predict, check_options


class ChainOfThought(Module):
    """Predict with a `reasoning` field before the other outputs (Wei et al., 2022).

    A signature that has a `reasoning` output of its own keeps it. Options are those of `Predict`.

    >>> str(ChainOfThought("question -> answer").predict.signature)
    'question -> reasoning, answer'
    """

    def __init__(self, signature: SignatureLike, **options: Any) -> None:
        check_options(ChainOfThought, options, PREDICT_OPTIONS)
        plain = Signature.of(signature)
        if "reasoning" not in plain.output_fields:
            plain = plain.prepend("reasoning", OutputField("think step by step before you answer"))
        self.predict = Predict(plain, **options)

    async def aforward(self, *args: Any, **inputs: Any) -> Prediction:
        """Ask for the reasoning and the outputs in one call."""
        prediction: Prediction = await self.predict.acall(*args, **inputs)
        return prediction

    forward = both_ways(aforward)
