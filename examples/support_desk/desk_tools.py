"""The support desk's tools: they read and change the world of `shop.yaml`, and do as they are told.

What the shop's policies forbid, they do not: to keep to the policies is the agent's work, and is what the tasks are about.
"""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from loopwright.tools import Tool, ToolFailed, World


class Customer(TypedDict):
    name: str
    email: str
    postcode: str


class Order(TypedDict):
    customer: int
    status: str
    items: dict[str, int]
    total: float
    refunded: float


Topic = Literal["identity", "returns", "damage", "address", "cancelling", "lateness", "systems"]


def find_customer(email: str, world: World) -> str:
    """Find a customer by e-mail address; gives the number and the name of at most 1.

    Args:
        email: The address that the customer gives.
    """
    for path, found in world.find("customers.*").items():
        customer = cast("Customer", found)
        if customer["email"] == email.strip().lower():
            return f"customer {path.partition('.')[2]}: {customer['name']}"
    raise ToolFailed(f"there is no customer with the address {email}")


def verify_identity(customer_id: int, postcode: str, world: World) -> str:
    """Check the postcode that a customer gives; both outcomes are put on record.

    Args:
        customer_id: The customer's number.
        postcode: What the customer said.
    """
    customer = _customer(world, customer_id)
    if customer["postcode"] == postcode.replace(" ", ""):
        world.set(f"verified.{customer_id}", True)
        return f"{customer['name']} is verified."
    failed = cast("int", world.get(f"failed_checks.{customer_id}", 0))
    world.set(f"failed_checks.{customer_id}", failed + 1)
    return "The postcode is wrong. This customer is not verified."


def read_policy(topic: Topic, world: World) -> str:
    """Read the shop's policy on a topic.

    Args:
        topic: What it is about.
    """
    return str(world.get(f"policies.{topic}"))


def list_orders(customer_id: int, world: World) -> list[str]:
    """List a customer's orders with their status, at most 50, the newest last.

    Args:
        customer_id: The customer's number.
    """
    _customer(world, customer_id)
    found = world.find("orders.*", where={"customer": customer_id})
    return [
        f"{path.partition('.')[2]}: {cast('Order', order)['status']}"
        for path, order in [*found.items()][-50:]
    ]


def get_order(order_id: int, world: World) -> Order:
    """Look an order up: status, days, address, items, what was paid and what was paid back.

    Args:
        order_id: The order's number.
    """
    return _order(world, order_id)


def get_product(sku: str, world: World) -> dict[str, object]:
    """Look a product up: name, price, how many are in stock.

    Args:
        sku: The product's code, such as KET-1.
    """
    found = world.get(("products", sku), None)
    if found is None:
        raise ToolFailed(f"there is no product {sku}")
    return cast("dict[str, object]", found)


def refund(
    order_id: int, amount: float, reason: Literal["damaged", "kept", "returned", "goodwill"], world: World
) -> str:
    """Pay money back for an order. It leaves at once and can't be called back.

    Args:
        order_id: The order's number.
        amount: In euros; no more than what was paid and not yet paid back.
        reason: What it is paid for.
    """
    order = _order(world, order_id)
    left = round(order["total"] - order["refunded"], 2)
    if not 0 < amount <= left:
        raise ToolFailed(f"order {order_id}: between 0 and {left:.2f} euros can be paid back")
    _pay_back(world, order_id, order, round(amount, 2), reason)
    return f"{amount:.2f} euros are on their way for order {order_id}."


def cancel_order(order_id: int, world: World) -> str:
    """Cancel an order: it is not sent, its items go back into stock, and all that was paid is paid back.

    Args:
        order_id: The order's number.
    """
    order = _order(world, order_id)
    if order["status"] != "processing":
        raise ToolFailed(f"order {order_id} is {order['status']}: it can't be cancelled")
    world.set(f"orders.{order_id}.status", "cancelled")
    for sku, count in order["items"].items():
        world.set(("products", sku, "stock"), cast("int", world.get(("products", sku, "stock"))) + count)
    _pay_back(world, order_id, order, round(order["total"] - order["refunded"], 2), "cancelled")
    return f"Order {order_id} is cancelled and paid back."


def change_address(order_id: int, address: str, world: World) -> str:
    """Write another address into an order.

    Args:
        order_id: The order's number.
        address: Street and number, postcode and town.
    """
    _order(world, order_id)
    world.set(f"orders.{order_id}.address", address.strip())
    return f"Order {order_id} has the address {address.strip()}."


def create_return_label(order_id: int, sku: str, quantity: int, world: World) -> str:
    """Make a label with which something can be sent back.

    Args:
        order_id: The order's number.
        sku: The product's code.
        quantity: How many pieces come back.
    """
    _has(world, order_id, sku, quantity)
    world.append("return_labels", {"order": order_id, "sku": sku, "quantity": quantity})
    return f"The label for {quantity} × {sku} of order {order_id} was sent by e-mail."


def send_replacement(order_id: int, sku: str, quantity: int, world: World) -> str:
    """Send something again, free of charge; it is taken from stock.

    Args:
        order_id: The order's number.
        sku: The product's code.
        quantity: How many pieces.
    """
    _has(world, order_id, sku, quantity)
    stock = cast("int", world.get(("products", sku, "stock")))
    if stock < quantity:
        raise ToolFailed(f"{sku}: {stock} in stock")
    world.set(("products", sku, "stock"), stock - quantity)
    world.append("replacements", {"order": order_id, "sku": sku, "quantity": quantity})
    return f"{quantity} × {sku} will be sent again for order {order_id}."


def issue_voucher(
    customer_id: int, amount: float, occasion: Literal["late", "goodwill"], world: World
) -> str:
    """Give a customer a voucher, up to 25 euros.

    Args:
        customer_id: The customer's number.
        amount: In euros.
        occasion: What it is given for.
    """
    _customer(world, customer_id)
    if not 0 < amount <= 25:
        raise ToolFailed("a voucher is of 25 euros at most")
    world.append("vouchers", {"customer": customer_id, "amount": amount, "occasion": occasion})
    return f"A voucher of {amount:.2f} euros was sent by e-mail."


def escalate(
    order_id: int,
    cause: Literal["large_amount", "warranty", "system_failure", "other"],
    summary: str,
    world: World,
) -> str:
    """Hand a case over to a person, who will write to the customer within a day.

    Args:
        order_id: The order that it is about.
        cause: Why it is not for the desk.
        summary: What the person must know, in a sentence or two.
    """
    _order(world, order_id)
    world.append("escalations", {"order": order_id, "cause": cause, "summary": summary})
    return "A colleague will take care of it within a day."


def _customer(world: World, customer_id: int) -> Customer:
    found = world.get(f"customers.{customer_id}", None)
    if found is None:
        raise ToolFailed(f"there is no customer {customer_id}")
    return cast("Customer", found)


def _order(world: World, order_id: int) -> Order:
    found = world.get(f"orders.{order_id}", None)
    if found is None:
        raise ToolFailed(f"there is no order {order_id}")
    return cast("Order", found)


def _has(world: World, order_id: int, sku: str, quantity: int) -> None:
    held = _order(world, order_id)["items"].get(sku, 0)
    if not 1 <= quantity <= held:
        raise ToolFailed(f"order {order_id} holds {held} × {sku}")


def _pay_back(world: World, order_id: int, order: Order, amount: float, reason: str) -> None:
    world.set(f"orders.{order_id}.refunded", round(order["refunded"] + amount, 2))
    world.append("ledger", {"order": order_id, "amount": amount, "reason": reason})


_READS = (find_customer, read_policy, list_orders, get_order, get_product)
_WRITES = (
    verify_identity,
    refund,
    cancel_order,
    change_address,
    create_return_label,
    send_replacement,
    issue_voucher,
    escalate,
)

TOOLS = [Tool(one, effect="read") for one in _READS] + [Tool(one, effect="write") for one in _WRITES]
