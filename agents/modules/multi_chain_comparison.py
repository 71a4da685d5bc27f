"""MultiChainComparison: several chains of reasoning, and one answer that weighs them against each other.

After Yoran et al., "Answering Questions by Meta-Reasoning over Multiple Chains of Thought" (EMNLP 2023): a vote sees
only the chains' answers; a model that reads the chains can see which of them went wrong, and combine what is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..adapters.values import to_plain, write_json
from ..ambient import current
from ..errors import InputError, SignatureError
from ..example import Example, Prediction
from ..module import Module, both_ways
from ..signature import InputField, OutputField, Signature, SignatureLike
from .attempts import Attempt, all_of, attempted, checked_count, checked_module, keep_calls, raise_failure
from .chain_of_thought import ChainOfThought
from .predict import PREDICT_OPTIONS, Predict, check_options
from .recap import REASONING, recap_answer
from .voting import normal_answer

LEAST = 2  # attempts to compare
GIVEN = "completions"  # the keyword under which attempts are handed in


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the attempts that were compared stand to each other and to the answer.

    `votes` says of each attempt how many gave its answer, itself among them; 0 for one that gave none. `chosen` is the
    place of the first attempt whose answer was taken over, None where the answer is a new one, merged of several.
    """

    attempts: tuple[Attempt, ...]
    votes: tuple[int, ...]
    chosen: int | None

    @property
    def unanimous(self) -> bool:
        """Whether every attempt gave the same answer."""
        return all(votes == len(self.votes) for votes in self.votes)

    @property
    def tied(self) -> bool:
        """Whether two answers or more have the most votes."""
        most = max(self.votes)
        return self.votes.count(most) > most


class MultiChainComparison(Module):
    r"""Compares `M` attempts at a signature's outputs, and answers with what is right in them.

    Called with `completions` (M predictions or dicts, or a prediction that holds M) it compares those, as in DSPy.
    Called without, it makes M attempts itself, side by side: with `module`, an agent too, else with ChainOfThought;
    one that fails is shown as failed. Attempts are shown whole: steps of an agent, reasoning, every output. The
    prediction has `rationale` before the outputs; its `comparison` (a note, no field) says who agreed with whom.

    `temperature` is that of the comparison and of the attempts; `num_threads` attempts are made at a time (as
    many as the context allows); `options` are those of `Predict`.

    >>> from loopwright import context
    >>> from loopwright.utils import DummyLM
    >>> attempts = [{"reasoning": "2 and 2", "answer": "4"}, {"reasoning": "2, 2", "answer": "22"}]
    >>> with context(lm=DummyLM([{"rationale": "The second joins the digits.", "answer": "4"}])):
    ...     compared = MultiChainComparison("question -> answer", M=2)(attempts, question="2 + 2?")
    >>> compared.answer, compared.comparison.votes, compared.comparison.chosen
    ('4', (1, 1), 0)
    """

    def __init__(
        self,
        signature: SignatureLike,
        M: int = 3,  # noqa: N803  # DSPy's name
        temperature: float | None = 0.7,
        *,
        module: Module | None = None,
        num_threads: int | None = None,
        **options: Any,
    ) -> None:
        check_options(MultiChainComparison, options, PREDICT_OPTIONS)
        asked = Signature.of(signature)
        self.M = checked_count(M, "M", least=LEAST)
        self.temperature = temperature
        self.num_threads = None if num_threads is None else checked_count(num_threads, "num_threads")
        self.module = (
            ChainOfThought(asked, temperature=temperature, **options)
            if module is None
            else checked_module(module, "MultiChainComparison")
        )
        self.predict = Predict(comparing(asked, self.M), temperature=temperature, **options)
        self.outputs = tuple(asked.output_fields)

    async def aforward(self, completions: object = None, **inputs: Any) -> Prediction:
        """Compare these attempts, or M new ones; the keyword arguments are the signature's inputs."""
        attempts = await self._drawn(inputs) if completions is None else self._given(completions)
        shown = {
            f"reasoning_attempt_{n}": self._shown(attempt, told=completions is None)
            for n, attempt in enumerate(attempts, 1)
        }
        answer: Prediction = await self.predict.acall(**shown, **inputs)
        return answer.with_notes(comparison=self._compared(attempts, answer))

    forward = both_ways(aforward)

    async def _drawn(self, inputs: Mapping[str, Any]) -> Sequence[Attempt]:
        at_once = self.num_threads or current().num_threads
        draws = [
            partial(attempted, self.module, inputs, number, temperature=self.temperature)
            for number in range(self.M)
        ]
        attempts = await all_of(draws, at_once)
        for attempt in attempts:
            keep_calls(attempt.calls)
        if all(attempt.error is not None for attempt in attempts):
            raise_failure(attempts)
        return attempts

    def _given(self, completions: object) -> Sequence[Attempt]:
        answers = completions.completions if isinstance(completions, Prediction) else completions
        if not isinstance(answers, Sequence) or isinstance(answers, str):
            raise InputError(
                f"{GIVEN} are the attempts to compare, a list of predictions; not {type(answers).__name__}"
            )
        if len(answers) != self.M:
            fitting = (
                f"MultiChainComparison(…, M={len(answers)})" if len(answers) >= LEAST else "give as many"
            )
            raise InputError(f"{len(answers)} attempts were given and M is {self.M}: {fitting}")
        for place, answer in enumerate(answers, 1):
            if not isinstance(answer, Mapping | Example):
                raise InputError(
                    f"attempt {place} must be a prediction or a dict, not {type(answer).__name__}"
                )
            if not any(name in answer for name in self.outputs):
                raise InputError(
                    f"attempt {place} has none of the outputs {', '.join(self.outputs)}; it has {', '.join(answer)}"
                )
        return [Attempt(answer) for answer in answers]

    def _shown(self, attempt: Attempt, *, told: bool) -> str:
        if attempt.error is not None:
            return f"(this attempt failed with {type(attempt.error).__name__} and has no answer)"
        if told and not isinstance(attempt.prediction, Example):
            raise InputError(f"the module must return a Prediction, not {type(attempt.prediction).__name__}")
        return recap_answer(attempt.prediction, self.outputs)

    def _compared(self, attempts: Sequence[Attempt], answer: Prediction) -> Comparison:
        keys = [None if attempt.error else self._key(attempt.prediction) for attempt in attempts]
        counts = Counter(key for key in keys if key is not None)
        final = self._key(answer)
        chosen = keys.index(final) if final in counts else None
        return Comparison(tuple(attempts), tuple(0 if key is None else counts[key] for key in keys), chosen)

    def _key(self, answer: Mapping[str, Any] | Example) -> str | None:
        """What makes two answers one: every output but the reasoning; None where there is none of them."""
        judged = [name for name in self.outputs if name not in REASONING] or self.outputs
        values = [normal_answer(to_plain(answer[name])) if name in answer else None for name in judged]
        return None if all(value is None for value in values) else write_json(values)


def comparing(signature: Signature, count: int) -> Signature:
    """The signature of the comparison: the attempts as further inputs, and the reasoning about them first.

    >>> str(comparing(Signature("question -> answer"), 2))
    'question, reasoning_attempt_1, reasoning_attempt_2 -> rationale, answer'
    """
    if GIVEN in signature.input_fields:
        raise SignatureError(
            f"an input can't be called {GIVEN!r} here: the attempts are handed in by that name"
        )
    for number in range(1, count + 1):
        field = InputField(f"attempt {number} of {count} to answer, which may be wrong")
        signature = signature.append(f"reasoning_attempt_{number}", field)
    if "rationale" in signature.fields:
        return signature
    weighed = "where the attempts differ, which of them is right and why; then the reasoning that holds"
    return signature.prepend("rationale", OutputField(weighed))
