"""The end of a search: the program that is returned, and its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..evaluation.tasks import TASK_ID
from ..example import Example
from ..module import Module
from ..state import State, dump_state
from ..text import counted
from .components import components, text_of
from .driving.rollouts import Compiled
from .estimates import FEW, WISHED, Difference, signed
from .racing import Arm, Board, Verdict
from .report import Candidate, Decision, Report
from .splits import GROUP, apart_from, grouped, split

ENOUGH = 10  # groups from which on some are kept for the confirmation
HELD_OUT = "the valset (the split dev)"


@dataclass(frozen=True, slots=True)
class Parts:
    """The examples, by what they are used for. `note` says where there were too few to keep them apart.

    To confirm on there is the part `share` of `pool`.
    """

    train: list[Example]
    val: list[Example]
    confirm: list[Example]
    note: str = ""
    share: float = 1.0
    pool: str = "all"


def parts_of(
    train: Sequence[Example], val: Sequence[Example] | None, seed: int, confirm: float = 0.4
) -> Parts:
    """Examples to learn from, to select by and to confirm on; what is of one group is in one part.

    A valset is shared by selection and confirmation, which gets the part `confirm` of it, and what is of its groups
    is not learned from. Without one, or where nothing would be left to learn from, the trainset is split in three.
    """
    given = list(val or ())
    if given and not apart_from(train, given):
        given = []  # the two are the same examples
    if given:
        learned = apart_from(train, given)
        if len(grouped(given)) < ENOUGH:
            return Parts(
                learned,
                given,
                [],
                f"the valset has less than {ENOUGH} groups: nothing is confirmed",
                confirm,
                HELD_OUT,
            )
        shares = split(given, {"val": 1 - confirm, "confirm": confirm}, seed)
        return Parts(learned, shares["val"], shares["confirm"], "", confirm, HELD_OUT)
    if len(grouped(train)) >= ENOUGH:
        shares = split(train, {"train": 0.5, "val": 0.3, "confirm": 0.2}, seed)
        return Parts(shares["train"], shares["val"], shares["confirm"], "", 0.2)
    if len(grouped(train)) >= 4:
        shares = split(train, {"train": 0.5, "val": 0.5}, seed)
        note = f"there are less than {ENOUGH} groups: nothing is confirmed"
        return Parts(shares["train"], shares["val"], [], note, 0.2)
    note = "there are less than 4 groups: selected on what was learned from"
    return Parts(list(train), list(train), [], note, 0.2)


def parts_to_confirm(train: Sequence[Example], val: Sequence[Example] | None, seed: int) -> Parts:
    """The same for a search that selects nothing: examples to learn from, and to confirm on."""
    given = list(val or ())
    if given and apart_from(train, given):
        return Parts(apart_from(train, given), [], given, "", 1.0, HELD_OUT)
    if len(grouped(train)) >= ENOUGH:
        shares = split(train, {"train": 0.6, "confirm": 0.4}, seed)
        return Parts(shares["train"], [], shares["confirm"], "", 0.4)
    note = f"there are less than {ENOUGH} groups and no valset: nothing is confirmed"
    return Parts(list(train), [], [], note, 0.4)


def weakness(parts: Parts, gain: Difference | None, *, confirmed: bool) -> str:
    """What is weak about a confirmation, and how many tasks would mend it; "" where nothing is.

    >>> weakness(Parts([], [], [], share=0.5), Difference(0.25, 0.16, 8), confirmed=True)[:77]
    'the confirmation is weak: on 8 tasks the gain may be anything from -12.7% to '
    """
    wanted = WISHED if gain is None else gain.needed
    mended = (
        f"about {wanted} tasks to confirm on, which takes {math.ceil(wanted / parts.share)} in {parts.pool}"
    )
    if not confirmed:
        return "" if parts.confirm else f"nothing was confirmed, for want of tasks: give it {mended}"
    if gain is None or gain.mean <= 0 or (gain.low > 0 and gain.n >= FEW):
        return ""
    spread = f"on {counted(gain.n, 'task')} the gain may be anything"
    if math.isfinite(gain.error):
        spread += f" from {signed(gain.low, rate=gain.rate)} to {signed(gain.high, rate=gain.rate)} (95 %)"
    return f"the confirmation is weak: {spread}. A gain of this size is clear on {mended}"


def unmeasured(optimizer: str, seed: int, arm: Arm, parts: Parts, why: str = "", **more: Any) -> Compiled:
    """A program whose worth was not measured, and a report that says so."""
    weak = weakness(parts, None, confirmed=False) if not why else ""
    report = Report(
        optimizer,
        seed=seed,
        improved=True,
        reason=f"{arm.note}; {why or parts.note}",
        demos=shown_demos(arm.program),
        warnings=(weak,) if weak else (),
        **more,
    )
    return Compiled(arm.program, report)


def concluded(
    optimizer: str,
    seed: int,
    board: Board,
    baseline: Arm,
    arms: Sequence[Arm],
    verdict: Verdict,
    decisions: Sequence[Decision] = (),
    notes: Mapping[str, Any] | None = None,
    *,
    parts: Parts,
) -> Compiled:
    """What a search returns; `selected` is the best arm by what it was selected by, whatever the verdict says."""
    best = max(arms, key=board.mean, default=baseline)
    weak = weakness(parts, verdict.gain, confirmed=verdict.confirmed is not None) if verdict.gain else ""
    report = Report(
        optimizer,
        seed=seed,
        improved=verdict.chosen is not baseline,
        reason=verdict.reason,
        baseline=board.score(baseline),
        selected=board.score(best),
        confirmed=verdict.confirmed,
        confirmed_baseline=verdict.baseline,
        candidates=tuple(_candidate(board, arm, baseline.program) for arm in (baseline, *arms)),
        decisions=(*decisions, *verdict.decisions),
        demos=shown_demos(verdict.chosen.program),
        notes={"learned": learned(verdict.chosen.program, baseline.program), **(notes or {})},
        warnings=(weak,) if weak else (),
        spent_limit=board.asker.spent_limit,
    )
    return Compiled(verdict.chosen.program, report)


def shown_demos(program: Module) -> tuple[Mapping[str, Any], ...]:
    """The demonstrations in a program, each with its predictor's path, as a saved program has them."""
    return tuple(
        {"path": path, **demo}
        for path, state in program.states().items()
        for demo in dump_state(State("", "", state.demos))["demos"]
    )


def learned(program: Module, student: Module) -> dict[str, str]:
    """The texts of a program that are others than the student's, by component."""
    changed = {str(c): text_of(program, c) for c in components(program)}
    return {name: text for name, text in changed.items() if text != _texts(student).get(name)}


def _texts(program: Module) -> dict[str, str]:
    return {str(component): text_of(program, component) for component in components(program)}


def _candidate(board: Board, arm: Arm, student: Module) -> Candidate:
    demos = [
        str(demo.get(TASK_ID) or demo.get(GROUP) or "")
        for state in arm.program.states().values()
        for demo in state.demos
    ]
    texts = "\n".join(f"{name}: {text}" for name, text in learned(arm.program, student).items())
    return Candidate(arm.name, board.score(arm), tuple(demos), texts, arm.note)
