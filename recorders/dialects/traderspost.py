"""TradersPost's JSON (TradersPost/docs, webhook-spec.json): `ticker`, `action`, and what only it has beside them.

`sentiment` is the side after the order, without a size: `flat` with a buy or a sell is an exit, `bullish` or `long`
with a sell is a partial one. `add` adds on the side of the sentiment. `amount` of a bracket and `trailAmount` are price
points. A percent of the position is an exit's only, and only the whole of it; a dollar amount of contracts is not
served. `limitPrice` counts only with `orderType` limit, as the specification has it. A body with no field but those
that we name alike is `canonical`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from recorders import fields
from recorders.alert import EXITS, Action, ParsedAlert, Refusal, shown
from recorders.dialects import okx, overrides, positions
from recorders.dialects.overrides import Overrides, Stated
from recorders.dialects.reading import Names, read
from recorders.dialects.words import ACTIONS, action_of, side_of
from recorders.fields import Fields
from recorders.setting_types import SameDirection, StopType, Unit

NAME = "traderspost"
_MARKS = frozenset({
    "sentiment", "signalPrice", "orderType", "limitPrice", "stopPrice", "trailAmount", "trailPercent", "quantityType",
    "takeProfit", "stopLoss", "timeInForce", "extras",
})  # fmt: skip
_OWN = Names()
_NAMES = Names(
    ticker=("ticker",),
    action=("action",),
    weak_action=(),
    quantity=("quantity",),
    price=("price", "signalPrice"),
    order_type=("orderType",),
    limit_price=("limitPrice",),
    fired_at=(),
    noticed_at=("time",),
    positions=positions.Names(side=("sentiment", *_OWN.positions.side)),
)
_STOPS = {Unit.PRICE: ("stopPrice",), Unit.PERCENT: ("percent",), Unit.POINTS: ("amount",)}
_STOP_LIMIT = {Unit.PRICE: ("limitPrice",)}
_TRAILS = {Unit.PERCENT: ("trailPercent",), Unit.POINTS: ("trailAmount",)}
_TARGETS = {Unit.PRICE: ("limitPrice",), Unit.PERCENT: ("percent",), Unit.POINTS: ("amount",)}
_SIZES = {"risk_dollar_amount": "risk_dollars", "risk_percent": "risk_percent", "percent_of_equity": "equity_percent"}
_WHOLE = Decimal(100)


def speaks(alert: Fields) -> bool:
    return "ticker" in alert and not _MARKS.isdisjoint(alert) and not okx.speaks(alert)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field as `stopLoss.percent`."""
    word = fields.text(alert, "action") or ""
    is_add = word.lower() == "add"
    if is_add:
        alert = {**alert, "action": _side_to_add_to(alert)}
    size: Overrides = _size(alert)
    if is_add:
        size["same_direction"] = Stated(SameDirection.ADD, "action")
    if fields.text(alert, "quantityType") not in {None, "", "fixed_quantity"}:
        alert = {**alert, "quantity": None}
    if _order_type(alert) != "limit":
        alert = {**alert, "limitPrice": None}
    return read(alert, _NAMES, NAME, lambda: {**overrides.read(alert), **_bracket(alert), **size})


def _order_type(alert: Fields) -> str:
    return (fields.text(alert, "orderType") or "").lower()


def _side_to_add_to(alert: Fields) -> str:
    sentiment = fields.text(alert, "sentiment")
    side = side_of("sentiment", sentiment) if sentiment else 0
    if side == 0:
        raise Refusal("MISSING_FIELD", "sentiment: an add needs to know the side, long or short")
    return Action.BUY if side > 0 else Action.SELL


def _size(alert: Fields) -> Overrides:
    kind = fields.text(alert, "quantityType")
    is_flat = (fields.text(alert, "sentiment") or "").lower() == "flat"
    if not kind or kind == "fixed_quantity" or is_flat:
        return {}
    if kind == "percent_of_position":
        _refuse_a_part(alert)
        return {}
    is_exit = action_of("action", fields.text(alert, "action") or "close") in EXITS
    if kind not in _SIZES or is_exit:
        wants = "fixed_quantity or 100 percent_of_position" if is_exit else f"fixed_quantity, {', '.join(_SIZES)}"
        raise Refusal("NOT_SERVED", f"quantityType: had {shown(kind)}, wants {wants}")
    return overrides.amount(alert, _SIZES[kind], "quantity")


def _refuse_a_part(alert: Fields) -> None:
    percent = fields.number(alert, "quantity")
    is_exit = ACTIONS.get((fields.text(alert, "action") or "").lower()) in EXITS
    if not is_exit or (percent is not None and percent < _WHOLE):
        raise Refusal(
            "NOT_SERVED",
            f"quantityType: had 'percent_of_position' of {shown(percent)}, only an exit of 100 percent can be served; "
            "send the contracts as fixed_quantity",
        )


def _bracket(alert: Fields) -> Overrides:
    take, stop = _part(alert, "takeProfit"), _part(alert, "stopLoss")
    found = overrides.target(_distance(take, _TARGETS, "takeProfit"))
    kind = (fields.text(stop, "stopLoss.type") or "").lower()
    trail = _distance(stop, _TRAILS, "stopLoss") if kind in {"", "trailing_stop"} else None
    if trail is not None:
        return {**found, **overrides.stop(trail), "stop_type": Stated(StopType.TRAILING, "stopLoss.type")}
    found |= overrides.stop(_distance(stop, _STOPS, "stopLoss") or _distance(stop, _STOP_LIMIT, "stopLoss"))
    if kind == "trailing_stop":
        found["stop_type"] = Stated(StopType.TRAILING, "stopLoss.type")
    return found


def _part(alert: Fields, name: str) -> Fields:
    part: Any = alert.get(name)
    if fields.is_absent(part):
        return {}
    if not isinstance(part, dict):
        raise Refusal("WRONG_TYPE", f"{name}: had {shown(part)}, wants an object like {{'percent': 1}}")
    return {f"{name}.{key}": value for key, value in part.items()}


def _distance(part: Fields, names: Mapping[Unit, tuple[str, ...]], prefix: str) -> tuple[Unit, Stated] | None:
    return overrides.distance(part, {unit: tuple(f"{prefix}.{name}" for name in own) for unit, own in names.items()})
