"""Alert over trader over recorder, for every layer that may state a setting; 0 is none, absent is inherited."""

from __future__ import annotations

from typing import Any

from tests.streams.case import Case, buy, long, sell, short

PRICED = {"price": "25000"}


def own(**overrides: Any) -> dict[str, Any]:
    return {"overrides": overrides}


ONE_AT_15 = [{"distance": 60}]

CASES = (
    Case("the alert's ticks", (buy(tp="60", sl="30"),), 1, long(1, target="15", stop="7.5")),
    Case("the alert's target, the recorder's stop", (buy(tp="60"),), 1, long(1, target="15")),
    Case("the alert's stop, the recorder's target", (buy(stop_loss=30),), 1, long(1, stop="7.5")),
    Case("the alert's dollars", (sell(dollar_tp="40", dollar_sl="15"),), -1, short(1, target="20", stop="7.5")),
    Case("the alert's percent", (buy(tp_percent="0.1", sl_percent="0.05", **PRICED),), 1,
         long(1, target="25", stop="12.5")),
    Case("the alert's prices", (buy(tp_price="25030", sl_price="24985", **PRICED),), 1,
         long(1, target="30", stop="15")),
    Case("the alert's prices, short", (sell(tp_price="24970", sl_price="25015", **PRICED),), -1,
         short(1, target="30", stop="15")),
    Case("the alert wants no target", (buy(tp="0"),), 1, ("sell 1 stop 24995",)),
    Case("the alert wants no stop", (buy(sl="0"),), 1, ("sell 1 limit 25010",)),
    Case("the alert wants neither", (buy(sl=0, tp=0),), 1, ()),
    Case("an empty stop is inherited", (buy(sl="", tp="na"),), 1, long(1)),
    Case("the alert's stop trails", (buy(trail="1"),), 1, ("sell 1 limit 25010", "sell 1 trailingstop 24995")),
    Case("the alert's stop does not trail", (buy(trail="0"),), 1, long(1), settings={"stop_type": "trailing"}),
    Case("two stops that contradict are refused", (buy(sl="20", sl_price="24990"),), codes=("CONFLICTING_FIELDS",)),
    Case("a negative stop is refused", (buy(sl="-20"),), codes=("BAD_OVERRIDE",), placed=0),
    Case("the alert forbids an add", (buy(), buy(same_direction_ignore="true")), 1, long(1), ("SAME_DIRECTION",),
         settings={"same_direction": "add"}),
    Case("the trader's target", (buy(),), 1, long(1, target="15"), trader=own(targets=ONE_AT_15)),
    Case("the trader's stop", (buy(),), 1, long(1, stop="7.5"), trader=own(stop_distance=30)),
    Case("the trader wants no target", (buy(),), 1, ("sell 1 stop 24995",), trader=own(targets=[])),
    Case("the trader wants no stop", (buy(),), 1, ("sell 1 limit 25010",), trader=own(stop_distance=0)),
    Case("the trader's size", (buy(),), 4, long(4), trader=own(initial_position_size=4)),
    Case("the trader follows the alert's size", (buy(contracts="3"),), 3, long(3), trader=own(initial_position_size=0)),
    Case("the trader adds", (buy(), buy()), 3, long(3), trader=own(same_direction="add", add_position_size=2)),
    Case("the trader does not trail", (buy(),), 1, long(1), settings={"stop_type": "trailing"},
         trader=own(stop_type="fixed")),
    Case("the trader inverts", (buy(),), -1, short(1), trader=own(inverse_signals=True)),
    Case("the trader does not invert", (buy(),), 1, long(1), settings={"inverse_signals": True},
         trader=own(inverse_signals=False)),
    Case("the trader's risk counts over the recorder's", (buy(),), 3, long(3), settings={"risk_percent": "0.001"},
         trader=own(risk_dollars="30")),
    Case("the trader switches the recorder's risk off", (buy(),), 1, long(1), settings={"risk_dollars": "100"},
         trader=own(risk_dollars="0")),
    Case("the alert counts over the trader", (buy(sl="40", tp="80"),), 1, long(1, target="20", stop="10"),
         settings={"stop_distance": 10}, trader=own(stop_distance=30, targets=ONE_AT_15)),
    Case("the alert's none counts over the trader's stop", (buy(sl="0"),), 1, ("sell 1 limit 25010",),
         trader=own(stop_distance=30)),
    Case("two traders, each its own", (buy(),), (2, 3), ("sell 2 limit 25015", "sell 3 limit 25010",
         "sell 5 stop 24995"),
         trader=own(targets=ONE_AT_15, initial_position_size=2), routes=(own(initial_position_size=3),)),
    Case("a further account takes its trader's overrides", (buy(),), (2, 2), long(4, target="15"),
         trader=own(targets=ONE_AT_15, initial_position_size=2), routes=({},)),
)  # fmt: skip
