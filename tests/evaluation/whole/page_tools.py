"""Tools over the world of refunds.yaml."""

from __future__ import annotations

from loopwright.tools import ToolRegistry
from loopwright.tools.world import World


def get_order(order_id: int, world: World) -> object:
    """Look an order up."""
    return world.get(f"orders.{order_id}")


def refund(order_id: int, amount: float, world: World) -> str:
    """Refund an order."""
    world.set(f"orders.{order_id}.status", "refunded")
    world.append("ledger", amount)
    return f"refunded {amount:g}"


def cancel_order(order_id: int, world: World) -> str:
    """Cancel an order."""
    world.remove(f"orders.{order_id}")
    return "cancelled"


registry = ToolRegistry([get_order, refund, cancel_order])
