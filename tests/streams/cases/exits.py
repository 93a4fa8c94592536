"""What is placed to get out: targets and their sizes, units, stops, and how all of it follows the position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.streams.case import Case, buy, close, expect, fill, long, plain, sell, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
DCA = {"same_direction": "add"}
NONE: tuple[str, ...] = ()
TICKS = {
    "NQ": "0.25", "MES": "0.25", "M2K": "0.1", "YM": "1", "CL": "0.01", "MGC": "0.1", "SI": "0.005", "HG": "0.0005",
    "NG": "0.001", "6B": "0.0001", "6J": "0.0000005", "6A": "0.00005", "ZN": "0.015625", "ZB": "0.03125",
    "ZC": "0.25", "MBT": "5", "MET": "0.5",
}  # fmt: skip
AT = {"NQ": "25000", "MES": "6000", "M2K": "2300", "YM": "46000", "CL": "60", "MGC": "4100", "SI": "50", "HG": "5",
      "NG": "4", "6B": "1.3", "6J": "0.0065", "6A": "0.65", "ZN": "112", "ZB": "116", "ZC": "430", "MBT": "90000",
      "MET": "3000"}  # fmt: skip


def targets(*rows: tuple[Any, ...], unit: str = "percent") -> dict[str, Any]:
    """Rows of ticks and how much of the position leaves there."""
    return {"targets": [{"distance": at, **({"trim": trim, "trim_unit": unit} if trim else {})} for at, trim in rows]}


TWO = targets((40, 50), (80, 50))
THREE = targets((20, 50), (40, 30), (80, 20))
COUNTED = targets((40, 2), (80, 1), unit="contracts")
REST = targets((40, 50), (80, None))
HALF = targets((40, 50))


def out(*sizes: int, stop: int | None = None, at: tuple[str, ...] = ("25010", "25020")) -> tuple[str, ...]:
    """A long position's legs: so many contracts at each target, and the stop of them all."""
    placed = [f"sell {size} limit {price}" for size, price in zip(sizes, at, strict=False) if size]
    return (*placed, f"sell {sum(sizes) if stop is None else stop} stop 24995")


def shared(name: str, settings: dict[str, Any], qty: int, *legs: int, stop: int | None = None, **trader: Any) -> Case:
    at = ("25005", "25010", "25020") if settings is THREE else ("25010", "25020")
    own = {**settings, "initial_position_size": qty}
    total = qty * int(trader.get("multiplier", 1))
    return Case(f"{name}, {total} held", (buy(),), total, out(*legs, stop=stop or total, at=at), (), own, trader)


def unit_case(unit: str, target: str, stop: str, points: tuple[str, str]) -> tuple[Case, Case]:
    own = {"targets": [{"distance": target, "unit": unit}], "stop_distance": stop, "stop_unit": unit}
    legs = {"target": points[0], "stop": points[1]}
    where = {"price": "25000"}
    return (
        Case(f"{target} and {stop} {unit}", (buy(**where),), 1, long(1, **legs), settings=own),
        Case(f"{target} and {stop} {unit}, short", (sell(**where),), -1, short(1, **legs), settings=own),
    )


def product(root: str) -> Case:
    target, stop = (plain(Decimal(TICKS[root]) * ticks) for ticks in (40, 20))
    return Case(
        f"40 and 20 ticks of {root}", (sell(),), -1, short(1, at=AT[root], target=target, stop=stop), market=root
    )


CASES = (
    Case("no target", (buy(),), 1, ("sell 1 stop 24995",), settings={"targets": []}, placed=1),
    Case("a target at 0 is none", (buy(),), 1, ("sell 1 stop 24995",), settings=targets((0, None)), placed=1),
    Case("no stop", (buy(),), 1, ("sell 1 limit 25010",), settings={"stop_distance": 0}, placed=1),
    Case("neither", (buy(),), 1, NONE, settings={"targets": [], "stop_distance": 0}, placed=1),
    Case("neither, and out again", (buy(), close()), settings={"targets": [], "stop_distance": 0}, placed=2),
    Case("a stop only, short", (sell(),), -1, ("buy 1 stop 25005",), settings={"targets": []}, placed=1),
    shared("two targets", TWO, 1, 1, 0),
    shared("two targets", TWO, 2, 1, 1),
    shared("two targets", TWO, 3, 2, 1),
    shared("two targets", TWO, 4, 2, 2),
    shared("two targets", TWO, 5, 3, 2),
    shared("two targets", TWO, 6, 3, 3),
    shared("three targets", THREE, 1, 1, 0, 0),
    shared("three targets", THREE, 2, 1, 1, 0),
    shared("three targets", THREE, 3, 1, 1, 1),
    shared("three targets", THREE, 4, 2, 1, 1),
    shared("three targets", THREE, 6, 3, 2, 1),
    shared("three targets", THREE, 10, 5, 3, 2),
    shared("trims in contracts", COUNTED, 1, 1, 0),
    shared("trims in contracts", COUNTED, 2, 2, 0),
    shared("trims in contracts", COUNTED, 3, 2, 1),
    shared("trims in contracts", COUNTED, 5, 2, 1),
    shared("trims in contracts times two", COUNTED, 3, 4, 2, multiplier=Decimal(2)),
    shared("half, and the rest", REST, 1, 1, 0),
    shared("half, and the rest", REST, 3, 2, 1),
    shared("half, and the rest", REST, 5, 3, 2),
    shared("half leaves a rest under the stop", HALF, 4, 2),
    shared("half leaves a rest under the stop", HALF, 1, 1),
    *unit_case("ticks", "60", "30", ("15", "7.5")),
    *unit_case("points", "12", "6", ("12", "6")),
    *unit_case("points", "3.3", "1.6", ("3.25", "1.5")),
    *unit_case("percent", "0.1", "0.05", ("25", "12.5")),
    *unit_case("percent", "0.011", "0.005", ("2.75", "1.25")),
    *unit_case("dollars", "50", "25", ("25", "12.5")),
    *unit_case("dollars", "3.10", "1.20", ("1.5", "0.5")),
    Case("percent counts from the fill, not from the alert's price", (buy(price="24000"),), 1,
         long(1, target="25", stop="12.5"), settings={"targets": [{"distance": "0.1", "unit": "percent"}],
                                                     "stop_distance": "0.05", "stop_unit": "percent"}),
    Case("less than a tick is a tick", (buy(price="25000"),), 1, long(1, target="0.25", stop="0.25"),
         settings={"targets": [{"distance": "0.01", "unit": "points"}], "stop_distance": "0.1", "stop_unit": "points"}),
    Case("trailing from the start", (buy(),), 1, ("sell 1 limit 25010", "sell 1 trailingstop 24995"),
         settings={"stop_type": "trailing"}),
    Case("trailing, no target, short", (sell(),), -1, ("buy 1 trailingstop 25005",),
         settings={"stop_type": "trailing", "targets": []}),
    Case("trailing after a trigger rests until then", (buy(),), 1, long(1),
         settings={"stop_type": "trailing", "trail_trigger_ticks": 10, "trail_step_ticks": 2}),
    Case("an add has its exits, too", (buy(), buy(), expect(2, long(2)), buy()), 3, long(3), settings=DCA),
    Case("an add short", (sell(), sell()), -2, short(2), settings=DCA),
    Case("an add and two targets", (buy(), expect(1, out(1, 0)), buy()), 2, out(1, 1), settings={**DCA, **TWO}),
    Case("adds of two and two targets", (buy(), buy()), 4, out(2, 2),
         settings={**DCA, **TWO, "initial_position_size": 2, "add_position_size": 2}),
    Case("an add without exits", (buy(), buy()), 2, NONE, settings={**DCA, "targets": [], "stop_distance": 0}),
    Case("an add that brings a stop of its own", (buy(), buy(sl="40")), 2, long(2, stop="10"), settings=DCA),
    Case("adds and out", (buy(), buy(), buy(), close()), settings={**DCA, **TWO}),
    Case("a partial exit takes its exits with it", (fill("0>4"), expect(4, out(2, 2)), fill("4>2")), 2, out(0, 2),
         settings={**FOLLOW, **TWO}),
    Case("a partial exit within the first target", (fill("0>4"), fill("4>3")), 3, out(1, 2), settings={**FOLLOW,
         **TWO}),
    Case("a partial exit beyond the first target", (fill("0>4"), fill("4>1")), 1, out(0, 1), settings={**FOLLOW,
         **TWO}),
    Case("a partial exit without exits", (fill("0>4"), fill("4>3")), 3, NONE,
         settings={**FOLLOW, "targets": [], "stop_distance": 0}),
    Case("a partial exit of what has a stop only", (fill("0>4"), fill("4>3")), 3, ("sell 3 stop 24995",),
         settings={**FOLLOW, "targets": []}),
    Case("a partial exit, then an add", (fill("0>3"), fill("3>1"), expect(1, long(1)), fill("1>4")), 4, long(4),
         settings=FOLLOW),
    Case("an add, then a partial exit", (fill("0>1"), fill("1>3"), fill("3>2"), expect(2, long(2)), fill("2>1")), 1,
         long(1), settings=FOLLOW),
    Case("turned around, the exits turn, too", (fill("0>2"), fill("2>-3")), -3,
         ("buy 2 limit 24990", "buy 1 limit 24980", "buy 3 stop 25005"), settings={**FOLLOW, **TWO}),
    *(product(root) for root in TICKS),
)  # fmt: skip
