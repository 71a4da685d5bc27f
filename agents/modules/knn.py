"""KNN: the examples whose inputs are most like given ones."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ..adapters.values import format_value
from ..errors import InputError
from ..example import Example
from ..text import words

if TYPE_CHECKING:
    import numpy

GROUP = "group"  # the label of examples that belong together: the same customer, document, seed question
WIDTH = 1024  # of the vectors made here

Vectorizer = Callable[[list[str]], Any]


def hashed_words(texts: list[str]) -> numpy.ndarray:
    """A vector for each text: its words and their three-letter parts, hashed into `WIDTH` places, of length 1.

    Nothing is downloaded and nothing depends on the other texts: the same text has the same vector everywhere
    (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009).
    """
    import numpy

    vectors = numpy.zeros((len(texts), WIDTH), dtype=numpy.float32)
    for row, text in zip(vectors, texts, strict=True):
        for feature, count in Counter(_features(text)).items():
            place = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
            row[place % WIDTH] += (1 if place & 0x8000_0000 else -1) * (1 + math.log(count))
    return _unit(vectors)


def _features(text: str) -> list[str]:
    found = words(text)
    parts = (f"#{word}#"[at : at + 3] for word in found for at in range(len(word)))
    return [*(f"={word}" for word in found), *parts]


class KNN:
    """Finds the `k` examples of a trainset whose inputs are nearest to those of a call, the nearest first.

    `vectorizer` makes a list of texts into vectors, all of one length (an array, or lists of numbers); without one,
    words are hashed here, which asks no model and no network. Nearness is the cosine; equals keep their order.
    `fields` names the inputs where the examples do not say themselves which they are.

    >>> trainset = [Example(question=q, answer=a).with_inputs("question")
    ...             for q, a in [("What do two desks cost?", "300"), ("When does the shop open?", "at nine")]]
    >>> [example.answer for example in KNN(1, trainset)(question="When does it close?")]
    ['at nine']
    """

    def __init__(
        self,
        k: int,
        trainset: Sequence[Example],
        vectorizer: Vectorizer | None = None,
        *,
        fields: Iterable[str] = (),
    ) -> None:
        self.k = checked_k(k)
        self.trainset = list(trainset)
        self.vectorizer = vectorizer or hashed_words
        self._texts = [_inputs_text(_inputs_of(example, tuple(fields))) for example in self.trainset]
        self._vectors = self._vectorized(self._texts)

    def __call__(self, **inputs: Any) -> list[Example]:
        """The nearest examples."""
        return [self.trainset[place] for place in self._ranking(inputs)[: self.k]]

    def others(self, inputs: Mapping[str, Any]) -> list[Example]:
        """The nearest examples that are not of this very task, nor of its group.

        The task is known by its inputs: an example that has the same is the task itself.
        """
        asked = _inputs_text(inputs)
        same = {place for place, text in enumerate(self._texts) if text == asked}
        groups = {str(self.trainset[place].get(GROUP)) for place in same} - {"None"}
        ranked = [place for place in self._ranking(inputs) if place not in same]
        apart = (self.trainset[place] for place in ranked)
        return [example for example in apart if str(example.get(GROUP)) not in groups][: self.k]

    def _ranking(self, inputs: Mapping[str, Any]) -> list[int]:
        if not self.trainset:
            return []
        asked = self._vectorized([_inputs_text(inputs)])[0]
        near = (
            (self._vectors @ asked).round(6).tolist()
        )  # so that the order of equals is no matter of rounding
        return sorted(range(len(near)), key=lambda place: (-near[place], place))

    def _vectorized(self, texts: list[str]) -> numpy.ndarray:
        import numpy

        if not texts:
            return numpy.zeros((0, 0), dtype=numpy.float32)
        vectors = numpy.asarray(self.vectorizer(texts), dtype=numpy.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not numpy.isfinite(vectors).all():
            raise InputError(
                f"the vectorizer {vectorizer_name(self.vectorizer)} must give one vector of finite numbers "
                f"for each of {len(texts)} texts; it gave an array of shape {vectors.shape}"
            )
        return _unit(vectors)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it changes


def vectorizer_name(vectorizer: Vectorizer) -> str:
    """What a saved program calls a vectorizer by.

    >>> vectorizer_name(hashed_words)
    'loopwright.modules.knn.hashed_words'
    """
    named = vectorizer if hasattr(vectorizer, "__qualname__") else type(vectorizer)
    return f"{named.__module__}.{named.__qualname__}"


def checked_k(k: object) -> int:
    """How many examples to find, if that is a number of examples."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"k is how many examples to find, a whole number of at least 1; not {k!r}")
    return k


def _inputs_of(example: Example, fields: Sequence[str]) -> Mapping[str, Any]:
    """What a program is given of an example: these fields, or what it says itself are its inputs."""
    if fields:
        return {name: example[name] for name in fields if name in example}
    return example.inputs().toDict()


def _inputs_text(inputs: Mapping[str, Any]) -> str:
    return " | ".join(f"{name}: {format_value(value)}" for name, value in sorted(inputs.items()))


def _unit(vectors: numpy.ndarray) -> numpy.ndarray:
    import numpy

    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    unit: numpy.ndarray = vectors / numpy.where(lengths > 0, lengths, 1)
    return unit
