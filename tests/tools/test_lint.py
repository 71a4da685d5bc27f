"""`lint`: each rule has a tool that it finds, and a mended one that it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from loopwright.tools import BUILTIN_NAMES, Tool, ToolRegistry, builtin_tool
from loopwright.tools.lint import MANY, RULES, lint


def get_order(order_id: int) -> str:
    """Look an order up by its number.

    Args:
        order_id: The number on the receipt.
    """
    return ""


def undescribed(order_id: int) -> str:
    return ""


def order_status(order_id: int) -> str:
    """Order status."""
    return ""


def do(order_id: int) -> str:
    """Whatever has to be done with an order.

    Args:
        order_id: The number on the receipt.
    """
    return ""


def ship_order(order_id, weight: float) -> str:  # type: ignore[no-untyped-def]  # what the rule is about
    """Send an order to its buyer.

    Args:
        order_id: The number on the receipt.
    """
    return ""


def ship_parcel(data: str, address: str) -> str:
    """Send a parcel to an address.

    Args:
        address: Street and town.
    """
    return ""


def list_orders(buyer: str) -> list[str]:
    """All orders of a buyer.

    Args:
        buyer: The name.
    """
    return []


def list_some_orders(buyer: str, limit: int = 20) -> list[str]:
    """The latest orders of a buyer.

    Args:
        buyer: The name.
        limit: At most so many.
    """
    return []


def cancel_order(order_id: str) -> str:
    """Stop an order that was not sent yet.

    Args:
        order_id: The number on the receipt.
    """
    return ""


def refund_order(orderId: int) -> str:  # noqa: N803 - what the rule is about
    """Give the money of an order back.

    Args:
        orderId: The number on the receipt.
    """
    return ""


def fetch_order(order_id: int) -> str:
    """Look an order up in the archive.

    Args:
        order_id: The number on the receipt.
    """
    return ""


READS: dict[str, Any] = {"effect": "read"}


def tools(*functions: Callable[..., object], **options: Any) -> ToolRegistry:
    return ToolRegistry([Tool(one, **{**READS, **options}) for one in functions])


CASES: dict[str, tuple[ToolRegistry, list[tuple[str, str]]]] = {
    "nothing": (tools(get_order, list_some_orders), []),
    "no tools": (ToolRegistry(), []),
    "no description": (
        tools(undescribed),
        [("undescribed", "missing-description"), ("undescribed", "undescribed-parameter")],
    ),
    "a description that repeats the name": (
        tools(order_status),
        [("order_status", "short-description"), ("order_status", "undescribed-parameter")],
    ),
    "a vague name": (tools(do), [("do", "vague-name")]),
    "a numbered name": (ToolRegistry(Tool(get_order, "order2", effect="read")), [("order2", "vague-name")]),
    "parameters without description or type": (
        tools(ship_order),
        [("ship_order", "undescribed-parameter"), ("ship_order", "untyped-parameter")],
    ),
    "a vague parameter": (
        tools(ship_parcel),
        [("ship_parcel", "undescribed-parameter"), ("ship_parcel", "vague-parameter")],
    ),
    "a list without bounds": (tools(list_orders), [("list_orders", "unbounded-output")]),
    "a list that says how much it gives": (
        ToolRegistry(Tool(list_orders, desc="The orders of a buyer, at most 50.", effect="read")),
        [],
    ),
    "a getter that says write": (tools(get_order, effect="write"), [("get_order", "unsaid-effect")]),
    "a getter that says pure": (tools(get_order, effect="pure"), []),
    "one name, two types": (tools(get_order, cancel_order), [("get_order", "clashing-parameter")]),
    "one thing, two names": (tools(cancel_order, refund_order), [("refund_order", "clashing-parameter")]),
    "names of one meaning": (tools(get_order, fetch_order), [("get_order", "similar-names")]),
    "names of almost the same letters": (
        ToolRegistry(
            Tool(get_order, "ship_order", effect="read"), Tool(get_order, "ship_orders", effect="read")
        ),
        [("ship_order", "similar-names")],
    ),
}


@pytest.mark.parametrize(("registry", "wanted"), CASES.values(), ids=CASES)
def test_what_a_model_will_stumble_on_is_found(
    registry: ToolRegistry, wanted: Sequence[tuple[str, str]]
) -> None:
    assert [(one.tool, one.rule) for one in lint(registry)] == list(wanted)


def test_very_many_tools_are_found() -> None:
    many = ToolRegistry(
        [Tool(get_order, f"{word}_{n}x", effect="read") for n, word in enumerate(_words(MANY + 1))]
    )
    found = [one for one in lint(many) if one.rule == "too-many-tools"]
    assert [one.tool for one in found] == [""]
    assert f"there are {MANY + 1}" in found[0].why


def _words(n: int) -> list[str]:
    return ["".join(chr(97 + (n * 7 + k * 11 * n) % 26) for k in range(8)) for n in range(n)]


def test_a_finding_says_why_and_what_to_do() -> None:
    (finding,) = lint(tools(list_orders))
    assert str(finding) == (
        "list_orders: unbounded-output: its result can be of any length (it is cut after 20,000 characters), and each "
        "turn pays for it; add a parameter such as limit: int = 20, or say in the description how much it gives "
        '("at most 50")'
    )


def test_every_rule_has_a_case_and_every_finding_a_rule() -> None:
    found = {rule for _, wanted in CASES.values() for _, rule in wanted}
    assert found | {"too-many-tools"} == set(RULES)


def test_a_tool_of_another_program_gets_the_advice_for_it() -> None:
    (finding,) = lint(tools(get_order, effect="write", tags=["mcp"]))
    assert "trust_annotations=True" in finding.fix


@pytest.mark.parametrize("name", BUILTIN_NAMES)
def test_the_built_in_tools_have_names_descriptions_and_types(name: str, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("Oak is hard.")
    one = builtin_tool(name, tmp_path if name in ("retrieve", "write_file") else None)
    assert [finding for finding in lint(ToolRegistry(one)) if finding.rule != "unbounded-output"] == []


def test_a_return_annotation_that_can_not_be_evaluated_is_no_obstacle() -> None:
    def act(order_id: int) -> str:
        """Act on an order in the usual way.

        Args:
            order_id: The number on the receipt.
        """
        return ""

    made = Tool(act, "act_on_order", effect="read")
    act.__annotations__["return"] = "NotThere"
    assert lint(ToolRegistry(made)) == []
