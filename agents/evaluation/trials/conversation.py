"""A task's run on an agent: one call, or a conversation turn by turn with a scripted or a simulated user.

A turn of the user fills one input of the signature (`turn_input`, else the first text); what went before is
the signature's `History`, which a signature without one is given. The other inputs stay the same. The agent
and its world are the same through all turns, and limits hold for all turns together.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from loopwright.tools.world import Change, Environment
from loopwright.tools.world.environment import view_of

from ...adapters.base import SUBMIT
from ...example import Prediction
from ...history import History
from ...models.base import Usage
from ...module import Module
from ...modules.limits import Limits
from ...signature import Field, Signature
from ...trace import Trace
from ...trajectory import Step, TerminationReason, Trajectory
from ..checks.record import TurnMade
from ..checks.world_record import changes_between
from ..file.format import Task
from ..file.programs import limit
from .simulated_user import SimulatedUser

HISTORY_NAMES = ("history", "conversation_so_far")
NO_OUTPUT = ("trajectory", "termination_reason", "error")  # of a prediction: what is no output
ANSWERED = ("", "submit", "forced_submit")  # the endings after which a conversation goes on


@dataclass(frozen=True, slots=True)
class TurnFields:
    """The inputs of a signature that a conversation fills: with what the user says, and with what went before.

    >>> from loopwright import Signature
    >>> TurnFields.of(with_history_input(Signature("customer: int, request -> reply")))
    TurnFields(said='request', history='history')
    """

    said: str
    history: str

    @classmethod
    def of(cls, signature: Signature, named: str | None = None) -> TurnFields | None:
        """The inputs by their types, where there are such; `named` is what the file calls the first."""
        texts = [name for name, field in signature.input_fields.items() if field.type in (str, str | None)]
        histories = [name for name, field in signature.input_fields.items() if field.type in HISTORIES]
        said = named or next(iter(texts), None)
        return cls(said, histories[0]) if said in texts and histories else None


HISTORIES = (History, History | None)


def with_history_input(signature: Signature) -> Signature:
    """The signature with an input for what went before, added as an optional one where there is none."""
    if any(field.type in HISTORIES for field in signature.input_fields.values()):
        return signature
    name = next(name for name in HISTORY_NAMES if name not in signature.fields)
    return signature.append(name, Field(name, "input", History | None, default=None))


@dataclass(slots=True)
class Played:
    """What came of a run: what the program returned, or the error that ended it.

    The prediction's trajectory has the steps of all turns; `users` holds what was asked of models that played
    the user.
    """

    given: object = None
    error: Exception | None = None
    trajectory: Trajectory = field(default_factory=Trajectory)
    turns: list[TurnMade] = field(default_factory=list)
    users: Trace = field(default_factory=Trace)

    @property
    def user_usage(self) -> Usage:
        """What the models took that played the user."""
        return self.users.usage


async def play(
    agent: Module,
    task: Task,
    fields: TurnFields | None,
    *,
    trace: Trace,
    limits: Mapping[str, Any],
    options: Mapping[str, Any],
    world: Environment | None = None,
) -> Played:
    """Run a task: awaited on an event loop, or driven without one. What the program raises is in the result.

    `trace` is the trial's, where the agent's calls are kept; `limits` are those that the file gives the trial;
    `options` go to the simulated user's model; `world` is what the agent's tools work on.
    """
    if task.turns:
        assert fields is not None  # noqa: S101  # the loader refuses turns that the signature can't take
        conversation = _Conversation(agent, task, fields, trace, limits, options, world)
        try:
            await conversation.to_end()
        except Exception as error:  # noqa: BLE001  # what was said until then is kept
            conversation.played.error = error
        return conversation.played
    before = {} if fields is None else {fields.history: History()}
    try:
        given = await agent.acall(**before, **task.input)
    except Exception as error:  # noqa: BLE001  # a trial that raises loses no other
        return Played(error=error)
    trajectory = given.get("trajectory") if isinstance(given, Prediction) else None
    return Played(given, trajectory=trajectory if isinstance(trajectory, Trajectory) else Trajectory())


class _Conversation:
    """A conversation under way."""

    def __init__(
        self,
        agent: Module,
        task: Task,
        fields: TurnFields,
        trace: Trace,
        limits: Mapping[str, Any],
        options: Mapping[str, Any],
        world: Environment | None,
    ) -> None:
        self.agent = agent
        self.task = task
        self.fields = fields
        self.limits = limits
        self.options = options
        self.history = History()
        self.played = Played()
        self.seconds = 0.0  # of the agent: what the user takes to speak is not counted
        self.trace = trace
        self.world = world
        self.left = None if world is None else world.before  # what the turn before left in the world

    async def to_end(self) -> None:
        """Take the turns until the user has said all, or the agent can't answer."""
        async with aclosing(self._said()) as said:
            async for item, text, model in said:
                spent = self._limit_reached()
                if spent is not None:
                    self._end_with(spent)
                    return
                if not await self._turn(item, text, model):
                    return

    async def _said(self) -> AsyncGenerator[tuple[int, str, str], None]:
        """What the user says, turn by turn: the item of the task, the text, the model that said it."""
        for item, turn in enumerate(self.task.turns):
            if turn.user is not None:
                yield item, turn.user, ""
            elif turn.simulate is not None:
                player = SimulatedUser(turn.simulate, self.played.users, self.options)
                for _ in range(turn.simulate.max_turns):
                    said = await player.says(self.played.turns)
                    if said is None:
                        break
                    yield item, said, player.model

    async def _turn(self, item: int, said: str, model: str) -> bool:
        """One turn of the agent; whether the conversation can go on."""
        inputs = {**self.task.input, self.fields.said: said}
        if self.played.turns:
            self._lower_limits()
        started = time.perf_counter()
        before = History(list(self.history.messages))  # the trace keeps it as it is now
        given = await self.agent.acall(**inputs, **{self.fields.history: before})
        self.seconds += time.perf_counter() - started
        self.played.given = given
        if not isinstance(given, Prediction):
            return False
        own = given.get("trajectory")
        steps = own.steps if isinstance(own, Trajectory) else ()
        self._keep(item, said, model, given, steps)
        self.history.messages.append({**inputs, **given.toDict()})
        return self.played.turns[-1].termination in ANSWERED

    def _keep(self, item: int, said: str, model: str, given: Prediction, steps: Sequence[Step]) -> None:
        first = len(self.played.trajectory.steps) + 1
        outputs = {name: value for name, value in given.items() if name not in NO_OUTPUT}
        ended = str(given.get("termination_reason", ""))
        last = first + len(steps) - 1
        self.played.turns.append(TurnMade(item, said, outputs, first, last, ended, model, self._changes()))
        self.played.trajectory = Trajectory((*self.played.trajectory.steps, *steps))
        if "trajectory" in given:
            self.played.given = Prediction(given, trajectory=self.played.trajectory)

    def _changes(self) -> Sequence[Change] | None:
        """What this turn changed in the world; None where there is none, or it can't be read."""
        if self.world is None or self.world.world is None:
            return None
        before = self.left
        try:
            self.left = view_of(self.world.world)
        except Exception:  # noqa: BLE001  # a simulator is somebody's own code, and the run may have broken it
            return None
        return changes_between(before, self.left)

    # Limits, which are the conversation's

    def _limit_reached(self) -> TerminationReason | None:
        """What is used up; without tool calls an agent may still answer."""
        if not self.played.turns:
            return None
        limits = Limits(**{"steps": None, **self.limits, "tool_calls": None})
        steps = len(self.played.trajectory.steps)
        return limits.reached(steps=steps, tool_calls=0, usage=self.trace.usage, seconds=self.seconds)

    def _lower_limits(self) -> None:
        """Leave the agents what the turns before have left of what the file allows."""
        usage = self.trace.usage
        calls = (result.call.name for result in self.played.trajectory.results)
        used: Mapping[str, float] = {
            "steps": len(self.played.trajectory.steps),
            "tool_calls": sum(name not in ("", SUBMIT) for name in calls),
            "tokens": usage.total_tokens,
            "usd": usage.usd or 0.0,
            "seconds": self.seconds,
        }
        limit(self.agent, {name: max(most - used[name], 0) for name, most in self.limits.items()})

    def _end_with(self, reason: TerminationReason) -> None:
        """The user has more to say, and nothing is left to answer with."""
        given = self.played.given
        if isinstance(given, Prediction):
            self.played.given = Prediction(given, termination_reason=reason)
