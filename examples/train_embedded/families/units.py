"""Units: a conversion, a conversion and a sum, two conversions compared."""

from __future__ import annotations

from random import Random

from ..phrasing import expand
from ..scene import Scene
from ..simulation import MEASURES, SPELLINGS
from ..words import Split, draw_name, draw_number, draw_whole
from .asking import Asked, calculate, convert, with_rounding, word

_SHOWN_MEASURES = ("length", "length", "mass", "mass", "volume", "time", "speed", "temperature")


def draw_units(rng: Random) -> tuple[str, str, str]:
    """A measure and the spellings of two of its units."""
    measure = rng.choice(_SHOWN_MEASURES)
    source, target = rng.sample(list(MEASURES[measure]), 2)
    return measure, rng.choice(SPELLINGS[source]), rng.choice(SPELLINGS[target])


def _singular(spelling: str) -> str:
    """The last spelling of a unit, which names one of it."""
    return next(spellings[-1] for spellings in SPELLINGS.values() if spelling in spellings)


def _value(rng: Random, split: Split) -> str:
    return draw_number(rng, 1, rng.choice((20, 100, 900, 5000)), split)


_THING = {
    "length": "[The rope|The road|The fence|The cable|The trail|A plank|The distance to {place}|My garden|The race|A marathon|The river|The bridge|{who}'s walk|A ribbon|The pool] [is|measures|is about] {x} {u} [long|]",
    "mass": "[The parcel|The box|A bag|The {item}|The load|My suitcase|{who}|The dog|A sack of flour|The truck|The baby] weighs [about|] {x} {u}",
    "volume": "[The tank|The bottle|The barrel|A pot|My bathtub|The jug|A bucket|The pool|The {item}] [holds|contains|takes] [about|] {x} {u}",
    "time": "[The film|The flight|The job|The course|The trip|The meeting|The song|Baking|{who}'s shift|The drive to {place}] [lasts|takes|took|is] {x} {u}",
    "speed": "[The train|The wind|The car|A runner|A cyclist|The boat|{who}|A bird] [goes|moves|travels] [at|with] {x} {u}",
    "temperature": "[The oven|The room|The water|It|The soup|The weather in {place}] is [at|] {x} {u}",
}

_SIMPLE = (
    "[Convert|Change|Turn|Translate] {x} {u} [to|into|in] {v}[.|]",
    "[How many|What number of] {v} [is|are|are in|are there in|make] {x} {u}?",
    "[What is|What's|How much is] {x} {u} [in|expressed in|converted to] {v}?",
    "{thing}. [How many {v} is that|What is that in {v}|How much is it in {v}]?",
    "{x} {u} [in|to|into|=] {v}[?|]",
    "[I need|Give me|Express|Write] {x} {u} [in|as] {v}[.|]",
    "{x} {u} is how [many|much in] {v}?",
    "[Can you|Could you|Please] [convert|change|tell me] {x} {u} [to|into|in] {v}[?|]",
    "[I have|I've got|There are|I bought|We ran] {x} {u}[. How many {v} is that|; how much is that in {v}|, what's that in {v}]?",
    "[If|Suppose|When] {thing}, [how many {v} is that|what is that in {v}|how much is that in {v}]?",
    "[How long|How much|How heavy|How big] is {x} {u} in {v}?",
    "[My|The|A] [recipe|label|sign|manual] says {x} {u}; I [think|work|measure] in {v}. What is it for me?",
)
_TIMES = (
    "{thing}. [How many {v} are {n} of them|What are {n} such in {v}|How much in {v} for {n} of these]?",
    "[Convert|Change] {x} {u} [to|into] {v} and [multiply|then multiply] [it|the result|] by {n}.",
    "[What is|How much is] {n} times {x} {u} in {v}?",
    "[I|We|{who}] [use|need|run|carry] {x} {u} [a day|every day|per day|each day]. [How many {v} is that|What is that in {v}] [in|over|after] {n} days?",
    "{n} pieces of {x} {u} each; give the whole in {v}.",
)
_PLUS = (
    "[Convert|Change] {x} {u} [to|into] {v} [and|, then] add {y} {v}.",
    "[What is|How much is] {x} {u} plus {y} {v}, in {v}?",
    "{thing}. [How many {v} is that|What is it in {v}] [with {y} {v} more|if {y} {v} are added]?",
    "[Add|Sum] {x} {u} and {y} {v}[,| and give it] in {v}[.|]",
    "Together, what do {x} {u} and {y} {v} make in {v}?",
)
_MINUS = (
    "[How many|What number of] {v} more is {x} {u} than {y} {v}?",
    "[What is|How much is] {x} {u} minus {y} {v}, in {v}?",
    "{thing}. [How many {v} [remain|are left] after|What is left in {v} after] [using|taking|removing] {y} {v}?",
    "[Convert|Change] {x} {u} [to|into] {v} [and|, then] subtract {y}.",
    "Take {y} {v} off {x} {u}: how many {v} remain?",
)
_PRICE = (
    "[One|A single] {v1} [costs|is] {p}. [What do|How much do] {x} {u} cost?",
    "[What|How much] [do|would] {x} {u} cost at {p} per {v1}?",
    "{thing}. [At|With] {p} per {v1}, [what does it cost|what is the price|how much is that]?",
    "Paying {p} for each {v1}, what do I owe for {x} {u}?",
)
_TOTAL = (
    "[Add|Sum] {x} {u} and {y} {w} [and give the total|, result] in {v}.",
    "[How many|What number of] {v} are {x} {u} and {y} {w} [together|in total|in all]?",
    "[One|The first] [piece|bag|part|leg] is {x} {u}, [the other|the second|another] is {y} {w}. [What is the total in {v}|How many {v} is that together]?",
    "In {v}, what do {x} {u} plus {y} {w} come to?",
)
_DIFFERENCE = (
    "[What is|Find] the difference [between|of] {x} {u} and {y} {w} in {v}?",
    "[How many|How much in] {v} more is {x} {u} than {y} {w}?",
    "Subtract {y} {w} from {x} {u} [and give|; answer] in {v}.",
    "By how many {v} does {x} {u} exceed {y} {w}?",
)
_CALCULATE_FIRST = (
    "[A|The] [train|car|ship] [goes|drives|runs] {x} {u} [a day|per day|daily]. How many {v} [is that|does it make] in {n} days[?| in total?]",
    "[What are|How much are] {n} [bags|pieces|lots] of {x} {u} [each|] in {v}?",
    "{n} [boxes|parts|pieces] [of|at] {x} {u} [each|], in {v} [please|in total|]?",
    "I have {n} times {x} {u}; what is the total in {v}?",
)


def ask_units(scene: Scene) -> Asked:
    """A question with one or two conversions."""
    rng = scene.rng
    measure, u, v = draw_units(rng)
    x = _value(rng, scene.settings.names)
    slots = {
        "x": x,
        "u": u,
        "v": v,
        "y": _value(rng, scene.settings.names),
        "n": draw_whole(rng, 2, 60, scene.settings.names),
    }
    slots |= {
        "place": draw_name(rng, "place", scene.settings.names),
        "item": draw_name(rng, "item", scene.settings.names),
    }
    slots |= {
        "who": draw_name(rng, "person", scene.settings.names),
        "p": draw_number(rng, 1, 90, scene.settings.names),
        "v1": _singular(v),
    }
    slots["thing"] = word_thing(scene, measure, slots)
    kind = rng.random()
    names = [slots["place"], slots["item"], slots["who"], u, v, slots["v1"]]
    if measure == "temperature" or kind < 0.4:
        return with_rounding(scene, word(scene, _SIMPLE, slots, names), convert(scene, x, u, v))
    if kind < 0.72:
        patterns, expression = rng.choice(
            ((_TIMES, "{r}*{n}"), (_PLUS, "{r}+{y}"), (_MINUS, "{r}-{y}"), (_PRICE, "{r}*{p}"))
        )
        question = word(scene, patterns, slots, names)
        result = convert(scene, x, u, slots["v1"] if patterns is _PRICE else v)
        return with_rounding(scene, question, calculate(scene, expression.format(r=result, **slots)))
    if kind < 0.82:
        question = word(scene, _CALCULATE_FIRST, slots, names)
        return with_rounding(scene, question, convert(scene, calculate(scene, f"{x}*{slots['n']}"), u, v))
    return _ask_two(scene, measure, slots, names)


def _ask_two(scene: Scene, measure: str, slots: dict[str, str], names: list[str]) -> Asked:
    """Two quantities brought to one unit, then added or subtracted."""
    rng = scene.rng
    others = [unit for unit in MEASURES[measure] if slots["v"] not in (unit, *SPELLINGS[unit])]
    slots["w"] = rng.choice(SPELLINGS[rng.choice(others)])
    patterns, sign = rng.choice(((_TOTAL, "+"), (_DIFFERENCE, "-")))
    question = word(scene, patterns, slots, [*names, slots["w"]])
    first = convert(scene, slots["x"], slots["u"], slots["v"])
    second = convert(scene, slots["y"], slots["w"], slots["v"])
    return with_rounding(scene, question, calculate(scene, f"{first}{sign}{second}"))


def word_thing(scene: Scene, measure: str, slots: dict[str, str]) -> str:
    return " ".join(expand(scene.rng, _THING[measure], slots).split())
