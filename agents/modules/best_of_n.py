"""BestOfN: several attempts, and the best of them by a reward."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..example import Prediction
from ..module import Module, both_ways
from .attempts import (
    Attempt,
    RewardFunction,
    all_of,
    attempted,
    best_of,
    by_name,
    checked_count,
    checked_function,
    checked_module,
    checked_threshold,
    judged,
    keep_calls,
    raise_failure,
)


class BestOfN(Module):
    """Runs a module up to `N` times, and returns the prediction with the highest reward.

    `reward_fn` takes the inputs as a dict and the prediction, and returns a number, or a `Score` whose feedback is
    kept. The first attempt that reaches `threshold` ends it (None: all are made). Attempts are drawn apart: each has
    a rollout id of its own and `temperature`, where a predictor has none itself. An attempt that raises, or whose
    reward can't be given, has failed; the error of failure number `fail_count` (N, unless told) is raised.

    They are made one after the other, since the first may do; `num_threads` at a time where time matters more
    than calls. The prediction's `attempts` (a note, no field) has them all: prediction with trajectory, reward,
    usage, error. Of agents, remember that what the tools of each attempt change stays changed.

    >>> from loopwright import Predict, context
    >>> from loopwright.utils import DummyLM
    >>> def short(inputs, prediction):
    ...     return 1 / len(prediction.answer.split())
    >>> with context(lm=DummyLM([{"answer": "It is Brussels"}, {"answer": "Brussels"}])):
    ...     best = BestOfN(Predict("question -> answer"), N=5, reward_fn=short, threshold=1.0)(question="?")
    >>> best.answer, [round(attempt.reward, 2) for attempt in best.attempts]
    ('Brussels', [0.33, 1.0])
    """

    def __init__(
        self,
        module: Module,
        N: int,  # noqa: N803  # DSPy's name
        reward_fn: RewardFunction,
        threshold: float | None,
        fail_count: int | None = None,
        *,
        temperature: float | None = 1.0,
        num_threads: int = 1,
    ) -> None:
        self.module = checked_module(module, "BestOfN")
        self.N = checked_count(N, "N")
        self.reward_fn: RewardFunction = checked_function(reward_fn, "reward_fn")
        self.threshold = checked_threshold(threshold)
        self.fail_count = self.N if fail_count is None else checked_count(fail_count, "fail_count")
        self.temperature = temperature
        self.num_threads = checked_count(num_threads, "num_threads")

    async def aforward(self, *args: Any, **inputs: Any) -> Any:
        """Make attempts until one is good enough; the keyword arguments are the module's inputs."""
        by_name(args, "BestOfN")
        attempts: list[Attempt] = []
        for first in range(0, self.N, self.num_threads):
            numbers = range(first, min(first + self.num_threads, self.N))
            attempts += await all_of([partial(self._attempt, inputs, n) for n in numbers], self.num_threads)
            if self._is_enough(attempts):
                break
        best = best_of(attempts)
        keep_calls(best.calls)
        return with_attempts(best, attempts)

    forward = both_ways(aforward)

    async def _attempt(self, inputs: dict[str, Any], number: int) -> Attempt:
        made = await attempted(self.module, inputs, number, temperature=self.temperature)
        return await judged(made, self.reward_fn, inputs)

    def _is_enough(self, attempts: list[Attempt]) -> bool:
        if any(good_enough(attempt, self.threshold) for attempt in attempts):
            return True
        if sum(attempt.error is not None for attempt in attempts) >= self.fail_count:
            raise_failure(attempts)
        return False


def good_enough(attempt: Attempt, threshold: float | None) -> bool:
    """Whether no better attempt is looked for."""
    return attempt.reward is not None and threshold is not None and attempt.reward >= threshold


def with_attempts(best: Attempt, attempts: list[Attempt]) -> Any:
    """The best attempt's prediction, with all attempts noted beside it where it is a `Prediction`."""
    if isinstance(best.prediction, Prediction):
        return best.prediction.with_notes(attempts=tuple(attempts))
    return best.prediction
