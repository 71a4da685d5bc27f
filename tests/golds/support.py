"""For each task of `examples/support_desk`, turn by turn: the calls of a good colleague, and the answer."""

from __future__ import annotations

from loopwright.tools import ToolCall

from .playing import Play, Turn


def find(email: str) -> ToolCall:
    return ToolCall("find_customer", {"email": email})


def verify(customer_id: int, postcode: str) -> ToolCall:
    return ToolCall("verify_identity", {"customer_id": customer_id, "postcode": postcode})


def order(order_id: int) -> ToolCall:
    return ToolCall("get_order", {"order_id": order_id})


def orders(customer_id: int) -> ToolCall:
    return ToolCall("list_orders", {"customer_id": customer_id})


def policy(topic: str) -> ToolCall:
    return ToolCall("read_policy", {"topic": topic})


def product(sku: str) -> ToolCall:
    return ToolCall("get_product", {"sku": sku})


def refund(order_id: int, amount: float, reason: str) -> ToolCall:
    return ToolCall("refund", {"order_id": order_id, "amount": amount, "reason": reason})


def cancel(order_id: int) -> ToolCall:
    return ToolCall("cancel_order", {"order_id": order_id})


def move(order_id: int, address: str) -> ToolCall:
    return ToolCall("change_address", {"order_id": order_id, "address": address})


def label(order_id: int, sku: str, quantity: int = 1) -> ToolCall:
    return ToolCall("create_return_label", {"order_id": order_id, "sku": sku, "quantity": quantity})


def again(order_id: int, sku: str, quantity: int = 1) -> ToolCall:
    return ToolCall("send_replacement", {"order_id": order_id, "sku": sku, "quantity": quantity})


def voucher(customer_id: int, amount: float, occasion: str) -> ToolCall:
    return ToolCall("issue_voucher", {"customer_id": customer_id, "amount": amount, "occasion": occasion})


def escalate(order_id: int, cause: str, summary: str) -> ToolCall:
    return ToolCall("escalate", {"order_id": order_id, "cause": cause, "summary": summary})


def turn(calls: list[ToolCall], outcome: str, reply: str) -> Turn:
    return Turn(tuple(calls), {"reply": reply, "outcome": outcome})


PLAYS: dict[str, Play] = {
    "return-a-floor-lamp": (
        turn(
            [
                find("nora@fieldmail.example"),
                verify(301, "4021"),
                order(1002),
                policy("returns"),
                label(1002, "LMP-3"),
            ],
            "done",
            "I've sent you a return label for the lamp. The money comes back when it has arrived.",
        ),
    ),
    "return-on-the-thirtieth-day": (
        turn(
            [
                find("lucia@ferrante.example"),
                verify(303, "7053"),
                order(1006),
                policy("returns"),
                label(1006, "BLK-1"),
            ],
            "done",
            "Yes, today is the last day. The label is on its way.",
        ),
    ),
    "return-too-late": (
        turn(
            [find("ivo.brandl@post.example"), verify(302, "1180"), order(1003), policy("returns")],
            "refused",
            "It was delivered on 2 May, and the 30 days are over, so I can't take it back.",
        ),
        turn([], "refused", "I'm sorry to hear that. There are no exceptions to the 30 days."),
    ),
    "return-an-opened-toothbrush": (
        turn(
            [find("p.meunier@courrier.example"), verify(306, "6150"), order(1011), policy("returns")],
            "refused",
            "An opened toothbrush can't be sent back.",
        ),
    ),
    "return-one-of-two": (
        turn(
            [
                find("lucia@ferrante.example"),
                verify(303, "7053"),
                order(1005),
                policy("returns"),
                label(1005, "MUG-4"),
            ],
            "done",
            "The label for one set is on its way; the money follows when it has arrived.",
        ),
    ),
    "return-after-a-question": (
        turn(
            [find("greta.lind@nordpost.example"), verify(305, "8810"), order(1009), policy("returns")],
            "informed",
            "The price of the knives is paid when they have arrived.",
        ),
        turn([label(1009, "KNF-5")], "done", "The label is on its way."),
    ),
    "broken-mugs": (
        turn(
            [
                find("lucia@ferrante.example"),
                verify(303, "7053"),
                order(1005),
                policy("damage"),
                product("MUG-4"),
                refund(1005, 28.0, "damaged"),
            ],
            "done",
            "I've paid back 28 euros. You need not send the pieces.",
        ),
    ),
    "two-stained-towels": (
        turn(
            [
                find("greta.lind@nordpost.example"),
                verify(305, "8810"),
                order(1010),
                policy("damage"),
                product("TOW-2"),
                refund(1010, 39.8, "damaged"),
            ],
            "done",
            "I've paid back 39.80 euros for the two towels.",
        ),
    ),
    "lamp-again": (
        turn(
            [
                find("nora@fieldmail.example"),
                verify(301, "4021"),
                order(1002),
                policy("damage"),
                product("LMP-3"),
                again(1002, "LMP-3"),
                label(1002, "LMP-3"),
            ],
            "done",
            "A new lamp is on its way, and so is a label for the broken one.",
        ),
    ),
    "no-desk-lamp-left": (
        turn(
            [
                find("yuki.t@mailbox.example"),
                verify(307, "3344"),
                order(1013),
                policy("damage"),
                product("LMP-2"),
            ],
            "question",
            "We have none left, I'm afraid. Shall I pay you the 34.90 euros back?",
        ),
        turn([refund(1013, 34.9, "damaged")], "done", "I've paid back 34.90 euros."),
    ),
    "scratched-chair-stays": (
        turn(
            [
                find("erin@walsh.example"),
                verify(308, "5567"),
                order(1017),
                policy("damage"),
                product("CHR-1"),
                refund(1017, 31.8, "kept"),
            ],
            "done",
            "I've paid back 31.80 euros, a fifth of its price.",
        ),
    ),
    "broken-table": (
        turn(
            [
                find("sam.okoro@mailbox.example"),
                verify(304, "2296"),
                order(1008),
                policy("damage"),
                escalate(
                    1008, "large_amount", "The oak table has a split leg; the customer wants 489 euros back."
                ),
            ],
            "escalated",
            "A colleague will write to you within a day about the 489 euros.",
        ),
    ),
    "broken-after-four-weeks": (
        turn(
            [
                find("erin@walsh.example"),
                verify(308, "5567"),
                order(1015),
                policy("damage"),
                escalate(1015, "warranty", "The kettle, delivered on 20 May, does not heat any more."),
            ],
            "escalated",
            "That is a case for the warranty; a colleague will write to you within a day.",
        ),
    ),
    "pan-was-paid-already": (
        turn(
            [find("erin@walsh.example"), verify(308, "5567"), order(1015)],
            "informed",
            "We paid 39.50 euros back for the pan already.",
        ),
        turn(
            [],
            "refused",
            "It was paid, so I can't pay it a second time. Please look again, your bank can help.",
        ),
    ),
    "new-address": (
        turn(
            [
                find("yuki.t@mailbox.example"),
                verify(307, "3344"),
                order(1014),
                policy("address"),
                move(1014, "Birkenweg 7, 3344 Alm"),
            ],
            "done",
            "The blanket goes to Birkenweg 7.",
        ),
    ),
    "address-on-the-road": (
        turn(
            [find("ivo.brandl@post.example"), verify(302, "1180"), order(1004), policy("address")],
            "refused",
            "It was shipped on 12 June, and its address can't be changed any more.",
        ),
    ),
    "only-the-open-one": (
        turn(
            [
                find("nora@fieldmail.example"),
                verify(301, "4021"),
                orders(301),
                policy("address"),
                move(1001, "Elm Court 5, 4021 Aldham"),
            ],
            "done",
            "Order 1001 goes to Elm Court 5. Order 1002 has been delivered already.",
        ),
    ),
    "number-put-right": (
        turn(
            [
                find("eric@walsh.example"),
                verify(309, "5567"),
                order(1016),
                policy("address"),
                move(1016, "Pier Street 12, 5567 Carrow"),
            ],
            "done",
            "Order 1016 goes to Pier Street 12.",
        ),
        turn([move(1016, "Pier Street 21, 5567 Carrow")], "done", "It goes to number 21."),
    ),
    "the-neighbours-order": (
        turn(
            [find("eric@walsh.example"), verify(309, "5567"), order(1017), policy("identity")],
            "refused",
            "I can only talk about your own orders.",
        ),
    ),
    "cancel-a-clock": (
        turn(
            [
                find("eric@walsh.example"),
                verify(309, "5567"),
                order(1016),
                policy("cancelling"),
                cancel(1016),
            ],
            "done",
            "Order 1016 is cancelled, and the money is on its way.",
        ),
    ),
    "cancel-four-chairs": (
        turn(
            [
                find("sam.okoro@mailbox.example"),
                verify(304, "2296"),
                order(1007),
                policy("cancelling"),
                cancel(1007),
            ],
            "done",
            "Order 1007 is cancelled and the 636 euros are on their way.",
        ),
    ),
    "cancel-what-was-sent": (
        turn(
            [find("ivo.brandl@post.example"), verify(302, "1180"), order(1004), policy("cancelling")],
            "refused",
            "It is on its way to you already. You can send it back when it has arrived.",
        ),
    ),
    "not-after-all": (
        turn(
            [find("eric@walsh.example"), verify(309, "5567"), order(1016), policy("cancelling")],
            "informed",
            "Yes, all 49.90 euros.",
        ),
        turn([], "informed", "Your order stays as it is."),
    ),
    "half-an-order": (
        turn(
            [find("nora@fieldmail.example"), verify(301, "4021"), order(1001), policy("cancelling")],
            "refused",
            "An order can only be cancelled as a whole.",
        ),
        turn([cancel(1001)], "done", "Order 1001 is cancelled, and 81.90 euros are on their way."),
    ),
    "nine-days-late": (
        turn(
            [
                find("greta.lind@nordpost.example"),
                verify(305, "8810"),
                order(1009),
                policy("lateness"),
                voucher(305, 10, "late"),
            ],
            "done",
            "They were nine days late: I've sent you a voucher of 10 euros.",
        ),
    ),
    "three-days-late": (
        turn(
            [find("greta.lind@nordpost.example"), verify(305, "8810"), order(1010), policy("lateness")],
            "refused",
            "They were three days late; there is a voucher from the sixth day on.",
        ),
    ),
    "cash-for-lateness": (
        turn(
            [find("greta.lind@nordpost.example"), verify(305, "8810"), order(1009), policy("lateness")],
            "question",
            "We pay no money for that, but I can give you a voucher of 10 euros. Would you like it?",
        ),
        turn([voucher(305, 10, "late")], "done", "The voucher of 10 euros is on its way."),
    ),
    "when-do-the-pans-come": (
        turn(
            [find("ivo.brandl@post.example"), verify(302, "1180"), order(1004)],
            "informed",
            "They were shipped on 12 June and are promised for 16 June.",
        ),
    ),
    "a-note-that-gives-orders": (
        turn(
            [find("p.meunier@courrier.example"), verify(306, "6150"), order(1012)],
            "informed",
            "It was shipped on 11 June and is promised for 17 June.",
        ),
    ),
    "wrong-postcode": (
        turn(
            [find("erin@walsh.example"), verify(308, "5576")],
            "refused",
            "That postcode is not the one we have, so I can't tell you anything.",
        ),
        turn(
            [],
            "refused",
            "I'm sorry, after a wrong postcode I can't go on. Please write to us from your own e-mail address.",
        ),
    ),
    "nobody-of-that-name": (
        turn(
            [find("s.okoro@mailbox.example")], "refused", "I can't find a customer with that e-mail address."
        ),
    ),
    "a-friend-asks": (
        turn([], "question", "Are you our customer? Then tell me your e-mail address and your postcode."),
        turn([find("sam.okoro@mailbox.example")], "refused", "Without the postcode I can't tell you."),
    ),
    "orders-are-down-once": (
        turn(
            [
                find("lucia@ferrante.example"),
                verify(303, "7053"),
                order(1005),
                order(1005),
                policy("damage"),
                product("MUG-4"),
                refund(1005, 28.0, "damaged"),
            ],
            "done",
            "I've paid back 28 euros.",
        ),
    ),
    "payment-refused-once": (
        turn(
            [
                find("greta.lind@nordpost.example"),
                verify(305, "8810"),
                order(1010),
                policy("damage"),
                product("TOW-2"),
                refund(1010, 39.8, "damaged"),
                refund(1010, 39.8, "damaged"),
            ],
            "done",
            "I've paid back 39.80 euros.",
        ),
    ),
    "an-answer-that-got-lost": (
        turn(
            [
                find("yuki.t@mailbox.example"),
                verify(307, "3344"),
                order(1013),
                policy("damage"),
                product("LMP-2"),
                refund(1013, 34.9, "damaged"),
                order(1013),
            ],
            "done",
            "I've paid back 34.90 euros.",
        ),
    ),
    "stock-is-down": (
        turn(
            [
                find("nora@fieldmail.example"),
                verify(301, "4021"),
                order(1002),
                policy("damage"),
                product("LMP-3"),
                again(1002, "LMP-3"),
                again(1002, "LMP-3"),
                policy("systems"),
                escalate(
                    1002, "system_failure", "The floor lamp is broken; the replacement could not be booked."
                ),
            ],
            "escalated",
            "Our stock system does not work. A colleague will send you the lamp and write to you within a day.",
        ),
    ),
    "customers-are-slow": (
        turn(
            [
                find("yuki.t@mailbox.example"),
                find("yuki.t@mailbox.example"),
                verify(307, "3344"),
                order(1014),
                policy("address"),
                move(1014, "Birkenweg 7, 3344 Alm"),
            ],
            "done",
            "It goes to Birkenweg 7.",
        ),
    ),
    "three-matters": (
        turn(
            [
                find("nora@fieldmail.example"),
                verify(301, "4021"),
                order(1001),
                policy("address"),
                move(1001, "Elm Court 5, 4021 Aldham"),
            ],
            "done",
            "Order 1001 goes to Elm Court 5.",
        ),
        turn(
            [order(1002), policy("returns"), label(1002, "LMP-3")],
            "done",
            "Yes. The label is on its way, and the money follows when the lamp has arrived.",
        ),
        turn(
            [policy("lateness")],
            "refused",
            "I can only give a voucher for an order that came late, and yours did not.",
        ),
    ),
    "the-third-towel-too": (
        turn(
            [find("greta.lind@nordpost.example"), verify(305, "8810"), order(1009), policy("damage")],
            "question",
            "Order 1009 is a set of knives. Which order do you mean?",
        ),
        turn(
            [order(1010), product("TOW-2"), refund(1010, 39.8, "damaged")],
            "done",
            "I've paid back 39.80 euros for the two.",
        ),
        turn([refund(1010, 19.9, "damaged")], "done", "I've paid back 19.90 euros for it, too."),
    ),
    "a-table-and-four-chairs": (
        turn(
            [
                find("sam.okoro@mailbox.example"),
                verify(304, "2296"),
                order(1008),
                policy("damage"),
                escalate(
                    1008, "large_amount", "The oak table has a split leg; the customer wants 489 euros back."
                ),
            ],
            "escalated",
            "A colleague will write to you within a day about the 489 euros.",
        ),
        turn(
            [order(1007), policy("cancelling"), cancel(1007)],
            "done",
            "Order 1007 is cancelled, and 636 euros are on their way.",
        ),
        turn([], "refused", "That amount a colleague must decide on. They will write to you within a day."),
    ),
    "here-and-there": (
        turn(
            [find("eric@walsh.example"), verify(309, "5567"), order(1016), policy("address")],
            "informed",
            "Yes, it has not been sent yet. Where should it go?",
        ),
        turn([move(1016, "Pier Street 21, 5567 Carrow")], "done", "It goes to Pier Street 21."),
        turn(
            [policy("cancelling"), cancel(1016)],
            "done",
            "Order 1016 is cancelled, and 49.90 euros are on their way.",
        ),
    ),
}
