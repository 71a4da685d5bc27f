"""What a task file says of turns and of the score, held against the signature and against its own checks."""

from __future__ import annotations

from collections.abc import Iterator

from ...history import History
from ...signature import Signature
from ...text import did_you_mean
from ..checks.scoring import GROUPS, KINDS
from ..trials.conversation import HISTORIES, TurnFields
from .format import AgentSpec, ScoreSpec, Task, TurnExpect
from .locate import JsonPath
from .problems import Problems


def check_turn_input(signature: Signature, agent: AgentSpec, problems: Problems) -> None:
    """The input that the file names for turns is there, and is text."""
    named = agent.turn_input
    if named is None:
        return
    path: JsonPath = ("agent", "turn_input")
    inputs = signature.input_fields
    if named not in inputs:
        hint = did_you_mean(named, inputs) or f"; it has {', '.join(inputs) or 'none'}"
        problems.add(path, f"the signature has no input {named!r}{hint}")
    elif inputs[named].type not in (str, str | None):
        problems.add(path, f"{named!r} is no text, and what a user says is one")


def check_turns(
    signature: Signature, agent: AgentSpec, path: JsonPath, task: Task, problems: Problems
) -> TurnFields | None:
    """The inputs that the turns fill; None where the signature can't take turns, which is noted."""
    fields = TurnFields.of(signature, agent.turn_input)
    if fields is not None:
        return fields
    if not any(field.type in HISTORIES for field in signature.input_fields.values()):
        problems.add(
            (*path, "turns"),
            f"the program can't be told what was said before: give its signature an input of the type "
            f"{History.__name__}, as in 'request, history: History -> reply'",
        )
    elif agent.turn_input is None:
        problems.add((*path, "turns"), "the signature has no text input for what the user says")
    return None


def check_score(path: JsonPath, task: Task, score: ScoreSpec, problems: Problems) -> None:
    """Gates and weights name checks that the task makes, and something is left that counts."""
    made = dict.fromkeys(checks_of(task))
    known = [*dict.fromkeys(name for names in made for name in names)]
    places: list[tuple[JsonPath, str]] = [(("gates", i), name) for i, name in enumerate(score.gates)]
    for place, name in places + [(("weights", name), name) for name in score.weights]:
        if name not in (*KINDS, *GROUPS) and name not in known:
            hint = did_you_mean(name, [*known, *KINDS, *GROUPS]) or f"; there are {', '.join(KINDS)}"
            problems.add((*path, *place), f"there is no check {name!r}{hint}")
        elif name not in known:
            problems.add((*path, *place), f"the task expects nothing of {name}; it has {', '.join(known)}")
    counts = {*score.gates, *(name for name, weight in score.weights.items() if weight)}
    if made and all(not counts & set(names) and set(names) & set(score.weights) for names in made):
        problems.add((*path, "weights"), "all are 0, so that every run would pass")


def checks_of(task: Task) -> Iterator[tuple[str, ...]]:
    """The names that each check of a task goes by, as `loopwright.evaluation.checks.scoring` knows them.

    >>> expected = {"answer": {"sum": 4}, "ends": "submit"}
    >>> list(checks_of(Task.model_validate({"id": "t", "expect": expected})))
    [('answer.sum', 'answer'), ('ends',)]
    """
    yield from _checks(task.expect)
    for number, turn in enumerate(task.turns, 1):
        for names in _checks(turn.expect):
            yield (f"turns.{number}", "turns", *names)


def _checks(expect: TurnExpect) -> Iterator[tuple[str, ...]]:
    for name, matcher in expect.answer.items():
        if not matcher.only_judged:
            yield f"answer.{name}", "answer"
        if matcher.judge is not None:
            yield f"judge.{name}", "judge"
    calls = expect.calls
    for kind, asked in (
        ("required", calls.required),
        ("forbidden", calls.forbidden),
        ("order", calls.order),
        ("max", calls.max),
        ("no_repeat", calls.no_repeat),
    ):
        if asked:
            yield f"calls.{kind}", "calls"
    for kind in ("state", "reference"):
        if getattr(expect, kind, None):
            yield (kind,)
    if expect.ends:
        yield ("ends",)
