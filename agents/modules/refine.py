"""Refine: several attempts, each told what the one before did wrong.

After Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback" (NeurIPS 2023), and, for agents, Shinn et
al., "Reflexion: Language Agents with Verbal Reinforcement Learning" (NeurIPS 2023): the feedback is drawn from the
whole trajectory, and each predictor is told what concerns it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any

from loopwright.tools import ToolRegistry

from ..adapters.base import scaffold
from ..adapters.values import format_value
from ..ambient import context, current
from ..errors import BudgetError, LMError, OutputError
from ..example import Example
from ..models.base import BaseLM
from ..module import Module, both_ways
from ..signature import Field, Signature
from .attempts import (
    Attempt,
    RewardFunction,
    attempted,
    best_of,
    by_name,
    checked_count,
    checked_function,
    checked_module,
    checked_threshold,
    judged,
    keep_calls,
    own_trace,
    raise_failure,
)
from .best_of_n import good_enough, with_attempts
from .predict import Predict
from .recap import NOT_OUTPUTS, cut, recap_answer, recap_calls

log = logging.getLogger("loopwright")

ADVICE = Signature(
    {
        field.name: field
        for field in (
            Field("program", "input", str, "the predictors: what each is given, must answer, and is told"),
            Field("inputs", "input", str),
            Field("calls", "input", str, "what each predictor was given and answered, in order"),
            Field("outcome", "input", str, "the program's answer, or the error that ended it"),
            Field("judgement", "input", str, "the reward, the one wanted, and how it is given"),
            Field("discussion", "output", str, "which predictor is to blame for the reward, and why"),
            Field(
                "advice",
                "output",
                dict[str, str],
                "by predictor, what it should do differently next time; only those that should",
            ),
        )
    },
    scaffold("advice").template,
)


class Refine(Module):
    r"""Runs a module up to `N` times; after each attempt that falls short, a model advises the next one.

    The arguments are those of `BestOfN`, and so are the end at `threshold`, the choice of the best, `fail_count` and
    the `attempts` of the prediction. Advice costs one model call for each attempt but the last: the predictor `advise`,
    which can be looked at and learned as any other, sees the calls of every predictor, an agent's whole trajectory,
    and the feedback of a reward that is a `Score`. What it says is shown to the predictors as one more input.
    Advice that can't be had is logged, and the next attempt goes without.

    >>> from loopwright import context
    >>> from loopwright.models import FunctionLM
    >>> def answer(request):  # a model that gets it right when it is told how
    ...     if "Find the predictors" in request.messages[0].content:
    ...         return '[[ ## discussion ## ]]\nToo long.\n[[ ## advice ## ]]\n{"self": "One word."}'
    ...     told = "One word." in request.messages[-1].content
    ...     return f"[[ ## answer ## ]]\n{'Brussels' if told else 'It is Brussels'}"
    >>> def one_word(inputs, prediction):
    ...     return " " not in prediction.answer
    >>> with context(lm=FunctionLM(answer)):
    ...     refined = Refine(Predict("question -> answer"), N=3, reward_fn=one_word, threshold=1.0)(question="?")
    >>> refined.answer, [dict(attempt.advice) for attempt in refined.attempts]
    ('Brussels', [{}, {'self': 'One word.'}])
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
    ) -> None:
        self.module = checked_module(module, "Refine")
        self.N = checked_count(N, "N")
        self.reward_fn: RewardFunction = checked_function(reward_fn, "reward_fn")
        self.threshold = checked_threshold(threshold)
        self.fail_count = self.N if fail_count is None else checked_count(fail_count, "fail_count")
        self.temperature = temperature
        self.advise = Predict(ADVICE)

    async def aforward(self, *args: Any, **inputs: Any) -> Any:
        """Make attempts until one is good enough; the keyword arguments are the module's inputs."""
        by_name(args, "Refine")
        attempts: list[Attempt] = []
        advice: Mapping[str, str] = {}
        for number in range(self.N):
            made = await attempted(self.module, inputs, number, temperature=self.temperature, advice=advice)
            attempts.append(await judged(made, self.reward_fn, inputs))
            if good_enough(attempts[-1], self.threshold):
                break
            if sum(attempt.error is not None for attempt in attempts) >= self.fail_count:
                raise_failure(attempts)
            if number + 1 < self.N:
                advice = await self._advice_after(attempts[-1], inputs) or advice
        best = best_of(attempts)
        keep_calls(best.calls)
        return with_attempts(best, attempts)

    forward = both_ways(aforward)

    async def _advice_after(self, attempt: Attempt, inputs: Mapping[str, Any]) -> Mapping[str, str]:
        """What to do differently, by predictor; nothing where the model was to blame, or has nothing to say."""
        paths = [path for path, _ in self.module.named_predictors()]
        if isinstance(attempt.error, BudgetError | LMError) or not paths:
            return {}
        try:
            with own_trace(), context(lm=self._adviser()):
                given = await self.advise.acall(**self._told(attempt, inputs))
        except (BudgetError, LMError, OutputError) as error:
            log.warning("no advice for the next attempt: %s", error)
            return {}
        advice = {path: text for path, text in given.advice.items() if text.strip() and path in paths}
        if not advice and len(paths) == 1:  # a single predictor is meant, by whatever name
            advice = {paths[0]: "\n".join(filter(str.strip, given.advice.values()))}
        return {path: text for path, text in advice.items() if text}

    def _adviser(self) -> BaseLM | None:
        """The context's model; where there is none, the one that the module was given."""
        lms = (predictor.lm for predictor in self.module.predictors())
        return current().lm or next((lm for lm in lms if lm is not None), None)

    def _told(self, attempt: Attempt, inputs: Mapping[str, Any]) -> dict[str, str]:
        predictors = self.module.named_predictors()
        paths = {id(predictor): path for path, predictor in predictors}
        tools = self._tools()
        program = (
            f"{path}: {one.signature}\n{cut(one.signature.instructions)}{tools.get(id(one), '')}"
            for path, one in predictors
        )
        return {
            "program": "\n\n".join(program),
            "inputs": "\n".join(f"{name}: {cut(format_value(value))}" for name, value in inputs.items()),
            "calls": recap_calls(attempt.calls, paths) or "(none was answered)",
            "outcome": _outcome(attempt),
            "judgement": self._judgement(attempt),
        }

    def _tools(self) -> Mapping[int, str]:
        """What an agent's predictor can call, by the predictor's identity."""
        told: dict[int, str] = {}
        for _, module in self.module.named_sub_modules():
            registry = getattr(module, "tools", None)
            if isinstance(registry, ToolRegistry) and registry:
                told |= {id(one): f"\ntools:\n{cut(registry.render())}" for one in module.predictors()}
        return told

    def _judgement(self, attempt: Attempt) -> str:
        wanted = "" if self.threshold is None else f", wanted is {self.threshold:g} or more"
        reward = "none" if attempt.reward is None else f"{attempt.reward:g}"
        feedback = f"\nfeedback: {cut(attempt.feedback)}" if attempt.feedback else ""
        return f"reward: {reward}{wanted}{feedback}\nhow it is given:\n{_source(self.reward_fn)}"


def _outcome(attempt: Attempt) -> str:
    if attempt.error is not None:
        return f"it failed with {type(attempt.error).__name__}: {cut(str(attempt.error))}"
    if not isinstance(attempt.prediction, Example):
        return cut(format_value(attempt.prediction))
    outputs = [name for name in attempt.prediction.keys() if name not in NOT_OUTPUTS]  # noqa: SIM118  # no mapping
    return recap_answer(attempt.prediction.without("trajectory"), outputs)


def _source(function: object) -> str:
    """What a function is, in its own words where they can be had: its source, else its name and docstring."""
    try:
        return cut(inspect.getsource(function))  # type: ignore[arg-type]  # what has no source raises TypeError
    except (OSError, TypeError):
        name = getattr(function, "__name__", type(function).__name__)
        return cut(f"{name}: {inspect.getdoc(function) or 'it does not say'}")
