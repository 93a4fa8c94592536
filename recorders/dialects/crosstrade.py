"""CrossTrade's line for NinjaTrader: `key=..;command=PLACE;account=..;instrument=MNQ 12-26;action=BUY;qty=1;...`.

`instrument` is a TradingView symbol or NinjaTrader's own name of a month, `MNQ 12-26` or `MNQ DEC26`. `take_profit` and
`stop_loss` are prices. The account is ours to know, so it is not read. Commands that place more than one order, or
change one, are not served (docs.crosstrade.io/webhooks/commands).
"""

from __future__ import annotations

import re

from recorders import fields
from recorders.alert import ParsedAlert, Refusal, shown
from recorders.dialects import lines, overrides, positions
from recorders.dialects.overrides import Overrides
from recorders.dialects.reading import Names, read
from recorders.fields import Fields
from recorders.setting_types import Unit

NAME = "crosstrade"
_MONTH_CODES = "FGHJKMNQUVXZ"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATED = re.compile(r"([A-Z0-9]{1,4})\s+(\d{2}|[A-Z]{3})-?(\d{2})", re.ASCII)
_ORDERS = frozenset({"PLACE", "REVERSEPOSITION"})
"""`REVERSEPOSITION` is an order, too: the recorder's own rule for the other side makes the reversal."""
_EXITS = frozenset({"CLOSEPOSITION", "FLATTEN", "FLATTENPOSITION", "FLATTENPOSITIONS", "FLATTENEVERYTHING"})
_CANCELS = frozenset({"CANCEL", "CANCELORDER", "CANCELORDERS", "CANCELALLORDERS"})
_NAMES = Names(
    ticker=("instrument",),
    action=("action",),
    weak_action=(),
    quantity=("qty", "quantity"),
    price=("price",),
    limit_price=("limit_price",),
    fired_at=(),
    strategy=("strategy_tag", "strategy"),
    positions=positions.Names(
        side=("market_position",),
        size=("market_position_size",),
        prev_side=("prev_market_position",),
        prev_size=("prev_market_position_size",),
    ),
)
_NOT_SERVED = ("require_market_position",)


def speaks(alert: Fields) -> bool:
    return lines.COMMAND in alert and not {"instrument", "account", "key"}.isdisjoint(alert)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    for name in _NOT_SERVED:
        if not fields.is_absent(alert.get(name)):
            raise Refusal("NOT_SERVED", f"{name}: an order cannot depend on it here")
    command = (fields.text(alert, lines.COMMAND) or "").upper()
    told = {**alert, "action": _action(alert, command)}
    instrument = fields.text(alert, "instrument")
    if instrument:
        told["instrument"] = _ticker(instrument)
    return read(told, _NAMES, NAME, lambda: _bracket(alert))


def _bracket(alert: Fields) -> Overrides:
    return {
        **overrides.stop(overrides.distance(alert, {Unit.PRICE: ("stop_loss",)})),
        **overrides.target(overrides.distance(alert, {Unit.PRICE: ("take_profit",)})),
    }


def _action(alert: Fields, command: str) -> object:
    if command in _ORDERS:
        return alert.get("action")
    if command in _EXITS:
        return "close"
    if command in _CANCELS:
        return "cancel"
    known = ", ".join(sorted(_ORDERS | _EXITS | _CANCELS))
    raise Refusal("NOT_SERVED", f"{lines.COMMAND}: had {shown(command)}, wants one of {known}")


def _ticker(instrument: str) -> str:
    """`MNQ 12-26` and `MNQ DEC26` as `MNQZ2026`; any other name as it is."""
    dated = _DATED.fullmatch(instrument.upper())
    if dated is None:
        return instrument
    root, month, year = dated.groups()
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1 if month in _MONTHS else 0
    return f"{root}{_MONTH_CODES[number - 1]}20{year}" if 1 <= number <= len(_MONTHS) else instrument
