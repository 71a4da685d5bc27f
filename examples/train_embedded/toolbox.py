"""The tools of the scenes, each under varying names: the model must read the list, not remember it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from . import simulation
from .scene import Scene, SceneTool, make_spec
from .simulation import ToolError
from .words import NameKind, Split, is_heldout, listed, pseudo_word

_BUILT_IN_SHARE = 0.5
"""How often a tool has the name and arguments that it has in `loopwright.tools.builtin`."""


def composed(verbs: str, nouns: str) -> list[str]:
    """Every verb before every noun, with an underscore or a capital between them.

    >>> composed("add", "days")
    ['add_days', 'addDays']
    """
    pairs = [(verb, noun) for verb in listed(verbs) for noun in listed(nouns)]
    return [f"{verb}_{noun}" for verb, noun in pairs] + [
        f"{verb}{noun.title().replace('_', '')}" for verb, noun in pairs
    ]


_CALCULATORS = listed("""calculator calc compute evaluate arithmetic math math_eval number_cruncher crunch reckon numeric_eval
work_out run_calculation""") + composed(
    "calculate calc compute evaluate eval solve do run work_out",
    "math expression formula sum arithmetic equation numbers calculation",
)
_EXPRESSIONS = listed("expression expr formula input text math query calculation problem sum")
_CONVERTERS = listed(
    "convert unit_convert unit_converter units to_unit measure_convert unit_conversion conversion"
) + composed(
    "convert change translate transform switch turn express rescale",
    "units unit measure quantity measurement dimension",
)
_VALUES = listed("value amount quantity number x magnitude")
_SOURCES = listed("from_unit from source unit_from source_unit have fromUnit")
_TARGETS = listed("to_unit to target unit_to target_unit want toUnit")
_SHIFTERS = listed("add_to_date date_add date_shift date_after date_offset") + composed(
    "add plus shift move offset advance", "days date day calendar"
)
_COUNTERS = listed(
    "days_between date_diff date_difference day_count daysBetween days_from_to interval"
) + composed("count diff compare subtract measure", "days dates date_range interval")
_WEEKDAYS = listed("weekday day_of_week weekday_of which_day dayOfWeek day_name name_of_day") + composed(
    "get find name tell which", "weekday day_name day_of_week"
)
_STARTS = listed("start date day from_date start_date begin when first")
_ENDS = listed("end end_date to_date until finish second other last")


def _pick(rng: Random, names: Sequence[str], split: Split) -> str:
    """One of the names that the split may use."""
    return rng.choice([name for name in names if is_heldout(name) == (split == "heldout")] or list(names))


def _named(scene: Scene, usual: str, variants: Sequence[str]) -> tuple[str, bool]:
    """The tool's name in this scene, and whether it is the built-in tool as it stands."""
    if scene.settings.tool_names == "train" and scene.rng.random() < _BUILT_IN_SHARE:
        return usual, True
    return _pick(scene.rng, variants, scene.settings.tool_names), False


def make_calculator(scene: Scene) -> SceneTool:
    name, usual = _named(scene, "calculate", _CALCULATORS)
    argument = "expression" if usual else scene.rng.choice(_EXPRESSIONS)
    spec = make_spec(name, [(argument, "str")])
    return SceneTool(
        "calculate",
        spec,
        {"expression": argument},
        lambda args: simulation.calculate(str(args["expression"])),
    )


def make_converter(scene: Scene) -> SceneTool:
    name, usual = _named(scene, "convert_units", _CONVERTERS)
    rng = scene.rng
    shown = ("value", "from_unit", "to_unit")
    if not usual:
        shown = (rng.choice(_VALUES), rng.choice(_SOURCES), rng.choice(_TARGETS))
    spec = make_spec(name, list(zip(shown, ("num", "str", "str"), strict=True)))
    return SceneTool(
        "convert",
        spec,
        dict(zip(("value", "from_unit", "to_unit"), shown, strict=True)),
        lambda args: simulation.convert(str(args["value"]), str(args["from_unit"]), str(args["to_unit"])),
    )


def make_date_math(scene: Scene) -> SceneTool:
    spec = make_spec(
        "date_math",
        [
            ("start", "date"),
            ("end?", "date"),
            ("years?", "int"),
            ("months?", "int"),
            ("weeks?", "int"),
            ("days?", "int"),
        ],
    )
    return SceneTool("date", spec, {name: name for name in ("start", "end", *_STEPS)}, _date_math)


_STEPS = ("years", "months", "weeks", "days")


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ToolError(f"{value!r} is no whole number") from None


def _date_math(args: Mapping[str, object]) -> str:
    start = simulation.parse_day(str(args["start"]))
    if args.get("end") is not None:
        return simulation.days_between(start, simulation.parse_day(str(args["end"])))
    return simulation.shift(start, **{name: _whole(args.get(name, 0)) for name in _STEPS})


def make_shifter(scene: Scene) -> SceneTool:
    name = _pick(scene.rng, _SHIFTERS, scene.settings.tool_names)
    start, days = scene.rng.choice(_STARTS), scene.rng.choice(("days", "days", "n", "count", "offset"))
    return SceneTool(
        "shift", make_spec(name, [(start, "date"), (days, "int")]), {"start": start, "days": days}, _date_math
    )


def make_counter(scene: Scene) -> SceneTool:
    name = _pick(scene.rng, _COUNTERS, scene.settings.tool_names)
    start, end = scene.rng.choice(_STARTS), scene.rng.choice(_ENDS)
    return SceneTool(
        "count", make_spec(name, [(start, "date"), (end, "date")]), {"start": start, "end": end}, _date_math
    )


def _weekday(args: Mapping[str, object]) -> str:
    return f"{simulation.parse_day(str(args['start'])):%A}"


def make_weekday(scene: Scene) -> SceneTool:
    name = _pick(scene.rng, _WEEKDAYS, scene.settings.tool_names)
    start = scene.rng.choice(_STARTS)
    return SceneTool("weekday", make_spec(name, [(start, "date")]), {"start": start}, _weekday)


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that records have: its names, the tools and arguments that fetch it, its unit."""

    label: str
    about: NameKind
    arguments: tuple[str, ...]
    draw: Callable[[Random, Split], str]
    units: tuple[str, ...] = ("",)
    stems: tuple[str, ...] = ()


_NAME_PATTERNS = (
    "get_{}", "get_{}", "get_{}", "{}_of", "lookup_{}", "find_{}", "fetch_{}", "{}_lookup", "get_{}_by_name", "{}_for", "query_{}", "read_{}", "show_{}",
    "{}", "search_{}", "get{}", "retrieve_{}", "load_{}", "check_{}", "{}_info", "{}_by_name", "get_the_{}", "{}_db", "ask_{}", "{}_value", "db_{}",
)  # fmt: skip


def lookup_name(scene: Scene, attribute: Attribute) -> str:
    """A name such as `get_price`, `price_of` or `lookupPrice`."""
    stem = scene.rng.choice(attribute.stems or (attribute.label.replace(" ", "_"),))
    pattern = _pick(scene.rng, _NAME_PATTERNS, scene.settings.tool_names)
    return pattern.format(stem.title().replace("_", "") if pattern == "get{}" else stem)


@dataclass(slots=True)
class Records:
    """What a look-up tool knows: one text for each name. It grows while the scene is drawn."""

    values: dict[str, str]
    aliases: dict[str, str]
    fault: str
    lists: bool = False
    """Whether a name that is not found is answered with those that there are."""

    def answer(self, args: Mapping[str, object]) -> str:
        name = str(args["name"])
        if name in self.values:
            return self.values[name]
        hint = f"; did you mean {self.aliases[name]!r}?" if name in self.aliases else ""
        if self.lists and len(self.values) <= _LONGEST_LIST:
            hint = f"; there are {', '.join(sorted(self.values))}"
        raise ToolError(f"{self.fault} {name!r}{hint}")


_LONGEST_LIST = 6
Form = Callable[[str, str, str, str], str]
"""How a look-up tool words its result: from label, name, value and unit."""


def _as_json(label: str, name: str, value: str, unit: str) -> str:
    shown: dict[str, object] = {label.replace(" ", "_"): number_or_text(value)}
    return json.dumps(shown | ({"unit": unit} if unit else {}))


def _as_record(label: str, name: str, value: str, unit: str) -> str:
    shown = {"name": name, label.replace(" ", "_"): number_or_text(value)}
    return json.dumps(shown | ({"unit": unit} if unit else {}), separators=(",", ":"))


FORMS: tuple[Form, ...] = (
    lambda label, name, value, unit: value,
    lambda label, name, value, unit: value,
    lambda label, name, value, unit: f"{value} {unit}".strip(),
    lambda label, name, value, unit: f"{label}: {value} {unit}".strip(),
    lambda label, name, value, unit: f"{name}: {value} {unit}".strip(),
    lambda label, name, value, unit: f"The {label} of {name} is {value} {unit}".strip() + ".",
    lambda label, name, value, unit: f"{name} | {label} | {value} {unit}".strip(),
    lambda label, name, value, unit: f"{label}={value}",
    _as_json,
    _as_json,
    _as_record,
)


def number_or_text(value: str) -> object:
    """A number where the text is one, whole where it is whole."""
    try:
        return int(value) if "." not in value else float(value)
    except ValueError:
        return value


@dataclass(slots=True)
class Lookup:
    """A look-up tool with its records and its way to word them."""

    tool: SceneTool
    records: Records
    attribute: Attribute
    unit: str
    form: Form
    known: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> str:
        """Record a value, and give the one that holds: a name that is known keeps its own."""
        value = self.known.setdefault(name, value)
        self.records.values[name] = self.form(self.attribute.label, name, value, self.unit)
        return value


_FAULTS = (
    "no record of",
    "not found:",
    "unknown name",
    "no such entry:",
    "nothing known about",
    "KeyError:",
    "no match for",
)


def make_lookup(scene: Scene, attribute: Attribute) -> Lookup:
    records = Records({}, {}, scene.rng.choice(_FAULTS), scene.rng.random() < 0.4)
    argument = scene.rng.choice(attribute.arguments)
    spec = make_spec(lookup_name(scene, attribute), [(argument, "str")])
    tool = SceneTool(f"lookup:{attribute.label}", spec, {"name": argument}, records.answer)
    form = scene.rng.choice(FORMS)
    return Lookup(tool, records, attribute, scene.rng.choice(attribute.units), form)


_OTHER_VERBS = listed(
    "send create delete list search open read write update summarise translate notify book cancel rank plot save upload"
)
_OTHER_NOUNS = listed(
    "email note file ticket invoice order page message event report image user task weather news chart document stock"
)
_OTHER_ARGUMENTS = listed("text id name path query title body limit user to message topic lang page")


def make_distractor(rng: Random) -> SceneTool:
    """A tool that no question of ours needs, such as `send_email(to:str,body:str)`."""
    noun = rng.choice(_OTHER_NOUNS) if rng.random() < 0.7 else pseudo_word(rng)
    name = f"{rng.choice(_OTHER_VERBS)}_{noun}"
    arguments = rng.sample(_OTHER_ARGUMENTS, rng.randint(1, 3))
    parameters = [(argument, rng.choice(("str", "str", "str", "int", "bool"))) for argument in arguments]
    return SceneTool(
        f"other:{name}", make_spec(name, parameters), {each: each for each in arguments}, lambda args: "done"
    )
