"""Word problems put together from clauses: who does what with how many, in one order or another.

Where the lists of `arithmetic` and `stories` give whole sentences, these give parts of sentences that are
combined freely, so that the same sum is told in hundreds of ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from ..words import Split, draw_number, draw_whole
from .problem import Problem, Slot, money, number, percent, person, place, plural, whole

_HAS = "[has|owns|keeps|holds|starts with|began with|had|counts|counted]"
_GETS = "[gets|got|finds|found|buys|bought|receives|wins|won|collects|makes|adds|added|is given|was given|brings in]"
_GIVES = "[gives away|gave away|sells|sold|loses|lost|uses|used|eats|drops|donates|hands out|throws away|lends|breaks]"
_NOW = "[How many {item} does {who} have [now|then|in the end|after that|]|How many {item} are there [now|then|]|What is the [new|final|] [count|number|total]|How many is that|What's left in the end|What number of {item} [remains|is it]]?"
_OWNER = "[{who}|[The|Our|A] [shop|school|museum|library|club|farm|garage|kitchen|store|depot|zoo|hotel]|My [sister|uncle|neighbour|boss|son|friend]]"
_THEN = "[, then| and| and then|. Then {who}|. Later {who}|. After that {who}|, but|. On Friday {who}|. The next day {who}]"
_HOLDERS = "[boxes|bags|crates|packs|rows|shelves|trays|baskets|drawers|tables|rooms|trucks|pages|cartons|teams|buses]"
_EACH = "[each|in each|in every one|apiece|per piece]"
_ASK_TOTAL = "[How much|What] [is that [in all|altogether|in total|together|]|does that make|does it come to|do they have to pay|is the total|must be paid|is the bill|will it be]?"
_ASK_COST = "[What [does|will|would] [it|that|this|everything|the lot] cost [in all|altogether|in total|together|]|How much [is|will be] [it|that|the total|due|charged]|What is the [total|bill|price|sum]|How much do I [need|owe|pay]|What must be paid]?"
_PRICED = "[[One|Each|Every one|A single one] [costs|is|sells for|goes for] {p}|The price [of one|for each|] is {p}|They [cost|are|go for] {p} [each|apiece|a piece]|[At|For] {p} [each|apiece]]"
_PAYS = "[pays|spends|paid|spent|puts down]"
_BUYS = "[buys|takes|orders|gets|wants|needs|bought|ordered|chose|picks]"
_KEEPS = "[are left|remain|are still there|does {who} keep|are not gone]"

_COUNTS: Mapping[str, Slot] = {
    "a": whole(20, 2500),
    "b": whole(2, 600),
    "c": whole(2, 300),
    "item": plural,
    "who": person,
}


def _count_problems() -> list[Problem]:
    """Counts that go up and down, by one to three moves."""
    shapes = (("+",), ("-",), ("+", "-"), ("-", "+"), ("-", "-"), ("+", "+"))
    return [_count_problem(signs) for signs in shapes]


def _count_problem(signs: Sequence[str]) -> Problem:
    moves = [
        f"{_GETS if sign == '+' else _GIVES} {{{name}}}" for sign, name in zip(signs, "bc", strict=False)
    ]
    more = " [more|of them|]" if len(moves) == 1 else ""
    told = f"{_THEN} ".join(moves) + more
    noun = "{a} {item}"
    change = [f"{'come in' if sign == '+' else 'go out'}" for sign in signs]
    expression = "{a}" + "".join(f"{sign}{{{name}}}" for sign, name in zip(signs, "bc", strict=False))
    flow = ", ".join(f"{{{name}}} {way}" for name, way in zip("bc", change, strict=False))
    return Problem(expression, _COUNTS, (
        f"{{who}} {_HAS} {noun} and {told}. {_NOW}",
        f"{{who}} {_HAS} {noun}{_THEN} {told}. {_NOW}",
        f"{_OWNER} {_HAS} {noun}. [Today|This week|Yesterday|In May|Then|] [it|that place|{{who}}] {told}. {_NOW}",
        f"[There were|There are|I see|We counted] {noun} [at first|in the morning|on Monday|]; {flow}. {_NOW}",
        f"[How many {{item}}|What] [will|does] {{who}} have [left|in the end|] if {{who}} {_HAS} {noun} and {told}?",
        f"[Of|With] {noun} to begin with, {{who}} {told}. {_NOW}",
        f"{noun}: {flow}. {_NOW}",
        f"At the start of the day it was {noun}; by night {flow}. What is the tally?",
    ))  # fmt: skip


_SOLD: dict[str, Slot] = {"n": whole(2, 300), "m": whole(2, 300), "p": money(1, 90), "q": money(1, 90), "item": plural, "other": plural, "who": person, "a": whole(300, 9000), "c": money(1, 200), "k": whole(2, 30), "d": percent}  # fmt: skip

TALES: tuple[Problem, ...] = (
    *_count_problems(),
    Problem("({n}+{m})*{p}", _SOLD, (
        f"{_OWNER} [sold|sells|rented out] {{n}} {{item}} [on Monday|first|in June|last week] and {{m}} [on Tuesday|later|in July|this week]. {_PRICED}. [How much money is that|What was taken in|What are the takings|How much was earned]?",
        f"{{n}} [adults|members|boys|students] and {{m}} [children|guests|girls|teachers] [go|travel|come|want to go] [to the show|to the pool|by train|to the game|]. {_PRICED}. {_ASK_TOTAL}",
        f"[I|We|{{who}}] {_BUYS} {{n}} {{item}} and {{m}} more [later|for a friend|for the office]. {_PRICED}. {_ASK_COST}",
        "All {item} cost {p}, [the {n} old ones|{n} small ones] as well as [the {m} new ones|{m} large ones]. [What are they worth|What do they cost] [together|in all]?",
        "First {n}, then {m} {item} went for {p} apiece. What sum is that?",
    )),
    Problem("{n}*{p}+{m}*{q}", _SOLD, (
        f"[Adults|Members|Grown-ups] pay {{p}}, [children|guests|kids] {{q}}. [We are|There are|A group of|{{who}} comes with] {{n}} [adults|members|grown-ups] and {{m}} [children|guests|kids]. {_ASK_TOTAL}",
        f"{{n}} {{item}} [at|for|costing] {{p}} and {{m}} {{other}} [at|for|costing] {{q}} [are bought|are ordered|go into the cart|]. {_ASK_COST}",
        f"[I|We|{{who}}] {_BUYS} {{n}} {{item}} [that cost|priced at|for] {{p}} each, and also {{m}} {{other}} [that cost|priced at|for] {{q}} each. {_ASK_COST}",
        f"{{item}} are {{p}} [each|], {{other}} {{q}}. [I|We|{{who}}] {_BUYS} {{n}} of the first and {{m}} of the second. {_ASK_COST}",
        "{who} is paid {p} for {n} hours and {q} for {m} hours. [What does {who} get|How much is that|What's the pay]?",
        "The order lists {n} pieces at {p} and {m} at {q}; what does it add up to?",
    )),
    Problem("{n}*{p}+{q}", _SOLD, (
        f"[I|We|{{who}}] {_BUYS} {{n}} {{item}} at {{p}} [each|apiece] and [one|a|another] [book|lamp|cake|ticket|map|pen] for {{q}}. {_ASK_COST}",
        f"{{n}} {{item}} cost {{p}} each, and [there is|I pay|comes] {{q}} for [delivery|wrapping|insurance|the case]. {_ASK_COST}",
        "[A|The] [contract|plan|rental|course] is {p} [a month|a week|a day] and {q} [to sign up|at the start|once]. [What do|How much are] {n} [months|weeks|days] [of it|] [cost|in all]?",
        f"[With|Besides] a [fee|tip|deposit] of {{q}}, {{n}} {{item}} at {{p}} [each|]. {_ASK_COST}",
        "{q} for the box and {p} for each of its {n} {item}: what does it cost?",
    )),
    Problem("{n}*{p}-{c}", _SOLD, (
        f"[I|We|{{who}}] {_BUYS} {{n}} {{item}} at {{p}} [each|apiece] and [have|has|use|uses] a [voucher|coupon|gift card] [of|for|worth] {{c}}. {_ASK_COST}",
        "{n} [people|members|students] [pay|give|put in] {p} [each|apiece], and {c} [is spent|goes out|is used up]. [What is left|How much is left over|How much remains]?",
        "{who} sells {n} {item} for {p} each; the [stand|material|permit] costs {c}. [What is the profit|What does {who} keep|What's gained]?",
        "From the sale of {n} {item} at {p}, {c} must be handed over. [What stays|How much is kept]?",
        "After a rebate of {c}, what is the price of {n} {item} that cost {p} each?",
    )),
    Problem("{a}-{p}-{q}", _SOLD, (
        "[I|{who}] [have|had|took|took along] {a} and [pay|paid|spend|spent] {p} for [one of the {item}|lunch|the ticket|a book] and {q} for [the other|dinner|the ride|a pen]. [What is left|How much is left|How much money remains]?",
        "[My|Our|The] [budget|income|account] [is|shows|has] {a}. [Off go|We pay|I pay|Take away] {p} and {q}. [What is left|How much remains|What is the balance]?",
        "Out of {a}, {p} goes [to rent|to food|to {who}] and {q} [to fuel|to tax|to savings]. [And the rest|What is the rest|How much is left]?",
        "How much of {a} is there still, once {p} and {q} are spent?",
    )),
    Problem("{a}-({n}*{p}+{q})", _SOLD | {"a": whole(3000, 30000)}, (
        "[I|{who}] [have|has|had] {a} and [buy|buys|bought] {n} {item} at {p} [each|apiece] and [a|one] [chair|phone|coat] for {q}. [How much is left|What is left|What remains]?",
        "[With|From|Out of] {a}, {n} {item} at {p} and [one more thing|a lamp|a bag] at {q} are paid. [How much is left|What remains|What is the change]?",
        "[A|The] purse of {a} must cover {n} {item}, {p} each, plus {q} for the [bus|taxi]. [What is left|How much is left]?",
        "What is over from {a} after {n} times {p} and once {q}?",
    )),
    Problem("({p}+{q})*{n}", _SOLD, (
        "[Each|Every|One] [set|kit|meal|guest|pack] [needs|has|takes|gets] [a part|one thing] for {p} and [another|one] for {q}. [What do|How much are] {n} [sets|kits|meals|guests|packs] [cost|]?",
        f"[Lunch|The ticket|A bed] is {{p}} and [dinner|the meal|breakfast] {{q}} [per person|a head|each]. {{n}} [people|of us|friends] [go|come|join]. {_ASK_TOTAL}",
        "[I|{who}] [pay|pays] {p} [rent|for the bus] and {q} [for power|for food] [a month|a day|a week]. [What is that|How much] in {n} [months|days|weeks]?",
        "{n} times both {p} and {q}, what is the sum?",
    )),
    Problem("{n}*{m}+{k}", _SOLD, (
        f"[There are|We have|{{who}} has|I count] {{n}} {_HOLDERS} [of|with] {{m}} {{item}} {_EACH} and {{k}} [loose ones|more|single ones|left over]. [How many {{item}} are there|How many is that|What is the total number]?",
        f"{{n}} {_HOLDERS} hold {{m}} {{item}} {_EACH}; {{k}} {{item}} [lie|stand] [beside them|on the floor]. [How many in all|What is the total|How many {{item}} are there]?",
        "{who} packs {m} {item} into each of {n} [boxes|bags] and has {k} left. How many [{item}|] were there?",
        f"Besides {{k}} single {{item}} there are {{n}} {_HOLDERS} of {{m}}. How many together?",
        "{k} and {n} times {m} {item}: what number is that?",
    )),
    Problem("{n}*{m}-{k}", _SOLD, (
        f"[There are|We have|{{who}} has|A hall has] {{n}} {_HOLDERS} [of|with] {{m}} {{item}} {_EACH}, but {{k}} [are broken|are missing|are taken|were sold]. [How many {{item}} {_KEEPS}|How many are left|What number is left]?",
        "{n} [rows|rooms|buses] have {m} [seats|beds|places] each, {k} [are taken|are full|are booked]. How many are [free|left|still free]?",
        "{who} bakes {n} trays of {m} [rolls|buns|pies] and {k} [burn|are eaten]. How many [are left|remain|can be sold]?",
        f"Out of {{n}} {_HOLDERS} with {{m}} {{item}} {_EACH} {{k}} are lost. [What is left|How many remain]?",
        "With {k} gone from {n} lots of {m}, what number is it?",
    )),
    Problem("{n}*{m}/{k}", _SOLD, (
        f"{{n}} {_HOLDERS} [of|with] {{m}} {{item}} {_EACH} are [shared|split|divided] [among|between|by] {{k}} [people|children|shops|teams]. [How many does each get|How many each|What is a share]?",
        "{who} has {n} [bags|packs] of {m} {item} and [fills|makes] {k} [equal|] [bowls|heaps|parcels]. How many [go|are] in [each|one]?",
        "{n} [workers|machines] need {m} hours. [How long do|How many hours do] {k} [workers|machines] need?",
        "Put {m} {item} from each of {n} boxes into {k} rows: how many in a row?",
    )),
    Problem("{a}/{k}*{n}", _SOLD, (
        "{k} {item} [cost|weigh|make|hold] {a}. [What|How much] [do|would] {n} [of them|{item}|such {item}] [cost|weigh|make|hold]?",
        "[In|Within] {k} [hours|days|weeks] {who} [makes|earns|walks|reads] {a}. [What|How much|How many] [is it|is that] in {n} [hours|days|weeks]?",
        "If {a} is [enough|needed|used] for {k} [people|days|rooms], [what|how much] is [enough|needed|used] for {n}?",
        "[A|The] [recipe|mix] for {k} [people|loaves] takes {a} g. [How much|What] does one for {n} take?",
        "{a} per {k} {item}: what for {n}?",
    )),
    Problem("{a}/{k}-{a}/{n}", {"a": whole(200, 9000), "k": whole(2, 12), "n": whole(13, 40)}, (
        "{a} is shared by {k} people [first|] and then by {n}. How much less [is a share|does each get]?",
        "[What is|Find] {a} divided by {k} minus {a} divided by {n}?",
        "One share of {a} among {k}, less one share among {n}: [how much|what is it]?",
        "By how much does a {k}th of {a} exceed a {n}th of it?",
    )),
    Problem("{x}/{f}", {"x": number(12, 9000, 0.2), "f": lambda rng, split: "2", "who": person, "item": plural}, (
        "[What is|How much is|Find|Give me] [half|one half|a half] [of|] {x}?",
        "{who} [gives away|spends|sells|eats] half of [the|] {x} [{item}|]. [How many|How much] is [that|left]?",
        "[Only|Just] half of {x} [people|seats|{item}] [came|are taken|are good]. How many [is that|are they]?",
        "A pack of {x} for half: what do I pay?",
    )),
    Problem("{x}/{f}", {"x": number(12, 9000, 0.2), "f": lambda rng, split: "3", "who": person, "item": plural}, (
        "[What is|How much is|Find|Give me] [a|one] third of {x}?",
        "{who} [gives away|spends|sells|eats] a third of [the|] {x} [{item}|]. [How many|How much] is that?",
        "[Only|Just] a third of {x} [people|seats|{item}] [came|are taken|are good]. How many [is that|are they]?",
        "Of {x} take one part in three.",
    )),
    Problem("{x}/{f}", {"x": number(12, 9000, 0.2), "f": lambda rng, split: "4", "who": person, "item": plural}, (
        "[What is|How much is|Find|Give me] a quarter of {x}?",
        "{who} [gives away|spends|sells|eats] a quarter of [the|] {x} [{item}|]. [How many|How much] is that?",
        "[Only|Just] a quarter of {x} [people|seats|{item}] [came|are taken|are good]. How many [is that|are they]?",
        "Of {x} take one part in four.",
    )),
    Problem("{x}*{g}/{f}", {"x": number(12, 9000, 0.2), "g": lambda rng, split: "3", "f": lambda rng, split: "4", "who": person, "item": plural}, (
        "[What is|How much is|Find|Give me] three quarters of {x}?",
        "[Three quarters|3/4] of [the|] {x} [people|seats|{item}] [came|are taken|are good]. How many [is that|are they]?",
        "A quarter of [the|] {x} {item} [is gone|was sold|is lost]. How many are left?",
        "Of {x} take three parts in four.",
    )),
    Problem("{x}*{g}/{f}", {"x": number(12, 9000, 0.2), "g": lambda rng, split: "2", "f": lambda rng, split: "3", "who": person, "item": plural}, (
        "[What is|How much is|Find|Give me] two thirds of {x}?",
        "[Two thirds|2/3] of [the|] {x} [people|seats|{item}] [came|are taken|are good]. How many [is that|are they]?",
        "A third of [the|] {x} {item} [is gone|was sold|is lost]. How many are left?",
        "Of {x} take two parts in three.",
    )),
    Problem("{h}*60+{m}", {"h": whole(2, 40), "m": whole(2, 59), "who": person}, (
        "[How many|What number of] minutes [are|is|are there in] {h} hours and {m} minutes?",
        "[The film|The flight|{who}'s shift|The trip] [takes|lasts|is] {h} hours and {m} minutes. [What is that in minutes|How many minutes is that]?",
        "{h} h {m} min in minutes[?|]",
        "Counting minutes only, how long are {h} hours {m}?",
    )),
    Problem("{h}*24", {"h": whole(2, 90), "who": person}, (
        "[How many|What number of] hours [are|are there in] {h} days?",
        "[The trip|The repair|The fair] [takes|lasts] {h} days. [What is that in hours|How many hours is that]?",
        "{h} days in hours[?|]",
        "{h} whole days, counted in hours?",
    )),
    Problem("{x}*{p}%*{n}", {"x": number(50, 9000, 0.2), "p": percent, "n": whole(2, 24), "who": person}, (
        "{who} puts {p}% of {x} aside every [month|week]. [How much|What] is [that|saved] after {n} [months|weeks]?",
        "[The|A] [rent|fee|wage] of {x} goes up by {p}%. [How much|What] [more|extra] is [that|paid] in {n} months?",
        "{p} percent of {x}, {n} times[?|: how much]",
        "[What|How much] do {n} [payments|rates] of {p}% of {x} [make|come to]?",
        "Over {n} rounds {p}% of {x} is taken each time. How much in all?",
    )),
    Problem("({a}+{b})*(1-{p}%)", {"a": money(2, 900), "b": money(2, 900), "p": percent, "item": plural, "who": person}, (
        "[I|{who}] [buy|took|order] [one thing|a coat|a game] for {a} and [another|a hat|a toy] for {b}, [with|and get|less] {p}% off [everything|the sum|both]. [What do I pay|How much is it|What is the total]?",
        "{a} and {b} [together|added up], [minus|less|reduced by] {p}%[?|: how much?]",
        "There is {p}% off [the whole cart|the bill] of {a} plus {b}. [What is due|What do I pay]?",
        "Take {p} percent off the sum of {a} and {b}.",
    )),
    Problem("({a}+{b})*(1+{p}%)", {"a": money(2, 900), "b": money(2, 900), "p": percent, "item": plural, "who": person}, (
        "[The|Our] [parts|drinks|meal] cost {a} and [labour|food|wine] {b}, [plus|and then comes] {p}% [tax|tip|service]. [What do we pay|How much is it|What is the total]?",
        "{a} and {b} [together|added up], [plus|with] {p}% [tax|tip|on top][?|: how much?]",
        "[{p}%|A tax of {p}%] is added to {a} plus {b}. [What is due|What do I pay]?",
        "Raise the sum of {a} and {b} by {p} percent.",
    )),
    Problem("{n}*{p}*(1+{d}%)", _SOLD, (
        f"[I|We|{{who}}] {_BUYS} {{n}} {{item}} at {{p}} [each|apiece], [plus|and on top comes] {{d}}% [tax|VAT]. {_ASK_COST}",
        "{n} {item} cost {p} each before {d}% tax. [What do they cost with tax|What is due]?",
        "[What is|How much is] {n} times {p} [with|plus] {d}% [tax|tip|on top]?",
        "{d}% VAT comes on {n} {item}, {p} net each. The gross sum?",
    )),
    Problem("{n}*{p}/{k}", _SOLD, (
        "{n} {item} at {p} [each|apiece] are paid by {k} [friends|people|flatmates] [together|in equal parts]. [What does each pay|How much each]?",
        "[I|{who}] [split|splits] the cost of {n} {item} at {p} [each|] [among|between] {k} [people|of us]. [What is a share|How much each]?",
        "{k} of us [order|buy] {n} {item} for {p} each and share the bill. [How much each|What does one pay]?",
        "One of {k} equal shares in {n} {item} at {p}: how much?",
    )),
    Problem("{a}*{b}-{c}*{d}", {"a": number(10, 90, 0.2), "b": number(10, 90, 0.2), "c": number(2, 9, 0.2), "d": number(2, 9, 0.2)}, (
        "[A|The] [garden|plot|wall] of {a} by {b} m has a [pond|shed|window] of {c} by {d} m [in it|]. [What area is left|How much area remains]?",
        "[What is|Compute|Find] {a} times {b} minus {c} times {d}?",
        "{a}*{b} - {c}*{d}[ = ?|]",
        "From a sheet {a} x {b} a piece {c} x {d} is cut. What's left over?",
    )),
    Problem("2*({a}+{b})*{p}", {"a": number(2, 90), "b": number(2, 90), "p": money(1, 90)}, (
        "[A|The] fence [round|around] a {a} by {b} m [garden|field|yard] costs {p} [a|per] meter. [What does it cost|How much is it|What is the total]?",
        "[Edging|Wire|A border] is {p} a metre. [How much|What] for a [plot|bed] {a} m long and {b} m wide, all round?",
        "{who} fences a {a} by {b} field at {p} a metre. The cost?".replace("{who}", "Someone"),
        "Walls round a {a} by {b} lot, {p} for every metre: what's the price?",
    )),
    Problem("({a}+{b}+{c}+{d}+{e})/5", {name: number(1, 900, 0.3) for name in "abcde"}, (
        "[What is|Find|Give me] the [average|mean] of {a}, {b}, {c}, {d} and {e}?",
        "[The|My] [five|] [results|runs|times|grades|days] [were|are] {a}, {b}, {c}, {d}, {e}. [What is the average|And the mean]?",
        "[Average|Mean]: {a}, {b}, {c}, {d}, {e}[?|]",
        "Level out {a}, {b}, {c}, {d} and {e}: what's the mean?",
    )),
    Problem("{a}+{a}+{b}", {"a": whole(5, 900), "b": whole(2, 200), "who": person, "other": person, "item": plural}, (
        "{who} has {a} {item}. {other} has {b} more. How many do they have together?",
        "{who} [sold|made|read] {a} and {other} {b} more than {who}. [How many|What] [is that|did they] in all?",
        "One [class|team|shelf] has {a} {item}, the other {b} more. [How many in both|How many together]?",
        "With {b} more than {who}, who has {a}, {other} joins in: how many have both?",
    )),
    Problem("{a}+{a}-{b}", {"a": whole(205, 900), "b": whole(2, 200), "who": person, "other": person, "item": plural}, (
        "{who} has {a} {item}. {other} has {b} fewer. How many do they have together?",
        "{who} [sold|made|read] {a} and {other} {b} less than {who}. [How many|What] [is that|did they] in all?",
        "One [class|team|shelf] has {a} {item}, the other {b} fewer. [How many in both|How many together]?",
        "With {b} less than {who}, who has {a}, {other} joins in: how many have both?",
    )),
    Problem("{a}*{k}", {"a": whole(5, 900), "k": whole(2, 20), "who": person, "other": person, "item": plural, "place": place}, (
        "{who} has {a} {item} and {other} [has|owns] {k} times as many. How many [{item}|] does {other} have?",
        "[A|The] [tower|tree|road] is {k} times as [high|long] as the [house|bush|path] of {a} m. How [high|long] is it?",
        "[What is|Find] {k} times as much as {a}?",
        "{place} is {k} times as far as {a} km. How far is it?",
        "{other} runs {k} times the {a} m of {who}. How far?",
    )),
)  # fmt: skip

_OPENINGS = (
    "[Take|Start with|Begin with|Think of|Let x be|Starting from]",
    "[First|] [take|use]",
    "[With|From]",
)
_MOVES: tuple[tuple[str, str], ...] = (
    ("+{k}", "[add|plus|put on|sum it with|and add] {k}"),
    ("-{k}", "[subtract|take away|minus|take off|knock off] {k}"),
    ("*{k}", "[multiply by|times|multiply the result by|multiply it with] {k}"),
    ("/{k}", "[divide by|divide the result by|split by|divide it by] {k}"),
    ("*2", "[double it|double that|double the result]"),
    ("/2", "[halve it|halve that|take half of it]"),
    ("*3", "[triple it|treble it]"),
)  # fmt: skip
_BEFORE = (
    ("{a}", "{a}"),
    ("{a}", "the number {a}"),
    ("{a}^2", "[the square of {a}|{a} squared]"),
    ("{a}+{b}", "[the sum of {a} and {b}|{a} plus {b}]"),
    ("{a}*{b}", "[the product of {a} and {b}|{a} times {b}]"),
    ("{a}-{b}", "[the difference between {a} and {b}|{a} minus {b}]"),
)
_AFTER = "[. What [is it|do you get|is the result|comes out|number is it]?|. Result?|. Give the result.|: what is it?|.|]"


def chain_problem(rng: Random) -> Problem:
    """Two to four moves on a number, told one after the other; its only wording is drawn anew each time."""
    expression, said = rng.choice(_BEFORE)
    moves = [rng.choice(_MOVES) for _ in range(rng.choice((1, 2, 2, 3)))]
    told = rng.choice(_OPENINGS) + " " + said
    slots: dict[str, Slot] = {"a": _start, "b": whole(2, 99)}
    is_sum = "+" in expression or "-" in expression
    for at, (move, words) in enumerate(moves):
        adds = move[0] in "+-"
        expression = expression if adds or not is_sum else f"({expression})"
        is_sum = adds
        expression += move.replace("{k}", f"{{k{at}}}")
        link = rng.choice((", ", ", then ", " and ", ", and then ", "; ", ". Then ", ", now "))
        told += link + words.replace("{k}", f"{{k{at}}}")
        slots[f"k{at}"] = _operand
    return Problem(expression, slots, (told + _AFTER,))


def _start(rng: Random, split: Split) -> str:
    return draw_number(rng, 100, 900, split, 0.1) if rng.random() < 0.4 else draw_whole(rng, 2, 99, split)


def _operand(rng: Random, split: Split) -> str:
    return draw_whole(rng, 2, rng.choice((12, 40, 300)), split)
