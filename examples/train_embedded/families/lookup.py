"""Look-ups: one or two records fetched by name, then a sum over what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random

from ..scene import Scene, SceneTool
from ..simulation import SPELLINGS, other_units
from ..toolbox import Attribute, Lookup, make_lookup
from ..words import NameKind, Split, draw_date, draw_decimal, draw_name, draw_number, draw_whole, pseudo_word
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

_SPECIFIC: dict[str, tuple[str, ...]] = {
    "price": ("[What does|How much does] [a|the|one] {a} cost?", "[How much|What] is [the|a] {a}?", "[How expensive|How dear] is the {a}?", "Price of {a}[?|]", "What do you charge for the {a}?"),
    "cost": ("[What does|How much does] [a|the|one] {a} cost?", "[How much|What] is the cost of [the|a|] {a}?", "Cost of {a}[?|]", "What would one {a} set me back?"),
    "weight": ("[How heavy|What] is [the|a] {a}['s weight|]?", "[How much|What] does [the|a|one] {a} weigh?", "Weight of [the|] {a}[?|]", "What does the scale show for the {a}?"),
    "stock": ("[How many|What number of] {a} [units|pieces|] [do we have|are in stock|are left|are there]?", "[What is|What's] the stock of {a}?", "How much {a} is in stock?", "Count of {a} on the shelf?"),
    "population": ("[How many people|How many inhabitants] [live in|are in|does] {a}[| have]?", "[What is|What's|How big is] the population of {a}?", "Population of {a}[?|]", "How many live in {a}?"),
    "distance": ("[How far|How many {u}] is [it to|] {a}[| away]?", "[What is|What's] the distance to {a}?", "Distance to {a}[?|]", "How long is the way to {a}?"),
    "salary": ("[How much|What] does {a} [earn|make|get paid]?", "[What is|What's] {a}'s salary?", "[What is|What's] the salary of {a}?", "How well is {a} paid?"),
    "age": ("How old is {a}?", "[What is|What's] the age of {a}?", "[What is|What's] {a}'s age?", "How many years old is {a}?"),
    "score": ("[How many points|What score] [does|did] {a} [have|get]?", "[What is|What's] {a}'s score?", "[What is|What's] the score of {a}?", "How did {a} score?"),
    "balance": ("[How much|What] [money|] [does {a} have|is in {a}'s account]?", "[What is|What's] {a}'s balance?", "[What is|What's] the balance of {a}?", "How much money has {a} got?"),
    "total": ("[How much|What] [is|was] order {a}?", "[What is|What's] the total of order {a}?", "Total of [order|] {a}[?|]", "What did order {a} come to?"),
    "temperature": ("[How warm|How hot|How cold] is it in {a}?", "[What is|What's] the temperature in {a}?", "Temperature in {a}[?|]", "How many degrees does {a} have?"),
    "rent": ("[What is|What's|How much is] the rent in {a}?", "[How much|What] rent do [people|you] pay in {a}?", "Rent in {a}[?|]", "What does a flat in {a} cost to rent?"),
    "visitors": ("How many [visitors|people] [came to|visited|visit] {a}?", "[What is|Find] the number of visitors of {a}?", "Visitors in {a}[?|]", "How many went to see {a}?"),
    "calories": ("How many calories [does|has|are in] [a|the|one] {a}[| have]?", "[What are|Find] the calories of [a|the|] {a}?", "Calories of {a}[?|]", "How much energy is in a {a}?"),
    "speed": ("How fast is the {a}?", "[What is|What's] the [top|] speed of the {a}?", "Speed of the {a}[?|]", "How quickly does the {a} go?"),
    "hours": ("How many hours did {a} work?", "[What are|Find] {a}'s hours?", "Hours of {a}[?|]", "How long has {a} worked?"),
    "sales": ("[How much|What] did {a} sell?", "[What are|Find] {a}'s sales?", "Sales of {a}[?|]", "What has {a} sold?"),
    "debt": ("[How much|What] does {a} owe?", "[What is|What's] {a}'s debt?", "Debt of {a}[?|]", "How much is {a} in the red?"),
    "status": ("[What is|What's] the status of [order|] {a}?", "[Where is|How is] order {a}?", "Status of [order|] {a}[?|]", "What happened to order {a}?"),
    "customer": ("Who [placed|made|is the customer of] order {a}?", "[Which|What] customer has order {a}?", "Customer of order {a}[?|]", "Whose is order {a}?"),
    "department": ("[Which|What] department [is {a} in|does {a} work in]?", "Where does {a} work?", "{a}'s department[?|]", "In what part of the firm is {a}?"),
    "mayor": ("Who is the mayor of {a}?", "[Find|Tell me] the mayor of {a}.", "Mayor of {a}[?|]", "Who runs {a}?"),
    "colour": ("[What|Which] [color|colour] is the {a}?", "[What is|What's] the [color|colour] of the {a}?", "Colour of the {a}[?|]", "How is the {a} painted?"),
    "material": ("What is the {a} made of?", "[What is|What's] the material of the {a}?", "Material of the {a}[?|]", "Of what stuff is the {a}?"),
    "birthday": ("When is {a}'s birthday?", "When was {a} born?", "[What is|Find] the birthday of {a}?", "On what date was {a} born?"),
    "due date": ("When is [invoice|] {a} due?", "[What is|Find] the due date of {a}?", "Due date of {a}[?|]", "By when must {a} be paid?"),
    "hire date": ("When [was {a} hired|did {a} start]?", "[What is|Find] the hire date of {a}?", "Since when is {a} with us?", "When did {a} join?"),
    "amount": ("[How much|What] [is|was] invoice {a}?", "[What is|What's] the amount of invoice {a}?", "Amount of [invoice|] {a}[?|]", "What does invoice {a} say?"),
}  # fmt: skip

_SINGLE = (
    "[What is|What's|Look up|Find|Get|Tell me|Give me] the {label} of {a}?",
    "[What is|What's|Give me] {a}'s {label}?",
    "{label} of {a}[?|]",
    "[I need|We need|Check] the {label} [of|for] {a}[.|]",
    "[Which|What] {label} does {a} have?",
    "[Can you|Could you] [tell me|find|check|look up] the {label} [of|for] {a}?",
    "[I want to know|Do you know|I forgot] the {label} of {a}[.|]",
    "what's the {label} for {a}",
    "Please look up the {label} for {a}.",
    "{a}: what {label} is on record?",
)
_TIMES = (
    "[What is|What's|Find] {n} times the {label} of {a}?",
    "[Multiply|Take] the {label} of {a} [by|times] {n}[.|]",
    "[What|How much] [is|would be] the {label} of {a} [multiplied by|times] {n}?",
    "[What is|Find] the {label} of {n} {many_a} [in total|together|altogether]?",
    "If the {label} of {a} were {n} times as large, what would it be?",
)
_TIMES_MONEY = (
    "[How much|What] [do|would] {n} {many_a} cost?",
    "[How much|What] [is|are] {n} {many_a}?",
    "[I|We|{who}] [want|need|buy|order] {n} {many_a}. [What is the total|How much is that|What's the price|What do I pay]?",
    "[Total|Price|Cost] [of|for] {n} {many_a}[?|]",
    "[What do I pay|What's the bill|What is the total] for {n} {many_a}?",
    "[Find|Work out|Calculate] the [price|cost|total] of {n} {many_a}.",
    "[How much|What] would it cost [me|us|{who}|] to [buy|get|order] {n} {many_a}?",
    "[I'd like|We'd like|{who} would like|Please order] {n} {many_a}[. What will I pay|. How much will it be|; what's the total|, how much is it]?",
    "[Can you|Could you|Please] [give me|tell me|work out] [the price|the cost|the total] [of|for] {n} {many_a}[?|]",
    "[Our|The] [school|office|team|club] needs {n} {many_a}. [What is the cost|What should we budget|How much money is that]?",
    "How much [money|] do I need for {n} {many_a}?",
    "If {who} takes {n} {many_a}, what will be charged?",
)
_TIMES_SALARY = (
    "[How much|What] does {a} [earn|make|get] in {n} [months|years]?",
    "{a} works here for {n} [months|years]. [What is paid in all|How much is that in total]?",
    "[What is|Find] {a}'s salary times {n}?",
    "Over {n} pay days, what does {a} receive?",
)
_DIVIDE = (
    "[Divide|Split] the {label} of {a} [by|into] {n}[.|]",
    "[What is|What's] the {label} of {a} divided by {n}?",
    "[What is|What's] {a}'s {label} [split|shared] [between|among] {n} [people|]?",
    "One {n}th share of the {label} of {a}: how much?",
)
_PERCENT = (
    "[What is|How much is|Find] {p}[%| percent] of the {label} of {a}?",
    "[Take|Give me] {p}% of [the {label} of {a}|{a}'s {label}][.|]",
    "{p}% of {a}'s {label}[?|]",
    "Of the {label} of {a}, how much is {p} percent?",
)
_LESS = (
    "[What is|How much is] the {label} of {a} [less|minus|reduced by|after a reduction of] {p}[%| percent]?",
    "[What|How much] is the {label} of {a} [with|at|after] [a|] {p}% [discount|off]?",
    "[There is|I have] [a|] {p}% [discount|off]. [What is the {label} of {a} then|What does that make the {label} of {a}]?",
    "Take {p} percent off the {label} of {a}.",
)
_MORE = (
    "[What is|How much is] the {label} of {a} [plus|with|increased by|after a rise of] {p}[%| percent]?",
    "[What|How much] [is|would be] the {label} of {a} with {p}% [tax|VAT|more|on top]?",
    "[If|Suppose] the {label} of {a} [rises|grows|goes up] by {p}%, what is it?",
    "Raise the {label} of {a} by {p} percent.",
)
_PLUS = (
    "[What is|Find] the {label} of {a} plus {k}?",
    "[Add|] {k} [to|more than] the {label} of {a}[.|: how much?]",
    "[What|How much] is the {label} of {a} [plus|with] [a fee of|shipping of|another|an extra] {k}?",
    "With {k} on top, what's the {label} of {a}?",
)
_MINUS = (
    "[What is|Find] the {label} of {a} minus {k}?",
    "[Subtract|Take] {k} from the {label} of {a}[.|]",
    "[What|How much] of the {label} of {a} [is left|remains] after [taking|using] {k}?",
    "Lower the {label} of {a} by {k}.",
)
_CHANGE = (
    "[I|{who}] [pay|pays] with {k} for [a|one|the] {a}. [How much change|What change] [is due|do I get|comes back]?",
    "[What|How much] is left of {k} after [buying|paying for] [a|one|the] {a}?",
    "[Change|What remains] from {k} for [a|one|the] {a}?",
    "I have {k}. After buying the {a}, what remains?",
)
_SUM = (
    "[What is|What's|Find] the [total|combined|] {label} of {a} and {b}[ together|]?",
    "[Add|Sum] the {label}[s|] of {a} and {b}[.|]",
    "[What is|How much is] the {label} of {a} plus the {label} of {b}?",
    "{label}[s|] of {a} and {b} [together|in total|added][?|]",
    "{a} and {b}: what's their {label} in all?",
)
_SUM_MONEY = (
    "[How much|What] [are|is|do I pay for] [a|one|the] {a} and [a|one|the] {b} [together|in total|]?",
    "[I|We|{who}] [buy|need|want] [a|one|the] {a} and [a|one|the] {b}. [What is the total|How much is that|What do I pay]?",
    "[Total|Price] for {a} and {b} [together|][?|]",
    "[How much|What] [money|] do I need [for|to buy] [a|one|the] {a} and [a|one|the] {b}?",
    "[I|{who}] [picked|took|ordered] [a|one|the] {a} and [a|one|the] {b}[. What's the bill|. How much altogether|; what do they cost together]?",
    "If I take {a} plus {b}, what's the bill?",
)
_DIFFERENCE = (
    "[What is|What's|Find] the difference [in|of] {label} [between|of] {a} and {b}?",
    "[How much|By how much] [greater|larger|higher|more] is the {label} of {a} than [that|the {label}] of {b}?",
    "[Subtract|Take] the {label} of {b} from [that|the {label}] of {a}[.|]",
    "[What is|How much is] the {label} of {a} minus the {label} of {b}?",
    "[How much|] [more|bigger|greater] is {a}'s {label} than {b}'s?",
    "Compare the {label} of {a} and {b}: what's the difference?",
    "{label}: {a} minus {b}[?|]",
    "By what margin does {a} beat {b} in {label}?",
)
_RATIO = (
    "[How many times|What multiple of] the {label} of {b} is [that|the {label}] of {a}?",
    "[What is|Find] the ratio of the {label} of {a} to [that|the {label}] of {b}?",
    "Divide the {label} of {a} by [that|the {label}] of {b}[.|]",
    "{a}'s {label} over {b}'s {label}: how much?",
)
_MEAN = (
    "[What is|What's|Find] the [average|mean] {label} of {a} and {b}?",
    "[Average|Mean] the {label}[s|] of {a} and {b}[.|]",
    "[Average|Mean] {label}: {a} and {b}[?|]",
    "On average, what {label} do {a} and {b} have?",
)
_BASKET = (
    "[How much|What] [are|do I pay for|is the total for] {n} {many_a} and {m} {many_b}?",
    "[I|We|{who}] [buy|order|need|want] {n} {many_a} and {m} {many_b}. [What is the total|How much is that|What do I pay|What's the bill]?",
    "[Total|Price|Cost] [of|for] {n} {many_a} [plus|and] {m} {many_b}[?|]",
    "{n} {many_a} plus {m} {many_b}, [how much|what do they cost]?",
    "[How much|What] would [it cost|I pay] [to buy|for] {n} {many_a} and {m} {many_b}?",
    "[I'd like|Please order|{who} would like] {n} {many_a} and {m} {many_b}[. What will it cost|; what's the total|. How much is it]?",
    "Charge {who} for {n} {many_a} along with {m} {many_b}; how much?",
)
_CONVERTED = (
    "[What is|What's|Find] the {label} of {a} in {v}?",
    "[Give|Tell] me the {label} of {a} [in|converted to] {v}[.|]",
    "{label} of {a} in {v}[?|]",
    "How many {v} is the {label} of {a}?",
)
_WORTH = (
    "[What is|How much is] [our|the] stock of {a} worth?",
    "[What is|Find] the value of all {a} in stock?",
    "[What|How much] [would|do] all our {a} [cost|sell for] together?",
    "[Multiply|Take] the price of {a} [by|times] its stock[.|]",
    "Value our whole stock of {a}.",
)
_EARNED = (
    "[How much|What] did {a} earn?",
    "[What is|Find] the pay of {a}, [hours times rate|rate times hours]?",
    "[What do we owe|How much do we owe|What must we pay] {a} for the hours worked?",
    "Multiply the hours of {a} by the hourly rate[.|]",
    "Pay {a} for the hours: how much?",
)
_OVER = (
    "[What is|Find] the {label} of {a} [divided by|per] the {other}?",
    "[What is|Find] the ratio of {label} to {other} [of|for|in] {a}?",
    "Divide the {label} of {a} by its {other}[.|]",
    "{a}: {label} over {other}?",
)
_BOTH = (
    "[What is|Find] the {label} plus the {other} of {a}?",
    "[Add|Sum] the {label} and the {other} of {a}[.|]",
    "{label} and {other} of {a} [together|in total][?|]",
    "For {a}, what do {label} and {other} come to?",
)
_TRAVEL = (
    "[How long|How many hours] [does it take|is the drive|do I drive] to {a} at {n} km/h?",
    "[I|{who}] [drive|drives] to {a} at {n} km/h. [How many hours is that|How long does it take]?",
    "At {n} km/h, how long to {a}?",
    "With a speed of {n} km/h, in how many hours am I in {a}?",
)
_THERE_AND_BACK = (
    "[How far|How many {u}] is it to {a} and back?",
    "[What is|Find] the [return|round] trip distance to {a}?",
    "[I|{who}] [drive|drives|go|goes] to {a} and back. [How far is that|What distance is that]?",
    "There and back to {a}: how far?",
)
_AFTER = (
    "[What|Which] date is {n} {unit} after the {label} of {a}?",
    "[Add|Count] {n} {unit} [to|from] the {label} of {a}[.|]",
    "{n} {unit} after {a}'s {label}[?|]",
    "Go {n} {unit} past the {label} of {a}: which date?",
)
_SINCE = (
    "[How many|] days [are there|] [between|from] the {label} of {a} [and|to] {d}?",
    "[How many|What number of] days [passed|are there] from {a}'s {label} [to|until] {d}?",
    "[Today is|It is] {d}. [How many days ago was|How long ago in days was] the {label} of {a}?",
    "Until {d}, how many days since the {label} of {a}?",
)
_OWN = (
    "[What is|What's|How much is|Tell me|Show] my {label}?",
    "[I need|I want to know|Can you check] my {label}[.|?]",
    "my {label} [please|]",
    "Could you look up what my {label} is?",
)
_LINKED = (
    "[What is|What's|Find] the {label} of {a}'s {link}?",
    "[What is|What's|Look up] the {label} of the {link} of {a}?",
    "[Who is|Find] the {link} of {a}, and what is [their|that one's] {label}?",
    "[I need|Give me|Tell me] the {label} of [the {link} of {a}|{a}'s {link}][.|]",
    "{a} has a {link}; give that one's {label}.",
)
_LINKS: dict[str, tuple[str, ...]] = {
    "person": ("manager", "boss", "partner", "mentor", "deputy", "supervisor", "assistant", "neighbour"),
    "item": ("replacement", "successor", "alternative", "refill", "spare part", "accessory"),
    "place": ("capital", "twin town", "main port", "nearest city", "county seat"),
    "code": ("follow-up", "reference", "parent order", "successor"),
}


def draw_attribute(scene: Scene) -> Attribute:
    """One of the attributes, or one with an invented label."""
    if scene.rng.random() < 0.25:
        about: NameKind = scene.rng.choice(("item", "place", "person", "code"))
        arguments = {"item": _ITEM, "place": _PLACE, "person": _PERSON, "code": _CODE}[about]
        return Attribute(pseudo_word(scene.rng), about, arguments, _small, ("", "points", "units"))
    return scene.rng.choice(ATTRIBUTES)


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
    scene.use(source.tool, {"name": name})
    return value


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
    patterns = _SPECIFIC.get(source.attribute.label, _SINGLE) if scene.rng.random() < 0.6 else _SINGLE
    return Asked(word(scene, patterns, _slots(scene, source, name), [name]), fetch(scene, source, name))


def _ask_day(scene: Scene) -> Asked:
    """A look-up of a day, then the day itself, one so much later, or the days up to another."""
    rng = scene.rng
    source = lookup(scene, rng.choice(DAYS))
    name = draw_name(rng, source.attribute.about, scene.settings.names)
    slots = _slots(scene, source, name)
    if scene.answer_type == "str" and rng.random() < 0.6:
        if rng.random() < 0.4:
            patterns = _SPECIFIC.get(source.attribute.label, _SINGLE) if rng.random() < 0.6 else _SINGLE
            return Asked(word(scene, patterns, slots, [name]), fetch(scene, source, name))
        unit = rng.choice(("days", "weeks"))
        slots["unit"] = unit
        question = word(scene, _AFTER, slots, [name])
        return Asked(question, shift(scene, fetch(scene, source, name), unit, int(slots["n"])))
    value = fetch(scene, source, name)
    later = (date.fromisoformat(value) + timedelta(days=rng.randint(2, 4000))).isoformat()
    question = word(scene, _SINCE, slots | {"d": later}, [name])
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
    if patterns is _OWN:
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
    (_WORTH, "price", "stock", "{r}*{s}"),
    (_WORTH, "price", "stock", "{r}*{s}"),
    (_EARNED, "hours", "hourly rate", "{r}*{s}"),
    (_OVER, "population", "area", "{r}/{s}"),
    (_OVER, "sales", "hours", "{r}/{s}"),
    (_OVER, "total", "quantity", "{r}/{s}"),
    (_BOTH, "salary", "bonus", "{r}+{s}"),
    (_BOTH, "total", "fee", "{r}+{s}"),
    (_BOTH, "hotel price", "ticket price", "{r}+{s}"),
    (_TRAVEL, "distance", "", "{r}/{n}"),
    (_THERE_AND_BACK, "distance", "", "{r}*2"),
    (_OWN, "balance", "", ""),
    (_OWN, "salary", "", ""),
    (_OWN, "score", "", ""),
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
        question = word(scene, _CONVERTED, slots, [name, slots["v"], source.unit])
        return with_rounding(
            scene, question, convert(scene, fetch(scene, source, name), source.unit, slots["v"])
        )
    patterns = _SPECIFIC.get(attribute.label, _SINGLE) if rng.random() < 0.6 else _SINGLE
    shown = _misspelt(rng, name) if rng.random() < 0.2 else name
    question = word(scene, patterns, slots | {"a": shown}, [shown])
    return Asked(question, fetch(scene, source, name, shown))


def _ask_one(scene: Scene, source: Lookup, name: str) -> Asked:
    """One look-up, one sum."""
    slots, label = _slots(scene, source, name), source.attribute.label
    times = _TIMES_MONEY if _is_money(source.attribute) else _TIMES_SALARY if label == "salary" else _TIMES
    forms = [
        (times, "{r}*{n}"),
        (times, "{r}*{n}"),
        (_DIVIDE, "{r}/{n}"),
        (_PERCENT, "{p}% * {r}"),
        (_LESS, "{r}*(1-{p}%)"),
        (_MORE, "{r}*(1+{p}%)"),
        (_PLUS, "{r}+{k}"),
        (_MINUS, "{r}-{k}"),
    ]
    if _is_money(source.attribute):
        forms.append((_CHANGE, "{k}-{r}"))
    patterns, expression = scene.rng.choice(forms)
    question = word(scene, patterns, slots, [name, slots["many_a"], slots["who"]])
    value = fetch(scene, source, name)
    return with_rounding(scene, question, calculate(scene, expression.format(r=value, **slots)))


def _ask_two(scene: Scene, source: Lookup, name: str, other: str) -> Asked:
    """Two look-ups of one kind, one sum."""
    while other == name:
        other = draw_name(scene.rng, source.attribute.about, scene.settings.names)
    slots = _slots(scene, source, name) | {"b": other, "many_b": _many(scene, source, other)}
    forms = [(_SUM, "{r}+{s}"), (_DIFFERENCE, "{r}-{s}"), (_RATIO, "{r}/{s}"), (_MEAN, "({r}+{s})/2")]
    if _is_money(source.attribute):
        forms += [(_SUM_MONEY, "{r}+{s}"), (_BASKET, "{n}*{r}+{m}*{s}"), (_BASKET, "{n}*{r}+{m}*{s}")]
    patterns, expression = scene.rng.choice(forms)
    question = word(scene, patterns, slots, [name, other, slots["many_a"], slots["many_b"], slots["who"]])
    first, second = fetch(scene, source, name), fetch(scene, source, other)
    return with_rounding(scene, question, calculate(scene, expression.format(r=first, s=second, **slots)))


def _ask_linked(scene: Scene, source: Lookup, name: str) -> Asked:
    """A record that names another, which is then looked up."""
    rng, kind = scene.rng, source.attribute.about
    link = rng.choice(_LINKS[kind])
    to = lookup(scene, Attribute(link, kind, source.attribute.arguments, source.attribute.draw))
    other = draw_name(rng, kind, scene.settings.names)
    slots = _slots(scene, source, name) | {"link": link}
    question = word(scene, _LINKED, slots, [name])
    other = to.add(name, other)
    scene.use(to.tool, {"name": name})
    return Asked(question, fetch(scene, source, other))
