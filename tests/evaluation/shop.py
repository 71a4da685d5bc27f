"""Tools of a small shop, for the tests of the evaluation."""

from __future__ import annotations

from datetime import date

from loopwright.tools import ToolFailed

ORDERS = {17: "damaged", 18: "delivered", 71: "paid"}


def get_order(order_id: int, verbose: bool = False) -> str:
    """Look an order up."""
    if order_id not in ORDERS:
        raise ToolFailed(f"there is no order {order_id}")
    return f"order {order_id}: {ORDERS[order_id]}" + (", 3 items" if verbose else "")


def refund(order_id: int, amount: float, tags: list[str] | None = None) -> str:
    """Refund an order."""
    return f"refunded {amount:g} for order {order_id}"


def cancel_order(order_id: int) -> str:
    """Cancel an order."""
    return f"cancelled {order_id}"


def ship(order_id: int, on: date) -> str:
    """Ship an order on a day."""
    return f"order {order_id} leaves on {on}"


TOOLS = [get_order, refund, cancel_order, ship]
