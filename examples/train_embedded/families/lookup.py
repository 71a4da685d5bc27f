"""Look-ups: one or two records fetched by name, then a sum over what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random

from ..scene import Scene, SceneTool
from ..simulation import SPELLINGS, other_units
from ..toolbox import Attribute, Lookup, make_lookup
from ..words import NameKind, Split, draw_date, draw_decimal, draw_name, draw_number, draw_whole, pseudo_word
from . import lookup_wordings as said
from .asking import Asked, calculate, convert, with_rounding, word
from .dates import count_days, shift
from .problem import percent, pluralise


def _money(rng: Random, split: Split) -> str:
    return draw_decimal(rng, 1, 900, split, 2) if rng.random() < 0.6 else draw_whole(rng, 1, 2000, split)


def _count(rng: Random, split: Split) -> str:
    return draw_whole(rng, 1, 10 ** rng.randint(2, 5), split)


def _large(rng: Random, split: Split) -> str:
    return draw_whole(rng, 900, 10 ** rng.randint(4, 7), split)


def _small(rng: Random, split: Split) -> str:
    return draw_number(rng, 1, 400, split)


def _text(*options: str) -> Callable[[Random, Split], str]:
    return lambda rng, split: rng.choice(options)


def _contact(rng: Random, split: Split) -> str:
    if rng.random() < 0.5:
        return f"{pseudo_word(rng)}@{pseudo_word(rng)}.{rng.choice(('com', 'org', 'net', 'io'))}"
    return f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(1000, 99999)}"


def _day(rng: Random, split: Split) -> str:
    return draw_date(rng, split).isoformat()


_CURRENCIES = ("", "EUR", "USD", "euros", "dollars", "GBP")
_ITEM = ("item", "item", "product", "name", "article", "item_name", "product_name", "query", "key")
_PLACE = ("city", "place", "name", "town", "location", "query", "city_name")
_PERSON = ("name", "person", "employee", "who", "employee_name", "member", "query")
_CODE = ("id", "code", "order_id", "number", "ref", "key", "sku", "order")

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("price", "item", _ITEM, _money, _CURRENCIES, ("price", "price", "item_price", "product_price", "unit_price", "list_price")),
    Attribute("cost", "item", _ITEM, _money, _CURRENCIES, ("cost", "item_cost", "product_cost")),
    Attribute("weight", "item", _ITEM, _small, ("kg", "g", "lb"), ("weight", "item_weight", "product_weight")),
    Attribute("stock", "item", _ITEM, _count, ("", "pieces", "units"), ("stock", "inventory", "stock_level", "quantity_in_stock")),
    Attribute("length", "item", _ITEM, _small, ("cm", "m", "inches")),
    Attribute("population", "place", _PLACE, _large, ("", "people", "inhabitants"), ("population", "city_population", "inhabitants")),
    Attribute("area", "place", _PLACE, _small, ("km2", "square km", "")),
    Attribute("elevation", "place", _PLACE, _count, ("m", "m", "ft"), ("elevation", "altitude", "height")),
    Attribute("distance", "place", _PLACE, _small, ("km", "km", "miles"), ("distance", "distance_to", "road_distance")),
    Attribute("rainfall", "place", _PLACE, _small, ("mm", "mm", "inches")),
    Attribute("salary", "person", _PERSON, _large, _CURRENCIES, ("salary", "wage", "pay", "employee_salary")),
    Attribute("age", "person", _PERSON, lambda rng, split: str(rng.randint(5, 95)), ("", "years")),
    Attribute("score", "person", _PERSON, _small, ("", "points"), ("score", "points", "result")),
    Attribute("balance", "person", _PERSON, _money, _CURRENCIES, ("balance", "account_balance", "account")),
    Attribute("height", "person", _PERSON, lambda rng, split: draw_whole(rng, 120, 210, split), ("cm",)),
    Attribute("total", "code", _CODE, _money, _CURRENCIES, ("order_total", "invoice_total", "order_amount", "total")),
    Attribute("amount", "code", _CODE, _money, _CURRENCIES, ("amount", "invoice_amount", "invoice", "bill_amount")),
    Attribute("temperature", "place", _PLACE, lambda rng, split: str(rng.randint(1, 39)), ("degC", "degF", "C"), ("temperature", "temp", "weather")),
    Attribute("rent", "place", _PLACE, _money, _CURRENCIES, ("rent", "average_rent", "monthly_rent")),
    Attribute("visitors", "place", _PLACE, _large, ("", "people"), ("visitors", "visitor_count", "visits")),
    Attribute("hotel price", "place", _PLACE, _money, _CURRENCIES, ("hotel_price", "hotel", "room_rate")),
    Attribute("ticket price", "place", _PLACE, _money, _CURRENCIES, ("ticket_price", "fare", "train_fare")),
    Attribute("calories", "item", _ITEM, _count, ("kcal", "", "kcal"), ("calories", "kcal", "nutrition")),
    Attribute("capacity", "item", _ITEM, _small, ("l", "ml", "liters")),
    Attribute("power", "item", _ITEM, _count, ("W", "watts"), ("power", "wattage")),
    Attribute("speed", "item", _ITEM, _small, ("km/h", "mph", "m/s"), ("speed", "top_speed", "max_speed")),
    Attribute("hourly rate", "person", _PERSON, _money, _CURRENCIES, ("hourly_rate", "rate", "hourly_wage")),
    Attribute("hours", "person", _PERSON, _small, ("h", "", "hours"), ("hours", "hours_worked", "timesheet")),
    Attribute("sales", "person", _PERSON, _large, _CURRENCIES, ("sales", "monthly_sales", "revenue")),
    Attribute("bonus", "person", _PERSON, _money, _CURRENCIES),
    Attribute("debt", "person", _PERSON, _money, _CURRENCIES, ("debt", "open_amount", "amount_owed")),
    Attribute("quantity", "code", _CODE, _count, ("", "pieces"), ("quantity", "order_quantity", "item_count")),
    Attribute("fee", "code", _CODE, _money, _CURRENCIES, ("fee", "order_fee", "shipping_fee")),
)  # fmt: skip

TEXTS: tuple[Attribute, ...] = (
    Attribute("colour", "item", _ITEM, _text("red", "dark blue", "olive", "white", "pale green", "black", "orange")),
    Attribute("material", "item", _ITEM, _text("oak", "steel", "cotton", "glass", "plastic", "wool", "brass")),
    Attribute("supplier", "item", _ITEM, lambda rng, split: f"{pseudo_word(rng).title()} {rng.choice(('Ltd', 'Inc', 'GmbH', 'Co'))}"),
    Attribute("status", "code", _CODE, _text("shipped", "open", "paid", "cancelled", "in transit", "delivered", "on hold"), ("",), ("order_status", "status")),
    Attribute("customer", "code", _CODE, lambda rng, split: draw_name(rng, "person", split), ("",), ("customer", "order_customer", "buyer")),
    Attribute("email", "person", _PERSON, _contact, ("",), ("email", "contact", "phone")),
    Attribute("department", "person", _PERSON, _text("sales", "finance", "support", "legal", "research", "logistics")),
    Attribute("office", "person", _PERSON, lambda rng, split: draw_name(rng, "place", split)),
    Attribute("country", "place", _PLACE, lambda rng, split: pseudo_word(rng).title()),
    Attribute("mayor", "place", _PLACE, lambda rng, split: draw_name(rng, "person", split)),
    Attribute("currency", "place", _PLACE, _text("euro", "dollar", "yen", "krona", "pound", "peso")),
)  # fmt: skip

DAYS: tuple[Attribute, ...] = (
    Attribute("birthday", "person", _PERSON, _day, ("",), ("birthday", "birth_date", "date_of_birth")),
    Attribute("hire date", "person", _PERSON, _day, ("",), ("hire_date", "start_date", "joining_date")),
    Attribute("due date", "code", _CODE, _day, ("",), ("due_date", "invoice_due_date", "deadline")),
    Attribute("order date", "code", _CODE, _day, ("",), ("order_date", "date_of_order")),
    Attribute("release date", "item", _ITEM, _day, ("",), ("release_date", "launch_date")),
    Attribute("founding date", "place", _PLACE, _day, ("",), ("founding_date", "founded")),
)  # fmt: skip


def draw_attribute(scene: Scene) -> Attribute:
    """One of the attributes, or one with an invented label."""
    if scene.rng.random() < 0.25:
        about: NameKind = scene.rng.choice(("item", "place", "person", "code"))
        arguments = {"item": _ITEM, "place": _PLACE, "person": _PERSON, "code": _CODE}[about]
        return Attribute(pseudo_word(scene.rng), about, arguments, _small, ("", "points", "units"))
    if scene.rng.random() < 0.4:
        return _attribute(scene.rng.choice(_COMMON))
    return scene.rng.choice(ATTRIBUTES)


_COMMON = ("price", "price", "price", "cost", "stock", "stock", "salary", "population")


def lookup(scene: Scene, attribute: Attribute) -> Lookup:
    """The scene's look-up tool for the attribute, with a few records in it."""
    kind = f"lookup:{attribute.label}"

    def make(scene: Scene) -> SceneTool:
        scene.lookups[kind] = make_lookup(scene, attribute)
        return scene.lookups[kind].tool

    scene.tool(kind, make)
    return scene.lookups[kind]


def fetch(scene: Scene, source: Lookup, name: str, shown: str = "") -> str:
    """Look one name up, and give its value; `shown` is a misspelt name that is tried first."""
    value = source.add(name, source.attribute.draw(scene.rng, scene.settings.names))
    if shown and shown != name and shown not in source.known:
        source.records.aliases[shown] = name
    if shown and shown != name:
        scene.use(source.tool, {"name": shown})
    elif scene.rng.random() < scene.mistakes:
        _stumble(scene, source, name)
    scene.use(source.tool, {"name": name})
    return value


def _stumble(scene: Scene, source: Lookup, name: str) -> None:
    """Ask the wrong tool first, or for a name that the records do not have."""
    others = [other for other in scene.lookups.values() if other is not source]
    if scene.rng.random() < 0.5:
        other = scene.rng.choice(others) if others else lookup(scene, scene.rng.choice(ATTRIBUTES))
        if other is not source:
            if scene.rng.random() < 0.5:
                other.add(name, other.attribute.draw(scene.rng, scene.settings.names))
            scene.mistake(other.tool, {"name": name})
        return
    wrong = scene.rng.choice((pluralise(name), f"the {name}", name.lower(), _misspelt(scene.rng, name)))
    if wrong not in source.known:
        scene.mistake(source.tool, {"name": wrong})


def _misspelt(rng: Random, name: str) -> str:
    """The name with one letter dropped, doubled or swapped."""
    places = [at for at, letter in enumerate(name[:-1]) if letter.isalpha() and name[at + 1].isalpha()]
    if not places:
        return name + " x"
    at = rng.choice(places)
    return rng.choice(
        (
            name[:at] + name[at + 1 :],
            name[: at + 1] + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        )
    )


def ask_lookup(scene: Scene) -> Asked:
    """A question on one or two records."""
    rng = scene.rng
    draw = rng.random()
    if draw < 0.1 and scene.answer_type == "str":
        return _ask_text(scene)
    if draw < 0.2:
        return _ask_day(scene)
    if draw < 0.32:
        return _ask_two_attributes(scene)
    attribute = draw_attribute(scene)
    source = lookup(scene, attribute)
    name = draw_name(rng, attribute.about, scene.settings.names)
    draw = rng.random()
    if draw < 0.22:
        return _ask_plain(scene, source, name)
    if draw < 0.6:
        return _ask_one(scene, source, name)
    if draw < 0.9:
        return _ask_two(scene, source, name, draw_name(rng, attribute.about, scene.settings.names))
    return _ask_linked(scene, source, name)


def _ask_text(scene: Scene) -> Asked:
    """A look-up whose result is a text to hand on."""
    source = lookup(scene, scene.rng.choice(TEXTS))
    name = draw_name(scene.rng, source.attribute.about, scene.settings.names)
    patterns = (
        said.SPECIFIC.get(source.attribute.label, said.SINGLE) if scene.rng.random() < 0.6 else said.SINGLE
    )
    return Asked(word(scene, patterns, _slots(scene, source, name), [name]), fetch(scene, source, name))


def _ask_day(scene: Scene) -> Asked:
    """A look-up of a day, then the day itself, one so much later, or the days up to another."""
    rng = scene.rng
    source = lookup(scene, rng.choice(DAYS))
    name = draw_name(rng, source.attribute.about, scene.settings.names)
    slots = _slots(scene, source, name)
    if scene.answer_type == "str" and rng.random() < 0.6:
        if rng.random() < 0.4:
            patterns = (
                said.SPECIFIC.get(source.attribute.label, said.SINGLE) if rng.random() < 0.6 else said.SINGLE
            )
            return Asked(word(scene, patterns, slots, [name]), fetch(scene, source, name))
        unit = rng.choice(("days", "weeks"))
        slots["unit"] = unit
        question = word(scene, said.AFTER, slots, [name])
        return Asked(question, shift(scene, fetch(scene, source, name), unit, int(slots["n"])))
    value = fetch(scene, source, name)
    later = (date.fromisoformat(value) + timedelta(days=rng.randint(2, 4000))).isoformat()
    question = word(scene, said.SINCE, slots | {"d": later}, [name])
    return Asked(question, count_days(scene, value, later))


def _attribute(label: str) -> Attribute:
    return next(each for each in ATTRIBUTES if each.label == label)


def _ask_two_attributes(scene: Scene) -> Asked:
    """Two things looked up about one name, or a look-up of the asker's own name."""
    rng = scene.rng
    patterns, first, second, expression = rng.choice(_PAIRS)
    source = lookup(scene, _attribute(first))
    name = draw_name(rng, source.attribute.about, scene.settings.names)
    slots = _slots(scene, source, name)
    if patterns is said.OWN:
        value = fetch(scene, source, name)
        return Asked(
            word(scene, patterns, slots),
            value,
            ((rng.choice(("customer", "user", "name", "employee")), name),),
        )
    other = lookup(scene, _attribute(second)) if second else None
    question = word(scene, patterns, slots | {"other": second}, [name, slots["who"]])
    value = fetch(scene, source, name)
    more = fetch(scene, other, name) if other else ""
    return with_rounding(scene, question, calculate(scene, expression.format(r=value, s=more, **slots)))


_PAIRS: tuple[tuple[Sequence[str], str, str, str], ...] = (
    (said.WORTH, "price", "stock", "{r}*{s}"),
    (said.WORTH, "price", "stock", "{r}*{s}"),
    (said.EARNED, "hours", "hourly rate", "{r}*{s}"),
    (said.OVER, "population", "area", "{r}/{s}"),
    (said.OVER, "sales", "hours", "{r}/{s}"),
    (said.OVER, "total", "quantity", "{r}/{s}"),
    (said.BOTH, "salary", "bonus", "{r}+{s}"),
    (said.BOTH, "total", "fee", "{r}+{s}"),
    (said.BOTH, "hotel price", "ticket price", "{r}+{s}"),
    (said.TRAVEL, "distance", "", "{r}/{n}"),
    (said.THERE_AND_BACK, "distance", "", "{r}*2"),
    (said.OWN, "balance", "", ""),
    (said.OWN, "salary", "", ""),
    (said.OWN, "score", "", ""),
)


def _slots(scene: Scene, source: Lookup, name: str) -> dict[str, str]:
    rng, split = scene.rng, scene.settings.names
    return {
        "a": name, "many_a": _many(scene, source, name), "label": source.attribute.label, "n": draw_whole(rng, 2, 120, split), "m": draw_whole(rng, 2, 120, split),
        "p": percent(rng, split), "k": draw_number(rng, 1, 900, split), "u": source.unit or "km", "who": draw_name(rng, "person", split),
    }  # fmt: skip


def _many(scene: Scene, source: Lookup, name: str) -> str:
    """The name as it stands after a number: mostly a plural, which the record does not have."""
    return pluralise(name) if source.attribute.about == "item" and scene.rng.random() < 0.75 else name


def _is_money(attribute: Attribute) -> bool:
    return attribute.label in ("price", "cost")


def _ask_plain(scene: Scene, source: Lookup, name: str) -> Asked:
    """A bare look-up, sometimes of a name that is not quite right, sometimes in another unit."""
    slots, attribute, rng = _slots(scene, source, name), source.attribute, scene.rng
    others = other_units(source.unit)
    if others and rng.random() < 0.5:
        slots["v"] = rng.choice(SPELLINGS[rng.choice(others)])
        question = word(scene, said.CONVERTED, slots, [name, slots["v"], source.unit])
        return with_rounding(
            scene, question, convert(scene, fetch(scene, source, name), source.unit, slots["v"])
        )
    patterns = said.SPECIFIC.get(attribute.label, said.SINGLE) if rng.random() < 0.6 else said.SINGLE
    if attribute.label == "stock" and rng.random() < 0.5:
        question = word(scene, said.STOCK, slots, [name, slots["many_a"]])
        return Asked(question, fetch(scene, source, name))
    shown = _misspelt(rng, name) if rng.random() < 0.2 else name
    question = word(scene, patterns, slots | {"a": shown}, [shown])
    return Asked(question, fetch(scene, source, name, shown))


def ask_plainly(scene: Scene, source: Lookup | None = None, label: str = "", name: str = "") -> Asked:
    """A number looked up and handed on; `label` is what the question calls it."""
    rng = scene.rng
    source = source or lookup(scene, rng.choice(ATTRIBUTES))
    name = name or draw_name(rng, source.attribute.about, scene.settings.names)
    label = label or source.attribute.label
    patterns = said.SPECIFIC.get(label, said.SINGLE) if rng.random() < 0.6 else said.SINGLE
    slots = _slots(scene, source, name) | {"label": label}
    return Asked(word(scene, patterns, slots, [name, source.unit]), fetch(scene, source, name))


def _ask_one(scene: Scene, source: Lookup, name: str) -> Asked:
    """One look-up, one sum."""
    slots, label = _slots(scene, source, name), source.attribute.label
    times = (
        said.TIMES_MONEY
        if _is_money(source.attribute)
        else said.TIMES_SALARY
        if label == "salary"
        else said.TIMES
    )
    slots["big"] = draw_whole(scene.rng, 2000, 90000, scene.settings.names)
    slots["small"], slots["few"] = str(scene.rng.randint(2, 40)), str(scene.rng.randint(2, 40))
    forms: list[tuple[Sequence[str], str]] = [
        (times, "{r}*{n}"),
        (times, "{r}*{n}"),
        (said.DIVIDE, "{r}/{n}"),
        (said.PERCENT, "{p}% * {r}"),
        (said.LESS, "{r}*(1-{p}%)"),
        (said.MORE, "{r}*(1+{p}%)"),
        (said.PLUS, "{r}+{k}"),
        (said.MINUS, "{r}-{k}"),
    ]
    if _is_money(source.attribute):
        forms.append((said.CHANGE, "{k}-{r}"))
    special = _ONE_MORE.get(label, ())
    if special and scene.rng.random() < 0.5:
        forms = list(special)
    patterns, expression = scene.rng.choice(forms)
    question = word(scene, patterns, slots, [name, slots["many_a"], slots["who"]])
    value = fetch(scene, source, name)
    return with_rounding(scene, question, calculate(scene, expression.format(r=value, **slots)))


_ONE_MORE: dict[str, tuple[tuple[Sequence[str], str], ...]] = {
    "price": ((said.TIMES_LESS, "{n}*{r}*(1-{p}%)"), (said.TIMES_MORE, "{n}*{r}*(1+{p}%)"), (said.TIMES_CHANGE, "{big}-{n}*{r}")),
    "cost": ((said.TIMES_LESS, "{n}*{r}*(1-{p}%)"), (said.TIMES_MORE, "{n}*{r}*(1+{p}%)"), (said.TIMES_CHANGE, "{big}-{n}*{r}")),
    "stock": ((said.STOCK_LEFT, "{r}-{small}"), (said.STOCK_MORE, "{r}+{small}"), (said.STOCK_BOXES, "{r}/{few}")),
    "salary": ((said.PER_MONTH, "{r}/12"), (said.RAISED, "{r}*(1+{p}%)")),
    "population": ((said.PEOPLE_LEFT, "{r}*(1-{p}%)"),),
}  # fmt: skip
_TWO_MORE: dict[str, tuple[tuple[Sequence[str], str], ...]] = {
    "price": ((said.DEARER, "{r}-{s}"),),
    "cost": ((said.DEARER, "{r}-{s}"),),
    "population": ((said.PEOPLE_SUM, "{r}+{s}"), (said.PEOPLE_MORE, "{r}-{s}")),
}


def _ask_two(scene: Scene, source: Lookup, name: str, other: str) -> Asked:
    """Two look-ups of one kind, one sum."""
    while other == name:
        other = draw_name(scene.rng, source.attribute.about, scene.settings.names)
    slots = _slots(scene, source, name) | {"b": other, "many_b": _many(scene, source, other)}
    forms: list[tuple[Sequence[str], str]] = [
        (said.SUM, "{r}+{s}"),
        (said.DIFFERENCE, "{r}-{s}"),
        (said.RATIO, "{r}/{s}"),
        (said.MEAN, "({r}+{s})/2"),
    ]
    if _is_money(source.attribute):
        forms += [
            (said.SUM_MONEY, "{r}+{s}"),
            (said.BASKET, "{n}*{r}+{m}*{s}"),
            (said.BASKET, "{n}*{r}+{m}*{s}"),
        ]
    special = _TWO_MORE.get(source.attribute.label, ())
    if special and scene.rng.random() < 0.4:
        forms = list(special)
    patterns, expression = scene.rng.choice(forms)
    question = word(scene, patterns, slots, [name, other, slots["many_a"], slots["many_b"], slots["who"]])
    first, second = fetch(scene, source, name), fetch(scene, source, other)
    return with_rounding(scene, question, calculate(scene, expression.format(r=first, s=second, **slots)))


def _ask_linked(scene: Scene, source: Lookup, name: str) -> Asked:
    """A record that names another, which is then looked up."""
    rng, kind = scene.rng, source.attribute.about
    link = rng.choice(said.LINKS[kind])
    to = lookup(scene, Attribute(link, kind, source.attribute.arguments, source.attribute.draw))
    other = draw_name(rng, kind, scene.settings.names)
    slots = _slots(scene, source, name) | {"link": link}
    question = word(scene, said.LINKED, slots, [name])
    other = to.add(name, other)
    scene.use(to.tool, {"name": name})
    return Asked(question, fetch(scene, source, other))
