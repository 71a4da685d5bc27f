"""Examples and predictions: records with named fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, SupportsFloat

LINE = 120  # characters of fields that are shown on one line
SHOWN = 600  # characters of a value that are shown


class Example:
    """A record of a task: inputs, and labels where they are known.

    Fields are read as attributes or keys; `with_inputs` says which of them a program is given.

    >>> example = Example(question="2 + 2?", answer="4").with_inputs("question")
    >>> example.inputs().toDict(), example.labels().toDict(), example.answer
    ({'question': '2 + 2?'}, {'answer': '4'}, '4')
    """

    __slots__ = ("_input_keys", "_store")

    _store: dict[str, Any]
    _input_keys: frozenset[str] | None

    def __init__(self, base: Example | Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        copied = base._store if isinstance(base, Example) else dict(base or {})
        object.__setattr__(self, "_store", {**copied, **fields})
        object.__setattr__(self, "_input_keys", base._input_keys if isinstance(base, Example) else None)

    def with_inputs(self, *names: str) -> Self:
        """The same record, with these fields as its inputs and all others as labels."""
        missing = [name for name in names if name not in self._store]
        if missing:
            raise KeyError(f"no field {missing[0]!r} to be an input; there are {', '.join(self._store)}")
        new = self.copy()
        object.__setattr__(new, "_input_keys", frozenset(names))
        return new

    def inputs(self) -> Self:
        """The inputs alone; raises ValueError before `with_inputs` has said which they are."""
        keys = self.input_keys
        return type(self)({k: v for k, v in self._store.items() if k in keys}).with_inputs(*sorted(keys))

    def labels(self) -> Self:
        """What is no input."""
        keys = self.input_keys
        return type(self)({k: v for k, v in self._store.items() if k not in keys})

    @property
    def input_keys(self) -> frozenset[str]:
        """The names of the inputs."""
        if self._input_keys is None:
            raise ValueError(
                f"which fields are inputs? call .with_inputs(...) on the example with some of {', '.join(self._store)}"
            )
        return self._input_keys

    @property
    def has_inputs(self) -> bool:
        """Whether `with_inputs` was called."""
        return self._input_keys is not None

    def copy(self, **changes: Any) -> Self:
        """A copy with fields changed or added."""
        return type(self)(self, **changes)

    def without(self, *names: str) -> Self:
        """A copy that lacks these fields."""
        new = type(self)({k: v for k, v in self._store.items() if k not in names})
        if self._input_keys is not None:
            object.__setattr__(new, "_input_keys", self._input_keys - set(names))
        return new

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or the default."""
        return self._store.get(name, default)

    def keys(self) -> list[str]:
        """The names of all fields, in order."""
        return list(self._store)

    def values(self) -> list[Any]:
        """The values of all fields, in order."""
        return list(self._store.values())

    def items(self) -> list[tuple[str, Any]]:
        """Names with values, in order."""
        return list(self._store.items())

    def toDict(self) -> dict[str, Any]:  # noqa: N802  # the name that DSPy programs call
        """The fields as a plain dict."""
        return dict(self._store)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_store", "_input_keys", "_completions", "_notes"):
            raise AttributeError(name)  # a slot that is still empty, while a copy is being made
        try:
            return self._store[name]
        except KeyError:
            there = ", ".join(self._store) or "none"
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; there are: {there}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._store[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._store[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._store[name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[name]

    def __contains__(self, name: object) -> bool:
        return name in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(self._store)

    def __len__(self) -> int:
        return len(self._store)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Example) and self._store == other._store

    def __hash__(self) -> int:
        return hash(tuple((name, repr(value)) for name, value in self._store.items()))

    def __repr__(self) -> str:
        shown = [f"{name}={_cut(repr(value))}" for name, value in self._store.items()]
        if sum(map(len, shown)) <= LINE:
            return f"{type(self).__name__}({', '.join(shown)})"
        return f"{type(self).__name__}({_lines(shown)}\n)"

    def __getstate__(self) -> tuple[dict[str, Any], frozenset[str] | None]:
        return self._store, self._input_keys

    def __setstate__(self, state: tuple[dict[str, Any], frozenset[str] | None]) -> None:
        object.__setattr__(self, "_store", state[0])
        object.__setattr__(self, "_input_keys", state[1])


class Prediction(Example):
    """What a program answered: its outputs as fields.

    An agent's prediction also has `trajectory` and `termination_reason`. `completions` holds all
    answers where several were drawn. What a module notes beside the outputs (`with_notes`) is read as an
    attribute too, but is no field: it is not in `keys()`, not compared and not saved. A prediction with a field
    `score` is a number to `<`, `+`, `/` and `float()`.

    >>> Prediction(answer="4").answer
    '4'
    >>> sum([Prediction(score=1, feedback="right"), Prediction(score=0.5, feedback="too long")]) / 2
    0.75
    """

    __slots__ = ("_completions", "_notes")

    _completions: Completions
    _notes: dict[str, Any]

    def __init__(self, base: Example | Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        super().__init__(base, **fields)
        object.__setattr__(self, "_completions", getattr(base, "_completions", Completions()))
        object.__setattr__(self, "_notes", dict(base._notes) if isinstance(base, Prediction) else {})

    @classmethod
    def from_completions(
        cls,
        completions: Sequence[Mapping[str, Any] | Example] | Mapping[str, Sequence[Any]],
        signature: object = None,
    ) -> Prediction:
        """The first of several answers, with all of them as `completions`.

        They are given one by one, or as a list of values for each field; `signature` is not needed, and taken because
        DSPy's programs give it.

        >>> Prediction.from_completions({"answer": ["4", "5"]}).completions.answer
        ['4', '5']
        """
        drawn = Completions(cls(one) for one in _one_by_one(completions))
        if not drawn:
            raise ValueError("from_completions needs at least one answer")
        first = cls(drawn[0])
        object.__setattr__(first, "_completions", drawn)
        return first

    @property
    def completions(self) -> Completions:
        """All answers drawn, this one first."""
        return self._completions or Completions((self,))

    def with_notes(self, **notes: Any) -> Self:
        """A copy with something beside its outputs: how it came about."""
        new = type(self)(self)
        new._notes.update(notes)
        return new

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name not in self._store and name in self._notes:
            return self._notes[name]
        return super().__getattr__(name)

    def __float__(self) -> float:
        if "score" not in self._store:
            raise ValueError(f"a prediction without a field `score` is no number; it has {', '.join(self)}")
        return float(self._store["score"])

    def __lt__(self, other: SupportsFloat) -> bool:
        return float(self) < float(other)

    def __le__(self, other: SupportsFloat) -> bool:
        return float(self) <= float(other)

    def __gt__(self, other: SupportsFloat) -> bool:
        return float(self) > float(other)

    def __ge__(self, other: SupportsFloat) -> bool:
        return float(self) >= float(other)

    def __add__(self, other: SupportsFloat) -> float:
        return float(self) + float(other)

    __radd__ = __add__

    def __truediv__(self, other: SupportsFloat) -> float:
        return float(self) / float(other)

    def __rtruediv__(self, other: SupportsFloat) -> float:
        return float(other) / float(self)

    def __getstate__(self) -> Any:
        return self._store, self._input_keys, self._completions, self._notes

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state[:2])
        object.__setattr__(self, "_completions", state[2])
        object.__setattr__(self, "_notes", state[3])


class Completions(tuple[Prediction, ...]):
    """Several answers to one question: a sequence of predictions, and by a field's name its values in all of them.

    >>> drawn = Prediction.from_completions([{"answer": "4"}, {"answer": "5"}]).completions
    >>> drawn[1].answer, drawn.answer, drawn["answer"], len(drawn)
    ('5', ['4', '5'], ['4', '5'], 2)
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> list[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        there = list(dict.fromkeys(field for one in self for field in one.keys()))  # noqa: SIM118  # no mapping
        if name not in there:
            raise AttributeError(
                f"no field {name!r} in these answers; there are: {', '.join(there) or 'none'}"
            )
        return [one.get(name) for one in self]

    def __getitem__(self, place: Any) -> Any:
        return getattr(self, place) if isinstance(place, str) else super().__getitem__(place)

    def items(self) -> list[tuple[str, list[Any]]]:
        """Each field with its values."""
        names = dict.fromkeys(field for one in self for field in one.keys())  # noqa: SIM118  # no mapping
        return [(name, getattr(self, name)) for name in names]


def _lines(fields: Sequence[str]) -> str:
    return "".join(f"\n    {field}," for field in fields)


def _cut(text: str) -> str:
    """A value as it is shown: most of a long one is left out."""
    if len(text) <= SHOWN:
        return text
    return f"{text[: SHOWN - 100]}… ({len(text):,} characters)"


def _one_by_one(
    completions: Sequence[Mapping[str, Any] | Example] | Mapping[str, Sequence[Any]],
) -> Sequence[Mapping[str, Any] | Example]:
    if not isinstance(completions, Mapping):
        return completions
    lengths = {name: len(values) for name, values in completions.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"each field must have as many values as the others; there are {lengths}")
    return [dict(zip(completions, values, strict=True)) for values in zip(*completions.values(), strict=True)]
