"""Failures that are alike: the same check failed first, with the same words about other names and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..trials.attempt import TrialResult

# Feedback may quote a model at length, and what is quoted may hold anything: it is cut before it is searched.
READ = 400
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d+(?:[.,:/-]\d+)*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Trials that failed in the same way.

    `check` is the first check that failed, `pattern` its feedback with "…" for what was quoted and # for
    numbers, `example` the feedback of the first of them; `trials` are file, task and epoch of each.
    """

    check: str
    pattern: str
    example: str
    trials: tuple[tuple[str, str, int], ...]

    @property
    def tasks(self) -> int:
        """How many tasks failed in this way."""
        return len({trial[:2] for trial in self.trials})


def normalised(feedback: str) -> str:
    """A line of feedback without what differs from one task to the next.

    >>> normalised('required call refund(order_id=17): the closest was step 4, refund(order_id=71)')
    'required call refund(order_id=#): the closest was step #, refund(order_id=#)'
    >>> normalised('reply: "All done." does not contain "refund"')
    'reply: "…" does not contain "…"'
    """
    text = _QUOTED.sub('"…"', feedback[:READ])
    return _SPACE.sub(" ", _NUMBER.sub("#", text)).strip()


def clusters(results: Iterable[TrialResult]) -> list[Cluster]:
    """The failed trials in groups, the largest first; groups of one size stay in the order of the file."""
    groups: dict[tuple[str, str], list[TrialResult]] = {}
    for result in results:
        failure = result.failure
        if result.outcome == "failed" and failure is not None:
            groups.setdefault((failure.check, normalised(failure.feedback)), []).append(result)
    made = [
        Cluster(check, pattern, _first_line(trials), tuple((t.file, t.task.id, t.epoch) for t in trials))
        for (check, pattern), trials in groups.items()
    ]
    return sorted(made, key=lambda cluster: -len(cluster.trials))


def _first_line(trials: list[TrialResult]) -> str:
    failure = trials[0].failure
    return failure.feedback if failure else ""
