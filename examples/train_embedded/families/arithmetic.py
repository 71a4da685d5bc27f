"""Arithmetic: word problems that one expression solves, and chains in which a second step uses the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from ..scene import Scene
from ..words import COUNT_WORDS
from .asking import Asked, calculate, with_rounding, word
from .problem import Problem, Slot, money, number, percent, person, place, plural, whole
from .stories import STORIES
from .tales import TALES, chain_problem

_M = "[${p}|{p} euros|€{p}|{p}|{p} dollars|{p} EUR|{p} USD|{p}]"

PROBLEMS: tuple[Problem, ...] = (
    Problem("{a}+{b}", {"a": number(1, 5000), "b": number(1, 5000)}, (
        "[What is|What's|How much is|Calculate|Compute|Work out|Find] {a} [plus|+|and] {b}?",
        "Add {a} [and|to] {b}[.|]",
        "[Find|Give me|Tell me|What is] the sum of {a} and {b}.",
        "[If I add|Adding] {b} to {a}, what do I get?",
        "{a} + {b} = ?",
        "{a}+{b}",
        "[Could you|Please|Can you] sum {a} and {b}?",
    )),
    Problem("{a}-{b}", {"a": number(500, 9000), "b": number(1, 500)}, (
        "[What is|What's|How much is|Calculate|Compute|Work out] {a} [minus|-|less] {b}?",
        "Subtract {b} from {a}[.|]",
        "[What is|Find|Give me] the difference between {a} and {b}?",
        "[How much|What] is left if I take {b} [from|away from|off] {a}?",
        "{a}-{b}",
        "Take {b} away from {a}; what remains?",
    )),
    Problem("{a}*{b}", {"a": number(2, 900), "b": number(2, 90)}, (
        "[What is|What's|How much is|Calculate|Compute|Work out] {a} [times|*|x|multiplied by] {b}?",
        "Multiply {a} [by|with] {b}[.|]",
        "[What is|Find|Give me] the product of {a} and {b}?",
        "{a} times {b} [gives what?|is how much?|please]",
        "{a}*{b}",
        "[Can you|Please] multiply {a} and {b} [for me|]?",
    )),
    Problem("{a}/{b}", {"a": number(10, 9000, 0.2), "b": number(2, 90, 0.2)}, (
        "[What is|What's|How much is|Calculate|Compute|Work out] {a} [divided by|/|over] {b}?",
        "Divide {a} by {b}[.|]",
        "[How many times|How often] does {b} go into {a}?",
        "[What is|Find] the quotient of {a} and {b}?",
        "{a}/{b}",
        "Split {a} into {b} [equal|] parts: how big is each?",
    )),
    Problem("{n}*{p}", {"n": whole(2, 250), "p": money(1, 300), "item": plural, "who": person}, (
        f"[How much is|How much are|What is the price of|What's the cost of|What do I pay for] {{n}} {{item}} at {_M} [each|apiece|a piece|per piece|]?",
        f"[How much|What] do {{n}} {{item}} cost [at|if each costs|if one costs|when one is] {_M}?",
        f"[I|We|{{who}}] [buy|order|need|want|bought] {{n}} {{item}} [at|for] {_M} each. [What is the total|How much is that|What does it come to|What's the bill|How much altogether]?",
        f"[A|One] {{item}} set costs {_M}. [How much|What] [would|do|will] {{n}} [of them|sets] cost?",
        f"[Each|Every one] of [the|my|our] {{n}} {{item}} [costs|is|is worth] {_M}. [What is the total|How much is that|What are they worth] [in total|together|]?",
        f"[Total|Total cost|Total price|Price] [for|of] {{n}} {{item}} at {_M} [each|]?",
        f"[Work out|Calculate|Find] [the cost|the price|the total] of {{n}} {{item}} when [each one|one] costs {_M}.",
        f"{{n}} {{item}}, {_M} [each|apiece], [how much|total]?",
        f"[If|Suppose] one of the {{item}} [sells for|goes for] {_M}, what [would|will] {{n}} [of them|] [bring in|make]?",
        f"{{who}} [sold|sells] {{n}} {{item}} for {_M} apiece. How much [money|] did {{who}} [make|take in]?",
    )),
    Problem("{n}*{p}+{m}*{q}", {"n": whole(2, 60), "p": money(1, 200), "m": whole(2, 60), "q": money(1, 200), "item": plural, "other": plural, "who": person}, (
        "[How much are|What do I pay for|What is the total for|Total for] {n} {item} at {p} each and {m} {other} at {q} each?",
        "[I|We|{who}] [buy|order|need|bought] {n} {item} at {p} [each|apiece|] and {m} {other} at {q} [each|apiece|]. [What is the total|How much is that|What's the bill]?",
        "{item} cost {p} [each|] and {other} cost {q} [each|]. [What|How much] do {n} {item} and {m} {other} cost [together|]?",
        "[Find|Calculate|Work out] the [total|bill|cost]: {n} {item} ({p} each) [plus|and] {m} {other} ({q} each).",
        "{n} {item} at {p} plus {m} {other} at {q}, [how much|what's the total|total]?",
        "My cart has {n} {item} priced {p} and {m} {other} priced {q}. What's the sum?",
    )),
    Problem("{p}% * {x}", {"p": percent, "x": number(20, 9000, 0.3)}, (
        "[What is|What's|How much is|Calculate|Compute|Find] {p}[%| %| percent] of {x}?",
        "[Give me|Take|I need] {p}[%| percent] of {x}[.|]",
        "{p}% of {x}",
        "[How much|What] is {p} percent of [€|$|]{x}?",
        "Of {x} [people|votes|items|units|students], {p}% [agreed|are new|passed|left]. How many is that?",
        "If {x} is the whole, how much is {p}%?",
    )),
    Problem("{x}*(1-{p}%)", {"p": percent, "x": money(5, 2000), "item": plural}, (
        "[What is|What's] [the price of|the cost of] {item} at {x} after a {p}[%| percent] [discount|reduction]?",
        "[A|The] {item} pack costs {x}. [There is|I get|It comes with] {p}% [off|discount]. [What do I pay|How much is it now|What is the new price|What is the final price]?",
        "[Reduce|Decrease|Lower] {x} by {p}[%| percent][.|]",
        "{x} [minus|less] {p}[%| percent][?| is how much?]",
        "[How much|What] do I pay for {item} [priced|marked|listed] at {x} with {p}% off?",
        "The [price|value|rent|number] [fell|dropped|went down|decreased] by {p}[%| percent] from {x}. What is it now?",
        "[Everything|All {item}] is {p}% off today. The list price is {x}. What will it cost me?",
    )),
    Problem("{x}*(1+{p}%)", {"p": percent, "x": money(5, 5000), "item": plural}, (
        "[What is|What's] {x} [plus|with] {p}[%| percent] [tax|VAT|tip|more|on top|interest]?",
        "[Increase|Raise] {x} by {p}[%| percent][.|]",
        "[The|My] [bill|meal|invoice|order] is {x} [and I add|plus] [a {p}% tip|{p}% tax|{p}% VAT]. [What is the total|How much is it altogether|What do I pay]?",
        "[The|A] [price|rent|salary|value] of {x} [rises|grows|goes up|increases] by {p}[%| percent]. What is [it now|the new value|the new amount]?",
        "{item} cost {x} before tax. [Tax is|The tax rate is] {p}%. [What is the price with tax|What do I pay]?",
        "Add {p}% to {x}[.|]",
        "What do I get if {x} gains {p} percent?",
    )),
    Problem("({a}-{b})/{b}*100", {"a": whole(120, 900), "b": whole(20, 119)}, (
        "By [how many percent|what percentage] did [it|the price|sales] [rise|grow|increase|go up] from {b} to {a}?",
        "[What is|Find|Calculate] the [percentage|percent] [increase|growth|change] from {b} to {a}?",
        "[Sales|Visits|Prices|Costs] [went|rose|grew|climbed] from {b} to {a}. [What percent is that|How many percent more is that|What is the growth in percent]?",
        "In percent, how much bigger is {a} than {b}?",
    )),
    Problem("{a}/{b}*100", {"a": whole(2, 400), "b": whole(401, 2000)}, (
        "[What|Which] [percentage|percent] of {b} is {a}?",
        "{a} is what [percent|percentage] of {b}?",
        "{a} [out of|of] {b} [people|items|students|answers]: [what percent|what percentage|how many percent] is that?",
        "Express {a} of {b} as a percentage.",
    )),
    Problem("{a}-{n}*{p}", {"a": whole(300, 900), "n": whole(2, 15), "p": money(1, 20), "item": plural, "who": person}, (
        "[I|{who}] [pay|pays] with {a} for {n} {item} at {p} [each|apiece]. [How much change|What change] [is due|do I get|comes back]?",
        "[How much|What] is left of {a} after [buying|paying for] {n} {item} at {p} each?",
        "[I|We|{who}] had {a} and [bought|paid for] {n} {item} at {p} each. [How much|What] is left?",
        "Change from {a} for {n} {item} at {p} [each|]?",
        "[With|From] a budget of {a} I get {n} {item} costing {p} each. What remains?",
        "{who} starts with {a} and spends it on {n} {item}, {p} apiece. How much money remains?",
    )),
    Problem("({a}+{b}+{c})/3", {"a": number(1, 900, 0.3), "b": number(1, 900, 0.3), "c": number(1, 900, 0.3)}, (
        "[What is|What's|Find|Calculate|Give me] the [average|mean] of {a}, {b} and {c}?",
        "[Average|Mean] of {a}, {b}, {c}[?|]",
        "[The|My] [scores|values|readings|results] are {a}, {b} and {c}. [What is the average|What is the mean|What's the average]?",
        "[It took|I measured|We got] {a}, {b} and {c}. What is that on average?",
    )),
    Problem("({a}+{b})/2", {"a": number(1, 900, 0.3), "b": number(1, 900, 0.3)}, (
        "[What is|What's|Find|Calculate|Give me] the [average|mean] of {a} and {b}?",
        "[Average|Mean] of {a} and {b}[?|]",
        "[Which number|What] [lies|is] halfway between {a} and {b}?",
        "{a} one day, {b} the other: what is the average?",
    )),
    Problem("{a}+{b}+{c}", {"a": number(1, 2000), "b": number(1, 2000), "c": number(1, 2000), "item": plural, "who": person}, (
        "[What is|Find|Calculate|Give me] the [sum|total] of {a}, {b} and {c}?",
        "[Add|Sum] {a}, {b} and {c}[.|]",
        "{a} + {b} + {c}[ = ?|]",
        "[I|We|{who}] [spent|paid] {a}, {b} and {c}. [How much is that|What is the total|What did it come to] [in all|altogether|]?",
        "Three [bills|parcels|invoices|boxes] [are|come to] {a}, {b} and {c}. [What is the total|How much together]?",
        "Put {a}, {b} and {c} together: what do you get?",
    )),
    Problem("{a}*{b}", {"a": number(2, 90), "b": number(2, 90)}, (
        "[What is|Find|Calculate] the area of a [rectangle|room|field|garden|wall] [of|measuring|that is] {a} [by|x|times] {b}[ m| meters|]?",
        "[A|My|The] [room|garden|floor|field|plot] is {a} [m|meters|] long and {b} [m|meters|] wide. [What is its area|How big is it|What area is that]?",
        "[How many|What number of] square meters [is|are in] a {a} [by|x] {b} [m|meter] [room|floor|wall]?",
        "Area of a {a} by {b} rectangle[?|]",
        "How much carpet covers a floor of {a} m times {b} m?",
    )),
    Problem("2*({a}+{b})", {"a": number(2, 90), "b": number(2, 90)}, (
        "[What is|Find|Calculate] the perimeter of a [rectangle|room|field|garden] [of|measuring] {a} [by|x] {b}[ m| meters|]?",
        "[A|My|The] [garden|field|plot|yard] is {a} [m|meters|] long and {b} [m|meters|] wide. [How long is the fence around it|What is its perimeter|How much fence do I need]?",
        "Perimeter of a {a} by {b} rectangle[?|]",
        "How far is it once around a {a} by {b} m lot?",
    )),
    Problem("{a}*{b}*{c}", {"a": number(2, 60), "b": number(2, 60), "c": number(2, 60)}, (
        "[What is|Find|Calculate] the volume of a [box|tank|crate|pool] [of|measuring] {a} [by|x] {b} [by|x] {c}?",
        "[A|My|The] [box|tank|crate|container] is {a} long, {b} wide and {c} [high|tall|deep]. [What is its volume|How much does it hold]?",
        "[Multiply|Product of] {a}, {b} and {c}[.|]",
        "How much space is in a {a} x {b} x {c} box?",
    )),
    Problem("{a}^2", {"a": number(2, 90)}, (
        "[What is|Calculate|Find] {a} squared?",
        "[What is|Find] the [area|surface] of a square [with|of] [side|sides of] {a}?",
        "[Square|Give me the square of] {a}[.|]",
        "What is {a} to the power of 2?",
    )),
    Problem("sqrt({a})", {"a": whole(2, 9000)}, (
        "[What is|Calculate|Find|Give me] the square root of {a}?",
        "[Square root|sqrt] of {a}[?|]",
        "[Which|What] number [times itself|squared] [gives|is] {a}?",
        "How long is the side of a square with area {a}?",
    )),
    Problem("{a}/{b}", {"a": number(20, 900, 0.3), "b": number(2, 12, 0.3), "who": person, "place": place}, (
        "[A|The] [train|car|bus|truck] [drives|covers|goes|travels] {a} km in {b} hours. [What is its|What is the|Find the] [average|] speed [in km/h|]?",
        "[How fast|At what speed] [is|was] [{who}|the car] [going|driving] [to cover|for] {a} km in {b} hours?",
        "{who} [rode|cycled|drove|ran] {a} km in {b} h. [What was the speed|How fast was that|How many km per hour is that]?",
        "{a} [km|miles] to {place} took {b} hours. What was the average speed?",
    )),
    Problem("{a}*{b}", {"a": number(20, 140, 0.2), "b": number(2, 12, 0.4), "who": person, "place": place}, (
        "[A|The] [train|car|bus|truck] [drives|goes|travels] [at|with] {a} km/h for {b} hours. [How far does it go|What distance is that|How many km is that]?",
        "[How far|What distance] does [{who}|a car] [get|go|drive] in {b} hours at {a} km/h?",
        "{who} [walks|drives|cycles] {b} hours at {a} km/h. [How far is that|How many km does {who} cover]?",
        "Driving to {place} takes {b} hours at {a} km/h. How far is it?",
    )),
    Problem("{a}/{b}", {"a": number(100, 900, 0.2), "b": whole(20, 120), "who": person, "place": place}, (
        "[How long|How many hours] [does it take|do I need] [to drive|for|to cover] {a} km at {b} km/h?",
        "{place} is {a} km away. [How long|How many hours] [is the drive|does it take|do I drive] at {b} km/h?",
        "[A|The] [train|car|bus] [covers|drives] {a} km at {b} km/h. [How many hours does it take|How long does that take]?",
        "At {b} km/h, how many hours until {who} has gone {a} km?",
    )),
    Problem("{a}/{n}", {"a": money(20, 3000), "n": whole(2, 40), "item": plural, "who": person}, (
        "[Split|Share|Divide] [a bill of|a cost of|] {a} [between|among|by] {n} [people|friends|persons][.|. How much each?]",
        "{n} [friends|people|colleagues] [share|split] {a} [equally|evenly|]. [How much|What] does each [pay|get]?",
        "{n} {item} cost {a} [in total|together|altogether]. [What does one cost|How much is one|What is the price of one|What is the unit price]?",
        "[What is|Find] the [unit price|price per piece] if {n} {item} cost {a}?",
        "{who} and others, {n} people in all, pay {a} together. What is one share?",
    )),
    Problem("{a}*{b}*{w}", {"a": money(5, 80), "b": whole(2, 12), "w": whole(2, 60), "who": person}, (
        "{who} earns {a} [an hour|per hour|hourly] and works {b} hours a day. [What does {who} earn|How much is that] in {w} days?",
        "[How much|What] [do I|does {who}] [make|earn] in {w} days at {a} an hour, {b} hours a day?",
        "[At|With] {a} per hour and {b} hours [a|per] day, [what is the pay|how much is earned] for {w} days?",
        "{b} hours daily at a rate of {a}: how much money after {w} days?",
    )),
    Problem("{x}*{p}%*{n}", {"x": whole(200, 9000), "p": percent, "n": whole(2, 12)}, (
        "[What is|Find|Calculate] the simple interest on {x} at {p}[%| percent] for {n} years?",
        "[How much|What] [simple|] interest does {x} [earn|bring|make] in {n} years at {p}% [a|per] year?",
        "{x} is [saved|lent|invested] at {p}% simple interest. [How much interest after|What interest comes in] {n} years?",
        "Simple interest: {x}, {p}% a year, {n} years?",
    )),
    Problem("{x}*(1+{p}%)^{n}", {"x": whole(200, 9000), "p": whole(1, 15), "n": whole(2, 12)}, (
        "[What|How much] is {x} worth after {n} years at {p}% [compound|yearly compound] interest?",
        "{x} [grows|is invested] at {p}% compound interest [for|over] {n} years. [What is it then|What does it become|How much is there at the end]?",
        "[Find|Calculate] the [final amount|future value] of {x} at {p}% compounded yearly for {n} years.",
        "If {x} compounds at {p} percent a year, what do I have in {n} years?",
    )),
    Problem("{n}*{m}", {"n": whole(2, 90), "m": whole(2, 90), "item": plural, "who": person}, (
        "[There are|We have|I have|{who} has] {n} [boxes|crates|bags|packs] [with|of] {m} {item} [each|]. [How many {item} is that|How many {item} are there] [in total|in all|]?",
        "[How many|What number of] {item} are in {n} [boxes|bags|packs|cartons] of {m}?",
        "{n} [rows|shelves|boxes|pallets] hold {m} {item} each; [what is the total|how many in all]?",
        "Each of {n} {item} [boxes|packs] contains {m}. [How many in total|What is the total number]?",
        "{who} fills {n} baskets with {m} {item} in every basket. What's the count?",
    )),
    Problem("{a}-{b}+{c}", {"a": whole(200, 2000), "b": whole(2, 199), "c": whole(2, 500), "item": plural, "who": person}, (
        "[The shop|{who}|We] had {a} {item}, [sold|gave away|lost] {b} and [bought|received|found|got] {c} [more|]. [How many are there now|How many are left|What is the count now]?",
        "[From|Of] {a} {item}, {b} [were sold|broke|are gone] and {c} [came in|were added]. How many [now|are there now]?",
        "[Start with|Take] {a}, [subtract|take away] {b}, [and add|add] {c}. [What do you get|What is it|Result]?",
        "Stock is {a} {item}; {b} go out, {c} come in. New stock?",
    )),
    Problem("{a}*{b}+{c}", {"a": number(2, 90), "b": number(2, 90), "c": number(2, 900), "who": person}, (
        "[What is|Calculate|Compute] {a} [times|*] {b} [plus|+] {c}?",
        "[A|The] [plumber|lawyer|driver|taxi] charges {a} [per hour|an hour] plus a [fixed fee|flat fee|call-out fee] of {c}. [What do|How much do] {b} hours cost?",
        "Multiply {a} by {b} and add {c}[.|]",
        "{who} pays {c} once and {a} a month. What is the cost of {b} months?",
        "Renting costs {a} a day and {c} for insurance. How much for {b} days?",
    )),
    Problem("({a}+{b})*{c}", {"a": number(2, 900), "b": number(2, 900), "c": number(2, 60)}, (
        "[What is|Calculate|Compute] the sum of {a} and {b} times {c}?",
        "Add {a} and {b}, [and multiply by|then multiply by|times] {c}[.|]",
        "({a} + {b}) * {c}[ = ?|]",
        "[Each of|] {c} [kits|packs] [contains|has] a part for {a} and a part for {b}. [What do all cost|What is the total]?",
        "Multiply the total of {a} and {b} by {c}.",
    )),
    Problem("{a}/({b}*{c})", {"a": number(200, 9000, 0.2), "b": whole(2, 40), "c": whole(2, 40)}, (
        "[What is|Calculate] {a} divided by the product of {b} and {c}?",
        "{b} [teams|groups] of {c} people share {a}. [What does each person get|How much per person]?",
        "{a} / ({b} * {c})[ = ?|]",
        "Spread {a} over {b} shelves with {c} places each: how much a place?",
    )),
    Problem("{a}-{b}", {"a": whole(200, 2000), "b": whole(2, 199), "who": person, "other": person, "item": plural}, (
        "{who} has {a} {item} and {other} has {b}. How many more does {who} have?",
        "{who} had {a} {item} and [gave {other}|lost|sold|used] {b}. How many [are left|does {who} have now]?",
        "How many more is {a} than {b}?",
        "{who} needs {a} {item} but only has {b}. How many are missing?",
    )),
    Problem("{a}*{n}/{m}", {"a": number(50, 900, 0.2), "n": whole(2, 30), "m": whole(2, 30), "item": plural}, (
        "[A|The] recipe for {m} people [needs|takes|uses] {a} g of flour. [How much|How many grams] for {n} people?",
        "{m} {item} [cost|weigh] {a}. [What do|How much do] {n} {item} [cost|weigh]?",
        "If {m} {item} [are worth|come to] {a}, [what are|how much are] {n}?",
        "For {m} persons we need {a} ml. And for {n} persons?",
    )),
    Problem("{n}*{p}*(1-{d}%)", {"n": whole(2, 60), "p": money(1, 300), "d": percent, "item": plural, "who": person}, (
        "[What do|How much do] {n} {item} cost at {p} each [with|after|less] [a|] {d}% [discount|off]?",
        "[I|We|{who}] [buy|order|bought] {n} {item} at {p} [each|apiece] and [get|gets|got] {d}% off. [What is the total|How much is that|What do I pay]?",
        "{n} {item} at {p} each, {d}% off the whole[: what's the total|, how much]?",
        "[A|One] of the {item} is {p}; I take {n} and have a {d}% coupon. [What do I pay|How much in total]?",
        "[The|A] shop gives {d} percent off {item} priced {p}. What will {n} cost me?",
        "There is {d}% off if you take {n} {item}, normally {p} each. What is the bill?",
    )),
    Problem("{x}*(1+{p}%)/{n}", {"x": money(20, 900), "p": percent, "n": whole(2, 12), "who": person}, (
        "[The|Our] [bill|dinner|meal] [is|was|came to] {x}, [we|they] add [a|] {p}% tip and [split|share] it [between|among] {n} [people|friends|of us]. [What does each pay|How much each|What is one share]?",
        "[Split|Divide] {x} plus [a|] {p}% tip [by|among|between] {n} [people|friends][.|: how much each?]",
        "{n} [friends|people] share a [bill|check] of {x} with {p}% tip. [How much does each pay|What is each share]?",
        "{who} and friends ({n} in all) pay {x} plus {p}% service. How much per head?",
    )),
    Problem("{a}*{b}/100", {"a": whole(20, 900), "b": number(3, 15, 0.7), "who": person, "place": place}, (
        "[The|My|A] car [uses|needs|burns|takes] {b} [liters|litres|l] per 100 km. [How much fuel|How many liters] [does it need|do I need|is that] for {a} km?",
        "[How much|How many liters of] [fuel|petrol|gas] [for|do I need for] {a} km at {b} l/100 km?",
        "{place} is {a} km away and [the|my] car [uses|takes] {b} l per 100 km. [How much fuel is that|How many liters do I need]?",
        "With {b} litres on every 100 km, what does a trip of {a} km take?",
    )),
    Problem("{n}*({p}-{c})", {"n": whole(2, 200), "p": whole(60, 200), "c": number(1, 59), "item": plural, "who": person}, (
        "[{who}|A shop|I] [buys|buy] {item} at {c} and [sells|sell] them at {p}. [What is the profit on|How much profit do] {n} [of them|bring|]?",
        "[What is|Find] the profit [on|from] {n} {item} bought [for|at] {c} and sold [for|at] {p} each?",
        "[Each of|] {n} {item} cost {c} and sold for {p}. [What is the profit|What was earned|How much was gained] [in total|]?",
        "Making one of the {item} costs {c}, selling brings {p}. What's gained with {n}?",
    )),
    Problem("{x}/(1-{p}%)", {"x": money(5, 900), "p": percent, "item": plural}, (
        "[After|With] [a|] {p}% discount [it|a {item} set] costs {x}. [What was the original price|What did it cost before|What was the price before]?",
        "[What was|Find] the [original price|price before the discount] if {x} is [the price|what I pay] after {p}% off?",
        "{x} is the price with {p}% off; [what was it before|what is the full price]?",
        "I paid {x} thanks to a {p} percent rebate. What's the list price?",
    )),
    Problem("({a}-{b})/{a}*100", {"a": whole(120, 900), "b": whole(20, 119)}, (
        "By [how many percent|what percentage] did [it|the price|sales] [fall|drop|shrink|go down] from {a} to {b}?",
        "[What is|Find|Calculate] the [percentage|percent] [decrease|drop|discount|loss] from {a} to {b}?",
        "[The price|Rent|Traffic] [fell|dropped|went down] from {a} to {b}. [What percent is that|How many percent less is that]?",
        "It was {a}, now it is {b}: what percent was taken off?",
    )),
    Problem("{x}/{y}", {"x": whole(200, 9000), "y": whole(5, 199), "who": person}, (
        "[How many|] [weeks|months|days] [does it take|do I need] to save {x} at {y} [a week|a month|a day|each time]?",
        "{who} [wants|needs] {x} and saves {y} [a week|a month|weekly|monthly]. [How long does it take|How many payments are needed]?",
        "[How many|What number of] [payments|instalments] of {y} [make|are in|cover] {x}?",
        "Putting aside {y} every month, when have I got {x}, in months?",
    )),
    Problem("{a}*12", {"a": number(5, 5000, 0.3), "who": person}, (
        "[How much|What] is {a} [a|per] month [in|over|for] a year?",
        "{who} [pays|earns|saves] {a} [a month|monthly|per month]. [How much is that|What does that make] [a year|per year|in a year|yearly]?",
        "[Rent|A plan|The fee|My phone] is {a} [a month|per month|monthly]. [What is that|What does it cost|How much] [a year|yearly|per year]?",
        "Per month it is {a}; what is the yearly sum?",
    )),
    Problem("{a}/12", {"a": whole(500, 90000), "who": person}, (
        "[How much|What] is {a} [a|per] year [a month|per month|monthly]?",
        "{who} [earns|makes|pays] {a} [a year|yearly|per year]. [How much is that|What is it] [a month|per month|monthly]?",
        "[A|The] yearly [fee|salary|rent] of {a}: [how much|what] is it [per|a] month?",
        "What's one month's part of {a} yearly?",
    )),
    Problem("{a}*{b}/2", {"a": number(2, 90), "b": number(2, 90)}, (
        "[What is|Find|Calculate] the area of a triangle with base {a} and height {b}?",
        "[A|The] triangle has [a|] base {a} and [a|] height {b}. [What is its area|How big is it]?",
        "[Half of|One half of|Half] {a} times {b}[?|]",
        "Area of a triangle, {a} wide at the bottom and {b} high?",
    )),
    Problem("{a}^3", {"a": number(2, 60)}, (
        "[What is|Calculate|Find] {a} cubed?",
        "[What is|Find] the volume of a cube [with|of] [side|edge|sides of] {a}?",
        "{a} to the [power of 3|third power|power of three][?|]",
        "How much fits in a cube of edge {a}?",
    )),
    Problem("{a}^{n}", {"a": whole(2, 20), "n": whole(3, 9)}, (
        "[What is|Calculate|Find] {a} to the power of {n}?",
        "[What is|Calculate|Compute] {a}^{n}?",
        "[Raise|Take] {a} to the power [of|] {n}[.|]",
        "{a} multiplied by itself, {n} factors in all?",
    )),
    Problem("{a}*2", {"a": number(2, 5000)}, (
        "[What is|How much is] [twice|double|two times] {a}?",
        "Double {a}[.|]",
        "[Two|A pair] at {a} each[, how much|: what's the total]?",
        "What's {a} and the same again?",
    )),
    Problem("{a}/2", {"a": number(2, 5000)}, (
        "[What is|How much is|Give me] [half of|half|one half of] {a}?",
        "Halve {a}[.|]",
        "[Two|2] people [share|split] {a}[. How much each|: how much each]?",
        "Cut {a} in half.",
    )),
    Problem("{a}/{k}", {"a": number(20, 5000, 0.2), "k": lambda rng, split: rng.choice(("3", "4", "5"))}, (
        "[What is|How much is|Give me] one {k}th of {a}?",
        "[What is|How much is] 1/{k} of {a}?",
        "{k} [people|heirs|friends] [share|split] {a} [equally|evenly|]. [How much each|What does each get]?",
        "A {k}th part of {a}, please.",
    )),
    Problem("{a}*12", {"a": whole(2, 90), "item": plural, "who": person}, (
        "[How many|What number of] {item} are [in|there in] {a} dozen?",
        "[I|We|{who}] [have|has|bought|ordered] {a} dozen {item}. [How many is that|How many are there]?",
        "{a} dozen is how many?",
        "{a} dozens of {item} make what count?",
    )),
    Problem("{a}*60", {"a": number(2, 90), "who": person}, (
        "[A|The] [machine|pump|printer] makes {a} [parts|pages|cups] [a|per] minute. [How many|What] is that [an|per] hour?",
        "{who} types {a} words a minute. [How many|How many words is that] in an hour?",
        "[How many|What number of] [turns|beats|pages] per hour [is|are] {a} per minute?",
        "At {a} each minute, how much after one hour?",
    )),
    Problem("{a}*{b}-{c}", {"a": whole(10, 90), "b": whole(10, 90), "c": whole(2, 90), "who": person, "item": plural}, (
        "[What is|Calculate|Compute] {a} [times|*] {b} [minus|-] {c}?",
        "{who} works {b} hours at {a} and pays {c} [tax|fees|for tools]. [What is left|How much remains]?",
        "[There are|We have] {a} [boxes|bags] of {b} {item}, and {c} [are broken|were sold|are missing]. [How many are left|How many remain]?",
        "Multiply {a} by {b} and [subtract|take away] {c}[.|]",
        "From {a} rows of {b} {item} we lost {c}. What count remains?",
    )),
    Problem("{a}-{b}-{c}", {"a": whole(400, 3000), "b": number(2, 199), "c": number(2, 199), "who": person, "item": plural}, (
        "[What is|Calculate|Compute] {a} minus {b} minus {c}?",
        "[I|We|{who}] had {a} and [spent|paid] {b} [for|on] {item} and {c} [for|on] [food|fuel|tickets]. [What is left|How much is left|How much remains]?",
        "[Subtract|Take] {b} and {c} from {a}[.|]",
        "[My|The] budget is {a}; [rent|the room] takes {b}, [food|travel] {c}. [What is left|How much remains]?",
        "Start at {a}, lose {b}, lose {c} more: where are we?",
    )),
    Problem("{a}+{b}-{c}", {"a": number(20, 900), "b": number(20, 900), "c": number(1, 20), "who": person}, (
        "[What is|Calculate|Compute] {a} plus {b} minus {c}?",
        "{who} [earned|got|received] {a} and {b}, then [paid|spent|lost] {c}. [What is left|How much is left|How much does {who} have]?",
        "[Add|Sum] {a} and {b}[, then|, and] [subtract|take away] {c}[.|]",
        "Two deposits, {a} and {b}, one withdrawal of {c}: the balance?",
    )),
    Problem("({a}+{b}+{c}+{d})/4", {"a": number(1, 900, 0.3), "b": number(1, 900, 0.3), "c": number(1, 900, 0.3), "d": number(1, 900, 0.3)}, (
        "[What is|What's|Find|Calculate|Give me] the [average|mean] of {a}, {b}, {c} and {d}?",
        "[Average|Mean] of {a}, {b}, {c}, {d}[?|]",
        "[My|The|Our] [marks|grades|times|sales|scores] [are|were] {a}, {b}, {c} and {d}. [What is the average|What is the mean|What's the average]?",
        "Four readings: {a}, {b}, {c}, {d}. What is the typical value on average?",
    )),
    Problem("{a}+{b}+{c}+{d}", {"a": number(1, 900), "b": number(1, 900), "c": number(1, 900), "d": number(1, 900)}, (
        "[What is|Find|Calculate|Give me] the [sum|total] of {a}, {b}, {c} and {d}?",
        "[Add|Sum|Total] up {a}, {b}, {c} and {d}[.|]",
        "[My|The|Our] [expenses|receipts|sales|bills] [are|were] {a}, {b}, {c} and {d}. [What is the total|How much together|What does it come to]?",
        "{a}, {b}, {c} plus {d}: what do they make?",
    )),
    Problem("{a}*{b}*{p}", {"a": number(2, 30), "b": number(2, 30), "p": money(1, 90), "who": person}, (
        "[A|The|My] [room|floor|terrace|wall] is {a} m by {b} m. [Tiles|Carpet|Paint|Flooring] [costs|cost] {p} per square [meter|metre]. [What does it cost|How much is that|What is the total]?",
        "[What|How much] does it cost to [tile|paint|carpet] {a} x {b} m at {p} [a|per] square meter?",
        "{who} [tiles|paints] a floor of {a} by {b} m for {p} a square meter. [What is the bill|How much is that]?",
        "At {p} for a square metre, what's a {a} m times {b} m plot worth?",
    )),
    Problem("{x}*{p}%*(1-{q}%)", {"x": whole(200, 9000), "p": percent, "q": percent}, (
        "[What is|Find] {p}% of {x}, less {q}%?",
        "{p}% of {x} [people|voters|members] came and {q}% of them left [again|early]. [How many stayed|How many are left]?",
        "[Take|Find] {p} percent of {x}, reduced by {q} percent[.|]",
        "Of {x} seeds {p}% sprout, of which {q}% die. How many live?",
    )),
    Problem("{a}*{b}+{c}*{d}", {"a": number(2, 90, 0.2), "b": number(2, 30, 0.2), "c": number(2, 90, 0.2), "d": number(2, 30, 0.2), "who": person}, (
        "[What is|Calculate|Compute] {a} times {b} plus {c} times {d}?",
        "{who} [drives|walks|rides] {b} hours at {a} km/h and {d} hours at {c} km/h. [How far is that|How many km in all|What distance]?",
        "{who} works {b} hours at {a} and {d} hours at {c}. [What is the pay|How much is earned|What is the total]?",
        "{a}*{b} + {c}*{d}[ = ?|]",
        "{b} hours for {a} an hour, then {d} more for {c}: what do I bill?",
    )),
)  # fmt: skip

_NEXT: tuple[tuple[str, Mapping[str, Slot], Sequence[str]], ...] = (
    ("{r}*{k}", {"k": whole(2, 40)}, ("[Then|Now|After that,|Next,] [multiply|times] [that|the result|it] by {k}.", "[Then what is|And what is] that times {k}?", "And {k} times [as much|that]?", "Next scale it up {k} times.")),
    ("{r}/{k}", {"k": whole(2, 40)}, ("[Then|Now|After that,|Next,] divide [that|the result|it] by {k}.", "[Then|And] [split|share] [that|it] [among|between] {k} [people|of us]: how much each?", "[Then what is|And what is] that divided by {k}?", "Next cut it into {k} equal parts.")),
    ("{r}+{k}", {"k": number(2, 900)}, ("[Then|Now|After that,|Next,] add {k} [to it|to that|].", "[Then what is|And what is] that plus {k}?", "And with {k} [more|extra|on top]?", "Next put {k} on top.")),
    ("{r}-{k}", {"k": number(2, 90)}, ("[Then|Now|After that,|Next,] [subtract|take away] {k} [from it|from that|].", "[Then what is|And what is] that minus {k}?", "And [what is left|what remains] after [paying|taking] {k}?", "Next knock {k} off.")),
    ("{p}% * {r}", {"p": percent}, ("[Then|Now|After that,|Next,] take {p}% of [that|the result|it].", "[And|Then] what is {p}[%| percent] of that?", "[Then|Finally] find {p}% of the result.", "Next, how much is {p}% of it?")),
    ("{r}*(1-{p}%)", {"p": percent}, ("[Then|Now|After that,|Next,] [take {p}% off|reduce it by {p}%|apply a {p}% discount].", "[And|Then] what is it with {p}% off?", "And after a discount of {p}%?", "Next cut it by {p} percent.")),
    ("{r}*(1+{p}%)", {"p": percent}, ("[Then|Now|After that,|Next,] add {p}% [tax|VAT|tip|to it].", "[And|Then] what is it with {p}% [tax|VAT|tip] on top?", "And after {p}% tax?", "Next raise it by {p} percent.")),
)  # fmt: skip


def draw_slots(scene: Scene, slots: Mapping[str, Slot]) -> dict[str, str]:
    return {name: draw(scene.rng, scene.settings.names) for name, draw in slots.items()}


def written(rng: Random, value: str) -> str:
    """A number as a person may write it: a small one in words, a large one with commas."""
    draw = rng.random()
    if value.isdigit() and int(value) in COUNT_WORDS and draw < 0.2:
        return COUNT_WORDS[int(value)]
    whole_part, point, decimals = value.partition(".")
    if len(whole_part) > 3 and whole_part.isdigit() and draw < 0.3:
        return f"{int(whole_part):,}{point}{decimals}"
    return value


def _shown(rng: Random, drawn: Mapping[str, str]) -> dict[str, str]:
    return {name: written(rng, value) if value[:1].isdigit() else value for name, value in drawn.items()}


def draw_problem(rng: Random) -> Problem:
    draw = rng.random()
    if draw < 0.08:
        return chain_problem(rng)
    return rng.choice(TALES if draw < 0.4 else STORIES if draw < 0.62 else PROBLEMS)


def ask_arithmetic(scene: Scene) -> Asked:
    """One word problem, and for every fifth a second step on its result."""
    problem = draw_problem(scene.rng)
    drawn = draw_slots(scene, problem.slots)
    names = [value for value in drawn.values() if not value[:1].isdigit()]
    question = word(scene, problem.patterns, _shown(scene.rng, drawn), names)
    result = calculate(scene, problem.expression.format_map(drawn))
    if scene.rng.random() < 0.2:
        expression, slots, patterns = scene.rng.choice(_NEXT)
        more = draw_slots(scene, slots)
        tail = word(scene, patterns, _shown(scene.rng, more))
        question = f"{question if question[-1:] in '?.!' else question + '.'} {tail}"
        result = calculate(scene, expression.format_map({"r": result, **more}))
    return with_rounding(scene, question, result)
