"""What all families share: drawing a question's slots, reading a figure out of a result, submitting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from loopwright.tools.calls import ToolCall

from ..phrasing import choose_pattern, dress, expand
from ..programs import bare, conversion, in_python, shown_value, value_of
from ..scene import Scene
from ..simulation import plain
from ..toolbox import make_calculator, make_converter, number_or_text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the value that its `submit` must hold; `inputs` are further inputs, above the question."""

    question: str
    answer: str
    inputs: tuple[tuple[str, str], ...] = ()


def word(scene: Scene, patterns: Sequence[str], slots: Mapping[str, str], names: Sequence[str] = ()) -> str:
    """One wording of a question; `names` stay as they are."""
    pattern = choose_pattern(scene.rng, patterns, scene.settings.wording)
    return dress(scene.rng, expand(scene.rng, pattern, slots), names)


def calculate(scene: Scene, expression: str) -> str:
    """Call the scene's calculator and read its figure; in a scene of programs, the expression."""
    if scene.programs:
        return in_python(expression)
    if scene.rng.random() < 0.3 * scene.mistakes:
        wrong = scene.rng.choice((f"{expression} = ?", f"{expression})", f"x = {expression}", "the result"))
        scene.mistake(scene.tool("calculate", make_calculator), {"expression": wrong})
    return figure(scene.use(scene.tool("calculate", make_calculator), {"expression": expression}))


def convert(scene: Scene, value: str, source: str, target: str) -> str:
    """Call the scene's converter and read its figure; in a scene of programs, the expression."""
    if scene.programs:
        return conversion(value, source, target)
    args = {"value": number_or_text(value), "from_unit": source, "to_unit": target}
    return figure(scene.use(scene.tool("convert", make_converter), args))


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def figure(observation: str) -> str:
    """The decimal figure of a result: after `≈` where there is one."""
    found = _NUMBER.search(observation.rsplit("≈", 1)[-1])
    if found is None:
        raise ValueError(f"no figure in {observation!r}")
    return found.group()


def rounded(value: str, places: int) -> str:
    """The figure with at most so many decimals, halves up.

    >>> rounded("3.335", 2), rounded("3.301", 2)
    ('3.34', '3.3')
    """
    return plain(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def with_rounding(scene: Scene, question: str, value: str) -> Asked:
    """Ask for a rounded answer now and then, where the value has more decimals."""
    exact = shown_value(value_of(value)) if scene.programs else value
    decimals = len(exact.partition(".")[2])
    places = scene.rng.choice((2, 2, 2, 1, 0))
    if scene.plain or decimals <= places or scene.rng.random() < 0.65:
        return Asked(question, value)
    if scene.programs:
        value = f"round({bare(value)},{places})" if places else f"round({bare(value)})"
        result = rounded(exact, places) if "e" not in exact else ""
        answer = value if shown_value(value_of(value)) == result else ""
    else:
        answer = rounded(value, places)
    words = {
        2: "[rounded to|round to|to|with] [two|2] [decimals|decimal places]",
        1: "[rounded to|round to|to|with] one decimal",
        0: "[rounded to|round to|to] the nearest whole number",
    }
    pattern = scene.rng.choice(("{q} ({w})", "{q}, {w}", "{q}; {w}", "{q} {w}.", "{q} Give it {w}."))
    ending = question[-1:] if question[-1:] in "?." else ""
    words_drawn = expand(scene.rng, words[places], {})
    if pattern == "{q}, {w}":
        return Asked(f"{question.rstrip('?. ')}, {words_drawn}{ending}", answer)
    return Asked(pattern.format(q=question, w=words_drawn), answer)


def submission(scene: Scene, answer: str) -> ToolCall:
    """The closing call: a number where the field is one, else the text."""
    value: object = answer if scene.answer_type in ("str", "date") else number_or_text(answer)
    return ToolCall("submit", {scene.answer_field: value})
