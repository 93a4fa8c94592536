"""The nested JSON that many public scripts send: `{"passphrase", "time", "bar": {...}, "strategy": {...}}`.

Names within `strategy` are written `position_size`, `position:size` or `order: {action}`; all of them are read as one.
`strategy.position_size` is `{{strategy.position_size}}`, which has a sign. `time` is when the alert fired if it is not
the time of its own `bar`: some write `{{timenow}}` there and some `{{time}}` (integration facts §1.7).
"""

from __future__ import annotations

import re

from recorders.alert import ParsedAlert
from recorders.dialects import overrides, positions
from recorders.dialects.reading import Names, read
from recorders.fields import Fields

NAME = "nested"
_DEPTH = 3
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")
_OWN = Names()
_NAMES = Names(
    action=("strategy.order_action", "strategy.action", *_OWN.action),
    quantity=("strategy.order_contracts", "strategy.contracts", "strategy.order_quantity", *_OWN.quantity),
    price=("strategy.order_price", "strategy.price", "bar.close", *_OWN.price),
    order_type=("strategy.order_type", *_OWN.order_type),
    noticed_at=("fired", *_OWN.noticed_at),
    strategy=("strategy.name", "strategy_name"),
    positions=positions.Names(
        side=("strategy.market_position", *_OWN.positions.side),
        size=("strategy.position_size", "strategy.market_position_size", *_OWN.positions.size),
        prev_side=("strategy.prev_market_position", *_OWN.positions.prev_side),
        prev_size=(
            "strategy.prev_position_size", "strategy.prev_market_position_size", *_OWN.positions.prev_size,
        ),
        signed=("strategy.position_size", "strategy.prev_position_size"),
    ),
)  # fmt: skip


def speaks(alert: Fields) -> bool:
    return isinstance(alert.get("strategy"), dict)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field as `strategy.order_action`."""
    flat = {key: value for key, value in alert.items() if key not in {"strategy", "bar"}}
    flat |= _flattened("strategy", alert["strategy"])
    bar = alert.get("bar")
    if isinstance(bar, dict):
        flat |= _flattened("bar", bar)
    bar_time = flat.get("bar.time")
    if bar_time is not None and bar_time != alert.get("time"):
        flat["fired"] = alert.get("time")
    return read(flat, _NAMES, NAME, lambda: overrides.read(flat))


def _flattened(prefix: str, values: Fields, depth: int = 1) -> Fields:
    found: Fields = {}
    for key, value in values.items():
        name = f"{prefix}{'.' if depth == 1 else '_'}{_BETWEEN.sub('_', key)}"
        if isinstance(value, dict) and depth < _DEPTH:
            found |= _flattened(name, value, depth + 1)
        else:
            found[name] = value
    return found
