"""A small world for optimizers: an agent that looks prices up, a model that learns from what a prompt shows, tasks."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright import Example, Prediction, ReAct
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.models.scripted import Answer
from loopwright.tools import ToolCall

WORDS = [
    "lamp",
    "lip",
    "ship",
    "bed",
    "chair",
    "sofa",
    "cup",
    "plate",
    "clip",
    "rug",
    "map",
    "door",
    "tulip",
    "desk",
]
WORDS += ["stool", "shelf", "vase", "clock", "mirror", "carpet", "crib", "trap", "step", "lock"]
ITEMS = [f"{kind}{word}" for kind in ("", "old ", "green ") for word in WORDS]
NATIVE = Capabilities(native_tools=True)
RULE = "Look the price up."


def price_of(item: str) -> int:
    """The price of an item."""
    return len(item)


def agent() -> ReAct:
    return ReAct("item -> price: int", [price_of])


def tasks(items: Sequence[str] = ITEMS) -> list[Example]:
    return [Example(item=item, price=len(item), task_id=item).with_inputs("item") for item in items]


def right(example: Example, prediction: Prediction, trace: object = None) -> bool:
    return bool(prediction.get("price") == example["price"])


def teachable() -> FunctionLM:
    """Looks nothing up, but for a quarter of the items, until it is shown a run that does, or told the rule.

    Asked for a text, it writes the rule.
    """
    return FunctionLM(lambda request: _turn(request, harmed=False), capabilities=NATIVE)


def harmed() -> FunctionLM:
    """Looks up what it is asked for, until a demonstration confuses it."""
    return FunctionLM(lambda request: _turn(request, harmed=True), capabilities=NATIVE)


def _turn(request: LMRequest, *, harmed: bool) -> Answer:
    if not any(tool.name == "price_of" for tool in request.tools):
        return written(request)
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"price": int(last.content)})
    item = last.content.removeprefix("item: ")
    shown = any(message.role == "tool" for message in request.messages)
    told = RULE in request.messages[0].content
    able = item[-1] in "pk" or len(item) == 3
    looks = not shown if harmed else shown or told or able
    return ToolCall("price_of", {"item": item}) if looks else ToolCall("submit", {"price": 0})


def written(request: LMRequest) -> str:
    """The rule, in whatever field is asked for."""
    for name in ("proposal", "summary", "rule"):
        if f"[[ ## {name} ## ]]" in request.messages[0].content:
            return f"[[ ## {name} ## ]]\n{RULE}"
    return RULE
