"""What of a conversation may be checked later: each check in words, whether it is suggested, and its place in a task file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...adapters.base import SUBMIT
from ...errors import ConfigurationError
from ...text import AROUND, one_line, words
from ..options import json_text
from .chat import Chat
from .conversation import Turn
from .forms import plain_args

_FEW = 3  # words of an answer that is one fact
_FACTS = 4  # facts that are taken from a longer one
_WHOLE = 200  # characters of an answer that may be wanted word for word
_RUBRIC = 2_000  # characters of an answer that a model compares with
_SHOWN = 60  # characters of a check's value
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: of which turn, by its place from 0, what it holds, and where that stands below `expect`.

    `key` is of a matcher (contains, number, equals, judge) for an output, else required or forbidden.
    """

    turn: int
    says: str
    key: Literal["contains", "number", "equals", "judge", "required", "forbidden"]
    value: Any
    output: str = ""
    suggested: bool = True


def possible_checks(chat: Chat, turns: Sequence[Turn]) -> list[Check]:
    """Everything that may be checked, those that are suggested first in each turn; none of a turn that was called bad."""
    found: list[Check] = []
    for place, turn in enumerate(turns):
        if turn.end is None or turn.mark == "bad":
            continue
        of_turn = list(_of_calls(chat, place, turn))
        if turn.end.answered:
            several = len(chat.answering.outputs) > 1
            for name in chat.answering.outputs:
                title = name if several else "the answer"
                of_turn += _of_output(chat, place, turn, name, title)
        found += sorted(of_turn, key=lambda one: not one.suggested)
    return found


def chosen_checks(checks: Sequence[Check], numbers: Sequence[int]) -> list[Check]:
    """The checks of these numbers, from 1, or without any those that are suggested; raises `ConfigurationError`."""
    wrong = next((number for number in numbers if not 1 <= number <= len(checks)), None)
    if wrong is not None:
        raise ConfigurationError(f"there is no check {wrong}; there are 1 to {len(checks)}")
    chosen = [one for place, one in enumerate(checks, 1) if place in numbers or not numbers]
    taken = chosen if numbers else [one for one in chosen if one.suggested]
    if not taken:
        left = "; ".join(f"{place} {one.says}" for place, one in enumerate(checks, 1))
        choose = f", or choose with /save-task FILE NUMBER: {left}" if left else ""
        raise ConfigurationError(
            "nothing in this conversation can be checked by itself: its answers hold no facts and it calls no tools "
            f"that matter. /fix TEXT says what the answer should be{choose}"
        )
    return taken


def expected(checks: Iterable[Check]) -> dict[str, Any]:
    """The `expect` of a task file that holds these checks.

    >>> expected([Check(0, "", "contains", "17", "answer"), Check(0, "", "contains", "lost", "answer")])
    {'answer': {'answer': {'contains': ['17', 'lost']}}}
    """
    answer: dict[str, dict[str, Any]] = {}
    calls: dict[str, list[Any]] = {}
    for one in checks:
        if one.key in ("required", "forbidden"):
            calls.setdefault(one.key, []).append(one.value)
        elif one.key == "contains":
            answer.setdefault(one.output, {}).setdefault("contains", []).append(one.value)
        else:
            answer.setdefault(one.output, {})[one.key] = one.value
    return ({"answer": answer} if answer else {}) | ({"calls": calls} if calls else {})


# ---- answers


def _of_output(chat: Chat, place: int, turn: Turn, name: str, title: str) -> Iterator[Check]:
    value = turn.outputs.get(name)
    if value is None:
        return
    if not isinstance(value, str):
        yield Check(place, f"{title} is {one_line(json_text(value), _SHOWN)}", "equals", value, name)
        return
    text = value.strip()
    found = list(_of_text(place, turn, text, name, title))
    yield from found
    held = bool(found)
    whole = Check(place, f"{title} is this, word for word", "equals", text, name, suggested=False)
    same = {"rubric": f"It says the same as this answer: {text[:_RUBRIC]}"}
    judged = Check(place, f"a model judges that {title} says the same", "judge", same, name, suggested=False)
    corrected = turn.said is not None and not held  # what the person wrote must be held to something
    if chat.answering.lm.capabilities.chat:
        if len(text) <= _WHOLE and text:
            yield whole
        yield _suggested(judged, corrected)
    elif text:
        yield _suggested(whole, corrected)


def _suggested(check: Check, suggested: bool) -> Check:
    return Check(check.turn, check.says, check.key, check.value, check.output, suggested)


def _of_text(place: int, turn: Turn, text: str, name: str, title: str) -> Iterator[Check]:
    """What a text states: its number, where it is little else; itself, where it is a few words; else its facts."""
    from ...evaluation.checks.answers import one_number

    few = bool(text) and "\n" not in text and len(text.split()) <= _FEW
    number = one_number(text) if few else None
    if number is not None:
        tol = _rounding(text)
        value = {"value": number, "tol": tol} if tol else number
        more = f", give or take {tol:g}" if tol else ""
        yield Check(place, f"{title} says the number {number:g}{more}", "number", value, name)
        return
    observed = " ".join(result.content for result in turn.results if result.ok)
    for fact in [_bare(text)] if few else facts(text, observed):
        yield Check(place, f'{title} says "{one_line(fact, _SHOWN)}"', "contains", fact, name)


def _bare(text: str) -> str:
    """A few words without what is around them, and without Markdown's marks.

    >>> _bare("Order **17**!"), _bare("`get_order`")
    ('Order 17', 'get_order')
    """
    return re.sub(r"(?<!\w)[*_`]+|[*_`]+(?!\w)", "", text).strip(AROUND) or text


def _rounding(text: str) -> float:
    """Half a unit of the last place of a decimal number: who rounds less says the same.

    >>> _rounding("8.05 km"), _rounding("36")
    (0.005, 0.0)
    """
    found = re.search(r"\d\.(\d+)", text)
    places = len(found[1]) if found else 0
    return float(f"5e-{places + 1}") if places else 0.0


def facts(answer: str, observed: str) -> list[str]:
    """The words of an answer that a check can hold on to: its numbers, and what it took from the tools' results.

    >>> facts("Order **17** is shipped, I am glad to say.", "shipped")
    ['17', 'shipped']
    """
    bare = re.sub(r"[*_`#>|]", " ", answer)
    numbers = [found for found in _NUMBER.findall(bare) if found.strip(",")]
    seen = set(words(observed))
    copied = [word for word in words(bare) if word in seen and len(word) > 2 and not _NUMBER.fullmatch(word)]
    return list(dict.fromkeys([*numbers, *copied]))[:_FACTS]


# ---- calls


def _of_calls(chat: Chat, place: int, turn: Turn) -> Iterator[Check]:
    """The calls that were made, suggested where they did more than compute, and those that the person refused."""
    made = [one for one in turn.results if one.call.name != SUBMIT and one.call.name in chat.answering.tools]
    done = [_spec(one.call.name, plain_args(one.call)) for one in made if one.ok]
    told: list[dict[str, Any]] = []
    for result in made:
        spec = _spec(result.call.name, plain_args(result.call))
        shown = one_line(str(result.call), _SHOWN)
        if spec in told:
            continue
        if result.ok:
            matters = chat.answering.tools[result.call.name].effect != "pure"
            yield Check(place, f"{shown} is called", "required", spec, suggested=matters)
        elif result.error == "denied" and spec not in done:
            yield Check(place, f"{shown} is not called", "forbidden", spec)
        told.append(spec)


def _spec(tool: str, args: dict[str, Any]) -> dict[str, Any]:
    """A call as a task file has it; what could be read as a matcher is written as a value that must be equal."""
    matched = {
        name: {"equals": value} if isinstance(value, dict | list) or value is None else value
        for name, value in args.items()
    }
    return {"tool": tool, "args": matched}
