"""Recap: what a run did and answered, in as few lines as another model call needs to judge it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..adapters.values import format_value
from ..example import Example
from ..text import call_text, one_line, plain
from ..trace import Call
from ..trajectory import Step, Trajectory

LINE = 300  # characters of an observation
VALUE = 20_000  # characters of a field: a draft is compared whole, a flood is not
WHOLE = 12_000  # characters of a trajectory

REASONING = ("reasoning", "rationale")
NOT_OUTPUTS = ("trajectory", "termination_reason", "error")  # of an agent's prediction


def recap_answer(given: Example | Mapping[str, Any], names: Iterable[str]) -> str:
    r"""An answer: the steps that led to it, the reasoning, then the fields of these names.

    >>> recap_answer({"reasoning": "Two and two.", "answer": 4}, ["answer"])
    'reasoning: Two and two.\nanswer: 4'
    """
    parts = []
    trajectory = given.get("trajectory")
    if isinstance(trajectory, Trajectory) and trajectory.steps:
        parts.append(f"steps:\n{recap_trajectory(trajectory)}")
    shown = dict.fromkeys([*(name for name in REASONING if name in given), *names])
    parts += [f"{name}: {cut(format_value(given[name]))}" for name in shown if name in given]
    reason = given.get("termination_reason")
    if reason not in (None, "submit"):
        parts.append(f"(the run ended by {reason})")
    return "\n".join(parts)


def recap_trajectory(trajectory: Trajectory) -> str:
    """An agent's steps, one line a thought and a call; of very many, the first and the last."""
    lines = [line for number, step in enumerate(trajectory.steps, 1) for line in _step_lines(number, step)]
    dropped = 0
    while len(lines) > 2 and sum(map(len, lines)) > WHOLE:
        del lines[len(lines) // 2]
        dropped += 1
    if dropped:
        lines.insert((len(lines) + 1) // 2, f"(… {dropped} lines left out)")
    return "\n".join(lines)


def recap_calls(calls: Iterable[Call], paths: Mapping[int, str]) -> str:
    """What each predictor of a program was given and answered; `paths` names them by their identity."""
    told = []
    for call in calls:
        given = ", ".join(f"{name}={one_line(format_value(value))}" for name, value in call.inputs.items())
        outputs = [name for name in call.prediction.keys() if name not in NOT_OUTPUTS]  # noqa: SIM118  # no mapping
        told.append(
            f"{paths.get(id(call.predictor), 'a predictor')}({given})\n{recap_answer(call.prediction, outputs)}"
        )
    return "\n\n".join(told)


def cut(text: str, limit: int = VALUE) -> str:
    """Text made harmless and held to a length.

    >>> cut("abcdef", 4)
    'abcd…'
    """
    return plain(text[:limit]) + ("…" if len(text) > limit else "")


def _step_lines(number: int, step: Step) -> Iterable[str]:
    if step.thought:
        yield f"{number}. {one_line(step.thought, LINE)}"
    for result in step.made:
        yield f"{number}. {call_text(result.call)} -> {one_line(result.content, LINE)}"
