"""BootstrapTrajectories: demonstrations of an agent, learned from its own runs.

An agent learns by whole trajectories. From one success nothing follows, so runs are gated, cut down to what matters,
and chosen by what they do on held-out tasks; and the result is measured once more on tasks that nothing was chosen by.
The idea of bootstrapping is that of Khattab et al., "DSPy" (ICLR 2024); the bank of own successes that of Sarukkai et
al., "Self-Generated In-Context Examples" (2025, arXiv 2505.00234); that what is chosen is biased, see Cawley and
Talbot, JMLR 2010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...errors import ConfigurationError
from ...evaluation.metrics import Metric
from ...example import Example
from ...modules.agent import Agent
from ...text import counted
from ..base import Optimizer, Setting
from ..conclusion import Parts, concluded, parts_of
from ..driving.asking import Asker, Asks
from ..driving.rollouts import Batch, Compiled, Search
from ..racing import PERFECT, UNSCORED, Arm, Board, Verdict, confirm, repeats_of, rung_order, unchanged
from ..report import Decision
from ..splits import distinct as distinct_rows
from ..splits import task_of
from .collect import Collection, Source, sources
from .gate import Gate, guessable
from .rewrite import Rewriting, Sibling, mended, unused
from .runs import Act, Collected, Shown, agents_in, shown_in, tools_of, with_demos
from .select import Chosen, Selection
from .shortlist import by_coverage, distinct

CONFIRM = 0.5  # of a valset: selection needs few tasks at a time, and what is reported should be precise
RESERVE = 0.25  # of the budget, kept for the confirmation
CHOOSING = 0.25  # of the budget, kept for selecting while runs are collected
ROUND = 1_000  # rollout ids of one round
FINALISTS = 2
AGAIN = 2  # times the attempts of the first round for each of the few tasks that a later round has left


@dataclass(slots=True)
class _Search:
    """What a search has come to know, handed from stage to stage."""

    setting: Setting
    parts: Parts
    agents: Mapping[str, Agent]
    collection: Collection
    selection: Selection
    best: Chosen = frozenset()
    seen: set[int] = field(default_factory=set)
    taught: set[str] = field(default_factory=set)
    notes: dict[str, Any] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def board(self) -> Board:
        """What was measured."""
        return self.selection.board


class BootstrapTrajectories(Optimizer):
    """Gives an agent demonstrations: whole trajectories from its own runs, or a teacher's.

    The train tasks are attempted, up to `attempts` times each; successes that rest on what was read, and on neither
    luck nor a leak, are cut down to the steps that matter and run again; of those that show most, up to `max_demos`
    of together at most `max_tokens` are chosen on held-out tasks, adding one at a time out of `width`. With the
    agent that has learned so far this is done again for what is still unsolved, `rounds` times in all. The student
    comes back as it was unless the result is better on tasks that nothing was chosen by.

    >>> from loopwright import Example, ReAct, context
    >>> from loopwright.evaluation.metrics import exact_match
    >>> from loopwright.models import Capabilities, FunctionLM
    >>> from loopwright.tools import ToolCall
    >>> def price_of(item: str) -> int:
    ...     "The price of an item."
    ...     return len(item)
    >>> def answer(request):  # this model looks nothing up until it is shown how
    ...     last, shown = request.messages[-1], len(request.messages) > 4
    ...     if last.role == "tool":
    ...         return ToolCall("submit", {"price": int(last.content)})
    ...     lucky = request.temperature is not None and last.content.endswith("p")
    ...     return ToolCall("price_of", {"item": last.content[6:]}) if shown or lucky else ToolCall("submit", {"price": 0})
    >>> tasks = [Example(item=item, price=len(item)).with_inputs("item") for item in
    ...          ["lamp", "lip", "ship", "bed", "chair", "sofa", "cup", "plate", "clip", "rug", "map", "door", "tulip", "desk"]]
    >>> lm = FunctionLM(answer, capabilities=Capabilities(native_tools=True))
    >>> with context(lm=lm):
    ...     agent = BootstrapTrajectories(exact_match).compile(ReAct("item -> price: int", [price_of]), trainset=tasks)
    ...     agent(item="teapot").price, agent.compile_report.improved
    (6, True)
    """

    def __init__(
        self,
        metric: Metric | None = None,
        metric_threshold: float | None = None,
        *,
        max_demos: int = 6,
        max_tokens: int = 8_000,
        attempts: int = 6,
        rounds: int = 2,
        width: int = 4,
        seed: int = 0,
    ) -> None:
        for name, value in {
            "max_demos": max_demos,
            "max_tokens": max_tokens,
            "width": width,
            "rounds": rounds,
        }.items():
            if value < 1:
                raise ConfigurationError(f"{name} must be at least 1, not {value!r}")
        if attempts < 1:
            raise ConfigurationError(f"attempts must be at least 1, not {attempts!r}")
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.max_demos = max_demos
        self.max_tokens = max_tokens
        self.attempts = attempts
        self.rounds = rounds
        self.width = width
        self.seed = seed

    # What a subclass may do in another way

    def parts(self, setting: Setting) -> Parts:
        """The examples to learn from, to select by and to confirm on."""
        return parts_of(setting.train, setting.val, self.seed, CONFIRM)

    def tasks(self, train: Sequence[Example]) -> list[Example]:
        """The train tasks that are attempted: none twice."""
        return distinct_rows(train)

    def loose(self, shown: Shown, acts: Sequence[Act], agent: Agent) -> list[int]:
        """The places of the calls that a demonstration may do without, where a replay agrees."""
        return unused(shown, acts, tools_of(agent))

    def shortlist(self, bank: Sequence[Shown]) -> list[Shown]:
        """The demonstrations to choose from, in the order in which they are shown."""
        return by_coverage(distinct(bank))

    def ranked(self, bank: Sequence[Shown], shown: Sequence[Shown]) -> Sequence[Shown]:
        """Those of the bank that add most to what is shown already, in the order in which they are tried."""
        return by_coverage(bank, shown, 2 * self.width)

    # The stages

    def search(self, setting: Setting) -> Search:
        """Collect, gate, rewrite, shortlist, select, in rounds; then confirm."""
        state = self._frozen(setting)
        baseline, board = state.selection.baseline, state.board
        yield from self._plan(state)
        yield from board.measure("baseline", [baseline], state.selection.tasks)
        if board.is_perfect(baseline):
            return self._unchanged(state, PERFECT)
        if board.score(baseline) is None and not board.asker.exhausted:
            return self._unchanged(state, UNSCORED)
        self._tell(state)
        bank: list[Shown] = []
        for number in range(self.rounds):
            fresh = yield from self._round(state, number)
            if not state.collection.solved:
                return self._unchanged(state, self._none_passed(state.collection))
            bank += fresh
            if not bank or (number and not fresh):
                break
            yield from self._select(state, bank, last=number == self.rounds - 1)
            self._tell(state)
        if not bank:
            reason = "no run that passed may be a demonstration: see the decisions"
            return self._unchanged(state, reason)
        return (yield from self._confirmed(state))

    def _none_passed(self, collection: Collection) -> str:
        runs = [run.outcome for found in collection.runs.values() for run in found]
        if not runs:
            return "the budget left no room for an attempt; give it more"
        reason = f"none of {len(runs)} attempts at {counted(len(collection.runs), 'task')} passed"
        values = [run.value for run in runs if run.value is not None]
        if self.metric_threshold is None and any(value not in (0, 1) for value in values):
            reason += (
                f" (the best score is {max(values):.4g}; one passes from 1 on, or from metric_threshold= on)"
            )
        return reason

    def _frozen(self, setting: Setting) -> _Search:
        """Stage 0: the parts, the arm to beat, and who is taught."""
        agents = agents_in(setting.student)
        parts = self.parts(setting)
        asker = Asker(setting.budget, RESERVE)
        selection = Selection(
            Board(asker),
            Arm("baseline", setting.student, "the student as it was"),
            rung_order(parts.val, self.seed),
            self.max_demos,
            self.max_tokens,
            self.width,
            self.ranked,
        )
        notes: dict[str, Any] = {
            "tasks": {"train": len(parts.train), "val": len(parts.val), "confirm": len(parts.confirm)}
        }
        if parts.note:
            notes["split"] = parts.note
        return _Search(setting, parts, agents, Collection(asker, list(agents)), selection, notes=notes)

    def _tell(self, state: _Search) -> None:
        """What the progress shows of the best so far."""
        means = [state.board.mean(arm) for arm in (state.selection.baseline, state.selection.arm(state.best))]
        state.board.asker.best = f"best {means[1]:.0%}, baseline {means[0]:.0%}"

    def _plan(self, state: _Search) -> Asks[None]:
        """Say beforehand what each phase may come to, in rollouts; the budget bounds all of it."""
        tasks, most = len(state.selection.tasks), state.setting.budget.get("rollouts", float("inf"))
        planned = {
            "baseline": tasks,
            "collect": len(self.tasks(state.parts.train)) * self.attempts,
            "select": state.selection.expected(self.rounds),
            "confirm": repeats_of(len(state.parts.confirm)) * len(state.parts.confirm) * (FINALISTS + 1),
        }
        expected = {phase: int(min(rollouts, most)) for phase, rollouts in planned.items()}
        state.board.asker.expected.update(expected)
        for phase, rollouts in expected.items():
            yield Batch(phase, (), rollouts)

    def _round(self, state: _Search, number: int) -> Asks[list[Shown]]:
        """Stages 1 to 3: attempts at what is unsolved, and the demonstrations that come of them."""
        tasks = self.tasks(state.parts.train)
        if number:
            tasks = [task for task in tasks if task_of(task) not in state.taught]
        with state.board.asker.keeping(CHOOSING):
            yield from state.collection.waves(tasks, self._sources(state, number), number * ROUND)
        if not number:
            state.notes["headroom"] = _headroom(state.collection)
        runs = [run for name in map(task_of, tasks) for run in state.collection.runs.get(name, ())]
        fresh = [run for run in runs if run.outcome.passed and id(run) not in state.seen]
        state.seen.update(map(id, fresh))
        kept = yield from self._rewritten(state, fresh)
        state.taught |= {shown.task for shown in kept}
        return kept

    def _sources(self, state: _Search, number: int) -> list[Source]:
        setting = state.setting
        if not number:
            return sources(setting.student, setting.teacher, self.attempts)
        shown = [state.selection.bank[place] for place in sorted(state.best)]
        learned = Source(f"round {number + 1}", state.selection.arm(state.best).program, 1.0)
        turns = AGAIN * self.attempts
        if not setting.has_teacher:
            return [learned] * turns
        taught = Source(f"teacher, round {number + 1}", with_demos(setting.teacher, shown), 1.0)
        return [(learned, taught)[turn % 2] for turn in range(turns)]

    def _rewritten(self, state: _Search, runs: Sequence[Collected]) -> Asks[list[Shown]]:
        outputs = [name for agent in state.agents.values() for name in agent.signature.output_fields]
        gate = Gate(state.agents, guessable(state.parts.train, outputs), state.collection.passed)
        successes: list[tuple[Example, Shown]] = []
        for run in runs:
            for shown in shown_in(run, state.agents):
                refusal = gate.refusal(mended(shown), run.example)
                if refusal:
                    state.decisions.append(
                        Decision("gate", f"task {run.task} ({run.source})", "refused", refusal)
                    )
                else:
                    successes.append((run.example, shown))
        several = len(state.setting.student.predictors()) > 1
        kept: list[Shown] = []
        for path, agent in state.agents.items():
            for inside in (False, True):
                own = [pair for pair in successes if pair[1].path == path]
                some = [pair for pair in own if inside is (several or pair[1].opens)]
                program = agent if inside else state.setting.student
                rewriting = Rewriting(program, partial(self._loose, agent), inside)
                siblings = yield from rewriting.siblings(some)
                kept += [after for one in siblings if (after := self._after(state, one, gate, inside=inside))]
        return kept

    def _loose(self, agent: Agent, shown: Shown, acts: Sequence[Act]) -> list[int]:
        return self.loose(shown, acts, agent)

    def _after(self, state: _Search, one: Sibling, gate: Gate, *, inside: bool) -> Shown | None:
        """What a success is shown as; None where it may not be shown."""
        subject = f"task {one.before.task} ({one.before.source})"
        after = one.after
        if after is None and inside and not state.setting.plain:
            # what is around the agent in a run of its program is not there when it is run by itself
            state.decisions.append(
                Decision("rewrite", subject, "left as it was", "it can't be run by itself")
            )
            return mended(one.before)
        refusal = (
            "it did not pass when it was run again" if after is None else gate.refusal(after, one.example)
        )
        if after is None or refusal:
            state.decisions.append(Decision("rewrite", subject, "refused", refusal))
            return None
        if after.changes:
            state.decisions.append(Decision("rewrite", subject, "rewritten", "; ".join(after.changes)))
        return after

    def _select(self, state: _Search, bank: Sequence[Shown], *, last: bool) -> Asks[None]:
        """Stages 4 and 5. A later round goes on from what the earlier ones chose."""
        selection = state.selection
        listed = self.shortlist(bank)
        for one in bank:
            told = Decision(
                "shortlist", f"task {one.task} ({one.source})", "left out", "another shows the same in less"
            )
            if told not in state.decisions and all(one is not other for other in listed):
                state.decisions.append(told)
        # what was in the bank keeps its place: names and sets of earlier rounds stay true
        selection.bank += [one for one in listed if all(one is not other for other in selection.bank)]
        state.best = yield from selection.forward(state.best)
        if last and state.best:
            state.best = yield from selection.swapped(state.best)

    def _confirmed(self, state: _Search) -> Asks[Compiled]:
        """Stages 6 and 8."""
        board, selection = state.board, state.selection
        chosen = selection.arm(state.best)
        others = [arm for arm in selection.measured if arm is not chosen]
        others.sort(key=lambda arm: -board.mean(arm))
        finalists = [arm for arm in (chosen, *others) if arm is not selection.baseline][:FINALISTS]
        if not finalists:
            return self._unchanged(state, _nothing_chosen(selection))
        verdict = yield from confirm(board, selection.baseline, finalists, state.parts.confirm)
        arms = {arm.name: arm for arm in (*selection.measured, *finalists)}
        return self._concluded(state, list(arms.values()), verdict)

    def _unchanged(self, state: _Search, reason: str) -> Compiled:
        return self._concluded(state, [], unchanged(state.selection.baseline, reason))

    def _concluded(self, state: _Search, arms: Sequence[Arm], verdict: Verdict) -> Compiled:
        bank = [
            {
                "number": f"#{place + 1}",
                "task": one.task,
                "source": one.source,
                "tokens": one.tokens,
                "changes": list(one.changes),
                "replayed": one.replayed,
                "steps": str(one.trajectory).splitlines(),
            }
            for place, one in enumerate(state.selection.bank)
        ]
        decisions = [*state.decisions, *state.selection.decisions]
        notes = {**state.notes, "bank": bank}
        name, board = type(self).__name__, state.board
        baseline = state.selection.baseline
        return concluded(name, self.seed, board, baseline, arms, verdict, decisions, notes, parts=state.parts)


def _nothing_chosen(selection: Selection) -> str:
    """Why no demonstration was chosen: none helped, or there was no room to try one."""
    if selection.tried or not selection.board.asker.exhausted:
        return "no demonstration made it better on the tasks that it was selected by"
    found = counted(len(selection.bank), "demonstration")
    unit = selection.board.asker.spent_limit or "time"
    return f"{found} found, and none could be tried: finding took what the budget has for it in {unit}; give it more"


def _headroom(collection: Collection) -> dict[str, float]:
    """How much the student can do at its first attempt, and how much somebody could at any."""
    tried = max(1, len(collection.runs))
    first = sum(runs[0].outcome.passed for runs in collection.runs.values())
    return {"pass@1": first / tried, "pass@any": len(collection.solved) / tried}
