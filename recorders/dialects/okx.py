"""OKX's signal bot, both of its forms (okx.com, signal bot alert message specifications).

A says buy or sell with the sides after and before the order, which have no sizes; B says ENTER_LONG, EXIT_LONG and so
on. `amount` is contracts with `investmentType` contract; the percentages of a balance are not served, and 100 percent
of the position is the whole of it.
"""

from __future__ import annotations

from decimal import Decimal

from recorders import fields
from recorders.alert import ParsedAlert, Refusal, shown
from recorders.dialects import overrides, positions
from recorders.dialects.reading import Names, read
from recorders.fields import Fields

NAME = "okx"
_MARKS = frozenset({"signalToken", "marketPosition", "prevMarketPosition", "investmentType", "maxLag"})
_NAMES = Names(
    ticker=("instrument",),
    weak_action=(),
    action=("action",),
    quantity=("amount",),
    price=("price",),
    order_type=("orderType",),
    limit_price=("orderPrice",),
    fired_at=(),
    noticed_at=("timestamp",),
    positions=positions.Names(
        side=("marketPosition",),
        size=("marketPositionSize",),
        prev_side=("prevMarketPosition",),
        prev_size=("prevMarketPositionSize",),
    ),
)
_CONTRACTS = frozenset({None, "", "contract", "contracts", "base"})
_WHOLE = Decimal(100)


def speaks(alert: Fields) -> bool:
    return not _MARKS.isdisjoint(alert)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    kind = fields.text(alert, "investmentType")
    if kind not in _CONTRACTS and not fields.is_absent(alert.get("amount")):
        is_whole = kind == "percentage_position" and fields.number(alert, "amount") == _WHOLE
        if not is_whole:
            raise Refusal("NOT_SERVED", f"investmentType: had {shown(kind)}, wants contract: an amount of contracts")
        alert = {**alert, "amount": None}
    return read(alert, _NAMES, NAME, lambda: overrides.read(alert))
