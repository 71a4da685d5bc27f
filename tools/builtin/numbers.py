"""Numbers as short text."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_DIGITS = 10


def short(value: Decimal) -> str:
    """Ten significant digits at most, no zeros at the end, and an exponent only far from 1.

    >>> short(Decimal("3.10685596118667")), short(Decimal("68.000")), short(Decimal("5e-10"))
    ('3.106855961', '68', '5e-10')
    """
    context = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)
    rounded = context.plus(value).normalize(context)
    if not rounded:
        return "0"
    return f"{rounded:f}" if -7 < rounded.adjusted() < 16 else f"{rounded:e}"
