"""Dates: shifting a day, counting days, naming the weekday, and chains of these."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ..programs import days_from, shifted, weekday_of
from ..scene import Scene
from ..toolbox import make_counter, make_date_math, make_shifter, make_weekday
from ..words import draw_date, draw_name, listed
from .arithmetic import written
from .asking import Asked, calculate, figure, with_rounding, word


def _unified(scene: Scene) -> bool:
    """Whether the scene has the one tool `date_math`, or a tool for each purpose."""
    if scene.programs:
        return False
    if "date" not in scene.tools and not {"shift", "count", "weekday"} & set(scene.tools):
        scene.tool(*(("date", make_date_math) if scene.rng.random() < 0.65 else ("shift", make_shifter)))
    return "date" in scene.tools


_ISO = re.compile(r"\d{4}-\d\d-\d\d")


def shift(scene: Scene, start: str, unit: str, count: int) -> str:
    """Shift a day and give the new one; without `date_math`, weeks become days."""
    if scene.programs:
        return shifted(start, unit, count)
    if _unified(scene):
        observation = scene.use(scene.tool("date", make_date_math), {"start": start, unit: count})
    else:
        days = count * 7 if unit == "weeks" else count
        observation = scene.use(scene.tool("shift", make_shifter), {"start": start, "days": days})
    found = _ISO.search(observation)
    return found.group() if found else observation


def count_days(scene: Scene, start: str, end: str) -> str:
    if scene.programs:
        return days_from(start, end)
    kind = ("date", make_date_math) if _unified(scene) else ("count", make_counter)
    return figure(scene.use(scene.tool(*kind), {"start": start, "end": end}))


def weekday(scene: Scene, day: str) -> str:
    if scene.programs:
        return weekday_of(day)
    if _unified(scene):
        observation = scene.use(scene.tool("date", make_date_math), {"start": day})
        return observation.partition("(")[2].rstrip(")")
    return scene.use(scene.tool("weekday", make_weekday), {"start": day})


_MONTHS = listed("January February March April May June July August September October November December")


def spoken(scene: Scene, day: date) -> str:
    """A day as it is asked for: mostly ISO, now and then in words."""
    draw = scene.rng.random()
    month = _MONTHS[day.month - 1]
    if draw < 0.7:
        return day.isoformat()
    return scene.rng.choice(
        (
            f"{day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{day.day} {month[:3]} {day.year}",
            f"{month[:3]} {day.day}, {day.year}",
        )
    )


_LATER = (
    "[What|Which] [date|day] is {n} {unit} after {d}?",
    "[What|Which] date [comes|falls] {n} {unit} after {d}?",
    "[Add|Count] {n} {unit} [to|from] {d}[.|]",
    "{n} {unit} [after|from|past|later than] {d}[?|]",
    "[The|My] [contract|lease|trial|project|subscription|visa|course] [starts|begins] on {d} and [lasts|runs for|takes] {n} {unit}. [When does it end|On which date does it end|What is the end date]?",
    "[I|We|{who}] [ordered|paid|applied|started] on {d}; [it takes|it needs|allow] {n} {unit}. [When is it done|What date is that|When will it be ready]?",
    "If today is {d}, [what|which] date [is it|will it be] in {n} {unit}?",
    "[An invoice|A bill] from {d} is due [in|within|after] {n} {unit}. [When is it due|What is the due date]?",
    "[What|Which] [date|day] [will it be|is it] {n} {unit} [from|after] {d}?",
    "[Today is|It is|It's now] {d}. [What|Which] date [is it|will it be] in {n} {unit}?",
    "[The|My] [warranty|passport|card|licence|membership|permit] [is from|was issued on|dates from] {d} and is [valid|good] for {n} {unit}. [When does it expire|Until when is it valid|On what date does it run out]?",
    "[I|{who}] [take|takes|took] a [loan|leave|break] on {d} for {n} {unit}. [When is it over|What is the last date|When does it end]?",
    "Starting {d}, go forward {n} {unit}: which day do I reach?",
)
_EARLIER = (
    "[What|Which] [date|day] [is|was|lies] {n} {unit} before {d}?",
    "[Subtract|Take] {n} {unit} from {d}[.|]",
    "{n} {unit} [before|earlier than|ahead of] {d}[?|]",
    "[The|My] [exam|flight|wedding|launch|deadline] is on {d}. [Which date is|What date was] {n} {unit} [before|earlier]?",
    "If today is {d}, [what|which] date was it {n} {unit} ago?",
    "[I|We|{who}] must [book|apply|pay|be ready] {n} {unit} before {d}. [What date is that|By which date]?",
    "[What|Which] [date|day] was it {n} {unit} [before|earlier than] {d}?",
    "Go back {n} {unit} from {d}: which day is it?",
)
_BETWEEN = (
    "[How many|What number of] days [are|lie|are there] between {d} and {e}?",
    "[How many|] days from {d} [to|until|till] {e}[?|]",
    "[How long|How many days] is it from {d} [to|until] {e}[ in days|]?",
    "[The|My] [trip|course|stay|project|visa|fair] [runs|lasts|goes] from {d} [to|until] {e}. How many days is that?",
    "[I|We|{who}] [arrive|arrived|start|started|moved in] on {d} and [leave|left|finish|finished|moved out] on {e}. How many days [is that|were that|in between]?",
    "[What is|Find|Calculate] the number of days between {d} and {e}[.|]",
    "[Today is|It is|It's] {d}. How many days [until|till|to|are left until] {e}?",
    "[How many days|How long] [do I have|are left|remain] from {d} until [the exam on|the deadline on|] {e}?",
    "[The|My] [film festival|sale|job|lease|holiday] [starts|begins] [on|] {d} and [ends|finishes] [on|] {e}. [How many days is that|How long is it in days|How many days does it last]?",
    "[Difference|Days] between {d} and {e}[?|]",
    "Counting from {d}, after how many days is it {e}?",
)
_WEEKDAY = (
    "[What|Which] [weekday|day of the week] [is|was] {d}?",
    "On [what|which] [weekday|day of the week] [does|did|will] {d} fall?",
    "{d}: [what|which] [weekday|day of the week] is [it|that]?",
    "[The|My] [party|meeting|birthday|exam|flight] is on {d}. [What|Which] [weekday|day of the week] is that?",
    "[Tell|Give] me the [weekday|day of the week] of {d}[.|]",
    "[I|{who}] was born on {d}. [What|Which] [weekday|day of the week] was that?",
    "Was {d} a [Monday|Friday|Sunday|Tuesday], or which day [of the week|] was it?",
    "Weekday of {d}[?|]",
    "Is {d} a Monday, a Tuesday or what weekday?",
)
_LATER_WEEKDAY = (
    "[What|Which] [weekday|day of the week] is {n} {unit} after {d}?",
    "[The|My] [course|project|trial] starts on {d} and lasts {n} {unit}. On [which|what] weekday does it end?",
    "If today is {d}, [what|which] [weekday|day of the week] is it in {n} {unit}?",
    "{n} {unit} from {d}: the weekday?",
)
_COST = (
    "[I|We|{who}] [stay|rent|hire|stays|rents] from {d} to {e} [at|for] {p} [a|per] [day|night]. [What does it cost|How much is that|What is the total]?",
    "[What|How much] is the [rent|cost|price|fee] from {d} to {e} at {p} [a|per] day?",
    "From {d} to {e} [the machine|the car|it] costs {p} daily. [What is the total|How much in all]?",
    "With {p} for every day between {d} and {e}, what do I pay?",
)
_WEEKS = (
    "[How many|What number of] weeks are [there|] between {d} and {e}?",
    "[How many|] weeks from {d} to {e}[?|]",
    "[Give|Tell] me the time from {d} to {e} in weeks[.|]",
    "Between {d} and {e}, how many weeks pass?",
)
_TWO_SHIFTS = (
    "[Start|Begin] [at|with|on] {d}, [add|go] {n} {unit}, then [add|go] {m} {other} more. [Which date is it|What date is that]?",
    "[The|A] [phase|course] begins on {d} and takes {n} {unit}; the next [phase|one] takes {m} {other}. When is [that over|it all done]?",
    "[What date is|Which date is] {m} {other} after the day {n} {unit} after {d}?",
    "{d} plus {n} {unit} plus {m} {other}: which date?",
)


def ask_dates(scene: Scene) -> Asked:
    """A question about days, with one to three calls."""
    rng, names = scene.rng, scene.settings.names
    day = draw_date(rng, names)
    end = day + timedelta(days=rng.choice((rng.randint(2, 60), rng.randint(10, 400), rng.randint(100, 3000))))
    unit = rng.choice(
        ("days", "days", "weeks", "months", "years") if _unified(scene) else ("days", "days", "weeks")
    )
    count = rng.randint(2, {"days": 300, "weeks": 40, "months": 30, "years": 20}[unit])
    other = rng.choice(("days", "weeks"))
    more = rng.randint(2, 40)
    slots = {
        "d": spoken(scene, day),
        "e": spoken(scene, end),
        "n": written(rng, str(count)),
        "unit": unit,
        "m": written(rng, str(more)),
        "other": other,
    }
    slots |= {"who": draw_name(rng, "person", names), "p": str(rng.randint(3, 300))}
    keep = [slots["who"], slots["d"], slots["e"], unit, other]
    start, stop = day.isoformat(), end.isoformat()
    kind = rng.random() if scene.answer_type == "str" else rng.choice((0.4, 0.45, 0.75, 0.85))
    if kind < 0.22:
        return Asked(word(scene, _LATER, slots, keep), shift(scene, start, unit, count))
    if kind < 0.34:
        return Asked(word(scene, _EARLIER, slots, keep), shift(scene, start, unit, -count))
    if kind < 0.54:
        return Asked(word(scene, _BETWEEN, slots, keep), count_days(scene, start, stop))
    if kind < 0.72:
        return _ask_weekday(scene, slots, keep, (start, unit, count))
    if kind < 0.82:
        question = word(scene, _COST, slots, keep)
        return Asked(question, calculate(scene, f"{count_days(scene, start, stop)}*{slots['p']}"))
    if kind < 0.92:
        question = word(scene, _WEEKS, slots, keep)
        return with_rounding(scene, question, calculate(scene, f"{count_days(scene, start, stop)}/7"))
    question = word(scene, _TWO_SHIFTS, slots, keep)
    return Asked(question, shift(scene, shift(scene, start, unit, count), other, more))


def _ask_weekday(scene: Scene, slots: dict[str, str], keep: list[str], move: tuple[str, str, int]) -> Asked:
    """The weekday of a day, or of a day so much later."""
    start, unit, count = move
    if scene.rng.random() < 0.6:
        return Asked(word(scene, _WEEKDAY, slots, keep), weekday(scene, start))
    question = word(scene, _LATER_WEEKDAY, slots, keep)
    if _unified(scene):
        observation = scene.use(scene.tool("date", make_date_math), {"start": start, unit: count})
        return Asked(question, observation.partition("(")[2].rstrip(")"))
    return Asked(question, weekday(scene, shift(scene, start, unit, count)))
