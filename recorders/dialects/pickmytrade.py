"""PickMyTrade's JSON: `symbol`, `date`, and the action in `data` (docs.pickmytrade.trade, its alert configuration).

A 0 in any of its numbers means that none is given: its templates have all of them. `tp` and `sl` are prices, `dollar_*`
dollars, `percentage_*` percent; where several are given they count in this order. A risk percentage counts over the
quantity. `trail` is a switch; `trail_stop`, `trail_trigger`, `trail_freq` and `breakeven` are price points: so its own
validator (pickmytrade-validation 0.1.0) has the first two. `update_tp` and `update_sl` make a message that moves
resting orders and enters nothing, which we do not serve. `multiple_accounts`, `pyramid` and
`reverse_order_close` are for our traders' own settings to say.
"""

from __future__ import annotations

from recorders import fields
from recorders.alert import ParsedAlert, Refusal
from recorders.dialects import overrides
from recorders.dialects.overrides import Overrides, Stated
from recorders.dialects.reading import Names, read
from recorders.fields import Fields
from recorders.setting_types import StopType, Unit

NAME = "pickmytrade"
_NAMES = Names(
    ticker=("symbol", "ticker"),
    action=("data",),
    weak_action=(),
    quantity=("quantity",),
    price=("price",),
    fired_at=(),
    noticed_at=("date",),
)
_STOPS = {Unit.PRICE: "sl", Unit.DOLLARS: "dollar_sl", Unit.PERCENT: "percentage_sl"}
_TARGETS = {Unit.PRICE: "tp", Unit.DOLLARS: "dollar_tp", Unit.PERCENT: "percentage_tp"}
_POINTS = {
    "trail_trigger_ticks": "trail_trigger",
    "trail_step_ticks": "trail_freq",
    "break_even_ticks": "breakeven",
    "break_even_offset_ticks": "breakeven_offset",
}
_NOT_SERVED = ("update_tp", "update_sl")


def speaks(alert: Fields) -> bool:
    return "data" in alert and "symbol" in alert and "action" not in alert


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    for name in _NOT_SERVED:
        if fields.switch(alert, name):
            raise Refusal("NOT_SERVED", f"{name}: had true, resting orders are not moved by alerts")
    if alert.get("advance_tp_sl"):
        raise Refusal("NOT_SERVED", "advance_tp_sl: several targets are set in the recorder, not by alerts")
    told = {**alert, "quantity": None} if _given(alert, "risk_percent", "risk_percentage") else alert
    return read(told, _NAMES, NAME, lambda: _overrides(alert))


def _overrides(alert: Fields) -> Overrides:
    found: Overrides = {
        **overrides.stop(_first(alert, _STOPS)),
        **overrides.target(_first(alert, _TARGETS)),
        **overrides.repeats(alert),
        **_given(alert, "risk_percent", "risk_percentage"),
        **_trailing(alert),
    }
    for setting, name in _POINTS.items():
        found |= {key: Stated(item.value, name, is_points=True) for key, item in _given(alert, setting, name).items()}
    return found


def _first(alert: Fields, names: dict[Unit, str]) -> tuple[Unit, Stated] | None:
    for unit, name in names.items():
        for stated in _given(alert, name, name).values():
            return unit, stated
    return None


def _given(alert: Fields, setting: str, name: str) -> Overrides:
    return {key: item for key, item in overrides.amount(alert, setting, name).items() if item.value != 0}


def _trailing(alert: Fields) -> Overrides:
    if not fields.switch(alert, "trail"):
        return {}
    found: Overrides = {"stop_type": Stated(StopType.TRAILING, "trail")}
    for stated in _given(alert, "trail_stop", "trail_stop").values():
        found |= overrides.stop((Unit.POINTS, stated))
    return found
