"""How look-ups are asked for. Of each list the last wording is held out."""

from __future__ import annotations

SPECIFIC: dict[str, tuple[str, ...]] = {
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

SINGLE = (
    "[What is|What's|Look up|Find|Get|Tell me|Give me] the {label} of {a}?",
    "[What is|What's|Give me] {a}'s {label}?",
    "{label} of {a}[?|]",
    "[I need|We need|Check] the {label} [of|for] {a}[.|]",
    "[Which|What] {label} does {a} have?",
    "[Can you|Could you] [tell me|find|check|look up] the {label} [of|for] {a}?",
    "[I want to know|Do you know|I forgot] the {label} of {a}[.|]",
    "what's the {label} for {a}",
    "Please look up the {label} for {a}.",
    "[Do you have|Is there|Is anything known about] the {label} of {a}?",
    "[Show|Fetch|Read] [me|us|] the {label} [of|for] {a}[.|]",
    "{a}'s {label}[?|, please|]",
    "[The|Our] [boss|customer|report|team] [asks for|wants|needs] the {label} of {a}.",
    "[How much|What] is {a}'s {label}?",
    "{a}: what {label} is on record?",
)
TIMES = (
    "[What is|What's|Find] {n} times the {label} of {a}?",
    "[Multiply|Take] the {label} of {a} [by|times] {n}[.|]",
    "[What|How much] [is|would be] the {label} of {a} [multiplied by|times] {n}?",
    "[What is|Find] the {label} of {n} {many_a} [in total|together|altogether]?",
    "If the {label} of {a} were {n} times as large, what would it be?",
)
TIMES_MONEY = (
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
    "[We are|I am|{who} is] [buying|ordering|getting] {n} {many_a}. [What does it come to|How much will it cost|What is due|What's the sum]?",
    "[How much|What] [do|must|will] [I|we] pay [if|when] [I|we] [take|order|buy] {n} {many_a}?",
    "[How much|What] would {n} {many_a} [come to|set us back|cost us]?",
    "[A|One] [client|customer|friend] [asks for|orders|buys] {n} {many_a}. [What is the invoice|What is the amount|How much is due|What does it cost]?",
    "{n} [of the|] {many_a}: [how much|what is the cost|what do I owe]?",
    "[For|To get] {n} {many_a}, [how much|what] [is needed|must I pay|is it]?",
    "If {who} takes {n} {many_a}, what will be charged?",
)
TIMES_SALARY = (
    "[How much|What] does {a} [earn|make|get] in {n} [months|years]?",
    "{a} works here for {n} [months|years]. [What is paid in all|How much is that in total]?",
    "[What is|Find] {a}'s salary times {n}?",
    "Over {n} pay days, what does {a} receive?",
)
DIVIDE = (
    "[Divide|Split] the {label} of {a} [by|into] {n}[.|]",
    "[What is|What's] the {label} of {a} divided by {n}?",
    "[What is|What's] {a}'s {label} [split|shared] [between|among] {n} [people|]?",
    "[How much|What] is one of {n} equal parts of the {label} of {a}?",
    "[The|] {label} of {a} [spread|split|divided] over {n} [months|days|people|boxes]: [what|how much] [each|for one]?",
    "One {n}th share of the {label} of {a}: how much?",
)
PERCENT = (
    "[What is|How much is|Find] {p}[%| percent] of the {label} of {a}?",
    "[Take|Give me] {p}% of [the {label} of {a}|{a}'s {label}][.|]",
    "{p}% of {a}'s {label}[?|]",
    "Of the {label} of {a}, how much is {p} percent?",
)
LESS = (
    "[What is|How much is] the {label} of {a} [less|minus|reduced by|after a reduction of] {p}[%| percent]?",
    "[What|How much] is the {label} of {a} [with|at|after] [a|] {p}% [discount|off]?",
    "[There is|I have] [a|] {p}% [discount|off]. [What is the {label} of {a} then|What does that make the {label} of {a}]?",
    "[The|] {label} of {a} [falls|drops|shrinks|is cut] by {p}[%| percent]. [What is it then|What remains|How much is left]?",
    "[If|When] {p}[%| percent] of the {label} of {a} [goes|is taken] away, [what remains|how much is left]?",
    "[A|The] {a} with {p}% off[, what is the {label}|: {label}]?",
    "Take {p} percent off the {label} of {a}.",
)
MORE = (
    "[What is|How much is] the {label} of {a} [plus|with|increased by|after a rise of] {p}[%| percent]?",
    "[What|How much] [is|would be] the {label} of {a} with {p}% [tax|VAT|more|on top]?",
    "[If|Suppose] the {label} of {a} [rises|grows|goes up] by {p}%, what is it?",
    "[The|] {label} of {a} [rises|grows|goes up|is raised] by {p}[%| percent]. [What is it then|What's the new {label}]?",
    "[{a} gets|There is for {a}|{a} is given] {p}[%| percent] more {label}. [What is the {label} then|How much is that]?",
    "Raise the {label} of {a} by {p} percent.",
)
PLUS = (
    "[What is|Find] the {label} of {a} plus {k}?",
    "[Add|] {k} [to|more than] the {label} of {a}[.|: how much?]",
    "[What|How much] is the {label} of {a} [plus|with] [a fee of|shipping of|another|an extra] {k}?",
    "[What|How much] is it if {k} [is added|comes on top of|is put on] the {label} of {a}?",
    "[The|] {label} of {a} [goes up|rises|grows] by {k}. [What is it then|What's the new value]?",
    "With {k} on top, what's the {label} of {a}?",
)
MINUS = (
    "[What is|Find] the {label} of {a} minus {k}?",
    "[Subtract|Take] {k} from the {label} of {a}[.|]",
    "[What|How much] of the {label} of {a} [is left|remains] after [taking|using] {k}?",
    "[The|] {label} of {a} [goes down|falls|shrinks] by {k}. [What is it then|What's the new value|What remains]?",
    "[How much|What] is left of the {label} of {a} [when|once] {k} [is gone|is taken|goes out]?",
    "Lower the {label} of {a} by {k}.",
)
CHANGE = (
    "[I|{who}] [pay|pays] with {k} for [a|one|the] {a}. [How much change|What change] [is due|do I get|comes back]?",
    "[What|How much] is left of {k} after [buying|paying for] [a|one|the] {a}?",
    "[Change|What remains] from {k} for [a|one|the] {a}?",
    "[I|{who}] [have|has] {k} and [buy|buys|want|wants] [a|one|the] {a}. [What|How much] [is left|remains]?",
    "[From|Out of] {k}, [a|one|the] {a} is paid. [What is left|How much remains]?",
    "I have {k}. After buying the {a}, what remains?",
)
TIMES_LESS = (
    "[What|How much] do {n} {many_a} cost [with|after|at] {p}% [off|discount]?",
    "[I|We|{who}] [order|buy|take] {n} {many_a} and [get|gets] {p}% off. [What is the total|What do I pay|How much is it]?",
    "{n} {many_a}, {p}% [off|cheaper][: how much|: the total|?]",
    "[There is|With] {p}% off, what [is|would be] the price of {n} {many_a}?",
    "A rebate of {p} percent on {n} {many_a}: what must be paid?",
)
TIMES_MORE = (
    "[What|How much] do {n} {many_a} cost [with|plus|including] {p}% [tax|VAT]?",
    "[I|We|{who}] [order|buy|take] {n} {many_a}, and {p}% tax [is added|comes on top]. [What is the total|What do I pay|How much is it]?",
    "{n} {many_a} plus {p}% [tax|VAT|tip][: how much|: the total|?]",
    "[Adding|With] {p}% tax, what [is|would be] the price of {n} {many_a}?",
    "{p} percent VAT on {n} {many_a}: what is the gross sum?",
)
TIMES_CHANGE = (
    "[I|{who}] [have|has] {big} and [buy|buys|take|takes] {n} {many_a}. [How much is left|What is left|What remains]?",
    "[What|How much] is left of {big} after [buying|paying for] {n} {many_a}?",
    "[From|Out of] {big}, {n} {many_a} are paid. [What is the change|How much remains]?",
    "[With|On] a budget of {big} we get {n} {many_a}. [What is left over|How much remains]?",
    "Paying {big} for {n} {many_a}, what do I get back?",
)
STOCK_LEFT = (
    "[We sell|Someone takes|{who} buys|A customer orders] {small} {many_a}. How many [are left|remain|do we still have]?",
    "[How many|What number of] {many_a} [are left|remain|are still there] after {small} [are sold|are gone|have been taken]?",
    "[Take|If we take] {small} {many_a} [out of|from] stock[, how many remain|: what is left]?",
    "{small} {many_a} go out. What is in stock then?",
    "Once {small} of the {many_a} leave the store, what's on hand?",
)
STOCK_MORE = (
    "[We get|There come|{who} brings|A truck brings] {small} more {many_a}. How many [do we have|are there] then?",
    "[How many|What number of] {many_a} are there [after|when] {small} more [come in|arrive]?",
    "{small} {many_a} [come in|arrive]. What is in stock then?",
    "[Add|Put] {small} [more|] {many_a} to the stock: [how many|what is it] then?",
    "With {small} new {many_a} in the store, what's on hand?",
)
STOCK_BOXES = (
    "[All|] [the|our] {many_a} [in stock|on hand] go into boxes of {few}. How many boxes [is that|are needed|do we fill]?",
    "[How many|What number of] [boxes|crates|pallets] of {few} do the {many_a} in stock [make|fill|need]?",
    "[Split|Divide|Share] [all|] {many_a} in stock [among|between|over] {few} [shops|rooms|people]. How many each?",
    "{few} [people|shops] share our {many_a}. How many does each get?",
    "One crate holds {few} {many_a}; how many crates for the whole stock?",
)
STOCK = (
    "How many {many_a} [do we have|are in stock|are left|are there|have we got]?",
    "[What is|What's|Check] the [stock|number] of {many_a}[?|]",
    "[Do we have|Are there] {many_a} [left|in stock], and how many?",
    "[Count|Number] of {many_a} [in stock|left][?|]",
    "What quantity of {many_a} is on hand?",
)
PER_MONTH = (
    "[What|How much] does {a} [earn|get|make] [a month|per month|each month|monthly]?",
    "[What is|Find|I need] {a}'s monthly [pay|salary|wage][?|]",
    "{a}'s [pay|salary] [a|per] month[?|]",
    "[How much|What] is paid to {a} [each|every] month?",
    "By the month, what is {a} paid?",
)
RAISED = (
    "[How much|What] will {a} [earn|make|get] after a [raise|rise|increase] of {p}[%| percent]?",
    "{a}'s [pay|salary|wage] [goes up|is raised|rises] by {p}[%| percent]. [What is it then|What's the new salary|How much is that]?",
    "[Give|We give] {a} {p}% more. [What is the salary then|How much is that]?",
    "With {p}% [more|on top], what [is|would be] {a}'s [salary|pay]?",
    "If {a} is paid {p} percent more, how much will that be?",
)
PEOPLE_LEFT = (
    "[{p}%|{p} percent] of the people of {a} [leave|go away|move]. How many [are left|stay|remain]?",
    "[How many|What number of people] [would|will] {a} have [with|after losing] {p}% [fewer|less|of them]?",
    "{a} [loses|shrinks by] {p}[%| percent][ of its people|]. How many [people|inhabitants] [remain|are left]?",
    "[If|When] {p}% [leave|move out of] {a}, how many [stay|live there]?",
    "Were {p} percent to go, how many would {a} have?",
)
PEOPLE_SUM = (
    "[How many people|How many inhabitants] do {a} and {b} have [together|in all|in total]?",
    "[How many|What number of] [people|] live in {a} [and|or] {b} [together|altogether]?",
    "{a} and {b} [become one town|are merged|unite]. How many [people|inhabitants] [is that|does it have]?",
    "[Add|Sum] the [people|inhabitants] of {a} and {b}[.|]",
    "In {a} plus {b}, how many live there?",
)
PEOPLE_MORE = (
    "How many more [people|inhabitants] [live in|has|does] {a} [than in|than|have than] {b}?",
    "By how many [people|inhabitants] is {a} [larger|bigger] than {b}?",
    "[What is|Find] the difference [in|of] [people|inhabitants|size] between {a} and {b}?",
    "How much [bigger|larger] is {a} than {b}?",
    "{a} against {b}: how many people more?",
)
DEARER = (
    "How much more [does|is] [a|the|one] {a} [cost|] than [a|the|one] {b}?",
    "[What is|Find] the [price difference|difference in price] [between|of] [a|the] {a} and [a|the] {b}?",
    "How much [dearer|cheaper] is [a|the] {a} than [a|the] {b}?",
    "How much do I save [with|if I take] [a|the] {b} instead of [a|the] {a}?",
    "Over the {b}, what extra does the {a} cost?",
)
SUM = (
    "[What is|What's|Find] the [total|combined|] {label} of {a} and {b}[ together|]?",
    "[Add|Sum] the {label}[s|] of {a} and {b}[.|]",
    "[What is|How much is] the {label} of {a} plus the {label} of {b}?",
    "{label}[s|] of {a} and {b} [together|in total|added][?|]",
    "[How much|What] [do|does] {a} and {b} have [together|in all] in {label}?",
    "[Put|Take] {a} and {b} together: what {label} [is that|do you get]?",
    "[What|How much] {label} do {a} and {b} [make|give|have] [together|combined|in all]?",
    "{a} and {b}: what's their {label} in all?",
)
SUM_MONEY = (
    "[How much|What] [are|is|do I pay for] [a|one|the] {a} and [a|one|the] {b} [together|in total|]?",
    "[I|We|{who}] [buy|need|want] [a|one|the] {a} and [a|one|the] {b}. [What is the total|How much is that|What do I pay]?",
    "[Total|Price] for {a} and {b} [together|][?|]",
    "[How much|What] [money|] do I need [for|to buy] [a|one|the] {a} and [a|one|the] {b}?",
    "[I|{who}] [picked|took|ordered] [a|one|the] {a} and [a|one|the] {b}[. What's the bill|. How much altogether|; what do they cost together]?",
    "[What|How much] do [a|one|the] {a} and [a|one|the] {b} cost [together|in all|altogether|when added]?",
    "[A|One] {a} and [a|one] {b}: [what is the sum|how much|what do I owe]?",
    "[We are|I am|{who} is] [buying|getting] both the {a} and the {b}. [What does it come to|What is due]?",
    "If I take {a} plus {b}, what's the bill?",
)
DIFFERENCE = (
    "[What is|What's|Find] the difference [in|of] {label} [between|of] {a} and {b}?",
    "[How much|By how much] [greater|larger|higher|more] is the {label} of {a} than [that|the {label}] of {b}?",
    "[Subtract|Take] the {label} of {b} from [that|the {label}] of {a}[.|]",
    "[What is|How much is] the {label} of {a} minus the {label} of {b}?",
    "[How much|] [more|bigger|greater] is {a}'s {label} than {b}'s?",
    "Compare the {label} of {a} and {b}: what's the difference?",
    "{label}: {a} minus {b}[?|]",
    "[How much|What] more {label} [has|does] {a} [than|have than|compared with] {b}?",
    "How does the {label} of {a} differ from that of {b}?",
    "[Is the {label} of {a} larger than that of {b}, and by how much|How far apart are {a} and {b} in {label}]?",
    "By what margin does {a} beat {b} in {label}?",
)
RATIO = (
    "[How many times|What multiple of] the {label} of {b} is [that|the {label}] of {a}?",
    "[What is|Find] the ratio of the {label} of {a} to [that|the {label}] of {b}?",
    "Divide the {label} of {a} by [that|the {label}] of {b}[.|]",
    "{a}'s {label} over {b}'s {label}: how much?",
)
MEAN = (
    "[What is|What's|Find] the [average|mean] {label} of {a} and {b}?",
    "[Average|Mean] the {label}[s|] of {a} and {b}[.|]",
    "[Average|Mean] {label}: {a} and {b}[?|]",
    "[What|Which] {label} do {a} and {b} have on [average|the average]?",
    "[Take|Find] the [mean|average] of the {label}[s|] of {a} and {b}[.|]",
    "[What is|Find] the [mean|average] of {a}'s {label} and {b}'s {label}?",
    "On average, what {label} do {a} and {b} have?",
)
BASKET = (
    "[How much|What] [are|do I pay for|is the total for] {n} {many_a} and {m} {many_b}?",
    "[I|We|{who}] [buy|order|need|want] {n} {many_a} and {m} {many_b}. [What is the total|How much is that|What do I pay|What's the bill]?",
    "[Total|Price|Cost] [of|for] {n} {many_a} [plus|and] {m} {many_b}[?|]",
    "{n} {many_a} plus {m} {many_b}, [how much|what do they cost]?",
    "[How much|What] would [it cost|I pay] [to buy|for] {n} {many_a} and {m} {many_b}?",
    "[I'd like|Please order|{who} would like] {n} {many_a} and {m} {many_b}[. What will it cost|; what's the total|. How much is it]?",
    "[What|How much] do {n} {many_a} [and|plus] {m} {many_b} [cost|come to] [in all|altogether|in total|]?",
    "[We are|I am] [buying|ordering] {n} {many_a} as well as {m} {many_b}. [What is due|What does it come to|How much is it]?",
    "[For|To buy] {n} {many_a} [and|with] {m} {many_b}, [how much|what] [do I need|must I pay|is it]?",
    "[A|One] [client|customer] [asks for|orders|buys] {n} {many_a} and {m} {many_b}. [What is the invoice|How much is due]?",
    "Charge {who} for {n} {many_a} along with {m} {many_b}; how much?",
)
CONVERTED = (
    "[What is|What's|Find] the {label} of {a} in {v}?",
    "[Give|Tell] me the {label} of {a} [in|converted to] {v}[.|]",
    "{label} of {a} in {v}[?|]",
    "How many {v} is the {label} of {a}?",
)
WORTH = (
    "[What is|How much is] [our|the] stock of {a} worth?",
    "[What is|Find] the value of all {a} in stock?",
    "[What|How much] [would|do] all our {a} [cost|sell for] together?",
    "[Multiply|Take] the price of {a} [by|times] its stock[.|]",
    "[What|How much] [are|is] [all|] the {many_a} [in stock|that we have|on our shelves] worth?",
    "[What|How much] [would|will] [it cost|I pay] to [take|buy up|get] all [the|] {many_a} [that you have|in stock|there are]?",
    "[If|Suppose] [I|we|{who}] [sell|buy] all {many_a} [in stock|there are]: [how much|what sum] is that?",
    "[The|] value of [all|] [the|] {many_a} [in stock|we hold][?|, please]",
    "Value our whole stock of {a}.",
)
EARNED = (
    "[How much|What] did {a} earn?",
    "[What is|Find] the pay of {a}, [hours times rate|rate times hours]?",
    "[What do we owe|How much do we owe|What must we pay] {a} for the hours worked?",
    "Multiply the hours of {a} by the hourly rate[.|]",
    "Pay {a} for the hours: how much?",
)
OVER = (
    "[What is|Find] the {label} of {a} [divided by|per] the {other}?",
    "[What is|Find] the ratio of {label} to {other} [of|for|in] {a}?",
    "Divide the {label} of {a} by its {other}[.|]",
    "{a}: {label} over {other}?",
)
BOTH = (
    "[What is|Find] the {label} plus the {other} of {a}?",
    "[Add|Sum] the {label} and the {other} of {a}[.|]",
    "{label} and {other} of {a} [together|in total][?|]",
    "For {a}, what do {label} and {other} come to?",
)
TRAVEL = (
    "[How long|How many hours] [does it take|is the drive|do I drive] to {a} at {n} km/h?",
    "[I|{who}] [drive|drives] to {a} at {n} km/h. [How many hours is that|How long does it take]?",
    "At {n} km/h, how long to {a}?",
    "With a speed of {n} km/h, in how many hours am I in {a}?",
)
THERE_AND_BACK = (
    "[How far|How many {u}] is it to {a} and back?",
    "[What is|Find] the [return|round] trip distance to {a}?",
    "[I|{who}] [drive|drives|go|goes] to {a} and back. [How far is that|What distance is that]?",
    "There and back to {a}: how far?",
)
AFTER = (
    "[What|Which] date is {n} {unit} after the {label} of {a}?",
    "[Add|Count] {n} {unit} [to|from] the {label} of {a}[.|]",
    "{n} {unit} after {a}'s {label}[?|]",
    "Go {n} {unit} past the {label} of {a}: which date?",
)
SINCE = (
    "[How many|] days [are there|] [between|from] the {label} of {a} [and|to] {d}?",
    "[How many|What number of] days [passed|are there] from {a}'s {label} [to|until] {d}?",
    "[Today is|It is] {d}. [How many days ago was|How long ago in days was] the {label} of {a}?",
    "Until {d}, how many days since the {label} of {a}?",
)
OWN = (
    "[What is|What's|How much is|Tell me|Show] my {label}?",
    "[I need|I want to know|Can you check] my {label}[.|?]",
    "my {label} [please|]",
    "Could you look up what my {label} is?",
)
LINKED = (
    "[What is|What's|Find] the {label} of {a}'s {link}?",
    "[What is|What's|Look up] the {label} of the {link} of {a}?",
    "[Who is|Find] the {link} of {a}, and what is [their|that one's] {label}?",
    "[I need|Give me|Tell me] the {label} of [the {link} of {a}|{a}'s {link}][.|]",
    "{a} has a {link}; give that one's {label}.",
)
LINKS: dict[str, tuple[str, ...]] = {
    "person": ("manager", "boss", "partner", "mentor", "deputy", "supervisor", "assistant", "neighbour"),
    "item": ("replacement", "successor", "alternative", "refill", "spare part", "accessory"),
    "place": ("capital", "twin town", "main port", "nearest city", "county seat"),
    "code": ("follow-up", "reference", "parent order", "successor"),
}
