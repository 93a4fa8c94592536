"""3Commas' signal bot (help.3commas.io 9374557): `tv_instrument`, `strategy_info` and `order`.

`order.amount` is contracts when its currency is `base`, as its strategy template fills it with
`{{strategy.order.contracts}}`; an amount of money or a percentage of a balance has no meaning in contracts.
"""

from __future__ import annotations

from recorders import fields
from recorders.alert import ParsedAlert, Refusal, shown
from recorders.dialects import overrides, positions
from recorders.dialects.reading import Names, read
from recorders.fields import Fields

NAME = "threecommas"
_MARKS = frozenset({"tv_instrument", "tv_exchange", "bot_uuid"})
_NAMES = Names(
    ticker=("tv_instrument",),
    exchange=("tv_exchange",),
    action=("action",),
    weak_action=(),
    quantity=("order.amount",),
    price=("trigger_price",),
    fired_at=(),
    noticed_at=("timestamp",),
    positions=positions.Names(
        side=("strategy_info.market_position",),
        size=("strategy_info.market_position_size",),
        prev_side=("strategy_info.prev_market_position",),
        prev_size=("strategy_info.prev_market_position_size",),
    ),
)


def speaks(alert: Fields) -> bool:
    return not _MARKS.isdisjoint(alert)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field as `order.amount`."""
    flat = dict(alert)
    for part in ("strategy_info", "order"):
        inner = alert.get(part)
        if isinstance(inner, dict):
            flat |= {f"{part}.{key}": value for key, value in inner.items()}
    currency = fields.text(flat, "order.currency_type")
    if currency not in {None, "", "base"} and not fields.is_absent(flat.get("order.amount")):
        raise Refusal("NOT_SERVED", f"order.currency_type: had {shown(currency)}, wants base: an amount of contracts")
    return read(flat, _NAMES, NAME, lambda: overrides.read(flat))
