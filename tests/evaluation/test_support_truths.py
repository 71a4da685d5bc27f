"""What `examples/support_desk` expects follows from its shop's data and policies, worked out again in plain Python."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from loopwright import TaskFile
from loopwright.evaluation.file.format import Task

FOLDER = Path(__file__).parents[2] / "examples" / "support_desk"
SHOP: dict[str, Any] = yaml.safe_load((FOLDER / "shop.yaml").read_text(encoding="utf-8"))
TODAY = date(2026, 6, 15)
WRITES = {
    "refund",
    "cancel_order",
    "change_address",
    "create_return_label",
    "send_replacement",
    "issue_voucher",
    "escalate",
}


def order(number: int) -> dict[str, Any]:
    found: dict[str, Any] = SHOP["orders"][number]
    return found


def days_since_delivery(number: int) -> int:
    return (TODAY - date.fromisoformat(order(number)["delivered"])).days


def days_late(number: int) -> int:
    delivered, promised = (date.fromisoformat(order(number)[name]) for name in ("delivered", "promised"))
    return (delivered - promised).days


def price(sku: str) -> Decimal:
    return Decimal(str(SHOP["products"][sku]["price"]))


def stock(sku: str) -> int:
    return int(SHOP["products"][sku]["stock"])


@pytest.fixture(scope="module")
def file() -> TaskFile:
    return TaskFile.load(FOLDER / "tasks.yaml")


def written(task: Task) -> dict[str, dict[str, Any]]:
    """What a task's reference writes, but for the record of who was verified."""
    calls = (task.expect.reference.calls if task.expect.reference else None) or []
    return {call.tool: call.args for call in calls if call.tool in WRITES}


# By task: whether the policy lets it happen, and the calls that it then takes.
ALLOWED = {
    "return-a-floor-lamp": (days_since_delivery(1002) <= 30, {"create_return_label"}),
    "return-on-the-thirtieth-day": (days_since_delivery(1006) == 30, {"create_return_label"}),
    "return-too-late": (days_since_delivery(1003) <= 30, set()),
    "return-an-opened-toothbrush": (False, set()),
    "return-one-of-two": (days_since_delivery(1005) <= 30, {"create_return_label"}),
    "return-after-a-question": (days_since_delivery(1009) <= 30, {"create_return_label"}),
    "lamp-again": (
        days_since_delivery(1002) <= 14 and stock("LMP-3") > 0 and price("LMP-3") > 50,
        {"send_replacement", "create_return_label"},
    ),
    "broken-table": (days_since_delivery(1008) <= 14 and price("TBL-1") > 200, {"escalate"}),
    "broken-after-four-weeks": (days_since_delivery(1015) > 14, {"escalate"}),
    "new-address": (order(1014)["status"] == "processing", {"change_address"}),
    "address-on-the-road": (order(1004)["status"] == "processing", set()),
    "only-the-open-one": (
        order(1001)["status"] == "processing" and order(1002)["status"] != "processing",
        {"change_address"},
    ),
    "number-put-right": (order(1016)["status"] == "processing", {"change_address"}),
    "the-neighbours-order": (order(1017)["customer"] == 309, set()),
    "cancel-a-clock": (order(1016)["status"] == "processing", {"cancel_order"}),
    "cancel-four-chairs": (order(1007)["status"] == "processing", {"cancel_order"}),
    "cancel-what-was-sent": (order(1004)["status"] == "processing", set()),
    "half-an-order": (order(1001)["status"] == "processing", {"cancel_order"}),
    "nine-days-late": (days_late(1009) > 5, {"issue_voucher"}),
    "three-days-late": (days_late(1010) > 5, set()),
    "cash-for-lateness": (days_late(1009) > 5, {"issue_voucher"}),
    "three-matters": (
        order(1001)["status"] == "processing" and days_since_delivery(1002) <= 30,
        {"change_address", "create_return_label"},
    ),
    "a-table-and-four-chairs": (
        price("TBL-1") > 200 and order(1007)["status"] == "processing",
        {"escalate", "cancel_order"},
    ),
    "here-and-there": (order(1016)["status"] == "processing", {"change_address", "cancel_order"}),
    "customers-are-slow": (order(1014)["status"] == "processing", {"change_address"}),
}

# In which something is refused, or may be, and something else is done.
REFUSED_FIRST = ("half-an-order", "three-matters", "a-table-and-four-chairs", "cash-for-lateness")

# By task: the order, and what is paid back for it.
PAID_BACK = {
    "broken-mugs": (1005, price("MUG-4")),
    "two-stained-towels": (1010, 2 * price("TOW-2")),
    "no-desk-lamp-left": (1013, price("LMP-2")),
    "scratched-chair-stays": (1017, price("CHR-1") / 5),
    "orders-are-down-once": (1005, price("MUG-4")),
    "payment-refused-once": (1010, 2 * price("TOW-2")),
    "an-answer-that-got-lost": (1013, price("LMP-2")),
    "the-third-towel-too": (1010, 3 * price("TOW-2")),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_task_wants_done_is_what_the_policies_allow(name: str, file: TaskFile) -> None:
    allowed, calls = ALLOWED[name]
    assert set(written(file.task(name))) == (calls if allowed else set())
    wanted = [turn.expect.answer["outcome"] for turn in file.task(name).turns]
    outcomes = [outcome for one in wanted for outcome in (one.one_of or [one.equals])]
    assert ("refused" in outcomes) == (not allowed or name in REFUSED_FIRST)


@pytest.mark.parametrize("name", PAID_BACK)
def test_the_amount_that_is_paid_back_follows_from_the_prices(name: str, file: TaskFile) -> None:
    number, amount = PAID_BACK[name]
    reference = file.task(name).expect.reference
    calls = [call.args for call in (reference.calls if reference else None) or [] if call.tool == "refund"]
    assert {args["order_id"] for args in calls} == {number}
    assert sum((Decimal(str(args["amount"])) for args in calls), Decimal(0)) == amount
    assert amount <= 200
    assert days_since_delivery(number) <= 14


def test_nothing_else_is_paid_back(file: TaskFile) -> None:
    assert sorted(PAID_BACK) == sorted(task.id for task in file.tasks if "refund" in written(task))


def test_the_pan_was_paid_back_before_and_the_desk_lamps_are_gone() -> None:
    assert Decimal(str(order(1015)["refunded"])) == price("PAN-24")
    assert stock("LMP-2") == 0


@pytest.mark.parametrize("number", SHOP["orders"])
def test_an_order_adds_up(number: int) -> None:
    found = order(number)
    items = sum((price(sku) * count for sku, count in found["items"].items()), Decimal(0))
    assert items + Decimal(str(found["shipping"])) == Decimal(str(found["total"]))
    assert Decimal(str(found["shipping"])) == (0 if items > 100 else Decimal("4.9"))
    paid = sum((Decimal(str(one["amount"])) for one in SHOP["ledger"] if one["order"] == number), Decimal(0))
    assert paid == Decimal(str(found["refunded"]))
    assert found["customer"] in SHOP["customers"]
    assert ("delivered" in found) == (found["status"] == "delivered")


def test_a_customer_is_verified_with_what_the_shop_knows(file: TaskFile) -> None:
    known = {number: one["postcode"] for number, one in SHOP["customers"].items()}
    for task in file.tasks:
        for call in task.expect.calls.required:
            if call.tool == "verify_identity" and task.id != "wrong-postcode":
                assert call.args["postcode"].equals == known[call.args["customer_id"].equals], task.id


def test_refusals_leave_the_shop_as_it_was(file: TaskFile) -> None:
    for task in file.tasks:
        if not written(task):
            (unchanged,) = (check.unchanged for check in task.expect.state if check.unchanged)
            assert unchanged[0] == "*"
            assert set(unchanged[1:]) <= {"!verified", "!failed_checks"}, task.id
