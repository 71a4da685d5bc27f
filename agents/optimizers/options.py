"""What every `compile` takes, as a type; and DSPy's ways to say some of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, TypedDict

from ..errors import ConfigurationError
from ..example import Example
from ..models.base import BaseLM
from ..runtime.budget import Budget
from .base import Teacher
from .driving.execution import Run
from .driving.store import Store


class CompileOptions(TypedDict, total=False):
    """The options of `Optimizer.compile` beside student and trainset."""

    valset: Sequence[Example] | None
    teacher: Teacher | None
    budget: Budget | Mapping[str, float | None] | None
    store: Store | str | Path | None
    run: Run | None
    num_threads: int | None
    progress: TextIO | bool


def with_defaults(
    options: CompileOptions,
    *,
    num_threads: int | None = None,
    teacher_settings: Mapping[str, Any] | None = None,
) -> CompileOptions:
    """The options, filled up with what a constructor was given, as in DSPy: threads, and the teacher's model."""
    filled: CompileOptions = {**options}
    if filled.get("num_threads") is None and num_threads is not None:
        filled["num_threads"] = num_threads
    unknown = sorted(set(teacher_settings or ()) - {"lm"})
    if unknown:
        raise ConfigurationError(f"teacher_settings has no {unknown[0]!r}; there is: lm, the teacher's model")
    if filled.get("teacher") is None and teacher_settings:
        lm = teacher_settings.get("lm")
        if lm is not None and not isinstance(lm, BaseLM | str):
            raise ConfigurationError(
                f"teacher_settings names the model by lm=, a model or its name; not {lm!r:.60}"
            )
        filled["teacher"] = lm
    return filled


def every_run_passes(example: Example, prediction: object, trace: object = None) -> bool:
    """The metric of an optimizer that was given none."""
    return True
