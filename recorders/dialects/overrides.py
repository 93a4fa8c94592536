"""What an alert says over the recorder's settings: protection, risk, and what a signal on the held side does.

A dialect hands on `Stated` values, each with the name that the alert gives it. `settle` makes JSON values of
`recorders.settings` of them, once the product and so its tick is known. A 0 that is stated means none; what is not
stated, or is empty, is inherited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from recorders import fields
from recorders.alert import Refusal
from recorders.fields import Fields
from recorders.setting_types import SameDirection, StopType, Unit
from recorders.settings import BadSettings, read_overrides

STOPS: dict[Unit, tuple[str, ...]] = {
    Unit.TICKS: ("sl", "stop_loss", "sl_ticks"),
    Unit.DOLLARS: ("dollar_sl", "sl_dollar"),
    Unit.PERCENT: ("percentage_sl", "sl_percent", "sl_percentage"),
    Unit.PRICE: ("sl_price", "stop_price"),
}
TARGETS: dict[Unit, tuple[str, ...]] = {
    Unit.TICKS: ("tp", "take_profit", "tp_ticks"),
    Unit.DOLLARS: ("dollar_tp", "tp_dollar"),
    Unit.PERCENT: ("percentage_tp", "tp_percent", "tp_percentage"),
    Unit.PRICE: ("tp_price", "target_price"),
}
_TICKS: dict[str, tuple[str, ...]] = {
    "trail_trigger_ticks": ("trail_trigger", "trail_start"),
    "trail_step_ticks": ("trail_freq", "trail_frequency", "trail_interval"),
    "break_even_ticks": ("breakeven", "break_even"),
    "break_even_offset_ticks": ("breakeven_offset", "be_offset", "break_even_offset"),
}
_IGNORES_THE_HELD_SIDE = ("same_direction_ignore", "ignore_same_direction", "no_duplicate")
_MAY_REPEAT = ("duplicate_position_allow",)
_PLACES = {"risk_dollars": 2, "risk_percent": 4, "equity_percent": 4}


@dataclass(frozen=True, slots=True)
class Stated:
    """A setting's value as the alert has it, and the alert's own name for it. Price points become ticks."""

    value: Any
    field: str
    is_points: bool = False

    def as_setting(self, tick: Decimal) -> Any:
        """Decimals are text, as in JSON."""
        value = self.value
        if self.is_points:
            # A price that no instrument has would not fit into whole ticks; the setting's own limit is far below.
            within = max(-fields.MAX_PRICE, min(fields.MAX_PRICE, value))
            value = (within / tick).quantize(Decimal(1))
        if not isinstance(value, Decimal):
            return value
        is_whole = value.adjusted() < fields.MAX_DIGITS and value == value.to_integral_value()
        return str(int(value) if is_whole else value)


Overrides = dict[str, Stated]


def read(alert: Fields) -> Overrides:
    """What our own names, and those of the service that we replace, say. Raises `Refusal` naming the field."""
    found: Overrides = {
        **stop(distance(alert, STOPS)),
        **target(distance(alert, TARGETS)),
        **amount(alert, "risk_dollars", "risk_dollars", "risk_amount", "risk_dollar"),
        **amount(alert, "risk_percent", "risk_percentage", "risk_percent"),
        **_trailing(alert),
        **repeats(alert),
    }
    for setting, names in _TICKS.items():
        found |= amount(alert, setting, *names)
    return found


def distance(alert: Fields, names: Mapping[Unit, tuple[str, ...]]) -> tuple[Unit, Stated] | None:
    """The one distance that is stated in any unit; two that contradict are refused."""
    stated: list[tuple[Unit, Stated]] = []
    for unit, aliases in names.items():
        value = fields.number_if_any(alert, *aliases)
        if value is not None:
            stated.append((unit, Stated(fields.to_places(value, 10), fields.first_stated(alert, aliases)[0])))
    placed = [item for item in stated if item[1].value != 0]
    if len(placed) > 1:
        both = " and ".join(item[1].field for item in placed)
        raise Refusal("CONFLICTING_FIELDS", f"{both}: both are given, wants one of them")
    return next(iter(placed or stated), None)


def stop(found: tuple[Unit, Stated] | None) -> Overrides:
    if found is None:
        return {}
    unit, stated = found
    return {"stop_distance": stated, "stop_unit": Stated(unit, stated.field)}


def target(found: tuple[Unit, Stated] | None) -> Overrides:
    """One target for the whole position, or none at a distance of 0."""
    if found is None:
        return {}
    unit, stated = found
    one = [{"distance": str(stated.value), "unit": unit}]
    return {"targets": Stated(one if stated.value != 0 else [], stated.field)}


def amount(alert: Fields, setting: str, *names: str) -> Overrides:
    value = fields.number_if_any(alert, *names)
    if value is None:
        return {}
    return {setting: Stated(fields.to_places(value, _PLACES.get(setting, 10)), fields.first_stated(alert, names)[0])}


def repeats(alert: Fields) -> Overrides:
    """Whether a signal on the held side is ignored; the alert can only forbid it, not ask for adds."""
    for names, forbids in ((_IGNORES_THE_HELD_SIDE, True), (_MAY_REPEAT, False)):
        if fields.switch(alert, *names) is forbids:
            return {"same_direction": Stated(SameDirection.IGNORE, fields.first_stated(alert, names)[0])}
    return {}


def _trailing(alert: Fields) -> Overrides:
    """`trail` makes the stop, wherever its distance comes from, a trailing one; its own number says yes or no only."""
    names = ("trail", "trailing_stop")
    name, value = fields.first_stated(alert, names)
    if value is None:
        return {}
    is_number = not isinstance(value, bool) and str(value).strip().lower() not in {"true", "yes", "on", "no", "off"}
    is_on = (fields.number_if_any(alert, *names) or 0) != 0 if is_number else fields.switch(alert, *names)
    return {"stop_type": Stated(StopType.TRAILING if is_on else StopType.FIXED, name)}


def settle(stated: Mapping[str, Stated], tick: Decimal) -> dict[str, Any]:
    """JSON values of `recorders.settings`. Raises `Refusal` naming the alert's own field and what it may be."""
    if not stated:
        return {}
    try:
        return read_overrides({setting: item.as_setting(tick) for setting, item in stated.items()})
    except BadSettings as error:
        setting, texts = next(iter(error.errors.items()))
        name = stated[setting].field if setting in stated else setting
        raise Refusal("BAD_OVERRIDE", f"{name}: {' '.join(texts)}") from None
