"""Questions whose right answer follows a convention that only solved questions before them show.

Neither the question nor the tools say how to round, how to write the answer, what to add in the end, which
of two like tools counts, or in which unit the answer is wanted. Within a scene the convention is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .families.arithmetic import ask_arithmetic
from .families.asking import Asked, calculate, convert, rounded
from .families.dates import ask_dates
from .families.lookup import ATTRIBUTES, ask_plainly, lookup
from .families.units import ask_units
from .scene import Scene
from .simulation import SPELLINGS, other_units
from .words import draw_name, draw_whole, fits, listed, pseudo_word

Ask = Callable[[Scene], Asked]


def by_rounding(scene: Scene) -> Ask:
    """The answer has so many decimals."""
    places = scene.rng.choice((0, 1, 2))
    base = scene.rng.choice((ask_arithmetic, ask_arithmetic, ask_units))

    def ask(scene: Scene) -> Asked:
        asked = _until(scene, base, lambda asked: len(asked.answer.partition(".")[2]) > places)
        return replace(asked, answer=rounded(asked.answer, places))

    return ask


_FORMS = (
    "{v} {w}",
    "{v} {w}",
    "{w} {v}",
    "{w}: {v}",
    "{v} ({w})",
    "<{v}>",
    "{v};",
    "{w}={v}",
    "~{v}",
    "{v}.",
)


def by_wording(scene: Scene) -> Ask:
    """The answer is written in a certain form, often with a word that means nothing."""
    scene.answer_type = "str"
    base = scene.rng.choice((ask_arithmetic, ask_arithmetic, ask_units, ask_dates, ask_plainly))
    form, word = scene.rng.choice(_FORMS), _code_word(scene)
    return lambda scene: _worded(base(scene), form, word)


def _worded(asked: Asked, form: str, word: str) -> Asked:
    return replace(asked, answer=form.format(v=asked.answer, w=word)) if asked.answer else asked


def _code_word(scene: Scene) -> str:
    while True:
        word = pseudo_word(scene.rng, 1) if scene.rng.random() < 0.6 else scene.rng.choice(_WORDS)
        word = scene.rng.choice((word, word.upper(), word.title()))
        if fits(word, scene.settings.names):
            return word


_WORDS = listed(
    "eur usd ok done result units points pieces total about final answer value is net sum x pcs kg m days"
)


def by_last_step(scene: Scene) -> Ask:
    """One more sum is made at the end, always the same."""
    amount = draw_whole(scene.rng, 2, 99, scene.settings.names)
    last = scene.rng.choice(("{r}+{k}", "{r}+{k}", "{r}-{k}", "{r}*{k}", "{r}*(1+{k}%)"))
    base = scene.rng.choice((ask_arithmetic, ask_plainly))

    def ask(scene: Scene) -> Asked:
        asked = _until(scene, base, _is_number)
        return replace(asked, answer=calculate(scene, last.format(r=asked.answer, k=amount)))

    return ask


_LIKE = listed(
    "list net gross old new base local main full last first official reported basic extra real usual plain other"
)


def by_tool(scene: Scene) -> Ask:
    """Of two tools whose names fit as well, one counts."""
    attribute = scene.rng.choice(ATTRIBUTES)
    stem = scene.rng.choice(attribute.stems or (attribute.label.replace(" ", "_"),))
    words = (
        scene.rng.sample(_LIKE, 2) if scene.rng.random() < 0.7 else [pseudo_word(scene.rng, 1) for _ in "ab"]
    )
    right, wrong = (
        lookup(scene, replace(attribute, label=f"{word} {attribute.label}", stems=(f"{word}_{stem}",)))
        for word in words
    )

    def ask(scene: Scene) -> Asked:
        name = draw_name(scene.rng, attribute.about, scene.settings.names)
        if right is not wrong:
            wrong.add(name, attribute.draw(scene.rng, scene.settings.names))
        return ask_plainly(scene, right, attribute.label, name)

    return ask


_MEASURED = listed("length weight elevation distance rainfall capacity speed")


def by_unit(scene: Scene) -> Ask:
    """The answer is wanted in another unit than that of the records."""
    attribute = scene.rng.choice([each for each in ATTRIBUTES if each.label in _MEASURED])
    source = lookup(scene, attribute)
    target = scene.rng.choice(SPELLINGS[scene.rng.choice(other_units(source.unit))])

    def ask(scene: Scene) -> Asked:
        asked = ask_plainly(scene, source)
        return replace(asked, answer=convert(scene, asked.answer, source.unit, target))

    return ask


CONVENTIONS: dict[str, Callable[[Scene], Ask]] = {
    "rounding": by_rounding,
    "wording": by_wording,
    "last step": by_last_step,
    "like tools": by_tool,
    "unit": by_unit,
}


def _is_number(asked: Asked) -> bool:
    return asked.answer.lstrip("-").replace(".", "", 1).isdigit()


def _until(scene: Scene, ask: Ask, fits: Callable[[Asked], bool]) -> Asked:
    """The first of many questions that fits; one without an answer, which is refused, where none does."""
    for _ in range(40):
        scene.steps = []
        if fits(asked := ask(scene)):
            return asked
    return Asked("", "0.000")
