from __future__ import annotations

import asyncio
import copy
import dataclasses
import enum
import functools
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from loopwright.tools import ModelRetry, Tool, ToolCall, ToolDefinitionError, ToolFailed, ToolResult, tool

HANG = 60.0  # seconds: a guard against a hang, on any machine


def run(func: Callable[..., object], **args: object) -> ToolResult:
    made = Tool(func)
    return made.run(ToolCall(made.name, args))


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()


class Item(BaseModel):
    name: str
    price: Decimal


@dataclasses.dataclass
class Point:
    x: float
    when: date | None = None


class Titled:
    def __str__(self) -> str:
        return "a title"


class Mute:
    pass


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no words")


# ---- what a result looks like


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (42, "42"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "null"),
        ([1, "zwölf"], '[1, "zwölf"]'),
        ((1, 2), "[1, 2]"),
        ({"a": {"b": None}}, '{"a": {"b": null}}'),
        ({1: "one", Colour.RED: 2, (1, 2): 3}, '{"1": "one", "red": 2, "[1, 2]": 3}'),
        pytest.param({"b", "a"}, '["a", "b"]', id="a set"),
        (Colour.RED, "red"),
        (Name("Ann"), "Ann"),
        ([Name("Ann")], '["Ann"]'),
        (Level.HIGH, "3"),
        (date(2026, 1, 31), "2026-01-31"),
        ([datetime(2026, 1, 31, 12, 30)], '["2026-01-31T12:30:00"]'),  # noqa: DTZ001 - shown as it is given
        (Decimal("1.50"), "1.50"),
        (timedelta(hours=1, minutes=30), "PT1H30M"),
        (timedelta(days=2), "P2D"),
        (timedelta(days=-1, microseconds=3), "-PT23H59M59.999997S"),
        (timedelta(0), "PT0S"),
        (Point(1.5, date(2026, 1, 1)), '{"x": 1.5, "when": "2026-01-01"}'),
        (Item(name="pen", price=Decimal("1.2")), '{"name": "pen", "price": "1.2"}'),
        ([Item(name="pen", price=Decimal(1))], '[{"name": "pen", "price": "1"}]'),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"bytes", "bytes"),
        (Titled(), "a title"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
    ids=str,
)
def test_a_result_is_shown_as_text_or_json(value: object, content: str) -> None:
    result = run(lambda_named(value))
    assert result.content == content
    assert result.ok


def lambda_named(value: object) -> Callable[[], object]:
    def give() -> object:
        return value

    return give


def numbers() -> Iterator[int]:
    yield 1


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (Mute(), "unserialisable", "returned a Mute, which has no text form"),
        ([Mute()], "unserialisable", "returned a Mute, which has no text form"),
        (Mute, "unserialisable", "returned a type, which has no text form"),
        (print, "unserialisable", "has no text form"),
        (numbers(), "unserialisable", "returned a generator, which has no text form"),
        (CIRCLE, "unserialisable", "returned something that holds itself"),
        (DEEP, "unserialisable", "returned something nested too deeply to show"),
        (b"\xff\xfe\x00", "unserialisable", "returned 3 bytes that are no text"),
        (Broken(), "unserialisable", "can't be shown: RuntimeError: no words"),
        (10**9_999, "too_large", "returned a whole number of thousands of digits, too large to show"),
    ],
    ids=["object", "list", "class", "function", "generator", "circle", "deep", "bytes", "broken", "digits"],
)
def test_what_has_no_text_form_is_an_error_that_says_what_it_is(value: object, error: str, said: str) -> None:
    result = run(lambda_named(value))
    assert result.error == error
    assert result.content.startswith("Error: give ")
    assert said in result.content


def test_a_long_result_is_cut_in_the_middle_and_kept_whole_for_a_person() -> None:
    text = "".join(f"{n:05}" for n in range(10_000))
    result = Tool(lambda_named(text), max_chars=1_000).run(ToolCall("give"))
    head, note, tail = result.content.split("\n")
    assert len(result.content) <= 1_000
    assert text.startswith(head)
    assert text.endswith(tail)
    assert note == f"[… {50_000 - len(head) - len(tail):,} of 50,000 characters left out …]"
    assert result.detail == result.value == text


def test_fifty_megabytes_are_cut_as_anything_else() -> None:
    result = run(lambda_named("é" * 50_000_000))
    assert len(result.content) <= 20_000
    assert len(result.detail) <= 1_000_000
    assert "of 50,000,000 characters left out" in result.content


# ---- what an error looks like


def test_an_exception_is_its_type_and_message_and_its_traceback_is_for_a_person() -> None:
    def get_order() -> None:
        raise KeyError("x")

    result = run(get_order)
    assert (result.error, result.content) == ("raised", "Error: get_order failed: KeyError: 'x'")
    assert "Traceback" in result.detail
    assert "test_tool.py" in result.detail


def test_a_path_of_this_machine_is_cut_down_to_its_last_part(tmp_path: Path) -> None:
    def read() -> str:
        return (tmp_path / "secret" / "plan.txt").read_text()

    result = run(read)
    assert (
        result.content
        == "Error: read failed: FileNotFoundError: [Errno 2] No such file or directory: 'plan.txt'"
    )
    assert str(tmp_path) in result.detail


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ("GET https://example.com/v1/a: 404", "GET https://example.com/v1/a: 404"),
        ("GET /v1/orders/17 failed", "GET /v1/orders/17 failed"),
        ("and/or", "and/or"),
        (r"C:\Users\ann\plan.txt is locked", "plan.txt is locked"),
        (
            'Traceback (most recent call last):\n  File "/usr/x.py", line 1\nValueError: inner',
            "ValueError: inner",
        ),
        ("", ""),
    ],
    ids=["url", "api path", "slash", "windows", "traceback", "empty"],
)
def test_messages_lose_paths_and_tracebacks_and_nothing_else(message: str, content: str) -> None:
    def act() -> None:
        raise RuntimeError(message)

    assert run(act).content == "Error: act failed: RuntimeError" + (f": {content}" if content else "")


def test_an_exception_that_can_not_be_shown_is_named_all_the_same() -> None:
    class Rude(Exception):  # noqa: N818 - it is what the test calls it
        def __str__(self) -> str:
            raise ValueError

    def act() -> None:
        raise Rude

    assert run(act).content == "Error: act failed: Rude (its message can't be shown)"


def test_an_endless_message_is_bounded() -> None:
    def act() -> None:
        raise RuntimeError("x" * 10_000_000)

    assert len(run(act).content) < 1_200


@pytest.mark.parametrize("kind", [ToolFailed, ModelRetry])
def test_a_tool_says_in_its_own_words_what_went_wrong(kind: type[Exception]) -> None:
    def refund() -> None:
        raise kind("order 17 is already refunded")

    result = run(refund)
    assert (result.error, result.content) == ("raised", "Error: order 17 is already refunded")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("timeout", [None, HANG])
def test_what_ends_the_program_is_not_swallowed(kind: type[BaseException], timeout: float | None) -> None:
    def act() -> None:
        raise kind

    with pytest.raises(kind):
        Tool(act, timeout=timeout).run(ToolCall("act"))


@pytest.mark.parametrize("timeout", [None, HANG])
def test_a_tool_that_exits_has_failed(timeout: float | None) -> None:
    def act() -> None:
        raise SystemExit(2)

    result = Tool(act, timeout=timeout).run(ToolCall("act"))
    assert (result.error, result.content) == ("raised", "Error: act failed: SystemExit: 2")


def test_a_write_that_is_late_may_have_been_done() -> None:
    over = threading.Event()

    def pay() -> None:
        over.wait(HANG)

    assert "not known" in Tool(pay, timeout=0.1).run(ToolCall("pay")).content
    assert "not known" not in Tool(pay, timeout=0.1, effect="read").run(ToolCall("pay")).content
    over.set()


@pytest.mark.parametrize("given", ["NaN", "inf", float("nan"), float("-inf")])
def test_what_is_no_number_is_no_amount(given: object) -> None:
    def refund(amount: float) -> str:
        return str(amount)

    assert run(refund, amount=given).error == "invalid_args"


@pytest.mark.parametrize("timeout", [None, HANG])
def test_a_tool_that_cancels_something_of_its_own_has_failed(timeout: float | None) -> None:
    async def act() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    tool = Tool(act, timeout=timeout)
    assert tool.run(ToolCall("act")).content == "Error: act failed: CancelledError"
    assert asyncio.run(tool.arun(ToolCall("act"))).error == "raised"


# ---- time


def test_a_tool_that_takes_too_long_is_left_behind() -> None:
    release = threading.Event()

    def slow() -> None:
        release.wait(HANG)

    started = time.monotonic()
    result = Tool(slow, timeout=0.1).run(ToolCall("slow"))
    assert time.monotonic() - started < HANG
    assert (result.error, result.content) == (
        "timeout",
        "Error: slow did not finish within 0.1 s; it may have been done, or be done yet: whether it took effect is not known, look before you do it again",
    )
    release.set()


def test_a_tool_that_is_quick_enough_keeps_its_result() -> None:
    result = Tool(lambda_named("done"), timeout=HANG).run(ToolCall("give"))
    assert result.content == "done"


def test_a_timeout_error_of_the_tool_itself_is_no_timeout() -> None:
    def act() -> None:
        raise TimeoutError("the server was slow")

    result = Tool(act, timeout=HANG).run(ToolCall("act"))
    assert (result.error, result.content) == (
        "raised",
        "Error: act failed: TimeoutError: the server was slow",
    )


def test_an_async_tool_is_cancelled_when_its_time_is_over() -> None:
    cancelled = threading.Semaphore(0)

    async def slow() -> None:
        try:
            await asyncio.sleep(HANG)
        except asyncio.CancelledError:
            cancelled.release()
            raise

    made = Tool(slow, timeout=0.1)
    assert made.run(ToolCall("slow")).error == "timeout"
    assert cancelled.acquire(timeout=HANG)
    assert asyncio.run(made.arun(ToolCall("slow"))).error == "timeout"
    assert cancelled.acquire(timeout=HANG)


def test_an_async_tool_that_will_not_be_cancelled_is_left_behind() -> None:
    release = threading.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    async def blocking() -> None:
        release.wait(HANG)

    for func in (stubborn, blocking):
        assert Tool(func, timeout=0.1).run(ToolCall(func.__name__)).error == "timeout"
    release.set()


# ---- sync and async


async def double(n: int) -> int:
    await asyncio.sleep(0)
    return 2 * n


async def failing() -> None:
    raise ToolFailed("no")


def test_an_async_tool_runs_from_sync_code() -> None:
    assert run(double, n="4").content == "8"
    assert run(failing).content == "Error: no"


def test_an_async_tool_runs_from_sync_code_inside_a_running_loop() -> None:
    async def outer() -> ToolResult:
        return run(double, n=4)

    assert asyncio.run(outer()).content == "8"


def test_an_async_tool_is_awaited() -> None:
    made = Tool(double)
    assert asyncio.run(made.arun(ToolCall("double", {"n": 4}))).content == "8"
    assert asyncio.run(made.arun(ToolCall("double", {"n": "x"}))).error == "invalid_args"
    assert asyncio.run(made.acall(n=4)) == 8


def test_a_plain_tool_does_not_block_the_loop() -> None:
    arrived = threading.Event()

    def wait_for_the_loop() -> bool:
        return arrived.wait(HANG)

    async def main() -> ToolResult:
        call = asyncio.create_task(Tool(wait_for_the_loop).arun(ToolCall("wait_for_the_loop")))
        await asyncio.sleep(0.01)
        arrived.set()
        return await call

    assert asyncio.run(main()).content == "true"


def test_a_plain_tool_that_takes_too_long_is_left_behind_by_the_loop() -> None:
    release = threading.Event()

    def slow() -> None:
        release.wait(HANG)

    result = asyncio.run(Tool(slow, timeout=0.1).arun(ToolCall("slow")))
    assert result.error == "timeout"
    release.set()


def test_cancelling_the_caller_cancels_the_call() -> None:
    async def main(made: Tool) -> None:
        task = asyncio.create_task(made.arun(ToolCall(made.name)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    release = threading.Event()

    def slow() -> None:
        release.wait(HANG)

    async def asleep() -> None:
        await asyncio.sleep(HANG)

    for made in (Tool(slow), Tool(asleep), Tool(asleep, timeout=HANG)):
        asyncio.run(main(made))
    release.set()


def test_a_function_that_hands_out_a_coroutine_is_awaited() -> None:
    def start(n: int) -> object:
        return double(n)

    assert run(start, n=4).content == "8"

    async def outer() -> ToolResult:
        return run(start, n=5)

    assert asyncio.run(outer()).content == "10"
    assert asyncio.run(Tool(start).arun(ToolCall("start", {"n": 6}))).content == "12"
    assert asyncio.run(Tool(start).acall(6)) == 12


def test_an_async_generator_has_no_text_form() -> None:
    async def stream() -> AsyncIterator[int]:
        yield 1

    assert run(stream).error == "unserialisable"


# ---- making one


def test_a_tool_is_called_as_the_function_it_is_made_from() -> None:
    @tool
    def shout(text: str) -> str:
        """Shout a text."""
        return text.upper()

    assert shout(text="hey") == shout("hey") == "HEY"
    assert (shout.name, shout.desc, shout.__doc__) == ("shout", "Shout a text.", "Shout a text.")
    with pytest.raises(AttributeError):
        shout(text=3)


def test_the_decorator_takes_options() -> None:
    @tool(
        name="yell",
        desc="Yell it.",
        effect="pure",
        timeout=3,
        tags=["loud"],
        arg_desc={"text": "What to yell."},
    )
    def shout(text: str) -> str:
        return text.upper()

    assert (shout.name, shout.desc, shout.effect, shout.timeout, shout.tags) == (
        "yell",
        "Yell it.",
        "pure",
        3,
        frozenset({"loud"}),
    )
    assert str(shout) == "yell(text: string)\n    Yell it.\n    text: What to yell."


def test_name_and_description_are_taken_by_position_as_in_dspy() -> None:
    made = Tool(lambda question: f"about {question}", "ask", "Ask it.")
    assert (made.name, made.desc, made.args) == ("ask", "Ask it.", {"question": {}})
    assert made.run(ToolCall("ask", {"question": "tea"})).content == "about tea"


def test_a_renamed_tool_keeps_everything_else() -> None:
    made = Tool(double, effect="pure", timeout=2, tags=["maths"], max_chars=500, arg_desc={"n": "A number."})
    other = made.with_(name="twice", desc="Twice.")
    assert (other.name, other.desc, made.name) == ("twice", "Twice.", "double")
    assert (other.effect, other.timeout, other.tags, other.max_chars, other.args) == (
        made.effect,
        made.timeout,
        made.tags,
        made.max_chars,
        made.args,
    )


def test_a_deep_copy_shares_the_tool() -> None:
    made = Tool(double, effect="pure", cache=True)
    assert copy.deepcopy({"tools": [made]})["tools"][0] is made


class Shop:
    """A shop."""

    def __init__(self, stock: int) -> None:
        self.stock = stock

    def count(self, item: str) -> str:
        """Count an item."""
        return f"{self.stock} of {item}"

    @tool(effect="read")
    def left(self, item: str) -> str:
        """Say what is left."""
        return f"{self.stock} {item} left"

    @staticmethod
    def opening() -> str:
        """Say when it opens."""
        return "9"

    @classmethod
    def named(cls, suffix: str) -> str:
        """Say its name."""
        return cls.__name__ + suffix

    async def __call__(self, item: str) -> str:
        """Sell an item."""
        return f"sold {item}"


def test_a_method_that_is_a_tool_is_bound_in_subclasses_too_and_by_the_class_it_is_itself() -> None:
    class Corner(Shop):
        pass

    assert Corner(9).left.run(ToolCall("left", {"item": "tea"})).content == "9 tea left"
    assert Shop.left.usage == "left(self: any, item: string)"


def test_a_tool_that_a_class_merely_holds_is_not_bound() -> None:
    held = Tool(double)

    class Agent:
        doubling = held

    assert Agent().doubling is held


class Plain:
    """Greets people."""

    def __call__(self, who: str) -> str:
        return f"hello {who}"


def total(price: float, tax: float, *, rounded: bool = False) -> float:
    """Add the tax."""
    return round(price * (1 + tax)) if rounded else price * (1 + tax)


SHOP = Shop(3)


@pytest.mark.parametrize(
    ("made", "args", "usage", "desc", "content"),
    [
        (Tool(SHOP.count), {"item": "tea"}, "count(item: string)", "Count an item.", "3 of tea"),
        (SHOP.left, {"item": "tea"}, "left(item: string)", "Say what is left.", "3 tea left"),
        (Tool(Shop.opening), {}, "opening()", "Say when it opens.", "9"),
        (Tool(Shop.named), {"suffix": "!"}, "named(suffix: string)", "Say its name.", "Shop!"),
        (Tool(SHOP), {"item": "tea"}, "Shop(item: string)", "Sell an item.", "sold tea"),
        (Tool(Plain()), {"who": "you"}, "Plain(who: string)", "Greets people.", "hello you"),
        (
            Tool(functools.partial(total, tax=0.5)),
            {"price": 2},
            "total(price: number, tax: number = 0.5, rounded: boolean = false)",
            "Add the tax.",
            "3.0",
        ),
        (Tool(functools.partial(double, 4)), {}, "double()", "", "8"),
    ],
    ids=[
        "method",
        "decorated method",
        "static",
        "class method",
        "async object",
        "object",
        "partial",
        "async partial",
    ],
)
def test_every_kind_of_callable_makes_a_tool(
    made: Tool, args: dict[str, object], usage: str, desc: str, content: str
) -> None:
    assert (made.usage, made.desc) == (usage, desc)
    assert made.run(ToolCall(made.name, args)).content == content


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tool(lambda: 1), "a lambda has no name of its own"),
        (lambda: Tool(double, "two words"), "use for example name='two_words'"),
        (lambda: Tool(double, "größe"), "can't be a tool's name"),
        (lambda: Tool(double, "x" * 65), "can't be a tool's name"),
        (lambda: Tool(Shop), "not from the class Shop"),
        (lambda: Tool(Tool(double)), "double is a tool already"),
        (lambda: Tool("calculate"), "not from a str"),  # type: ignore[arg-type]  # what the check is for
        (lambda: Tool(double, effect="free"), "effect is pure, read, write or irreversible"),  # type: ignore[arg-type]  # as above
        (lambda: Tool(double, timeout=0), "timeout is a number of seconds above 0"),
        (lambda: Tool(double, cache=True), 'only a tool with effect="pure" or "read" can be cached'),
        (lambda: Tool(double, max_chars=10), "max_chars is at least 200"),
        (lambda: Tool(double, arg_desc={"m": "x"}), 'there is no parameter "m"'),
    ],
)
def test_a_tool_that_makes_no_sense_is_refused_with_the_remedy(make: Callable[[], Tool], said: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        make()
    assert said in str(refused.value)


# ---- a pure tool's memory


def counting() -> tuple[Tool, list[object]]:
    calls: list[object] = []

    def note(value: object, times: int = 1) -> str:
        calls.append(value)
        if value == "bad":
            raise ToolFailed("bad")
        return f"{value!r} {times}"

    return Tool(note, effect="pure", cache=True), calls


def test_a_cached_tool_runs_once_for_equal_arguments() -> None:
    made, calls = counting()
    first = made.run(ToolCall("note", {"value": [1], "times": "2"}, id="a"))
    again = made.run(ToolCall("note", {"times": 2, "value": [1]}, id="b"))
    waited = asyncio.run(made.arun(ToolCall("note", {"value": [1], "times": 2})))
    assert calls == [[1]]
    assert (first.content, again.content, waited.content) == ("[1] 2",) * 3
    assert again.call.id == "b"


def test_arguments_that_only_look_equal_are_told_apart() -> None:
    made, calls = counting()
    for value in (1, 1.0, True, "1"):
        made.run(ToolCall("note", {"value": value}))
    assert len(calls) == 4


def test_failures_and_arguments_without_a_text_form_are_not_remembered() -> None:
    made, calls = counting()
    for value in ("bad", "bad", Mute(), Mute()):
        made.run(ToolCall("note", {"value": value}))
    assert len(calls) == 4


def test_the_memory_forgets_what_was_unused_for_longest() -> None:
    made, calls = counting()
    for value in range(1_025):
        made.run(ToolCall("note", {"value": value}))
    made.run(ToolCall("note", {"value": 1_024}))
    made.run(ToolCall("note", {"value": 0}))
    assert len(calls) == 1_026


def test_a_result_is_json_that_reads_back() -> None:
    value = {"a": [1, 2.5, None, True, "é\n"], "b": {"c": []}}
    assert json.loads(run(lambda_named(value)).content) == value
