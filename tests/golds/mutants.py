"""Mutants of a task's good run: a call dropped, an argument changed, a write repeated, two calls swapped, nothing done.

A mutant is `covered` where the task says something that it breaks; where it says nothing (in which of several ways a sum is
split up is the agent's own business) the mutant proves nothing, and is only counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from loopwright.evaluation import CheckResult, TaskFile, TrialResult
from loopwright.evaluation.checks.call_checks import mismatches
from loopwright.evaluation.checks.record import Made
from loopwright.evaluation.checks.record import calls_made as made_in
from loopwright.evaluation.file.format import CallPattern, RequiredCall, Task
from loopwright.tools import ToolCall

from .other_values import changed
from .playing import Play, Turn, run
from .sets import ExampleFile

Kind = Literal["drop", "argument", "repeat", "swap", "idle"]
KINDS: tuple[Kind, ...] = ("drop", "argument", "repeat", "swap", "idle")


@dataclass(frozen=True)
class Mutant:
    """A run that differs from the good one; `steps` are those that may be blamed."""

    kind: Kind
    about: str
    play: Play
    covered: bool
    steps: frozenset[int] = frozenset()
    ends_wrong: bool = False  # whether it may show in the end alone: in the answer, or as one call too few


@dataclass(frozen=True)
class Verdict:
    """What came of a mutant: whether the task failed it, and the checks that did."""

    mutant: Mutant
    caught: bool
    failed: tuple[CheckResult, ...]

    @property
    def blames_rightly(self) -> bool:
        """Whether a line names a step at which the mutant went wrong."""
        return any(check.step in self.mutant.steps for check in self.failed)

    def __str__(self) -> str:
        lines = "; ".join(f"{check.feedback} (step {check.step})" for check in self.failed) or "it passed"
        return f"{self.mutant.kind} {self.mutant.about}: {lines}; steps wanted: {sorted(self.mutant.steps)}"


@dataclass(frozen=True)
class Place:
    """One call of the good run: where it stands, and what came of it."""

    turn: int
    index: int
    step: int
    made: Made

    @property
    def call(self) -> ToolCall:
        """The call with the values that it was made with."""
        return self.made.call

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.made.result.ok


@dataclass
class Mutator:
    """Makes the mutants of one task from its good run."""

    file: TaskFile
    task: Task
    play: Play
    result: TrialResult
    idle_answer: Mapping[str, object]
    propagates: bool = False  # whether what a call gives goes on into the answer

    def __post_init__(self) -> None:
        self.places: list[Place] = []
        self.ends: list[int] = []  # the step that ends each turn
        made = list(made_in(self.result.trajectory, self.file.tools))
        step = 0
        for number, turn in enumerate(self.play):
            for index in range(len(turn.calls)):
                step += 1
                self.places.append(Place(number, index, step, made[len(self.places)]))
            step += 1
            self.ends.append(step)

    def all(self) -> Iterator[Mutant]:
        """Every mutant of the task."""
        for place in self.places:
            yield self._dropped(place)
            yield from self._changed(place)
            yield self._repeated(place)
        yield from self._swapped()
        yield self._idle()

    def verdict(self, mutant: Mutant) -> Verdict:
        """Run a mutant and see what the task says of it."""
        result = run(self.file, self.task.id, mutant.play)
        if mutant.ends_wrong:
            mutant = replace(mutant, steps=mutant.steps | {result.steps})
        return Verdict(mutant, not result.passed, tuple(check for check in result.checks if not check.passed))

    # ---- the kinds

    def _dropped(self, place: Place) -> Mutant:
        needed = any(self._short_of(pattern, place) for pattern in self._required(place))
        ordered = any(self._fits(pattern, place) for pattern in self._order()) and not self._spare(place)
        same_tool = {
            one.step - (one.step > place.step) for one in self.places if one.call.name == place.call.name
        }
        ends = {end - (end >= place.step) for end in self.ends[place.turn :]}
        return Mutant(
            "drop",
            str(place.call),
            self._edited(place, []),
            place.ok and (needed or ordered or self._writes(place)),
            frozenset(same_tool | ends),
        )

    def _changed(self, place: Place) -> Iterator[Mutant]:
        gold = self.play[place.turn].calls[place.index]
        for name, value in gold.args.items():
            taken = {str(one.call.args.get(name)) for one in self.places}
            other = changed(name, value, taken)
            if other is None:
                continue
            call = replace(gold, args={**gold.args, name: other})
            asked = [one for one in self._required(place) if self._fits(one, place) and name in one.args]
            told = self._writes(place) and not self._ignored(place, name)
            yield Mutant(
                "argument",
                f"{place.call}: {name} = {other!r}",
                self._with(place, [call], frozen=not self.propagates),
                place.ok and bool(asked or told or self.propagates),
                frozenset({place.step} | self._failed(place.call.name)),
                ends_wrong=(self.propagates and not asked) or any((one.count or 1) > 1 for one in asked),
            )

    def _repeated(self, place: Place) -> Mutant:
        again = place.ok and (self._writes(place) or self.task.expect.calls.no_repeat)
        return Mutant(
            "repeat",
            str(place.call),
            self._edited(place, [place.call, place.call]),
            again,
            frozenset({place.step, place.step + 1}),
        )

    def _swapped(self) -> Iterator[Mutant]:
        for first, second in zip(self._order(), self._order()[1:], strict=False):
            one = next((place for place in self.places if place.ok and self._fits(first, place)), None)
            two = next((place for place in self.places if place.ok and self._fits(second, place)), None)
            if one is None or two is None or one.step >= two.step:
                continue
            play = self._edited(one, [two.call])
            calls = list(play[two.turn].calls)
            calls[two.index] = one.call
            play = (*play[: two.turn], replace(play[two.turn], calls=tuple(calls)), *play[two.turn + 1 :])
            steps = {one.step, two.step} | self._failed(two.call.name)
            yield Mutant("swap", f"{one.call} and {two.call}", play, True, frozenset(steps))

    def _idle(self) -> Mutant:
        play = tuple(Turn((), self.idle_answer) for _ in self.play)
        return Mutant("idle", "", play, True, frozenset(range(1, len(play) + 1)))

    # ---- what the task says of a call

    def _required(self, place: Place) -> list[RequiredCall]:
        turns = self.task.turns
        own = turns[place.turn].expect.calls.required if turns else []
        return [*own, *self.task.expect.calls.required]

    def _order(self) -> list[CallPattern]:
        order = self.task.expect.calls.order
        return list(order.of) if order is not None and order.mode == "subsequence" else []

    def _fits(self, pattern: CallPattern, place: Place) -> bool:
        return not mismatches(self.file.tools, pattern, place.made)

    def _short_of(self, pattern: RequiredCall, place: Place) -> bool:
        fitting = [one for one in self.places if one.ok and self._fits(pattern, one)]
        return place in fitting and len(fitting) <= (pattern.count or 1)

    def _spare(self, place: Place) -> bool:
        return any(one.ok and one != place and one.call.name == place.call.name for one in self.places)

    def _writes(self, place: Place) -> bool:
        return self.file.tools[place.call.name].rules.writes

    def _failed(self, tool: str) -> set[int]:
        """The steps at which a tool failed, as its task wants it to: what is missing may be put down to them."""
        return {one.step for one in self.places if one.call.name == tool and not one.ok}

    def _ignored(self, place: Place, name: str) -> bool:
        """Whether what an argument says is free, as a summary is."""
        reference = self.task.expect.reference
        return reference is not None and any(text.endswith(f".{name}") for text in reference.ignore)

    # ---- other runs

    def _edited(self, place: Place, calls: list[ToolCall]) -> Play:
        return self._with(place, calls, frozen=True)

    def _with(self, place: Place, calls: list[ToolCall], *, frozen: bool) -> Play:
        """The run with other calls in one place; frozen: all else is as it was made in the good run."""
        play = self._frozen() if frozen else self.play
        own = play[place.turn]
        made = (*own.calls[: place.index], *calls, *own.calls[place.index + 1 :])
        return (*play[: place.turn], replace(own, calls=made), *play[place.turn + 1 :])

    def _frozen(self) -> Play:
        turns = []
        submits = [one.call for one in self.result.trajectory.results if one.call.name == "submit"]
        for number, turn in enumerate(self.play):
            calls = tuple(place.call for place in self.places if place.turn == number)
            turns.append(replace(turn, calls=calls, answer=submits[number].args))
        return tuple(turns)


def mutators_of(example: ExampleFile) -> Iterator[Mutator]:
    """One for each task of a file, made from its good run."""
    file = example.load()
    for task in file.tasks:
        play = example.plays[task.id]
        yield Mutator(file, task, play, run(file, task.id, play), example.idle, example.propagates)


def verdicts_of(example: ExampleFile) -> Iterator[Verdict]:
    """What comes of every covered mutant of every task of a file."""
    for mutator in mutators_of(example):
        for mutant in mutator.all():
            if mutant.covered:
                yield mutator.verdict(mutant)
