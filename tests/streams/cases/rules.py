"""What a recorder lets pass: the side that is held, the other side, directions, times and counts; exits always pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from justtrades import clock
from tests.streams.case import Case, Pause, act, buy, close, expect, fill, long, sell, short

NOW = clock.now()
FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
ADD, RE_ENTER, IGNORE = ({"same_direction": rule} for rule in ("add", "re_enter", "ignore"))
LONG_ONLY, SHORT_ONLY = ({"direction_filter": rule} for rule in ("long_only", "short_only"))
BLOCKED = {"signal_blocking": True}
INVERSE = {"inverse_signals": True}
LIMIT = {"entry_type": "limit", "limit_timeout_s": 600}
RESTS = ("buy 1 limit 24900",)
BELOW = {"price": "24900"}


def window(start: float, end: float) -> dict[str, str]:
    """Hours from now; recorders of these cases have an owner who lives in UTC."""
    return {name: f"{NOW + timedelta(hours=hours):%H:%M}" for name, hours in (("start", start), ("end", end))}


def during(*windows: dict[str, str]) -> dict[str, Any]:
    return {"time_windows": list(windows)}


CASES = (
    Case("same side, ignored", (buy(), buy()), 1, long(1), ("SAME_DIRECTION",), IGNORE, placed=1),
    Case("same side, added", (buy(), buy()), 2, long(2), (), ADD, placed=2),
    Case("same side, entered anew", (buy(), buy()), 1, long(1), (), RE_ENTER, placed=3),
    Case("same side, entered anew by positions", (fill("0>1"), fill("1>2")), 2, long(2), (), {**FOLLOW, **RE_ENTER}),
    Case("same side, the strategy's add is ignored", (fill("0>1"), fill("1>2")), 1, long(1), ("SAME_DIRECTION",),
         IGNORE),
    Case("other side, ignored", (buy(), sell()), 1, long(1), ("OPPOSITE_DIRECTION",), {"opposite_direction": "ignore"}),
    Case("other side, ignored by positions", (fill("0>1"), fill("1>-1")), 1, long(1), ("OPPOSITE_DIRECTION",),
         {"opposite_direction": "ignore"}),
    Case("other side, blocked while adds are on", (buy(), sell()), 1, long(1), ("OPPOSITE_DIRECTION",),
         {**ADD, "opposite_direction": "block_while_dca"}),
    Case("other side, not blocked while adds are off", (buy(), sell()), -1, short(1), (),
         {"opposite_direction": "block_while_dca"}),
    Case("other side, turned around while adds are on", (buy(), buy(), sell()), -1, short(1), (), ADD),
    Case("one position at a time", (buy(), sell(), buy()), 1, long(1), ("SIGNAL_BLOCKING",) * 2, BLOCKED, placed=1),
    Case("one position at a time, out and in", (buy(), close(), sell()), -1, short(1), (), BLOCKED),
    Case("one position at a time, by positions", (fill("0>1"), fill("1>-1"), expect(1), fill("-1>0")), 0, (),
         ("SIGNAL_BLOCKING",), BLOCKED, placed=2),
    Case("inverse", (buy(),), -1, short(1), (), INVERSE),
    Case("inverse, and out", (sell(), expect(1, long(1)), close()), settings=INVERSE, placed=2),
    Case("inverse, closelong ends what it opened", (buy(), act("closelong")), settings=INVERSE, placed=2),
    Case("inverse by positions", (fill("0>2"), expect(-2, short(2)), fill("2>1")), -1, short(1), (),
         {**FOLLOW, **INVERSE}),
    Case("inverse reversal", (fill("0>1"), fill("1>-1")), 1, long(1), (), INVERSE),
    Case("long only, a buy", (buy(),), 1, long(1), (), LONG_ONLY),
    Case("long only, a sell", (sell(),), 0, (), ("DIRECTION_FILTER",), LONG_ONLY, placed=0),
    Case("long only, a sell ends the long", (buy(), sell()), 0, (), ("DIRECTION_FILTER",), LONG_ONLY, placed=2),
    Case("long only, by positions", (fill("0>1"), fill("1>-1"), fill("-1>1")), 1, long(1), ("DIRECTION_FILTER",),
         LONG_ONLY, placed=3),
    Case("short only, a buy", (buy(),), 0, (), ("DIRECTION_FILTER",), SHORT_ONLY, placed=0),
    Case("short only, a sell and out", (sell(), close()), settings=SHORT_ONLY, placed=2),
    Case("inverse and long only", (sell(), expect(1, long(1)), close(), buy()), 0, (), ("DIRECTION_FILTER",),
         {**INVERSE, **LONG_ONLY}, placed=2),
    Case("cool-down", (buy(), close(), buy()), 0, (), ("COOLDOWN",), {"signal_cooldown_s": 600}, placed=2),
    Case("cool-down, a turn-around still exits", (buy(), sell()), 0, (), ("COOLDOWN",), {"signal_cooldown_s": 600},
         placed=2),
    Case("cool-down that is over", (buy(), close(), Pause(1.2), buy()), 1, long(1), (), {"signal_cooldown_s": 1}),
    Case("cool-down, an entry that was not taken does not count", (buy(age=60), buy()), 1, long(1), ("STALE",),
         {"signal_cooldown_s": 600}),
    Case("at most two entries", (buy(), close(), buy(), close(), buy()), 0, (), ("MAX_SIGNALS",),
         {"max_signals_per_session": 2}, placed=4),
    Case("an add is an entry, too", (buy(), buy(), buy()), 2, long(2), ("MAX_SIGNALS",),
         {**ADD, "max_signals_per_session": 2}),
    Case("every second signal", (buy(), buy(), expect(1, long(1)), close(), buy(), buy()), 1, long(1),
         ("EVERY_NTH",) * 2, {"every_nth_signal": 2}, placed=3),
    Case("every third signal", (buy(), sell(), buy()), 1, long(1), ("EVERY_NTH",) * 2, {"every_nth_signal": 3},
         placed=1),
    Case("within the window", (buy(),), 1, long(1), (), during(window(-2, 2))),
    Case("outside the window", (buy(),), 0, (), ("TIME_WINDOW",), during(window(6, 8)), placed=0),
    Case("outside one window, within the other", (buy(),), 1, long(1), (), during(window(6, 8), window(-1, 3))),
    Case("outside a window over midnight", (buy(),), 0, (), ("TIME_WINDOW",), during(window(3, 21)), placed=0),
    Case("each trader its own window", (buy(),), (1, 0), long(1), ("TIME_WINDOW",), during(window(-2, 2)),
         routes=({"overrides": during(window(6, 8))},), placed=1),
    Case("one open contract only", (buy(), buy(ticker="MES1!")), 1, long(1), ("MAX_OPEN_POSITIONS",),
         {"max_open_positions": 1}),
    Case("one open contract only, which may turn around", (buy(), sell()), -1, short(1), (), {"max_open_positions": 1}),
    Case("one open contract only, which may grow", (buy(), buy()), 2, long(2), (), {**ADD, "max_open_positions": 1}),
    Case("an option that is too cheap", (buy(premium="0.45"),), 0, (), ("OPTION_PREMIUM",), {"min_option_premium": 1},
         placed=0),
    Case("an option that is dear enough", (buy(premium="1.25"),), 1, long(1), (), {"min_option_premium": 1}),
    Case("the recorder is off", (buy(),), codes=("RECORDER_DISABLED",), recorder={"is_enabled": False}, placed=0),
    Case("the trader is off", (buy(),), codes=("TRADER_DISABLED",), trader={"is_enabled": False}, placed=0),
    Case("one of two traders is off", (buy(), expect((1, 0)), close()), (0, 0), (), ("TRADER_DISABLED", "ALREADY_FLAT"),
         routes=({"is_enabled": False},), placed=2),
    Case("a limit waits at the alert's price", (buy(**BELOW),), 0, RESTS, (), LIMIT, placed=1),
    Case("a limit asks for better", (buy(**BELOW),), 0, ("buy 1 limit 24897.5",), (), {**LIMIT,
         "limit_offset_ticks": 10}),
    Case("a limit that can trade does", (buy(price="25010"),), 1, long(1), (), LIMIT),
    Case("a limit without a price", (buy(),), 0, (), ("PRICE_MISSING",), LIMIT, placed=0),
    Case("a limit that the alert asks for", (buy(order_type="limit", limit_price="24900"),), 0, RESTS),
    Case("a limit off the tick is no worse than asked", (sell(order_type="limit", limit_price="25100.10"),), 0,
         ("sell 1 limit 25100.25",)),
    Case("a limit that is canceled", (buy(**BELOW), expect(0, RESTS), act("cancel")), 0, (), ("CANCELED",), LIMIT),
    Case("a limit that is closed before it traded", (buy(**BELOW), expect(0, RESTS), close()), 0, (), ("CANCELED",),
         LIMIT),
    Case("a limit that nobody met in time", (buy(**BELOW), Pause(2)), 0, (), ("CANCELED",),
         {"entry_type": "limit", "limit_timeout_s": 1}),
    Case("a limit that is turned around", (buy(**BELOW), expect(0, RESTS), sell(price="24990")), -1, short(1),
         ("CANCELED",), LIMIT),
    Case("two recorders, one account: each closes its own", (buy(), buy(to=1), expect((1, 2)), close()), (0, 2),
         long(2, target="20", stop="15"),
         second={"initial_position_size": 2, "targets": [{"distance": 80}], "stop_distance": 60}),
    Case("two recorders, one account, both sides", (buy(), sell(to=1)), (1, -1), (*long(1), *short(1)), second={}),
    Case("two recorders, one account, both sides, one closes", (buy(), sell(to=1), close()), (0, -1), short(1),
         second={}),
    Case("two recorders, one account, one turns around", (buy(), buy(to=1), sell()), (-1, 1), (*long(1), *short(1)),
         second={}),
    Case("two recorders, one account, a partial exit", (fill("0>3"), buy(to=1), fill("3>1")), (1, 1), long(2),
         settings=FOLLOW, second={}),
)  # fmt: skip
