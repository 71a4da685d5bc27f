"""The driver: runs what a search asks for, within the budget, and tells it what came of each rollout.

Everything that may go otherwise another time is here: threads, the store, the clock, Ctrl-C. The search around which
it drives sees outcomes in the order of its rollouts, whatever order they ended in and whether they were run now or by
a process that died last week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from ...errors import ConfigurationError
from ...evaluation.workers import as_completed
from ...text import counted
from .amounts import Unit
from .answers import Answers, AnswerStore
from .execution import Caps, Execution
from .fingerprint import Fingerprints
from .ledger import Ledger
from .progress import Progress
from .records import read_outcome, write_outcome
from .rollouts import SKIPPED, Batch, Compiled, Outcome, Rollout, Search
from .store import MemoryStore, Store


class CompileInterrupted(KeyboardInterrupt):
    """Ctrl-C during a compile; the text says how to go on."""


@dataclass(slots=True)
class Driver:
    """Drives searches. `executed` counts the rollouts that were run here, and were not in the store."""

    execution: Execution
    store: Store
    limits: Mapping[Unit, float]
    workers: int
    progress: Progress
    executed: int = 0
    ledger: Ledger = field(init=False)
    _known: dict[str, Outcome] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)  # keys of what is finished and in the store
    _problems: Counter[str] = field(default_factory=Counter)
    _errors: dict[str, str] = field(default_factory=dict)  # the first of each problem
    _scored: int = 0
    _fingerprints: Fingerprints = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.limits)
        self._fingerprints = Fingerprints(self.execution.metric, self.execution.run)

    def drive(self, search: Search) -> Compiled:
        """Run a search to its end."""
        outcomes: list[Outcome] | None = None
        try:
            with closing(search):
                while True:
                    batch = next(search) if outcomes is None else search.send(outcomes)
                    outcomes = self._told(batch)
        except StopIteration as stop:
            compiled: Compiled = stop.value
        except KeyboardInterrupt:
            raise CompileInterrupted(self._how_to_go_on()) from None
        report = replace(
            compiled.report,
            reason=self._reason(compiled.report.reason),
            errors=dict(sorted(self._errors.items())),
            phases=self.ledger.phases(),
            used=self.ledger.used,
            problems=dict(sorted(self._problems.items())),
            spent_limit=self.ledger.spent_limit or compiled.report.spent_limit,
        )
        return Compiled(compiled.program, report)

    def _told(self, batch: Batch) -> list[Outcome]:
        """What came of each rollout of a batch; a rollout that was asked for before is neither run nor charged again."""
        keys = [self._fingerprints.key(rollout) for rollout in batch.rollouts]
        todo = {key: one for key, one in zip(keys, batch.rollouts, strict=True) if key not in self._known}
        self.ledger.plan(batch.phase, batch.planned)
        self.progress.begin(batch.phase, batch.planned or len(todo), batch.best)
        skipped: dict[str, Outcome] = {}
        while todo:
            caps = self.ledger.admit(list(todo.values()))
            if not caps:
                break
            chunk = dict(list(todo.items())[: len(caps)])
            for key, outcome in zip(chunk, self._done(batch.phase, chunk, caps), strict=True):
                (skipped if outcome.skipped else self._known)[key] = outcome
                del todo[key]
        return [self._known.get(key) or skipped.get(key, SKIPPED) for key in keys]

    def _done(self, phase: str, chunk: Mapping[str, Rollout], caps: Sequence[Caps]) -> list[Outcome]:
        """The outcomes of rollouts that were admitted: those in the store, and the others run."""
        places = {key: place for place, key in enumerate(chunk)}
        done: dict[str, Outcome] = {}
        for key in chunk:
            record = self.store.get(key) or self.store.get(_cut(key, caps[places[key]]))
            if record is not None:
                done[key] = read_outcome(record)
                self._kept.add(key)
        before = self.ledger.used
        for outcome in done.values():
            before += outcome.spent
            self.progress.advance(before)
        missing = [key for key in chunk if key not in done]
        with closing(
            as_completed(lambda key: self._run(key, chunk[key], caps[places[key]]), missing, self.workers)
        ) as work:
            for place, made in work:
                if isinstance(made, Exception):
                    raise made
                done[missing[place]] = made
                before += made.spent
                self.progress.advance(before)
        self._check_reached([done[key] for key in missing])
        for key in chunk:  # in their order, whatever order they ended in
            self.ledger.commit(phase, done[key].spent)
            self._note(done[key])
        return [done[key] for key in chunk]

    def _note(self, outcome: Outcome) -> None:
        self._scored += outcome.score is not None
        if outcome.problem is not None:
            self._problems[outcome.problem] += 1
            self._errors.setdefault(outcome.problem, outcome.error)

    def _reason(self, given: str) -> str:
        """Why the program is as it is; a metric that never gave a score is why before anything else."""
        if self._scored or not self._problems["metric"]:
            return given
        rollouts = counted(self._problems["metric"], "rollout")
        return f"{given}. The metric gave no score in any of {rollouts}: {self._errors['metric']}"

    def _run(self, key: str, rollout: Rollout, caps: Caps) -> Outcome:
        """Run one, and keep what came of it before anybody is told."""
        if self.ledger.out_of_time:
            self.ledger.spent_limit = "seconds"
            return SKIPPED
        outcome = self.execution.execute(rollout, caps, self._answers(key, rollout))
        record = write_outcome(outcome)
        if outcome.problem != "excluded":  # what a network did today is no reason not to try it tomorrow
            self.store.put(_cut(key, caps) if outcome.skipped else key, record)
            self._kept.add(key)
        self.executed += 1
        return read_outcome(record)

    def _answers(self, key: str, rollout: Rollout) -> Answers | None:
        """What models said in this rollout before a process died; a script's run asks none."""
        if rollout.script is not None or not isinstance(self.store, AnswerStore):
            return None
        return Answers(self.store, key)

    def _check_reached(self, outcomes: Sequence[Outcome]) -> None:
        """Raise where no rollout reached its model: going on would learn from nothing."""
        if outcomes and all(outcome.problem == "excluded" for outcome in outcomes):
            raise ConfigurationError(
                f"no rollout reached its model ({outcomes[0].error}). What was finished before is kept in the store: "
                "mend it and run the same again"
            )

    def _how_to_go_on(self) -> str:
        kept = f"interrupted after {counted(len(self._kept), 'rollout')}"
        if isinstance(self.store, MemoryStore):
            return f"{kept}, lost with this process: give compile a store= to be able to go on"
        return f"{kept}, all in the store: give the same again to go on"


def _cut(key: str, caps: Caps) -> str:
    """The key of a run that was stopped at these caps."""
    return key + "".join(f"/{name}={amount:g}" for name, amount in sorted(caps.items()))
