"""Examples and predictions: records with named fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


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

    def with_inputs(self, *names: str) -> Example:
        """The same record, with these fields as its inputs and all others as labels."""
        missing = [name for name in names if name not in self._store]
        if missing:
            raise KeyError(f"no field {missing[0]!r} to be an input; there are {', '.join(self._store)}")
        new = self.copy()
        object.__setattr__(new, "_input_keys", frozenset(names))
        return new

    def inputs(self) -> Example:
        """The inputs alone; raises ValueError before `with_inputs` has said which they are."""
        keys = self.input_keys
        return type(self)({k: v for k, v in self._store.items() if k in keys}).with_inputs(*sorted(keys))

    def labels(self) -> Example:
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

    def copy(self, **changes: Any) -> Example:
        """A copy with fields changed or added."""
        return type(self)(self, **changes)

    def without(self, *names: str) -> Example:
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
        if name.startswith("__") or name in ("_store", "_input_keys", "_completions"):
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
        shown = ", ".join(f"{name}={value!r}" for name, value in self._store.items())
        return f"{type(self).__name__}({shown})"

    def __getstate__(self) -> tuple[dict[str, Any], frozenset[str] | None]:
        return self._store, self._input_keys

    def __setstate__(self, state: tuple[dict[str, Any], frozenset[str] | None]) -> None:
        object.__setattr__(self, "_store", state[0])
        object.__setattr__(self, "_input_keys", state[1])


class Prediction(Example):
    """What a program answered: its outputs as fields.

    An agent's prediction also has `trajectory` and `termination_reason`. `completions` holds all
    answers where several were drawn.

    >>> Prediction(answer="4").answer
    '4'
    """

    __slots__ = ("_completions",)

    _completions: tuple[Prediction, ...]

    def __init__(self, base: Example | Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        super().__init__(base, **fields)
        object.__setattr__(self, "_completions", getattr(base, "_completions", ()))

    @classmethod
    def from_completions(cls, completions: Sequence[Mapping[str, Any]]) -> Prediction:
        """The first of several answers, with all of them as `completions`."""
        if not completions:
            raise ValueError("from_completions needs at least one answer")
        drawn = tuple(cls(c) for c in completions)
        first = cls(completions[0])
        object.__setattr__(first, "_completions", drawn)
        return first

    @property
    def completions(self) -> tuple[Prediction, ...]:
        """All answers drawn, this one first."""
        return self._completions or (self,)

    def __getstate__(self) -> Any:
        return self._store, self._input_keys, self._completions

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state[:2])
        object.__setattr__(self, "_completions", state[2])
