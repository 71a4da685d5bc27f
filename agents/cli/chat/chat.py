"""A chat: the conversation, what answers in it, and where it is kept. One turn is one run of the agent's events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.tools import Approval, ToolRegistry
from loopwright.tools.approval import Rule
from loopwright.tools.calls import ToolCall

from ... import streaming
from ...adapters.base import SUBMIT
from ...adapters.values import to_plain
from ...ambient import context
from ...errors import ConfigurationError, ContextWindowError, LoopwrightError
from ...models.base import NO_USAGE, Usage
from ...trace import Trace
from ...trajectory import Trajectory
from .conversation import INTERRUPTED, Conversation, Turn
from .doubts import DOUBT, is_doubtful
from .events import DemosEvent, EndEvent, SetupEvent, TurnEvent
from .forms import UsageForm
from .kept import Kept
from .narrator import Narrator
from .setup import Answering, answering, check_price, model_of, written_demos

if TYPE_CHECKING:
    from ...runtime.usage import UsageTracker
    from .task import SavedTask

_COMPACT = "; /compact makes room"


@dataclass
class Chat(Kept):
    """Everything that a line typed into the chat can change."""

    policy: Approval
    find_tools: Callable[[str], ToolRegistry]
    dry_run: bool = False
    bounded: bool = False  # in dollars, so that a model needs a price
    answering: Answering = field(init=False)
    attached: list[str] = field(default_factory=list)
    journaling: bool = True
    trace: Trace = field(default_factory=Trace)
    anew: bool = False
    given_rules: tuple[Rule, ...] = field(init=False)
    saved_tasks: dict[Path, SavedTask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.given_rules = self.policy.rules

    # ---- sessions

    def begin(self, setup: SetupEvent) -> None:
        """A new session with this setup; raises where nothing can answer with it."""
        made = self._made(setup, None)
        self._begin("" if self.store is None else self.store.begin(), Conversation())
        self.answering = made
        self.tell(setup)
        if made.predictor.demos:
            self.learn(written_demos(made.predictor.demos))

    def resume(self, name: str, change: Callable[[SetupEvent], SetupEvent] | None = None) -> None:
        """Go on with a session; a turn that a crash cut off is kept as far as it came."""
        if self.store is None:
            raise ConfigurationError("no sessions are kept here")
        found = self.store.found(name)
        numbered = list(self.store.events(found))
        conversation = Conversation.of(event for _, event in numbered)
        if conversation.setup is None:
            raise ConfigurationError(f"session {found} has no setup: it was cut off before it began")
        setup = conversation.setup if change is None else change(conversation.setup)
        learned = conversation.demos if setup.program == conversation.setup.program else None
        made = self._made(setup, learned)
        self.store.hold(found)
        self._begin(found, conversation, numbered[-1][0] + 1)
        self.answering = made
        if setup != conversation.setup:
            self.tell(setup)
        if learned is None:
            self.learn(written_demos(made.predictor.demos))
        broken = next((turn for turn in self.conversation.turns if turn.end is None), None)
        if broken is not None:
            self._cut_off(broken, "the chat was ended from outside", quiet=True)
            self.say_notice("the last turn was cut off: it is kept as far as it came; /retry goes on with it")

    def _begin(self, session: str, conversation: Conversation, number: int = 1) -> None:
        self.open_session(session, conversation, number)
        self.attached = []
        self.saved_tasks = {}
        self.trace = Trace()

    # ---- what answers

    def change(self, **changes: Any) -> None:
        """Change the setup; raises, and changes nothing, where nothing can answer with it."""
        assert self.conversation.setup is not None  # noqa: S101  # begin or resume came before
        setup = self.conversation.setup.model_copy(update=changes)
        self.answering = self._made(setup, self.conversation.demos)
        self.tell(setup)

    def learn(self, demos: Sequence[dict[str, Any]], cost: Usage = NO_USAGE) -> None:
        """Have these demonstrations from here on; `cost` is what finding them took."""
        assert self.conversation.setup is not None  # noqa: S101  # begin or resume came before
        self.answering = answering(self.conversation.setup, demos, self.answering.tools, self.answering.lm)
        self.tell(DemosEvent(demos=list(demos), usage=UsageForm.of(cost)))

    def _made(self, setup: SetupEvent, demos: Sequence[dict[str, Any]] | None) -> Answering:
        if self.bounded:
            check_price(setup.model)
        before = self.conversation.setup if hasattr(self, "answering") else None
        tools = (
            self.answering.tools
            if before is not None and before.tools == setup.tools
            else self.find_tools(setup.tools)
        )
        same = before is not None and (before.model, before.api_base, before.options) == (
            setup.model,
            setup.api_base,
            setup.options,
        )
        lm = self.answering.lm if same else model_of(setup)
        return answering(setup, demos, tools, lm)

    # ---- turns

    async def say(self, message: str, typed: str = "", *, journal: str = "") -> Turn:
        """Say something and have it answered. Cancelling it keeps what came, with every open call answered.

        Whatever goes wrong is told and kept in the turn; nothing but a second cancellation is raised.
        """
        number = self.conversation.last + 1
        name = journal or (f"{self.record.session}.{number}" if self.record.session else "")
        begun = TurnEvent(turn=number, message=message, typed=typed or message, journal=name)
        self.tell(begun)
        from ...runtime.usage import UsageTracker

        self.trace, tracker, started = Trace(), UsageTracker(), time.perf_counter()

        def ended(outputs: dict[str, Any], reason: str, error: str = "") -> None:
            if not self.is_open(number):
                return  # nobody waits for it any more
            usage = UsageForm.of(tracker.total)
            seconds = round(time.perf_counter() - started, 3)
            self.tell(
                EndEvent(
                    turn=number, outputs=outputs, reason=reason, error=error, usage=usage, seconds=seconds
                )
            )

        try:
            prediction = await self._run_recorded(begun.message, number, name, tracker)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            self._keep_stopped_step(number)
            ended(self._partial(number), "cancelled")
        except LoopwrightError as error:
            self._keep_stopped_step(number)
            more = _COMPACT if isinstance(error, ContextWindowError) else ""
            ended({}, "failed", f"{error}{more}")
        except Exception as error:  # noqa: BLE001  # whatever a tool's or a provider's code raises, the session lives
            self._keep_stopped_step(number)
            ended({}, "failed", f"{type(error).__name__}: {error}")
        else:
            outputs = {name: to_plain(prediction.get(name)) for name in self._output_names(prediction)}
            given = prediction.get("termination_reason", "answered")
            error_text = str(prediction.get("error", "")) + (_COMPACT if given == "context" else "")
            ended({name: value for name, value in outputs.items() if value is not None}, given, error_text)
        turn = self.conversation.turn(number)
        assert turn is not None  # noqa: S101  # it was told above
        if self.answering.lm.model == "embedded" and is_doubtful(turn):
            self.say_notice(DOUBT)
        return turn

    def abandon(self) -> None:
        """End a turn that did not end by itself when it was cancelled."""
        for turn in self.conversation.turns:
            if turn.end is None:
                self._cut_off(turn, "it did not stop", quiet=False)

    def _output_names(self, prediction: Any) -> list[str]:
        shown = (
            ["reasoning"] if "reasoning" in prediction and "reasoning" not in self.answering.outputs else []
        )
        return [*shown, *self.answering.outputs]

    async def _run_recorded(self, message: str, number: int, name: str, tracker: UsageTracker) -> Any:
        """Run under a journal; where that can't be written any more, and nothing was done yet, again without one."""
        try:
            return await self._run(message, number, name, tracker)
        except ConfigurationError as error:
            if not self.journaling or self.store is None or str(self.store.journal) not in str(error):
                raise
            self.journaling = False
            self.say_notice(f"turns are not recorded from here on: {error}", error=True)
            turn = self.conversation.turn(number)
            if turn is None or turn.steps or turn.called:
                raise
            return await self._run(message, number, name, tracker)

    async def _run(self, message: str, number: int, name: str, tracker: UsageTracker) -> Any:
        here = self.answering
        inputs: dict[str, Any] = {here.question: message}
        if here.remembers:
            before = [turn for turn in self.conversation.turns if turn.number != number]
            told = Conversation(turns=tuple(before), summary=self.conversation.summary)
            inputs["history"] = told.history(here.question, here.outputs)
        here.live.predictors()[0].options["rollout_id"] = number if self.anew else None
        narrator = Narrator(number, converses=here.converses)
        with (
            context(
                lm=here.lm,
                adapter=here.adapter,
                approval=self.policy,
                dry_run=self.dry_run,
                trace=self.trace,
                callbacks=[tracker],
            ),
            self._journal(name, message),
        ):
            async with aclosing(here.live.astream(**inputs)) as events:
                async for event in events:
                    if isinstance(event, streaming.EndEvent):
                        return event.prediction
                    said = narrator.told(event)
                    if said is not None and self.is_open(number):
                        self.tell(said)
        raise AssertionError("a stream ends with its end")

    def _journal(self, name: str, title: str) -> AbstractContextManager[object]:
        """Where the turn's effects are recorded, so that one which a crash cut off can go on."""
        if self.store is None or not name or not self.journaling:
            return nullcontext()
        from ...runtime import Journal

        try:
            return Journal(self.store.journal, name, title=title[:200])
        except ConfigurationError as error:
            self.journaling = False
            self.say_notice(f"turns are not recorded from here on: {error}", error=True)
            return nullcontext()

    # ---- what is left of a turn that was stopped

    def _keep_stopped_step(self, number: int) -> None:
        """Tell of the step that was under way, every call of it answered; of none where none was."""
        turn = self.conversation.turn(number) if self.is_open(number) else None
        step = None if turn is None else turn.cut_off(self._asked_for(len(turn.steps)))
        if step is not None:
            self.tell(step)

    def _asked_for(self, steps: int) -> list[ToolCall]:
        """All calls of the step that was stopped, as the model asked for them, those not made yet included."""
        if not self.trace.calls:
            return []
        trajectory = self.trace.calls[-1].prediction.get("trajectory")
        if not isinstance(trajectory, Trajectory) or len(trajectory.steps) <= steps:
            return []
        return [call for call in trajectory.steps[-1].calls if call.name != SUBMIT]

    def _partial(self, number: int) -> dict[str, Any]:
        turn = self.conversation.turn(number)
        text = "" if turn is None else turn.text.strip()
        return {self.answering.outputs[0]: f"{text}\n\n{INTERRUPTED}" if text else INTERRUPTED}

    def _cut_off(self, turn: Turn, why: str, *, quiet: bool) -> None:
        add = self.keep if quiet else self.tell
        step = turn.cut_off()
        if step is not None:
            add(step)
        add(EndEvent(turn=turn.number, outputs=self._partial(turn.number), reason="cancelled", error=why))

    # ---- taking back

    async def retry(self) -> Turn | None:
        """Say the last message again: anew, or, where a crash cut the turn off, going on from what it had done."""
        last = self.undo()
        if last is None:
            return None
        crashed = last.end is not None and last.end.reason == "cancelled" and bool(last.end.error)
        if crashed:
            return await self.say(last.message, last.typed, journal=last.journal)
        self.anew = True
        try:
            return await self.say(last.message, last.typed)
        finally:
            self.anew = False
