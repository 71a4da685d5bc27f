"""A model that is simulated: what it can do hangs on what the rendered prompt shows, and on nothing else.

Six skills are needed to answer questions about a shop's orders. A skill is on when some demonstration in the prompt
exhibits it; off, the right thing is done at the base rate. Bad demonstrations teach bad habits: one that answers
without looking anything up makes the model guess, one with a detour makes it wander, one with a failed call makes it
fumble. Nothing here knows which optimizer asks, so nothing can be made for one; and since the draws are known, the
best that any prompt can do is known in closed form (`Shop.optimum`).

The traps: lucky passes (yes or no, guessed), leaks (questions that the model knows by heart), repeated rows in the
trainset, a noisy metric, detours, an error that must be met by the same call again, giant observations, orders that
can be opened once in each world, instructions that do harm, and a skill that few tasks need.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from loopwright import Example, Prediction, ReAct
from loopwright.messages import Message
from loopwright.models import BaseLM, Capabilities, LMRequest, LMResponse
from loopwright.models.base import Usage
from loopwright.tools import Tool, ToolCall, ToolContext, ToolRegistry

BASE: dict[str, float] = {
    "archive": 0.32,
    "retry": 0.25,
    "pages": 0.32,
    "voids": 0.12,
    "tax": 0.36,
    "convert": 0.36,
}
ON = 0.985  # how often a skill that was shown is used
SAID: dict[str, str] = {
    "archive": "which is archived",
    "pages": "over all its pages",
    "voids": "without voided lines",
    "tax": "with tax",
    "convert": "in EUR",
}
PARTS = (  # skill, where its amount is read, what is done with it
    ("pages", "list_items", "add"),
    ("voids", "list_voids", "subtract"),
    ("tax", "tax_of", "add"),
)
SKILLS: tuple[str, ...] = tuple(BASE)
RATE = 0.92  # euros for a dollar
GUESS, DETOUR, FUMBLE = 0.10, 0.05, 0.03  # base rates of the habits; a guess only of a yes or no
ASTRAY, LOST = 0.30, 0.25  # how often a detour, or a failed call of its own making, ends in a wrong answer
LUCK = 0.5  # of a yes or no that was worked out wrongly
ROOMY = 9_000  # characters of demonstrations; more of them dilute what they show
HARMFUL = "Answer at once."
HELPFUL = "Heed every part of the question."
NEUTRAL = "You work for a shop."


@dataclass(frozen=True)
class Order:
    """An order, and all there is to know of it."""

    total: float
    outdated: float
    second_page: float
    voided: float
    tax: float
    archived: bool
    busy: bool
    bulky: bool
    sealed: bool


@dataclass(frozen=True)
class Shop:
    """Orders, the questions about them, and what a prompt can reach at best. All of it follows from the seed."""

    seed: int = 0
    noise: float = 0.02

    def trainset(self, n: int = 60, repeated: int = 24) -> list[Example]:
        """Tasks to learn from, and rows that repeat two easy ones of them."""
        rows = [self.task(f"T{k}") for k in range(n)]
        easy = [row for row in rows if needed(row) in ({"tax"}, {"convert"})][:2]
        rows += [easy[k % len(easy)] for k in range(repeated if easy else 0)]
        Random(f"{self.seed}/rows").shuffle(rows)
        return rows

    def valset(self, n: int = 160) -> list[Example]:
        """Tasks to choose by, and to confirm on."""
        return [self.task(f"V{k}") for k in range(n)]

    def testset(self, n: int = 400) -> list[Example]:
        """Tasks that no optimizer sees."""
        return [self.task(f"X{k}") for k in range(n)]

    def task(self, name: str) -> Example:
        """One question about one order."""
        return _drawn(self.seed, name)[0]

    def order(self, name: str) -> Order:
        """The order of that name."""
        return _drawn(self.seed, name)[1]

    def tools(self, opened: set[str] | None = None) -> ToolRegistry:
        """The shop's tools. Without `opened` each run has a world of its own; with it, they all share that one."""
        return ToolRegistry(Tool(one, effect="read") for one in Desk(self, opened).tools())

    def agent(self, opened: set[str] | None = None) -> ReAct:
        """An agent that has learned nothing."""
        return ReAct("question -> answer: str", tools=self.tools(opened), max_iters=14)

    def metric(self, example: Example, prediction: Prediction, trace: object = None) -> bool:
        """Whether the answer is right; now and then the wrong way round, as real metrics are."""
        given = str(prediction.get("answer"))
        flipped = _unit("noise", self.seed, example["question"], given) < self.noise
        return bool((given == example["answer"]) != flipped)

    def optimum(self, tasks: Sequence[Example], shown: Sequence[str] = SKILLS) -> float:
        """What a prompt scores in expectation that shows these skills and no bad habit: the closed form."""
        return sum(self._chance(task, shown) for task in tasks) / len(tasks)

    def _chance(self, task: Example, shown: Sequence[str]) -> float:
        right = (1 - DETOUR * ASTRAY) * (1 - FUMBLE * LOST)
        for skill in needed(task):
            right *= ON if skill in shown else BASE[skill]
        if task["answer"] in ("yes", "no"):
            right = GUESS / 2 + (1 - GUESS) * (right + (1 - right) * LUCK)
        return right * (1 - self.noise) + (1 - right) * self.noise


def needed(task: Example) -> set[str]:
    """The skills that a task needs; its label, which no prompt shows."""
    return set(task["needs"].split())


@cache
def _drawn(seed: int, name: str) -> tuple[Example, Order]:
    chance = Random(f"{seed}/{name}")
    busy = chance.random() < 0.25
    common = ["archive", "pages", "tax", "convert"]
    skills = set(chance.sample(common, chance.choice([0, 1, 1, 2] if busy else [1, 1, 2, 2, 3])))
    if int(name[1:]) % (16 if name.startswith("T") else 8) == 5:  # as rare in every draw of tasks
        skills = {"voids", *sorted(skills)[:1]}
    total = round(chance.uniform(30, 300), 2)
    order = Order(
        total,
        round(total * chance.uniform(0.5, 0.9), 2),
        round(chance.uniform(5, 60), 2),
        round(chance.uniform(2, 20), 2),
        round(chance.uniform(3, 30), 2),
        "archive" in skills,
        busy,
        bulky=chance.random() < 0.2,
        sealed=chance.random() < 0.15,
    )
    amount = _truth(order, skills)
    about = ", ".join([f"order {name}", *(phrase for skill, phrase in SAID.items() if skill in skills)])
    question, answer = f"What does it come to: {about}?", f"{amount:.2f}"
    if chance.random() < 0.15:
        bound = round(amount * chance.choice([0.98, 1.02]), 2)
        question, answer = f"Is it more than {bound:.2f}: {about}?", "yes" if amount > bound else "no"
    needs = " ".join(sorted({*skills, *({"retry"} if busy else ())}))
    return Example(question=question, answer=answer, task_id=name, needs=needs).with_inputs("question"), order


def _truth(order: Order, skills: set[str]) -> float:
    amount = order.total
    if "pages" in skills:
        amount = round(amount + order.second_page, 2)
    if "voids" in skills:
        amount = round(amount - order.voided, 2)
    if "tax" in skills:
        amount = round(amount + order.tax, 2)
    return round(amount * RATE, 2) if "convert" in skills else amount


class Desk:
    """The shop's tools, as methods. `opened` are the orders that were read in a world that all runs share."""

    def __init__(self, shop: Shop, opened: set[str] | None) -> None:
        self.shop = shop
        self.opened = opened

    def tools(self) -> list[Callable[..., str]]:
        """All of them."""
        lookups: list[Callable[..., str]] = [
            self.get_order,
            self.get_archive,
            self.list_items,
            self.list_voids,
        ]
        return [*lookups, self.tax_of, self.add, self.subtract, self.convert, self.search_help]

    def _read(self, name: str, context: ToolContext) -> Order:
        order = self.shop.order(name)
        if order.busy and not context.state.get("asked"):
            context.state["asked"] = True
            raise RuntimeError("503 busy")
        if self.opened is not None:
            if order.sealed and name in self.opened:
                raise RuntimeError("the seal is broken")
            self.opened.add(name)
        return order

    def get_order(self, order: str, context: ToolContext) -> str:
        """Read an order."""
        found = self._read(order, context)
        lines = [f"line {k}: part {k * 7919 % 9973} on stock" for k in range(120 if found.bulky else 0)]
        total = found.outdated if found.archived else found.total
        return "\n".join([f"order {order}", *lines, f"total {total:.2f} USD"])

    def get_archive(self, order: str, context: ToolContext) -> str:
        """Read an order in the archive."""
        return f"archived order {order}\ntotal {self._read(order, context).total:.2f} USD"

    def list_items(self, order: str, page: int) -> str:
        """Read a page of an order's items."""
        return f"page {page}, subtotal {self.shop.order(order).second_page:.2f} USD"

    def list_voids(self, order: str) -> str:
        """Read an order's voided lines."""
        return f"voided {self.shop.order(order).voided:.2f} USD"

    def tax_of(self, order: str) -> str:
        """Read an order's tax."""
        return f"tax {self.shop.order(order).tax:.2f} USD"

    def add(self, a: float, b: float) -> str:
        """Add two amounts."""
        return f"{a + b:.2f}"

    def subtract(self, a: float, b: float) -> str:
        """Take an amount from another."""
        return f"{a - b:.2f}"

    def convert(self, amount: float, to: str) -> str:
        """Convert dollars."""
        return f"{round(amount * RATE, 2):.2f} {to}"

    def search_help(self, text: str) -> str:
        """Search the manual."""
        return "the manual has nothing on that, and 311.05 other entries"


@dataclass(frozen=True)
class Mind:
    """What a prompt has taught: skills that are on, rates of habits, the answers to questions that it shows solved."""

    skills: frozenset[str]
    guess: float
    detour: float
    fumble: float
    dilution: float
    answers: Mapping[str, str]
    lift: float
    digest: str


class SimulatedLM(BaseLM):
    """The model. `memory` are questions that it knows by heart, from a leak; in an `anti` one demonstrations do harm.

    `lift` is added to the base rate of every skill: that makes a teacher. `calls` counts what it was asked.
    """

    def __init__(
        self, seed: int = 0, *, memory: Mapping[str, str] | None = None, anti: bool = False, lift: float = 0.0
    ) -> None:
        self.model = f"simulated-{seed}{'-anti' if anti else ''}-{lift:g}"
        self.seed = seed
        self.memory = dict(memory or {})
        self.anti = anti
        self.lift = lift
        self.calls = 0
        self._minds: dict[int, tuple[Message, Mind]] = {}
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """It calls tools natively, and writes text as well."""
        return Capabilities(native_tools=True)

    def complete(self, request: LMRequest) -> LMResponse:
        """The next turn; or, where no shop is there to work in, a text for an optimizer."""
        with self._lock:
            self.calls += 1
        usage = Usage(sum(len(message.content) for message in request.messages) // 4, 12)
        if not any(tool.name == "get_order" for tool in request.tools):
            return LMResponse(self._proposal(request), usage=usage, model=self.model)
        call, thought = self._turn(request)
        named = ToolCall(call.name, call.args, f"c{len(request.messages)}")
        return LMResponse(thought, (named,), finish_reason="tool_calls", usage=usage, model=self.model)

    def _turn(self, request: LMRequest) -> tuple[ToolCall, str]:
        messages = request.messages
        live = max(
            k for k, m in enumerate(messages) if m.role == "user" and m.content.startswith("question: ")
        )
        mind = self._mind(messages[:live])
        question = messages[live].content.removeprefix("question: ")
        number = 0 if request.temperature == 0 else request.rollout_id

        def draw(name: str) -> float:
            return _unit(self.seed, mind.digest, question, number, request.temperature, name)

        turns = self._policy(question, mind, draw)
        call, thought = next(turns)
        for message in messages[live + 1 :]:
            if message.role == "tool":
                try:
                    call, thought = turns.send(message.content)
                except StopIteration:
                    break
        return call, thought

    def _policy(
        self, question: str, mind: Mind, draw: Callable[[str], float]
    ) -> Generator[tuple[ToolCall, str], str, None]:
        """What it does, turn by turn; each is sent what came of it."""
        name = re.findall(r"order (\w+)", question)[0]
        bounds = amounts(question)
        lost = submit("no" if bounds else "0.00", "I am lost.")

        def right(skill: str) -> bool:
            return draw(skill) < self._rate(skill, mind)

        yield from self._known(question, mind, draw)
        if draw("fumble") < mind.fumble:
            yield ToolCall("get_order", {"number": name}), ""
            if draw("lost") < LOST:
                yield lost
        if draw("detour") < mind.detour:
            seen = yield ToolCall("search_help", {"text": question[:20]}), "Is there help?"
            if draw("astray") < ASTRAY:
                yield submit("no" if bounds else amounts(seen)[-1], "The manual has it.")
        tool = "get_archive" if SAID["archive"] in question and right("archive") else "get_order"
        seen = yield ToolCall(tool, {"order": name}), "First the order."
        if "503" in seen and right("retry"):
            seen = yield ToolCall(tool, {"order": name}), "Busy: once more."
        if not amounts(seen):
            yield lost
        amount = amounts(seen)[-1]
        for skill, lookup, sum_up in PARTS:
            if SAID[skill] in question and right(skill):
                page = {"page": 2} if skill == "pages" else {}
                part = amounts((yield ToolCall(lookup, {"order": name, **page}), ""))[-1]
                both = {"a": float(amount), "b": float(part)}
                amount = amounts((yield ToolCall(sum_up, both), ""))[-1]
        if SAID["convert"] in question and right("convert"):
            amount = amounts((yield ToolCall("convert", {"amount": float(amount), "to": "EUR"}), ""))[-1]
        if bounds:
            yield submit("yes" if float(amount) > float(bounds[0]) else "no", "")
        yield submit(amount, "")

    def _rate(self, skill: str, mind: Mind) -> float:
        """How often it does the right thing where that skill is needed."""
        base = min(ON, BASE[skill] + self.lift + mind.lift)
        if self.anti:
            return base * (0.6 if mind.answers else 1)
        return ON - mind.dilution if skill in mind.skills else base

    def _known(
        self, question: str, mind: Mind, draw: Callable[[str], float]
    ) -> Generator[tuple[ToolCall, str], str, None]:
        """Answers without a look at anything: from a demonstration, from memory, or guessed."""
        yes_or_no = bool(amounts(question))
        if question in mind.answers:
            yield submit(mind.answers[question], "As in the example.")
        if question in self.memory and draw("memory") < 0.5:
            yield submit(self.memory[question], f"I remember: {self.memory[question]}.")
        if draw("guess") < mind.guess - (0 if yes_or_no else GUESS):
            coin = "yes" if draw("coin") < 0.5 else "no"
            yield submit(coin if yes_or_no else "100.00", "Surely.")

    def _mind(self, prefix: Sequence[Message]) -> Mind:
        """What the messages before the live question teach. The same prefix is looked at once."""
        first = prefix[-1]
        known = self._minds.get(id(first))
        if known is None or known[0] is not first:
            known = (first, _taught(prefix))
            if len(self._minds) > 500:
                self._minds.clear()
            self._minds[id(first)] = known
        return known[1]

    def _proposal(self, request: LMRequest) -> str:
        """A text for whatever fields are asked for: sometimes one that helps, sometimes one that does harm."""
        told = "\n".join(message.content for message in request.messages)
        asked = re.findall(r"\[\[ ## (\w+) ## \]\]", request.messages[0].content)
        given = set(re.findall(r"\[\[ ## (\w+) ## \]\]", request.messages[-1].content))
        pick = _unit(self.seed, "proposal", told, request.rollout_id)
        text = HELPFUL if pick < 0.4 else HARMFUL if pick < 0.7 else NEUTRAL
        fields = [name for name in dict.fromkeys(asked) if name not in given and name != "completed"]
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name in fields) or text


def submit(answer: str, thought: str) -> tuple[ToolCall, str]:
    """The turn that ends a run."""
    return ToolCall("submit", {"answer": answer}), thought


def amounts(text: str) -> list[str]:
    """The amounts of money in a text."""
    return re.findall(r"\d+\.\d\d", text)


def _taught(prefix: Sequence[Message]) -> Mind:
    """Read demonstrations as a model would: message by message."""
    demos: list[list[Message]] = []
    for message in prefix:
        if message.role == "user":
            demos.append([])
        if demos:
            demos[-1].append(message)
    shown = [_shown(demo) for demo in demos]
    habits = [
        sum(habit in one for one in shown) / max(len(shown), 1) for habit in ("guess", "detour", "fumble")
    ]
    length = sum(len(message.content) for demo in demos for message in demo)
    told = prefix[0].content
    return Mind(
        frozenset().union(*shown) - {"guess", "detour", "fumble"},
        GUESS + 0.7 * habits[0] + (0.5 if HARMFUL in told else 0.0),
        DETOUR + 0.6 * habits[1],
        FUMBLE + 0.6 * habits[2],
        min(0.3, 0.3 * max(0, length - ROOMY) / ROOMY),
        dict(filter(None, map(_solved, demos))),
        0.08 if HELPFUL in told else 0.0,
        _digest(prefix),
    )


def _shown(demo: Sequence[Message]) -> set[str]:
    """Skills and habits that one demonstration exhibits."""
    made = [(call, _answer_to(call, demo)) for message in demo for call in message.tool_calls]
    good = [(call, text) for call, text in made if not text.startswith("Error")]
    names = {call.name for call, _ in good}
    by_tool = {
        "get_archive": "archive",
        "list_items": "pages",
        "list_voids": "voids",
        "tax_of": "tax",
        "convert": "convert",
    }
    found = {skill for tool, skill in by_tool.items() if tool in names}
    if not names & {"get_order", "get_archive"}:
        return {"guess"}  # nothing was looked up: whatever else it does, it makes up its amounts
    if "search_help" in names:
        found.add("detour")
    for call, text in made:
        again = any(one.name == call.name and dict(one.args) == dict(call.args) for one, _ in good)
        if "503" in text and again:
            found.add("retry")
        elif text.startswith("Error"):
            found.add("fumble")
    return found


def _answer_to(call: ToolCall, demo: Sequence[Message]) -> str:
    return next((m.content for m in demo if m.role == "tool" and m.tool_call_id == call.id), "")


def _solved(demo: Sequence[Message]) -> tuple[str, str] | None:
    for message in demo:
        for call in message.tool_calls:
            if call.name == "submit":
                return demo[0].content.removeprefix("question: "), str(call.args.get("answer"))
    return None


def _digest(messages: Sequence[Message]) -> str:
    told = hashlib.sha256()
    for message in messages:
        told.update(message.content.encode())
        told.update("".join(map(str, message.tool_calls)).encode())
    return told.hexdigest()


def _unit(*place: object) -> float:
    """A number from 0 to 1 for one place."""
    text = "/".join(map(str, place))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56
