"""Optimizers: each is a search; what runs its rollouts is the driver around it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from ..ambient import current
from ..errors import ConfigurationError
from ..evaluation.metrics import Metric
from ..evaluation.rollout import file_of, run_example
from ..example import Example
from ..models.base import BaseLM
from ..models.lm import LM
from ..module import Module
from ..runtime.budget import Budget
from .driving.amounts import Unit, limits_of
from .driving.driver import Driver
from .driving.execution import Execution, Run, call_program
from .driving.progress import Progress
from .driving.rollouts import Search
from .driving.store import MemoryStore, RolloutStore, Store
from .splits import told_apart

Program = TypeVar("Program", bound=Module)

Teacher = Module | BaseLM | str


@dataclass(frozen=True, slots=True)
class Setting:
    """What a search is given: all that it may know.

    `student` is a copy of the caller's program and `teacher` the program that collects demonstrations, the student
    itself unless told otherwise. `val` is None where the caller gave no valset; a search splits `train` then, by
    group. `budget` has the bounds by unit, so that a search can plan. `plain` says that a rollout is a plain call of
    the program, with nothing around it: no task's world, and no `run` of the caller's.
    """

    student: Module
    teacher: Module
    train: tuple[Example, ...]
    val: tuple[Example, ...] | None
    seed: int
    budget: Mapping[Unit, float]
    plain: bool = True

    @property
    def has_teacher(self) -> bool:
        """Whether the teacher is another program, or asks another model, than the student."""
        return self.teacher is not self.student


class Optimizer(ABC):
    r"""Makes a program better by a metric. A subclass has `search`; its options go to the constructor.

    `metric` takes (example, prediction) or (example, prediction, trace) and returns a bool, a number or a `Score`. An
    answer is good enough where the metric says so, or, with `metric_threshold`, from that score on (0 is a threshold).
    The same `seed` gives the same program, with any number of threads.

    >>> from loopwright import Predict, context
    >>> from loopwright.evaluation.metrics import exact_match
    >>> from loopwright.models import FunctionLM
    >>> from loopwright.optimizers import Batch, Compiled, Report, Rollout
    >>> class Measured(Optimizer):
    ...     "Changes nothing, and reports how many of the train tasks pass."
    ...     def __init__(self, metric):
    ...         self.metric = metric
    ...     def search(self, setting):
    ...         told = yield Batch("measure", [Rollout(setting.student, task) for task in setting.train])
    ...         return Compiled(setting.student, Report("Measured", notes={"passed": sum(one.passed for one in told)}))
    >>> tasks = [Example(n=n, double=2 * n).with_inputs("n") for n in range(5)]
    >>> lm = FunctionLM(lambda request: "[[ ## double ## ]]\n4")
    >>> with context(lm=lm):
    ...     program = Measured(exact_match).compile(Predict("n: int -> double: int"), trainset=tasks)
    >>> program.compile_report.notes, program.compile_report.used.rollouts
    ({'passed': 1}, 5)
    """

    metric: Metric | None
    metric_threshold: float | None = None
    seed: int = 0

    @abstractmethod
    def search(self, setting: Setting) -> Search:
        """Ask for rollouts, and return what was made of them."""

    def compile(
        self,
        student: Program,
        *,
        trainset: Sequence[Example],
        valset: Sequence[Example] | None = None,
        teacher: Teacher | None = None,
        budget: Budget | Mapping[str, float | None] | None = None,
        store: Store | str | Path | None = None,
        run: Run | None = None,
        num_threads: int | None = None,
        progress: TextIO | bool = False,
    ) -> Program:
        """A better program, or a copy of the student where none was found; its report is its `compile_report`.

        Student and teacher are not changed. `teacher` is a program, or a model that the student asks while
        demonstrations are collected. `budget` bounds all of it together: what does not fit is not begun, and the best
        so far is returned. In `store` (a path) finished rollouts are kept: the same compile with the same store goes
        on where it was broken off, without a model call made twice. `run` takes a program of its own and an example,
        and gives the prediction; by default it calls the program, or, where the metric is a `TaskFile`'s, runs the
        task as its trials are run, in a world of its own. `num_threads` is the context's unless told; `progress` is
        where to show it, True for standard error.
        """
        limits = limits_of(budget)
        setting = self._setting(student, trainset, valset, teacher, limits)
        metric = self._metric()
        file = file_of(metric)
        setting = replace(
            setting,
            train=tuple(told_apart(file, setting.train)),
            val=None if setting.val is None else tuple(told_apart(file, setting.val)),
            plain=run is None and file is None,
        )
        by_file = call_program if file is None else partial(run_example, file)
        execution = Execution(metric, self.metric_threshold, run or by_file)
        shown = sys.stderr if progress is True else progress or None
        threads = num_threads or current().num_threads
        with _opened(store) as kept, Progress(type(self).__name__, shown) as view:
            driver = Driver(execution, kept, limits, threads, view)
            compiled = driver.drive(self.search(setting))
        program = compiled.program.deepcopy()
        vars(program)["compile_report"] = compiled.report
        return program  # type: ignore[return-value]  # a search changes state, and no classes

    def _metric(self) -> Metric:
        if self.metric is None:
            raise ConfigurationError(f"{type(self).__name__} needs a metric: give it metric=")
        return self.metric

    def _setting(
        self,
        student: Module,
        trainset: Sequence[Example],
        valset: Sequence[Example] | None,
        teacher: Teacher | None,
        limits: Mapping[Unit, float],
    ) -> Setting:
        if not isinstance(student, Module):
            raise ConfigurationError(
                f"compile takes a program, such as ReAct(...), not {type(student).__name__}"
            )
        train, val = tuple(trainset), None if valset is None else tuple(valset)
        for name, examples in (("trainset", train), ("valset", val or ())):
            _check_examples(examples, name)
        if not train:
            raise ConfigurationError("the trainset is empty: there is nothing to learn from")
        own = student.deepcopy()
        return Setting(own, _taught(own, teacher), train, val, self.seed, limits)


def _check_examples(examples: Sequence[object], name: str) -> None:
    for place, example in enumerate(examples):
        if not isinstance(example, Example):
            raise ConfigurationError(f"{name}[{place}] is no Example but a {type(example).__name__}")
        if not example.has_inputs:
            raise ConfigurationError(
                f"{name}[{place}] does not say which fields are inputs: call .with_inputs(...)"
            )


def _taught(student: Module, teacher: Teacher | None) -> Module:
    if teacher is None:
        return student
    if isinstance(teacher, Module):
        return teacher.deepcopy()
    if not isinstance(teacher, BaseLM | str):
        raise ConfigurationError(f"a teacher is a program or a model, not {type(teacher).__name__}")
    copy = student.deepcopy()
    copy.set_lm(LM(teacher) if isinstance(teacher, str) else teacher)
    return copy


def _opened(store: Store | str | Path | None) -> Any:
    if store is None:
        return nullcontext(MemoryStore())
    return closing(RolloutStore(store)) if isinstance(store, str | Path) else nullcontext(store)
